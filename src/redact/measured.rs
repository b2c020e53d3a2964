//! How much of what should be found was found, as it was measured: data of `policies/measured.yaml`, told with its source.

use serde::{Deserialize, Serialize};

/// What was measured of the detector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// Of this file.
    version: String,
    /// The figures.
    measured: Vec<Figure>,
    /// What must be said beside them.
    caveat: Words,
}

/// One figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// A code.
    pub what: String,
    /// In Dutch.
    pub nl: String,
    /// In English.
    pub en: String,
    /// At least this share, 0 to 1.
    #[serde(rename(serialize = "shareMin"))]
    pub share_min: f64,
    /// Where it was measured, on what.
    pub source: String,
}

/// Words in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// In Dutch.
    pub nl: String,
    /// In English.
    pub en: String,
}

/// The file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MeasuredError {
    /// It is not what it should be.
    #[error("{file}: {why}")]
    File {
        /// Which file.
        file: String,
        /// What is wrong, with its place and the mend.
        why: String,
    },
}

impl Measured {
    /// Reads the file.
    ///
    /// # Errors
    /// [`MeasuredError`] names the file and what is wrong: a share outside 0 to 1, a figure without a source, no figure at all.
    pub fn load(file: &str, text: &str) -> Result<Self, MeasuredError> {
        let wrong = |why: String| MeasuredError::File { file: file.to_owned(), why };
        let read: Self = serde_saphyr::from_str(text).map_err(|error| wrong(error.to_string()))?;
        if read.measured.is_empty() {
            return Err(wrong("no figure: say what was measured, or that nothing was".to_owned()));
        }
        for figure in &read.measured {
            if !(0.0..=1.0).contains(&figure.share_min) {
                return Err(wrong(format!("`{}`: share_min must be 0 to 1", figure.what)));
            }
            if figure.source.trim().is_empty() {
                return Err(wrong(format!("`{}`: a figure needs its source", figure.what)));
            }
        }
        Ok(read)
    }

    /// The figures.
    #[must_use]
    pub fn figures(&self) -> &[Figure] {
        &self.measured
    }

    /// What must be said beside them.
    #[must_use]
    pub const fn caveat(&self) -> &Words {
        &self.caveat
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_without_source_or_bounds_is_refused() {
        let file = |share: &str, source: &str| {
            format!(
                "version: '1'\nmeasured: [{{what: a, nl: b, en: c, share_min: {share}, source: '{source}'}}]\ncaveat: {{nl: d, en: e}}\n"
            )
        };
        assert_eq!(Measured::load("m.yaml", &file("0.5", "here")).unwrap().figures().len(), 1);
        for (text, part) in [
            (file("1.5", "here"), "0 to 1"),
            (file("0.5", " "), "source"),
            ("version: '1'\nmeasured: []\ncaveat: {nl: d, en: e}\n".to_owned(), "no figure"),
            ("version: '1'\n".to_owned(), "m.yaml"),
        ] {
            let error = Measured::load("m.yaml", &text).unwrap_err().to_string();
            assert!(error.contains(part), "{part}: {error}");
        }
    }
}
