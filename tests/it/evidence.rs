//! What a bundle says to people: the report, from the events of a whole server.

pub mod invited;

use std::collections::BTreeMap;

use countersign::app::prove::consent_record::consent_record;
use countersign::app::prove::dossier::{Anchor, Dossier, Entry, LeftOut};
use countersign::app::prove::report::report;
use countersign::domain::event::Fact;
use countersign::store::Engine;

use crate::harness::{START, World};

const CHECKPOINT: &str = "log.acme.example\n4242\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
     — log.acme.example Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n";

fn anchor(name: &str, seconds: u64, size: u64) -> Anchor {
    Anchor {
        name: name.to_owned(),
        at: START.plus(std::time::Duration::from_secs(seconds)),
        size,
        authority: "Example TSA Unit 3".to_owned(),
        root: Some("Example TSA Root, SHA-256 9f86d081884c7d65".to_owned()),
    }
}

/// All that the server knows of one address, as the evidence command gathers it, with a log made up around it.
async fn dossier(world: &World, email: &str) -> Dossier {
    let catalog = world.app.catalog();
    let brand = catalog.brand_by_slug("acme").unwrap();
    let story = world.story(email).await;
    let contact = story[0].contact;
    let entries: Vec<Entry> = (1..)
        .zip(4_200..)
        .zip(story)
        .map(|((number, index), event)| Entry {
            number,
            index,
            discloses: event.fact.circumstances().is_some(),
            event,
        })
        .collect();
    let sent = world.app.mails_as_sent(brand, contact).await.unwrap();
    let mails: BTreeMap<usize, Vec<u8>> = entries
        .iter()
        .filter(|entry| entry.event.fact.kind() == "mail_accepted")
        .map(|entry| entry.number)
        .zip(sent.into_iter().map(|(_, bytes)| bytes))
        .collect();
    let mut forms = BTreeMap::new();
    for entry in &entries {
        if let Fact::SignedUp(signup) = &entry.event.fact {
            let version = &signup.form_version;
            let page = world.app.form_as_shown(version).await.unwrap().unwrap();
            forms.insert(version.clone(), page);
        }
    }
    Dossier {
        proofs: Default::default(),
        brand: brand.declared.clone(),
        contact,
        address: email.to_owned(),
        entries,
        mails,
        forms,
        checkpoint: CHECKPOINT.to_owned(),
        anchors: vec![
            anchor("2026-11-23", 0, 4_000),
            anchor("2026-11-24", 86_400, 4_242),
        ],
        log_key_fingerprint: "5b0c".repeat(16),
        made_at: world.clock.now(),
        left_out: LeftOut::default(),
    }
}

/// One signed up in German with a box ticked, was asked for the code, typed it wrong, then right; and later left.
async fn confirmed_by_code() -> (World, Dossier) {
    let world = World::on(Engine::Sqlite).await;
    let mut client = world
        .client("192.0.2.1")
        .with("accept-language", "de-AT,de;q=0.8")
        .with(
            "user-agent",
            "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
        );
    let fields = [
        ("email", "Anna@example.org"),
        ("lang", "de"),
        ("purpose", "newsletter"),
        ("purpose", "events"),
        ("page", "https://www.acme.example/rundbrief"),
    ];
    let reply = client.post("/f/news", &fields).await;
    let inbox = reply.location();
    let mail = world.mail_to("Anna@example.org").await;
    world.advance(95);
    client
        .post(&format!("{inbox}/code"), &[("code", "000000")])
        .await;
    client
        .post(&format!("{inbox}/code"), &[("code", &mail.code())])
        .await;
    world.advance(90_000);
    let dossier = dossier(&world, "Anna@example.org").await;
    (world, dossier)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_report_tells_who_asked_what_stands_and_what_each_statement_rests_on() {
    let (world, dossier) = confirmed_by_code().await;
    let kinds: Vec<_> = dossier
        .entries
        .iter()
        .map(|e| e.event.fact.kind())
        .collect();
    let page = report(&dossier).unwrap();
    for words in [
        "Acme Letters Ltd",
        "Anna@example.org",
        "Consent, confirmed",
        "2026-11-23 17:34:05 UTC",
        "Neues zweimal im Monat.",
        "events: the person ticked the box",
        "mails/0002.eml",
        "The six digits of the mail were typed",
        "after 2026-11-23 17:34:05 UTC and before 2026-11-24 17:34:05 UTC",
        "Example TSA Root",
        "Firefox/145.0",
        "circumstances/0001.json, whose SHA-256 the event names",
        "<a href=\"circumstances/0004.json\">circumstances/0004.json</a>",
    ] {
        assert!(page.contains(words), "{words} with {kinds:?}");
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_report_needs_nothing_from_outside_and_everything_from_outside_is_text() {
    let (world, mut dossier) = confirmed_by_code().await;
    let hostile =
        "\u{202e}</pre></style><script>alert(1)</script><img src=x onerror='alert(2)'>\"&";
    for entry in &mut dossier.entries {
        match &mut entry.event.fact {
            Fact::SignedUp(signup) => {
                signup.circumstances.user_agent = Some(hostile.to_owned());
                signup.page = Some(hostile.to_owned());
                signup.address_typed = hostile.to_owned();
                signup.asked_by.name = hostile.to_owned();
            }
            Fact::MailAccepted { reply, .. } => *reply = hostile.to_owned(),
            _ => {}
        }
    }
    dossier.address = hostile.to_owned();
    dossier.brand.legal_name = hostile.to_owned();
    dossier.checkpoint = format!("{hostile}\n{hostile}\n{hostile}\n");
    dossier.anchors[0].authority = hostile.to_owned();
    let mail = format!("Subject: {hostile}\r\nFrom: {hostile}\r\n\r\n{hostile}");
    dossier.mails.insert(2, mail.into_bytes());
    let page = report(&dossier).unwrap();
    for part in [
        "<script",
        "<img",
        "<iframe",
        "<link",
        "src=\"",
        "url(",
        "@import",
        "href=\"http",
        "\u{202e}",
    ] {
        assert!(!page.contains(part), "{part}");
    }
    assert_eq!(page.matches("</style>").count(), 1);
    assert!(
        page.contains("\\u{202e}&#60;/pre&#62;"),
        "it is shown as text"
    );
    assert!(page.contains("default-src 'none'"));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_report_shows_a_form_only_from_the_page_that_has_the_versions_name() {
    let (world, mut dossier) = confirmed_by_code().await;
    for page in dossier.forms.values_mut() {
        *page = page.replace("Neues zweimal im Monat.", "Neues jeden Tag.");
    }
    let page = report(&dossier).unwrap();
    assert!(!page.contains("Neues jeden Tag."));
    assert!(page.contains("The page of this version is not in this bundle"));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_report_says_that_nobody_outside_bounds_the_times_where_no_authority_has_answered() {
    let (world, mut dossier) = confirmed_by_code().await;
    dossier.anchors.pop();
    let page = report(&dossier).unwrap();
    assert!(
        page.contains("logged after 2026-11-23 17:34:05 UTC; no later timestamp covers it yet")
    );
    dossier.anchors.clear();
    let page = report(&dossier).unwrap();
    assert!(page.contains("no outside timestamp covers it yet"));
    assert!(page.contains("nobody outside bounds when an event was logged"));
    assert!(!page.contains("root certificate"));
    world.finish().await;
}

/// The same, and then the person left everything.
async fn left() -> (World, Dossier) {
    let (world, mut dossier) = confirmed_by_code().await;
    let mut last = dossier.entries[3].clone();
    last.number = 5;
    last.index += 1;
    last.event.at = dossier.made_at;
    last.event.request = None;
    last.discloses = false;
    last.event.fact = Fact::Withdrawn {
        method: None,
        by: None,
        reason: None,
        told_by: None,
        purposes: last.event.fact.purposes().to_vec(),
        scope: "all".to_owned(),
        keeps_all: false,
        circumstances: Default::default(),
    };
    dossier.entries.push(last);
    (world, dossier)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_report_of_somebody_who_left_says_that_no_consent_stands_and_since_when() {
    let (world, dossier) = left().await;
    let page = report(&dossier).unwrap();
    for words in [
        "Consent stands for 0 of 2 purposes",
        "No consent, withdrawn",
        "since 2026-11-24 18:35:40 UTC, by event 5",
        "the person left events, newsletter",
        "not disclosed: they are kept for a shorter time than the event",
        "From then on there is no consent for it. Network address and browser are not disclosed.",
    ] {
        assert!(page.contains(words), "{words}");
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_consent_record_tells_each_change_of_state_with_its_time_method_and_source() {
    let (world, mut dossier) = left().await;
    dossier.brand.purposes.truncate(1);
    let version = dossier.forms.keys().next().unwrap();
    let text = serde_json::to_string_pretty(&consent_record(&dossier))
        .unwrap()
        .replace(&dossier.contact.0.to_string(), "CONTACT")
        .replace(version.as_str(), "VERSION");
    insta::assert_snapshot!("consent_record", text);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_signup_does_not_make_a_confirmed_consent_implied_in_the_record() {
    let (world, mut dossier) = confirmed_by_code().await;
    let mut again = dossier.entries[0].clone();
    (again.number, again.index) = (5, 4_205);
    let mut confirmed = dossier.entries[3].clone();
    (confirmed.number, confirmed.index) = (6, 4_206);
    dossier.entries.extend([again, confirmed]);
    let record = consent_record(&dossier);
    let process = &record["dpv:hasProcess"][0];
    let states: Vec<_> = process["dpv:hasConsentStatus"]
        .as_array()
        .unwrap()
        .iter()
        .map(|status| status["@type"][0].as_str().unwrap())
        .collect();
    let expected = [
        "dpv:ConsentGiven",
        "dpv:ConsentGiven",
        "dpv:RenewedConsentGiven",
    ];
    assert_eq!(states, expected);
    assert_eq!(process["dpv:hasLegalBasis"], "dpv:ExpressedConsent");
    world.finish().await;
}
