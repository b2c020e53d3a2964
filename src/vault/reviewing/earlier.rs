//! What readers saw of a record before it was assessed.

use crate::access::{Action, Actor, Resource};
use crate::model::RecordId;
use crate::vault::{Archive, Rules, VaultError, bodies, read};
use serde_json::{Value, json};

/// What readers saw of a record before each assessment that held, the latest first, with reason and weighing. For staff who read
/// the record's views; recorded before it is answered.
///
/// # Errors
/// [`VaultError::Absent`] and [`VaultError::Refused`] as for any view of the vault; storage and key errors.
pub async fn earlier(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    record: RecordId,
) -> Result<Value, VaultError> {
    let organisation = archive.catalogue.owner(record).await?.unwrap_or_else(read::nobody);
    let resource = Resource::VaultRecord { organisation: organisation.clone(), assigned: None };
    read::authorise(archive, rules, actor, Action::ReadVaultView, &resource).await?;
    read::viewed(archive, actor, [record].into_iter()).await?;
    let mut shown = Vec::new();
    for one in archive.catalogue.assessments_of(&organisation, record).await? {
        let body = bodies::read(archive, &organisation, one.entry).await?;
        let body: Value = body.and_then(|body| serde_json::from_str(&body).ok()).unwrap_or(Value::Null);
        let part = |name: &str| body.get(name).cloned().unwrap_or(Value::Null);
        shown.push(json!({
            "entry": one.entry.to_string(), "actor": one.actor, "at": one.said_at,
            "reason": part("reason"), "weighing": part("weighing"), "before": part("before"),
        }));
    }
    Ok(json!({ "record": record, "versions": shown }))
}
