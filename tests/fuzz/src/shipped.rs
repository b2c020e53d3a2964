//! The pattern files that ship with Knik: whole, and cut short for targets that compile a ruleset each time.

use crate::detect::{PatternFile, Ruleset, RulesetError};
use std::path::Path;
use std::sync::OnceLock;

/// Name within the folder, and content.
pub type Files = Vec<(String, String)>;

/// Every file of `patterns`, in the order of their names.
pub fn files() -> Files {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../patterns");
    let mut found = Vec::new();
    for (folder, prefix) in [(root.clone(), ""), (root.join("lists"), "lists/")] {
        for entry in std::fs::read_dir(folder).expect("patterns").map(Result::unwrap) {
            let name = entry.file_name().into_string().expect("a name in UTF-8");
            if name.ends_with(".yaml") || name.ends_with(".txt") {
                found.push((format!("{prefix}{name}"), std::fs::read_to_string(entry.path()).expect(&name)));
            }
        }
    }
    found.sort();
    found
}

/// The ruleset that ships.
pub fn ruleset() -> &'static Ruleset {
    static RULESET: OnceLock<Ruleset> = OnceLock::new();
    RULESET.get_or_init(|| load(&files()).expect("the shipped patterns load"))
}

/// Enough to load, and little enough to load a hundred times a second: thresholds, one file of each kind, the heads of lists.
pub fn few() -> &'static Files {
    static FEW: OnceLock<Files> = OnceLock::new();
    FEW.get_or_init(|| {
        let mut kept = files();
        kept.retain(|(name, _)| name.starts_with("lists/") || KEPT.contains(&name.as_str()));
        for (name, text) in &mut kept {
            if name.starts_with("lists/") {
                *text = text.lines().take(60).flat_map(|line| [line, "\n"]).collect();
            }
        }
        kept
    })
}

const KEPT: &[&str] =
    &["thresholds.yaml", "email.yaml", "username.yaml", "nl-person.yaml", "nl-address.yaml", "nl-bsn.yaml"];

/// Compiles files.
///
/// # Errors
/// What is wrong with them.
pub fn load(files: &[(String, String)]) -> Result<Ruleset, RulesetError> {
    Ruleset::load(files.iter().map(|(name, text)| PatternFile { name, text }))
}
