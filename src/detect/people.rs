//! The people of a conversation as a dictionary, so that author, mention and name in a text share one reference.

use super::bytes::at;
use super::context::Near;
use super::cut::Cut;
use super::hit::{Hit, Reason};
use super::lexicon::{Dictionary, Flags, Lexicon};
use super::names::Names;
use super::words::{Keyed, Look, Word, hash, join, words};
use crate::model::{RecogniserId, SubjectRef};
use jiff::civil::Date;

/// Someone who takes part in a conversation.
pub struct Participant<'a> {
    /// The reference that all findings about them carry.
    pub subject: SubjectRef,
    /// The account name, with or without `@` and host.
    pub handle: &'a str,
    /// The name as shown.
    pub display_name: &'a str,
    /// The channel's own account: its handle and name are no personal data and are left readable.
    pub organisation: bool,
}

/// Participants ready for look-up; make it once a conversation. Holds hashes, no names.
#[derive(Default)]
pub struct Participants {
    names: Entries,
    handles: Entries,
    longest: usize,
    /// Whether the first word of some name falls there: most words of a text end here. A byte each, not a bit, which is one step.
    openers: Vec<u8>,
}

type Entries = Keyed<Entry>;

#[derive(Clone, Copy)]
struct Entry {
    /// None when several people share it.
    subject: Option<SubjectRef>,
    shape: Shape,
    organisation: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Shape {
    /// A first name or surname out of a display name, or a display name of one word.
    Part,
    /// A handle of one word without digits.
    Word,
    /// A handle that is no word: several parts, or with a digit.
    Handle,
    /// A display name of two words or more.
    Full,
}

impl Participants {
    /// Compiles the participants of one conversation.
    #[must_use]
    pub fn of(participants: &[Participant<'_>]) -> Self {
        let room = (participants.len() * ROOM).next_power_of_two();
        let mut made = Self { openers: vec![0; room], ..Self::default() };
        for person in participants {
            made.add_handle(person);
            made.add_name(person);
        }
        made
    }

    /// Whether an account name (without `@`) is the organisation's own, and whose it is otherwise.
    pub(super) fn account(&self, handle: &str) -> (bool, Option<SubjectRef>) {
        let local = handle.split('@').next().unwrap_or(handle);
        let entry = self.handles.get(&hash(handle)).or_else(|| self.handles.get(&hash(local)));
        entry.map_or((false, None), |e| (e.organisation, e.subject))
    }

    fn add_handle(&mut self, person: &Participant<'_>) {
        let handle = person.handle.trim_start_matches('@');
        let local = handle.split('@').next().unwrap_or(handle);
        if local.is_empty() {
            return;
        }
        for key in [hash(handle), hash(local)] {
            put(&mut self.handles, key, person, Shape::Handle);
        }
        let parts = words(local);
        let odd = parts.len() > 1 || parts.iter().any(|w| w.look == Look::Number);
        self.put_name(&parts, person, if odd { Shape::Handle } else { Shape::Word });
    }

    fn add_name(&mut self, person: &Participant<'_>) {
        let parts = words(person.display_name);
        let full = parts.len() > 1;
        self.put_name(&parts, person, if full { Shape::Full } else { Shape::Part });
        if full && !person.organisation {
            for word in parts
                .first()
                .into_iter()
                .chain(parts.last())
                .filter(|w| w.look != Look::Number && w.len() > 2)
            {
                self.put(word, word.hash, person, Shape::Part);
            }
        }
    }

    fn put_name(&mut self, parts: &[Word], person: &Participant<'_>, shape: Shape) {
        if parts.len() <= MOST_WORDS
            && let Some(key) = parts.iter().map(|w| w.hash).reduce(join)
            && let Some(first) = parts.first()
        {
            self.longest = self.longest.max(parts.len());
            self.put(first, key, person, shape);
        }
    }

    fn put(&mut self, first: &Word, key: u64, person: &Participant<'_>, shape: Shape) {
        let mask = self.openers.len().wrapping_sub(1);
        self.openers.get_mut(opener(first.hash) & mask).into_iter().for_each(|opens| *opens = 1);
        put(&mut self.names, key, person, shape);
    }

    /// Gives found names their person, adds what only this dictionary knows, and clears what is the organisation's.
    pub(super) fn apply<'r>(&self, view: &View<'_>, names: &'r Names, hits: &mut Vec<Hit<'r>>) {
        if self.names.is_empty() {
            return;
        }
        self.name_hits(view, names, hits);
        let mut own: Vec<(usize, usize)> = Vec::new();
        let mut next = 0;
        let mut from = 0;
        while let Some(ahead) = view.words.get(from..).and_then(|words| self.opened(words)) {
            let index = from.wrapping_add(ahead);
            from = index.wrapping_add(1);
            let opened = (index >= next).then(|| self.longest_at(view, index)).flatten();
            let Some((count, entry)) = opened else { continue };
            if let (Some(first), Some(last)) = (view.words.get(index), view.words.get(index + count - 1)) {
                if entry.organisation {
                    own.push((first.start, last.end));
                } else if view.is_evident(index, count, entry.shape) {
                    hits.push(names.participant_hit(
                        first.start,
                        last.end,
                        entry.shape >= Shape::Handle,
                        entry.subject,
                    ));
                }
            }
            next = index + count;
        }
        let clear = |h: &Hit<'_>| {
            let next = own.partition_point(|(_, end)| *end < h.end);
            own.get(next).is_some_and(|(start, _)| *start <= h.start)
        };
        if !own.is_empty() {
            hits.retain(|h| !(names.made(h) && clear(h)));
        }
    }

    /// Whether a name may begin with a word.
    fn opens(&self, word: &Word) -> bool {
        let mask = self.openers.len().wrapping_sub(1);
        self.openers.get(opener(word.hash) & mask).is_some_and(|opens| *opens != 0)
    }

    /// The first word with which a name may begin; most texts have none. Words are asked many at a time.
    fn opened(&self, words: &[Word]) -> Option<usize> {
        let (openers, mask) = (&*self.openers, self.openers.len().wrapping_sub(1));
        let opens = |word: &Word| openers.get(opener(word.hash) & mask).copied().unwrap_or(0);
        // Of many words at once it is asked whether any of them does, so that nothing waits for the answer.
        let any = |words: &[Word]| words.iter().fold(0, |any, word| any | opens(word)) != 0;
        let (part, many) = words.chunks(TOGETHER).enumerate().find(|(_, many)| any(many))?;
        many.iter().position(|word| opens(word) != 0).map(|at| part.wrapping_mul(TOGETHER).wrapping_add(at))
    }

    /// Which participant each name that was found belongs to.
    fn name_hits(&self, view: &View<'_>, names: &Names, hits: &mut [Hit<'_>]) {
        for hit in hits.iter_mut().filter(|h| names.made(h)) {
            let from = view.words.partition_point(|w| w.start < hit.start);
            let upto = view.words.partition_point(|w| w.end <= hit.end);
            hit.subject = self.whose(view.words.get(from..upto).unwrap_or(&[]));
        }
    }

    fn whose(&self, parts: &[Word]) -> Option<SubjectRef> {
        if !parts.first().is_some_and(|first| self.opens(first)) {
            return None;
        }
        let subject = |key: u64| self.names.get(&key).and_then(|e| e.subject);
        let whole = parts.iter().map(|w| w.hash).reduce(join)?;
        subject(whole).or_else(|| {
            let (first, last) = (subject(parts.first()?.hash)?, subject(parts.last()?.hash)?);
            (first == last).then_some(first)
        })
    }

    fn longest_at(&self, view: &View<'_>, index: usize) -> Option<(usize, Entry)> {
        let mut key = None;
        let mut found = None;
        for count in 1..=self.longest {
            let word = view.words.get(index + count - 1)?;
            let close =
                count == 1 || view.words.get(index + count - 2).is_some_and(|p| word.start - p.end <= 3);
            if !close {
                break;
            }
            let now = key.map_or(word.hash, |k| join(k, word.hash));
            key = Some(now);
            if let Some(entry) = self.names.get(&now) {
                found = Some((count, *entry));
            }
            if index + count >= view.words.len() {
                break;
            }
        }
        found
    }
}

/// The place of a hash among the openers, before it is cut to their number.
const fn opener(hash: u64) -> usize {
    (hash >> 40) as usize
}

fn put(map: &mut Entries, key: u64, person: &Participant<'_>, shape: Shape) {
    let fresh = Entry { subject: Some(person.subject), shape, organisation: person.organisation };
    map.entry(key)
        .and_modify(|e| {
            // A person's name outweighs an organisation's: withheld when in doubt.
            e.organisation &= person.organisation;
            e.shape = e.shape.max(shape);
            if e.subject != Some(person.subject) {
                e.subject = None;
            }
        })
        .or_insert(fresh);
}

const MOST_WORDS: usize = 6;
/// How many words are asked together whether a name begins with them.
const TOGETHER: usize = 64;
/// How much room a participant has among the openers: so much that of a hundred other words two are taken for one.
const ROOM: usize = 256;

/// A shadow cut into words, with what the lists say of each.
pub(super) struct View<'t> {
    pub(super) text: &'t str,
    pub(super) words: &'t [Word],
    /// What is worth a closer look among them.
    pub(super) cut: &'t Cut,
    /// What the lists say of words.
    pub(super) known: &'t Lexicon,
    /// Everyday words.
    pub(super) common: &'t Dictionary,
    /// The day of the post, where it is known.
    pub(super) on: Option<Date>,
}

impl View<'_> {
    /// Whether words that a participant's name or handle consists of mean that person here.
    fn is_evident(&self, index: usize, count: usize, shape: Shape) -> bool {
        let Some(word) = self.words.get(index) else { return false };
        let flags = self.flag(index);
        let ordinary = self.is_common(index) || flags.any(Flags::PLACE.with(Flags::EVERYDAY));
        match shape {
            Shape::Full => count > 1,
            Shape::Handle => count > 1 || word.len() > 3,
            Shape::Word => word.len() > 3 && !ordinary,
            Shape::Part => {
                let listed = flags.any(Flags::FIRST.with(Flags::SURNAME));
                !ordinary && (listed || (word.capital() && !self.starts_sentence(index)))
            }
        }
    }

    /// Words by their places among all, each with its place.
    #[inline]
    pub(super) fn listed(&self, places: impl Iterator<Item = usize>) -> impl Iterator<Item = (usize, &Word)> {
        places.filter_map(|index| Some((index, self.words.get(index)?)))
    }

    /// The words, and those that end a phrase of some recogniser.
    pub(super) fn near(&self) -> Near<'_> {
        Near { words: self.words, ends: &self.cut.near }
    }

    /// The flags of a word.
    pub(super) fn flag(&self, index: usize) -> Flags {
        self.words.get(index).map_or(Flags::NONE, |w| w.flags)
    }

    /// Whether a word is in a dictionary of everyday words. Those with a capital were looked up with all others.
    pub(super) fn is_common(&self, index: usize) -> bool {
        self.words.get(index).is_some_and(|w| match w.capital() {
            true => w.flags.any(Flags::COMMON),
            false => self.common.has(w.hash),
        })
    }

    /// Whether a word is one capital letter.
    pub(super) fn is_initial(&self, index: usize) -> bool {
        self.words.get(index).is_some_and(|w| w.look == Look::Initial)
    }

    /// A word as it is written.
    pub(super) fn word(&self, index: usize) -> &str {
        self.words.get(index).and_then(|w| self.text.get(w.start..w.end)).unwrap_or("")
    }

    /// What stands between a word and the next.
    pub(super) fn gap(&self, index: usize) -> &str {
        match (self.words.get(index), self.words.get(index + 1)) {
            (Some(a), Some(b)) => self.text.get(a.end..b.start).unwrap_or(""),
            (Some(a), None) => self.text.get(a.end..).unwrap_or(""),
            _ => "",
        }
    }

    /// Whether a word and the next stand one space apart; as the last one of a text, whether a space ends that.
    pub(super) fn spaced(&self, index: usize) -> bool {
        let Some(word) = self.words.get(index) else { return false };
        let next = self.words.get(index.wrapping_add(1)).map_or(self.text.len(), |next| next.start);
        next.wrapping_sub(word.end) == 1 && at(self.text.as_bytes(), word.end) == b' '
    }

    /// Whether a word stands at the start of a sentence or line, where a capital says nothing.
    pub(super) fn starts_sentence(&self, index: usize) -> bool {
        let Some(previous) = index.checked_sub(1) else { return true };
        self.gap(previous).chars().any(|c| {
            matches!(c, '.' | '!' | '?' | '\n' | '\r' | ':' | ';' | '"' | '*' | '>') || (c as u32) > 0x2000
        })
    }
}

/// A reason without a place.
pub(super) const fn reason(rule: &RecogniserId, weight: f32) -> Reason<'_> {
    Reason { rule, place: None, weight }
}
