//! What must not compile: each `NAME.rs` fails with exactly the error code of its first line, and its twin
//! `NAME.ok.rs`, which differs in that one thing only, compiles.

use crate::support::package;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs, thread};

/// Uses both crates that the cases use: a library of another build does not fit.
const PROBE: &str = "fn needs<T: serde::Serialize>() {} pub fn f() { needs::<knik::model::RecordId>(); }";

#[test]
fn what_must_not_compile_does_not_and_its_twin_does() {
    let compiler = Compiler::of_this_build();
    let cases = cases();
    assert!(cases.len() >= 27, "only {} cases found", cases.len());
    let (next, workers) = (AtomicUsize::new(0), 2);
    let wrong: Vec<String> = thread::scope(|scope| {
        let work = || {
            let mut wrong = Vec::new();
            while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                wrong.extend(check(&compiler, case));
            }
            wrong
        };
        let running: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        running.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The cases: every file that is no twin.
fn cases() -> Vec<PathBuf> {
    let folder = fs::read_dir(package().join("tests/compile_fail")).unwrap();
    let all: Vec<PathBuf> = folder.map(|entry| entry.unwrap().path()).collect();
    let twin = |path: &PathBuf| path.to_str().unwrap().ends_with(".ok.rs");
    let (twins, mut cases): (Vec<_>, Vec<_>) = all.into_iter().partition(twin);
    assert_eq!(twins.len(), cases.len(), "every case has a twin and every twin a case");
    cases.sort();
    cases
}

fn check(compiler: &Compiler, case: &Path) -> Vec<String> {
    let name = case.file_stem().unwrap().to_str().unwrap();
    let text = fs::read_to_string(case).unwrap();
    let expected = text.lines().next().and_then(|line| line.strip_prefix("// error: ")).map(str::trim);
    let Some(expected) = expected else { return vec![format!("{name}: the first line names no error code")] };
    let mut wrong = Vec::new();
    match compiler.codes(case) {
        Ok(()) => wrong.push(format!("{name}: compiles, and must fail with {expected}")),
        Err((codes, _)) if codes == BTreeSet::from([expected.to_owned()]) => {}
        Err((codes, said)) => {
            wrong.push(format!("{name}: fails with {codes:?}, not with {expected} alone\n{said}"))
        }
    }
    if let Err((_, said)) = compiler.codes(&case.with_extension("ok.rs")) {
        wrong.push(format!("{name}.ok: does not compile\n{said}"));
    }
    wrong
}

/// The compiler with the libraries of this very build.
struct Compiler {
    dependencies: PathBuf,
    knik: PathBuf,
    serde: PathBuf,
    out: tempfile::TempDir,
}

impl Compiler {
    fn of_this_build() -> Self {
        let dependencies = env::current_exe().unwrap().parent().unwrap().to_owned();
        let out = tempfile::tempdir().unwrap();
        let probe = out.path().join("probe.rs");
        fs::write(&probe, PROBE).unwrap();
        let mut last = String::new();
        for knik in libraries(&dependencies, "knik") {
            for serde in libraries(&dependencies, "serde") {
                let (dependencies, knik) = (dependencies.clone(), knik.clone());
                let compiler = Self { dependencies, knik, serde, out: tempfile::tempdir().unwrap() };
                match compiler.codes(&probe) {
                    Ok(()) => return compiler,
                    Err((_, said)) => last = said,
                }
            }
        }
        panic!("no library of this build fits in {}: {last}", dependencies.display());
    }

    /// Compiles one file as a library; the error codes and what was said when it fails.
    fn codes(&self, file: &Path) -> Result<(), (BTreeSet<String>, String)> {
        let name = file.file_name().unwrap().to_str().unwrap().replace(['.', '-'], "_");
        let with = |name: &str, path: &Path| format!("{name}={}", path.display());
        let output = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
            .args(["--crate-type", "lib", "--emit=metadata", "--edition", "2024", "-A", "warnings"])
            .args(["--crate-name", &name, "-L", &with("dependency", &self.dependencies)])
            .args(["--extern", &with("knik", &self.knik), "--extern", &with("serde", &self.serde)])
            .arg("--out-dir")
            .arg(self.out.path())
            .arg(file)
            .output()
            .unwrap();
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        // An error without a code counts as one of its own.
        let code = |line: &str| match line.strip_prefix("error")?.strip_prefix('[') {
            Some(coded) => coded.split(']').next().map(str::to_owned),
            None if line.contains("aborting due to") => None,
            None => Some(line.to_owned()),
        };
        let codes = said.lines().filter_map(code).collect();
        Err((codes, said))
    }
}

/// Libraries of that name, newest first.
fn libraries(folder: &Path, name: &str) -> Vec<PathBuf> {
    let ours = |path: &PathBuf| {
        let file = path.file_name().and_then(|f| f.to_str()).unwrap_or_default();
        file.starts_with(&format!("lib{name}-")) && file.ends_with(".rlib")
    };
    let all = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> = all.filter(ours).collect();
    found.sort_by_key(|path| std::cmp::Reverse(fs::metadata(path).and_then(|m| m.modified()).ok()));
    found
}
