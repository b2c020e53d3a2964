//! A panic tells its place, and nothing of what was being worked on.

use super::fixture::{canaries, holds_no_canary};
use std::panic::catch_unwind;
use std::process::{Command, Stdio};

/// Set in the process that panics.
const PANICS: &str = "KNIK_TEST_PANICS";

#[test]
fn a_panic_tells_its_place_and_nothing_of_what_was_worked_on() {
    if std::env::var_os(PANICS).is_some() {
        return panic_in_every_way();
    }
    let this = concat!(module_path!(), "::a_panic_tells_its_place_and_nothing_of_what_was_worked_on");
    let name = this.split_once("::").map_or(this, |(_, name)| name);
    let ran = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(PANICS, "1")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = [ran.stdout, ran.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(ran.status.success() && said.contains("1 passed"), "{said}");
    let told = said.matches("\"panic\"").count();
    assert_eq!(told, canaries().len() * WAYS, "each is told:\n{said}");
    assert!(said.contains("panics.rs:"), "by its place:\n{said}");
    holds_no_canary(&said, "what a panic tells");
}

/// How often `panic_in_every_way` panics for each canary.
const WAYS: usize = 5;

fn panic_in_every_way() {
    tracing_subscriber::fmt().with_writer(std::io::stderr).json().init();
    knik::cli::tell_panics_by_place();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    for canary in canaries() {
        let of = |what: &str| format!("{what} {canary}");
        // As a slip of the pen would: at a place within a character, beyond the end, of an answer that was none.
        let text = format!("é{canary}");
        assert!(catch_unwind(|| text[1..].len()).is_err());
        let bytes = [canary.len()];
        assert!(catch_unwind(|| bytes[canary.len() + 1]).is_err());
        assert!(catch_unwind(|| failing(of("wrong")).unwrap()).is_err());
        assert!(catch_unwind(|| panic!("{}", of("panic"))).is_err());
        let said = of("task");
        let ended = runtime.block_on(runtime.spawn(async move { assert!(said.is_empty(), "{said}") }));
        // What a task panicked with is kept from whoever waits for it.
        let error = knik::vault::VaultError::from(ended.unwrap_err());
        eprintln!("{error} {error:?}");
    }
}

fn failing(said: String) -> Result<(), String> {
    Err(said)
}
