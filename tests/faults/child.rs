//! A life as a process of its own: this program, run anew for one test.

use super::life::{Acknowledged, Life, Whole};
use knik::store::effect::{Moment, watch};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;

/// The test that its children run too.
const ITSELF: &str = "faults::kills::every_kill_is_recovered_from";
/// For a child: the folder, and what to do in it.
const FOLDER: &str = "KNIK_TEST_FAULTS_FOLDER";
const ORDER: &str = "KNIK_TEST_FAULTS_ORDER";

/// Children at once: each waits more than it works.
const AT_ONCE: usize = 4;

/// What a child is for.
#[derive(Debug, Clone)]
pub enum Order {
    /// Take every step, and say how often each effect was reached.
    Live,
    /// Take steps until an effect is before or after its nth time, and be killed there.
    Kill { effect: String, moment: &'static str, nth: u32 },
    /// Check what was acknowledged (on standard input), then take every step.
    Recover,
}

impl Order {
    fn text(&self) -> String {
        match self {
            Self::Live => "live".to_owned(),
            Self::Kill { effect, moment, nth } => format!("kill {effect} {moment} {nth}"),
            Self::Recover => "recover".to_owned(),
        }
    }
}

/// What a child left.
pub struct Ended {
    output: Output,
}

impl Ended {
    /// Whether it came to its end.
    pub fn is_whole(&self) -> bool {
        self.output.status.success()
    }

    /// Whether a signal ended it.
    pub fn was_killed(&self) -> bool {
        self.output.status.code().is_none()
    }

    /// Everything it wrote, for a failing test.
    pub fn told(&self) -> String {
        format!("{}{}", self.said(), String::from_utf8_lossy(&self.output.stderr))
    }

    /// The steps it said were done.
    pub fn acknowledged(&self) -> Acknowledged {
        Acknowledged::read(&self.said())
    }

    /// What was there in the end.
    pub fn whole(&self) -> Whole {
        let said = self.said();
        let line = said.lines().find_map(|line| line.strip_prefix("whole ")).unwrap();
        serde_json::from_str(line).unwrap()
    }

    /// How often each effect was reached.
    pub fn reached(&self) -> BTreeMap<String, u32> {
        let line = |line: &str| {
            let (effect, times) = line.strip_prefix("reached ")?.split_once(' ')?;
            Some((effect.to_owned(), times.parse().unwrap()))
        };
        self.said().lines().filter_map(line).collect()
    }

    fn said(&self) -> String {
        String::from_utf8_lossy(&self.output.stdout).into_owned()
    }
}

/// Runs a child; `under` is a program that runs it, with its arguments.
pub fn run(folder: &Path, order: &Order, acknowledged: &Acknowledged, under: &[String]) -> Ended {
    let this = std::env::current_exe().unwrap();
    let mut command = match under.split_first() {
        None => Command::new(this),
        Some((program, arguments)) => {
            let mut command = Command::new(program);
            command.args(arguments).arg(this);
            command
        }
    };
    let mut child = command
        .args([ITSELF, "--exact", "--nocapture"])
        .env(FOLDER, folder)
        .env(ORDER, order.text())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    // One that was killed at its start does not listen.
    let _gone = input.write_all(acknowledged.lines().as_bytes());
    drop(input);
    Ended { output: child.wait_with_output().unwrap() }
}

/// Runs a child that comes after one that did not end well: everything is there, and it ends as if nothing had happened.
pub fn recover(folder: &Path, before: &Ended, undisturbed: &Whole, what: &str) {
    let acknowledged = before.acknowledged();
    let after = run(folder, &Order::Recover, &acknowledged, &[]);
    assert!(after.is_whole(), "{what} after {acknowledged:?}: {}", after.told());
    assert_eq!(&after.whole(), undisturbed, "{what} after {acknowledged:?}");
}

/// Does `each` of `all`, some at once.
pub fn some_at_once<T: Send>(all: Vec<T>, each: impl Fn(T) + Sync) {
    let waiting = Mutex::new(all);
    let next = || waiting.lock().unwrap().pop();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(one) = next() {
                    each(one);
                }
            });
        }
    });
}

/// A life that nothing disturbs.
pub fn undisturbed() -> Ended {
    let folder = tempfile::tempdir().unwrap();
    let lived = run(folder.path(), &Order::Live, &Acknowledged::default(), &[]);
    assert!(lived.is_whole(), "{}", lived.told());
    lived
}

/// In a child: does what it is for, and returns true.
pub fn is_child() -> bool {
    let (Some(folder), Ok(order)) = (std::env::var_os(FOLDER), std::env::var(ORDER)) else { return false };
    let counts: &'static Mutex<BTreeMap<String, u32>> = Box::leak(Box::default());
    let at: Vec<String> = order.split(' ').map(str::to_owned).collect();
    watch(Box::new(move |effect, moment| {
        let mut counts = counts.lock().unwrap();
        if moment == Moment::Before {
            *counts.entry(format!("{effect:?}")).or_default() += 1;
        }
        let [_, name, when, nth] = at.as_slice() else { return };
        let now = (format!("{effect:?}"), format!("{moment:?}"));
        if (name, when) == (&now.0, &now.1) && counts[&now.0].to_string() == *nth {
            let itself = rustix::process::getpid();
            rustix::process::kill_process(itself, rustix::process::Signal::KILL).unwrap();
        }
    }));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(live(&PathBuf::from(folder), order == "recover"));
    for (effect, times) in counts.lock().unwrap().iter() {
        println!("reached {effect} {times}");
    }
    true
}

async fn live(folder: &Path, comes_after: bool) {
    // The test harness has written half a line.
    println!();
    let life = Life::of(folder, u64::from(comes_after)).await;
    if comes_after {
        life.check(&Acknowledged::read(&std::io::read_to_string(std::io::stdin()).unwrap())).await;
    }
    life.live(|step| println!("done {step}")).await;
    println!("whole {}", serde_json::to_string(&life.whole().await).unwrap());
}
