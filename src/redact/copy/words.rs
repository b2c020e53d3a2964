//! The words that go with a copy: a page for people in Dutch and English, and the data dictionary.

use super::columns::COLUMNS;
use crate::redact::{Plan, QuasiIdentifier, SmallGroup, SmallGroups};
use std::fmt::Write;

/// What the page says of one copy.
#[derive(Debug)]
pub struct About<'a> {
    /// Whose records.
    pub organisation: &'a str,
    /// Under which plan.
    pub plan: &'a Plan,
    /// When it was built.
    pub built_at: &'a str,
    /// Rows in it.
    pub rows: u64,
    /// How many records are left out: few are not counted out.
    pub left_out: u64,
    /// How few people a row may point at.
    pub groups: &'a SmallGroups,
}

/// Left-out records below this are not counted out.
const SMALL: u64 = 10;

fn few(count: u64) -> String {
    if (1..SMALL).contains(&count) { format!("<{SMALL}") } else { count.to_string() }
}

/// The page for people.
#[must_use]
pub fn readme(about: &About<'_>) -> String {
    let mut page = String::new();
    let (nl, en) = (over(about.groups, true), over(about.groups, false));
    let k = about.groups.k;
    let (then_nl, then_en) = match about.groups.then {
        SmallGroup::Suppress => (
            "zijn tijden en ruimere waarden verbreed; wat klein bleef, is weggelaten",
            "times and wider values were widened; what stayed small is left out",
        ),
        SmallGroup::Refuse => ("is de uitvoer geweigerd", "the export was refused"),
    };
    let _ = write!(
        page,
        "# Gelakte kopie / Redacted copy\n\n\
         ## Nederlands\n\n\
         Gelakte berichten van `{organisation}`, gemaakt op {at}: {rows} rijen, {left} weggelaten.\n\
         Redactieplan: {title_nl} (`{plan}`).\n\n\
         - **Dezelfde rijen in drie vormen**: `records-*.jsonl` (een JSON-object per regel), `records-*.csv` (UTF-8, met kopregel) en\n  \
           `records-*.parquet`. Wat elke kolom betekent, staat in `data-dictionary.csv`.\n\
         - **Namen**: `id`, `conversation`, `replyTo` en pseudoniemen zijn voor deze toekenning getrokken en vervallen met haar. Koppel ze\n  \
           niet aan andere kopieën.\n\
         - **Kleine groepen**: over {nl} staan achter elke groep van burgers ten minste {k} mensen. Waar dat niet zo was, {then_nl}. Vrije\n  \
           tekst telt daarin **niet** mee: letterlijke tekst is in een zoekmachine terug te vinden, en lakken verhelpt dat niet.\n\
         - **Nagaan**: `knik verify --export MAP --key SLEUTELS` vergelijkt elk bestand met `manifest.json` en de bewijzen met het register.\n\
         - Voorwaarden en einddatum staan in het besluit op de aanvraag. Vernietig de kopie voor die datum en verklaar dat.\n\n\
         ## English\n\n\
         Redacted items of `{organisation}`, built at {at}: {rows} rows, {left} left out.\n\
         Redaction plan: {title_en} (`{plan}`).\n\n\
         - **The same rows in three forms**: `records-*.jsonl` (one JSON object a line), `records-*.csv` (UTF-8, with a heading) and\n  \
           `records-*.parquet`. What each column means stands in `data-dictionary.csv`.\n\
         - **Names**: `id`, `conversation`, `replyTo` and pseudonyms are drawn for this grant and lapse with it. Do not join them to other\n  \
           copies.\n\
         - **Small groups**: over {en}, at least {k} people stand behind each group of citizens. Where that was not so, {then_en}. Free\n  \
           text is **not** counted: verbatim text can be found back with a search engine, and redaction does not cure that.\n\
         - **Checking**: `knik verify --export FOLDER --key KEYS` compares each file with `manifest.json` and the receipts with the ledger.\n\
         - Conditions and end stand in the decision on the request. Destroy the copy before that day, and state that you did.\n",
        organisation = about.organisation,
        at = about.built_at,
        rows = about.rows,
        left = few(about.left_out),
        title_nl = about.plan.title().nl,
        title_en = about.plan.title().en,
        plan = about.plan.id(),
    );
    page
}

fn over(groups: &SmallGroups, dutch: bool) -> String {
    let word = |one: &QuasiIdentifier| match (one, dutch) {
        (QuasiIdentifier::Time, true) => "tijd",
        (QuasiIdentifier::Time, false) => "time",
        (QuasiIdentifier::Place, true) => "plaats (kanaal en ruimere waarden)",
        (QuasiIdentifier::Place, false) => "place (channel and wider values)",
        (QuasiIdentifier::AccountKind, true) => "soort account",
        (QuasiIdentifier::AccountKind, false) => "kind of account",
    };
    groups.over.iter().map(word).collect::<Vec<_>>().join(", ")
}

/// The data dictionary, as CSV.
#[must_use]
pub fn dictionary() -> String {
    let mut table = "column,type,nl,en\n".to_owned();
    for column in COLUMNS {
        let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        let _ = writeln!(
            table,
            "{},{},{},{}",
            column.name,
            column.kind.as_str(),
            quoted(column.nl),
            quoted(column.en)
        );
    }
    table
}
