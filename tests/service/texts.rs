//! `knik detect`, `knik redact` and `knik patterns`: texts in, findings and redacted texts out.

use super::fixture::{Ran, knik_reading, of_project, temp, write};
use knik::cli::embedded;
use knik::model::{Finding, OffsetUnit};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

/// A text with an emoji, an e-mail address and a number that passes the elfproef.
const TEXT: &str = "👍 mail jan.vos@example.org, BSN 111222333!";

fn run(arguments: &[&str], input: &[u8]) -> Ran {
    knik_reading(arguments, input)
}

/// Each line of an answer as JSON.
fn lines(out: &str) -> Vec<Value> {
    out.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"))).collect()
}

fn line(id: &Value, text: &str) -> String {
    format!("{}\n", json!({ "id": id, "text": text }))
}

/// A key file that only its owner may read.
fn key(folder: &Path, name: &str, fill: char) -> String {
    let path = write(folder, name, format!("{}\n", String::from(fill).repeat(64)).as_bytes());
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}

/// Posts of several kinds, some with nothing in them.
fn posts() -> Vec<String> {
    let texts = [
        TEXT,
        "",
        "Gewoon een mening over de dienstregeling.",
        "Bel 06-12345678 of 0612345678 👩‍👩‍👧",
        "Groeten, Anouk de Vries\nDorpsstraat 12a, 1234 AB Utrecht",
        "IBAN NL91ABNA0417164300 op naam van M. Jansen-Öztürk",
        "\u{202e}zijn ip is 192.0.2.44\u{202c} en kenteken GB-001-B",
        "geboren op 12-03-1985 te Hengelo, e-mail jan@@example",
    ];
    (0..5).flat_map(|n| texts.map(|text| format!("{n} {text}"))).collect()
}

#[test]
fn detect_says_what_a_text_holds() {
    let table = run(&["detect", TEXT], b"").ok();
    let rows: Vec<&str> = table.out.lines().collect();
    assert!(rows[0].starts_with("start") && rows[0].contains("recogniser"), "{}", table.out);
    let of = |entity: &str| *rows.iter().find(|row| row.contains(entity)).unwrap();
    assert!(of("EMAIL_ADDRESS").ends_with("jan.vos@example.org"), "{}", table.out);
    assert!(of("NL_BSN").ends_with("111222333"));
    assert!(!table.said().contains('\u{1b}'), "colour is for terminals");
    assert_eq!(run(&["detect", "-"], TEXT.as_bytes()).ok().out, table.out, "piped in, the same");
    assert_eq!(run(&["detect"], TEXT.as_bytes()).ok().out, table.out);
    assert_eq!(run(&["detect", "niets"], b"").ok().out, "nothing found\n");
}

#[test]
fn offsets_count_what_was_asked_for() {
    let mut tried = 0;
    for unit in OffsetUnit::ALL {
        let answer = run(&["detect", "--json", "--offsets", unit.as_str(), TEXT], b"").ok().json();
        for finding in answer["findings"].as_array().unwrap() {
            let place = [&finding["start"], &finding["end"]].map(|n| n.as_u64().unwrap() as usize);
            let bytes = unit.to_bytes(TEXT, &place).unwrap();
            let value = &TEXT[bytes[0]..bytes[1]];
            match finding["type"].as_str().unwrap() {
                "EMAIL_ADDRESS" => assert_eq!(value, "jan.vos@example.org"),
                "NL_BSN" => assert_eq!(value, "111222333"),
                other => panic!("{other}"),
            }
            tried += 1;
        }
    }
    assert_eq!(tried, 6);
    let starts = |unit: &str| {
        let out = run(&["detect", "--json", "--offsets", unit, TEXT], b"").ok().json();
        out["findings"][0]["start"].as_u64().unwrap()
    };
    assert_eq!((starts("bytes"), starts("chars"), starts("utf16")), (10, 7, 8));
    assert_eq!(
        run(&["detect", "--json", TEXT], b"").json()["findings"][0]["start"],
        7,
        "chars when not asked"
    );
    run(&["detect", "--offsets", "words", TEXT], b"").refused(&["words", "bytes, chars, utf16"]);
}

#[test]
fn a_line_in_is_a_line_out_with_the_id_as_it_came() {
    let ids = [json!(7), json!("a\"b é"), json!(null), json!([1, {"x": 2}]), json!(1.50)];
    let input: String = ids.iter().map(|id| line(id, TEXT)).collect();
    let input = format!(
        "\u{feff}{input}\r\n\n{{\"extra\": 1, \"text\": \"\\u00e9 111222333 BSN\", \"id\": \"last\"}}"
    );
    let answers = lines(&run(&["detect", "--jsonl"], input.as_bytes()).ok().out);
    assert_eq!(answers.len(), ids.len() + 1, "blank lines are passed over");
    for (answer, id) in answers.iter().zip(&ids) {
        assert_eq!(&answer["id"], id);
        assert_eq!(answer["findings"], answers[0]["findings"]);
        assert_eq!(answer.as_object().unwrap().len(), 2);
        let fields: Vec<&String> = answer["findings"][0].as_object().unwrap().keys().collect();
        assert_eq!(fields, ["start", "end", "type", "score", "recogniser"]);
    }
    assert_eq!(answers[5]["id"], "last");
    assert_eq!(
        (&answers[5]["findings"][0]["start"], &answers[5]["findings"][0]["end"]),
        (&json!(2), &json!(11))
    );
}

#[test]
fn explained_findings_say_what_moved_the_score() {
    let answer = run(&["detect", "--json", "--explain", "mijn BSN 111222333"], b"").ok().json();
    let finding = &answer["findings"][0];
    let evidence = finding["evidence"].as_array().unwrap();
    let rule = |word: &str| evidence.iter().find(|e| e["rule"].as_str().unwrap().starts_with(word));
    assert!(rule("checksum.elfproef").is_some(), "{answer}");
    let context = rule("context.").unwrap();
    assert_eq!((&context["start"], &context["end"]), (&json!(5), &json!(8)), "{answer}");
    let sum: f64 = evidence.iter().map(|e| e["weight"].as_f64().unwrap()).sum();
    assert!((finding["score"].as_f64().unwrap() - sum.min(0.99)).abs() < 0.01, "{answer}");
    let table = run(&["detect", "--explain", "mijn BSN 111222333"], b"").ok().out;
    assert!(table.contains("checksum.elfproef") && table.contains("at 5..8"), "{table}");
}

#[test]
fn a_line_that_cannot_be_read_is_named_and_ends_the_work() {
    let temp = temp();
    let good = line(&json!(1), TEXT);
    let table: &[(&[u8], &str)] = &[
        (b"{\"id\": 2, \"text\": \"Anouk", "is not JSON"),
        (b"Anouk", "is not JSON"),
        (b"{\"id\": 2} {\"id\": 3}", "of another shape"),
        (b"{\"id\": 2, \"text\": \"x\"} Anouk", "is not JSON"),
        (b"{\"id\": 2, \"tekst\": \"Anouk\"}", "of another shape"),
        (b"{\"text\": \"Anouk\"}", "of another shape"),
        (b"{\"id\": 2, \"text\": [\"Anouk\"]}", "of another shape"),
        (b"[1, \"Anouk\"]", "of another shape"),
        (b"{\"id\": 2, \"text\": \"Anouk \xff\"}", "is not JSON"),
        (b"{\"id\": 2, \"text\": \"Anouk \\ud800\"}", "is not JSON"),
    ];
    for (bad, why) in table {
        let file =
            write(temp.path(), "posts.jsonl", &[good.as_bytes(), bad, b"\n", good.as_bytes()].concat());
        for command in ["detect", "redact"] {
            let ran =
                run(&[command, "--jsonl", "--file", &file], b"").refused(&["posts.jsonl`, line 2", why]);
            assert_eq!(ran.out.lines().count(), 1, "what came before is answered, what came after is not");
            assert!(!ran.err.contains("Anouk"), "nothing of the line is told: {}", ran.err);
        }
    }
    let file = write(temp.path(), "latin1.txt", b"Zo\xeb");
    run(&["detect", "--file", &file], b"").refused(&["latin1.txt", "not UTF-8 at byte 2"]);
    run(&["detect", "--file", "no-such-file.txt"], b"").refused(&["no-such-file.txt"]);
    run(&["detect", "--jsonl"], b"{").refused(&["standard input, line 1"]);
}

#[test]
fn types_threshold_and_allow_choose_what_counts() {
    let found = |arguments: &[&str]| {
        let answer = run(&[&["detect", "--json", TEXT], arguments].concat(), b"").ok().json();
        let types = answer["findings"].as_array().unwrap().iter();
        types.map(|finding| finding["type"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(found(&[]), ["EMAIL_ADDRESS", "NL_BSN"]);
    assert_eq!(found(&["--types", "NL_BSN"]), ["NL_BSN"]);
    assert_eq!(found(&["--types", "NL_BSN,EMAIL_ADDRESS"]), ["EMAIL_ADDRESS", "NL_BSN"]);
    assert_eq!(found(&["--threshold", "1"]), [""; 0]);
    assert_eq!(found(&["--allow", "111222333,iets"]), ["EMAIL_ADDRESS"]);
    assert_eq!(
        found(&["--allow", "jan.vos@example", "--allow", "11122233"]).len(),
        2,
        "only the whole value"
    );
    let temp = temp();
    let list = write(temp.path(), "allow", b"\xef\xbb\xbf111222333\r\njan.vos@example.org\n");
    assert_eq!(found(&["--allow", &list]), [""; 0]);
    run(&["detect", "--types", "NL_BNS", TEXT], b"").refused(&["NL_BNS", "NL_BSN"]);
    run(&["detect", "--types", "bsn", TEXT], b"").refused(&["bsn", "capitals"]);
    run(&["detect", "--threshold", "1.1", TEXT], b"").refused(&["between 0 and 1"]);
    run(&["detect", "--threshold", "NaN", TEXT], b"").refused(&["between 0 and 1"]);
    run(&["detect", "--allow", "lijst.txt", TEXT], b"").refused(&["lijst.txt", "is not there"]);
}

#[test]
fn findings_do_not_depend_on_how_posts_are_batched() {
    let ruleset = embedded::ruleset(None).unwrap();
    let posts = posts();
    let alone: Vec<Vec<Finding>> = posts.iter().map(|post| ruleset.detect(post, &[])).collect();
    assert!(alone.iter().filter(|findings| !findings.is_empty()).count() > 20);
    let input: String = posts.iter().enumerate().map(|(n, post)| line(&json!(n), post)).collect();
    let together = lines(&run(&["detect", "--jsonl", "--offsets", "bytes"], input.as_bytes()).ok().out);
    let reversed: String = posts.iter().enumerate().rev().map(|(n, post)| line(&json!(n), post)).collect();
    let mut reversed =
        lines(&run(&["detect", "--jsonl", "--offsets", "bytes"], reversed.as_bytes()).ok().out);
    reversed.reverse();
    assert_eq!(together, reversed);
    for (answer, alone) in together.iter().zip(&alone) {
        let shown: Vec<(u64, u64, &str)> = answer["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|f| (f["start"].as_u64().unwrap(), f["end"].as_u64().unwrap(), f["type"].as_str().unwrap()))
            .collect();
        let expected: Vec<(u64, u64, &str)> =
            alone.iter().map(|f| (f.span.start() as u64, f.span.end() as u64, f.entity.as_str())).collect();
        assert_eq!(shown, expected);
    }
}

#[test]
fn a_line_is_answered_before_the_next_is_awaited_and_a_reader_may_stop() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_knik"))
        .args(["detect", "--jsonl"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = program.stdin.take().unwrap();
    let mut output = BufReader::new(program.stdout.take().unwrap());
    for n in 0..3 {
        input.write_all(line(&json!(n), TEXT).as_bytes()).unwrap();
        let mut answer = String::new();
        output.read_line(&mut answer).unwrap();
        assert_eq!(lines(&answer)[0]["id"], n);
    }
    // The reader has seen enough: the program ends without complaint, as it does before `| head`.
    drop(output);
    let _refused = (0..2_000).try_for_each(|n| input.write_all(line(&json!(n), TEXT).as_bytes()));
    drop(input);
    let mut complaint = String::new();
    program.stderr.take().unwrap().read_to_string(&mut complaint).unwrap();
    assert_eq!((program.wait().unwrap().code(), complaint.as_str()), (Some(0), ""));
}

#[test]
fn a_reader_of_what_is_printed_at_once_may_stop_too() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_knik"))
        .args(["openapi", "vault"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It is longer than a pipe holds.
    drop(program.stdout.take());
    let mut complaint = String::new();
    program.stderr.take().unwrap().read_to_string(&mut complaint).unwrap();
    assert_eq!((program.wait().unwrap().code(), complaint.as_str()), (Some(0), ""));
}

#[test]
fn neither_needs_or_makes_a_data_folder() {
    let temp = temp();
    let dir = temp.path().join("data");
    for arguments in [["detect", TEXT], ["redact", TEXT], ["patterns", "list"]] {
        run(&[&arguments[..], &["--dir", dir.to_str().unwrap()]].concat(), b"").ok();
    }
    assert!(!dir.exists());
}

#[test]
fn redact_replaces_and_leaves_the_rest() {
    assert_eq!(run(&["redact", TEXT], b"").ok().out, "👍 mail <EMAIL_ADDRESS>, BSN <NL_BSN>!\n");
    assert_eq!(
        run(&["redact", "--types", "NL_BSN", TEXT], b"").ok().out,
        TEXT.replace("111222333", "<NL_BSN>") + "\n"
    );
    let answer = run(&["redact", "--json", TEXT], b"").ok().json();
    assert_eq!(
        answer["items"],
        json!([
            {"start": 7, "end": 22, "type": "EMAIL_ADDRESS", "operator": "replace"},
            {"start": 28, "end": 36, "type": "NL_BSN", "operator": "replace"},
        ])
    );
    // A file comes out as it went in, line ends and all.
    let temp = temp();
    let plain = "een\r\ntwee\r\n\tdrie";
    let file = write(temp.path(), "plain.txt", plain.as_bytes());
    assert_eq!(run(&["redact", "--file", &file], b"").ok().out, plain);
    assert_eq!(run(&["redact"], plain.as_bytes()).ok().out, plain);
    run(&["redact", "--file", &file, &file], b"").refused(&["several files"]);
    let both = run(&["redact", "--json", "--file", &file, &file], b"").ok();
    assert_eq!(lines(&both.out)[1], json!({"file": file, "text": plain, "items": []}));
}

#[test]
fn outside_the_items_a_redacted_text_equals_its_source() {
    let posts = posts();
    let input: String = posts.iter().enumerate().map(|(n, post)| line(&json!(n), post)).collect();
    let found = lines(&run(&["detect", "--jsonl", "--offsets", "bytes"], input.as_bytes()).ok().out);
    let redacted = lines(&run(&["redact", "--jsonl", "--offsets", "bytes"], input.as_bytes()).ok().out);
    assert_eq!((found.len(), redacted.len()), (posts.len(), posts.len()));
    let between = |text: &str, places: &Value| {
        let (mut from, mut parts) = (0, Vec::new());
        for place in places.as_array().unwrap() {
            let (start, end) =
                (place["start"].as_u64().unwrap() as usize, place["end"].as_u64().unwrap() as usize);
            parts.push(text[from..start].to_owned());
            from = end;
        }
        parts.push(text[from..].to_owned());
        parts
    };
    for ((post, found), redacted) in posts.iter().zip(&found).zip(&redacted) {
        let text = redacted["text"].as_str().unwrap();
        assert_eq!(between(post, &found["findings"]), between(text, &redacted["items"]), "{post}");
    }
}

#[test]
fn a_plan_names_an_operator_for_each_type() {
    let temp = temp();
    let key = key(temp.path(), "redact.key", 'a');
    let plan = |text: &str| write(temp.path(), "plan.yaml", text.as_bytes());
    let redacted = |plan_text: &str| {
        let plan = plan(plan_text);
        run(&["redact", "--plan", &plan, "--key-file", &key, TEXT], b"").ok().out.trim_end().to_owned()
    };
    let bsn = |operator: &str| {
        redacted(&format!("default: {{operator: keep}}\ntypes:\n  NL_BSN: {{operator: {operator}}}\n"))
    };
    let around = |value: &str| TEXT.replace("111222333", value);
    assert_eq!(bsn("replace, with: weg"), around("weg"));
    assert_eq!(bsn("mask, char: x, count: 5"), around("xxxxx2333"));
    assert_eq!(bsn("redact"), around(""));
    assert_eq!(bsn("pseudonymise, with: 'nummer {n}'"), around("nummer 1"));
    assert_eq!(bsn("generalise"), around("<NL_BSN>"));
    assert_eq!(bsn("keep"), TEXT);
    let hash = bsn("hash, length: 16");
    assert_eq!(hash, bsn("hash, length: 16"), "the same key, the same digest");
    let digest = hash.strip_prefix("👍 mail jan.vos@example.org, BSN ").unwrap().strip_suffix('!').unwrap();
    assert!(digest.len() == 16 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()), "{digest}");
    assert_ne!(bsn("encrypt"), bsn("encrypt"), "a fresh nonce each time");
    // The plan that comes with the program can be copied and given.
    let shipped = plan(&String::from_utf8(of_project("policies/operators.yaml")).unwrap());
    assert_eq!(run(&["redact", "--plan", &shipped, TEXT], b"").ok().out, run(&["redact", TEXT], b"").out);
}

#[test]
fn a_plan_with_faults_is_refused_with_file_line_and_mend() {
    let temp = temp();
    let table = [
        ("default: {operator: maks}", vec!["plan.yaml`, line 1", "maks", "mask"]),
        (
            "default: {operator: keep}\ntypes:\n  NL_BSN: {operator: hash, length: 3}",
            vec!["line 3: `types.NL_BSN.length`", "8 to 64"],
        ),
        (
            "default: {operator: keep}\ntypes:\n  NL_BNS: {operator: mask}",
            vec!["plan.yaml", "NL_BNS", "NL_BSN"],
        ),
        ("default: {operator: encrypt}", vec!["encrypt", "needs a key", "--key-file"]),
    ];
    for (text, words) in table {
        let plan = write(temp.path(), "plan.yaml", text.as_bytes());
        let ran = run(&["redact", "--plan", &plan, TEXT], b"").refused(&words);
        assert_eq!(ran.out, "", "nothing half done");
    }
    run(&["redact", "--plan", "no-such-plan.yaml", TEXT], b"").refused(&["no-such-plan.yaml"]);
}

#[test]
fn what_was_encrypted_comes_back_with_its_key_and_with_no_other() {
    let temp = temp();
    let (one, other) = (key(temp.path(), "one.key", 'a'), key(temp.path(), "other.key", 'b'));
    let plan = write(temp.path(), "plan.yaml", b"default: {operator: encrypt}");
    let posts = posts();
    let input: String = posts.iter().enumerate().map(|(n, post)| line(&json!(n), post)).collect();
    let sealed = run(&["redact", "--jsonl", "--plan", &plan, "--key-file", &one], input.as_bytes()).ok().out;
    assert!(!sealed.contains("111222333") && !sealed.contains("Anouk"));
    let back = run(&["redact", "--undo", "--jsonl", "--key-file", &one], sealed.as_bytes()).ok().out;
    let texts: Vec<String> =
        lines(&back).iter().map(|line| line["text"].as_str().unwrap().to_owned()).collect();
    assert_eq!(texts, posts);
    let first = lines(&sealed)[0]["text"].as_str().unwrap().to_owned();
    assert_eq!(
        run(&["redact", "--undo", "--key-file", &one, &first], b"").ok().out,
        format!("{}\n", posts[0])
    );

    let wrong = run(&["redact", "--undo", "--jsonl", "--key-file", &other], sealed.as_bytes());
    let wrong = wrong.refused(&["standard input, line 1", "does not open", "another key"]);
    assert_eq!(wrong.out, "");
    let changed = first.replacen("k1.", "k1.A", 1);
    run(&["redact", "--undo", "--key-file", &one, &changed], b"").refused(&["does not open"]);
    run(&["redact", "--undo", &first], b"").refused(&["--key-file"]);

    // What a stranger wrote in the form of a sealed value stays as it is in lines, where items say which are.
    let forged = format!("<PERSON:k1.AAAA> {TEXT}");
    let sealed =
        run(&["redact", "--jsonl", "--plan", &plan, "--key-file", &one], line(&json!(1), &forged).as_bytes());
    let back = run(&["redact", "--undo", "--jsonl", "--key-file", &one], sealed.ok().out.as_bytes()).ok();
    assert_eq!(lines(&back.out)[0]["text"], forged);
    let beside = json!({"id": 1, "text": "abc", "items": [{"start": 0, "end": 99, "operator": "encrypt"}]});
    run(&["redact", "--undo", "--jsonl", "--key-file", &one], beside.to_string().as_bytes())
        .refused(&["line 1", "99"]);
}

#[test]
fn a_key_file_that_others_could_read_is_refused() {
    let temp = temp();
    let plan = write(temp.path(), "plan.yaml", b"default: {operator: hash}");
    let with = |key: &str| run(&["redact", "--plan", &plan, "--key-file", key, TEXT], b"");
    let good = key(temp.path(), "good.key", 'a');
    with(&good).ok();
    for mode in [0o644, 0o640, 0o604, 0o666] {
        let open = key(temp.path(), "open.key", 'a');
        fs::set_permissions(&open, fs::Permissions::from_mode(mode)).unwrap();
        let ran = with(&open).refused(&["open.key", "chmod 600"]);
        assert_eq!(ran.out, "");
    }
    let link = temp.path().join("link.key");
    symlink(&good, &link).unwrap();
    with(link.to_str().unwrap()).refused(&["link.key", "links are refused"]);
    with(temp.path().to_str().unwrap()).refused(&["not a regular file"]);
    with("no-such.key").refused(&["no-such.key", "is not there"]);
    for content in ["", "c2hvcnQ=", "geheim wachtwoord"] {
        let bad = key(temp.path(), "bad.key", 'a');
        fs::write(&bad, content).unwrap();
        let ran = with(&bad).refused(&["bad.key", "32 random bytes", "openssl rand"]);
        assert!(content.is_empty() || !ran.err.contains(content), "{}", ran.err);
    }
}

#[test]
fn a_file_to_write_to_is_whole_or_not_there() {
    let temp = temp();
    let out = temp.path().join("out.jsonl");
    let path = out.to_str().unwrap();
    let bad = format!("{}{{", line(&json!(1), TEXT));
    run(&["redact", "--jsonl", "--out", path], bad.as_bytes()).refused(&["line 2"]);
    assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 0, "nothing is left behind");
    let ran = run(&["redact", "--jsonl", "--out", path], line(&json!(1), TEXT).as_bytes()).ok();
    assert_eq!(ran.out, "");
    assert_eq!(lines(&fs::read_to_string(&out).unwrap()).len(), 1);
    run(&["redact", "--out", path, "iets"], b"").refused(&["out.jsonl", "is there already"]);
    assert_eq!(lines(&fs::read_to_string(&out).unwrap()).len(), 1, "and stays");
}

/// A pattern folder with one recogniser.
fn patterns(folder: &Path, examples: &str) -> String {
    write(folder, "thresholds.yaml", &of_project("patterns/thresholds.yaml"));
    let recogniser = format!(
        "recognizers:\n  - name: dossier\n    supported_entity: NL_DOSSIER\n    patterns: [{{name: dossier, regex: 'D-[0-9]{{4}}', score: 0.9}}]\n    exemption: woo-5.1.2e\n    category: identification\n    source: own\n    examples: [{examples}]\n    counter_examples: ['E-1234']\n"
    );
    write(folder, "dossier.yaml", recogniser.as_bytes());
    folder.to_str().unwrap().to_owned()
}

#[test]
fn patterns_of_your_own_are_checked_listed_and_used() {
    let temp = temp();
    let folder = patterns(temp.path(), "{text: 'zaak D-1234', finds: ['D-1234']}");
    let checked = run(&["patterns", "check", &folder], b"").ok().out;
    assert!(
        checked.contains("dossier") && checked.contains("1 recognisers, 2 examples, 0 failed"),
        "{checked}"
    );
    let listed = run(&["patterns", "list", &folder, "--json"], b"").ok().json();
    assert_eq!(
        listed["recognisers"],
        json!([{"recogniser": "dossier", "type": "NL_DOSSIER", "language": "any", "exemption": "woo-5.1.2e",
                "category": "identification", "source": "own"}])
    );
    let found =
        run(&["detect", "--json", "--patterns", &folder, "zie D-1234 en BSN 111222333"], b"").ok().json();
    assert_eq!(found["findings"].as_array().unwrap().len(), 1, "these patterns and no others: {found}");
    assert_eq!(found["findings"][0]["type"], "NL_DOSSIER");
    assert_eq!(run(&["redact", "--patterns", &folder, "zie D-1234"], b"").ok().out, "zie <NL_DOSSIER>\n");
}

#[test]
fn an_example_that_fails_is_shown_with_what_was_wanted_and_found() {
    let temp = temp();
    let folder = patterns(temp.path(), "{text: 'zaak D-1234', finds: ['D-12345']}");
    let ran = run(&["patterns", "check", &folder], b"").refused(&[
        "1 FAILED",
        "wanted `D-12345`",
        "found  `D-1234`",
    ]);
    assert_eq!(ran.code, 1);
    let ran = run(&["patterns", "check", &folder, "--json"], b"");
    assert_eq!(ran.code, 1);
    let answer = ran.json();
    assert_eq!(answer["ok"], false);
    assert_eq!(answer["failures"][0]["wanted"], json!(["D-12345"]));
    let broken = write(temp.path(), "dossier.yaml", b"recognizers:\n  - name: dossier\n    oops: 1\n");
    run(&["patterns", "check", &folder], b"").refused(&["dossier.yaml", "oops"]);
    run(&["detect", "--patterns", &folder, TEXT], b"").refused(&["dossier.yaml", "oops"]);
    fs::remove_file(broken).unwrap();
    run(&["patterns", "check", "no-such-folder"], b"").refused(&["no-such-folder"]);
}

#[test]
fn the_patterns_that_come_with_the_program_hold_their_examples() {
    let checked = run(&["patterns", "check"], b"").ok().out;
    assert!(checked.trim_end().ends_with(", 0 failed"), "{checked}");
    let listed = run(&["patterns", "list"], b"").ok().out;
    for word in ["NL_BSN", "PERSON", "exemption"] {
        assert!(listed.contains(word), "{listed}");
    }
}
