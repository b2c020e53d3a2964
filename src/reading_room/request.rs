//! Requests for copies, as researchers make them: checked here, handed up, and seen again when the vault has taken them up.

use super::{ReaderClaims, ReadingError, ReadingRoom};
use crate::access::grant_file::{Content, Form, Limits, ResearchBases, after, is_researchers};
use crate::access::{Action, Resource};
use crate::model::{OrganisationId, RequestId, RequestState, RequestStep, Timestamp};
use crate::redact::CopyForm;
use crate::store::inbox::{HandedIn, Message, RoomEventKind};
use serde_json::Value;

/// A step that a researcher takes.
#[derive(Debug, Clone)]
pub struct Taking {
    /// Which.
    pub step: RequestStep,
    /// What the request says, when it is written anew.
    pub content: Option<Content>,
    /// An answer, a reason, a statement.
    pub text: String,
    /// Until when, when more time is asked for.
    pub until: Option<Timestamp>,
}

impl ReadingRoom {
    /// The bases on which a researcher may ask.
    #[must_use]
    pub fn research_bases(&self) -> &ResearchBases {
        &self.research
    }

    /// What the reader may see of their requests, those that changed last first.
    ///
    /// # Errors
    /// [`ReadingError`]; a refusal is recorded.
    pub async fn requests(&self, claims: &ReaderClaims) -> Result<Vec<Value>, ReadingError> {
        self.may_request(claims, &claims.organisation).await?;
        let found = self.room.requests(&claims.issuer, &claims.subject).await?;
        Ok(found.iter().filter_map(|json| serde_json::from_str(json).ok()).collect())
    }

    /// What the reader may see of one request of theirs.
    ///
    /// # Errors
    /// [`ReadingError::Absent`] when they have none of that id; a refusal is recorded.
    pub async fn request(&self, claims: &ReaderClaims, id: RequestId) -> Result<Value, ReadingError> {
        Ok(self.own_request(claims, id).await?.0)
    }

    /// The letter of the decision on a request of the reader's own (HTML), and when it was decided.
    ///
    /// # Errors
    /// [`ReadingError::Absent`] also while nothing is decided; a refusal is recorded.
    pub async fn letter(
        &self,
        claims: &ReaderClaims,
        id: RequestId,
    ) -> Result<(String, Timestamp), ReadingError> {
        let (known, _) = self.own_request(claims, id).await?;
        let steps = known.get("steps").and_then(Value::as_array);
        let written = steps.into_iter().flatten().rev().find_map(|step| {
            let letter = step.get("said")?.get("letter")?.as_str()?;
            Some((letter.to_owned(), step.get("at")?.as_str()?.parse().ok()?))
        });
        written.ok_or(ReadingError::Absent)
    }

    /// Writes a new request. It is handed up, and stands among the reader's requests once the vault has taken it up.
    ///
    /// # Errors
    /// [`ReadingError::Fields`] names everything that is wrong with it; a refusal is recorded.
    pub async fn write_request(
        &self,
        claims: &ReaderClaims,
        id: RequestId,
        content: Content,
    ) -> Result<(), ReadingError> {
        let at = self.may_request(claims, &content.organisation).await?;
        self.check(&content, at)?;
        self.hand_up(
            claims,
            id,
            Taking { step: RequestStep::Write, content: Some(content), text: String::new(), until: None },
            at,
        )
        .await
    }

    /// Takes a step with a request of the reader's own.
    ///
    /// # Errors
    /// [`ReadingError::Absent`] when they have none of that id; [`ReadingError::Input`] when the step does not follow on where
    /// it stands; [`ReadingError::Fields`].
    pub async fn step_request(
        &self,
        claims: &ReaderClaims,
        id: RequestId,
        taking: Taking,
    ) -> Result<(), ReadingError> {
        let at = self.may_request(claims, &claims.organisation).await?;
        let known =
            self.room.request(&claims.issuer, &claims.subject, id).await?.ok_or(ReadingError::Absent)?;
        let known: Value = serde_json::from_str(&known).map_err(|_| ReadingError::Absent)?;
        let state: Option<RequestState> =
            known.get("state").and_then(Value::as_str).and_then(|word| word.parse().ok());
        let state = state.ok_or(ReadingError::Absent)?;
        if !is_researchers(taking.step) {
            return Err(ReadingError::Input(format!("step `{}` is not yours to take", taking.step)));
        }
        after(state, taking.step).map_err(|not_now| ReadingError::Input(not_now.to_string()))?;
        match (taking.step, &taking.content) {
            (RequestStep::Write, None) => {
                return Err(ReadingError::Input("step `write` needs `content`".to_owned()));
            }
            (RequestStep::Write, Some(content)) => self.check(content, at)?,
            (_, Some(_)) => {
                return Err(ReadingError::Input("`content` goes with step `write` only".to_owned()));
            }
            (RequestStep::Answer | RequestStep::AskExtension | RequestStep::StateDeletion, None)
                if taking.text.trim().is_empty() =>
            {
                return Err(ReadingError::Input(format!("step `{}` needs `text`", taking.step)));
            }
            _ => {}
        }
        if taking.text.chars().count() > Limits::default().text_chars_max {
            let most = Limits::default().text_chars_max;
            return Err(ReadingError::Input(format!("`text` is longer than {most} characters")));
        }
        self.hand_up(claims, id, taking, at).await
    }

    /// A request of the reader's own, and the moment that was judged. That there is none is recorded as a refusal is.
    async fn own_request(
        &self,
        claims: &ReaderClaims,
        id: RequestId,
    ) -> Result<(Value, Timestamp), ReadingError> {
        let at = self.may_request(claims, &claims.organisation).await?;
        let found = self.room.request(&claims.issuer, &claims.subject, id).await?;
        match found.and_then(|json| serde_json::from_str(&json).ok()) {
            Some(known) => Ok((known, at)),
            None => {
                let visit = self.visit(claims, None).await?;
                self.tell(&visit, RoomEventKind::Denied, Vec::new(), vec!["request-absent".to_owned()])
                    .await?;
                Err(ReadingError::Absent)
            }
        }
    }

    /// Whether the reader may ask an organisation for copies; the moment that was judged.
    pub(super) async fn may_request(
        &self,
        claims: &ReaderClaims,
        organisation: &OrganisationId,
    ) -> Result<Timestamp, ReadingError> {
        let visit = self.visit(claims, None).await?;
        let registry = Resource::Registry { organisation: organisation.clone() };
        self.decide(&visit, Action::RequestGrant, &registry).await?;
        Ok(visit.at)
    }

    fn check(&self, content: &Content, at: Timestamp) -> Result<(), ReadingError> {
        let form = copy_form(content.form);
        let plans = |plan: &str| self.plans.offers(plan, form);
        let problems = content.problems(&self.research, &plans, Limits::default(), at);
        if problems.is_empty() {
            return Ok(());
        }
        Err(ReadingError::Fields(problems.iter().map(ToString::to_string).collect()))
    }

    async fn hand_up(
        &self,
        claims: &ReaderClaims,
        request: RequestId,
        taking: Taking,
        at: Timestamp,
    ) -> Result<(), ReadingError> {
        let step = HandedIn {
            request,
            step: taking.step,
            issuer: claims.issuer.clone(),
            subject: claims.subject.clone(),
            content: taking.content,
            text: taking.text,
            until: taking.until,
        };
        Ok(self.inbox.append(Message::handed_in(&step, at)).await?)
    }
}

/// The form of a request, as redaction plans name it.
const fn copy_form(form: Form) -> CopyForm {
    match form {
        Form::View => CopyForm::View,
        Form::Export => CopyForm::Export,
    }
}
