//! The rows as they are written from what is published for a grant: what the reading room sent up must be these.

use crate::model::GrantId;
use crate::redact::copy::{CopyRow, Given, GrantMade, Named};
use crate::redact::{Language, Plan, Precision, Projection, render};
use crate::store::StoreError;
use crate::store::room::ExportRecord;
use crate::vault::{Archive, Rules, VaultError};
use std::collections::HashMap;

/// The row of each record that is not left out, by the grant's name for it.
pub(super) async fn rows(
    archive: &Archive,
    rules: &Rules,
    (grant, plan): (GrantId, &Plan),
    records: Vec<ExportRecord>,
) -> Result<HashMap<String, CopyRow>, VaultError> {
    let mut rows = HashMap::with_capacity(records.len());
    for ExportRecord { record, position, parent, less, .. } in records {
        if less.as_ref().is_some_and(|less| less.left_out) {
            continue;
        }
        let projection: Projection =
            serde_json::from_str(&record.document).map_err(|_| StoreError::Corrupt { what: "projection" })?;
        let made = match &record.values {
            Some(json) => {
                serde_json::from_str(json).map_err(|_| StoreError::Corrupt { what: "value of a grant" })?
            }
            None => GrantMade::default(),
        };
        let names = match record.names {
            Some(names) => names,
            None => archive.room.pseudonyms(grant, record.conversation).await?,
        };
        let no_values = less.as_ref().is_some_and(|less| less.no_values);
        let given = Given { names: &names, wider: if no_values { &[] } else { &made.wider } };
        let named = Named {
            id: record.reference,
            conversation: record.conversation_reference,
            position,
            reply_to: parent,
        };
        let view = render(&projection, plan, &rules.exemptions, &given, Language::Dutch);
        let most = less.map_or(Precision::Hour, |less| less.time);
        rows.insert(
            record.reference.to_string(),
            CopyRow::of(named, &view, plan, made.time.as_deref(), most),
        );
    }
    Ok(rows)
}
