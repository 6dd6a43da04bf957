//! The description of the API (OpenAPI 3.1), made from the code; docs/openapi.json is the same, and a test compares them.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use serde_json::{Value, json};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::problem::{self, ProblemDocument};
use super::{
    campaign_drafts, campaigns, catalog, contacts, declarations, erasures, events, figures, holds,
    import_drafts, imports, log, notes, outbox, permissions, policy, previews, proofs, signups,
    suppressions, uses, webhooks, withdrawals,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "countersign",
        description = "Double opt-in with proof: start signups, ask for permissions, take out evidence, bring lists, run campaigns, see what leaves and how it goes, follow what happens.",
        license(name = "MIT OR Apache-2.0")
    ),
    paths(
        signups::create,
        permissions::ask,
        contacts::list,
        contacts::find,
        uses::report,
        contacts::show,
        contacts::events,
        contacts::receipt,
        contacts::evidence,
        notes::create,
        proofs::create,
        proofs::bring,
        withdrawals::links,
        withdrawals::create,
        erasures::create,
        suppressions::create,
        suppressions::find,
        suppressions::lift,
        holds::list,
        holds::place_hold,
        holds::lift_hold,
        import_drafts::list,
        import_drafts::create,
        import_drafts::show,
        import_drafts::remove,
        import_drafts::files::list,
        import_drafts::files::create,
        import_drafts::files::remove,
        import_drafts::have_tried,
        import_drafts::start,
        imports::list,
        imports::show,
        imports::report,
        imports::rows,
        imports::resume,
        imports::withdraw,
        campaign_drafts::list,
        campaign_drafts::create,
        campaign_drafts::show,
        campaign_drafts::remove,
        campaign_drafts::mail,
        campaign_drafts::start,
        campaigns::list,
        campaigns::show,
        campaigns::people,
        campaigns::pause,
        campaigns::resume,
        campaigns::cancel,
        campaigns::release,
        events::list,
        declarations::declare,
        catalog::brands,
        catalog::brand,
        catalog::versions,
        previews::show,
        previews::draft,
        catalog::purposes,
        catalog::forms,
        outbox::list,
        outbox::show,
        outbox::retry_one,
        outbox::retry,
        outbox::release,
        figures::show,
        figures::mails,
        policy::show,
        policy::explain,
        log::show,
        log::checkpoints,
        log::timestamps,
        log::one_timestamp,
        log::stamp,
        log::audit,
        log::begin_audit,
        webhooks::list,
        webhooks::create,
        webhooks::show,
        webhooks::remove,
        webhooks::pause,
        webhooks::resume,
        webhooks::rotate,
        webhooks::test,
        webhooks::deliveries,
    ),
    components(schemas(ProblemDocument, events::EventData)),
    modifiers(&Bearer)
)]
struct Description;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(
                "A key that `countersign key add` made, with the scopes that the operation names.",
            ))
            .build();
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme("key", SecurityScheme::Http(scheme));
    }
}

/// Posted, since an address stands in no URL; they change nothing.
const ASKING: [&str; 5] = [
    "askPermissions",
    "explainPolicy",
    "findContact",
    "findSuppression",
    "previewDraftForm",
];

/// What holds for every operation, and is said once here: the problems that it may answer with, and its limits.
fn complete(mut document: Value) -> Value {
    // Its own version changes with every release; the API's does not.
    document["info"]["version"] = json!("1");
    let Some(paths) = document["paths"].as_object_mut() else {
        return document;
    };
    for operations in paths.values_mut() {
        let Some(operations) = operations.as_object_mut() else {
            continue;
        };
        for (method, operation) in operations {
            complete_operation(method, operation);
        }
    }
    document
}

fn complete_operation(method: &str, operation: &mut Value) {
    let has_body = operation.get("requestBody").is_some();
    let id = operation["operationId"].as_str().unwrap_or_default();
    let changes = method != "get" && !ASKING.contains(&id);
    let may_conflict = changes
        || matches!(
            id,
            "getEvidence" | "previewCampaign" | "previewForm" | "previewDraftForm"
        );
    let limits = json!({
        "RateLimit-Policy": {"description": "The quota of the key", "schema": {"type": "string"}},
        "RateLimit": {"description": "What is left of it", "schema": {"type": "string"}}
    });
    let Some(responses) = operation["responses"].as_object_mut() else {
        return;
    };
    for answer in responses.values_mut() {
        answer["headers"] = limits.clone();
    }
    let wanted = |kind: &str| match kind {
        "too-large" | "too-slow" | "unknown-kind" => has_body,
        "conflict" => may_conflict,
        "no-such-method" | "internal" => false,
        _ => true,
    };
    for (kind, status, title) in problem::KINDS.iter().filter(|kind| wanted(kind.0)) {
        responses.entry(status.to_string()).or_insert_with(|| {
            json!({
                "description": format!("{title} ({kind})"),
                "content": {problem::CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}}
            })
        });
    }
    if changes {
        let key = json!({
            "name": "Idempotency-Key", "in": "header", "required": false,
            "description": "A text of your own, new for each request: a repetition within 24 hours gets the first one's answer.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"}
        });
        match operation
            .get_mut("parameters")
            .and_then(Value::as_array_mut)
        {
            Some(parameters) => parameters.push(key),
            None => operation["parameters"] = json!([key]),
        }
    }
}

static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| complete(serde_json::to_value(Description::openapi()).unwrap_or_default()));

/// The description.
pub fn document() -> &'static Value {
    &DOCUMENT
}

/// The methods that a path has, as the header `Allow` lists them.
pub fn methods_of(pattern: &str) -> String {
    let operations = document()["paths"][pattern].as_object();
    let names = operations.into_iter().flat_map(|all| all.keys());
    let names: Vec<String> = names.map(|name| name.to_uppercase()).collect();
    if names.is_empty() {
        "GET".to_owned()
    } else {
        names.join(", ")
    }
}

/// `GET /api/v1/openapi.json`.
pub async fn show() -> HttpResponse {
    HttpResponse::Ok().json(document())
}
