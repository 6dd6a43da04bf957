//! `/api`: for programs of the operator's. Every answer is JSON, every refusal a problem document (RFC 9457).

pub mod body;
pub mod campaign_drafts;
pub mod campaigns;
pub mod catalog;
pub mod contacts;
pub mod cursor;
pub mod declarations;
pub mod docs;
pub mod erasures;
pub mod events;
pub mod figures;
pub mod holds;
pub mod idempotent;
pub mod import_drafts;
pub mod imports;
pub mod key;
pub mod log;
pub mod notes;
pub mod openapi;
pub mod outbox;
pub mod permissions;
pub mod policy;
pub mod previews;
pub mod problem;
pub mod proofs;
pub mod quota;
pub mod reply;
pub mod signups;
pub mod suppressions;
pub mod uses;
pub mod webhooks;
pub mod who;
pub mod withdrawals;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, ServiceConfig, delete, get, post};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, Resource, ResponseError, Route};

use problem::ApiProblem;
use quota::Quota;

/// Every route of the API on one screen.
pub fn configure(routes: &mut ServiceConfig) {
    let scope = web::scope("/api")
        .wrap(from_fn(finish))
        .service(at("/v1/signups", [post().to(signups::create)]))
        .service(at("/v1/permissions", [post().to(permissions::ask)]))
        .service(at("/v1/contacts", [get().to(contacts::list)]))
        .service(at("/v1/contacts/find", [post().to(contacts::find)]))
        .service(at("/v1/contacts/use", [post().to(uses::report)]))
        .service(at("/v1/contacts/{id}", [get().to(contacts::show)]))
        .service(at("/v1/contacts/{id}/events", [get().to(contacts::events)]))
        .service(at(
            "/v1/contacts/{id}/events/{event}/receipt",
            [get().to(contacts::receipt)],
        ))
        .service(at(
            "/v1/contacts/{id}/evidence",
            [get().to(contacts::evidence)],
        ))
        .service(at(
            "/v1/contacts/{id}/links",
            [get().to(withdrawals::links)],
        ))
        .service(at("/v1/contacts/{id}/notes", [post().to(notes::create)]))
        .service(at("/v1/contacts/{id}/hold", [post().to(holds::place_hold)]))
        .service(at(
            "/v1/contacts/{id}/hold/lift",
            [post().to(holds::lift_hold)],
        ))
        .service(at("/v1/holds", [get().to(holds::list)]))
        .service(at("/v1/contacts/{id}/proofs", [post().to(proofs::create)]))
        .service(at(
            "/v1/contacts/{id}/proof-files",
            [post().to(proofs::bring)],
        ))
        .service(at("/v1/withdrawals", [post().to(withdrawals::create)]))
        .service(at("/v1/erasures", [post().to(erasures::create)]))
        .service(at("/v1/suppressions", [post().to(suppressions::create)]))
        .service(at("/v1/suppressions/find", [post().to(suppressions::find)]))
        .service(at("/v1/suppressions/lift", [post().to(suppressions::lift)]))
        .service(at(
            "/v1/import-drafts",
            [
                get().to(import_drafts::list),
                post().to(import_drafts::create),
            ],
        ))
        .service(at(
            "/v1/import-drafts/{id}",
            [
                get().to(import_drafts::show),
                delete().to(import_drafts::remove),
            ],
        ))
        .service(at(
            "/v1/import-drafts/{id}/files",
            [
                get().to(import_drafts::files::list),
                post().to(import_drafts::files::create),
            ],
        ))
        .service(at(
            "/v1/import-drafts/{id}/files/{file}",
            [delete().to(import_drafts::files::remove)],
        ))
        .service(at(
            "/v1/import-drafts/{id}/try",
            [post().to(import_drafts::have_tried)],
        ))
        .service(at(
            "/v1/import-drafts/{id}/start",
            [post().to(import_drafts::start)],
        ))
        .service(at("/v1/imports", [get().to(imports::list)]))
        .service(at("/v1/imports/{id}", [get().to(imports::show)]))
        .service(at("/v1/imports/{id}/report", [get().to(imports::report)]))
        .service(at("/v1/imports/{id}/rows", [get().to(imports::rows)]))
        .service(at("/v1/imports/{id}/resume", [post().to(imports::resume)]))
        .service(at(
            "/v1/imports/{id}/withdraw",
            [post().to(imports::withdraw)],
        ))
        .service(at(
            "/v1/campaign-drafts",
            [
                get().to(campaign_drafts::list),
                post().to(campaign_drafts::create),
            ],
        ))
        .service(at(
            "/v1/campaign-drafts/{id}",
            [
                get().to(campaign_drafts::show),
                delete().to(campaign_drafts::remove),
            ],
        ))
        .service(at(
            "/v1/campaign-drafts/{id}/mail",
            [get().to(campaign_drafts::mail)],
        ))
        .service(at(
            "/v1/campaign-drafts/{id}/start",
            [post().to(campaign_drafts::start)],
        ))
        .service(at("/v1/campaigns", [get().to(campaigns::list)]))
        .service(at("/v1/campaigns/{id}", [get().to(campaigns::show)]))
        .service(at(
            "/v1/campaigns/{id}/people",
            [get().to(campaigns::people)],
        ))
        .service(at(
            "/v1/campaigns/{id}/pause",
            [post().to(campaigns::pause)],
        ))
        .service(at(
            "/v1/campaigns/{id}/resume",
            [post().to(campaigns::resume)],
        ))
        .service(at(
            "/v1/campaigns/{id}/cancel",
            [post().to(campaigns::cancel)],
        ))
        .service(at(
            "/v1/campaigns/{id}/release",
            [post().to(campaigns::release)],
        ))
        .service(at("/v1/events", [get().to(events::list)]))
        .service(at("/v1/declarations", [post().to(declarations::declare)]))
        .service(at("/v1/brands", [get().to(catalog::brands)]))
        .service(at("/v1/brands/{brand}", [get().to(catalog::brand)]))
        .service(at(
            "/v1/forms/{form}/versions",
            [get().to(catalog::versions)],
        ))
        .service(at("/v1/forms/preview", [post().to(previews::draft)]))
        .service(at("/v1/forms/{form}/preview", [get().to(previews::show)]))
        .service(at("/v1/purposes", [get().to(catalog::purposes)]))
        .service(at("/v1/forms", [get().to(catalog::forms)]))
        .service(at("/v1/outbox", [get().to(outbox::list)]))
        .service(at("/v1/outbox/retry", [post().to(outbox::retry)]))
        .service(at("/v1/outbox/release", [post().to(outbox::release)]))
        .service(at("/v1/outbox/{id}", [get().to(outbox::show)]))
        .service(at("/v1/outbox/{id}/retry", [post().to(outbox::retry_one)]))
        .service(at("/v1/figures", [get().to(figures::show)]))
        .service(at("/v1/figures/mails", [get().to(figures::mails)]))
        .service(at("/v1/policy", [get().to(policy::show)]))
        .service(at("/v1/policy/explain", [post().to(policy::explain)]))
        .service(at("/v1/log", [get().to(log::show)]))
        .service(at("/v1/log/checkpoints", [get().to(log::checkpoints)]))
        .service(at(
            "/v1/log/timestamps",
            [get().to(log::timestamps), post().to(log::stamp)],
        ))
        .service(at(
            "/v1/log/timestamps/{number}",
            [get().to(log::one_timestamp)],
        ))
        .service(at(
            "/v1/log/audit",
            [get().to(log::audit), post().to(log::begin_audit)],
        ))
        .service(at(
            "/v1/webhooks",
            [get().to(webhooks::list), post().to(webhooks::create)],
        ))
        .service(at(
            "/v1/webhooks/{id}",
            [get().to(webhooks::show), delete().to(webhooks::remove)],
        ))
        .service(at("/v1/webhooks/{id}/pause", [post().to(webhooks::pause)]))
        .service(at(
            "/v1/webhooks/{id}/resume",
            [post().to(webhooks::resume)],
        ))
        .service(at(
            "/v1/webhooks/{id}/rotate",
            [post().to(webhooks::rotate)],
        ))
        .service(at("/v1/webhooks/{id}/test", [post().to(webhooks::test)]))
        .service(at(
            "/v1/webhooks/{id}/deliveries",
            [get().to(webhooks::deliveries)],
        ))
        .service(at("/v1/openapi.json", [get().to(openapi::show)]))
        .service(at("/docs", [get().to(docs::show)]))
        .service(at("/openapi.json", [get().to(openapi::show)]))
        .default_service(web::to(no_such_resource));
    routes.service(scope);
}

/// One resource with the methods that it has; any other is refused with their names.
fn at<const N: usize>(path: &str, methods: [Route; N]) -> Resource {
    let mut resource = web::resource(path);
    for method in methods {
        resource = resource.route(method);
    }
    resource.default_service(web::to(no_such_method))
}

async fn no_such_resource() -> HttpResponse {
    ApiProblem::not_found("There is nothing at this address.").error_response()
}

async fn no_such_method(request: HttpRequest) -> HttpResponse {
    let pattern = request.match_pattern().unwrap_or_default();
    let allowed = openapi::methods_of(&pattern);
    ApiProblem::no_such_method(&allowed).error_response()
}

/// What holds for every request and answer: who asks is found out before anything of the request is read; its limits are told;
/// and a problem document stands in place of whatever the framework itself says.
async fn finish(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    if let Err(problem) = key::find(request.request()).await {
        return Ok(request.into_response(problem.error_response()));
    }
    let answered = next.call(request).await?;
    let mut answered = answered.map_into_boxed_body();
    let quota = answered.request().extensions().get::<Quota>().copied();
    let status = answered.status();
    let kind = answered.headers().get(header::CONTENT_TYPE);
    let is_ours = kind.is_some_and(|kind| kind.as_bytes() == problem::CONTENT_TYPE.as_bytes());
    if (status.is_client_error() || status.is_server_error()) && !is_ours {
        answered = answered.into_response(ApiProblem::of_status(status).error_response());
    }
    if let Some(quota) = quota {
        quota.write(answered.headers_mut());
    }
    let never = HeaderValue::from_static("noindex");
    let name = HeaderName::from_static("x-robots-tag");
    answered.headers_mut().insert(name, never);
    Ok(answered)
}
