//! A source file as the checker sees it: code without comments, strings and tests, and the paths in it.

use std::fs;
use std::path::Path;

/// One file below `src`.
pub struct File {
    /// Its path within `src`, with `/`.
    pub path: String,
    /// The room it stands in.
    pub room: String,
    /// How many modules deep it is: `super` as often leads to the crate's root.
    depth: usize,
    /// Its code: everything else is blanked, lines stay where they were.
    code: String,
}

/// Every file below `src` that is not of tests alone.
pub fn files(src: &Path) -> Vec<File> {
    let mut waiting = vec![src.to_owned()];
    let (mut found, mut of_tests) = (Vec::new(), Vec::new());
    while let Some(at) = waiting.pop() {
        for entry in fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let name = path.strip_prefix(src).unwrap().to_str().unwrap().to_owned();
                let text = fs::read_to_string(&path).unwrap();
                of_tests.extend(test_modules(&name, &text));
                found.push(File::new(&name, &text));
            }
        }
    }
    found.retain(|file| {
        let below =
            |gone: &String| file.path == format!("{gone}.rs") || file.path.starts_with(&format!("{gone}/"));
        !of_tests.iter().any(below)
    });
    found
}

impl File {
    /// A file at `path` within `src`.
    pub fn new(path: &str, text: &str) -> Self {
        let plain = path.strip_suffix(".rs").unwrap_or(path);
        let module = plain.strip_suffix("/mod").unwrap_or(plain);
        let room = module.split('/').next().unwrap_or_default().to_owned();
        let depth = module.split('/').count();
        let code = without_tests(&blanked(text), text).0;
        Self { path: path.to_owned(), room, depth, code }
    }

    /// The paths in the file with their lines: imports with their groups spread out and `super` followed to the
    /// root; a path in code whose first part was imported, by its whole name too.
    pub fn paths(&self) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        let (uses, rest) = self.uses();
        for (line, tree) in uses {
            let mut spread = Vec::new();
            spread_out("", &tree, &mut spread);
            found.extend(spread.into_iter().map(|path| (line, path)));
        }
        let imported: Vec<(String, String)> = found.iter().filter_map(|(_, path)| alias(path)).collect();
        let named = |(line, path): (usize, String)| {
            let head = path.split("::").next().unwrap_or_default();
            let whole = imported.iter().find(|(name, _)| name == head);
            let whole = whole.map(|(_, whole)| format!("{whole}{}", &path[head.len()..]));
            [Some((line, path.clone())), whole.map(|whole| (line, whole))]
        };
        let inline: Vec<(usize, String)> =
            inline_paths(&rest).into_iter().flat_map(named).flatten().collect();
        found.extend(inline);
        found
            .into_iter()
            .map(|(line, path)| (line, self.rooted(path.split(" as ").next().unwrap_or_default())))
            .collect()
    }

    /// The lines on which `what` stands, white space before it aside.
    pub fn lines_with<'a>(&'a self, what: &'a str) -> impl Iterator<Item = usize> + 'a {
        self.code.match_indices(what).map(|(at, _)| line_of(&self.code, at))
    }

    /// `super` followed: a path that leads to the crate's root begins with `crate`.
    fn rooted(&self, path: &str) -> String {
        let path = path.trim().trim_start_matches("::");
        let (mut rest, mut supers) = (path, 0);
        while let Some(after) = rest.strip_prefix("super::") {
            (rest, supers) = (after, supers + 1);
        }
        let rest = if supers > 0 { rest } else { rest.strip_prefix("self::").unwrap_or(rest) };
        match supers {
            0 => rest.strip_prefix("knik::").map_or_else(|| rest.to_owned(), |own| format!("crate::{own}")),
            n if n >= self.depth => format!("crate::{rest}"),
            _ => format!("self::{rest}"),
        }
    }

    /// The trees of all `use` statements, and the code without them.
    fn uses(&self) -> (Vec<(usize, String)>, String) {
        let (mut found, mut rest) = (Vec::new(), self.code.clone());
        let mut from = 0;
        while let Some(at) = self.code[from..].find("use ").map(|at| at + from) {
            let before = self.code[..at].chars().next_back();
            from = at + 4;
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
                continue;
            }
            let Some(end) = self.code[from..].find(';').map(|end| end + from) else { break };
            found.push((line_of(&self.code, at), self.code[from..end].to_owned()));
            let blank: String = self.code[at..end].chars().map(|c| if c == '\n' { c } else { ' ' }).collect();
            rest.replace_range(at..end, &blank);
            from = end;
        }
        (found, rest)
    }
}

/// The name under which a path is imported, and the path.
fn alias(path: &str) -> Option<(String, String)> {
    let (whole, name) = path.split_once(" as ").unwrap_or((path, path.rsplit("::").next()?));
    let whole = whole.strip_suffix("::self").unwrap_or(whole);
    let name = if name == "self" { whole.rsplit("::").next()? } else { name };
    let known = whole.contains("::") && name != "*" && name != "_";
    known.then(|| (name.to_owned(), whole.to_owned()))
}

/// `a::{b, c::{self, d}}` as `a::b`, `a::c::self`, `a::c::d`.
fn spread_out(prefix: &str, tree: &str, into: &mut Vec<String>) {
    let tree = tree.trim();
    let Some((head, group)) = tree.split_once('{') else {
        let path: Vec<&str> = tree.split_whitespace().collect();
        let path = path.join(" ").replace(" ::", "::").replace(":: ", "::");
        if !path.is_empty() {
            into.push(format!("{prefix}{path}"));
        }
        return;
    };
    let head: String = head.chars().filter(|c| !c.is_whitespace()).collect();
    let group = group.rsplit_once('}').map_or(group, |(inside, _)| inside);
    let (mut depth, mut from) = (0_i32, 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                spread_out(&format!("{prefix}{head}"), &group[from..at], into);
                from = at + 1;
            }
            _ => {}
        }
    }
    spread_out(&format!("{prefix}{head}"), &group[from..], into);
}

/// Every path of two or more parts, white space around `::` aside.
fn inline_paths(code: &str) -> Vec<(usize, String)> {
    let in_name = |c: char| c.is_alphanumeric() || c == '_';
    let (mut found, mut line, mut path) = (Vec::new(), 1, String::new());
    let mut chars = code.chars().peekable();
    let mut space = false;
    while let Some(c) = chars.next() {
        match c {
            ':' if chars.peek() == Some(&':') => {
                chars.next();
                path.push_str("::");
                space = false;
            }
            c if in_name(c) => {
                if space && !path.ends_with("::") {
                    take(&mut path, line, &mut found);
                }
                path.push(c);
                space = false;
            }
            c if c.is_whitespace() => {
                line += usize::from(c == '\n');
                space = true;
            }
            _ => {
                take(&mut path, line, &mut found);
                space = false;
            }
        }
    }
    take(&mut path, line, &mut found);
    found
}

fn take(path: &mut String, line: usize, into: &mut Vec<(usize, String)>) {
    let whole = std::mem::take(path);
    let whole = whole.trim_end_matches("::").trim_start_matches("::");
    if whole.contains("::") {
        into.push((line, whole.to_owned()));
    }
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// Comments, strings and characters blanked; lines stay, and every byte its place.
fn blanked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut before = ' ';
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => block_comment(rest),
            '"' => string(rest),
            'r' | 'b' if !(before.is_alphanumeric() || before == '_') => raw_string(rest),
            '\'' => character(rest),
            _ => 0,
        };
        if length == 0 {
            out.push(c);
            (before, rest) = (c, &rest[c.len_utf8()..]);
        } else {
            let (gone, after) = rest.split_at(length);
            out.extend(gone.bytes().map(|b| if b == b'\n' { '\n' } else { ' ' }));
            (before, rest) = (' ', after);
        }
    }
    out
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0_i32, 0);
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest.starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

fn string(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of `r"…"`, `r#"…"#`, `br"…"`; 0 for what is none.
fn raw_string(text: &str) -> usize {
    let after = text.strip_prefix('b').unwrap_or(text);
    let Some(after) = after.strip_prefix('r') else { return 0 };
    let hashes = after.len() - after.trim_start_matches('#').len();
    let Some(inside) = after[hashes..].strip_prefix('"') else { return 0 };
    let end = format!("\"{}", "#".repeat(hashes));
    let start = text.len() - inside.len();
    inside.find(&end).map_or(text.len(), |at| start + at + end.len())
}

/// The length of a character literal; 0 for a lifetime.
fn character(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), _) => {
            text[2..].char_indices().skip(1).find(|(_, c)| *c == '\'').map_or(0, |(at, _)| at + 3)
        }
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 0,
    }
}

const TEST: &str = "#[cfg(test)]";

/// The code without what follows `#[cfg(test)]`, and the modules that stand in files of their own there.
fn without_tests(code: &str, text: &str) -> (String, Vec<String>) {
    let (mut out, mut modules) = (code.to_owned(), Vec::new());
    let mut from = 0;
    while let Some(at) = out[from..].find(TEST).map(|at| at + from) {
        let end = item_end(&out, at + TEST.len());
        let item = out[at + TEST.len()..end].trim();
        if let Some(name) = item.strip_suffix(';').and_then(|item| item.split("mod ").nth(1)) {
            // `#[path = "…"]` names the file: its string stands in the text only.
            let path = text[at..end].split_once("#[path = \"").and_then(|(_, rest)| rest.split_once(".rs\""));
            modules.push(path.map_or_else(|| name.trim().to_owned(), |(path, _)| format!("../{path}")));
        }
        let blank: String = out[at..end].bytes().map(|b| if b == b'\n' { '\n' } else { ' ' }).collect();
        out.replace_range(at..end, &blank);
        from = at;
    }
    (out, modules)
}

/// The end of the item at `from`: its `;`, or the brace that closes its body.
fn item_end(code: &str, from: usize) -> usize {
    let (mut braces, mut others) = (0_i32, 0_i32);
    for (at, c) in code[from..].char_indices() {
        match c {
            '{' => braces += 1,
            '}' => {
                braces -= 1;
                let is_use = code[from..].trim_start().starts_with("use ");
                if braces == 0 && others == 0 && !is_use {
                    return from + at + 1;
                }
            }
            '(' | '[' => others += 1,
            ')' | ']' => others -= 1,
            ';' if braces == 0 && others == 0 => return from + at + 1,
            _ => {}
        }
    }
    code.len()
}

/// Files of tests alone that `#[cfg(test)] mod NAME;` names, as paths within `src` without their ending.
fn test_modules(path: &str, text: &str) -> Vec<String> {
    let plain = path.strip_suffix(".rs").unwrap_or(path);
    let folder = match plain.strip_suffix("/mod") {
        Some(folder) => folder,
        None if matches!(plain, "lib" | "main") => "",
        None => plain,
    };
    // A path is told from the folder of the file itself.
    let beside = plain.rsplit_once('/').map_or("", |(folder, _)| folder);
    let modules = without_tests(&blanked(text), text).1;
    let file = |name: &String| match name.strip_prefix("../") {
        Some(path) => format!("{beside}/{path}"),
        None => format!("{folder}/{name}"),
    };
    modules.iter().map(|name| file(name).trim_start_matches('/').to_owned()).collect()
}
