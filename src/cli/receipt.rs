//! `knik receipt`: proof of a decision, to be given away and checked offline.

use super::control::Order;
use super::folder::DataFolder;
use crate::model::RecordId;
use crate::vault::decision_receipt;
use anyhow::Result;
use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What can be typed.
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
pub(super) struct ReceiptArguments {
    /// Which record.
    #[arg(long)]
    record: RecordId,
    /// Not the newest decision but the one so many before it.
    #[arg(long, default_value_t = 0)]
    before: u16,
}

impl ReceiptArguments {
    pub(super) fn order(self) -> Order {
        Order::Receipt(self)
    }
}

/// Carries the order out.
///
/// # Errors
/// When there is no such decision, or it was made before decisions were committed to.
pub(super) async fn execute(folder: &DataFolder, asked: ReceiptArguments) -> Result<Value> {
    // Beside a running service entries are numbered within a second; without one it is done here.
    crate::vault::sequence::number(&folder.archive).await?;
    let receipt =
        decision_receipt::of_record(&folder.archive, asked.record, usize::from(asked.before)).await?;
    Ok(json!(receipt))
}
