//! The columns of every form of a copy, in their order, with what they mean.

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// Text, or nothing.
    Text,
    /// A whole number.
    Number,
    /// True or false.
    Flag,
}

impl ColumnKind {
    /// The word in the data dictionary.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Flag => "flag",
        }
    }
}

/// One column.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Its name, alike in every form.
    pub name: &'static str,
    /// What it holds.
    pub kind: ColumnKind,
    /// What it means, in Dutch.
    pub nl: &'static str,
    /// The same in English.
    pub en: &'static str,
}

/// One value of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell<'r> {
    /// Text, or nothing.
    Text(Option<&'r str>),
    /// A whole number.
    Number(i64),
    /// True or false.
    Flag(bool),
}

const fn text(name: &'static str, nl: &'static str, en: &'static str) -> Column {
    Column { name, kind: ColumnKind::Text, nl, en }
}

/// Every column, in order.
pub const COLUMNS: &[Column] = &[
    text(
        "id",
        "Naam van het bericht, alleen voor deze toekenning getrokken.",
        "Name of the item, drawn for this grant alone.",
    ),
    text(
        "conversation",
        "Naam van het gesprek, alleen voor deze toekenning.",
        "Name of the conversation, for this grant alone.",
    ),
    Column {
        name: "position",
        kind: ColumnKind::Number,
        nl: "Plaats in het gesprek, vanaf 0; plaatsen die ontbreken, zitten niet in de selectie of zijn weggelaten.",
        en: "Place in the conversation, from 0; places that are missing are not in the selection, or left out.",
    },
    text(
        "replyTo",
        "Naam van het bericht waarop dit een antwoord is, als dat in de selectie zit.",
        "Name of the item that it answers, when that is in the selection.",
    ),
    text(
        "time",
        "Wanneer het geplaatst is, in UTC, zo precies als `timePrecision` zegt.",
        "When it was posted, in UTC, as exactly as `timePrecision` says.",
    ),
    text(
        "timePrecision",
        "hour, day, month, year of none: ruimer dan het plan waar te weinig mensen achter een rij stonden.",
        "hour, day, month, year or none: wider than the plan where too few people stood behind a row.",
    ),
    text("channel", "Kanaal van de organisatie.", "Channel of the organisation."),
    text("platform", "Platform.", "Platform."),
    text("kind", "post, reaction of message.", "post, reaction or message."),
    text("visibility", "public of unlisted.", "public or unlisted."),
    text("language", "Taal, zoals het platform die opgeeft.", "Language, as the platform gives it."),
    Column {
        name: "edited",
        kind: ColumnKind::Flag,
        nl: "Of het gewijzigd is.",
        en: "Whether it was edited.",
    },
    text(
        "mediaKinds",
        "Soorten bijlagen, met een spatie ertussen.",
        "Kinds of attachments, with a space between.",
    ),
    text("authorRole", "organisation of citizen.", "organisation or citizen."),
    text(
        "author",
        "Pseudoniem van de schrijver, alleen voor deze toekenning en dit gesprek.",
        "Pseudonym of the author, for this grant and conversation alone.",
    ),
    text("outcome", "Wat er met het bericht gebeurt.", "What happens to the item."),
    text("tree", "Volgens welke beslisboom.", "By which decision tree."),
    text("treeVersion", "Volgens welke versie daarvan.", "By which version of it."),
    text(
        "redactions",
        "Soorten persoonsgegevens die gelakt zijn, met een spatie ertussen, in de volgorde van de tekst.",
        "Kinds of personal data that are redacted, with a space between, in the order of the text.",
    ),
    text(
        "text",
        "De gelakte tekst; leeg onder een plan zonder tekst.",
        "The redacted text; empty under a plan without text.",
    ),
    text("contentWarning", "De waarschuwing vooraf, gelakt.", "The warning before it, redacted."),
    text(
        "pollOptions",
        "Keuzen van een peiling, gelakt, een per regel.",
        "Choices of a poll, redacted, one a line.",
    ),
    text(
        "altTexts",
        "Beschrijvingen van beeld, gelakt, een per regel.",
        "Descriptions of pictures, redacted, one a line.",
    ),
    text(
        "wider",
        "Ruimere waarden die het plan toont, met een spatie ertussen.",
        "Wider values that the plan shows, with a space between.",
    ),
    text(
        "ruleset",
        "Versie van de regels waarmee gelakt is.",
        "Version of the rules by which it was redacted.",
    ),
];
