//! Synthetic reactions for measuring: X API v2 JSONL as a harvester's page files have it; `statuses` are Mastodon's.
//!
//! The same count and seed give the same bytes, on every machine. Memory stays at one page and one conversation, however
//! many reactions are asked for. People are put together from lists; numbers are public test numbers or lie in ranges
//! kept free for fiction. What it is not: a sample of how people write. Texts repeat, so compression and deduplication
//! figures over it mean nothing, and neither does the quality of detection.

mod page;
mod statuses;
mod words;

use page::{Page, Tweet};
pub use statuses::{Texts, Written, statuses};
use std::io::{self, Write};
use words::*;

/// Reactions under one post: this many at least, and less than `CONVERSATION_SPREAD` more.
const CONVERSATION_MIN: u64 = 60;
const CONVERSATION_SPREAD: u64 = 81;
/// How many of a hundred reactions hold personal data in their text.
const PERSONAL_PERCENT: u64 = 20;
/// How many different people the lists are combined into.
const POPULATION: u64 = 400_000;
/// The first post: 2026-01-05T08:00:00Z, in milliseconds since 1970.
const FIRST_POST_MS: u64 = 1_767_600_000_000;
/// What X counts its identifiers from, in milliseconds since 1970.
const ID_EPOCH_MS: u64 = 1_288_834_974_657;
const ORGANISATION_HANDLE: &str = "DienstWegenVerg";

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Reactions of citizens: the count asked for.
    pub reactions: u64,
    /// Posts of the organisation, one a conversation. Records in all: posts and reactions together.
    pub posts: u64,
    /// Reactions that hold personal data in their text (leading `@handles` not counted).
    pub personal: u64,
    /// Pages, which are lines.
    pub pages: u64,
    /// Bytes written.
    pub bytes: u64,
}

/// Writes `count` reactions, in conversations of about 100 under a post of one organisation, to `out`.
///
/// Each line is a page of at most 100 tweets with `includes`. A conversation may go on over a page's end; then the next
/// page has its post in `includes.tweets`, as the API does. Give it a buffered writer or not: it writes page by page.
///
/// # Errors
/// Only those of `out`.
pub fn reactions(count: usize, seed: u64, out: &mut impl Write) -> io::Result<Summary> {
    let mut draw = Draw(seed ^ 0x6b6e_696b_0001);
    let mut page = Page::default();
    let mut summary = Summary::default();
    let mut left = count as u64;
    while left > 0 {
        let size = (CONVERSATION_MIN + draw.below(CONVERSATION_SPREAD)).min(left);
        left -= size;
        let mut conversation = Conversation::start(summary.posts, &mut draw);
        page.add_post(&conversation);
        summary.posts += 1;
        page.write_full(out, &mut summary)?;
        for _ in 0..size {
            summary.personal += u64::from(conversation.react(&mut draw, &mut page));
            summary.reactions += 1;
            page.write_full(out, &mut summary)?;
        }
    }
    page.write(out, &mut summary)?;
    Ok(summary)
}

/// SplitMix64: small, fast and the same everywhere; not for secrets.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn pick(&mut self, list: &[&'static str]) -> &'static str {
        pick(list, self.next())
    }
}

fn pick(list: &[&'static str], at: u64) -> &'static str {
    let index = at.checked_rem(list.len() as u64).unwrap_or(0);
    usize::try_from(index).ok().and_then(|index| list.get(index)).copied().unwrap_or_default()
}

/// One invented person: everything follows from the number.
#[derive(Clone)]
struct Person {
    number: u64,
    name: String,
    handle: String,
}

impl Person {
    fn new(number: u64) -> Self {
        let mut draw = Draw(number);
        let (first, last) = (draw.pick(FIRST_NAMES), draw.pick(SURNAMES));
        let style = draw.below(10);
        let name = match style {
            0 => first.to_owned(),
            1 => format!("{first} {last}").to_lowercase(),
            2 => format!("{}. {last}", first.chars().take(1).collect::<String>()),
            3 => format!("{first} {last} {}", draw.pick(EMOJI)),
            _ => format!("{first} {last}"),
        };
        let mut handle: String =
            first.chars().chain(last.chars()).filter(char::is_ascii_alphabetic).take(9).collect();
        handle.make_ascii_lowercase();
        push_number(&mut handle, number);
        Self { number, name, handle }
    }

    const fn id(&self) -> u64 {
        3_000_000_000 + self.number
    }
}

/// Handles of people that the reactions are drawn from: in a million, most of them wrote.
pub fn handles(count: usize) -> impl Iterator<Item = String> {
    let mut draw = Draw(POPULATION);
    std::iter::repeat_with(move || Person::new(draw.below(POPULATION)).handle).take(count)
}

/// One post and what was placed under it so far.
struct Conversation {
    id: u64,
    at_ms: u64,
    sequence: u64,
    text: &'static str,
    people: Vec<Person>,
    /// Earlier reactions: id, and the place of the author in `people`.
    earlier: Vec<(u64, usize)>,
    /// The text being made, kept for its room.
    words: String,
}

impl Conversation {
    fn start(number: u64, draw: &mut Draw) -> Self {
        let at_ms = FIRST_POST_MS + number * 3_600_000 + draw.below(600_000);
        let people = 45 + draw.below(30);
        Self {
            id: identifier(at_ms, 0),
            at_ms,
            sequence: 0,
            text: draw.pick(POSTS),
            people: (0..people).map(|_| Person::new(draw.below(POPULATION))).collect(),
            earlier: Vec::with_capacity(160),
            words: String::with_capacity(512),
        }
    }

    /// Adds one reaction to the page; whether its text holds personal data.
    fn react(&mut self, draw: &mut Draw, page: &mut Page) -> bool {
        self.sequence += 1;
        self.at_ms += 1_000 + draw.below(90_000);
        let id = identifier(self.at_ms, self.sequence);
        let author = usize::try_from(draw.below(self.people.len() as u64)).unwrap_or(0);
        let parent = if draw.below(10) < 3 { self.any_earlier(draw) } else { None };
        let addressee = parent.and_then(|(_, place)| self.people.get(place)).cloned();

        let mut words = std::mem::take(&mut self.words);
        words.clear();
        let personal = draw.below(100) < PERSONAL_PERCENT;
        write_words(&mut words, addressee.as_ref(), draw);
        if personal {
            self.write_personal(&mut words, draw);
        }
        if let Some(person) = self.people.get(author) {
            let parent = parent.map_or(self.id, |(id, _)| id);
            page.add(
                &Tweet {
                    id,
                    at_ms: self.at_ms,
                    conversation: self.id,
                    parent,
                    author: person,
                    addressee,
                    text: &words,
                },
                draw,
            );
            page.carry_post(self);
        }
        self.earlier.push((id, author));
        self.words = words;
        personal
    }

    /// When the post was placed, read back from its identifier.
    const fn posted_ms(&self) -> u64 {
        (self.id >> 22) + ID_EPOCH_MS
    }

    fn any_earlier(&self, draw: &mut Draw) -> Option<(u64, usize)> {
        let index = draw.below((self.earlier.len() as u64).max(1));
        usize::try_from(index).ok().and_then(|index| self.earlier.get(index)).copied()
    }

    /// One sentence with a piece of personal data.
    fn write_personal(&self, words: &mut String, draw: &mut Draw) {
        let kind = draw.below(12);
        let number = draw.below(1_000);
        let other = usize::try_from(draw.below(self.people.len() as u64))
            .ok()
            .and_then(|place| self.people.get(place));
        let sentence = match (kind, other) {
            (0, _) => format!(" U kunt mij bellen op {}.", draw.pick(PHONES)),
            (1, _) => format!(" Bel mij op +44 7700 900{number:03} of 06-12345678."),
            (2, Some(person)) => format!(" Mail maar naar {}@example.com.", person.handle),
            (3, _) => format!(" Het gaat om rekening {}.", draw.pick(ACCOUNTS)),
            (4, _) => format!(" Mijn bsn is {}.", draw.pick(CITIZEN_NUMBERS)),
            (5, _) => format!(
                " Ik woon op {} {}, 1234 {}.",
                draw.pick(STREETS),
                number % 200 + 1,
                draw.pick(LETTERS)
            ),
            (6, _) => format!(" Kenteken 00-{}-{}.", draw.pick(PLATES), number % 10),
            (7, _) => format!(
                " Ik ben geboren op {:02}-{:02}-19{}.",
                number % 28 + 1,
                number % 12 + 1,
                number % 60 + 40
            ),
            (8, Some(person)) => format!(" Groeten, {}", person.name),
            (9, Some(person)) => format!(" Mevrouw {} van de balie zei iets anders.", surname(&person.name)),
            (10, Some(person)) => format!(" Vraag het ook eens aan @{}.", person.handle),
            _ => format!(
                " Foutmelding vanaf 192.0.2.{}, zie https://www.example.org/~lezer{number}/scherm.",
                number % 250 + 1
            ),
        };
        words.push_str(&sentence);
    }
}

fn surname(name: &str) -> &str {
    name.split_whitespace().rfind(|word| word.is_ascii()).unwrap_or("Zandhuizer")
}

fn write_words(words: &mut String, addressee: Option<&Person>, draw: &mut Draw) {
    if let Some(person) = addressee {
        words.push('@');
        words.push_str(&person.handle);
        words.push(' ');
    }
    words.push('@');
    words.push_str(ORGANISATION_HANDLE);
    words.push(' ');
    let list = if draw.below(10) < 5 { QUESTIONS } else { REMARKS };
    words.push_str(draw.pick(list));
    if draw.below(4) == 0 {
        words.push(' ');
        words.push_str(draw.pick(EMOJI));
    }
}

/// An identifier as X makes them: milliseconds, then a sequence in 22 bits.
const fn identifier(at_ms: u64, sequence: u64) -> u64 {
    ((at_ms - ID_EPOCH_MS) << 22) | (sequence & 0x3f_ffff)
}

fn push_number(text: &mut String, value: u64) {
    text.push_str(&value.to_string());
}
