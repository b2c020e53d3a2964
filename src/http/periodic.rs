//! Routes of reports: counts over a period, and what other trees, profiles and plans would mean.

use super::body::Body;
use super::caller::Caller;
use super::headers::refuse;
use super::language::language;
use super::problem::Problem;
use super::vault::{VaultDesk, actor};
use crate::access::{Action, Actor, Resource};
use crate::vault::compare::{Comparison, compare_for};
use crate::vault::periodic::{self, Period};
use crate::vault::read;
use actix_web::web::{self, Data, Query, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

/// Registers the routes.
pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/v1/figures/sentiment").get(sentiment).default_service(refuse("GET")))
        .service(web::resource("/v1/figures/_compare").post(compare).default_service(refuse("POST")))
        .service(web::resource("/v1/figures/acted-on").get(acted_on).default_service(refuse("GET")));
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ReportParameters {
    /// The first day.
    #[param(value_type = String, format = "date")]
    from: jiff::civil::Date,
    /// The day behind the last.
    #[param(value_type = String, format = "date")]
    until: jiff::civil::Date,
}

/// What is compared.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ComparisonBody {
    /// Trees by id; `reactions-off` stands for reactions that are closed. At least two, unless two profiles are named.
    trees: Vec<String>,
    /// Minimisation profiles by id; without any, as if everything that is there came in.
    #[serde(default)]
    profiles: Vec<String>,
    /// Redaction plans by id: how what is published would be shown.
    #[serde(default)]
    plans: Vec<String>,
    /// Only what was posted on this day or later.
    #[schema(value_type = Option<String>, format = "date")]
    from: Option<jiff::civil::Date>,
    /// Only what was posted before this day.
    #[schema(value_type = Option<String>, format = "date")]
    until: Option<jiff::civil::Date>,
    /// Seconds that a person takes for a doubtful record, 0 to 36000; 120 when left out.
    #[schema(minimum = 0, maximum = 36000)]
    seconds_each: Option<u32>,
    /// How many records that come out otherwise are shown, in redacted form, 0 to 100; 10 when left out.
    #[schema(minimum = 0, maximum = 100)]
    samples: Option<usize>,
}

impl ComparisonBody {
    fn asked(self, actor: &Actor) -> Result<Comparison, Problem> {
        let (seconds_each, samples) = (self.seconds_each.unwrap_or(120), self.samples.unwrap_or(10));
        let columns = self.trees.len() * self.profiles.len().max(1);
        if seconds_each > 36_000 || samples > 100 || columns > 50 {
            return Err(Problem::input("at most 50 columns, 100 samples and 36000 seconds each"));
        }
        let time = |day: Option<jiff::civil::Date>| day.map(periodic::beginning_of).transpose();
        Ok(Comparison {
            trees: self.trees,
            profiles: self.profiles,
            plans: self.plans,
            organisation: actor.organisation.clone(),
            from: time(self.from)?,
            until: time(self.until)?,
            seconds_each,
            samples,
            redetect: false,
        })
    }
}

/// Compare what several trees, profiles and redaction plans would mean for the records of the own organisation. Nothing is
/// opened or changed.
#[utoipa::path(
    post, path = "/v1/figures/_compare", tag = "figures", operation_id = "compareTrees", request_body = ComparisonBody,
    responses((status = 200, description = "A column for each tree and profile", body = Object))
)]
pub(super) async fn compare(
    request: HttpRequest,
    desk: Data<VaultDesk>,
    caller: Caller,
    body: Body<ComparisonBody>,
) -> Result<HttpResponse, Problem> {
    let actor = actor(&desk, caller).await?;
    let Body(asked) = body;
    let asked = asked.asked(&actor)?;
    let report = compare_for(&desk.archive, &desk.rules, &actor, &asked, language(&request)).await?;
    Ok(HttpResponse::Ok().json(report))
}

async fn permitted(desk: &VaultDesk, caller: Caller) -> Result<Actor, Problem> {
    let actor = actor(desk, caller).await?;
    let resource = Resource::Registry { organisation: actor.organisation.clone() };
    read::authorise(&desk.archive, &desk.rules, &actor, Action::ListVaultRecords, &resource).await?;
    Ok(actor)
}

/// Report how reactions of a whole month or quarter sounded, whether they asked something and whether that was answered: counts per
/// post in tens, small ones suppressed with what would tell them.
#[utoipa::path(
    get, path = "/v1/figures/sentiment", tag = "figures", operation_id = "reportSentiment", params(ReportParameters),
    responses((status = 200, description = "The report, with the version and quality of its method", body = Object))
)]
pub(super) async fn sentiment(
    desk: Data<VaultDesk>,
    caller: Caller,
    parameters: Query<ReportParameters>,
) -> Result<HttpResponse, Problem> {
    let actor = permitted(&desk, caller).await?;
    let period = Period::new(parameters.from, parameters.until)?;
    let report = periodic::sentiment(&desk.archive, &desk.rules, &actor.organisation, period).await?;
    Ok(HttpResponse::Ok().json(report))
}

/// Report which questions of a period the organisation answered, when, and which it did not. Recorded with the counts.
#[utoipa::path(
    get, path = "/v1/figures/acted-on", tag = "figures", operation_id = "reportActedOn", params(ReportParameters),
    responses((status = 200, description = "The report", body = Object))
)]
pub(super) async fn acted_on(
    desk: Data<VaultDesk>,
    caller: Caller,
    parameters: Query<ReportParameters>,
) -> Result<HttpResponse, Problem> {
    let actor = permitted(&desk, caller).await?;
    let period = Period::new(parameters.from, parameters.until)?;
    let by = Some((actor.id, actor.role));
    let report = periodic::acted_on(&desk.archive, &actor.organisation, period, by).await?;
    Ok(HttpResponse::Ok().json(report))
}
