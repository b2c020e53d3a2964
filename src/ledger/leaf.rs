//! The byte form of an entry: JSON with sorted keys and no white space.

use super::Code;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Writes the one form of a leaf. No value needs escaping: each type allows plain ASCII words only.
#[derive(Default)]
pub(super) struct Leaf(String);

impl Leaf {
    fn key(&mut self, key: &str) {
        let before = if self.0.is_empty() { '{' } else { ',' };
        self.0.push_str(&format!("{before}\"{key}\":"));
    }

    pub(super) fn word(&mut self, key: &str, value: Option<&impl fmt::Display>) {
        if let Some(value) = value {
            self.key(key);
            self.0.push_str(&format!("\"{value}\""));
        }
    }

    pub(super) fn number(&mut self, key: &str, value: u64) {
        self.key(key);
        self.0.push_str(&value.to_string());
    }

    pub(super) fn list<T: fmt::Display>(&mut self, key: &str, values: &BTreeSet<T>) {
        if !values.is_empty() {
            let words: Vec<String> = values.iter().map(|value| format!("\"{value}\"")).collect();
            self.key(key);
            self.0.push_str(&format!("[{}]", words.join(",")));
        }
    }

    pub(super) fn counts(&mut self, key: &str, counts: &BTreeMap<Code, u64>) {
        if !counts.is_empty() {
            let pairs: Vec<String> = counts.iter().map(|(what, n)| format!("\"{what}\":{n}")).collect();
            self.key(key);
            self.0.push_str(&format!("{{{}}}", pairs.join(",")));
        }
    }

    pub(super) fn close(mut self) -> Vec<u8> {
        self.0.push('}');
        self.0.into_bytes()
    }
}
