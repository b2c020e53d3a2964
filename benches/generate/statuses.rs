//! Mastodon statuses for weighing: one array, as a timeline's pages joined.
//!
//! Words are drawn as they fall in a language: half of them from some sixty that everyone uses, half from 8,000 made of
//! syllables, so that an index of words has the many rare words it has in real life.

use super::Draw;
use std::fmt::Write as _;
use std::io::{self, Write};

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Statuses, each a record.
    pub records: u64,
    /// Bytes written.
    pub bytes: u64,
    /// Bytes of the statuses' texts, as UTF-8 without mark-up.
    pub text_bytes: u64,
}

const COMMON: &[&str] = &[
    "de",
    "het",
    "een",
    "en",
    "van",
    "in",
    "is",
    "dat",
    "op",
    "te",
    "voor",
    "met",
    "niet",
    "ik",
    "u",
    "we",
    "er",
    "maar",
    "ook",
    "nog",
    "gemeente",
    "brug",
    "water",
    "vraag",
    "antwoord",
    "waarom",
    "wanneer",
    "komt",
    "loket",
    "balie",
    "paspoort",
    "vergunning",
    "bezwaar",
    "fiets",
    "straat",
    "buurt",
    "bewoners",
    "wachten",
    "lang",
    "geen",
    "reactie",
    "beleid",
    "kosten",
    "subsidie",
    "woning",
    "huur",
    "energie",
    "trein",
    "station",
    "vertraging",
    "school",
    "kinderen",
    "afspraak",
    "bellen",
    "mail",
    "formulier",
    "digitaal",
    "aanvraag",
    "status",
];
const ONSETS: [&str; 10] = ["b", "dr", "f", "gr", "kl", "l", "m", "pl", "st", "v"];
const RHYMES: [&str; 4] = ["aan", "eer", "oel", "ijk"];
const ENDINGS: [&str; 5] = ["", "s", "en", "ing", "heid"];
const PEOPLE: u64 = 3_000;
const FIRST_ID: u64 = 1_000_000_000_000;

/// Writes `count` statuses or a few more, in conversations of 3 to 40.
///
/// # Errors
/// Only those of `out`.
pub fn statuses(count: u64, seed: u64, out: &mut impl Write) -> io::Result<Written> {
    let mut draw = Draw(seed ^ 0x6b6e_696b_0002);
    let mut written = Written::default();
    let (mut line, mut text) = (String::with_capacity(2_048), String::with_capacity(512));
    while written.records < count {
        let root = FIRST_ID + written.records;
        for place in 0..3 + draw.below(38) {
            words(&mut text, &mut draw);
            line.clear();
            line.push_str(if written.records == 0 { "[" } else { ",\n" });
            push_status(&mut line, FIRST_ID + written.records, (place > 0).then_some(root), &text);
            out.write_all(line.as_bytes())?;
            written.records += 1;
            written.bytes += line.len() as u64;
            written.text_bytes += text.len() as u64;
        }
    }
    out.write_all(b"]\n")?;
    written.bytes += 2;
    Ok(written)
}

/// The texts alone, a conversation at a time.
pub struct Texts(Draw);

impl Texts {
    /// Texts of a seed.
    pub const fn new(seed: u64) -> Self {
        Self(Draw(seed ^ 0x6b6e_696b_0003))
    }

    /// The next conversation: 3 to 40 texts.
    pub fn conversation(&mut self) -> Vec<String> {
        let count = 3 + self.0.below(38);
        let text = |_| {
            let mut text = String::with_capacity(256);
            words(&mut text, &mut self.0);
            text
        };
        (0..count).map(text).collect()
    }
}

fn words(text: &mut String, draw: &mut Draw) {
    text.clear();
    for place in 0..8 + draw.below(25) {
        if place > 0 {
            text.push(' ');
        }
        if draw.below(2) == 0 {
            text.push_str(draw.pick(COMMON));
        } else {
            rare(text, draw);
        }
    }
    text.push('?');
}

/// A word of two syllables and an ending: the lower of two draws, so that some come often and most seldom.
fn rare(text: &mut String, draw: &mut Draw) {
    let number = draw.below(8_000).min(draw.below(8_000));
    let (first, rest) = (number % 40, number / 40);
    let (second, ending) = (rest % 40, rest / 40);
    for syllable in [first, second] {
        text.push_str(super::pick(&ONSETS, syllable % 10));
        text.push_str(super::pick(&RHYMES, syllable / 10));
    }
    text.push_str(super::pick(&ENDINGS, ending));
}

fn push_status(line: &mut String, id: u64, parent: Option<u64>, text: &str) {
    let person = id % PEOPLE;
    let (day, minute) = (1 + id % 28, id % 60);
    let parent = parent.map_or_else(|| "null".to_owned(), |parent| format!("\"{parent}\""));
    let home = "https://social.overheid.example";
    // Writing to a string does not fail.
    let _ = write!(
        line,
        "{{\"id\":\"{id}\",\"created_at\":\"2026-04-{day:02}T10:{minute:02}:00.000Z\",\"in_reply_to_id\":{parent},\
         \"in_reply_to_account_id\":null,\"sensitive\":false,\"spoiler_text\":\"\",\"visibility\":\"public\",\
         \"language\":\"nl\",\"uri\":\"{home}/users/burger{person}/statuses/{id}\",\
         \"url\":\"{home}/@burger{person}/{id}\",\"replies_count\":0,\"reblogs_count\":0,\"favourites_count\":1,\
         \"edited_at\":null,\"content\":\"<p>{text}</p>\",\"reblog\":null,\"account\":{{\"id\":\"{account}\",\
         \"username\":\"burger{person}\",\"acct\":\"burger{person}\",\"display_name\":\"Burger {person}\",\
         \"locked\":false,\"bot\":false,\"created_at\":\"2024-01-01T00:00:00.000Z\",\"note\":\"\",\
         \"url\":\"{home}/@burger{person}\",\"followers_count\":3,\"following_count\":4,\"statuses_count\":5}},\
         \"media_attachments\":[],\"mentions\":[],\"tags\":[],\"emojis\":[],\"card\":null,\"poll\":null}}",
        account = 500 + person,
    );
}
