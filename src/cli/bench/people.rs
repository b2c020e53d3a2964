//! The people of the conversation that all posts are taken to belong to. Invented.

use crate::detect::{Participant, Participants};
use crate::model::SubjectRef;

/// Eight participants, compiled; the first is the organisation.
pub(super) fn participants() -> Participants {
    let people: Vec<Participant<'_>> = PEOPLE
        .iter()
        .zip(1..)
        .map(|((handle, display_name), number)| Participant {
            subject: SubjectRef::from_u32(number),
            handle,
            display_name,
            organisation: number == 1,
        })
        .collect();
    Participants::of(&people)
}

const PEOPLE: &[(&str, &str)] = &[
    ("minvoorbeeld", "Ministerie van Voorbeelden"),
    ("joke_kwast", "Joke Kwast"),
    ("h.veldhuizen88", "Henk van Veldhuizen"),
    ("yasmina.elb", "Yasmina el Bakkali"),
    ("bozeburger", "Boze Burger 😡"),
    ("pkowal", "Piotr Kowalczyk"),
    ("toeslag", "toeslag"),
    ("ans_op_de_fiets@sociaal.voorbeeld", "Ans"),
];
