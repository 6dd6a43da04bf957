//! A key that is limited to one brand, at every route that there is.

use std::collections::BTreeMap;

use countersign::domain::api_key::Scope;
use countersign::web::api::openapi;
use serde_json::{Value, json};

use super::campaigning::{started, wanted};
use super::importing::{bring, taken_in};
use super::{key, program, signed_up, with_key};
use crate::harness::World;
use crate::jobs::work;
use crate::on_both_engines;

const LIST: &str = "E-Mail;Bestelling;Datum\nlea@example.org;1;2026-10-01\n";

/// What stands in the path of each operation that names something, and the body of each that takes one.
struct Table {
    contact: String,
    draft: String,
    /// A file of proof of that draft.
    file: String,
    import: String,
    campaign_draft: String,
    campaign: String,
    webhook: String,
    /// A mail of the outbox.
    mail: String,
    /// An event of the contact.
    event: String,
}

/// How an operation is asked for something of the brand `acme`.
struct Asked {
    /// What stands for `{id}`.
    id: String,
    query: &'static str,
    body: Option<Value>,
}

impl Table {
    /// None for an operation that nobody has put here yet.
    fn asked(&self, operation: &str) -> Option<Asked> {
        let none = || ("", None);
        let (id, (query, body)) = match operation {
            "createSignup" => (
                String::new(),
                ("", Some(json!({"form": "news", "email": "x@example.org"}))),
            ),
            "askPermissions" => (
                String::new(),
                (
                    "",
                    Some(
                        json!({"brand": "acme", "purpose": "newsletter", "addresses": ["anna@example.org"]}),
                    ),
                ),
            ),
            "findContact" | "findSuppression" => (
                String::new(),
                (
                    "",
                    Some(json!({"brand": "acme", "address": "anna@example.org"})),
                ),
            ),
            "createWithdrawal" | "createErasure" => (
                String::new(),
                (
                    "",
                    Some(json!({"brand": "acme", "address": "anna@example.org"})),
                ),
            ),
            "createNote" => (self.contact.clone(), ("", Some(json!({"note": "a note"})))),
            "addProof" => (
                self.contact.clone(),
                (
                    "",
                    Some(json!({"source": "purchase", "proof": {"order": "7"}})),
                ),
            ),
            "addProofFile" => (
                self.contact.clone(),
                ("?source=purchase&key=order", Some(Value::Null)),
            ),
            "createSuppression" | "liftSuppression" => (
                String::new(),
                (
                    "",
                    Some(
                        json!({"brand": "acme", "address": "anna@example.org", "reason": "no reason"}),
                    ),
                ),
            ),
            "reportUse" => (
                String::new(),
                (
                    "",
                    Some(json!({"brand": "acme", "uses": [
                        {"address": "anna@example.org", "last_used_at": "2026-01-01T00:00:00Z"}
                    ]})),
                ),
            ),
            "listOutbox" | "getFigures" | "listMailFigures" => {
                (String::new(), ("?brand=acme", None))
            }
            "retryOutbox" => (String::new(), ("", Some(json!({"brand": "acme"})))),
            "getOutboxMail" | "retryOutboxMail" => (self.mail.clone(), none()),
            "explainPolicy" => (
                String::new(),
                ("", Some(json!({"source": "purchase", "brand": "acme"}))),
            ),
            "previewForm" => (String::new(), none()),
            "previewDraftForm" => (
                String::new(),
                (
                    "",
                    Some(
                        json!({"brand": "acme", "form": {"slug": "news", "purposes": ["newsletter"]}}),
                    ),
                ),
            ),
            "getEventReceipt" => (self.contact.clone(), none()),
            // They concern all brands: no key of one brand has them.
            "releaseOutbox" | "getAudit" | "startAudit" | "createTimestamps" => {
                (String::new(), none())
            }
            "listContacts" | "listImports" | "listCampaigns" | "listImportDrafts" | "listHolds"
            | "listCampaignDrafts" | "listPurposes" | "listForms" | "listEvents" => {
                (String::new(), ("?brand=acme", None))
            }
            "createImportDraft" => (
                String::new(),
                (
                    "?brand=acme&purpose=newsletter&file_name=a.csv",
                    Some(Value::Null),
                ),
            ),
            "createCampaignDraft" => (String::new(), ("", Some(wanted("theirs")))),
            "createWebhook" => (
                String::new(),
                (
                    "",
                    Some(json!({"url": "https://hooks.example.org/x", "brand": "acme"})),
                ),
            ),
            "declare" => (
                String::new(),
                (
                    "",
                    Some(json!({"brands": [{
                        "slug": "acme", "name": "X", "legal_name": "X", "postal_address": ["X"], "contact": "x@acme.example",
                        "from_address": "x@acme.example"
                    }]})),
                ),
            ),
            "getBrand" | "listFormVersions" => (String::new(), none()),
            "getContact" | "listContactEvents" | "getEvidence" | "getContactLinks" => {
                (self.contact.clone(), none())
            }
            "placeHold" => (
                self.contact.clone(),
                (
                    "",
                    Some(json!({"reason": "a claim", "until": "2028-12-31"})),
                ),
            ),
            "liftHold" => (
                self.contact.clone(),
                ("", Some(json!({"reason": "settled"}))),
            ),
            "getImportDraft"
            | "deleteImportDraft"
            | "listImportDraftFiles"
            | "deleteImportDraftFile" => (self.draft.clone(), none()),
            "createImportDraftFile" => (
                self.draft.clone(),
                ("?name=theirs.pdf&key=order", Some(Value::Null)),
            ),
            "tryImportDraft" => (
                self.draft.clone(),
                ("", Some(json!({"source": "purchase"}))),
            ),
            "startImportDraft" => (self.draft.clone(), ("", Some(json!({})))),
            "getImport" | "getImportReport" | "listImportRows" | "resumeImport"
            | "withdrawImport" => (self.import.clone(), none()),
            "getCampaignDraft" | "deleteCampaignDraft" | "previewCampaign" | "startCampaign" => {
                (self.campaign_draft.clone(), none())
            }
            "getCampaign" | "listCampaignPeople" | "pauseCampaign" | "resumeCampaign"
            | "cancelCampaign" => (self.campaign.clone(), none()),
            "releaseRequests" => (
                self.campaign.clone(),
                ("", Some(json!({"addresses": ["lea@example.org"]}))),
            ),
            "getWebhook" | "deleteWebhook" | "pauseWebhook" | "resumeWebhook" | "rotateWebhook"
            | "testWebhook" | "listDeliveries" => (self.webhook.clone(), none()),
            // They name no brand; nothing of another one may be in what they tell.
            "listBrands" | "listWebhooks" | "getPolicy" | "getLog" | "listCheckpoints"
            | "listTimestamps" => (String::new(), none()),
            "getTimestamp" => (String::new(), none()),
            _ => return None,
        };
        Some(Asked { id, query, body })
    }
}

on_both_engines! {
    async fn a_key_of_one_brand_sees_and_does_nothing_in_another_at_any_route(engine: Engine) {
        let world = World::on(engine).await;
        let mut owner = program(&world, Scope::ALL).await;
        signed_up(&mut owner, "anna@example.org").await;
        world.deliver().await;
        let import = taken_in(&world, &mut owner, "theirs.csv", LIST).await;
        let find = json!({"brand": "acme", "address": "anna@example.org"});
        let contact = owner.post_json("/api/v1/contacts/find", &find).await.json();
        let draft = bring(&mut owner, "next.csv", "text/csv", LIST.as_bytes()).await.json();
        let files = format!("/api/v1/import-drafts/{}/files?name=theirs.pdf", draft["id"].as_str().unwrap());
        let file = owner.send("POST", &files, Some("application/pdf"), b"proof").await.json();
        let campaign = started(&world, &mut owner, &wanted("running")).await;
        let campaign_draft = owner.post_json("/api/v1/campaign-drafts", &wanted("next")).await.json();
        work(&world.app).await;
        let hook = json!({"url": "https://hooks.example.org/x", "brand": "acme"});
        let webhook = owner.post_json("/api/v1/webhooks", &hook).await.json();
        signed_up(&mut owner, "waits@example.org").await;
        let mail = owner.get("/api/v1/outbox?brand=acme").await.json()["items"][0].clone();
        world.app.sequence().await.unwrap();
        let text = |value: &Value| value["id"].as_str().unwrap().to_owned();
        let table = Table {
            contact: text(&contact),
            file: text(&file),
            draft: text(&draft),
            import,
            campaign_draft: text(&campaign_draft),
            campaign: campaign.rsplit('/').next().unwrap().to_owned(),
            webhook: text(&webhook),
            mail: text(&mail),
            event: world.story("anna@example.org").await[0].id.to_string(),
        };
        let mut stranger = with_key(&world, &key(&world, Scope::ALL, Some("other")).await);
        let before = everything(&world, &mut owner, &table).await;
        let mut asked = 0;
        for (path, operations) in openapi::document()["paths"].as_object().unwrap() {
            for (method, operation) in operations.as_object().unwrap() {
                let name = operation["operationId"].as_str().unwrap();
                let ask = table.asked(name).unwrap_or_else(|| panic!("{name} is not in this table"));
                let path = path.replace("{id}", &ask.id).replace("{file}", &table.file).replace("{event}", &table.event).replace("{number}", "1").replace("{brand}", "acme").replace("{form}", "news");
                let path = format!("{path}{}", ask.query);
                let (kind, body) = match ask.body {
                    None => (None, Vec::new()),
                    Some(Value::Null) => (Some("text/csv"), LIST.as_bytes().to_vec()),
                    Some(body) => (Some("application/json"), body.to_string().into_bytes()),
                };
                let reply = stranger.send(&method.to_uppercase(), &path, kind, &body).await;
                let told = reply.text();
                let what = format!("{name}: {} {told}", reply.status);
                if matches!(name, "listBrands" | "listWebhooks" | "getPolicy" | "getLog" | "listCheckpoints" | "listTimestamps") {
                    assert_eq!(reply.status, 200, "{what}");
                } else if matches!(name, "releaseOutbox" | "getAudit" | "startAudit" | "createTimestamps") {
                    assert_eq!(reply.status, 403, "{what}");
                } else {
                    assert!(matches!(reply.status, 404 | 422), "{what}");
                }
                for word in ["anna@", "lea@", "waits@", "Acme", "hooks.example.org", "theirs."] {
                    assert!(!told.contains(word), "{word} in {what}");
                }
                asked += 1;
            }
        }
        assert!(asked > 50, "{asked}");
        let after = everything(&world, &mut owner, &table).await;
        assert_eq!(before, after, "nothing was done");
        world.end().await;
    }
}

/// All that the owner sees of it.
async fn everything(
    world: &World,
    owner: &mut crate::harness::Client,
    table: &Table,
) -> BTreeMap<String, Value> {
    let mut seen = BTreeMap::new();
    for path in [
        "/api/v1/brands/acme".to_owned(),
        "/api/v1/contacts?brand=acme".to_owned(),
        "/api/v1/imports?brand=acme".to_owned(),
        "/api/v1/import-drafts?brand=acme".to_owned(),
        "/api/v1/campaigns?brand=acme".to_owned(),
        format!("/api/v1/import-drafts/{}", table.draft),
        format!("/api/v1/import-drafts/{}/files", table.draft),
        format!("/api/v1/campaign-drafts/{}", table.campaign_draft),
        format!("/api/v1/webhooks/{}", table.webhook),
        format!("/api/v1/outbox/{}", table.mail),
    ] {
        let reply = owner.get(&path).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        seen.insert(path, reply.json());
    }
    let kinds = world.kinds("anna@example.org").await;
    seen.insert("anna".to_owned(), json!(kinds));
    seen
}
