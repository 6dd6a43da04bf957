//! Notes in a contact's story: who may write them, where they stand, and that they go with the person.

use countersign::clock::Clock;
use countersign::domain::api_key::Scope;
use countersign::domain::event::{Fact, Through};
use countersign::domain::operator::Role;
use countersign::domain::sentence::sentence;
use serde_json::json;

use crate::api::{problem, program};
use crate::bundle::bundle_of;
use crate::erasure::{acme, forget};
use crate::harness::{DECLARATIONS, Folder, World};
use crate::jobs::signed_in;
use crate::leaving::{confirmed, contact_of, signed_up_for_both};
use crate::on_both_engines;

const ADA: &str = "ada@example.org";

on_both_engines! {
    async fn a_note_stands_in_the_story_the_bundle_and_the_persons_data_and_goes_with_the_person(engine: Engine) {
        let world = World::on(engine).await;
        let id = confirmed(&world, ADA).await;
        let before = world.permission(ADA, "newsletter").await;
        let folder = Folder::new();
        std::fs::write(folder.0.join("countersign.toml"), world.settings_text()).unwrap();
        let run = |arguments: &[&str]| {
            let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_countersign"));
            let output = command.current_dir(&folder.0).args(arguments).output().unwrap();
            (output.status.code().unwrap(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
        };
        // The command goes by the clock of the machine.
        world.clock.step(Clock::System.now().micros() - world.clock.now().micros());
        let text = "Called on Monday.\nWants <b>paper</b>.";
        assert_eq!(run(&["note", ADA, text, "--brand", "acme"]).0, 0);
        assert_eq!(run(&["note", "nobody@example.org", text, "--brand", "acme"]).0, 1);
        assert_eq!(run(&["note", ADA, " ", "--brand", "acme"]).0, 2);
        assert_eq!(world.kinds(ADA).await.last(), Some(&"operator_note"));
        let story = world.story(ADA).await;
        let last = story.last().unwrap();
        let Fact::OperatorNote { note, through, .. } = &last.fact else { panic!("{last:?}") };
        assert_eq!((note.as_str(), *through), (text, Through::CommandLine));
        assert!(sentence(last).contains("wrote down on the command line: Called on Monday. Wants <b>paper</b>."), "{}", sentence(last));
        let after = world.permission(ADA, "newsletter").await;
        assert_eq!((after.allowed, after.since), (before.allowed, before.since), "it changes nothing of the standing");
        assert!(run(&["evidence", ADA, "--brand", "acme", "--timeline"]).1.contains("Wants <b>paper</b>."));
        let (bytes, report) = bundle_of(&world, ADA).await;
        assert!(report.events.iter().any(|event| event.kind == "operator_note" && event.sentence.contains("Called on Monday.")));
        let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
        let mut page = String::new();
        std::io::Read::read_to_string(&mut archive.by_name("report.html").unwrap(), &mut page).unwrap();
        assert!(page.contains("Called on Monday.") && !page.contains("<b>paper</b>"), "{page}");
        let data = world.app.data_of(&acme(&world), id).await.unwrap().unwrap();
        let events = data["events"].as_array().unwrap();
        assert!(events.iter().any(|event| event["kind"] == "operator_note" && event["note"] == text), "{data}");
        // Nobody else is told.
        let told = world.app.announcements(0, 100, &Default::default()).await.unwrap();
        assert!(told.announcements.iter().all(|one| !format!("{:?}", one.announcement).contains("paper")));
        let mut person = world.client("203.0.113.9");
        let url = crate::leaving::links(&world, id, None).preferences_url;
        assert!(!person.get(&url).await.text().contains("paper"));
        forget(&world, ADA).await.unwrap();
        assert!(world.story(ADA).await.is_empty());
        world.finish().await;
    }

    async fn a_note_does_not_keep_somebody_who_never_confirmed_beyond_the_term(engine: Engine) {
        let waits = "from_address = \"letters@acme.example\"\n";
        let declared = DECLARATIONS.replacen(waits, &format!("{waits}hold_until_confirmed = true\n"), 1);
        let world = World::declared(engine, "[retention]\nunconfirmed_days = 30\n", &declared).await;
        signed_up_for_both(&world, ADA).await;
        let id = contact_of(&world, ADA).await;
        let by = (None, Through::CommandLine);
        assert!(world.app.write_note(&acme(&world), id, "Called on Monday.", by).await.unwrap());
        world.advance(7 * 86_400);
        world.app.expire().await.unwrap();
        world.advance(30 * 86_400);
        assert_eq!(world.app.purge_unconfirmed().await.unwrap(), 1);
        assert!(world.story(ADA).await.is_empty());
        world.finish().await;
    }

    async fn an_editor_and_a_program_write_notes_and_nobody_else_does(engine: Engine) {
        let world = World::on(engine).await;
        let id = confirmed(&world, ADA).await;
        let page = format!("/admin/contacts/acme/{id}");
        let mut edda = signed_in(&world, "edda", Role::Editor, &[]).await;
        let done = edda.post(&format!("{page}/note"), &[("note", "Wants the paper form.")]).await;
        assert_eq!((done.status, done.location()), (303, format!("{page}?done=noted")));
        let shown = edda.get(&format!("{page}?done=noted")).await.text();
        assert!(shown.contains("edda wrote down on the admin pages: Wants the paper form."), "{shown}");
        let long = "x".repeat(2_001);
        let refused = edda.post(&format!("{page}/note"), &[("note", &long)]).await;
        assert_eq!(refused.status, 422);
        assert!(refused.text().contains(&long) && refused.text().contains("Nothing was written down"), "what was typed is not lost");
        for (name, role) in [("vera", Role::Viewer), ("arno", Role::Auditor)] {
            let mut looking = signed_in(&world, name, role, &[]).await;
            assert!(!looking.get(&page).await.text().contains("Write a note"), "{name}");
            assert_eq!(looking.post(&format!("{page}/note"), &[("note", "x y z")]).await.status, 403, "{name}");
        }
        let mut other = signed_in(&world, "otto", Role::Editor, &["other"]).await;
        assert_eq!(other.post(&format!("{page}/note"), &[("note", "x y z")]).await.status, 404);

        let mut shop = program(&world, &[Scope::ContactsWrite]).await;
        let path = format!("/api/v1/contacts/{id}/notes");
        let done = shop.post_json(&path, &json!({"note": " Sent the paper form. "})).await;
        assert_eq!((done.status, &done.json()["note"]), (201, &json!("Sent the paper form.")));
        for (note, status) in [(long.clone(), 422), ("\u{1b}[2J".to_owned(), 422), (String::new(), 422)] {
            assert_eq!(problem(&shop.post_json(&path, &json!({"note": note})).await).0, status);
        }
        let nowhere = path.replace(&id.to_string(), "0191b1b2-0000-7000-8000-000000000000");
        assert_eq!(problem(&shop.post_json(&nowhere, &json!({"note": "x"})).await).0, 404);
        let mut reader = program(&world, &[Scope::ContactsRead, Scope::ContactsErase]).await;
        assert_eq!(problem(&reader.post_json(&path, &json!({"note": "x"})).await).0, 403);
        let deeds = crate::api::erasing::deeds(&world, "k0").await;
        assert!(deeds.contains(&format!("API key k0 wrote a note about a contact from 192.0.2.200: contact {id} of brand acme.")), "{deeds}");
        assert!(!deeds.contains("paper form"), "what operators did names no content");
        let kinds = world.kinds(ADA).await;
        assert_eq!(kinds.iter().filter(|kind| **kind == "operator_note").count(), 2, "{kinds:?}");
        assert_eq!(contact_of(&world, ADA).await, id);
        world.end().await;
    }
}
