//! The words of a projection that may be searched for.

use super::Projection;
use super::fold::fold;

/// The words of the text pieces, in order: folded (compatibility forms, lower case, no diacritics),
/// letters and digits only. Placeholders contribute nothing, and split a word that they stand in.
#[must_use]
pub fn searchable(projection: &Projection) -> Vec<String> {
    let texts = projection.passages.iter().flat_map(|passage| passage.text.texts());
    texts.flat_map(query_tokens).collect()
}

/// The words of a query, by the same rule.
#[must_use]
pub fn query_tokens(words: &str) -> Vec<String> {
    let folded = fold(words).text;
    folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_compared_without_case_diacritics_and_signs() {
        let table: &[(&str, &[&str])] = &[
            ("Één fietsbrug, één!", &["een", "fietsbrug", "een"]),
            ("ﬁets ＡＢ\u{ad}C", &["fiets", "abc"]),
            ("[persoon Vos-17]", &["persoon", "vos", "17"]),
            ("👍 …", &[]),
        ];
        for (words, expected) in table {
            assert_eq!(query_tokens(words), *expected, "{words}");
        }
    }
}
