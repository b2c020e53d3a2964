//! The texts of generated reactions as posts, a line each: what the detector is measured on where nothing better is at hand.

use super::{Asked, table};
use crate::generate;
use anyhow::Result;
use serde::Deserialize;
use serde_json::json;
use std::borrow::Cow;

const SEED: u64 = 3;

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    data: Vec<Tweet<'a>>,
}

#[derive(Deserialize)]
struct Tweet<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    text: Cow<'a, str>,
}

/// Prints `{"id","text"}` for each reaction and each post above one.
///
/// # Errors
/// When a generated page is not what it should be.
pub fn print(asked: &Asked) -> Result<()> {
    let mut pages = Vec::new();
    generate::reactions(asked.count, SEED, &mut pages)?;
    for page in pages.split(|byte| *byte == b'\n').filter(|page| !page.is_empty()) {
        let page: Page<'_> = serde_json::from_slice(page)?;
        page.data
            .iter()
            .for_each(|tweet| table::line(&json!({ "id": tweet.id, "text": tweet.text }).to_string()));
    }
    Ok(())
}
