//! The arrows between the rooms, read from the source: a room imports rooms below it, the rooms on floors 1 to 3
//! do no I/O and draw neither time nor chance, and only the journal makes evidence.
//!
//! Test code (`#[cfg(test)]`) is left out, comments and strings too. A path is read wherever it stands, in a `use`
//! or in the midst of code. What a macro of another crate expands to is not seen.

mod source;

use crate::support::package;
use source::{File, files};

/// A room with its floor, as in the design.
const ROOMS: &[(&str, u8)] = &[
    ("model", 1),
    ("capture", 2),
    ("detect", 2),
    ("redact", 2),
    ("decide", 2),
    ("access", 2),
    ("ledger", 2),
    ("page", 2),
    ("config", 2),
    ("seal", 3),
    ("store", 4),
    ("vault", 5),
    ("reading_room", 5),
    ("http", 6),
    ("cli", 8),
    ("main", 9),
];

/// The highest floor without I/O.
const PURE: u8 = 3;

/// Paths that do I/O or draw time or chance.
const IMPURE: &[&str] = &[
    "std::fs",
    "std::net::Tcp*",
    "std::net::Udp*",
    "std::net::ToSocketAddrs",
    "std::net::*",
    "std::net::self",
    "std::env",
    "std::process",
    "std::os",
    "std::thread",
    "std::time::SystemTime",
    "std::time::Instant",
    "tokio",
    "sqlx",
    "object_store",
    "reqwest",
    "actix_web",
    "rustix",
    "rcgen",
    "rustls",
    "tracing",
    "rand",
    "getrandom",
    "aws_lc_rs::rand",
    "jiff::tz",
];

/// Calls that draw time or chance, by whatever path they are reached.
const DRAWS: &[&str] = &[
    "SystemTime::now",
    "Instant::now",
    "Timestamp::now",
    "Zoned::now",
    "Uuid::new_v4",
    "Uuid::now_v7",
    "Uuid::new_v7",
    "rand::fill",
    "SystemRandom::new",
];

/// What `capture` may use of `std::io`: to read from what it is given, and to say that reading failed.
const READING: &[&str] =
    &["self", "Read", "BufRead", "Write", "BufReader", "Error", "ErrorKind", "Result", "Cursor"];

#[test]
fn rooms_import_rooms_below_them_only() {
    let files = files(&package().join("src"));
    assert!(files.len() > 100, "only {} files were read", files.len());
    let wrong: Vec<String> = files.iter().flat_map(violations).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_room_of_the_table_is_there_or_yet_to_come() {
    let files = files(&package().join("src"));
    for (room, floor) in ROOMS.iter().filter(|(_, floor)| *floor <= PURE) {
        assert!(files.iter().any(|file| file.room == *room), "no file of `{room}` on floor {floor} was read");
    }
}

/// Everything that is wrong with a file, each with file and line.
fn violations(file: &File) -> Vec<String> {
    let Some(floor) = floor(&file.room) else {
        return match file.path.as_str() {
            "lib.rs" => Vec::new(),
            path => vec![format!("{path}: room `{}` has no floor", file.room)],
        };
    };
    let mut wrong = Vec::new();
    for (line, path) in file.paths() {
        let mut say = |what: String| wrong.push(format!("{}:{line}: {what} (`{path}`)", file.path));
        if let Some(other) = path.strip_prefix("crate::").map(first) {
            match self::floor(other) {
                _ if other == file.room => {}
                Some(below) if below < floor => {}
                Some(_) => {
                    say(format!("`{}` on floor {floor} imports `{other}`, which is not below it", file.room))
                }
                None => {}
            }
        }
        if floor <= PURE {
            if let Some(impure) = IMPURE.iter().find(|impure| under(&path, impure)) {
                say(format!("`{}` is pure and uses `{impure}`", file.room));
            }
            if under(&path, "std::io") && !reads_only(&file.room, &path) {
                say(format!("`{}` is pure and uses `std::io`", file.room));
            }
            if matches!(path.as_str(), "std" | "std::*" | "crate" | "crate::*") {
                say("everything is imported at once".to_owned());
            }
        }
        let draws = floor <= PURE
            || matches!(file.path.as_str(), p if p.starts_with("vault/") && p != "vault/sources.rs");
        if let Some(draw) = DRAWS.iter().find(|draw| draws && path.ends_with(*draw)) {
            say(format!("`{}` draws time or chance with `{draw}`", file.room));
        }
    }
    if floor <= PURE {
        wrong.extend(
            file.lines_with("async ").map(|line| format!("{}:{line}: a pure room is not async", file.path)),
        );
    }
    if !matches!(file.path.as_str(), "store/journal.rs") {
        let made = [".committed(", "::committed("].iter().flat_map(|call| file.lines_with(call));
        wrong.extend(made.map(|line| format!("{}:{line}: only the journal makes evidence", file.path)));
    }
    wrong
}

fn floor(room: &str) -> Option<u8> {
    ROOMS.iter().find(|(name, _)| *name == room).map(|(_, floor)| *floor)
}

fn first(path: &str) -> &str {
    path.split("::").next().unwrap_or(path)
}

/// Whether `path` is `folder` or lies below it; a `*` at the end of a longer name stands for any ending.
fn under(path: &str, folder: &str) -> bool {
    if let Some(start) = folder.strip_suffix('*').filter(|start| !start.ends_with("::")) {
        return path.starts_with(start);
    }
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

fn reads_only(room: &str, path: &str) -> bool {
    let used = path.strip_prefix("std::io").and_then(|rest| rest.strip_prefix("::")).map_or("self", first);
    room == "capture" && READING.contains(&used)
}

/// A file as it would stand in a room, for the tests of the checker.
fn planted(path: &str, text: &str) -> Vec<String> {
    violations(&File::new(path, text))
}

#[test]
fn the_checker_catches_what_is_planted() {
    let table = [
        ("seal/a.rs", "use std::fs;"),
        ("seal/a.rs", "use std::{fmt, fs::File};"),
        ("seal/a.rs", "use std::{\n    fmt,\n    net::{IpAddr, TcpStream},\n};"),
        ("config.rs", "use std::net;\nfn f() { net::TcpListener::bind(a); }"),
        ("config.rs", "use std::net::{self, SocketAddr};"),
        ("seal/a.rs", "fn f() { let _ = ::std::env::var(\"HOME\"); }"),
        ("seal/a.rs", "fn f() { std :: process :: exit(1) }"),
        ("seal/a.rs", "use std::io::Read;"),
        ("capture/a.rs", "use std::io::{Read, stdout};"),
        ("capture/a.rs", "use std::io;\nfn f() { io::copy(&mut a, &mut io::stdout()); }"),
        ("seal/a.rs", "use std::*;"),
        ("seal/a.rs", "use std as s;"),
        ("access/a.rs", "fn f() { let _ = std::time::SystemTime::now(); }"),
        ("access/a.rs", "use jiff::Timestamp;\nfn f() { Timestamp::now(); }"),
        ("decide/a.rs", "fn f() { uuid::Uuid::new_v4(); }"),
        ("seal/a.rs", "use aws_lc_rs::rand;"),
        ("seal/a.rs", "use aws_lc_rs::{aead, rand::fill};"),
        ("ledger/a.rs", "pub async fn f() {}"),
        ("ledger/a.rs", "use tokio::sync::Mutex;"),
        ("model/a.rs", "use crate::ledger::Entry;"),
        ("detect/a.rs", "use crate::{model::Span, redact::redact};"),
        ("detect/mod.rs", "use super::redact::redact;"),
        ("detect/a/b.rs", "use super::super::super::redact::redact;"),
        ("config.rs", "use super::store::Database;"),
        ("seal/a.rs", "fn f() { crate::store::rows::bytes(x); }"),
        ("vault/a.rs", "use crate::reading_room::read;"),
        ("reading_room/a.rs", "use crate::vault::Archive;"),
        ("store/a.rs", "use crate::vault::Archive;"),
        ("vault/a.rs", "fn f() { jiff::Timestamp::now(); }"),
        ("vault/a.rs", "fn f() { pending.committed(row); }"),
        ("store/room.rs", "fn f() { let r = pending\n        .committed(row); }"),
        ("store/room.rs", "fn f() { Pending::committed(pending, row); }"),
        ("cellar/a.rs", "fn f() {}"),
        ("seal/a.rs", "#[cfg(test)]\nmod tests { use std::fs; }\nuse std::fs;"),
        ("seal/a.rs", "#[cfg(not(test))]\nuse std::fs;"),
        ("seal/a.rs", "const A: char = '\"'; use std::fs; const B: char = '\"';"),
    ];
    for (n, (path, text)) in table.iter().enumerate() {
        assert!(!planted(path, text).is_empty(), "case {n} was not caught: {text}");
    }
}

#[test]
fn the_checker_leaves_alone_what_is_allowed() {
    let table = [
        ("seal/a.rs", "use std::fmt;\nuse crate::access::Permit;\nuse crate::model::{RecordId, SegmentId};"),
        ("seal/a.rs", "// use std::fs;\n/* use std::net; /* nested */ use std::env; */\nfn f() {}"),
        (
            "seal/a.rs",
            "const TEXT: &str = \"use std::fs; \\\" tokio::spawn\"; const RAW: &str = r#\"std::env \" x\"#;",
        ),
        ("seal/a.rs", "#[cfg(test)]\nmod tests {\n    use std::fs;\n    fn f() { let c = '}'; }\n}\n"),
        ("seal/a.rs", "#[cfg(test)]\nuse std::fs;\n"),
        (
            "seal/a.rs",
            "#[cfg(test)]\npub(crate) fn f(p: Pending) -> Recorded { p.committed(JournalRow::new(1)) }",
        ),
        ("capture/a.rs", "use std::io::{self, BufRead, Read};\nfn f() -> io::Result<()> { Ok(()) }"),
        ("store/journal.rs", "fn f() { pending.committed(row); }"),
        ("ledger/pending.rs", "pub(crate) fn committed(self, row: JournalRow) -> Recorded { todo() }"),
        ("vault/sources.rs", "fn f() { jiff::Timestamp::now(); }"),
        ("store/keys.rs", "use aws_lc_rs::rand;\nuse std::fs;"),
        ("http/a.rs", "use crate::vault::read;\nuse crate::reading_room::read as room;"),
        ("model/a.rs", "fn f<'a>(x: &'a str) -> &'a str { x }"),
        ("detect/a/b.rs", "use super::super::bytes::free_after;"),
        ("config.rs", "use std::net::{IpAddr, SocketAddr};"),
        ("seal/a.rs", "fn operand() { brand::mark(); my_std::fs::read(); }"),
    ];
    for (n, (path, text)) in table.iter().enumerate() {
        assert_eq!(planted(path, text), Vec::<String>::new(), "case {n}");
    }
}
