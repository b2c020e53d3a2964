//! What the command line refuses: what, where and the mend are said, the exit code is not 0, nothing is half done.

use super::captures::{capture, reaction};
use super::fixture::{Ran, channel_arguments, knik, knik_with, temp, write};
use serde_json::Value;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use tempfile::TempDir;

/// A data folder with one organisation and one channel, made by the commands that make them.
pub struct Folder {
    pub temp: TempDir,
    pub dir: PathBuf,
}

impl Folder {
    pub fn new() -> Self {
        Self::with("")
    }

    /// One with this configuration.
    pub fn with(config: &str) -> Self {
        let temp = temp();
        let dir = temp.path().join("data");
        fs::create_dir(&dir).unwrap();
        fs::write(dir.join("knik.toml"), config).unwrap();
        knik(&dir, &["organisation", "add", "min-low", "--name", "Ministerie van Leefomgeving en Water"])
            .ok();
        let folder = Self { temp, dir };
        folder.run(&channel_arguments("low-mastodon", &[])).ok();
        folder
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        knik(&self.dir, arguments)
    }

    pub fn file(&self, name: &str, bytes: &[u8]) -> String {
        write(self.temp.path(), name, bytes)
    }

    fn ingest(&self, file: &str) -> Ran {
        self.run(&["ingest", "--channel", "low-mastodon", file])
    }

    pub fn counts(&self) -> Value {
        self.run(&["status", "--json"]).ok().json()["counts"].clone()
    }

    /// The file is refused with these words and the folder is as it was.
    #[track_caller]
    fn refuses(&self, file: &str, words: &[&str]) {
        let before = self.counts();
        self.ingest(file).refused(&[words, &[file]].concat());
        assert_eq!(self.counts(), before, "{file}: nothing half done");
        assert_eq!(fs::read_dir(self.dir.join("spool")).unwrap().count(), 0, "{file}");
    }
}

pub fn questions(count: u32) -> Vec<u8> {
    let one = |n: u32| reaction(&format!("1163000000000{n:05}"), "Wanneer komt er antwoord op mijn vraag?");
    capture(&(0..count).map(one).collect::<Vec<_>>())
}

#[test]
fn key_files_that_others_may_read_links_and_rubbish_are_refused() {
    let folder = Folder::new();
    let master = folder.dir.join("keys/master-min-low.key");
    let path = master.to_str().unwrap();
    let mode = |mode: u32| fs::set_permissions(&master, fs::Permissions::from_mode(mode)).unwrap();
    for open in [0o644, 0o640, 0o604, 0o660] {
        mode(open);
        folder.run(&["status"]).refused(&[path, &format!("{open:04o}"), "chmod 600"]);
    }
    mode(0o600);
    folder.run(&["status"]).ok();

    let kept = folder.temp.path().join("kept.key");
    fs::rename(&master, &kept).unwrap();
    symlink(&kept, &master).unwrap();
    folder.run(&["status"]).refused(&[path, "links are refused"]);
    fs::remove_file(&master).unwrap();
    for rubbish in [&b""[..], b"knik-key-1 master min-low AAAA\n", b"knik-key-1 master dwv \xff", &[0; 4_096]]
    {
        fs::write(&master, rubbish).unwrap();
        mode(0o600);
        folder.run(&["status"]).refused(&[path]);
    }
    // A key of another organisation is not taken for this one's.
    let text = fs::read_to_string(&kept).unwrap();
    fs::write(&master, text.replace("min-low", "min-hoog")).unwrap();
    folder.run(&["status"]).refused(&[path, "min-low"]);
    fs::rename(&kept, &master).unwrap();
    folder.run(&["status"]).ok();

    let keys = folder.dir.join("keys");
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o755)).unwrap();
    folder.run(&["status"]).refused(&[keys.to_str().unwrap(), "0755"]);
}

#[test]
fn a_key_is_never_shown() {
    let folder = Folder::new();
    let master = folder.dir.join("keys/master-min-low.key");
    let text = fs::read_to_string(&master).unwrap();
    let secret = text.split_whitespace().last().unwrap();
    fs::write(&master, format!("{text} more")).unwrap();
    let said = folder.run(&["status"]).refused(&["master-min-low.key"]).said();
    assert!(!said.contains(secret));
}

#[test]
fn what_is_not_known_is_named_with_the_mend() {
    let folder = Folder::new();
    let file = folder.file("reaction.json", &questions(1));
    let cases: [(&[&str], &[&str]); 11] = [
        (&["ingest", "--channel", "no-such-channel", &file], &["no-such-channel", "channel add"]),
        (&["ingest", "--channel", "Not A Slug", &file], &["Not A Slug"]),
        (&["ingest", &file], &["--channel"]),
        (&["ingest", "--channel", "low-mastodon"], &["FILES"]),
        (&["ingest", "--channel", "low-mastodon", "--format", "fax", &file], &["fax", "x_api_v2, mastodon"]),
        (
            &["ingest", "--channel", "low-mastodon", "--format", "x_api_v2", &file],
            &["low-mastodon", "mastodon", "x"],
        ),
        (&["grant", "revoke", "not-an-id"], &["not-an-id"]),
        (&["organisation", "add", "Min Low", "--name", "x"], &["Min Low"]),
        (&["decisions", "--organisation", "min-low", "--outcome", "perhaps"], &["perhaps"]),
        (&["openapi", "cellar"], &["cellar"]),
        (&["token", "--role", "researcher", "--organisation", "u", "--subject", "s"], &["identity provider"]),
    ];
    let before = folder.counts();
    for (arguments, words) in cases {
        folder.run(arguments).refused(words);
    }
    folder.run(&channel_arguments("other", &["--tree", "no-such-tree"])).refused(&["no-such-tree"]);
    let mut nowhere = channel_arguments("other", &[]);
    nowhere[4] = "min-elders";
    folder.run(&nowhere).refused(&["min-elders", "organisation add"]);
    let mut silent = channel_arguments("other", &[]);
    *silent.last_mut().unwrap() = " ";
    folder.run(&silent).refused(&["DPIA"]);
    assert_eq!(folder.counts(), before);
    let absent = folder.temp.path().join("not-made");
    for arguments in [&["status"][..], &["serve"], &["channel", "list"], &["ingest", "--channel", "c", &file]]
    {
        knik(&absent, arguments).refused(&[absent.to_str().unwrap(), "is not there", "knik demo"]);
        assert!(!absent.exists(), "nothing is made by the way");
    }
}

#[test]
fn a_setting_that_is_not_known_is_named() {
    let folder = Folder::new();
    let config = folder.dir.join("knik.toml");
    for (text, words) in [
        ("nmae = 'x'", &["nmae"][..]),
        ("[ingest]\nunit-bytes-maxx = 1", &["unit-bytes-maxx"]),
        ("[vault]\nlisten = 'here'", &["listen"]),
        ("[vault]\ndatabase = 'mysql://x'", &["vault.database", "postgres://"]),
        ("name = ", &["line 1"]),
    ] {
        fs::write(&config, text).unwrap();
        folder.run(&["status"]).refused(&[words, &["knik.toml"]].concat());
    }
    fs::remove_file(&config).unwrap();
    for (name, value, word) in [
        ("KNIK_VAULT__LISTNE", "127.0.0.1:1", "KNIK_VAULT__LISTNE"),
        ("KNIK_NAEM", "x", "KNIK_NAEM"),
        ("KNIK_INGEST__UNIT_BYTES_MAX", "many", "KNIK_INGEST__UNIT_BYTES_MAX"),
        ("KNIK_INGEST__UNIT_BYTES_MAX", "3", "unit-bytes-max"),
    ] {
        knik_with(&folder.dir, &["status"], &[(name, value)]).refused(&[word]);
    }
    knik_with(&folder.dir, &["status"], &[("KNIK_LOG", "debug")]).ok();
    folder.run(&["serve"]).refused(&["issuers", "knik.toml"]);
}

#[test]
fn files_that_are_not_sound_leave_nothing_behind() {
    let folder = Folder::new();
    let whole = questions(3);
    let absent = folder.temp.path().join("absent.json");
    folder.refuses(absent.to_str().unwrap(), &["could not be read"]);
    folder.refuses(folder.temp.path().to_str().unwrap(), &[]);
    folder.refuses(&folder.file("empty.json", b""), &["empty"]);
    for part in [1, whole.len() / 3, whole.len() / 2, whole.len() - 1] {
        folder.refuses(&folder.file(&format!("cut-{part}.json"), &whole[..part]), &[]);
    }
    folder.refuses(&folder.file("cut.json", &whole[..whole.len() - 1]), &["cut short"]);
    let at = whole.iter().rposition(|byte| *byte == b':').unwrap();
    let broken = [&whole[..at], b"=", &whole[at + 1..]].concat();
    folder.refuses(&folder.file("broken.json", &broken), &["broken JSON"]);
    let utf_16: Vec<u8> =
        String::from_utf8(whole.clone()).unwrap().encode_utf16().flat_map(u16::to_le_bytes).collect();
    folder.refuses(&folder.file("utf-16.json", &[&[0xff, 0xfe], &utf_16[..]].concat()), &["UTF-16", "UTF-8"]);
    folder.refuses(&folder.file("utf-16-bare.json", &utf_16), &["UTF-16", "UTF-8"]);
    folder.refuses(
        &folder.file("letter.txt", b"Geachte mevrouw, meneer"),
        &["not recognised", "x_api_v2, mastodon"],
    );
    let report = folder.ingest(&folder.file("whole.json", &whole)).ok();
    assert!(report.out.contains("3 new records"), "the same folder takes a sound file: {}", report.out);
}

#[test]
fn bytes_that_are_no_text_are_named_by_place() {
    let folder = Folder::new();
    let mut bytes = questions(3);
    let at = bytes.windows(7).rposition(|window| window == b"Wanneer").unwrap();
    bytes[at] = 0xff;
    let file = folder.file("not-text.json", &bytes);
    let said = folder.ingest(&file).refused(&["UTF-8"]).said();
    assert!(
        said.contains("/descendants/2") || said.contains("byte") || said.contains("line"),
        "where: {said}"
    );
    assert!(!said.contains("komt er antwoord"), "the message repeats no content: {said}");
}

#[test]
fn one_file_that_is_refused_does_not_keep_the_others_out() {
    let folder = Folder::new();
    let (good, bad) = (folder.file("good.json", &questions(2)), folder.file("bad.json", b"{"));
    let ran = folder.run(&["ingest", "--channel", "low-mastodon", &bad, &good]).refused(&[&bad]);
    assert!(ran.out.contains("2 new records"), "{}", ran.said());
    assert_eq!(folder.counts()["records"], 2);
}

#[test]
fn an_endless_line_is_refused_in_bounded_memory() {
    let folder = Folder::new();
    let path = folder.temp.path().join("endless.json");
    let mut file = File::create(&path).unwrap();
    file.write_all(br#"{"ancestors":[],"descendants":[{"id":"1","content":""#).unwrap();
    let piece = vec![b'a'; 1 << 20];
    (0..70).for_each(|_| file.write_all(&piece).unwrap());
    file.write_all(br#""}]}"#).unwrap();
    drop(file);
    let before = folder.counts();
    let file = path.to_str().unwrap();
    let set = [("KNIK_INGEST__UNIT_BYTES_MAX", "1048576")];
    let ran = knik_with(&folder.dir, &["ingest", "--channel", "low-mastodon", file], &set);
    ran.refused(&[file, "longer than 1048576 bytes", "split the file or raise the limit"]);
    // And by the limit that holds when nothing is set.
    folder.ingest(file).refused(&[file, "longer than 67108864 bytes"]);
    assert_eq!(folder.counts(), before);
}

#[test]
fn a_segment_that_was_touched_is_named() {
    let folder = Folder::new();
    folder.ingest(&folder.file("reactions.json", &questions(2))).ok();
    let segments: Vec<PathBuf> = walk(&folder.dir.join("vault/segments"));
    assert_eq!(segments.len(), 1, "{segments:?}");
    let segment = &segments[0];
    let name = segment.file_stem().unwrap().to_str().unwrap().to_owned();
    folder.run(&["verify"]).ok();
    let whole = fs::read(segment).unwrap();
    fs::set_permissions(segment, fs::Permissions::from_mode(0o600)).unwrap();
    for at in [0, whole.len() / 2, whole.len() - 1] {
        flip(segment, at);
        let ran = folder.run(&["verify"]);
        assert_eq!(ran.code, 1, "byte {at}: {}", ran.said());
        assert!(ran.out.contains("WRONG") && ran.out.contains(&name), "byte {at}: {}", ran.said());
        let wrong = folder.run(&["verify", "--json"]).json();
        assert!(wrong["firstWrong"].as_str().unwrap().contains(&name), "{wrong}");
        flip(segment, at);
    }
    folder.run(&["verify"]).ok();
    fs::write(segment, &whole[..whole.len() - 10]).unwrap();
    folder.run(&["verify"]).refused(&[&name]);
    fs::remove_file(segment).unwrap();
    folder.run(&["verify"]).refused(&[&name, "missing"]);
    fs::write(segment, &whole).unwrap();
    folder.run(&["verify"]).ok();
}

fn walk(folder: &std::path::Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(walk(&path)) } else { found.push(path) }
    }
    found
}

fn flip(path: &std::path::Path, at: usize) {
    let mut file = OpenOptions::new().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.seek(SeekFrom::Start(at as u64)).unwrap();
    file.read_exact(&mut byte).unwrap();
    file.seek(SeekFrom::Start(at as u64)).unwrap();
    file.write_all(&[byte[0] ^ 1]).unwrap();
}
