//! Proof that comes after the import: kept in the story, judged with, and gone with what it adds to.

use countersign::app::add_proof::{Misfit, NewProof, ProofRefused, Proven};
use countersign::domain::api_key::Scope;
use countersign::domain::brand::Slug;
use countersign::domain::campaign::Kind;
use countersign::domain::event::{Fact, Grade, Through};
use countersign::domain::operator::Role;
use countersign::domain::policy::{Rule, Source, Verdict};
use countersign::domain::standing::{Basis, State};
use countersign::domain::time::Timestamp;
use countersign::store::Engine;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::storing::{List, findings, withdraw};
use crate::api::program;
use crate::bundle::bundle_of;
use crate::campaign::{begin, plan, work};
use crate::erasure::{acme, forget};
use crate::harness::{Folder, Reply, World};
use crate::jobs::signed_in;
use crate::leaving::contact_of;
use crate::on_both_engines;

/// Bea bought something, and nobody wrote down what.
const UNPROVEN: &str = "email,date\nbea@example.org,2026-01-05\n";
const BEA: &str = "bea@example.org";

async fn add(
    world: &World,
    words: &[(&str, &str)],
    file: Option<(&str, &[u8])>,
) -> Result<Vec<Proven>, ProofRefused> {
    add_to(world, Source::Purchase, words, file).await
}

async fn add_to(
    world: &World,
    source: Source,
    words: &[(&str, &str)],
    file: Option<(&str, &[u8])>,
) -> Result<Vec<Proven>, ProofRefused> {
    let new = NewProof {
        contact: contact_of(world, BEA).await,
        source,
        purpose: None,
        words: words
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect(),
        file: file.map(|(key, content)| (key.to_owned(), content.to_vec())),
    };
    let by = (None, Through::CommandLine);
    world.app.add_proof(&acme(world), &new, by).await
}

fn hex(content: &[u8]) -> String {
    let hash = Sha256::digest(content);
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The text of a file in a bundle.
pub fn text_in(bytes: &[u8], name: &str) -> String {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    let mut text = String::new();
    std::io::Read::read_to_string(&mut archive.by_name(name).unwrap(), &mut text).unwrap();
    text
}

/// Bea's order was proven from the beginning, and a campaign that she did not answer ended what it gave.
async fn bought_and_lapsed(world: &World) {
    let order = "email,order,date\nbea@example.org,1,2026-01-05\n";
    List::bought("orders", order).take_in(world).await;
    let mut asked = plan(Kind::Reconfirmation);
    asked.lapse_unanswered_at = Timestamp::parse("2027-01-15");
    begin(world, "again", asked).await.unwrap();
    work(world).await;
    world.advance(60 * 86_400);
    work(world).await;
}

on_both_engines! {
    async fn proof_that_comes_later_is_an_event_and_gives_what_it_proves(engine: Engine) {
        let world = World::on(engine).await;
        List::bought("spring", UNPROVEN).take_in(&world).await;
        let before = world.permission(BEA, "newsletter").await;
        assert_eq!((before.allowed, before.rule), (false, "D4"));
        world.advance(86_400);
        let added = add(&world, &[("order", "1001")], None).await.unwrap();
        assert_eq!((added.len(), added[0].judgement.verdict), (1, Verdict::Accept));
        let after = world.permission(BEA, "newsletter").await;
        assert_eq!((after.allowed, after.basis, after.rule), (true, Basis::Implicit, "A2"));
        assert_eq!(after.until.unwrap().to_string(), "2028-01-05T00:00:00.000000Z", "from the day of the act");
        assert_eq!(world.kinds(BEA).await, ["imported", "proof_added"]);
        let story = world.story(BEA).await;
        let Fact::ProofAdded(told) = &story[1].fact else { panic!("{story:?}") };
        assert_eq!(told.added.get("order").map(String::as_str), Some("1001"));
        assert_eq!((told.claim.given("order"), told.claim.obtained_on()), (Some("1001"), None));
        assert_eq!((told.judgement.verdict, told.line), (Verdict::Accept, 2));
        let said = countersign::domain::sentence::sentence(&story[1]);
        assert!(said.contains("the command line added proof") || said.contains("the command line ("), "{said}");
        assert!(said.contains("order 1001") && said.contains("implicit consent until 2028-01-05"), "{said}");
        // The same list again tells nothing new, and more of the same proof neither.
        let again = List::bought("again", UNPROVEN).take_in(&world).await;
        assert_eq!((again.unchanged, again.added), (1, 0), "{again:?}");
        assert!(matches!(add(&world, &[("order", "1002")], None).await, Err(ProofRefused::There(_))));
        assert_eq!(findings(&world).await, Vec::<String>::new());
        // The bundle tells it, and its own checks hold.
        let (bytes, report) = bundle_of(&world, BEA).await;
        assert!(report.events.iter().any(|event| event.kind == "proof_added" && event.sentence.contains("added proof (order) of the source purchase")), "{report:?}");
        let page = text_in(&bytes, "report.html");
        assert!(page.contains("Proof added") && page.contains("order: 1001"), "{page}");
        let record = text_in(&bytes, "record.jsonld");
        assert!(record.contains("proof_added: the operator added proof of the source purchase"), "{record}");
        let data = world.app.data_of(&acme(&world), contact_of(&world, BEA).await).await.unwrap().unwrap();
        assert_eq!(data["events"][1]["added"], json!({"order": "1001"}));
        world.finish().await;
    }

    async fn an_import_that_is_taken_back_takes_the_proof_with_it(engine: Engine) {
        let world = World::on(engine).await;
        List::bought("spring", UNPROVEN).take_in(&world).await;
        add(&world, &[("order", "1001")], None).await.unwrap();
        assert_eq!(withdraw(&world, "spring").await.unwrap(), (1, 1));
        assert!(!world.permission(BEA, "newsletter").await.allowed);
        assert!(matches!(add(&world, &[("order", "1001")], None).await, Err(ProofRefused::NoClaim(_))));
        // Brought again without the proof, nothing of it is left over.
        List::bought("summer", UNPROVEN).take_in(&world).await;
        assert_eq!(world.permission(BEA, "newsletter").await.rule, "D4");
        assert_eq!(findings(&world).await, Vec::<String>::new());
        world.finish().await;
    }

    async fn a_file_is_kept_once_by_its_hash_and_goes_with_the_person(engine: Engine) {
        let world = World::on(engine).await;
        List::bought("spring", UNPROVEN).take_in(&world).await;
        let receipt = b"a photograph of the receipt".as_slice();
        let file = Some(("order", receipt));
        add(&world, &[("order", "1001")], file).await.unwrap();
        assert!(matches!(add(&world, &[], file).await, Err(ProofRefused::There(_))), "it is there");
        let story = world.story(BEA).await;
        let Fact::ProofAdded(told) = &story[1].fact else { panic!("{story:?}") };
        let says = format!("1001 sha256:{}", hex(receipt));
        assert_eq!(told.added.get("order"), Some(&says));
        let kept = async || world.app.proof_file(&acme(&world), &Sha256::digest(receipt).into()).await.unwrap();
        assert_eq!(kept().await.as_deref(), Some(receipt));
        let (bytes, _) = bundle_of(&world, BEA).await;
        assert!(text_in(&bytes, "report.html").contains(&format!("countersign proof-file {}", hex(receipt))));
        let data = world.app.data_of(&acme(&world), contact_of(&world, BEA).await).await.unwrap().unwrap();
        assert_eq!(data["proof_files"][0]["sha256"], hex(receipt));
        world.app.sequence().await.unwrap();
        assert_eq!(forget(&world, BEA).await.unwrap().proofs, 1);
        assert_eq!(kept().await, None);
        assert_eq!(findings(&world).await, Vec::<String>::new());
        world.finish().await;
    }

    async fn proof_reopens_nothing_that_the_person_closed(engine: Engine) {
        let world = World::on(engine).await;
        List::bought("spring", "email,date\nbea@example.org,2026-01-05\nmax@example.org,2026-01-05\n").take_in(&world).await;
        let folder = Folder::new();
        std::fs::write(folder.0.join("countersign.toml"), world.settings_text()).unwrap();
        let run = |arguments: &[&str]| {
            let output = std::process::Command::new(env!("CARGO_BIN_EXE_countersign"));
            let mut output = output;
            let output = output.current_dir(&folder.0).args(arguments).output().unwrap();
            (output.status.code().unwrap(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
        };
        assert_eq!(run(&["withdraw", BEA, "--brand", "acme"]).0, 0);
        let added = run(&["add-proof", BEA, "--brand", "acme", "--source", "purchase", "--proof", "order=7", "--json"]);
        assert_eq!(added.0, 0, "{}", added.1);
        let told: serde_json::Value = serde_json::from_str(added.1.lines().next().unwrap()).unwrap();
        assert_eq!((&told["verdict"], &told["rule"], &told["state"]), (&json!("refuse"), &json!("D3"), &json!("withdrawn")));
        assert!(!world.permission(BEA, "newsletter").await.allowed);
        for (arguments, code, part) in [
            (vec!["--source", "purchase", "--proof", "size=9"], 2, "has no proof \"size\""),
            (vec!["--source", "nowhere", "--proof", "order=7"], 2, "there is no source"),
            (vec!["--source", "purchase"], 2, "name 1 to 20 pieces"),
            (vec!["--source", "purchase", "--proof", "order"], 2, "KEY and VALUE"),
            (vec!["--source", "donation_or_volunteering", "--proof", "receipt=7"], 1, "no import claimed"),
            (vec!["--source", "purchase", "--proof", "order=8", "--purpose", "events"], 1, "no import claimed"),
            (vec!["--source", "purchase", "--proof-file", "date=countersign.toml"], 2, "is no file"),
        ] {
            let mut all = vec!["add-proof", "max@example.org", "--brand", "acme"];
            all.extend(arguments);
            let (ended, said) = run(&all);
            assert_eq!(ended, code, "{all:?}: {said}");
            assert!(said.contains(part), "{all:?}: {said}");
        }
        assert_eq!(run(&["add-proof", "nobody@example.org", "--brand", "acme", "--source", "purchase", "--proof", "order=7"]).0, 1);
        assert_eq!(world.kinds("max@example.org").await, ["imported"], "what is refused leaves nothing");
        world.finish().await;
    }

    async fn proof_brings_back_nothing_that_a_campaign_ended(engine: Engine) {
        let world = World::on(engine).await;
        bought_and_lapsed(&world).await;
        assert!(!world.permission(BEA, "newsletter").await.allowed);
        let receipt = Some(("order", b"a photograph of the receipt".as_slice()));
        let added = add(&world, &[], receipt).await.unwrap();
        assert_eq!(added[0].standing.map(|one| one.state), Some(State::Lapsed));
        assert!(added[0].judgement.why.ends_with("the proof brings nothing back."), "{added:?}");
        assert!(!world.permission(BEA, "newsletter").await.allowed);
        let story = world.story(BEA).await;
        let Some(Fact::ProofAdded(told)) = story.last().map(|event| &event.fact) else { panic!("{story:?}") };
        assert!(told.nothing_new, "the event says so: its fold needs nothing else");
        assert_eq!(findings(&world).await, Vec::<String>::new());
        world.finish().await;
    }

    async fn proof_that_makes_nothing_more_of_a_claim_gives_nothing(engine: Engine) {
        let world = World::on(engine).await;
        bought_and_lapsed(&world).await;
        // A later list gives consent anew, proof comes for the older act, and the later list was a mistake.
        let gave = "email,receipt,date\nbea@example.org,R1,2025-06-01\n";
        List { name: "shop", text: gave, source: Some(Source::DonationOrVolunteering) }.take_in(&world).await;
        assert!(world.permission(BEA, "newsletter").await.allowed);
        add(&world, &[], Some(("order", b"the order".as_slice()))).await.unwrap();
        assert_eq!(withdraw(&world, "shop").await.unwrap().0, 1);
        assert!(!world.permission(BEA, "newsletter").await.allowed, "what the campaign ended stays ended");
        assert_eq!(findings(&world).await, Vec::<String>::new());
        world.finish().await;
    }

    async fn proof_gives_what_its_own_claim_gives_and_nothing_of_another_import_stays_by_it(engine: Engine) {
        let world = World::on(engine).await;
        List::bought("spring", "email,name\nbea@example.org,Bea\n").take_in(&world).await;
        let gave = "email,receipt,date\nbea@example.org,R1,2026-01-05\n";
        List { name: "shop", text: gave, source: Some(Source::DonationOrVolunteering) }.take_in(&world).await;
        assert_eq!(world.permission(BEA, "newsletter").await.rule, "A4");
        world.advance(86_400);
        let added = add(&world, &[("order", "1001")], None).await.unwrap();
        assert_eq!((added[0].judgement.verdict, added[0].judgement.rule), (Verdict::Accept, Rule::A4), "all sources together");
        let story = world.story(BEA).await;
        let Fact::ProofAdded(told) = &story[2].fact else { panic!("{story:?}") };
        assert_eq!(told.own.as_ref().map(|own| own.rule), Some(Rule::D4), "the day is missing");
        assert_eq!(withdraw(&world, "shop").await.unwrap().0, 1);
        assert!(!world.permission(BEA, "newsletter").await.allowed);
        add(&world, &[("date", "2026-01-06")], None).await.unwrap();
        let after = world.permission(BEA, "newsletter").await;
        assert_eq!((after.allowed, after.rule), (true, "A2"));
        assert_eq!(findings(&world).await, Vec::<String>::new());
        world.finish().await;
    }

    async fn proof_that_would_spoil_a_claim_or_has_yet_to_come_is_refused(engine: Engine) {
        let world = World::on(engine).await;
        List::bought("spring", "email,order,obtained_on\nbea@example.org,1,2026-01-05\n").take_in(&world).await;
        assert!(world.permission(BEA, "newsletter").await.allowed);
        let spoils = add(&world, &[("date", "2026-01-06")], None).await.unwrap_err();
        assert!(matches!(spoils, ProofRefused::There(Misfit::Spoils(_))), "{spoils}");
        assert!(spoils.to_string().contains("its two dates differ"), "{spoils}");
        let ahead = add(&world, &[("date", "2030-01-05")], None).await;
        assert!(matches!(ahead, Err(ProofRefused::NoDay(_))), "{ahead:?}");
        for time in ["2030-01-05T10:00:00Z", "2026-01-05"] {
            let refused = add_to(&world, Source::WebsiteForm, &[("time", time)], None).await;
            assert!(matches!(refused, Err(ProofRefused::NoInstant(_))), "{time}: {refused:?}");
        }
        assert_eq!(world.kinds(BEA).await, ["imported"], "what is refused leaves nothing");
        add(&world, &[("date", "2026-01-05")], None).await.unwrap();
        assert!(world.permission(BEA, "newsletter").await.allowed);
        assert_eq!(findings(&world).await, Vec::<String>::new());
        world.finish().await;
    }

    async fn without_a_purpose_proof_goes_to_the_newest_act_and_to_no_other(engine: Engine) {
        let world = World::on(engine).await;
        let folder = Folder::new();
        std::fs::write(folder.0.join("countersign.toml"), world.settings_text()).unwrap();
        // Bea's act is told for both purposes; of Max two acts are told, one for each.
        let lists = [
            ("first.csv", "newsletter", "bea@example.org,2026-01-05\nmax@example.org,2026-01-05\n"),
            ("second.csv", "events", "bea@example.org,2026-01-05\nmax@example.org,2026-02-05\n"),
        ];
        let run = |arguments: &[&str]| {
            let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_countersign"));
            let output = command.current_dir(&folder.0).args(arguments).output().unwrap();
            (output.status.code().unwrap(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
        };
        for (name, purpose, rows) in lists {
            std::fs::write(folder.0.join(name), format!("email,date\n{rows}")).unwrap();
            let done = run(&["import", name, "--brand", "acme", "--purpose", purpose, "--source", "purchase"]);
            assert_eq!(done.0, 0, "{}", done.1);
        }
        let proven = |who: &str, proof: &str, purpose: &[&str]| {
            let mut all = vec!["add-proof", who, "--brand", "acme", "--source", "purchase", "--proof", proof, "--json"];
            all.extend(purpose);
            let (code, said) = run(&all);
            let told = said.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
            let purposes: Vec<String> = told.filter_map(|one| Some(one.get("purpose")?.as_str()?.to_owned())).collect();
            (code, purposes)
        };
        let events = || (0, vec!["events".to_owned()]);
        assert_eq!(proven("bea@example.org", "order=7", &["--purpose", "newsletter"]), (0, vec!["newsletter".to_owned()]));
        assert_eq!(proven("bea@example.org", "order=7", &[]), events(), "the other has it already");
        assert_eq!(proven("bea@example.org", "order=7", &[]), (1, Vec::new()), "and now both have");
        assert_eq!(proven("max@example.org", "order=8", &[]), events(), "the newer act");
        assert_eq!(proven("max@example.org", "order=8", &[]), (1, Vec::new()), "and never the older one");
        assert_eq!(world.kinds("max@example.org").await, ["imported", "imported", "proof_added"]);
        world.end().await;
    }

    async fn what_another_system_said_of_a_confirmation_counts_once_the_source_is_proven(engine: Engine) {
        let world = World::on(engine).await;
        List::bought("spring", "email,date,confirmed_at\nbea@example.org,2026-01-05,2025-03-01T10:00:00Z\n").take_in(&world).await;
        assert_eq!(world.permission(BEA, "newsletter").await.basis, Basis::None);
        add(&world, &[("order", "1001")], None).await.unwrap();
        let after = world.permission(BEA, "newsletter").await;
        assert_eq!((after.basis, after.grade), (Basis::Explicit, Some(Grade::ApiClaim)));
        assert_eq!(findings(&world).await, Vec::<String>::new());
        world.finish().await;
    }

    async fn a_program_adds_words_and_files_and_is_told_the_verdict(engine: Engine) {
        let world = World::on(engine).await;
        List::bought("spring", UNPROVEN).take_in(&world).await;
        let id = contact_of(&world, BEA).await;
        let mut shop = program(&world, &[Scope::ContactsWrite]).await;
        let path = format!("/api/v1/contacts/{id}/proofs");
        let refused = shop.post_json(&path, &json!({"source": "purchase", "proof": {"date": "soon"}})).await;
        assert_eq!(refused.status, 422, "{}", refused.text());
        let done = shop.post_json(&path, &json!({"source": "purchase", "proof": {"order": "1001"}})).await;
        assert_eq!(done.status, 201, "{}", done.text());
        let item = &done.json()["items"][0];
        assert_eq!((&item["purpose"], &item["verdict"], &item["rule"], &item["state"]), (&json!("newsletter"), &json!("accept"), &json!("A2"), &json!("implicit")));
        let path = format!("/api/v1/contacts/{id}/proof-files?source=purchase&key=order");
        let mut send = async |path: &str, kind: &str, body: &[u8]| -> Reply { shop.send("POST", path, Some(kind), body).await };
        assert_eq!(send(&path, "application/pdf", b"the order").await.status, 201);
        assert_eq!(send(&path, "application/pdf", b"the order").await.status, 409, "it is there");
        assert_eq!(send(&path, "application/pdf", b"").await.status, 422);
        assert_eq!(send(&path, "text/html", b"x").await.status, 415);
        assert_eq!(send(&path.replace("key=order", "key=date"), "application/pdf", b"x").await.status, 422);
        let long = vec![0; 10 * 1_024 * 1_024 + 1];
        assert_eq!(send(&path, "application/pdf", &long).await.status, 413);
        let story = world.story(BEA).await;
        let Fact::ProofAdded(told) = &story[1].fact else { panic!("{story:?}") };
        assert_eq!((told.by.as_str(), told.through), ("API key k0", Through::Api));
        assert_eq!(world.kinds(BEA).await, ["imported", "proof_added", "proof_added"]);
        assert!(crate::api::erasing::deeds(&world, "k0").await.contains("added proof to what an import claimed of a contact from 192.0.2.200: contact "));
        world.finish().await;
    }

    async fn an_editor_adds_proof_on_the_page_and_a_viewer_may_not(engine: Engine) {
        let world = World::on(engine).await;
        List::bought("spring", UNPROVEN).take_in(&world).await;
        let id = contact_of(&world, BEA).await;
        let mut edda = signed_in(&world, "edda", Role::Editor, &[]).await;
        let page = format!("/admin/contacts/acme/{id}");
        let form = |fields: &[(&str, &str)], file: &[u8]| {
            let mut body = Vec::new();
            for (name, value) in fields {
                body.extend_from_slice(format!("--b\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").as_bytes());
            }
            let name = if file.is_empty() { "" } else { "order.pdf" };
            body.extend_from_slice(format!("--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n").as_bytes());
            body.extend_from_slice(file);
            body.extend_from_slice(b"\r\n--b--\r\n");
            body
        };
        let kind = Some("multipart/form-data; boundary=b");
        let send = [("source", "purchase"), ("key", "order"), ("value", "")];
        let path = format!("{page}/proof");
        let nothing = edda.send("POST", &path, kind, &form(&send, b"")).await;
        assert_eq!(nothing.status, 422);
        assert!(nothing.text().contains("Nothing was added: name 1 to 20 pieces of proof."), "{}", nothing.text());
        let done = edda.send("POST", &path, kind, &form(&send, b"the order")).await;
        assert_eq!((done.status, done.location()), (303, format!("{page}?done=proven")), "{}", done.text());
        let shown = edda.get(&format!("{page}?done=proven")).await.text();
        assert!(shown.contains("Proof added") && shown.contains("edda added proof on the admin pages"), "{shown}");
        assert!(world.permission(BEA, "newsletter").await.allowed);
        let mut vera = signed_in(&world, "vera", Role::Viewer, &[]).await;
        assert!(!vera.get(&page).await.text().contains("Add proof"));
        assert_eq!(vera.send("POST", &path, kind, &form(&send, b"x")).await.status, 403);
        world.finish().await;
    }
}

#[tokio::test]
async fn proof_is_added_for_the_purposes_that_the_source_was_claimed_for() {
    let world = World::on(Engine::Sqlite).await;
    List::bought("spring", UNPROVEN).take_in(&world).await;
    let new = NewProof {
        contact: contact_of(&world, BEA).await,
        source: Source::Purchase,
        purpose: Slug::try_from("newsletter".to_owned()).ok(),
        words: vec![("order".to_owned(), " 1001 ".to_owned())],
        file: None,
    };
    let by = (None, Through::CommandLine);
    let added = world.app.add_proof(&acme(&world), &new, by).await.unwrap();
    assert_eq!(added[0].purpose.as_str(), "newsletter");
    assert_eq!(
        added[0].judgement.facts.sources.len(),
        1,
        "in the place of the claim without it"
    );
    world.finish().await;
}
