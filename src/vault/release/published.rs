//! The rows as they are written from what is published for a grant: what the reading room sent up must be these.

use crate::model::{GrantId, SubjectRef};
use crate::redact::copy::{CopyRow, Given, GrantMade, Named};
use crate::redact::{Language, Plan, Precision, Projection, render};
use crate::store::StoreError;
use crate::store::room::ExportRecord;
use crate::vault::cores::on_every_core;
use crate::vault::{Archive, Rules, VaultError};
use std::collections::HashMap;

/// The row of each record that is not left out, by the grant's name for it.
pub(super) async fn rows(
    archive: &Archive,
    rules: &Rules,
    (grant, plan): (GrantId, &Plan),
    records: Vec<ExportRecord>,
) -> Result<HashMap<String, CopyRow>, VaultError> {
    let mut named = Vec::with_capacity(records.len());
    for mut one in records {
        if one.less.as_ref().is_some_and(|less| less.left_out) {
            continue;
        }
        let names = match one.record.names.take() {
            Some(names) => names,
            None => archive.room.pseudonyms(grant, one.record.conversation).await?,
        };
        named.push((one, names));
    }
    let rows = on_every_core(&named, |(one, names)| row(rules, plan, one, names));
    rows.into_iter().collect()
}

/// The row of one record, by the grant's name for it.
fn row(
    rules: &Rules,
    plan: &Plan,
    ExportRecord { record, position, parent, less, .. }: &ExportRecord,
    names: &HashMap<SubjectRef, String>,
) -> Result<(String, CopyRow), VaultError> {
    let projection: Projection =
        serde_json::from_str(&record.document).map_err(|_| StoreError::Corrupt { what: "projection" })?;
    let made = match &record.values {
        Some(json) => {
            serde_json::from_str(json).map_err(|_| StoreError::Corrupt { what: "value of a grant" })?
        }
        None => GrantMade::default(),
    };
    let no_values = less.as_ref().is_some_and(|less| less.no_values);
    let given = Given { names, wider: if no_values { &[] } else { &made.wider } };
    let named = Named {
        id: record.reference,
        conversation: record.conversation_reference,
        position: *position,
        reply_to: *parent,
    };
    let view = render(&projection, plan, &rules.exemptions, &given, Language::Dutch);
    let most = less.as_ref().map_or(Precision::Hour, |less| less.time);
    let row = CopyRow::of(named, &view, plan, made.time.as_deref(), most);
    Ok((record.reference.to_string(), row))
}
