//! What a bundle says of people whom an import named and a campaign asked, out of a whole server.

use countersign::domain::campaign::Kind;
use countersign::domain::policy::Source;
use countersign::ledger::archive::{self, Files};
use countersign::ledger::bundle::Report;
use countersign::store::Engine;
use serde_json::{Value, json};

use crate::bundle::bundle_of;
use crate::campaign::{self, work};
use crate::harness::World;
use crate::import::storing::List;
use crate::{on_both_engines, recipe};

const DAY: u64 = 86_400;
const ADA: &str = "ada@example.org";

/// Begins a campaign for the newsletter of acme, which reminds after three days.
async fn begin(world: &World, kind: Kind) {
    let mut plan = campaign::plan(kind);
    plan.remind_after_days = Some(3);
    campaign::begin(world, kind.as_str(), plan).await.unwrap();
    work(world).await;
}

/// Presses the button behind the newest mail's link.
async fn say_yes(world: &World, email: &str) {
    let link = world.mail_to(email).await.confirm();
    let mut person = world.client("203.0.113.9");
    assert_eq!(person.get(&link).await.status, 200);
    world.advance(60);
    let done = person.post(&link, &[]).await;
    assert_eq!(done.status, 200, "{}", done.text());
}

async fn bought(world: &World) {
    let text = "email,order,date\nada@example.org,77,2026-01-05\n";
    List::bought("orders", text).take_in(world).await;
    world.advance(3_600);
}

/// Bought something, was asked and reminded by a campaign, and said yes.
pub async fn invited(engine: Engine) -> (World, Vec<u8>, Report) {
    let world = World::on(engine).await;
    bought(&world).await;
    begin(&world, Kind::Invitation).await;
    world.advance(3 * DAY + 1);
    work(&world).await;
    say_yes(&world, ADA).await;
    let (bytes, report) = bundle_of(&world, ADA).await;
    (world, bytes, report)
}

fn kinds(report: &Report) -> Vec<&str> {
    let events = report.events.iter();
    events.map(|event| event.kind.as_str()).collect()
}

fn text(files: &Files, name: &str) -> String {
    String::from_utf8(files[name].clone()).unwrap()
}

/// The report as people read it, and the changes of the newsletter's state in the record: class, who, method.
fn pages(bytes: &[u8]) -> (String, Vec<(Value, Value, Value)>, Value) {
    let (files, _) = archive::read(bytes).unwrap();
    let record: Value = serde_json::from_slice(&files["record.jsonld"]).unwrap();
    let changes = record["dpv:hasProcess"][0]["dpv:hasConsentStatus"].clone();
    let told = changes.as_array().unwrap().iter().map(|change| {
        let by = change["dpv:isIndicatedBy"].clone();
        let method = change["dpv:hasIndicationMethod"].clone();
        (change["@type"].clone(), by, method)
    });
    (text(&files, "report.html"), told.collect(), record)
}

fn assert_holds_all(page: &str, words: &[&str]) {
    for words in words {
        assert!(page.contains(words), "{words} is not in {page}");
    }
}

on_both_engines! {
    async fn the_bundle_of_somebody_whom_a_campaign_asked_holds_for_the_server_and_for_the_recipe(engine: Engine) {
        let (world, bytes, report) = invited(engine).await;
        let expected = ["imported", "invited", "mail_accepted", "invited", "mail_accepted", "link_opened", "confirmed"];
        assert_eq!(kinds(&report), expected);
        recipe::passes(&bytes);
        let says: Vec<&str> = report.claims.iter().map(|claim| claim.says.as_str()).collect();
        let asked = "the address ada@example.org was asked by campaign to confirm, with the wording of a form that is known.";
        assert!(says.iter().any(|says| says.ends_with(asked)), "{says:?}");
        assert!(!says.iter().any(|says| says.contains("signed up")), "{says:?}");
        let told: Vec<&str> = report.events.iter().map(|event| event.sentence.as_str()).collect();
        assert!(told[1].starts_with("ada@example.org was asked by campaign to confirm newsletter (invitation, campaign "), "{told:?}");
        assert!(told[1].ends_with("language en; by rule A2)."), "{told:?}");
        assert!(told[3].starts_with("ada@example.org was reminded by campaign to confirm newsletter ("), "{told:?}");
        world.end().await;
    }

    async fn the_pages_of_the_bundle_say_that_nobody_entered_the_address_at_a_form(engine: Engine) {
        let (world, bytes, _) = invited(engine).await;
        let (page, changes, record) = pages(&bytes);
        assert_holds_all(&page, &[
            "Consent, confirmed",
            "an import named the address “ada@example.org” for newsletter. Nobody entered it at a form here",
            "was asked by campaign to confirm newsletter",
            "the campaign reminded the address “ada@example.org” of its request",
            "purchase; date: 2026-01-05; order: 77",
            "The wording that the campaign asked with",
            "News twice a month.",
            "It carries the request that events 2, 3, 4 and 5 carry",
        ]);
        for words in ["was entered at the form", "Signed up", "no box was ticked", "as it was shown</h3>"] {
            assert!(!page.contains(words), "{words}");
        }
        let classes: Vec<&Value> = changes.iter().map(|change| &change.0).collect();
        assert_eq!(classes, [&json!(["dpv:ConsentGiven", "dpv:ImpliedConsent"]), &json!(["dpv:ConsentGiven", "dpv:ExpressedConsent"])]);
        assert_eq!((&changes[0].1, &changes[0].2), (&json!("#controller"), &json!("import: the operator names the source purchase")));
        assert_eq!(changes[1].1, "#principal");
        let notice = &record["dpv:hasNotice"][0];
        assert_eq!(notice["dct:language"], "en", "{record}");
        let confirmed = &record["dpv:hasProcess"][0]["dpv:hasConsentStatus"][1];
        assert_eq!(confirmed["dpv:hasNotice"]["@id"], notice["@id"]);
        let (files, _) = archive::read(&bytes).unwrap();
        let form = notice["@id"].as_str().unwrap().split('#').next().unwrap().to_owned();
        assert!(files.contains_key(&form), "{form}");
        let sources = ["events/0002.json", "events/0003.json", "mails/0003.eml", "events/0004.json", "events/0005.json", "mails/0005.eml",
            "events/0007.json", "circumstances/0007.json"];
        assert_eq!(confirmed["dct:source"], json!(sources));
        world.end().await;
    }

    async fn who_was_only_imported_and_who_was_asked_and_did_not_answer_is_told_as_it_was(engine: Engine) {
        let world = World::on(engine).await;
        bought(&world).await;
        let (bytes, report) = bundle_of(&world, ADA).await;
        assert_eq!(kinds(&report), ["imported"]);
        recipe::passes(&bytes);
        assert_holds_all(&pages(&bytes).0, &["Consent, not confirmed", "An import names the address, with where it came from as the operator says"]);
        begin(&world, Kind::Reconfirmation).await;
        // Two years after the purchase its implicit consent ends, whether or not anybody has written it down.
        world.advance(800 * DAY);
        let (bytes, _) = bundle_of(&world, ADA).await;
        let (page, _, record) = pages(&bytes);
        assert_holds_all(&page, &["Consent stands for 0 of 1 purpose", "No consent, lapsed</span> since 2028-01-05", "by event 1"]);
        assert_eq!(record["dpv:hasProcess"][0]["dpv:hasLegalBasis"], Value::Null);
        world.app.lapse().await.unwrap();
        let (bytes, report) = bundle_of(&world, ADA).await;
        assert_eq!(kinds(&report), ["imported", "invited", "mail_accepted", "lapsed"]);
        recipe::passes(&bytes);
        let (page, changes, _) = pages(&bytes);
        assert_holds_all(&page, &["No consent, lapsed", "by event 4", "Consent for newsletter, which nobody had confirmed, ended on"]);
        let classes: Vec<&Value> = changes.iter().map(|change| &change.0).collect();
        // Who still has consent is asked again without losing it.
        assert_eq!(classes, [&json!(["dpv:ConsentGiven", "dpv:ImpliedConsent"]), &json!(["dpv:ConsentExpired"])]);
        world.end().await;
    }

    async fn an_import_that_was_taken_back_leaves_a_bundle_in_which_nothing_stands(engine: Engine) {
        let world = World::on(engine).await;
        bought(&world).await;
        let catalog = world.app.catalog();
        let brand = catalog.brand_by_slug("acme").unwrap();
        world.app.withdraw_import(brand, "orders").await.unwrap();
        let (bytes, report) = bundle_of(&world, ADA).await;
        assert_eq!(kinds(&report), ["imported", "import_withdrawn"]);
        recipe::passes(&bytes);
        let (page, changes, record) = pages(&bytes);
        assert_holds_all(&page, &["Nothing stands for any purpose.", "the operator took the import back (newsletter)"]);
        assert_eq!(changes[1].0, json!(["dpv:ConsentInvalidated"]));
        assert_eq!(record["dpv:hasProcess"][0]["dpv:hasLegalBasis"], Value::Null);
        world.end().await;
    }

    async fn what_was_carried_over_by_a_merger_holds_from_the_mail_that_told_of_it(engine: Engine) {
        let world = World::on(engine).await;
        let old = "email,document,old_brand,original_source,original_date\nada@example.org,Deed 7,Mill Letters,purchase,2026-01-10\n";
        let list = List { name: "mill", text: old, source: Some(Source::MergerOrAcquisition) };
        list.take_in(&world).await;
        world.advance(60);
        begin(&world, Kind::MergerNotice).await;
        let (bytes, report) = bundle_of(&world, ADA).await;
        assert_eq!(kinds(&report), ["imported", "invited", "mail_accepted"]);
        recipe::passes(&bytes);
        let (page, changes, _) = pages(&bytes);
        assert_holds_all(&page, &["its owner was told of the merger by mail", "by event 3", "Brand that the person knew"]);
        let told: Vec<(&Value, &Value)> = changes.iter().map(|change| (&change.0, &change.1)).collect();
        let controller = &json!("#controller");
        assert_eq!(told, [
            (&json!(["dpv:ConsentUnknown"]), controller),
            (&json!(["dpv:ConsentRequested"]), controller),
            (&json!(["dpv:ConsentGiven", "dpv:ImpliedConsent"]), controller),
        ]);
        assert_eq!(changes[2].2, "merger_notice: a mail server took the mail that told of the merger");
        world.end().await;
    }
}
