//! `POST /api/v1/declarations`: brands, purposes and forms, declared as `countersign apply` takes them from a file.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::{Body, Input};
use super::idempotent::once;
use super::key::{CatalogWrite, Key};
use super::problem::ApiProblem;
use super::reply::{Answer, Reply};
use crate::app::apply::{
    ApplyProblem, Consenting, Declarations, Step, apply_to, check, plan, planned,
};
use crate::domain::brand::BrandDeclaration;
use crate::domain::operator::Deed;
use crate::web::Web;
use crate::web::error::FieldProblem;

const BRANDS_AT_MOST: usize = 50;

/// What brands, purposes and forms are to be. A brand that is not named stays as it is; of one that is named, this is all: a form that
/// is left out takes no signups any more.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeclarationRequest {
    /// Only tell what would change.
    #[serde(default)]
    dry_run: bool,
    /// The `revision` that you read before: if somebody changed brands or forms since, nothing is done.
    revision: Option<String>,
    #[schema(value_type = Vec<BrandInput>, min_items = 1, max_items = 50)]
    brands: Vec<BrandDeclaration>,
}

impl Input for DeclarationRequest {
    const AT_MOST: usize = 1 << 20;
}

/// Texts by language tag.
type Words = BTreeMap<String, String>;

/// A brand, as the file of `countersign apply` has it.
#[derive(ToSchema)]
#[schema(example = json!({"slug": "acme", "name": "Acme Letters", "legal_name": "Acme Letters Ltd",
    "postal_address": ["1 Mill Lane", "1000 AA Example Town"], "contact": "privacy@acme.example",
    "from_address": "letters@acme.example",
    "purpose": [{"slug": "newsletter", "name": {"en": "Newsletter"}, "wording": {"en": "News twice a month."}}],
    "form": [{"slug": "news", "purposes": ["newsletter"]}]}))]
#[allow(dead_code)] // For the description; `BrandDeclaration` of the domain is what is read.
pub struct BrandInput {
    slug: String,
    name: String,
    legal_name: String,
    postal_address: Vec<String>,
    /// Whom a person writes to about their data: an address or a URL.
    contact: String,
    /// The sender of confirmation mails.
    from_address: String,
    reply_to: Option<String>,
    /// `#rrggbb`.
    #[schema(required = false)]
    accent: String,
    privacy_url: Option<String>,
    privacy_version: Option<String>,
    home_url: Option<String>,
    logo_url: Option<String>,
    /// Whether a signup gives no basis at all until it is confirmed.
    #[schema(required = false)]
    hold_until_confirmed: bool,
    /// `refuse` or `confirm_first` (rule O6).
    #[schema(required = false)]
    role_addresses: String,
    responsible: Option<String>,
    #[schema(required = false, example = "Europe/Amsterdam")]
    time_zone: String,
    /// `ca-casl`, `de`, `nl`, `uk`.
    #[schema(required = false)]
    overlays: Vec<String>,
    #[schema(required = false)]
    active_within_months: u16,
    #[schema(required = false)]
    confirm_within_days: u32,
    /// 0 is no limit.
    #[schema(required = false)]
    mails_per_hour: u32,
    #[schema(required = false)]
    checked_by_line: bool,
    /// What the evidence keeps of network address and browser: `whole`, `shortened` or `nothing`.
    #[schema(required = false)]
    circumstances: String,
    reconfirm: Option<ReconfirmInput>,
    keep_proof_after_erasure: Option<KeepProofInput>,
    #[schema(required = false)]
    purpose: Vec<PurposeInput>,
    #[schema(required = false)]
    form: Vec<FormInput>,
}

/// After which time a brand asks people again who confirmed: one of both, or both.
#[derive(ToSchema)]
#[allow(dead_code)] // For the description.
pub struct ReconfirmInput {
    /// Calendar years since the last confirmation.
    #[schema(minimum = 1, maximum = 30)]
    after_years: Option<u8>,
    /// Calendar months without use, as it is reported.
    #[schema(minimum = 1, maximum = 360)]
    unused_months: Option<u16>,
}

/// Proof that outlives an erasure, sealed.
#[derive(ToSchema)]
#[allow(dead_code)] // For the description.
pub struct KeepProofInput {
    reason: String,
    years: u32,
    /// As `countersign seal-key new` prints it.
    public_key: String,
}

/// One kind of mail that a person can agree to.
#[derive(ToSchema)]
#[allow(dead_code)] // For the description.
pub struct PurposeInput {
    slug: String,
    /// By language.
    name: Words,
    wording: Words,
}

/// A form. Other wording, boxes, purposes or languages make a new version; versions never change.
#[derive(ToSchema)]
#[allow(dead_code)] // For the description.
pub struct FormInput {
    /// Its name in the URL; unique in the installation.
    slug: String,
    purposes: Vec<String>,
    /// Boxes that are never ticked in advance.
    #[schema(required = false)]
    choices: Vec<String>,
    #[schema(required = false)]
    languages: Vec<String>,
    #[schema(required = false)]
    asks_name: bool,
    #[schema(required = false)]
    name_in_mail: bool,
    #[schema(required = false)]
    proof_of_work: bool,
    #[schema(required = false)]
    minimum_fill_seconds: u32,
    remind_after_days: Option<u32>,
    #[schema(required = false)]
    kiosk: bool,
    #[schema(required = false)]
    origins: Vec<String>,
    redirect_after_signup: Option<String>,
    redirect_after_confirmation: Option<String>,
    #[schema(required = false)]
    title: Words,
    #[schema(required = false)]
    intro: Words,
    #[schema(required = false)]
    consent: Words,
    #[schema(required = false)]
    button: Words,
}

/// One thing that changes.
#[derive(Debug, Serialize, ToSchema)]
pub struct StepItem {
    /// `add_brand`, `change_brand`, `add_form`, `new_version`, `change_form`, `retire_form` or `remove_purpose`.
    step: &'static str,
    /// The name of the brand, form or purpose.
    #[schema(example = "news")]
    slug: String,
    /// The new version's.
    version: Option<String>,
    /// What a purpose that is removed leaves behind; permission answers for it no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    removed: Option<RemovedPurpose>,
}

/// Of a purpose that is declared no more.
#[derive(Debug, Serialize, ToSchema)]
pub struct RemovedPurpose {
    /// The brand that had it.
    brand: String,
    /// How many contacts hold consent for it, which stays on record; 10,000 are counted at most.
    contacts: usize,
    /// Whether there may be more.
    or_more: bool,
}

impl From<Step> for StepItem {
    fn from(step: Step) -> Self {
        let mut removed = None;
        let (step, slug, version) = match step {
            Step::AddBrand(slug) => ("add_brand", slug, None),
            Step::ChangeBrand(slug) => ("change_brand", slug, None),
            Step::AddForm(slug) => ("add_form", slug, None),
            Step::NewVersion(slug, version) => ("new_version", slug, Some(version)),
            Step::ChangeForm(slug) => ("change_form", slug, None),
            Step::RetireForm(slug) => ("retire_form", slug, None),
            Step::RemovePurpose {
                brand,
                purpose,
                consenting,
            } => {
                let Consenting { contacts, or_more } = consenting.unwrap_or_default();
                removed = Some(RemovedPurpose {
                    brand,
                    contacts,
                    or_more,
                });
                ("remove_purpose", purpose, None)
            }
        };
        Self {
            step,
            slug,
            version,
            removed,
        }
    }
}

/// What changed, or would.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeclarationAnswer {
    /// Whether the steps were taken.
    applied: bool,
    /// None: everything is as it is declared.
    steps: Vec<StepItem>,
    revision: String,
}

/// Declare brands, purposes and forms: all of it or nothing. Declared again it changes nothing.
#[utoipa::path(post, path = "/api/v1/declarations", operation_id = "declare", tag = "Catalog",
    request_body = DeclarationRequest, security(("key" = ["catalog:write"])),
    responses((status = 200, description = "What changed, or would", body = DeclarationAnswer)))]
pub async fn declare(
    request: HttpRequest,
    shared: web::Data<Web>,
    key: Key<CatalogWrite>,
    body: Body<DeclarationRequest>,
) -> Answer {
    let DeclarationRequest {
        dry_run,
        revision,
        brands,
    } = body.value;
    if brands.len() > BRANDS_AT_MOST {
        let detail = format!("At most {BRANDS_AT_MOST} brands.");
        return Err(ApiProblem::invalid("brands", detail));
    }
    if key.key.brand.is_some() {
        // A key of one brand adds no other, and does not learn whether there is one.
        for brand in &brands {
            key.brand(&shared, brand.slug.as_str())?;
        }
    }
    let acting = key.acting(&request, &shared);
    let work = {
        let shared = shared.clone();
        async move {
            let app = &shared.app;
            let declarations = Declarations { brands };
            check(&declarations).map_err(refused)?;
            app.refresh_catalog().await?;
            if revision.is_some_and(|known| known != app.revision()) {
                return Err(ApiProblem::conflict(OVERTAKEN));
            }
            let changes = plan(&app.catalog(), &declarations).map_err(refused)?;
            let stands = app.revision();
            let applied = !dry_run && !changes.is_empty();
            let steps = if applied {
                let slugs = declarations.brands.iter();
                let slugs: Vec<&str> = slugs.map(|brand| brand.slug.as_str()).collect();
                let on = format!("brand {}", slugs.join(", "));
                let deed = Some((Some(&acting), Deed::Declared, on));
                let applied = apply_to(app, &declarations, &stands, deed).await;
                applied.map_err(refused)?
            } else {
                planned(app, &declarations).await.map_err(refused)?
            };
            let answer = DeclarationAnswer {
                applied,
                steps: steps.into_iter().map(StepItem::from).collect(),
                revision: app.revision(),
            };
            Reply::json(StatusCode::OK, &answer)
        }
    };
    once(&request, shared, key.key.id, body.hash, work).await
}

const OVERTAKEN: &str = "Somebody changed brands or forms since you read them; read them again.";

fn refused(problem: ApplyProblem) -> ApiProblem {
    match problem {
        ApplyProblem::Store(error) => error.into(),
        ApplyProblem::Overtaken => ApiProblem::conflict(OVERTAKEN),
        ApplyProblem::File(detail) => ApiProblem::invalid("brands", detail),
        ApplyProblem::Declarations(problems) => {
            let problems = problems.into_iter().map(|problem| FieldProblem {
                field: "brands".to_owned(),
                detail: format!("{problem}."),
            });
            ApiProblem::fields(problems.collect())
        }
    }
}
