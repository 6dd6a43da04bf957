//! `POST /api/v1/permissions`: may these addresses be mailed. A body, since an address stands in no URL.

use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::{Body, Input};
use super::key::{Key, PermissionsRead};
use super::problem::ApiProblem;
use super::reply::Answer;
use crate::app::permit::parse_address;
use crate::domain::brand::{Brand, Slug};
use crate::domain::email_address::EmailAddress;
use crate::domain::permission::Permission;
use crate::domain::policy::Zone;
use crate::domain::time::Timestamp;
use crate::store::StoreError;
use crate::web::Web;

const ADDRESSES_AT_MOST: usize = 10_000;
/// Answered and sent together; then the next ones are read.
const TOGETHER: usize = 1_000;
/// A list counts as one request for each so many.
const ADDRESSES_A_REQUEST: usize = 100;

/// Whom it is asked of.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PermissionsRequest {
    #[schema(example = "acme")]
    brand: String,
    #[schema(example = "newsletter")]
    purpose: String,
    /// As of this instant, or the start of this day in the brand's time zone (`2026-11-23`); without it, now.
    #[schema(example = "2026-11-23T17:00:00Z")]
    at: Option<String>,
    /// 1 to 10,000.
    #[schema(min_items = 1, max_items = 10000, example = json!(["ada@example.org"]))]
    addresses: Vec<String>,
}

impl Input for PermissionsRequest {
    const AT_MOST: usize = 4 << 20;
}

/// One answer for each address, in their order.
#[derive(Debug, Serialize, ToSchema)]
#[allow(dead_code)] // Written piece by piece; it stands here for its description.
pub struct PermissionsAnswer {
    items: Vec<PermissionItem>,
}

/// May this address be mailed.
#[derive(Debug, Serialize, ToSchema)]
pub struct PermissionItem {
    address: String,
    allowed: bool,
    /// `none`, `implicit` or `explicit`.
    #[schema(example = "explicit")]
    basis: &'static str,
    /// How it was confirmed: `link_button`, `same_browser`, `code`, or `api_claim`, which an import claims.
    grade: Option<&'static str>,
    #[schema(format = DateTime)]
    since: Option<String>,
    #[schema(format = DateTime)]
    until: Option<String>,
    /// The rule of the consent policy.
    rule: &'static str,
    why: String,
}

impl PermissionItem {
    fn of(address: String, permission: Permission) -> Self {
        Self {
            address,
            allowed: permission.allowed,
            basis: permission.basis.as_str(),
            grade: permission.grade.map(|grade| grade.as_str()),
            since: permission.since.map(|at| at.to_string()),
            until: permission.until.map(|at| at.to_string()),
            rule: permission.rule,
            why: permission.why,
        }
    }

    fn of_none(address: String, why: String) -> Self {
        let nothing = Permission::of(None, None, Timestamp::from_micros(0));
        let mut item = Self::of(address, nothing);
        item.why = why;
        item
    }
}

/// May these addresses be mailed, on what basis, and why.
///
/// What is no address gets the answer no. The answer is sent piece by piece, while it is looked up.
#[utoipa::path(post, path = "/api/v1/permissions", operation_id = "askPermissions", tag = "Permissions",
    request_body = PermissionsRequest, security(("key" = ["permissions:read"])),
    responses((status = 200, description = "An answer for each address, in their order", body = PermissionsAnswer)))]
pub async fn ask(
    request: HttpRequest,
    shared: web::Data<Web>,
    key: Key<PermissionsRead>,
    body: Body<PermissionsRequest>,
) -> Answer {
    let body = body.value;
    let brand = key.brand(&shared, &body.brand)?;
    let purpose = purpose_of(&brand, &body.purpose)?;
    let at = body.at.as_deref();
    let at = at.map(|text| instant(&brand, text)).transpose()?;
    let count = body.addresses.len();
    if !(1..=ADDRESSES_AT_MOST).contains(&count) {
        let detail = format!("1 to {ADDRESSES_AT_MOST} addresses.");
        return Err(ApiProblem::invalid("addresses", detail));
    }
    let further = (count - 1) / ADDRESSES_A_REQUEST;
    key.take(
        &request,
        &shared,
        u32::try_from(further).unwrap_or(u32::MAX),
    )?;
    // The first part before the head is sent: whatever keeps it from being read is told by a status.
    let mut rest = body.addresses.into_iter();
    let part: Vec<String> = rest.by_ref().take(TOGETHER).collect();
    let first = answer(&shared, &brand, &purpose, part, at).await?;
    let begin = Bytes::from(format!("{{\"items\":[{first}"));
    let later = stream::unfold(Some(rest), move |left| {
        let (shared, brand, purpose) = (shared.clone(), brand.clone(), purpose.clone());
        async move {
            let mut left = left?;
            let part: Vec<String> = left.by_ref().take(TOGETHER).collect();
            if part.is_empty() {
                return Some((Ok(Bytes::from_static(b"]}")), None));
            }
            match answer(&shared, &brand, &purpose, part, at).await {
                Ok(text) => Some((Ok(Bytes::from(format!(",{text}"))), Some(left))),
                Err(problem) => Some((Err(problem), None)),
            }
        }
    });
    let all = stream::once(async move { Ok::<_, StoreError>(begin) }).chain(later);
    Ok(HttpResponse::Ok()
        .content_type("application/json")
        .streaming(all))
}

use futures_util::StreamExt;

pub fn purpose_of(brand: &Brand, name: &str) -> Result<Slug, ApiProblem> {
    let slug = Slug::try_from(name.to_owned()).ok();
    slug.filter(|slug| brand.purpose(slug).is_some())
        .ok_or_else(|| ApiProblem::invalid("purpose", "The brand has no such purpose."))
}

fn instant(brand: &Brand, text: &str) -> Result<Timestamp, ApiProblem> {
    let wrong = "Write a time like 2026-11-23T17:00:00Z, or a day like 2026-11-23.";
    Zone::of(&brand.declared.time_zone)
        .instant(text)
        .ok_or_else(|| ApiProblem::invalid("at", wrong))
}

/// A part of the answer: JSON values with commas between them.
async fn answer(
    shared: &Web,
    brand: &Brand,
    purpose: &Slug,
    part: Vec<String>,
    at: Option<Timestamp>,
) -> Result<String, StoreError> {
    let parsed: Vec<Result<EmailAddress, String>> = part
        .iter()
        .map(|text| parse_address(text).map_err(|problem| problem.to_string()))
        .collect();
    let good: Vec<&EmailAddress> = parsed.iter().filter_map(|one| one.as_ref().ok()).collect();
    let mut found = shared
        .app
        .permissions(brand, purpose, &good, at)
        .await?
        .into_iter();
    let items = part.into_iter().zip(parsed).map(|(address, parsed)| {
        let item = match parsed {
            Ok(_) => match found.next() {
                Some(permission) => PermissionItem::of(address, permission),
                None => PermissionItem::of_none(address, String::new()),
            },
            Err(why) => PermissionItem::of_none(address, why),
        };
        serde_json::to_string(&item).unwrap_or_default()
    });
    Ok(items.collect::<Vec<_>>().join(","))
}
