//! How many at once: refused outside its bounds, not bent.

use serde::Deserialize;

/// A number of things on one page, 1 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u32")]
pub(super) struct PageSize(u32);

/// Most things of one page.
const MOST: u32 = 100;

impl PageSize {
    /// The number.
    pub(super) const fn get(self) -> u32 {
        self.0
    }
}

impl Default for PageSize {
    fn default() -> Self {
        Self(20)
    }
}

impl TryFrom<u32> for PageSize {
    type Error = String;
    fn try_from(asked: u32) -> Result<Self, String> {
        if (1..=MOST).contains(&asked) { Ok(Self(asked)) } else { Err(format!("must be 1 to {MOST}")) }
    }
}
