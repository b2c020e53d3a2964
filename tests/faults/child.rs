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

/// A moment of a life: an effect, for the nth time after a step was said to be done (`start` before the first).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub step: String,
    pub effect: String,
    pub nth: u32,
}

impl Place {
    fn read(text: &str) -> Option<Self> {
        let [step, effect, nth] = text.split(' ').collect::<Vec<_>>().try_into().ok()?;
        Some(Self { step: step.to_owned(), effect: effect.to_owned(), nth: nth.parse().ok()? })
    }
}

/// What a child is for. `run` is how many lived in its folder before it.
#[derive(Debug, Clone)]
pub enum Order {
    /// Take every step, and say which effects were reached where.
    Live,
    /// As [`Recover`](Self::Recover), but be killed before or after an effect.
    Kill { run: u64, moment: Moment, at: Place },
    /// Check what was acknowledged (on standard input), when anybody lived here before; then take every step.
    Recover { run: u64 },
}

impl Order {
    fn text(&self) -> String {
        match self {
            Self::Live => "0".to_owned(),
            Self::Kill { run, moment, at } => {
                format!("{run} {moment:?} {} {} {}", at.step, at.effect, at.nth)
            }
            Self::Recover { run } => run.to_string(),
        }
    }

    fn read(text: &str) -> Self {
        let (run, kill) = text.split_once(' ').unwrap_or((text, ""));
        let run = run.parse().unwrap();
        match kill.split_once(' ') {
            None => Self::Recover { run },
            Some((moment, at)) => {
                let moment = if moment == "Before" { Moment::Before } else { Moment::After };
                Self::Kill { run, moment, at: Place::read(at).unwrap() }
            }
        }
    }

    const fn run(&self) -> u64 {
        match self {
            Self::Live => 0,
            Self::Kill { run, .. } | Self::Recover { run } => *run,
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

    /// Which effects were reached, one after the other.
    pub fn reached(&self) -> Vec<Place> {
        self.said().lines().filter_map(|line| Place::read(line.strip_prefix("reached ")?)).collect()
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
    recover_after(folder, 1, &before.acknowledged(), undisturbed, what);
}

/// As [`recover`], after so many.
pub fn recover_after(
    folder: &Path,
    run_before: u64,
    acknowledged: &Acknowledged,
    undisturbed: &Whole,
    what: &str,
) {
    let after = run(folder, &Order::Recover { run: run_before }, acknowledged, &[]);
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

/// Where a child is in its life.
#[derive(Default)]
struct Now {
    /// Reached so far.
    places: Vec<Place>,
    /// The last step that was said.
    step: String,
    since_step: BTreeMap<String, u32>,
    /// The effect it is to be killed at: how often it was reached since the step was said, once it was.
    since: Option<u32>,
}

impl Now {
    fn says(&mut self, step: &str, kill: Option<&Place>) {
        step.split(' ').next().unwrap().clone_into(&mut self.step);
        self.since_step.clear();
        if self.since.is_none() && kill.is_some_and(|at| at.step == self.step) {
            self.since = Some(0);
        }
    }

    fn reaches(&mut self, effect: &str, kill: Option<&Place>) {
        let nth = self.since_step.entry(effect.to_owned()).or_default();
        *nth += 1;
        self.places.push(Place { step: self.step.clone(), effect: effect.to_owned(), nth: *nth });
        if kill.is_some_and(|at| at.effect == effect) {
            self.since = self.since.map(|times| times + 1);
        }
    }
}

/// In a child: does what it is for, and returns true.
pub fn is_child() -> bool {
    let (Some(folder), Ok(order)) = (std::env::var_os(FOLDER), std::env::var(ORDER)) else { return false };
    let order: &'static Order = Box::leak(Box::new(Order::read(&order)));
    let kill = match order {
        Order::Kill { moment, at, .. } => Some((moment, at)),
        _ => None,
    };
    let now: &'static Mutex<Now> = Box::leak(Box::default());
    let says = move |step: &str| now.lock().unwrap().says(step, kill.map(|(_, at)| at));
    says("start");
    watch(Box::new(move |effect, moment| {
        let mut now = now.lock().unwrap();
        let effect = format!("{effect:?}");
        if moment == Moment::Before {
            now.reaches(&effect, kill.map(|(_, at)| at));
        }
        let Some((when, at)) = kill else { return };
        if (when, &at.effect) == (&moment, &effect) && now.since.is_some_and(|times| times >= at.nth) {
            let itself = rustix::process::getpid();
            rustix::process::kill_process(itself, rustix::process::Signal::KILL).unwrap();
        }
    }));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(live(&PathBuf::from(folder), order.run(), says));
    for Place { step, effect, nth } in &now.lock().unwrap().places {
        println!("reached {step} {effect} {nth}");
    }
    true
}

async fn live(folder: &Path, run: u64, says: impl Fn(&str)) {
    // The test harness has written half a line.
    println!();
    let life = Life::of(folder, run).await;
    if run > 0 {
        life.check(&Acknowledged::read(&std::io::read_to_string(std::io::stdin()).unwrap())).await;
    }
    life.live(|step| {
        println!("done {step}");
        says(step);
    })
    .await;
    println!("whole {}", serde_json::to_string(&life.whole().await).unwrap());
}
