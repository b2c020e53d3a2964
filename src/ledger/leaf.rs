//! The byte form of an entry: JSON with sorted keys and no white space.

use super::Code;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};

/// Writes the one form of a leaf. No value needs escaping: each type allows plain ASCII words only.
pub(super) struct Leaf(String);

/// Room for a leaf as they usually are.
const USUAL_BYTES: usize = 512;

impl Default for Leaf {
    fn default() -> Self {
        Self(String::with_capacity(USUAL_BYTES))
    }
}

impl Leaf {
    fn key(&mut self, key: &str) {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        self.0.push('"');
        self.0.push_str(key);
        self.0.push_str("\":");
    }

    /// Writing to a string does not fail.
    fn put(&mut self, written: fmt::Arguments<'_>) {
        let _never = self.0.write_fmt(written);
    }

    pub(super) fn word(&mut self, key: &str, value: Option<&impl fmt::Display>) {
        if let Some(value) = value {
            self.key(key);
            self.put(format_args!("\"{value}\""));
        }
    }

    pub(super) fn number(&mut self, key: &str, value: u64) {
        self.key(key);
        self.put(format_args!("{value}"));
    }

    pub(super) fn list<T: fmt::Display>(&mut self, key: &str, values: &BTreeSet<T>) {
        for (n, value) in values.iter().enumerate() {
            match n {
                0 => {
                    self.key(key);
                    self.0.push('[');
                }
                _ => self.0.push(','),
            }
            self.put(format_args!("\"{value}\""));
        }
        if !values.is_empty() {
            self.0.push(']');
        }
    }

    pub(super) fn counts(&mut self, key: &str, counts: &BTreeMap<Code, u64>) {
        for (n, (what, count)) in counts.iter().enumerate() {
            match n {
                0 => {
                    self.key(key);
                    self.0.push('{');
                }
                _ => self.0.push(','),
            }
            self.put(format_args!("\"{what}\":{count}"));
        }
        if !counts.is_empty() {
            self.0.push('}');
        }
    }

    pub(super) fn close(mut self) -> Vec<u8> {
        self.0.push('}');
        self.0.into_bytes()
    }
}
