//! `POST /api/v1/contacts/use`: when people last used what they agreed to, as a program of the operator's knows.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::{Body, Input};
use super::idempotent::once;
use super::key::{Key, UseWrite};
use super::permissions::purpose_of;
use super::problem::ApiProblem;
use super::reply::{Answer, Reply};
use super::who::{Who, who};
use crate::app::permit::parse_address;
use crate::app::report_use::{USES_AT_MOST, Used, User};
use crate::domain::time::Timestamp;
use crate::web::Web;

/// A list counts as one request for each so many.
const USES_A_REQUEST: usize = 100;

/// Who used it last when. Either `contact` or `address` says who.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UseItem {
    #[schema(format = "uuid")]
    contact: Option<String>,
    #[schema(example = "ada@example.org")]
    address: Option<String>,
    /// Not in the future.
    #[schema(format = DateTime, example = "2026-11-20T09:30:00Z")]
    last_used_at: String,
}

/// Uses of one brand.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UseRequest {
    #[schema(example = "acme")]
    brand: String,
    /// What was used; without it, whatever the contact agreed to.
    #[schema(example = "newsletter")]
    purpose: Option<String>,
    /// 1 to 10,000.
    #[schema(min_items = 1, max_items = 10000)]
    uses: Vec<UseItem>,
}

impl Input for UseRequest {
    const AT_MOST: usize = 4 << 20;
}

/// How many were read. It does not say how many of them the brand knows.
#[derive(Debug, Serialize, ToSchema)]
pub struct UseAnswer {
    read: usize,
}

/// Report when people last used what they agreed to.
///
/// Of two reports about one contact and purpose the later time stays. An address or contact that the brand does not know changes
/// nothing, and the answer is the same.
#[utoipa::path(post, path = "/api/v1/contacts/use", operation_id = "reportUse", tag = "Contacts",
    request_body = UseRequest, security(("key" = ["use:write"])),
    responses((status = 200, description = "It is on disk", body = UseAnswer)))]
pub async fn report(
    request: HttpRequest,
    shared: web::Data<Web>,
    key: Key<UseWrite>,
    body: Body<UseRequest>,
) -> Answer {
    let brand = key.brand(&shared, &body.value.brand)?;
    let purpose = body.value.purpose.as_deref();
    let purpose = purpose.map(|name| purpose_of(&brand, name)).transpose()?;
    let count = body.value.uses.len();
    if !(1..=USES_AT_MOST).contains(&count) {
        let detail = format!("1 to {USES_AT_MOST} uses.");
        return Err(ApiProblem::invalid("uses", detail));
    }
    let further = (count - 1) / USES_A_REQUEST;
    key.take(
        &request,
        &shared,
        u32::try_from(further).unwrap_or(u32::MAX),
    )?;
    let now = shared.app.clock.now();
    let uses = body.value.uses.into_iter().enumerate();
    let uses: Vec<Used> = uses
        .map(|(at, item)| used(at, item, now))
        .collect::<Result<_, _>>()?;
    let work = {
        let shared = shared.clone();
        async move {
            shared
                .app
                .report_use(&brand, purpose.as_ref(), uses)
                .await?;
            Reply::json(StatusCode::OK, &UseAnswer { read: count })
        }
    };
    once(&request, shared, key.key.id, body.hash, work).await
}

/// One of them; the error names its place.
fn used(place: usize, item: UseItem, now: Timestamp) -> Result<Used, ApiProblem> {
    let field = |name: &str| format!("uses[{place}].{name}");
    let user = match who(&field("contact"), item.contact, item.address)? {
        Who::Contact(id) => User::Contact(id),
        Who::Address(address) => {
            let address = parse_address(&address)
                .map_err(|problem| ApiProblem::invalid(&field("address"), format!("{problem}.")))?;
            User::Address(address.key().to_owned())
        }
    };
    let name = field("last_used_at");
    let at = Timestamp::parse(&item.last_used_at)
        .ok_or_else(|| ApiProblem::invalid(&name, "Write a time like 2026-11-23T17:00:00Z."))?;
    if at > now {
        return Err(ApiProblem::invalid(
            &name,
            "It lies in the future; nobody has used anything then yet.",
        ));
    }
    Ok(Used { user, at })
}
