//! `knik question`: texts in, yes, no or unsure out.

use super::fixture::{knik_reading, temp, write};
use serde_json::{Value, json};

#[test]
fn a_text_a_line_is_answered_a_line_with_its_own_id() {
    let folder = temp();
    let texts =
        [("a", "hoe laat gaat de balie open"), ("b", "Mooi gedaan!"), ("c", "wil je de lamp daar uitzetten")];
    let lines: String =
        texts.iter().map(|(id, text)| format!("{}\n", json!({"id": id, "text": text}))).collect();
    let file = write(folder.path(), "texts.jsonl", lines.as_bytes());
    let answer = knik_reading(&["question", "--jsonl", &file], b"").ok();
    let answers: Vec<Value> = answer.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let expected = [("a", "yes"), ("b", "no"), ("c", "unsure")];
    assert_eq!(answers, expected.map(|(id, question)| json!({"id": id, "question": question})));
}

#[test]
fn it_says_which_words_decided_when_asked() {
    let answer =
        knik_reading(&["question", "--explain", "--json"], "Waarom is de brug dicht".as_bytes()).ok().json();
    assert_eq!(answer["question"], "yes");
    assert_eq!(answer["because"][0]["words"], "Waarom is", "{answer}");
    let shown = knik_reading(&["question", "--explain", "Waarom is de brug dicht"], b"").ok();
    assert!(shown.out.starts_with("yes\n") && shown.out.contains("Waarom is"), "{}", shown.out);
}

#[test]
fn a_line_of_another_shape_is_refused_without_its_text() {
    let refused = knik_reading(&["question", "--jsonl"], b"{\"id\": 1, \"tekst\": \"geheim\"}\n");
    let refused = refused.refused(&["line 1", "another shape"]);
    assert!(!refused.said().contains("geheim"), "{}", refused.said());
}
