use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

fn recognised(entity: &str, start: usize, end: usize, score: f64) -> Recognised {
    Recognised { start, end, entity_type: entity.to_owned(), score: Some(score) }
}

fn configurations(given: &Value) -> Configurations {
    let fields = given.as_object().unwrap();
    fields.iter().map(|(name, value)| (name.clone(), Configuration::read(value).unwrap())).collect()
}

fn fixed() -> impl FnMut() -> [u8; 32] {
    || [7; 32]
}

fn anonymized(text: &str, results: &[Recognised], operators: &Value) -> Result<Operated, OperatorError> {
    anonymize(text, results.to_vec(), &configurations(operators), &mut fixed())
}

#[test]
fn operators_make_what_presidio_makes() {
    let table = [
        (json!({"type": "replace"}), "<NAME>"),
        (json!({"type": "replace", "new_value": "X"}), "X"),
        (json!({"type": "replace", "new_value": ""}), "<NAME>"),
        (json!({"type": "redact"}), ""),
        (json!({"type": "keep"}), "Zoë 😀"),
        (json!({"type": "mask", "masking_char": "*", "chars_to_mask": 2, "from_end": false}), "**ë 😀"),
        (json!({"type": "mask", "masking_char": "é", "chars_to_mask": 2, "from_end": true}), "Zoëéé"),
        (json!({"type": "mask", "masking_char": "*", "chars_to_mask": 99, "from_end": true}), "*****"),
        (json!({"type": "mask", "masking_char": "*", "chars_to_mask": -1, "from_end": true}), "Zoë 😀"),
        (json!({"type": "mask", "masking_char": "", "chars_to_mask": 2, "from_end": false}), "ë 😀"),
    ];
    for (operator, expected) in table {
        let done =
            anonymized("is Zoë 😀!", &[recognised("NAME", 3, 8, 0.5)], &json!({"NAME": operator})).unwrap();
        assert_eq!(done.text, format!("is {expected}!"));
        let length = expected.chars().count();
        let item = &done.items[0];
        assert_eq!((item.start, item.end, item.text.as_str()), (3, 3 + length, expected));
    }
}

#[test]
fn a_hash_depends_on_the_salt_and_is_drawn_anew_without_one() {
    let hash = |operator: Value, random: [u8; 32]| {
        let operators = configurations(&json!({"DEFAULT": operator}));
        anonymize("Vos", vec![recognised("NAME", 0, 3, 0.5)], &operators, &mut || random).unwrap().text
    };
    // SHA-256 of "Vos" and sixteen times "s".
    let salted = hash(json!({"type": "hash", "salt": "ssssssssssssssss"}), [1; 32]);
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, b"Vosssssssssssssssss");
    assert_eq!(salted, hex::encode(digest));
    assert_eq!(salted, hash(json!({"type": "hash", "salt": "ssssssssssssssss"}), [2; 32]));
    assert_ne!(hash(json!({"type": "hash"}), [1; 32]), hash(json!({"type": "hash"}), [2; 32]));
    assert_eq!(hash(json!({"type": "hash", "hash_type": "sha512"}), [1; 32]).len(), 128);
}

#[test]
fn a_wrong_parameter_is_said_as_presidio_says_it() {
    let table = [
        (json!({"type": "shred"}), "Invalid operator class 'shred'."),
        (json!({"type": "decrypt", "key": "k"}), "Invalid operator class 'decrypt'."),
        (
            json!({"type": "replace", "new_value": 5}),
            "Invalid parameter value for new_value. Expecting 'string', but got 'number'.",
        ),
        (json!({"type": "replace", "new_value": 1.5}), "Invalid parameter value for 'new_value'."),
        (json!({"type": "mask"}), "Expected parameter masking_char"),
        (json!({"type": "mask", "masking_char": "**"}), "Invalid input, masking_char must be a character"),
        (json!({"type": "mask", "masking_char": "*"}), "Expected parameter chars_to_mask"),
        (
            json!({"type": "mask", "masking_char": "*", "chars_to_mask": "3"}),
            "Invalid parameter value for chars_to_mask. Expecting 'number', but got 'string'.",
        ),
        (json!({"type": "mask", "masking_char": "*", "chars_to_mask": 3}), "Expected parameter from_end"),
        (
            json!({"type": "mask", "masking_char": "*", "chars_to_mask": 3, "from_end": 1}),
            "Invalid parameter value for from_end. Expecting 'boolean', but got 'number'.",
        ),
        (
            json!({"type": "hash", "hash_type": "md5"}),
            "Parameter hash_type value md5 is not in range of values ['sha256', 'sha512']",
        ),
        (json!({"type": "hash", "hash_type": null}), "Expected parameter hash_type"),
        (
            json!({"type": "hash", "salt": "short"}),
            "Salt must be at least 16 bytes (128 bits). Provided salt is 5 bytes.",
        ),
        (json!({"type": "encrypt"}), "Expected parameter key"),
        (
            json!({"type": "encrypt", "key": "short"}),
            "Invalid input, key must be of length 128, 192 or 256 bits",
        ),
        (json!({"type": "encrypt", "key": 5}), "Invalid parameter value for 'key'."),
    ];
    for (operator, expected) in table {
        let refused = anonymized("Vos", &[recognised("NAME", 0, 3, 0.5)], &json!({"NAME": operator}));
        assert_eq!(refused.unwrap_err().to_string(), expected);
        // What is not used is not checked.
        anonymized("Vos", &[recognised("OTHER", 0, 3, 0.5)], &json!({"NAME": operator})).unwrap();
    }
    assert!(Configuration::read(&json!({"new_value": "x"})).is_err());
    assert!(Configuration::read(&json!("replace")).is_err());
}

#[test]
fn conflicts_are_resolved_in_presidios_steps() {
    type Case = (&'static [(&'static str, usize, usize, f64)], &'static str);
    let table: &[Case] = &[
        (&[("A", 0, 4, 0.5), ("A", 2, 6, 0.9)], "<A>6789"),
        (&[("A", 0, 4, 0.5), ("A", 4, 6, 0.9)], "<A><A>6789"),
        (&[("A", 0, 6, 0.5), ("B", 2, 4, 0.9)], "<A>6789"),
        (&[("A", 2, 4, 0.5), ("B", 2, 4, 0.9)], "01<B>456789"),
        (&[("A", 2, 4, 0.9), ("B", 2, 4, 0.9)], "01<B>456789"),
        (&[("A", 0, 4, 0.5), ("B", 2, 6, 0.9)], "<A><B>6789"),
        (&[("A", 0, 4, 0.5), ("B", 3, 5, 0.5), ("A", 4, 8, 0.5)], "<A><B><A>89"),
        (&[("A", 3, 3, 0.5)], "012<A>3456789"),
        (&[], "0123456789"),
    ];
    for (given, expected) in table {
        let results: Vec<Recognised> = given.iter().map(|(e, a, b, s)| recognised(e, *a, *b, *s)).collect();
        let done = anonymized("0123456789", &results, &json!({})).unwrap();
        assert_eq!(done.text, *expected, "{given:?}");
    }
}

#[test]
fn neighbours_of_one_type_are_joined_over_spaces_only() {
    for (text, expected) in [
        ("Jan Vos", "<P>"),
        ("Jan   Vos", "<P>"),
        ("Jan \nVos", "<P>"),
        ("Jan\nVos", "<P>\n<P>"),
        ("Jan\tVos", "<P>\t<P>"),
        ("JanVos", "<P><P>"),
    ] {
        let results = [recognised("P", 0, 3, 0.5), recognised("P", text.len() - 3, text.len(), 0.5)];
        assert_eq!(anonymized(text, &results, &json!({})).unwrap().text, expected, "{text:?}");
        let different = [recognised("P", 0, 3, 0.5), recognised("Q", text.len() - 3, text.len(), 0.5)];
        assert!(anonymized(text, &different, &json!({})).unwrap().text.ends_with("<Q>"));
    }
}

#[test]
fn a_place_outside_the_text_is_refused() {
    let refused = anonymized("één", &[recognised("P", 1, 4, 0.5)], &json!({})).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "Invalid analyzer result, start: 1 and end: 4, while text length is only 3."
    );
}

#[test]
fn too_many_in_one_heap_are_refused_and_many_apart_are_not() {
    let heap: Vec<Recognised> = (0..2_001).map(|n| recognised("P", n, n + 2, 0.5)).collect();
    assert!(matches!(anonymized(&"x".repeat(3_000), &heap, &json!({})), Err(OperatorError::Conflicts(_))));
    let apart: Vec<Recognised> = (0..50_000).map(|n| recognised("P", n * 3, n * 3 + 1, 0.5)).collect();
    let done = anonymized(&"x,x".repeat(50_000), &apart, &json!({})).unwrap();
    assert_eq!(done.items.len(), 50_000);
}

#[test]
fn what_is_encrypted_is_decrypted_with_the_key_and_with_no_other() {
    for key in ["0123456789abcdef", "0123456789abcdef01234567", "0123456789abcdef0123456789abcdef"] {
        let operators = json!({"DEFAULT": {"type": "encrypt", "key": key}});
        let sealed = anonymized("is Zoë 😀!", &[recognised("NAME", 3, 8, 0.5)], &operators).unwrap();
        let item = &sealed.items[0];
        let target = Target { start: item.start, end: item.end, entity_type: "NAME".into() };
        let open = |key: &str, text: &str| {
            let operators = configurations(&json!({"NAME": {"type": "decrypt", "key": key}}));
            deanonymize(text, vec![target.clone()], &operators)
        };
        let opened = open(key, &sealed.text).unwrap();
        assert_eq!(opened.text, "is Zoë 😀!");
        assert_eq!(opened.items[0].operator, "decrypt");
        let other: String = key.chars().rev().collect();
        assert_ne!(open(&other, &sealed.text).map(|o| o.text).ok().as_deref(), Some("is Zoë 😀!"));
    }
}

#[test]
fn what_was_never_encrypted_fails_without_a_word_on_why() {
    let operators = configurations(&json!({"DEFAULT": {"type": "decrypt", "key": "0123456789abcdef"}}));
    for text in ["", "?", "AAAA", "AAAAAAAAAAAAAAAAAAAAAA==", "AAAAAAAAAAAAAAAAAAAAAAA", "é"] {
        let target = Target { start: 0, end: text.chars().count(), entity_type: "X".into() };
        assert_eq!(deanonymize(text, vec![target], &operators), Err(OperatorError::Failed), "{text}");
    }
    let target = Target { start: 0, end: 1, entity_type: "X".into() };
    assert_eq!(
        deanonymize("a", vec![target], &Configurations::new()),
        Err(OperatorError::Failed),
        "no operator"
    );
}

proptest! {
    /// Outside of what was found the text is as it was, and each item stands where it says.
    #[test]
    fn items_stand_where_they_say(
        text in "[aé😀 \n]{0,30}",
        given in proptest::collection::vec((0_usize..30, 0_usize..8, 0_usize..3, 0_u8..4), 0..8)
    ) {
        let length = text.chars().count();
        let results: Vec<Recognised> = given
            .iter()
            .map(|(start, len, kind, score)| {
                let start = (*start).min(length);
                recognised(["A", "B", "C"][*kind], start, (start + len).min(length), f64::from(*score) / 4.0)
            })
            .collect();
        let done = anonymized(&text, &results, &json!({})).unwrap();
        let chars: Vec<char> = done.text.chars().collect();
        for item in &done.items {
            let there: String = chars[item.start..item.end].iter().collect();
            prop_assert_eq!(&there, &item.text);
        }
        let kept = chars.iter().filter(|c| **c == 'é').count();
        prop_assert!(kept <= text.chars().filter(|c| *c == 'é').count());
    }
}
