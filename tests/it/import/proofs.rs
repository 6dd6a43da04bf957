//! Files of proof: kept once by their hashes, given back, named by the evidence, and gone with the last contact that rests on them.

use std::path::Path;
use std::process::Command;

use countersign::app::import::NewImport;
use countersign::app::import::tally::Counts;
use countersign::clock::Clock;
use countersign::domain::email_address::AddressRules;
use countersign::domain::event::Fact;
use countersign::domain::policy::{Source, Zone};
use countersign::intake::candidate::{Batch, Reading};
use countersign::intake::header::{Columns, Mapping};
use countersign::intake::proof::{FILE_BYTES, ProofFolder};
use sha2::{Digest, Sha256};

use super::File;
use super::added::text_in;
use super::command::{complaint, data, import};
use super::storing::{findings, with};
use crate::erasure::{BY_OPERATOR, acme, forget};
use crate::harness::{Folder, World};
use crate::leaving::contact_of;
use crate::on_both_engines;

fn hash(content: &[u8]) -> [u8; 32] {
    Sha256::digest(content).into()
}

fn hex(content: &[u8]) -> String {
    hash(content)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// A folder with the settings, and one with scans in it.
fn folder(world: &World, scans: &[(&str, &[u8])]) -> Folder {
    let folder = Folder::new();
    std::fs::write(folder.0.join("countersign.toml"), world.settings_text()).unwrap();
    std::fs::create_dir(folder.0.join("scans")).unwrap();
    for (name, content) in scans {
        std::fs::write(folder.0.join("scans").join(name), content).unwrap();
    }
    folder
}

async fn kept(world: &World, content: &[u8]) -> Option<Vec<u8>> {
    world
        .app
        .proof_file(&acme(world), &hash(content))
        .await
        .unwrap()
}

/// Takes in forms whose rows name their scans.
async fn take_in(world: &World, name: &str, text: &str, scans: &Path) -> Counts {
    let file = File::of(text.as_bytes());
    let mut rows = file.open();
    let header = rows.header().unwrap();
    let source = Some(Source::NewsletterForm);
    let mapping = [Mapping::parse("paper=file.scan").unwrap()];
    let reading = Reading {
        columns: Columns::of(&header.cells, &mapping, source).unwrap(),
        batch: Batch {
            source,
            ..Batch::default()
        },
        order: None,
        zone: Zone::default(),
        rules: AddressRules { any_domain: true },
        proofs: Some(ProofFolder::open(scans).unwrap().into()),
    };
    with(world, async |import| {
        let new = NewImport {
            name: name.to_owned(),
            file_name: "forms.csv".to_owned(),
            file_sha256: hash(text.as_bytes()),
            reading: serde_json::Value::Null,
            proofs: Vec::new(),
        };
        let begun = world.app.begin_import(import, new).await.unwrap();
        let (tally, ended) = world
            .app
            .run_import(import, begun, (rows, reading), None, |_| ())
            .await;
        ended.unwrap();
        tally.counts
    })
    .await
}

on_both_engines! {
    async fn a_row_s_scan_and_a_batch_s_contract_are_kept_by_hash_and_given_back(engine: Engine) {
        let world = World::on(engine).await;
        let (anna, shared) = (b"a scan of Anna's form".as_slice(), b"one sheet with two names".as_slice());
        let folder = folder(&world, &[("anna.png", anna), ("sheet.png", shared)]);
        std::fs::write(folder.0.join("people"), "email,date,paper\nanna@example.org,2026-01-05,anna.png\n\
            ben@example.org,2026-01-05,sheet.png\ncleo@example.org,2026-01-05,./sheet.png\nno@example.org,2026-01-05,\n\
            lost@example.org,2026-01-05,lost.png\nout@example.org,2026-01-05,../countersign.toml\n").unwrap();
        let arguments = ["--source", "newsletter_form", "--map", "paper=file.scan", "--proof-dir", "scans", "--json", "--report", "out.csv"];
        let done = data(&import(&folder.0, &arguments));
        assert_eq!((&done["new"], &done["broken"]), (&4.into(), &2.into()));
        assert_eq!(done["verdicts"]["accept"]["rules"], serde_json::json!({ "A6": 3 }));
        assert_eq!(done["verdicts"]["confirm_first"]["rules"], serde_json::json!({ "D4": 1 }), "without its scan a row proves nothing");
        let report = std::fs::read_to_string(folder.0.join("out.csv")).unwrap();
        assert!(report.contains("lost.png") && report.contains("it is not there"), "{report}");
        assert!(report.contains("it lies outside of the folder of proof"), "{report}");
        assert_eq!(kept(&world, anna).await.as_deref(), Some(anna));
        assert_eq!(kept(&world, shared).await.as_deref(), Some(shared));
        let story = world.story("anna@example.org").await;
        let Fact::Imported(imported) = &story[0].fact else { panic!("{story:?}") };
        let hash_of_anna = hex(anna);
        assert_eq!(imported.claims[0].proof().find(|one| one.0 == "scan"), Some(("scan", hash_of_anna.as_str())));

        // A contract that holds for all rows, beside its number.
        let contract = b"the contract".as_slice();
        std::fs::write(folder.0.join("contract.pdf"), contract).unwrap();
        std::fs::write(folder.0.join("people"), "email,date\ndan@example.org,2026-01-05\n").unwrap();
        let arguments = ["--source", "written_agreement", "--proof", "contract=C-12", "--proof-file", "contract=contract.pdf", "--name", "contracts", "--json"];
        assert_eq!(data(&import(&folder.0, &arguments))["new"], 1);
        assert_eq!(kept(&world, contract).await.as_deref(), Some(contract));
        let story = world.story("dan@example.org").await;
        let Fact::Imported(imported) = &story[0].fact else { panic!("{story:?}") };
        let says = format!("C-12 sha256:{}", hex(contract));
        assert_eq!(imported.claims[0].proof().find(|one| one.0 == "contract"), Some(("contract", says.as_str())));

        let run = |arguments: &[&str]| {
            Command::new(env!("CARGO_BIN_EXE_countersign")).current_dir(&folder.0).arg("proof-file").args(arguments).output().unwrap()
        };
        let given = run(&[&hex(anna), "--brand", "acme", "-o", "back.png"]);
        assert_eq!(given.status.code(), Some(0), "{}", complaint(&given));
        assert_eq!(std::fs::read(folder.0.join("back.png")).unwrap(), anna);
        assert_eq!(run(&[&hex(anna), "--brand", "acme", "-o", "back.png"]).status.code(), Some(2), "nothing is written over");
        assert_eq!(run(&[&hex(anna), "--brand", "other", "-o", "x"]).status.code(), Some(1), "each brand has its own");
        assert_eq!(run(&["abc", "--brand", "acme", "-o", "x"]).status.code(), Some(2));

        // The bundle names the file and how to get it, and does not hold it. The command went by the machine's clock.
        world.clock.step(Clock::System.now().micros() - world.clock.now().micros());
        let (bytes, _) = crate::bundle::bundle_of(&world, "anna@example.org").await;
        let html = text_in(&bytes, "report.html");
        assert!(html.contains(&format!("countersign proof-file {} --brand acme", hex(anna))), "{html}");
        // Damaged it is no file that anybody could hand out, and the next bundle says so.
        let zero = match engine {
            countersign::store::Engine::Sqlite => "x'00'",
            countersign::store::Engine::Postgres => "'\\x00'",
        };
        world.sql(&format!("update proof_file set content = {zero} where bytes = {}", anna.len())).await.unwrap();
        let (bytes, _) = crate::bundle::bundle_of(&world, "anna@example.org").await;
        let html = text_in(&bytes, "report.html");
        assert!(html.contains("no longer has it: it was changed or damaged") && !html.contains("countersign proof-file"), "{html}");
        let data = world.app.data_of(&acme(&world), contact_of(&world, "anna@example.org").await).await.unwrap().unwrap();
        assert_eq!((&data["proof_files"][0]["sha256"], &data["proof_files"][0]["bytes"]), (&hex(anna).into(), &anna.len().into()));
        world.finish().await;
    }

    async fn the_audit_names_a_file_of_proof_that_was_changed_or_removed_by_sql(engine: Engine) {
        let (changed, other) = match engine {
            countersign::store::Engine::Sqlite => ("x'00'", "x'01'"),
            countersign::store::Engine::Postgres => ("'\\x00'", "'\\x01'"),
        };
        for (statement, wanted) in [
            (format!("update proof_file set content = {changed}"), "it was changed"),
            (format!("update proof_file set sha256 = {}", other.replacen("01", &"01".repeat(32), 1)), "it is missing, and an import or a contact rests on it"),
            ("delete from proof_file".to_owned(), "it is missing, and an import or a contact rests on it"),
        ] {
            let world = World::on(engine).await;
            let folder = folder(&world, &[("anna.png", b"a scan of Anna's form")]);
            take_in(&world, "forms", "email,date,paper\nanna@example.org,2026-01-05,anna.png\n", &folder.0.join("scans")).await;
            let findings = crate::import::storing::findings;
            assert_eq!(findings(&world).await, Vec::<String>::new());
            world.sql(&statement).await.unwrap();
            let found = findings(&world).await;
            assert!(found.iter().any(|one| one.contains(wanted)), "{statement}: {found:?}");
            world.end().await;
        }
    }

    async fn a_scan_goes_with_the_last_contact_that_rests_on_it(engine: Engine) {
        let world = World::on(engine).await;
        let (anna, shared) = (b"anna".as_slice(), b"shared".as_slice());
        let folder = folder(&world, &[("anna.png", anna), ("sheet.png", shared)]);
        let text = "email,date,paper\nanna@example.org,2026-01-05,anna.png\nben@example.org,2026-01-05,sheet.png\n\
            cleo@example.org,2026-01-05,sheet.png\n";
        take_in(&world, "forms", text, &folder.0.join("scans")).await;
        assert_eq!(forget(&world, "anna@example.org").await.unwrap().proofs, 1);
        assert_eq!(kept(&world, anna).await, None);
        assert_eq!(forget(&world, "ben@example.org").await.unwrap().proofs, 0);
        assert!(kept(&world, shared).await.is_some(), "another contact rests on it");
        assert_eq!(forget(&world, "cleo@example.org").await.unwrap().proofs, 1);
        assert_eq!(kept(&world, shared).await, None);
        world.finish().await;
    }

    async fn a_file_that_an_import_rests_on_is_there_whatever_is_erased_at_the_same_moment(engine: Engine) {
        let world = World::on(engine).await;
        let scan = b"a sheet with many names".as_slice();
        let folder = folder(&world, &[("sheet.png", scan)]);
        let scans = folder.0.join("scans");
        let row = |who: String| format!("email,date,paper\n{who},2026-01-05,sheet.png\n");
        take_in(&world, "first", &row("p0@example.org".to_owned()), &scans).await;
        for round in 1..12 {
            let (before, next) = (format!("p{}@example.org", round - 1), format!("p{round}@example.org"));
            let (name, text) = (format!("round {round}"), row(next));
            let brand = acme(&world);
            let (counts, erased) = tokio::join!(
                take_in(&world, &name, &text, &scans),
                world.app.erase(&brand, &before, BY_OPERATOR)
            );
            assert_eq!((counts.new, erased.is_ok()), (1, true), "round {round}");
            assert!(kept(&world, scan).await.is_some(), "round {round}");
        }
        assert_eq!(findings(&world).await, Vec::<String>::new());
        world.finish().await;
    }

    async fn files_of_proof_have_limits_and_are_asked_for_in_words(engine: Engine) {
        let world = World::on(engine).await;
        let folder = folder(&world, &[("empty.png", b"")]);
        let long = std::fs::File::create(folder.0.join("scans/long.png")).unwrap();
        long.set_len(FILE_BYTES + 1).unwrap();
        std::os::unix::fs::symlink(folder.0.join("countersign.toml"), folder.0.join("scans/link.png")).unwrap();
        std::fs::write(folder.0.join("people"), "email,date,paper\na@example.org,2026-01-05,empty.png\n\
            b@example.org,2026-01-05,long.png\nc@example.org,2026-01-05,link.png\nd@example.org,2026-01-05,.\n").unwrap();
        let arguments = ["--source", "newsletter_form", "--map", "paper=file.scan", "--proof-dir", "scans", "--json", "--report", "out.csv"];
        assert_eq!(data(&import(&folder.0, &arguments))["broken"], 4);
        let report = std::fs::read_to_string(folder.0.join("out.csv")).unwrap();
        for part in ["it is empty", "longer than 10 MiB", "outside of the folder", "it is no file"] {
            assert!(report.contains(part), "{part}: {report}");
        }
        for (arguments, part) in [
            (vec!["--source", "newsletter_form", "--map", "paper=file.scan"], "--proof-dir DIR"),
            (vec!["--source", "newsletter_form", "--proof-dir", "scans"], "--map COLUMN=file.KEY"),
            (vec!["--source", "newsletter_form", "--proof-file", "wording=people"], "is no file; files can be: account, ad"),
            (vec!["--source", "newsletter_form", "--proof-file", "scan=lost.png"], "it is not there"),
            (vec!["--source", "purchase", "--proof-file", "scan=people"], "has no proof"),
            (vec!["--source", "purchase", "--proof-file", "order=people", "--proof-file", "order=people"], "this very file is there"),
            (vec!["--source", "newsletter_form", "--map", "paper=file.date"], "there is no field"),
        ] {
            let output = import(&folder.0, &arguments);
            assert_eq!(output.status.code(), Some(2), "{arguments:?}");
            assert!(complaint(&output).contains(part), "{arguments:?}: {}", complaint(&output));
        }
        world.finish().await;
    }
}
