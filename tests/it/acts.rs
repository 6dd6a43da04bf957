//! What operators do stands in the log, whichever way they do it; and that evidence was handed out, in the contact's own story.

use std::path::PathBuf;

use countersign::app::acted::deeds_of;
use countersign::app::keys::NewKey;
use countersign::domain::api_key::Scope;
use countersign::domain::event::{Fact, HandedOut, Through};
use countersign::domain::ids::OperatorId;
use countersign::domain::sentence::sentence;
use countersign::ledger::archive;
use countersign::ledger::bundle::{self, Known};
use serde_json::Value;
use uuid::Uuid;

use crate::admin::signing_in::signed_in;
use crate::harness::{DECLARATIONS, Folder, World, add_owner};
use crate::leaving::{confirmed, contact_of, mailed};
use crate::on_both_engines;
use crate::process::PROGRAM;

/// A command line beside a world's server.
struct Beside {
    folder: Folder,
}

impl Beside {
    fn new(world: &World) -> Self {
        let folder = Folder::new();
        std::fs::write(folder.0.join("settings.toml"), world.settings_text()).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.0.join(name)
    }

    /// Runs a command as somebody; answers with its exit code and what it said.
    fn run(&self, arguments: &[&str]) -> (i32, String) {
        let done = std::process::Command::new(PROGRAM)
            .arg("--config")
            .arg(self.path("settings.toml"))
            .args(arguments)
            .current_dir(&self.folder.0)
            .env_remove("SUDO_USER")
            .env("LOGNAME", "wilma")
            .output()
            .unwrap();
        let said =
            String::from_utf8(done.stdout).unwrap() + &String::from_utf8(done.stderr).unwrap();
        (done.status.code().unwrap(), said)
    }

    fn done(&self, arguments: &[&str]) -> String {
        let (code, said) = self.run(arguments);
        assert_eq!(code, 0, "{arguments:?}: {said}");
        said
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(self.done(arguments).lines().next().unwrap()).unwrap()
    }
}

/// What was done by somebody, or on the command line: deed and to what, oldest first.
async fn deeds(world: &World, by: Uuid) -> Vec<(String, String)> {
    let events = deeds_of(&world.app.store, OperatorId(by), 1_000)
        .await
        .unwrap();
    events
        .iter()
        .map(|event| match &event.fact {
            Fact::OperatorActed { deed, on, .. } => (deed.clone(), on.clone().unwrap_or_default()),
            other => panic!("{other:?}"),
        })
        .collect()
}

/// What was handed out of a contact, oldest first.
async fn handed_out(world: &World, email: &str) -> Vec<(HandedOut, Through)> {
    let story = world.story(email).await;
    let exported = story.iter().filter_map(|event| match &event.fact {
        Fact::Exported { what, through } => Some((*what, *through)),
        _ => None,
    });
    exported.collect()
}

fn holds(bytes: &[u8]) -> Vec<String> {
    let report = bundle::verify(bytes, Known::default()).unwrap();
    report
        .events
        .iter()
        .map(|event| event.kind.clone())
        .collect()
}

on_both_engines! {
    async fn everything_done_on_the_command_line_stands_in_the_log_with_the_systems_user_and_no_address(engine: Engine) {
        let world = World::on(engine).await;
        confirmed(&world, "ada@example.org").await;
        let beside = Beside::new(&world);
        std::fs::write(beside.path("brands.toml"), DECLARATIONS.replace("News twice a month.", "News once a month.")).unwrap();
        std::fs::write(beside.path("list.csv"), "email\nbea@example.org\n").unwrap();
        let asked: [&[&str]; 16] = [
            &["apply", "brands.toml"],
            &["apply", "brands.toml"],
            &["import", "list.csv", "--brand", "acme", "--purpose", "newsletter", "--source", "unknown", "--name", "spring"],
            &["import", "withdraw", "spring", "--brand", "acme"],
            &["campaign", "start", "again", "--brand", "acme", "--purpose", "newsletter", "--form", "news", "--kind", "reconfirmation", "--dry-run"],
            &["breaker", "release"],
            &["restored", "accept"],
            &["suppression", "add", "zoe@example.org", "--brand", "acme", "--reason", "asked by letter"],
            &["suppression", "lift", "zoe@example.org", "--brand", "acme", "--reason", "asked by letter"],
            &["evidence", "ada@example.org", "--brand", "acme", "-o", "ada.zip"],
            &["evidence", "ada@example.org", "--brand", "acme", "--timeline"],
            &["lapsing", "--brand", "acme"],
            &["withdraw", "ada@example.org", "--brand", "acme", "--reason", "by letter"],
            &["forget", "ada@example.org", "--brand", "acme", "--yes"],
            &["key", "add", "shop", "--scope", "contacts:read"],
            &["key", "list"],
        ];
        for arguments in asked {
            beside.done(arguments);
        }
        let found = deeds(&world, Uuid::nil()).await;
        let names: Vec<&str> = found.iter().map(|one| one.0.as_str()).collect();
        assert_eq!(names, [
            "declared", "import_started", "import_taken_back", "mail_released", "restored_accepted", "suppression_added",
            "suppression_lifted", "bundle_taken", "story_taken", "list_taken", "contact_withdrawn", "contact_erased", "key_added",
        ], "what changes nothing leaves nothing: {found:?}");
        assert!(found[0].1.contains("~ brand acme") && found[0].1.contains("~ form news: new version "), "{found:?}");
        assert_eq!((found[1].1.as_str(), found[2].1.as_str()), ("spring", "spring"));
        assert!(found[7].1.starts_with("contact ") && found[7].1.ends_with(" of brand acme"), "{found:?}");
        let events = deeds_of(&world.app.store, OperatorId(Uuid::nil()), 1_000).await.unwrap();
        for event in &events {
            let told = sentence(event);
            assert!(told.starts_with("the command line (wilma) ") && !told.contains('@'), "{told}");
        }
        assert!(sentence(&events[0]).contains("changed brands and forms: "), "{}", sentence(&events[0]));
        world.app.sequence().await.unwrap();
        let audit = beside.done(&["verify", "--log"]);
        assert!(audit.contains("holds"), "{audit}");
        world.end().await;
    }

    async fn campaigns_are_started_paused_resumed_and_cancelled_on_the_command_line_with_a_trace_of_each(engine: Engine) {
        let world = World::on(engine).await;
        confirmed(&world, "ada@example.org").await;
        let beside = Beside::new(&world);
        let start = ["campaign", "start", "again", "--brand", "acme", "--purpose", "newsletter", "--form", "news", "--kind", "reconfirmation"];
        beside.done(&start);
        world.app.campaigns_due().await.unwrap();
        for verb in ["pause", "resume", "cancel"] {
            beside.done(&["campaign", verb, "again", "--brand", "acme"]);
        }
        beside.done(&["campaign", "status", "again", "--brand", "acme", "--contacts", "people.csv"]);
        assert_eq!(beside.run(&["campaign", "pause", "nothing", "--brand", "acme"]).0, 2);
        let found = deeds(&world, Uuid::nil()).await;
        let names: Vec<&str> = found.iter().map(|one| one.0.as_str()).collect();
        assert_eq!(names, ["campaign_started", "campaign_paused", "campaign_resumed", "campaign_cancelled", "list_taken"]);
        assert!(found[..4].iter().all(|one| one.1 == "again"), "{found:?}");
        world.end().await;
    }

    async fn a_bundle_tells_of_its_own_handing_out_and_still_holds_and_so_it_does_whichever_way_it_goes(engine: Engine) {
        let world = World::on(engine).await;
        add_owner(&world.app).await;
        let contact = confirmed(&world, "ada@example.org").await;
        world.app.sequence().await.unwrap();
        // The person: data, and a report.
        let url = mailed(&world, contact);
        let mut person = world.client("203.0.113.9");
        let data = person.get(&format!("{url}/data.json")).await;
        assert!(data.status == 200 && data.text().contains("\"exported\""), "{}", data.text());
        let report = person.get(&format!("{url}/report.zip")).await;
        assert_eq!(report.status, 200);
        let kinds = holds(&report.body);
        assert_eq!(kinds.iter().filter(|kind| *kind == "exported").count(), 2, "{kinds:?}");
        // An operator.
        let mut olga = signed_in(&world, "olga").await;
        let taken = olga.post(&format!("/admin/contacts/acme/{contact}/bundle"), &[]).await;
        assert_eq!(taken.status, 200, "{}", taken.text());
        assert!(holds(&taken.body).contains(&"exported".to_owned()));
        // A program.
        let new = NewKey { name: "shop".to_owned(), scopes: vec![Scope::EvidenceRead], brand: None, expires_at: None };
        let (key, secret) = world.app.add_key(None, new).await.unwrap();
        let mut program = world.client("192.0.2.200").with("authorization", &format!("Bearer {secret}"));
        let taken = program.get(&format!("/api/v1/contacts/{contact}/evidence")).await;
        assert_eq!(taken.status, 200, "{}", taken.text());
        let kinds = holds(&taken.body);
        assert_eq!(kinds.iter().filter(|kind| *kind == "exported").count(), 4, "{kinds:?}");
        let by_key = deeds(&world, key.id.0).await;
        assert_eq!(by_key, [("bundle_taken".to_owned(), format!("contact {contact} of brand acme"))]);
        // The command line, whose own verifier has the last word; and the report for people says it in words.
        let beside = Beside::new(&world);
        beside.done(&["evidence", "ada@example.org", "--brand", "acme", "-o", "ada.zip"]);
        assert!(beside.done(&["verify", "ada.zip"]).contains("The person took along what is kept."));
        let (files, _) = archive::read(&std::fs::read(beside.path("ada.zip")).unwrap()).unwrap();
        let page = String::from_utf8(files["report.html"].clone()).unwrap();
        assert!(page.contains("Handed out") && page.contains("handed out as a bundle over the API"), "{page}");
        assert_eq!(handed_out(&world, "ada@example.org").await, [
            (HandedOut::Data, Through::PreferencesPage), (HandedOut::Bundle, Through::PreferencesPage),
            (HandedOut::Bundle, Through::AdminPages), (HandedOut::Bundle, Through::Api), (HandedOut::Bundle, Through::CommandLine),
        ]);
        world.end().await;
    }

    async fn downloads_in_a_loop_make_no_story_grow_and_an_erased_contacts_none_at_all(engine: Engine) {
        let world = World::on(engine).await;
        let contact = confirmed(&world, "ada@example.org").await;
        let catalog = world.app.catalog();
        let brand = catalog.brand_by_slug("acme").unwrap().clone();
        let out = |what, through| world.app.hand_out(&brand, contact, what, through);
        let all = (0..20).map(|_| out(HandedOut::Data, Through::PreferencesPage));
        let written = futures_util::future::join_all(all).await;
        assert_eq!(written.into_iter().filter(|one| *one.as_ref().unwrap()).count(), 1, "one of twenty at once");
        world.advance(3_590);
        assert!(!out(HandedOut::Data, Through::PreferencesPage).await.unwrap());
        assert!(out(HandedOut::Bundle, Through::PreferencesPage).await.unwrap(), "another thing");
        assert!(out(HandedOut::Bundle, Through::Api).await.unwrap(), "another way");
        world.advance(20);
        assert!(out(HandedOut::Data, Through::PreferencesPage).await.unwrap(), "the hour is over");
        assert_eq!(handed_out(&world, "ada@example.org").await.len(), 4);
        let before = world.permission("ada@example.org", "newsletter").await;
        assert!(before.allowed, "it changes nothing of the standing");
        let wish = countersign::app::erase::Wish {
            by: countersign::domain::event::ErasedBy::Operator,
            through: Through::CommandLine,
        };
        world.app.erase(&brand, "ada@example.org", wish).await.unwrap();
        assert!(!out(HandedOut::Bundle, Through::CommandLine).await.unwrap());
        world.end().await;
    }

    async fn a_program_that_takes_a_list_page_by_page_is_told_of_once_an_hour(engine: Engine) {
        let world = World::on(engine).await;
        for name in ["ada", "bea", "cleo"] {
            confirmed(&world, &format!("{name}@example.org")).await;
        }
        let new = NewKey { name: "shop".to_owned(), scopes: vec![Scope::ContactsRead], brand: None, expires_at: None };
        let (key, secret) = world.app.add_key(None, new).await.unwrap();
        let mut program = world.client("192.0.2.200").with("authorization", &format!("Bearer {secret}"));
        let mut after = String::new();
        for _ in 0..3 {
            let page = program.get(&format!("/api/v1/contacts?brand=acme&limit=1{after}")).await;
            assert_eq!(page.status, 200, "{}", page.text());
            let next = page.json()["next"].as_str().map(ToOwned::to_owned);
            after = next.map_or_else(String::new, |next| format!("&after={next}"));
        }
        program.get("/api/v1/contacts?brand=other").await;
        let list = |brand: &str| ("list_taken".to_owned(), format!("contacts of brand {brand}"));
        assert_eq!(deeds(&world, key.id.0).await, [list("acme"), list("other")]);
        world.advance(3_601);
        program.get("/api/v1/contacts?brand=acme").await;
        assert_eq!(deeds(&world, key.id.0).await.len(), 3);
        world.end().await;
    }

    async fn commands_answer_programs_in_json(engine: Engine) {
        let world = World::on(engine).await;
        add_owner(&world.app).await;
        confirmed(&world, "ada@example.org").await;
        let contact = contact_of(&world, "ada@example.org").await;
        let beside = Beside::new(&world);
        std::fs::write(beside.path("brands.toml"), DECLARATIONS.replace("News twice a month.", "News once a month.")).unwrap();
        let plan = beside.json(&["apply", "brands.toml", "--plan", "--json"]);
        assert_eq!((plan["applied"].as_bool(), plan["steps"][0]["step"].as_str()), (Some(false), Some("change_brand")), "{plan}");
        let version = plan["steps"].as_array().unwrap().iter().find(|step| step["step"] == "new_version").unwrap();
        assert_eq!(version["version"].as_str().map(str::len), Some(64), "{version}");
        assert_eq!(beside.json(&["apply", "brands.toml", "--json"])["applied"], true);
        let again = beside.json(&["apply", "brands.toml", "--json"]);
        assert!(again["applied"] == false && again["steps"].as_array().unwrap().is_empty(), "{again}");
        let operators = beside.json(&["operator", "list", "--json"]);
        assert_eq!((operators["name"].as_str(), operators["role"].as_str(), operators["state"].as_str()), (Some("olga"), Some("owner"), Some("enabled")));
        let gone = beside.json(&["forget", "ada@example.org", "--brand", "acme", "--yes", "--json"]);
        assert_eq!(gone["contact"].as_str(), Some(contact.to_string().as_str()), "{gone}");
        assert!(gone["events"].as_i64() >= Some(3) && gone["scrubbed"].is_boolean(), "{gone}");
        assert_eq!((&gone["reports"], &gone["lists_waiting"]), (&0.into(), &0.into()), "{gone}");
        assert_eq!(beside.run(&["forget", "ada@example.org", "--brand", "acme", "--json"]).0, 2, "it would have to ask");
        if engine == countersign::store::Engine::Sqlite {
            let copy = beside.json(&["backup", "copy.db", "--json"]);
            assert!(copy["log_entries"].as_i64() > Some(0) && copy["file"] == "copy.db", "{copy}");
            let found = deeds(&world, Uuid::nil()).await;
            assert_eq!(found.last().unwrap(), &("backup_taken".to_owned(), "copy.db".to_owned()));
        }
        world.end().await;
    }
}

#[test]
fn init_answers_programs_in_json_and_its_database_is_nobody_elses_to_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new();
    let made = std::process::Command::new(PROGRAM)
        .current_dir(&folder.0)
        .args(["init", "--yes", "--json"])
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let told: Value = serde_json::from_slice(&made.stdout).unwrap();
    assert_eq!(
        (told["operator"].as_str(), told["settings"].as_str()),
        (Some("owner"), Some("countersign.toml"))
    );
    assert_eq!(told["password"].as_str().map(str::len), Some(24));
    for file in ["countersign.toml", "countersign.db"] {
        let mode = std::fs::metadata(folder.0.join(file))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o077, 0, "{file} has the mode {mode:o}");
    }
}
