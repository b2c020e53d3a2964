//! `POST /anonymize` and `POST /deanonymize`: operators on what a client found.

use super::Refusal;
use super::body::{self, BodyFault, bounded};
use crate::redact::presidio_operators::python::{is_true, text, type_name, wrong_type};
use crate::redact::presidio_operators::{
    self, Configuration, Configurations, Operated, OperatorError, Recognised, Target,
};
use actix_web::web::{self, Payload};
use actix_web::{HttpRequest, HttpResponse};
use aws_lc_rs::rand;
use serde_json::{Map, Value};

/// Replaces what a client found.
pub(super) async fn anonymize(request: HttpRequest, payload: Payload) -> Result<HttpResponse, Refusal> {
    answer(&request, payload, anonymized).await
}

/// Puts back what was encrypted.
pub(super) async fn deanonymize(request: HttpRequest, payload: Payload) -> Result<HttpResponse, Refusal> {
    answer(&request, payload, deanonymized).await
}

/// Reads an object, has it worked on, and gives the result.
async fn answer(
    request: &HttpRequest,
    payload: Payload,
    work: fn(&Map<String, Value>) -> Result<Operated, Refusal>,
) -> Result<HttpResponse, Refusal> {
    let body = match body::json(request, payload).await {
        Ok(body) if is_true(&body) => body,
        Ok(_) => return Err(Refusal::new(400, "Invalid request json")),
        Err(BodyFault::Refused(refusal)) => return Err(refusal),
        Err(BodyFault::MediaType) => return Err(Refusal::media_type()),
        Err(BodyFault::NotJson) => return Err(Refusal::not_understood()),
    };
    let done = web::block(move || work(body.as_object().ok_or(OperatorError::Failed)?)).await;
    Ok(HttpResponse::Ok().json(done.map_err(|_| Refusal::from(OperatorError::Failed))??))
}

fn anonymized(fields: &Map<String, Value>) -> Result<Operated, Refusal> {
    let operators = configurations(fields.get("anonymizers"))?;
    if operators.values().any(|operator| operator.name() == "custom") {
        return Err(Refusal::new(400, "Custom type anonymizer is not supported"));
    }
    let results = match fields.get("analyzer_results") {
        None | Some(Value::Null) => {
            return Err(parameter("Invalid input, request must contain analyzer results".to_owned()).into());
        }
        Some(Value::Array(items)) => items.iter().map(recognised).collect::<Result<Vec<_>, _>>()?,
        // An empty text or object is iterated over without a step.
        Some(other) if matches!(other, Value::String(_) | Value::Object(_)) && !is_true(other) => Vec::new(),
        Some(_) => return Err(OperatorError::Failed.into()),
    };
    let mut failed = false;
    let mut random = || {
        let mut bytes = [0; 32];
        failed |= rand::fill(&mut bytes).is_err();
        bytes
    };
    let done = presidio_operators::anonymize(source(fields)?, results, &operators, &mut random)?;
    if failed { Err(OperatorError::Failed.into()) } else { Ok(done) }
}

fn deanonymized(fields: &Map<String, Value>) -> Result<Operated, Refusal> {
    let targets = match fields.get("anonymizer_results").filter(|value| is_true(value)) {
        None => Vec::new(),
        Some(Value::Array(items)) => items.iter().map(target).collect::<Result<Vec<_>, _>>()?,
        Some(_) => return Err(OperatorError::Failed.into()),
    };
    let operators = configurations(fields.get("deanonymizers"))?;
    Ok(presidio_operators::deanonymize(source(fields)?, targets, &operators)?)
}

/// The text to work on.
fn source(fields: &Map<String, Value>) -> Result<&str, Refusal> {
    match fields.get("text") {
        None => Ok(""),
        Some(Value::String(text)) => bounded(text).map(|()| text.as_str()),
        Some(Value::Null) => Err(OperatorError::Failed.into()),
        Some(other) => Err(parameter(wrong_type("text", Some("string"), other)).into()),
    }
}

fn configurations(given: Option<&Value>) -> Result<Configurations, OperatorError> {
    match given {
        None | Some(Value::Null) => Ok(Configurations::new()),
        Some(Value::Object(fields)) => {
            fields.iter().map(|(name, value)| Ok((name.clone(), Configuration::read(value)?))).collect()
        }
        Some(_) => Err(OperatorError::Failed),
    }
}

/// One of `analyzer_results`.
fn recognised(given: &Value) -> Result<Recognised, OperatorError> {
    let Target { start, end, entity_type } = target(given)?;
    match given.get("score") {
        None | Some(Value::Null) => {
            Err(parameter("Invalid input, analyzer result must contain score".to_owned()))
        }
        Some(Value::Bool(one)) => {
            Ok(Recognised { start, end, entity_type, score: Some(f64::from(u8::from(*one))) })
        }
        Some(score) => Ok(Recognised { start, end, entity_type, score: score.as_f64() }),
    }
}

/// A place and its type, checked in Presidio's order.
fn target(given: &Value) -> Result<Target, OperatorError> {
    let fields = given.as_object().ok_or(OperatorError::Failed)?;
    let start = place(fields, "start")?;
    let end = place(fields, "end")?;
    let entity = fields.get("entity_type").filter(|entity| is_true(entity));
    let entity =
        entity.ok_or_else(|| parameter("Invalid input, result must contain entity_type".to_owned()))?;
    let (start, end) = (start.ok_or(OperatorError::Failed)?, end.ok_or(OperatorError::Failed)?);
    if start < 0 || end < 0 {
        return Err(parameter("Invalid input, result start and end must be positive".to_owned()));
    }
    if start > end {
        return Err(parameter(format!(
            "Invalid input, start index '{start}' must be smaller than end index '{end}'"
        )));
    }
    let place = |n: i64| usize::try_from(n).unwrap_or(usize::MAX);
    Ok(Target { start: place(start), end: place(end), entity_type: text(entity) })
}

/// A whole number; none when Python lets the value through its check and fails on it later.
fn place(fields: &Map<String, Value>, name: &str) -> Result<Option<i64>, OperatorError> {
    match fields.get(name) {
        None | Some(Value::Null) => Err(parameter(format!("Invalid input, result must contain {name}"))),
        Some(Value::Bool(one)) => Ok(Some(i64::from(*one))),
        Some(Value::Number(number)) if type_name(&Value::Number(number.clone())) == "int" => {
            Ok(Some(number.as_i64().unwrap_or(i64::MAX)))
        }
        // 0.0 is false in Python, and is let through as a number.
        Some(Value::Number(number)) if number.as_f64() == Some(0.0) => Ok(Some(0)),
        Some(other) if is_true(other) => Err(parameter(wrong_type(name, Some("number"), other))),
        Some(_) => Ok(None),
    }
}

fn parameter(what: String) -> OperatorError {
    OperatorError::Parameter(what)
}
