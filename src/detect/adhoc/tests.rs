use super::found::{Source, without_duplicates};
use super::words::{Tongue, words};
use super::*;
use crate::detect::{PatternFile, Ruleset};
use proptest::prelude::*;

fn spec(patterns: &[(&str, f64)]) -> AdHocSpec {
    let pattern = |(regex, score): &(&str, f64)| PatternSpec {
        name: "p".into(),
        regex: (*regex).into(),
        score: *score,
    };
    AdHocSpec {
        name: "mine".into(),
        entity: "CODE".into(),
        language: "en".into(),
        patterns: patterns.iter().map(pattern).collect(),
        deny_list: Vec::new(),
        deny_list_score: 1.0,
        context: Vec::new(),
        regex_flags: 26,
    }
}

fn words_of(list: &[&str]) -> Vec<String> {
    list.iter().map(|word| (*word).to_owned()).collect()
}

fn ruleset() -> Ruleset {
    let thresholds = include_str!("../../../patterns/thresholds.yaml");
    let mail = "recognizers:\n  - name: order\n    supported_entity: ORDER\n    patterns: [{name: n, regex: 'ORD\\d{4}', score: 0.6}]\n    context: [bestelling]\n    exemption: woo-5.1.2e\n    category: contact\n    source: test\n    examples: [{text: nummer ORD1234, finds: [ORD1234]}]\n";
    Ruleset::load([
        PatternFile { name: "thresholds.yaml", text: thresholds },
        PatternFile { name: "order.yaml", text: mail },
    ])
    .unwrap()
}

/// What is asked beside the text.
#[derive(Default)]
struct Asked<'a> {
    dutch: bool,
    entities: Option<&'a [String]>,
    context: &'a [String],
    allow: Option<&'a AllowList>,
}

/// Entity, text and score of everything found.
fn run(text: &str, specs: &[AdHocSpec], asked: &Asked<'_>) -> Result<Vec<(String, String, f64)>, AdHocError> {
    let ruleset = ruleset();
    let adhoc = AdHocRecogniser::compile(specs, text.len())?;
    let language = if asked.dutch { Language::Dutch } else { Language::English };
    let Asked { entities, context, allow, .. } = *asked;
    let analysis = Analysis { ruleset: &ruleset, adhoc: &adhoc, language, entities, context, allow };
    let found = analysis.run(text, 0.0, &|| true)?;
    Ok(found.iter().map(|f| (f.entity.to_string(), f.span.of(text).unwrap().to_owned(), f.score)).collect())
}

fn plain(text: &str, specs: &[AdHocSpec]) -> Result<Vec<(String, String, f64)>, AdHocError> {
    run(text, specs, &Asked::default())
}

fn values(text: &str, specs: &[AdHocSpec]) -> Vec<String> {
    plain(text, specs).unwrap().into_iter().map(|(_, value, _)| value).collect()
}

#[test]
fn patterns_of_python_find_what_python_finds() {
    let table: &[(&str, &str, &[&str])] = &[
        (r"(?<!\d)\d{3}(?!\d)", "12 345 6789 x901", &["345", "901"]),
        (r"(?<=code:\s?)\w+", "Code: ab code:cd", &["ab", "cd"]),
        (r"(\w)\1", "aabbc", &["aa", "bb"]),
        (r"a++b|a+", "aaab aaa", &["aaab", "aaa"]),
        (r"(?P<q>['x]).+?(?P=q)", "xaax 'b'", &["xaax", "'b'"]),
        (r"(?i:AB)c(?-i:D)", "abCD abcd", &["abCD"]),
        (r"^ab$", "ab\nabc\nAB", &["ab", "AB"]),
        (r"a{,2}b", "aaab", &["aab"]),
        (r"[a&&b]+", "a&b", &["a&b"]),
        (r"[[:alpha:]]+é\b", "caf\u{e9}s caf\u{e9}", &["café"]),
        (r"|a", "aba", &["a", "a"]),
        (r"(a)?(?(1)b|c)", "ab c", &["ab", "c"]),
        (r"\x41\u0042\U00000043\103\.", "ABCC.", &["ABCC."]),
        (r"\bkaart(?=\W)", "kaart, kaarten", &["kaart"]),
    ];
    for (regex, text, expected) in table {
        assert_eq!(values(text, &[spec(&[(regex, 0.5)])]), *expected, "{regex}");
    }
}

#[test]
fn a_pattern_that_cannot_be_used_is_refused_by_name_and_place() {
    let table = [
        ("(b", "missing ) at position 2"),
        ("b)", "unbalanced parenthesis at position 1"),
        ("[a", "unterminated character set at position 2"),
        ("*a", "nothing to repeat at position 0"),
        ("a**", "multiple repeat at position 2"),
        ("a{2,1}", "min repeat greater than max repeat at position 2"),
        (r"\y", r"bad escape \y at position 2"),
        (r"(a)\2", "invalid group reference at position 5"),
        ("[z-a]", "bad character range at position 4"),
        ("\n(b", "missing ) at position 3 (line 2, column 3)"),
        ("(?R)", "recursion is not supported at position 0"),
        (r"(?:foo){e<=1}", "approximate matching is not supported at position 7"),
        (r"\p{Foo}", "unknown property at position 7"),
        (r"(?|a|b)", "branch reset is not supported at position 0"),
        ("(?f)a", "this inline flag is not supported at position 0"),
    ];
    for (regex, expected) in table {
        let refused = plain("x", &[spec(&[(regex, 0.5)])]);
        assert_eq!(refused, Err(AdHocError::Pattern { what: expected.into() }), "{regex}");
    }
    let mut odd = spec(&[("a", 0.5)]);
    odd.regex_flags = 0x400;
    assert!(matches!(plain("x", &[odd]), Err(AdHocError::Pattern { .. })));
}

#[test]
fn too_much_is_refused_and_never_skipped() {
    let text = format!("{}b", "a".repeat(60));
    let steep = plain(&text, &[spec(&[(r"(?:(a)|\1a|aa)*c", 0.5)])]);
    assert_eq!(steep, Err(AdHocError::Steps { pattern: "p".into(), most: 1_000_000 }));
    let large = plain("x", &[spec(&[(r"\w{1,900}\w{1,900}\w{1,900}", 0.5)])]);
    assert!(matches!(large, Err(AdHocError::Pattern { .. })), "{large:?}");
    let many = vec![spec(&[("a", 0.5)]); PATTERNS_MAX + 1];
    assert!(matches!(plain("x", &many), Err(AdHocError::TooMany { .. })));
    let long = plain("x", &[spec(&[(&"a".repeat(PATTERN_CHARS_MAX + 1), 0.5)])]);
    assert!(matches!(long, Err(AdHocError::TooMany { .. })));
    let crowd = plain(&"a".repeat(FINDINGS_MAX + 1), &[spec(&[("a", 0.5)])]);
    assert_eq!(crowd, Err(AdHocError::TooMany { what: "findings", most: FINDINGS_MAX }));
    let ruleset = ruleset();
    let adhoc = AdHocRecogniser::compile(&[spec(&[("a(?=b)", 0.5)])], 10).unwrap();
    let analysis = Analysis {
        ruleset: &ruleset,
        adhoc: &adhoc,
        language: Language::English,
        entities: None,
        context: &[],
        allow: None,
    };
    assert_eq!(analysis.run("abab", 0.0, &|| false), Err(AdHocError::Time { pattern: "p".into() }));
}

#[test]
fn nesting_without_end_is_refused() {
    for open in ["(", "(?:", "(?=", "(?<=", "((?i)"] {
        let regex = format!("{}a{}", open.repeat(1_500), ")".repeat(1_500));
        assert!(plain("a", &[spec(&[(&regex, 0.5)])]).is_err(), "{open}");
    }
}

#[test]
fn words_of_a_deny_list_stand_alone() {
    let mut given = spec(&[]);
    given.deny_list = words_of(&["dr", "dr.", "a+b", "é", "two words"]);
    assert_eq!(
        values("Dr. dr drs xdr a+b é éé Two words", &[given.clone()]),
        ["Dr", "dr", "a+b", "é", "Two words"]
    );
    given.regex_flags = 0;
    assert_eq!(values("Dr dr\ndr", &[given]), ["dr", "dr"]);
    let pattern = python_regex::deny_list(&words_of(&["a b", "c.d"]));
    assert_eq!(pattern, r"(?:^|(?<=\W))(a\ b|c\.d)(?:(?=\W)|$)");
}

#[test]
fn context_raises_scores_as_in_presidio() {
    let mut given = spec(&[(r"\d{4}", 0.01)]);
    given.context = words_of(&["card", "pin"]);
    let score = |text: &str, context: &[&str]| {
        let context = words_of(context);
        let found = run(text, &[given.clone()], &Asked { context: &context, ..Asked::default() }).unwrap();
        found.first().unwrap().2
    };
    assert_eq!(score("my creditcard is 1234", &[]), 0.4, "a part of a word counts, and 0.4 is the least");
    assert_eq!(score("1234 is my card", &[]), 0.01, "what stands behind does not count");
    assert_eq!(score("card one1 two2 tree3 four4 five5 1234", &[]), 0.01, "five words before it count");
    assert_eq!(score("card two2 tree3 four4 five5 1234", &[]), 0.4);
    assert_eq!(
        score("card is the of and at two2 tree3 four4 five5 1234", &[]),
        0.4,
        "stop words are not counted"
    );
    assert_eq!(score("the 1234", &["PIN"]), 0.4, "words of the request count");
    let mut the = spec(&[("the", 0.01)]);
    the.context = words_of(&["pin"]);
    let scores: Vec<f64> =
        plain("the pin the x1 pin", &[the]).unwrap().into_iter().map(|found| found.2).collect();
    assert_eq!(scores, [0.4, 0.4], "behind a word that does not count, the next one that does");
    assert_eq!(score("pin1234", &[]), 0.4, "the word of the match itself counts");
    let mut high = given.clone();
    high.patterns[0].score = 0.9;
    assert_eq!(plain("pin 1234", &[high]).unwrap()[0].2, 1.0);
}

#[test]
fn words_of_the_request_support_recognisers_of_the_ruleset() {
    let given = words_of(&["bestelling"]);
    let score =
        |context: &[String]| run("nummer ORD1234", &[], &Asked { context, ..Asked::default() }).unwrap()[0].2;
    assert_eq!(score(&[]), 0.6);
    assert_eq!(score(&given), 0.95);
}

#[test]
fn entities_and_language_choose_who_takes_part() {
    let text = "AB12 ORD1234";
    let mut dutch = spec(&[(r"AB\d+", 0.5)]);
    dutch.language = "nl".into();
    let found = |specs: &[AdHocSpec], entities: Option<&[&str]>, language| {
        let entities = entities.map(words_of);
        let dutch = language == Language::Dutch;
        run(text, specs, &Asked { dutch, entities: entities.as_deref(), ..Asked::default() })
    };
    let entities = |found: Result<Vec<(String, String, f64)>, AdHocError>| -> Vec<String> {
        found.unwrap().into_iter().map(|(entity, ..)| entity).collect()
    };
    assert_eq!(entities(found(&[dutch.clone()], None, Language::Dutch)), ["ORDER", "CODE"]);
    assert_eq!(entities(found(&[dutch.clone()], None, Language::English)), ["ORDER"]);
    assert_eq!(entities(found(&[dutch.clone()], Some(&["CODE"]), Language::Dutch)), ["CODE"]);
    assert_eq!(found(&[dutch], Some(&["CODE"]), Language::English), Err(AdHocError::NoRecogniser));
    assert_eq!("fr".parse::<Language>(), Err(AdHocError::NoRecogniser));
}

#[test]
fn allow_lists_let_stand_words_or_patterns() {
    let given = spec(&[(r"AB\d+", 0.5)]);
    let kept = |allow: &AllowList| {
        let found = run(
            "AB1 AB22 ab1",
            std::slice::from_ref(&given),
            &Asked { allow: Some(allow), ..Asked::default() },
        )
        .unwrap();
        found.into_iter().map(|(_, value, _)| value).collect::<Vec<_>>()
    };
    assert_eq!(kept(&AllowList::exact(words_of(&["AB1"])).unwrap()), ["AB22", "ab1"]);
    assert_eq!(kept(&AllowList::regex(&words_of(&["b2", ""]), 26, 10).unwrap()), ["AB1", "ab1"]);
    assert_eq!(kept(&AllowList::regex(&words_of(&["ab(?=1)"]), 0, 10).unwrap()), ["AB1", "AB22"]);
    assert!(
        kept(&AllowList::regex(&words_of(&["x*"]), 26, 10).unwrap()).is_empty(),
        "the empty match counts"
    );
    assert_eq!(kept(&AllowList::regex(&words_of(&["", ""]), 26, 10).unwrap()), ["AB1", "AB22", "ab1"]);
    let fault = AllowList::regex(&words_of(&["(a"]), 26, 10).err();
    assert_eq!(fault.unwrap().to_string(), "missing ) at position 2");
}

#[test]
fn findings_are_counted_in_code_points() {
    let text = "😀é AB1 ñ AB2";
    let ruleset = ruleset();
    let adhoc = AdHocRecogniser::compile(&[spec(&[(r"AB\d", 0.5)])], text.len()).unwrap();
    let analysis = Analysis {
        ruleset: &ruleset,
        adhoc: &adhoc,
        language: Language::English,
        entities: None,
        context: &[],
        allow: None,
    };
    let found = analysis.run(text, 0.0, &|| true).unwrap();
    assert_eq!(in_code_points(text, &found), [(3, 6), (9, 12)]);
}

#[test]
fn words_are_cut_at_punctuation_and_contractions() {
    let table: &[(Tongue, &str, &[&str])] = &[
        (
            Tongue::English,
            "Don't (ever) pay $20.50, OK?",
            &["do", "n't", "(", "ever", ")", "pay", "$", "20.50", ",", "ok", "?"],
        ),
        (
            Tongue::English,
            "well-known a/b John's 5km",
            &["well", "-", "known", "a", "/", "b", "john", "'s", "5", "km"],
        ),
        (
            Tongue::English,
            "mail a.b@c.org, see http://x.org/y",
            &["mail", "a.b@c.org", ",", "see", "http://x.org/y"],
        ),
        (Tongue::Dutch, "zo'n e-mail (nr.) 's avonds", &["zo'n", "e-mail", "(", "nr.", ")", "'s", "avonds"]),
        (Tongue::English, " two  blanks\n", &[" ", "two", " ", "blanks", "\n"]),
    ];
    for (tongue, text, expected) in table {
        let cut = words(text, *tongue);
        assert_eq!(cut.iter().map(|word| word.text.as_str()).collect::<Vec<_>>(), *expected, "{text}");
    }
}

fn found(entity: &str, start: usize, end: usize, score: f64) -> Found {
    let explanation = Explanation {
        recognizer: "".into(),
        pattern_name: None,
        pattern: None,
        original_score: score,
        score,
        textual_explanation: "".into(),
        score_context_improvement: 0.0,
        supportive_context_word: "".into(),
        validation_result: None,
        regex_flags: None,
    };
    Found {
        span: Span::new(start, end).unwrap(),
        entity: entity.into(),
        score,
        explanation,
        source: Source::AdHoc(0),
    }
}

proptest! {
    /// The quick way leaves the same as looking at every pair.
    #[test]
    fn duplicates_are_those_of_the_plain_rule(
        given in proptest::collection::vec((0_usize..12, 1_usize..6, 0_u8..4, 0_u8..2), 0..14)
    ) {
        let all: Vec<Found> = given
            .iter()
            .map(|(start, len, score, kind)| found(["A", "B"][usize::from(*kind)], *start, start + len, f64::from(*score) / 4.0))
            .collect();
        let mut plain: Vec<Found> = Vec::new();
        let mut sorted = all.clone();
        sorted.sort_by(|a, b| {
            b.score.total_cmp(&a.score).then(a.span.start().cmp(&b.span.start())).then(b.span.end().cmp(&a.span.end())).then(a.entity.cmp(&b.entity))
        });
        for one in sorted.into_iter().filter(|f| f.score > 0.0) {
            if !plain.iter().any(|kept| kept.entity == one.entity && kept.span.covers(one.span)) {
                plain.push(one);
            }
        }
        prop_assert_eq!(without_duplicates(all), plain);
    }

    /// Whatever is sent as a pattern: an answer, no panic.
    #[test]
    fn any_pattern_gets_an_answer(regex in r"[a-c\\(){}\[\]?*+|^$.,:=!<>P'0-3dwsbpUxé-]{0,24}", text in "[a-cé0-3 \n]{0,20}") {
        let _answered = plain(&text, &[spec(&[(&regex, 0.5)])]);
    }

    /// Words lie in order on characters of the text.
    #[test]
    fn words_lie_in_the_text(text in r"[ \n.,'’:;!?()$€%a-zA-Zé0-9😀-]{0,60}") {
        for tongue in [Tongue::English, Tongue::Dutch] {
            let mut from = 0;
            for word in words(&text, tongue) {
                prop_assert!(from <= word.start && word.start < word.end);
                prop_assert!(text.get(word.start..word.end).is_some());
                from = word.end;
            }
        }
    }
}
