//! What a target makes of the bytes it is given.

use crate::detect::Participant;
use crate::model::SubjectRef;

/// A text and the people of its conversation: parts of the input between zero bytes, the text first, then handle and
/// name of each. The third person, when there is one, is the organisation.
pub struct Conversation {
    /// The text.
    pub text: String,
    people: Vec<(String, String)>,
}

impl Conversation {
    /// Reads any bytes; what is no UTF-8 is replaced.
    pub fn of(data: &[u8]) -> Self {
        let mut parts = data.split(|b| *b == 0).map(|part| String::from_utf8_lossy(part).into_owned());
        let text = parts.next().unwrap_or_default();
        let people = std::iter::from_fn(|| Some((parts.next()?, parts.next()?))).take(PEOPLE_MAX).collect();
        Self { text, people }
    }

    /// The people, as the detector takes them.
    pub fn participants(&self) -> Vec<Participant<'_>> {
        self.people
            .iter()
            .zip(1..)
            .map(|((handle, display_name), n)| Participant {
                subject: SubjectRef::from_u32(n),
                handle,
                display_name,
                organisation: n == 3,
            })
            .collect()
    }
}

const PEOPLE_MAX: usize = 8;
