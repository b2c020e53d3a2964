//! A request for redacted copies, from its first draft to the statement that every copy is gone: what it says, what may
//! happen to it when, and on which bases it can be made. Pure: who may take which step is for the policies.

mod bases;
mod content;
mod letter;
mod state;

pub use bases::{Condition, Form, ResearchBases, ResearchBasis};
pub use content::{Attachment, AttachmentKind, Content, FieldProblem, Limits, Selection, TeamMember};
pub use letter::{Decision, Letter, Matter, Paragraph, letter};
pub use state::{NotNow, after, has_grant, is_researchers};
