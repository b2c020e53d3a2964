//! Texts that detectors choke on: one piece over and over, everything at once, or noise.

/// A text of any length, made after one idea.
pub(super) struct Hostile {
    /// What it is, for people.
    pub(super) name: &'static str,
    kind: Kind,
}

enum Kind {
    /// The same piece, over and over.
    Repeat(&'static str),
    /// These in turn, a space between.
    Line(&'static [&'static str]),
    /// Every emoji, with skins, flags, keycaps and families.
    Emoji,
    /// Random bytes, with what is no UTF-8 replaced.
    Bytes,
    /// Random characters of all planes.
    Characters,
    /// Random printable ASCII.
    Ascii,
}

impl Hostile {
    /// About `bytes` of it: less than one piece more.
    pub(super) fn text(&self, bytes: usize) -> String {
        match self.kind {
            Kind::Repeat(piece) => piece.repeat(bytes.div_ceil(piece.len().max(1))),
            Kind::Line(pieces) => {
                let line = pieces.join(" ") + " ";
                line.repeat(bytes.div_ceil(line.len()))
            }
            Kind::Emoji => until(bytes, emoji_sequences().cycle()),
            Kind::Bytes => {
                let mut noise = noise();
                let drawn: Vec<u8> = (0..bytes).map(|_| noise.next().to_le_bytes()[7]).collect();
                until(bytes, String::from_utf8_lossy(&drawn).chars())
            }
            Kind::Characters => {
                let mut noise = noise();
                until(bytes, std::iter::from_fn(|| Some(noise.below(0x11_0000))).filter_map(char::from_u32))
            }
            Kind::Ascii => {
                let mut noise = noise();
                until(bytes, std::iter::from_fn(|| char::from_u32(0x20 + noise.below(95))))
            }
        }
    }
}

/// All of them, by what they are aimed at.
pub(super) fn all() -> impl Iterator<Item = Hostile> {
    let repeated = REPEATED.iter().map(|(name, piece)| Hostile { name, kind: Kind::Repeat(piece) });
    let made = [
        ("one line of names", Kind::Line(NAMES)),
        ("spaced-out letters and digits", Kind::Line(&["J", "a", "n", "0", "6", "1", "2", "3", "4", "5"])),
        ("every emoji sequence", Kind::Emoji),
        ("random bytes", Kind::Bytes),
        ("random characters", Kind::Characters),
        ("random ASCII", Kind::Ascii),
    ];
    repeated.chain(made.into_iter().map(|(name, kind)| Hostile { name, kind }))
}

const REPEATED: &[(&str, &str)] = &[
    ("letters without a space", "a"),
    ("capitals without a space", "A"),
    ("words", "woord "),
    ("spaces", " "),
    ("line feeds", "\n"),
    ("dots", "."),
    ("digits", "1"),
    ("zeros", "0"),
    ("single digits", "1 "),
    ("digits and dashes", "1-"),
    ("digits and dots", "1."),
    ("letters and digits", "a1"),
    ("hyphens", "-"),
    ("plus signs", "+"),
    ("at signs", "@"),
    ("handles", "@a "),
    ("brackets", "("),
    ("both brackets", "()"),
    ("quotes", "'"),
    ("colons", ":"),
    ("slashes", "/"),
    ("ampersands and hashes", "&#"),
    ("half entities", "&#x4"),
    ("entities", "&#64;"),
    ("percent encoding", "%40"),
    ("half percent encoding", "%4"),
    ("letters and dots", "a."),
    ("letters and at signs", "a@"),
    ("mail addresses", "a@b.nl"),
    ("mail addresses written out", "a at b punt nl "),
    ("bracketed at", "[at]"),
    ("schemes", "http://"),
    ("links", "x.nl/"),
    ("www", "www."),
    ("mobile openings", "06 "),
    ("mobile numbers", "0612345678 "),
    ("area codes", "(020) "),
    ("country codes", "+31 "),
    ("account openings", "NL91 "),
    ("accounts", "NL91ABNA0417164300"),
    ("grouped accounts", "NL91 ABNA 0417 1643 00 "),
    ("citizen numbers", "bsn 999990019 "),
    ("address of version 6", "a:1:"),
    ("postcodes", "1234 AB "),
    ("plates", "AB-12-"),
    ("dates", "geb. 1-1-1990 "),
    ("first names", "Jan "),
    ("particles", "van "),
    ("initials", "J."),
    ("spaced initials", "J. "),
    ("titles", "mevrouw "),
    ("names in capitals", "JAN DE VRIES "),
    ("names in lower case", "jan de vries "),
    ("hyphenated names", "Jan-"),
    ("names with commas", "Jan, "),
    ("streets", "straat 1 "),
    ("street names", "Laan van "),
    ("zero-width spaces", "\u{200b}"),
    ("soft hyphens in words", "ja\u{ad}n"),
    ("turned direction", "\u{202e}a\u{202c}"),
    ("combining marks", "\u{301}"),
    ("letters with marks apart", "e\u{301}"),
    ("accented letters", "é"),
    ("full-width digits", "０６"),
    ("look-alike letters", "J\u{430}n "),
    ("ligature of eighteen letters", "ﷺ"),
    ("Han", "漢字"),
    ("faces", "😀"),
    ("joined faces", "👩\u{200d}"),
];

const NAMES: &[&str] = &[
    "Jan de Vries,",
    "Fatima el Idrissi",
    "en",
    "mevr. J.P. van den Berg-Bakker,",
    "Sanne",
    "Özlem Yılmaz",
    "Łukasz Kowalski",
    "'t Hoen",
    "Sjoerd",
    "van der Meer",
];

/// Every emoji with each skin, every pair of flag letters, keycaps, and families joined by zero-width joiners.
fn emoji_sequences() -> impl Iterator<Item = char> + Clone {
    let pictures = (0x1f300..0x1fb00).chain(0x2600..0x27c0).filter_map(char::from_u32);
    let skinned =
        pictures.flat_map(|c| ['\u{1f3fb}', '\u{1f3ff}', '\u{fe0f}'].into_iter().flat_map(move |s| [c, s]));
    let letters = || (0x1f1e6..0x1f200).filter_map(char::from_u32);
    let flags = letters().flat_map(move |a| letters().flat_map(move |b| [a, b]));
    let keycaps = "0123456789#*".chars().flat_map(|c| [c, '\u{fe0f}', '\u{20e3}']);
    let families = "👨👩👧👦"
        .chars()
        .flat_map(|a| "👨👩👧👦".chars().flat_map(move |b| [a, '\u{200d}', b, '\u{200d}', '👶']));
    skinned.chain(flags).chain(keycaps).chain(families)
}

fn until(bytes: usize, characters: impl Iterator<Item = char>) -> String {
    let mut text = String::with_capacity(bytes + 4);
    for character in characters {
        if text.len() >= bytes {
            break;
        }
        text.push(character);
    }
    text
}

/// Xorshift: the same on every machine; not for secrets.
struct Noise(u64);

fn noise() -> Noise {
    Noise(0x9e37_79b9_7f4a_7c15)
}

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: u32) -> u32 {
        u32::try_from((self.next() >> 32) % u64::from(limit)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_as_long_as_asked_and_the_same_each_time() {
        for hostile in all() {
            let text = hostile.text(5_000);
            assert!((5_000..5_200).contains(&text.len()), "{}: {}", hostile.name, text.len());
            assert_eq!(text, hostile.text(5_000), "{}", hostile.name);
        }
    }

    #[test]
    fn names_tell_them_apart() {
        let mut names: Vec<_> = all().map(|h| h.name).collect();
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
