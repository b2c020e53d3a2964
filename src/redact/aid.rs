//! A finding aid and a citation in words for people: plain lines in Dutch or English, and the same as a page.

use super::Language;
use crate::model::markup::escaped;
use serde_json::Value;

/// A line of a finding aid: a heading, or something said under it.
enum Line {
    Heading(String),
    Item(String),
}

/// The finding aid as plain text.
#[must_use]
pub fn finding_aid_text(aid: &Value, language: Language) -> String {
    let line = |line: Line| match line {
        Line::Heading(text) => format!("\n{text}\n"),
        Line::Item(text) => format!("- {text}\n"),
    };
    let title = both(language, "Toegang op de bron", "Finding aid");
    lines(aid, language).into_iter().map(line).fold(format!("{title}\n"), |text, line| text + &line)
}

/// The finding aid as a page: no script, nothing fetched.
#[must_use]
pub fn finding_aid_html(aid: &Value, language: Language) -> String {
    let title = both(language, "Toegang op de bron", "Finding aid");
    let code = both(language, "nl", "en");
    let (mut body, mut open) = (String::new(), false);
    for line in lines(aid, language) {
        match line {
            Line::Heading(text) => {
                if open {
                    body.push_str("</ul>");
                }
                body.push_str(&format!("<h2>{}</h2><ul>", escaped(&text)));
                open = true;
            }
            Line::Item(text) => body.push_str(&format!("<li>{}</li>", escaped(&text))),
        }
    }
    if open {
        body.push_str("</ul>");
    }
    format!(
        "<!doctype html><html lang=\"{code}\"><head><meta charset=\"utf-8\"><title>{title}</title></head>\
         <body><main><h1>{title}</h1>{body}</main></body></html>"
    )
}

/// What a citation says, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CitationWords<'a> {
    /// The archive's name.
    pub archive: &'a str,
    /// The organisation, as it calls itself.
    pub organisation: &'a str,
    /// The name that the grant has for the record.
    pub reference: &'a str,
    /// The grant.
    pub grant: &'a str,
    /// The day of posting, empty when not stated.
    pub day: &'a str,
    /// Which version of the view.
    pub version: u64,
    /// The day since which it stands, if it took the place of another.
    pub since: Option<&'a str>,
    /// The day on which it was consulted.
    pub consulted: &'a str,
}

/// A citation as people write it.
#[must_use]
pub fn citation_text(of: &CitationWords<'_>, language: Language) -> String {
    let posted = match (of.day, language) {
        ("", _) => String::new(),
        (day, Language::Dutch) => format!(", geplaatst op {day}"),
        (day, Language::English) => format!(", posted on {day}"),
    };
    let since = match (of.since, language) {
        (None, _) => String::new(),
        (Some(day), Language::Dutch) => format!(" van {day}"),
        (Some(day), Language::English) => format!(" of {day}"),
    };
    let CitationWords { archive, organisation, reference, grant, version, consulted, .. } = of;
    match language {
        Language::Dutch => format!(
            "{organisation}, archief {archive}, record {reference}{posted}, weergave {version}{since} \
             (geredigeerd; toestemming {grant}), geraadpleegd op {consulted}."
        ),
        Language::English => format!(
            "{organisation}, archive {archive}, record {reference}{posted}, view {version}{since} \
             (redacted; grant {grant}), consulted on {consulted}."
        ),
    }
}

fn both<'t>(language: Language, nl: &'t str, en: &'t str) -> &'t str {
    match language {
        Language::Dutch => nl,
        Language::English => en,
    }
}

/// Everything that a finding aid says, in order.
fn lines(aid: &Value, language: Language) -> Vec<Line> {
    let say = |nl: &str, en: &str, value: String| Line::Item(format!("{}: {value}", both(language, nl, en)));
    let name = word(aid, "organisationName");
    let mut lines = vec![
        Line::Heading(if name.is_empty() { word(aid, "organisation") } else { name }),
        say("Archief", "Archive", word(aid, "archive")),
        say("Gemaakt op", "Made at", word(aid, "madeAt")),
        say("Toestemming", "Grant", word(aid, "grant")),
        say("Geldig tot", "Valid until", word(aid, "until")),
        say("Records in de selectie", "Records in the selection", word(aid, "records")),
        say("Detectieregels", "Detection rules", word(aid, "ruleset")),
    ];
    for channel in list(aid, "channels") {
        of_channel(channel, language, &mut lines);
    }
    lines.push(Line::Heading(
        both(
            language,
            "Hoe goed wordt gevonden wat gelakt moet worden",
            "How well it is found what must be redacted",
        )
        .to_owned(),
    ));
    for figure in list(aid, "measured") {
        let share = figure.get("shareMin").and_then(Value::as_f64).unwrap_or_default() * 100.0;
        let least = both(language, "ten minste", "at least");
        let what = word(figure, both(language, "nl", "en"));
        lines.push(Line::Item(format!("{what}: {least} {share:.0}% ({})", word(figure, "source"))));
    }
    let caveat = aid.get("caveat").map(|words| word(words, both(language, "nl", "en")));
    lines.extend(caveat.filter(|text| !text.is_empty()).map(Line::Item));
    lines
}

fn of_channel(channel: &Value, language: Language, lines: &mut Vec<Line>) {
    let say = |nl: &str, en: &str, value: String| Line::Item(format!("{}: {value}", both(language, nl, en)));
    lines.push(Line::Heading(format!(
        "{} ({}, {})",
        word(channel, "channel"),
        word(channel, "platform"),
        word(channel, "account")
    )));
    for capture in list(channel, "captures") {
        let whole = capture.get("whole").and_then(Value::as_bool).unwrap_or_default();
        let broken = if whole { "" } else { both(language, ", afgebroken", ", broken off") };
        let (count, format) = (word(capture, "count"), word(capture, "format"));
        let (first, last) = (word(capture, "firstAt"), word(capture, "lastAt"));
        lines.push(say("Opgenomen", "Taken in", format!("{count} × {format}, {first} – {last}{broken}")));
    }
    let (from, until) = (word(channel, "firstDay"), word(channel, "lastDay"));
    if !from.is_empty() {
        lines.push(say("Geplaatst tussen", "Posted between", format!("{from} – {until}")));
    }
    let gaps: Vec<&str> = list(channel, "monthsWithout").filter_map(Value::as_str).collect();
    let none = both(language, "geen", "none").to_owned();
    let told = if gaps.is_empty() { none } else { gaps.join(", ") };
    lines.push(say("Maanden waarvan niets is vastgelegd", "Months of which nothing is held", told));
    for (field, nl, en) in [
        ("trees", "Beslisboom", "Decision tree"),
        ("profiles", "Minimalisatieprofiel", "Minimisation profile"),
    ] {
        for one in list(channel, field) {
            let (id, from, until) = (word(one, "id"), word(one, "from"), word(one, "until"));
            let dates = if from.is_empty() { String::new() } else { format!(" ({from} – {until})") };
            lines.push(say(nl, en, format!("{id}{dates}")));
        }
    }
    let Some(withheld) = channel.get("withheld") else { return };
    let percent = match withheld.get("percent").and_then(Value::as_u64) {
        Some(percent) => format!("{percent}%"),
        None => both(language, "minder dan tien records", "fewer than ten records").to_owned(),
    };
    let of = both(language, "van", "of");
    lines.push(say("Niet getoond", "Not shown", format!("{percent} {of} {}", word(withheld, "records"))));
    let reasons = withheld.get("percentByReason").and_then(Value::as_object);
    for (why, percent) in reasons.into_iter().flatten() {
        lines.push(Line::Item(format!("{}: {percent}%", reason(why, language))));
    }
}

fn reason(why: &str, language: Language) -> &str {
    match why {
        "not-archived" => both(language, "niet te archiveren bevonden", "decided not to be archived"),
        "not-public" => both(language, "niet openbaar geplaatst", "not posted to everyone"),
        "deleted-or-superseded" => {
            both(language, "verwijderd of bewerkt door de plaatser", "deleted or edited by its author")
        }
        "special-category-or-minor" => both(
            language,
            "tekenen van bijzondere gegevens of een minderjarige",
            "signs of special categories or a minor",
        ),
        "other" => both(language, "andere reden", "another reason"),
        other => other,
    }
}

fn word(of: &Value, field: &str) -> String {
    match of.get(field) {
        Some(Value::String(text)) => text.clone(),
        None | Some(Value::Null) => String::new(),
        Some(other) => other.to_string(),
    }
}

fn list<'v>(of: &'v Value, field: &str) -> impl Iterator<Item = &'v Value> {
    of.get(field).and_then(Value::as_array).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_finding_aid_reads_in_both_languages_and_escapes_what_it_was_given() {
        let aid = json!({
            "organisationName": "Ministerie <van> Water", "archive": "knik.example", "records": "<10",
            "measured": [{ "nl": "namen", "en": "names", "shareMin": 0.745, "source": "a test" }],
            "caveat": { "nl": "Let op.", "en": "Mind." },
            "channels": [{
                "channel": "low-x", "platform": "x", "account": "LOW", "monthsWithout": ["2026-02"],
                "captures": [{ "format": "x_api_v2", "count": 3, "whole": false, "firstAt": "2026-01-01", "lastAt": "2026-03-01" }],
                "withheld": { "percent": null, "records": 40, "percentByReason": { "not-public": 12 } },
            }],
        });
        let nl = finding_aid_text(&aid, Language::Dutch);
        for part in [
            "ten minste 74%",
            "afgebroken",
            "2026-02",
            "minder dan tien",
            "niet openbaar geplaatst: 12%",
            "Let op.",
        ] {
            assert!(nl.contains(part), "{part}: {nl}");
        }
        let html = finding_aid_html(&aid, Language::English);
        assert!(html.contains("Ministerie &lt;van&gt; Water") && html.contains("lang=\"en\""), "{html}");
        assert!(!html.contains("<van>") && html.contains("at least 74%"));
    }

    #[test]
    fn a_citation_says_archive_organisation_date_and_version() {
        let words = CitationWords {
            archive: "knik.example",
            organisation: "Ministerie van Water",
            reference: "r-1",
            grant: "g-1",
            day: "2026-03-09",
            version: 2,
            since: Some("2026-05-01"),
            consulted: "2026-06-01",
        };
        assert_eq!(
            citation_text(&words, Language::Dutch),
            "Ministerie van Water, archief knik.example, record r-1, geplaatst op 2026-03-09, weergave 2 van 2026-05-01 \
             (geredigeerd; toestemming g-1), geraadpleegd op 2026-06-01."
        );
        let first = CitationWords { day: "", since: None, version: 1, ..words };
        assert_eq!(
            citation_text(&first, Language::English),
            "Ministerie van Water, archive knik.example, record r-1, view 1 (redacted; grant g-1), consulted on 2026-06-01."
        );
    }
}
