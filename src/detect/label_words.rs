//! Labels as pattern files write them, spelled out.

/// A label has at most this many words.
pub(super) const MOST_WORDS: usize = 3;

/// The spellings that a label stands for: itself, or for a stem such as `klant*` its compounds with number and code.
pub(super) fn phrases(label: &str) -> Vec<String> {
    match label.strip_suffix('*') {
        None => vec![label.to_owned()],
        Some(stem) => {
            let glued = GLUED.iter().map(|tail| format!("{stem}{tail}"));
            let apart = APART.iter().map(|tail| format!("{stem} {tail}"));
            glued.chain(apart).collect()
        }
    }
}

/// What is wrong with a label, if anything.
pub(super) fn fault(label: &str) -> Option<String> {
    let shown: String = label.chars().take(40).collect();
    let stem = label.strip_suffix('*');
    let most = MOST_WORDS - usize::from(stem.is_some());
    let count = super::words::words(stem.unwrap_or(label)).len();
    if count == 0 {
        return Some(format!("label `{shown}` holds no word; write the word that stands before the value"));
    }
    (count > most).then(|| format!("label `{shown}` has more than {most} words; leave the first ones out"))
}

const GLUED: &[&str] = &["nummer", "nr", "num", "number", "code"];
const APART: &[&str] = &["nummer", "nr", "num", "no", "number", "code", "id"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stem_stands_for_its_compounds() {
        let made = phrases("klant*");
        for wanted in ["klantnummer", "klantnr", "klant nummer", "klant id"] {
            assert!(made.iter().any(|p| p == wanted), "{wanted}");
        }
        assert_eq!(phrases("kenmerk"), ["kenmerk"]);
    }

    #[test]
    fn a_label_that_can_never_match_is_a_fault() {
        assert!(fault("a b c").is_none());
        assert!(fault("a b c*").unwrap().contains("more than 2"));
        assert!(fault("::").unwrap().contains("no word"));
    }
}
