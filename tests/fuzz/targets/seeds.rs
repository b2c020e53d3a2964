//! Writes a first corpus, made of the shipped patterns' own examples: into the folder that `KNIK_FUZZ_CORPUS` names, a
//! folder for each target below it. A target itself, because what is built for coverage must be linked with libFuzzer.

#![no_main]

use knik_fuzz::shipped;
use libfuzzer_sys::fuzz_target;
use std::path::Path;

fuzz_target!(
    init: write_and_stop(),
    |_data: &[u8]| {}
);

/// Ends the process, and so is the only thing that this target does.
fn write_and_stop() {
    std::process::exit(i32::from(write_all().is_err()));
}

fn write_all() -> std::io::Result<()> {
    let folder = std::env::var_os("KNIK_FUZZ_CORPUS").expect("KNIK_FUZZ_CORPUS names a folder");
    let folder = Path::new(&folder);
    let people = "\0jan_v\0Jan de Vries\0els92@voorbeeld.social\0Els\0minxyz\0Ministerie van XYZ";
    for (at, text) in texts().iter().enumerate() {
        write(folder, "detect", at, &format!("{text}{people}"))?;
    }
    for (at, text) in recognisers().iter().enumerate() {
        write(folder, "patterns", at, text)?;
    }
    for (at, (_, text)) in shipped::few().iter().filter(|(name, _)| name.starts_with("lists/")).enumerate() {
        write(folder, "lists", at, &format!("{}{text}", char::from(u8::try_from(at).unwrap_or(0))))?;
    }
    for (at, text) in CAPTURES.iter().enumerate() {
        write(folder, "capture", at, text)?;
    }
    Ok(())
}

fn write(folder: &Path, target: &str, at: usize, text: &str) -> std::io::Result<()> {
    let folder = folder.join(target);
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join(format!("seed-{at}")), text)
}

/// Each shipped recogniser as a file of its own, under another name: small files are tried more often.
fn recognisers() -> Vec<String> {
    let files = shipped::files();
    let yaml = files.iter().filter(|(name, _)| name.ends_with(".yaml"));
    yaml.flat_map(|(_, text)| text.split("\n  - name: ").skip(1))
        .map(|recogniser| format!("recognizers:\n  - name: x-{recogniser}"))
        .collect()
}

/// Every example and counter-example of every recogniser.
fn texts() -> Vec<String> {
    let of = |r: &knik_fuzz::detect::Recogniser| {
        let examples = r.examples().iter().map(|e| e.text.clone());
        examples.chain(r.counter_examples().iter().cloned()).collect::<Vec<_>>()
    };
    shipped::ruleset().recognisers().flat_map(of).collect()
}

const CAPTURES: &[&str] = &[
    "{\"data\":[{\"id\":\"1\",\"text\":\"hallo\",\"author_id\":\"2\",\"created_at\":\"2026-01-05T08:00:00.000Z\"}],\"includes\":{\"users\":[{\"id\":\"2\",\"name\":\"Jan\",\"username\":\"jan\"}]}}\n",
    "[{\"id\":\"1\",\"created_at\":\"2026-01-05T08:00:00.000Z\",\"content\":\"<p>hallo</p>\",\"uri\":\"https://a.example/1\",\"account\":{\"id\":\"2\",\"acct\":\"jan\",\"display_name\":\"Jan\"},\"visibility\":\"public\"},{}]",
    "event: update\ndata: {\"id\":\"1\",\"content\":\"x\",\"account\":{\"id\":\"2\"}}\n\nevent: delete\ndata: 1\n\n",
];
