//! Writes a first corpus, made of the shipped patterns' own examples: into the folder that `KNIK_FUZZ_CORPUS` names, a
//! folder for each target below it. A target itself, because what is built for coverage must be linked with libFuzzer.

#![no_main]

use flate2::Compression;
use flate2::write::GzEncoder;
use knik_fuzz::shipped;
use libfuzzer_sys::fuzz_target;
use std::io::Write;
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
        write(folder, "detect", at, format!("{text}{people}"))?;
    }
    for (at, text) in recognisers().iter().enumerate() {
        write(folder, "patterns", at, text)?;
    }
    for (at, (_, text)) in shipped::few().iter().filter(|(name, _)| name.starts_with("lists/")).enumerate() {
        write(folder, "lists", at, format!("{}{text}", char::from(u8::try_from(at).unwrap_or(0))))?;
    }
    for (at, text) in ASSESSMENTS.iter().enumerate() {
        write(folder, "assessments", at, text)?;
    }
    for (at, text) in CAPTURES.iter().enumerate() {
        write(folder, "capture", at, text)?;
        write(folder, "capture", at + CAPTURES.len(), gzip(text.as_bytes())?)?;
    }
    for (at, list) in LETTERS.iter().enumerate() {
        write(folder, "letters", at, list)?;
    }
    write(folder, "capture", 2 * CAPTURES.len(), include_bytes!("../../intake/repository.car"))
}

/// Lists of the letter system, good and bad; the first byte says whether a heading is put before.
const LETTERS: &[&str] = &[
    "system;case_number;record;registered_on;taken_over\nbrieven;B-17;0190a5c2-7f3e-7b1d-9a52-3f7f0a3f8a11;2026-03-09;tekst\n",
    "\u{1}brieven,B-18,,,,,10-03-2026,\"ontvangen, \"\"ja\"\"\"\r\n",
    "\u{1}brieven,\"B-18,,,\n",
];

fn gzip(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes)?;
    encoder.finish()
}

fn write(folder: &Path, target: &str, at: usize, text: impl AsRef<[u8]>) -> std::io::Result<()> {
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

/// Files of assessments: an even first byte for a table, an odd one for lines of JSON.
const ASSESSMENTS: &[&str] = &[
    "0item,reviewer,at,asked,answer,finding,reason\n0190a5c2-7f3e-7b1d-9a52-3f7f0a3f8a11,jan,2026-03-09T10:15:00Z,finding,confirm,rest,\"een\nreden\"\n",
    "1{\"item\":\"0190a5c2-7f3e-7b1d-9a52-3f7f0a3f8a11\",\"reviewer\":\"jan\",\"at\":\"2026-03-09T10:15:00Z\",\"asked\":\"finding\",\"answer\":\"add\",\"start\":3,\"end\":9,\"type\":\"PERSON\",\"exemption\":\"woo-5.1.2e\"}\n",
];

const CAPTURES: &[&str] = &[
    "{\"data\":[{\"id\":\"1\",\"text\":\"hallo\",\"author_id\":\"2\",\"created_at\":\"2026-01-05T08:00:00.000Z\"}],\"includes\":{\"users\":[{\"id\":\"2\",\"name\":\"Jan\",\"username\":\"jan\"}]}}\n",
    "[{\"id\":\"1\",\"created_at\":\"2026-01-05T08:00:00.000Z\",\"content\":\"<p>hallo</p>\",\"uri\":\"https://a.example/1\",\"account\":{\"id\":\"2\",\"acct\":\"jan\",\"display_name\":\"Jan\"},\"visibility\":\"public\"},{}]",
    "event: update\ndata: {\"id\":\"1\",\"content\":\"x\",\"account\":{\"id\":\"2\"}}\n\nevent: delete\ndata: 1\n\n",
    "WARC/1.0\r\nWARC-Type: response\r\nContent-Type: application/http\r\nContent-Length: 66\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n\r\n\r\n\r\nWARC/1.0\r\nWARC-Type: resource\r\nContent-Type: text/html\r\nContent-Length: 18\r\n\r\n<p title='x'>y</p>\r\n\r\n",
    "PK\u{3}\u{4}\u{14}\0\u{8}\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\u{1}\0\0\0a[]PK\u{7}\u{8}",
    "PK\u{3}\u{4}\u{14}\0\0\0\0\0\0\0\0\0\0\0\0\0\u{2}\0\0\0\u{2}\0\0\0\u{1}\0\0\0a[]PK\u{5}\u{6}\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
];
