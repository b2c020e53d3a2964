//! What the columns of web-care tools mean: `policies/webcare/*.yaml`, built in.

use super::item::StatedZone;
use crate::model::{ItemKind, Platform, Visibility};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// The files, in the order in which a heading is looked up: the most particular first.
const FILES: [&str; 4] = [
    include_str!("../../policies/webcare/coosto.yaml"),
    include_str!("../../policies/webcare/hootsuite.yaml"),
    include_str!("../../policies/webcare/obi4wan.yaml"),
    include_str!("../../policies/webcare/common.yaml"),
];
const WORDS: &str = include_str!("../../policies/webcare/words.yaml");

static MAPPINGS: LazyLock<Vec<Mapping>> =
    LazyLock::new(|| FILES.iter().filter_map(|file| serde_saphyr::from_str(file).ok()).collect());
static NAMES: LazyLock<Words> = LazyLock::new(|| serde_saphyr::from_str(WORDS).unwrap_or_default());

/// One tool.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mapping {
    pub(super) name: String,
    /// Where the names of the columns come from.
    #[serde(rename = "source")]
    _source: String,
    marks: Vec<String>,
    marks_min: usize,
    zone: Zone,
    otherwise: Visibility,
    pub(super) columns: Columns,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Zone {
    Dutch,
    Utc,
}

/// The names a column may have, by what it holds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Columns {
    pub(super) text: Vec<String>,
    pub(super) time: Vec<String>,
    pub(super) network: Vec<String>,
    #[serde(default)]
    pub(super) time_utc: Vec<String>,
    #[serde(default)]
    pub(super) id: Vec<String>,
    #[serde(default)]
    pub(super) title: Vec<String>,
    #[serde(default)]
    pub(super) url: Vec<String>,
    #[serde(default)]
    pub(super) author: Vec<String>,
    #[serde(default)]
    pub(super) handle: Vec<String>,
    #[serde(default)]
    pub(super) kind: Vec<String>,
    #[serde(default)]
    pub(super) visibility: Vec<String>,
    #[serde(default)]
    pub(super) reply_to: Vec<String>,
    #[serde(default)]
    pub(super) conversation: Vec<String>,
    #[serde(default)]
    pub(super) language: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Words {
    networks: BTreeMap<Platform, Vec<String>>,
    kinds: BTreeMap<Kind, Vec<String>>,
    visibilities: BTreeMap<Visibility, Vec<String>>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Post,
    Reaction,
    Message,
}

/// The tool whose columns these are, in lower case: enough of its marks, a time, and a text or title.
pub(super) fn mapping_of(has: &dyn Fn(&str) -> bool) -> Option<&'static Mapping> {
    MAPPINGS.iter().find(|mapping| {
        let any = |names: &[String]| names.iter().any(|name| has(name));
        let columns = &mapping.columns;
        mapping.marks.iter().filter(|mark| has(mark)).count() >= mapping.marks_min
            && any(&columns.text)
            && (any(&columns.time) || any(&columns.time_utc))
    })
}

impl Mapping {
    /// The zone of a time that names none.
    pub(super) const fn zone(&self) -> StatedZone {
        match self.zone {
            Zone::Dutch => StatedZone::AssumedDutch,
            Zone::Utc => StatedZone::AssumedUtc,
        }
    }

    /// Who could see an item, by what the row says of it and of its kind. A kind that is not known may be a
    /// private one.
    pub(super) fn visibility(&self, said: &str, kind: Option<ItemKind>) -> Visibility {
        let said = found(&NAMES.visibilities, said);
        match (kind, said) {
            (Some(ItemKind::Message), _) => Visibility::Direct,
            (_, Some(visibility)) => visibility,
            (Some(_), None) => self.otherwise,
            (None, None) => Visibility::Unknown,
        }
    }
}

/// The platform behind a tool's word for it.
pub(super) fn platform(word: &str) -> Platform {
    found(&NAMES.networks, word).unwrap_or(Platform::Other)
}

/// The kind behind a tool's word for it.
pub(super) fn kind(word: &str) -> Option<ItemKind> {
    found(&NAMES.kinds, word).map(|kind| match kind {
        Kind::Post => ItemKind::Post,
        Kind::Reaction => ItemKind::Reaction,
        Kind::Message => ItemKind::Message,
    })
}

fn found<T: Copy + Ord>(words: &BTreeMap<T, Vec<String>>, word: &str) -> Option<T> {
    let word = word.trim().to_lowercase();
    words.iter().find(|(_, names)| names.contains(&word)).map(|(term, _)| *term)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_read_and_no_column_is_named_twice() {
        for file in FILES {
            let mapping: Mapping = serde_saphyr::from_str(file).unwrap();
            assert!(!mapping._source.is_empty() && mapping.marks_min > 0, "{}", mapping.name);
            let c = &mapping.columns;
            let all =
                [&c.text, &c.time, &c.network, &c.time_utc, &c.id, &c.title, &c.url, &c.author, &c.handle];
            let rest = [&c.kind, &c.visibility, &c.reply_to, &c.conversation, &c.language];
            let mut names: Vec<&String> = all.into_iter().chain(rest).flatten().collect();
            let count = names.len();
            assert!(
                names
                    .iter()
                    .chain(&mapping.marks.iter().collect::<Vec<_>>())
                    .all(|n| **n == n.to_lowercase())
            );
            names.sort();
            names.dedup();
            assert_eq!(names.len(), count, "{}", mapping.name);
        }
        let words: Words = serde_saphyr::from_str(WORDS).unwrap();
        assert_eq!((words.kinds.len(), words.visibilities.len()), (3, 2));
    }

    #[test]
    fn an_unknown_kind_is_not_taken_to_be_public() {
        let has = |name: &str| ["datum", "bericht tekst", "type bron", "zoekopdracht"].contains(&name);
        let coosto = mapping_of(&has).unwrap();
        assert_eq!(coosto.visibility("", kind("Tweet")), Visibility::Public);
        assert_eq!(coosto.visibility("", kind("iets")), Visibility::Unknown);
        assert_eq!(coosto.visibility("Openbaar", kind("DM")), Visibility::Direct);
        assert_eq!(coosto.visibility("privé", kind("reactie")), Visibility::Direct);
    }
}
