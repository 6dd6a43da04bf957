//! `/api/v1/policy`: the table that every address is judged by, and one case explained as `countersign policy explain` does.

use std::collections::BTreeMap;

use actix_web::web;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::body::{Body, Input, Params};
use super::catalog::Nothing;
use super::key::{Key, PolicyRead};
use super::problem::ApiProblem;
use super::reply::{Answer, ok};
use crate::app::permit::{Unanswerable, parse_address};
use crate::domain::api_key::Scope;
use crate::domain::brand::Slug;
use crate::domain::policy::{
    AddressFacts, Claim, OVERLAYS, OrganizerLists, Overlay, Source, Terms, data, judge,
};
use crate::web::Web;

/// Sources of one address.
const SOURCES_AT_MOST: usize = 20;
const PROOFS_AT_MOST: usize = 50;

/// The consent policy: what `countersign policy --json` prints.
#[derive(ToSchema)]
#[allow(dead_code)] // For the description.
pub struct PolicyTable {
    #[schema(example = "2026-11")]
    version: String,
    /// That it is no legal advice.
    note: String,
    #[schema(value_type = Vec<Object>)]
    verdicts: Vec<Value>,
    #[schema(value_type = Vec<Object>)]
    outreach: Vec<Value>,
    /// From where an address came, and what may be done with it.
    #[schema(value_type = Vec<Object>)]
    sources: Vec<Value>,
    #[schema(value_type = Vec<Object>)]
    address_rules: Vec<Value>,
    #[schema(value_type = Vec<Object>)]
    overlays: Vec<Value>,
    precedence: Vec<String>,
    dates: Vec<String>,
    #[schema(value_type = Vec<Object>)]
    general_rules: Vec<Value>,
}

/// A source that an address came from, as it is claimed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceInput {
    #[schema(example = "purchase")]
    source: String,
    /// The day of the act: YYYY-MM-DD.
    #[schema(example = "2026-05-01")]
    obtained_on: Option<String>,
    /// Pieces of proof by their keys; `GET /api/v1/policy` lists those of each source.
    #[serde(default)]
    #[schema(required = false)]
    proof: BTreeMap<String, String>,
}

/// The case: the arguments of `countersign policy explain` under the same names.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExplainRequest {
    /// How the address came to the brand; with `obtained_on` and `proof` beside it.
    #[schema(example = "purchase")]
    source: Option<String>,
    /// The day of the act: YYYY-MM-DD.
    #[schema(example = "2026-05-01")]
    obtained_on: Option<String>,
    #[serde(default)]
    #[schema(required = false)]
    proof: BTreeMap<String, String>,
    /// Where there is more than one source: all of them, or the further ones.
    #[serde(default)]
    #[schema(required = false, max_items = 20)]
    sources: Vec<SourceInput>,
    /// Judge by this brand's overlays, time zone and settings.
    brand: Option<String>,
    /// Whether the person left this purpose; without it, any. Needs `brand` and `address`.
    purpose: Option<String>,
    /// With `brand`, what the brand knows of it counts, and the key needs `permissions:read` as well.
    address: Option<String>,
    /// As of this instant: RFC 3339, or a date in the brand's time zone; without it, now.
    as_of: Option<String>,
    /// Overlays besides the brand's own: `ca-casl`, `de`, `nl`, `uk`.
    #[serde(default)]
    #[schema(required = false, max_items = 20)]
    overlay: Vec<String>,
    /// As for an import for which the operator chose to have an organiser's list confirmed (rule O2b).
    #[serde(default)]
    #[schema(required = false)]
    confirm_organizer_list: bool,
}

impl Input for ExplainRequest {}

/// The verdict: what `countersign policy explain --json` prints.
#[derive(ToSchema)]
#[allow(dead_code)] // For the description; `Explanation` of the domain is what is sent.
pub struct ExplainAnswer {
    /// `accept`, `confirm_first` or `refuse`.
    verdict: String,
    /// How a person may be asked to confirm: `auto`, `self`, `one_to_one` or `none`.
    outreach: String,
    /// The rule that decided.
    #[schema(example = "A2")]
    rule: String,
    /// Every rule that had a say, in the order in which they were applied.
    fired: Vec<String>,
    #[schema(format = DateTime)]
    valid_until: Option<String>,
    why: String,
}

/// The policy: sources, rules, overlays, and the order in which they count.
#[utoipa::path(get, path = "/api/v1/policy", operation_id = "getPolicy", tag = "Policy",
    security(("key" = ["policy:read"])),
    responses((status = 200, description = "The policy", body = PolicyTable)))]
pub async fn show(_: Key<PolicyRead>, _: Params<Nothing>) -> Answer {
    ok(&data())
}

/// Explain a case. It is posted, since an address stands in no URL; nothing of it is kept.
#[utoipa::path(post, path = "/api/v1/policy/explain", operation_id = "explainPolicy", tag = "Policy",
    request_body = ExplainRequest, security(("key" = ["policy:read"])),
    responses((status = 200, description = "The verdict with its rule", body = ExplainAnswer)))]
pub async fn explain(
    shared: web::Data<Web>,
    key: Key<PolicyRead>,
    body: Body<ExplainRequest>,
) -> Answer {
    let mut asked = body.value;
    let claims = claims(&mut asked)?;
    let (terms, address) = terms_and_address(&shared, &key, &asked).await?;
    if asked.overlay.len() > SOURCES_AT_MOST {
        let detail = format!("At most {SOURCES_AT_MOST} overlays.");
        return Err(ApiProblem::invalid("overlay", detail));
    }
    let overlays = asked.overlay.iter().map(|name| overlay(name));
    let overlays: Vec<Overlay> = overlays.collect::<Result<_, _>>()?;
    let mut terms = terms.with_overlays(overlays);
    if asked.confirm_organizer_list {
        terms.organizer_lists = OrganizerLists::ConfirmFirst;
    }
    let as_of = match &asked.as_of {
        None => shared.app.clock.now(),
        Some(text) => terms.zone.instant(text).ok_or_else(|| {
            let detail = "Write a time like 2026-11-23T17:00:00Z or 2026-11-23.";
            ApiProblem::invalid("as_of", detail)
        })?,
    };
    ok(&judge(&claims, address, &terms, as_of).explanation())
}

fn claims(asked: &mut ExplainRequest) -> Result<Vec<Claim>, ApiProblem> {
    let (proof, obtained_on) = (std::mem::take(&mut asked.proof), asked.obtained_on.take());
    let mut sources = Vec::new();
    match asked.source.take() {
        Some(source) => sources.push(SourceInput {
            source,
            obtained_on,
            proof,
        }),
        None if obtained_on.is_some() || !proof.is_empty() => {
            let detail = "obtained_on and proof stand beside source, or within sources.";
            return Err(ApiProblem::invalid("source", detail));
        }
        None => {}
    }
    sources.append(&mut asked.sources);
    if sources.is_empty() {
        return Err(ApiProblem::invalid("source", "Name a source."));
    }
    if sources.len() > SOURCES_AT_MOST {
        let detail = format!("At most {SOURCES_AT_MOST} sources.");
        return Err(ApiProblem::invalid("sources", detail));
    }
    sources.iter().map(claim).collect()
}

fn claim(given: &SourceInput) -> Result<Claim, ApiProblem> {
    let source = Source::parse(&given.source).ok_or_else(|| {
        let detail = "There is no such source; GET /api/v1/policy lists them.";
        ApiProblem::invalid("source", detail)
    })?;
    if given.proof.len() > PROOFS_AT_MOST {
        let detail = format!("At most {PROOFS_AT_MOST} pieces of proof.");
        return Err(ApiProblem::invalid("proof", detail));
    }
    let claim = Claim::new(source, given.obtained_on.as_deref());
    let claim = given
        .proof
        .iter()
        .try_fold(claim, |claim, (key, value)| claim.prove(key, value));
    claim.map_err(|problem| ApiProblem::invalid("proof", format!("{problem}.")))
}

fn overlay(name: &str) -> Result<Overlay, ApiProblem> {
    Overlay::parse(name).ok_or_else(|| {
        let known = OVERLAYS.map(|row| row.overlay.as_str()).join(", ");
        ApiProblem::invalid("overlay", format!("Each is one of {known}."))
    })
}

async fn terms_and_address(
    shared: &Web,
    key: &Key<PolicyRead>,
    asked: &ExplainRequest,
) -> Result<(Terms, AddressFacts), ApiProblem> {
    if asked.purpose.is_some() && (asked.brand.is_none() || asked.address.is_none()) {
        let detail = "A purpose is asked about with a brand and an address.";
        return Err(ApiProblem::invalid("purpose", detail));
    }
    let Some(slug) = &asked.brand else {
        let Some(address) = &asked.address else {
            return Ok((Terms::default(), AddressFacts::default()));
        };
        let role = parse_address(address).map_err(unanswerable)?.is_role();
        return Ok((Terms::default(), AddressFacts { role, closed: None }));
    };
    let brand = key.brand(shared, slug)?;
    let purpose = asked.purpose.clone().map(Slug::try_from).transpose();
    let purpose = purpose.ok().filter(|purpose| {
        let known = |purpose: &Slug| brand.purpose(purpose).is_some();
        purpose.as_ref().is_none_or(known)
    });
    let purpose =
        purpose.ok_or_else(|| ApiProblem::invalid("purpose", "The brand has no such purpose."))?;
    let known = match &asked.address {
        None => AddressFacts::default(),
        // What the brand knows of somebody is told to those only who may ask that otherwise.
        Some(_) if !key.key.may(Scope::PermissionsRead) => {
            return Err(ApiProblem::forbidden(Scope::PermissionsRead.as_str()));
        }
        Some(address) => {
            let known = shared.app.known_of(&brand, purpose.as_ref(), address);
            known.await.map_err(unanswerable)?
        }
    };
    Ok((shared.app.terms(&brand), known))
}

fn unanswerable(problem: Unanswerable) -> ApiProblem {
    match problem {
        Unanswerable::Store(error) => error.into(),
        Unanswerable::Address(_) => ApiProblem::invalid("address", format!("{problem}.")),
    }
}
