//! `POST /analyze`: what is found in a text, or in each of a list of texts.

use super::analyze_request::{AnalyzeRequest, Threshold};
use super::body::{self, BodyFault};
use super::{Detector, Refusal};
use crate::detect::adhoc::{AdHocRecogniser, Analysis, Explanation, Found, in_code_points};
use actix_web::web::{self, Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::Value;
use std::time::{Duration, Instant};

/// Longest time that patterns of one request may take.
const TIME_MAX: Duration = Duration::from_secs(20);

/// One finding as Presidio's service gives it: in the order of the names.
#[derive(Serialize)]
struct Shown {
    analysis_explanation: Option<ShownExplanation>,
    end: usize,
    entity_type: String,
    score: f64,
    start: usize,
}

#[derive(Serialize)]
struct ShownExplanation {
    original_score: f64,
    pattern: Option<String>,
    pattern_name: Option<String>,
    recognizer: String,
    regex_flags: Option<i64>,
    score: f64,
    score_context_improvement: f64,
    supportive_context_word: String,
    textual_explanation: String,
    validation_result: Option<bool>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Answer {
    One(Vec<Shown>),
    Many(Vec<Vec<Shown>>),
}

/// Finds. The work is done on a thread of its own, so that a long text holds up nobody else.
pub(super) async fn analyze(
    request: HttpRequest,
    payload: Payload,
    detector: Data<Detector>,
) -> Result<HttpResponse, Refusal> {
    let body = match body::json(&request, payload).await {
        Ok(body) => body,
        Err(BodyFault::Refused(refusal)) => return Err(refusal),
        Err(BodyFault::MediaType | BodyFault::NotJson) => return Err(Refusal::internal()),
    };
    let done = web::block(move || answer(&body, &detector)).await;
    Ok(HttpResponse::Ok().json(done.map_err(|_| Refusal::internal())??))
}

fn answer(body: &Value, detector: &Detector) -> Result<Answer, Refusal> {
    let began = Instant::now();
    let asked = AnalyzeRequest::read(body)?;
    let longest = asked.texts.iter().map(String::len).max().unwrap_or(0);
    let adhoc = AdHocRecogniser::compile(&asked.adhoc, longest)?;
    let analysis = Analysis {
        ruleset: &detector.ruleset,
        adhoc: &adhoc,
        language: asked.language,
        entities: asked.entities.as_deref(),
        context: &asked.context,
        allow: asked.allow.as_ref(),
    };
    let least = match asked.threshold {
        Threshold::Score(score) => score,
        Threshold::Incomparable(_) => 0.0,
    };
    let mut all = Vec::with_capacity(asked.texts.len());
    for text in &asked.texts {
        let found = analysis.run(text, least, &|| began.elapsed() < TIME_MAX)?;
        if let (Threshold::Incomparable(kind), false) = (&asked.threshold, found.is_empty()) {
            return Err(Refusal::type_error(format!(
                "'>=' not supported between instances of 'float' and '{kind}'"
            )));
        }
        all.push(shown(text, &found, asked.explain));
    }
    Ok(if asked.many { Answer::Many(all) } else { Answer::One(all.pop().unwrap_or_default()) })
}

fn shown(text: &str, found: &[Found], explain: bool) -> Vec<Shown> {
    let places = in_code_points(text, found);
    let one = |(found, (start, end)): (&Found, (usize, usize))| Shown {
        analysis_explanation: explain.then(|| (&found.explanation).into()),
        end,
        entity_type: found.entity.to_string(),
        score: found.score,
        start,
    };
    found.iter().zip(places).map(one).collect()
}

impl From<&Explanation> for ShownExplanation {
    fn from(given: &Explanation) -> Self {
        Self {
            original_score: given.original_score,
            pattern: given.pattern.as_deref().map(str::to_owned),
            pattern_name: given.pattern_name.as_deref().map(str::to_owned),
            recognizer: given.recognizer.to_string(),
            regex_flags: given.regex_flags,
            score: given.score,
            score_context_improvement: given.score_context_improvement,
            supportive_context_word: given.supportive_context_word.to_string(),
            textual_explanation: given.textual_explanation.to_string(),
            validation_result: given.validation_result,
        }
    }
}
