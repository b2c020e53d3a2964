//! Text about people, on its way from a capture to a seal or a projection.

use serde::Deserialize;
use std::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Text that may hold personal data: no `Clone`, no `Display`, no `Serialize`; `Debug` hides it;
/// the memory is wiped on drop. It does not guard against what a caller does with [`expose`](Self::expose).
#[derive(Zeroize, ZeroizeOnDrop, Deserialize, PartialEq, Eq, Default)]
#[serde(transparent)]
pub struct PrivateText(String);

impl PrivateText {
    /// Takes ownership of the text.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself. Every call is a place a reviewer should look at.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether there is no text.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&str> for PrivateText {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for PrivateText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateText(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_hides_the_text() {
        assert_eq!(format!("{:?}", PrivateText::from("Fatima")), "PrivateText(..)");
    }
}
