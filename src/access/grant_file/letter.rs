//! The decision on a request, as a letter: what was asked, what was decided and why, under which conditions, and how to object.
//!
//! In Dutch, as the General Administrative Law Act (Awb) is: motivation (3:46), conditions, and the clause on objection
//! within six weeks (6:7, 3:45). It is text in paragraphs; whoever shows it chooses the form.

use super::{Content, Form, ResearchBasis};
use crate::model::markup::escaped;
use crate::model::{OrganisationId, RequestId, Timestamp};

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision<'a> {
    /// Approved, until this moment, with conditions beside those of the basis.
    Approved {
        /// The first moment at which it no longer holds.
        until: Timestamp,
        /// Conditions of the organisation's own.
        conditions: &'a [String],
    },
    /// Refused.
    Refused,
}

/// A letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// What it is about.
    pub subject: String,
    /// Its paragraphs.
    pub paragraphs: Vec<Paragraph>,
}

/// A part of a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Paragraph {
    /// A heading.
    Heading(String),
    /// Running text.
    Text(String),
    /// A list.
    List(Vec<String>),
}

/// What a letter is about.
#[derive(Debug, Clone, Copy)]
pub struct Matter<'a> {
    /// Which request.
    pub request: RequestId,
    /// Who decides.
    pub organisation: &'a OrganisationId,
    /// The organisation's name in words.
    pub organisation_name: &'a str,
    /// What was asked.
    pub content: &'a Content,
    /// The basis that was relied on.
    pub basis: &'a ResearchBasis,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// Why, in the words of who decided.
    pub motivation: &'a str,
}

/// Writes the letter of a decision.
#[must_use]
pub fn letter(matter: &Matter<'_>, decision: Decision<'_>) -> Letter {
    let (content, basis) = (matter.content, matter.basis);
    let outcome = match decision {
        Decision::Approved { .. } => "Besluit op uw aanvraag om geredigeerde afschriften: toegewezen",
        Decision::Refused => "Besluit op uw aanvraag om geredigeerde afschriften: afgewezen",
    };
    let mut paragraphs = vec![
        Paragraph::Text(format!("Datum: {}", matter.decided_at.day())),
        Paragraph::Text(format!("Ons kenmerk: {}", matter.request)),
        Paragraph::Heading("Uw aanvraag".to_owned()),
        Paragraph::Text(format!(
            "Op {} vroeg u {} om geredigeerde afschriften van berichten en reacties op sociale media, op grond van: {}.",
            matter.asked_at.day(),
            matter.organisation_name,
            basis.label().nl
        )),
        Paragraph::Text(format!("Onderzoeksvraag: {}", content.question)),
        Paragraph::Text(format!("Doel: {}", content.purpose)),
        Paragraph::Text(format!("Instelling: {}", content.institution)),
        Paragraph::Text(selection_in_words(content)),
        Paragraph::Heading("Besluit".to_owned()),
    ];
    match decision {
        Decision::Approved { until, conditions } => {
            paragraphs.push(Paragraph::Text(format!(
                "Wij wijzen uw aanvraag toe. U krijgt toegang tot en met de dag vóór {}, zodra u de voorwaarden hebt aanvaard. \
                 Persoonsgegevens zijn onleesbaar gemaakt volgens het redactieplan “{}”.",
                until.day(),
                content.plan
            )));
            paragraphs.push(Paragraph::Heading("Motivering".to_owned()));
            paragraphs.push(Paragraph::Text(matter.motivation.to_owned()));
            paragraphs.push(Paragraph::Heading("Voorwaarden".to_owned()));
            let of_basis = basis.conditions().iter().map(|condition| condition.nl.clone());
            paragraphs.push(Paragraph::List(of_basis.chain(conditions.iter().cloned()).collect()));
        }
        Decision::Refused => {
            paragraphs.push(Paragraph::Text("Wij wijzen uw aanvraag af.".to_owned()));
            paragraphs.push(Paragraph::Heading("Motivering".to_owned()));
            paragraphs.push(Paragraph::Text(matter.motivation.to_owned()));
        }
    }
    paragraphs.push(Paragraph::Heading("Bezwaar".to_owned()));
    paragraphs.push(Paragraph::Text(format!(
        "Bent u het niet eens met dit besluit, dan kunt u binnen zes weken na de dag waarop het bekend is gemaakt bezwaar maken \
         bij {}. In uw bezwaarschrift staan ten minste uw naam en adres, de datum, een omschrijving van het besluit en de \
         gronden van uw bezwaar (artikelen 6:4, 6:5 en 6:7 van de Algemene wet bestuursrecht). Vermeld ons kenmerk.",
        matter.organisation_name
    )));
    paragraphs.push(Paragraph::Text(format!("Grondslag: {}.", basis.source())));
    Letter { subject: outcome.to_owned(), paragraphs }
}

fn selection_in_words(content: &Content) -> String {
    let selection = &content.selection;
    let mut parts = Vec::new();
    if selection.channels.is_empty() {
        parts.push("alle kanalen".to_owned());
    } else {
        let named: Vec<&str> = selection.channels.iter().map(crate::model::ChannelId::as_str).collect();
        parts.push(format!("kanalen {}", named.join(", ")));
    }
    match (&selection.from, &selection.until) {
        (Some(from), Some(until)) => parts.push(format!("van {from} tot en met {until}")),
        (Some(from), None) => parts.push(format!("vanaf {from}")),
        (None, Some(until)) => parts.push(format!("tot en met {until}")),
        (None, None) => {}
    }
    if !selection.words.is_empty() {
        let words: Vec<&str> = selection.words.iter().map(String::as_str).collect();
        parts.push(format!("met de woorden: {}", words.join(", ")));
    }
    if !selection.special_categories.is_empty() {
        let kinds: Vec<&str> = selection.special_categories.iter().map(|kind| kind.as_str()).collect();
        parts.push(format!("ook met bijzondere gegevens, na beoordeling: {}", kinds.join(", ")));
    }
    if !selection.conversations.is_empty() {
        parts.push(format!("{} gesprekken die u noemde", selection.conversations.len()));
    }
    let form = match content.form {
        Form::View => "inzage in de studiezaal",
        Form::Export => "een uitvoerbestand",
    };
    format!("Selectie: {}; vorm: {form}.", parts.join(", "))
}

impl Letter {
    /// The letter as a page: no script, no style of its own but what makes it readable on paper.
    #[must_use]
    pub fn to_html(&self) -> String {
        let mut body = format!("<h1>{}</h1>\n", escaped(&self.subject));
        for paragraph in &self.paragraphs {
            match paragraph {
                Paragraph::Heading(text) => body.push_str(&format!("<h2>{}</h2>\n", escaped(text))),
                Paragraph::Text(text) => body.push_str(&format!("<p>{}</p>\n", escaped(text))),
                Paragraph::List(items) => {
                    body.push_str("<ul>\n");
                    items.iter().for_each(|item| body.push_str(&format!("<li>{}</li>\n", escaped(item))));
                    body.push_str("</ul>\n");
                }
            }
        }
        let title = escaped(&self.subject);
        format!(
            "<!doctype html>\n<html lang=\"nl\">\n<head>\n<meta charset=\"utf-8\">\n<title>{title}</title>\n</head>\n\
             <body>\n<main>\n{body}</main>\n</body>\n</html>\n"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::grant_file::ResearchBases;
    use uuid::Uuid;

    fn written(decision: Decision<'_>) -> String {
        let own = include_str!("../../../policies/research-bases.yaml");
        let bases = ResearchBases::load("research-bases.yaml", own).unwrap();
        let content: Content = serde_json::from_value(serde_json::json!({
            "organisation": "min-low", "question": "Vragen over <script>alert(1)</script>?", "purpose": "Proefschrift",
            "legalBasis": "woo-5.7", "institution": "Universiteit van Ergens",
            "selection": { "channels": ["low-mastodon"], "from": "2026-03-01" }, "form": "view", "plan": "researcher"
        }))
        .unwrap();
        let at = |day: &str| format!("{day}T09:00:00Z").parse().unwrap();
        let matter = Matter {
            request: RequestId::from_uuid(Uuid::from_u128(7)),
            organisation: &"min-low".parse().unwrap(),
            organisation_name: "het Ministerie van Leefomgeving en Water",
            content: &content,
            basis: bases.find(&content.legal_basis).unwrap(),
            asked_at: at("2026-11-02"),
            decided_at: at("2026-11-20"),
            motivation: "De vraag is van belang & de selectie is beperkt.",
        };
        letter(&matter, decision).to_html()
    }

    #[test]
    fn an_approval_has_motivation_conditions_and_the_clause_on_objection() {
        let until = "2027-11-20T00:00:00Z".parse().unwrap();
        let html =
            written(Decision::Approved { until, conditions: &["U meldt publicaties vooraf.".to_owned()] });
        for part in [
            "toegewezen",
            "belang &amp; de selectie",
            "verspreidt u niet verder",
            "meldt publicaties",
            "binnen zes weken",
            "2027-11-20",
            "vanaf 2026-03-01",
            "00000000-0000-0000-0000-000000000007",
        ] {
            assert!(html.contains(part), "{part}: {html}");
        }
        assert!(!html.contains("<script>"), "what a researcher wrote is text");
    }

    #[test]
    fn a_refusal_has_no_conditions_and_can_be_objected_to() {
        let html = written(Decision::Refused);
        assert!(
            html.contains("afgewezen") && html.contains("binnen zes weken") && !html.contains("Voorwaarden")
        );
    }
}
