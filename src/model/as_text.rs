//! What every term that is a text has: how it is read from one, written as one and shown.

/// For a type with `FromStr` and `as_str`.
macro_rules! as_text {
    ($name:ident) => {
        impl TryFrom<String> for $name {
            type Error = ModelError;
            fn try_from(given: String) -> Result<Self, ModelError> {
                given.parse()
            }
        }

        impl From<$name> for String {
            fn from(term: $name) -> Self {
                term.as_str().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.as_str())
            }
        }
    };
}

pub(super) use as_text;
