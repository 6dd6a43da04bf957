//! Lists over the API: brought, tried, taken in, reported, taken back.

use std::time::{Duration, Instant};

use countersign::domain::api_key::Scope;
use countersign::domain::event::Fact;
use countersign::domain::standing::Basis;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::erasing::deeds;
use super::{problem, program};
use crate::erasure::acme;
use crate::harness::{Client, Reply, World};
use crate::import::workbook::{Workbook, row};
use crate::jobs::work;
use crate::on_both_engines;

const LIST: &str = "E-Mail;Naam;Bestelling;Datum\nanna@example.org;Anna;1001;2026-10-01\nbo@example.org;Bo;1002;2019-01-01\n\
    info@example.org;;1003;2026-10-01\nnonsense;;1004;2026-10-01\n";
pub const DRAFTS: &str = "/api/v1/import-drafts";

fn hex(content: &[u8]) -> String {
    let hash = Sha256::digest(content);
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub async fn bring(program: &mut Client, name: &str, kind: &str, bytes: &[u8]) -> Reply {
    let path = format!("{DRAFTS}?brand=acme&purpose=newsletter&file_name={name}");
    program.send("POST", &path, Some(kind), bytes).await
}

/// From a list to an import that has ended; answers with its id.
pub async fn taken_in(world: &World, program: &mut Client, name: &str, list: &str) -> String {
    let draft = bring(program, name, "text/csv", list.as_bytes()).await;
    assert_eq!(draft.status, 201, "{}", draft.text());
    let path = format!("{DRAFTS}/{}", draft.json()["id"].as_str().unwrap());
    let said = json!({"source": "purchase", "map": {"Bestelling": "order", "Datum": "date"}});
    let tried = program.post_json(&format!("{path}/try"), &said).await;
    assert_eq!(tried.status, 202, "{}", tried.text());
    work(&world.app).await;
    let started = program
        .post_json(&format!("{path}/start"), &json!({"name": name}))
        .await;
    assert_eq!(started.status, 202, "{}", started.text());
    work(&world.app).await;
    started.json()["id"].as_str().unwrap().to_owned()
}

on_both_engines! {
    async fn a_list_is_brought_tried_taken_in_reported_and_taken_back(engine: Engine) {
        let world = World::on(engine).await;
        let mut crm = program(&world, &[Scope::ImportsRead, Scope::ImportsWrite, Scope::ContactsRead]).await;
        let draft = bring(&mut crm, "klanten.csv", "text/csv; charset=utf-8", LIST.as_bytes()).await;
        assert_eq!(draft.status, 201, "{}", draft.text());
        let draft = draft.json();
        assert_eq!(draft["stage"], "open");
        assert!(draft["about"].as_str().unwrap().contains("delimiter \";\""), "{draft}");
        let fields: Vec<&Value> = draft["columns"].as_array().unwrap().iter().map(|one| &one["field"]).collect();
        assert_eq!(fields[..2], [&json!("email"), &json!("name")]);
        let path = format!("{DRAFTS}/{}", draft["id"].as_str().unwrap());

        // Nothing starts that was not tried.
        assert_eq!(problem(&crm.post_json(&format!("{path}/start"), &json!({})).await).0, 409);
        let wrong = json!({"source": "hearsay", "map": {"Naam": "shoe_size"}, "dates": "backwards", "language": "tlh", "delimiter": "ab",
            "obtained_on": "soon"});
        let refused = crm.post_json(&format!("{path}/try"), &wrong).await;
        assert_eq!(problem(&refused).0, 422);
        let wrong: Vec<String> = refused.json()["errors"].as_array().unwrap().iter()
            .map(|error| error["field"].as_str().unwrap().to_owned()).collect();
        assert_eq!(wrong, ["source", "map", "dates", "delimiter", "language", "obtained_on"]);
        assert_eq!(problem(&crm.post_json(&format!("{path}/try"), &json!({})).await).0, 422, "no source at all");

        let said = json!({"source": "purchase", "map": {"Bestelling": "order", "Datum": "date"}, "language": "nl"});
        let tried = crm.post_json(&format!("{path}/try"), &said).await;
        assert_eq!((tried.status, &tried.json()["stage"]), (202, &json!("trying")), "{}", tried.text());
        work(&world.app).await;
        let tried = crm.get(&path).await.json();
        assert_eq!((&tried["stage"], &tried["problem"]), (&json!("tried"), &json!(null)), "{tried}");
        assert_eq!((&tried["counts"]["broken"], &tried["counts"]["verdicts"]["accept"]["A2"]), (&json!(1), &json!(1)), "{tried}");
        let samples = tried["samples"].as_array().unwrap();
        assert!(samples.iter().any(|one| one["address"] == "anna@example.org" && one["verdict"] == "accept"), "{tried}");
        assert!(world.story("anna@example.org").await.is_empty(), "a trial stores nothing");

        let start = json!({"name": "customers"});
        let mut once = crm.clone().with("idempotency-key", "start-1");
        let started = once.post_json(&format!("{path}/start"), &start).await;
        assert_eq!(started.status, 202, "{}", started.text());
        let again = once.post_json(&format!("{path}/start"), &start).await;
        assert_eq!(again.text(), started.text());
        let import = format!("/api/v1/imports/{}", started.json()["id"].as_str().unwrap());
        assert_eq!((&started.json()["state"], &started.json()["name"]), (&json!("running"), &json!("customers")));
        assert_eq!(problem(&crm.get(&format!("{import}/report")).await).0, 404, "not before its end");
        assert_eq!(problem(&crm.post_json(&format!("{path}/try"), &said).await).0, 409, "it has started");
        assert_eq!(problem(&crm.send("DELETE", &path, None, b"").await).0, 409);
        work(&world.app).await;
        let done = crm.get(&import).await.json();
        assert_eq!((&done["state"], &done["rows_done"], &done["has_report"]), (&json!("done"), &json!(4), &json!(true)), "{done}");
        assert_eq!(done["counts"]["new"], json!(2));
        let anna = world.permission("anna@example.org", "newsletter").await;
        assert_eq!((anna.allowed, anna.basis, anna.rule), (true, Basis::Implicit, "A2"));
        let report = crm.get(&format!("{import}/report")).await;
        assert_eq!(report.header("content-type"), Some("text/csv; charset=utf-8"));
        assert!(report.text().starts_with("line,address,verdict,rule,outreach,reason\n2,anna@example.org,accept,A2,auto,"));
        assert_eq!(report.text().lines().count(), 5);

        let first = crm.get(&format!("{import}/rows?limit=1")).await.json();
        let row = &first["items"][0];
        assert_eq!((&row["line"], &row["address"], &row["verdict"], &row["rule"]), (&json!(2), &json!("anna@example.org"), &json!("accept"), &json!("A2")), "{first}");
        assert_eq!((&row["outreach"], row["reason"].as_str().is_some_and(|why| !why.is_empty())), (&json!("auto"), true), "{first}");
        let rest = crm.get(&format!("{import}/rows?after={}", first["next"].as_str().unwrap())).await.json();
        assert_eq!((rest["items"].as_array().unwrap().len(), &rest["next"]), (1, &json!(null)), "two were taken in: {rest}");
        assert_eq!(problem(&crm.get(&format!("{import}/rows?after=xyz")).await).0, 400);

        let mut reader = program(&world, &[Scope::ImportsRead]).await;
        for what in ["report", "rows"] {
            assert_eq!(problem(&reader.get(&format!("{import}/{what}")).await).0, 403, "it names people");
        }
        let back = crm.send("POST", &format!("{import}/withdraw"), None, b"").await;
        assert_eq!((back.status, back.json()), (200, json!({"state": "withdrawn", "contacts": 2, "left_without": 2})));
        let back = crm.send("POST", &format!("{import}/withdraw"), None, b"").await;
        assert_eq!((back.status, back.json()), (200, json!({"state": "withdrawn", "contacts": null, "left_without": null})));
        assert!(!world.permission("anna@example.org", "newsletter").await.allowed);
        let did = deeds(&world, "k0").await;
        for deed in ["brought a list", "started an import", "took an import back"] {
            assert_eq!(did.matches(deed).count(), 1, "{deed}: {did}");
        }
        assert_eq!(did.matches("took a list along").count(), 2, "the report, and the rows: {did}");
        world.finish().await;
    }

    async fn a_workbook_is_read_as_well_and_a_wrong_body_is_refused(engine: Engine) {
        let world = World::with(engine, "[upload]\nmegabytes = 1\nat_most = 2\n").await;
        let mut crm = program(&world, &[Scope::ImportsWrite]).await;
        let book = Workbook::new().rows(&(row(1, &["email", "order"]) + &row(2, &["anna@example.org", "7"]))).bytes();
        let kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
        let draft = bring(&mut crm, "people.xlsx", kind, &book).await;
        assert_eq!(draft.status, 201, "{}", draft.text());
        assert!(draft.json()["about"].as_str().unwrap().starts_with("XLSX"), "{}", draft.text());
        for (kind, bytes, status) in [
            ("application/json", b"{}".to_vec(), 415),
            ("text/csv", Vec::new(), 422),
            ("text/csv", vec![b'a'; (1 << 20) + 1], 413),
        ] {
            assert_eq!(problem(&bring(&mut crm, "people.csv", kind, &bytes).await).0, status, "{kind}");
        }
        for query in ["", "?brand=acme", "?brand=acme&purpose=newsletter", "?brand=acme&purpose=newsletter&file_name=a&x=1"] {
            assert_eq!(problem(&crm.send("POST", &format!("{DRAFTS}{query}"), Some("text/csv"), b"a").await).0, 400, "{query}");
        }
        for query in ["brand=none&purpose=newsletter&file_name=a", "brand=acme&purpose=none&file_name=a", "brand=acme&purpose=newsletter&file_name=%07"] {
            assert_eq!(problem(&crm.send("POST", &format!("{DRAFTS}?{query}"), Some("text/csv"), b"a").await).0, 422, "{query}");
        }
        // What was refused left nothing; two lists may wait, and no third.
        world.advance(1);
        assert_eq!(bring(&mut crm, "two.csv", "text/csv", LIST.as_bytes()).await.status, 201);
        assert_eq!(problem(&bring(&mut crm, "three.csv", "text/csv", LIST.as_bytes()).await).0, 409);
        let listed = crm.get(&format!("{DRAFTS}?brand=acme")).await.json();
        let names: Vec<&str> = listed["items"].as_array().unwrap().iter().map(|one| one["file_name"].as_str().unwrap()).collect();
        assert_eq!(names, ["two.csv", "people.xlsx"]);
        let path = format!("{DRAFTS}/{}", listed["items"][0]["id"].as_str().unwrap());
        assert_eq!(crm.send("DELETE", &path, None, b"").await.status, 204);
        assert_eq!(problem(&crm.get(&path).await).0, 404);
        assert_eq!(bring(&mut crm, "three.csv", "text/csv", LIST.as_bytes()).await.status, 201);
        // A repetition of an upload is the same list.
        let mut once = crm.clone().with("idempotency-key", "list-1");
        crm.send("DELETE", &format!("{DRAFTS}/{}", crm.clone().get(&format!("{DRAFTS}?brand=acme")).await.json()["items"][0]["id"].as_str().unwrap()), None, b"").await;
        let first = bring(&mut once, "four.csv", "text/csv", LIST.as_bytes()).await;
        assert_eq!(first.status, 201, "{}", first.text());
        world.finish().await;
    }

    async fn files_of_proof_are_brought_for_a_list_and_stand_in_the_claims(engine: Engine) {
        let world = World::on(engine).await;
        let mut crm = program(&world, &[Scope::ImportsWrite]).await;
        let list = "email,date,paper\nanna@example.org,2026-10-01,scans/anna.png\nbo@example.org,2026-10-01,scans/bo.png\n\
            cleo@example.org,2026-10-01,\n";
        let draft = bring(&mut crm, "forms.csv", "text/csv", list.as_bytes()).await.json();
        let path = format!("{DRAFTS}/{}", draft["id"].as_str().unwrap());
        let files = format!("{path}/files");
        let add = async |client: &mut Client, query: &str, kind: &str, bytes: &[u8]| {
            client.send("POST", &format!("{files}?{query}"), Some(kind), bytes).await
        };
        let long = vec![1; (10 << 20) + 1];
        let wrong: [(&str, &str, &[u8], u16); 7] = [
            ("", "application/pdf", b"a", 400),
            ("name=a.pdf&what=a", "application/pdf", b"a", 400),
            ("name=%07", "application/pdf", b"a", 422),
            ("name=a.pdf&key=wording", "application/pdf", b"a", 422),
            ("name=a.pdf", "application/json", b"{}", 415),
            ("name=a.pdf", "application/pdf", b"", 422),
            ("name=a.pdf", "application/pdf", &long, 413),
        ];
        for (query, kind, bytes, status) in wrong {
            assert_eq!(problem(&add(&mut crm, query, kind, bytes).await).0, status, "{query} {kind}");
        }
        let none = crm.get(&files).await;
        assert_eq!((none.status, none.json()), (200, json!({"items": []})), "what was refused left nothing");

        let mut once = crm.clone().with("idempotency-key", "file-1");
        let first = add(&mut once, "name=scans/anna.png", "image/png", b"anna").await;
        assert_eq!(first.status, 201, "{}", first.text());
        let again = add(&mut once, "name=scans/anna.png", "image/png", b"anna").await;
        assert_eq!(again.text(), first.text());
        let sheet = add(&mut crm, "name=sheet.pdf&key=scan", "application/octet-stream", b"sheet").await.json();
        let told = json!({"id": sheet["id"], "name": "sheet.pdf", "key": "scan", "bytes": 5, "sha256": hex(b"sheet")});
        assert_eq!(sheet, told);
        assert_eq!(crm.get(&files).await.json(), json!({"items": [first.json(), sheet]}));
        assert_eq!(problem(&add(&mut crm, "name=b.pdf&key=scan", "image/png", b"b").await).0, 409, "a scan is one file");

        // A purchase takes no scan.
        let said = json!({"source": "purchase", "map": {"paper": "file.scan"}});
        let refused = crm.post_json(&format!("{path}/try"), &said).await;
        assert_eq!((problem(&refused).0, &refused.json()["errors"][0]["field"]), (422, &json!("paper.scan")), "{}", refused.text());
        let sheet = format!("{files}/{}", sheet["id"].as_str().unwrap());
        assert_eq!(crm.send("DELETE", &sheet, None, b"").await.status, 204);
        assert_eq!(problem(&crm.send("DELETE", &sheet, None, b"").await).0, 404);
        assert_eq!(problem(&crm.send("DELETE", &format!("{files}/x"), None, b"").await).0, 404);

        let said = json!({"source": "newsletter_form", "map": {"paper": "file.scan"}});
        assert_eq!(crm.post_json(&format!("{path}/try"), &said).await.status, 202);
        work(&world.app).await;
        let tried = crm.get(&path).await.json();
        assert_eq!((&tried["counts"]["broken"], &tried["counts"]["verdicts"]["accept"]["A6"]), (&json!(1), &json!(1)), "{tried}");
        let samples = tried["samples"].to_string();
        assert!(samples.contains("scans/bo.png") && samples.contains("it is not there"), "{tried}");
        assert_eq!(add(&mut crm, "name=./scans/bo.png", "image/png", b"bo").await.status, 201);
        assert_eq!(crm.get(&path).await.json()["stage"], "open", "it is tried anew");
        crm.post_json(&format!("{path}/try"), &said).await;
        work(&world.app).await;
        assert_eq!(crm.post_json(&format!("{path}/start"), &json!({"name": "forms"})).await.status, 202);
        assert_eq!(problem(&add(&mut crm, "name=late.png", "image/png", b"late").await).0, 409, "it has started");
        work(&world.app).await;
        for (email, content) in [("anna@example.org", &b"anna"[..]), ("bo@example.org", &b"bo"[..])] {
            let story = world.story(email).await;
            let Fact::Imported(imported) = &story[0].fact else { panic!("{story:?}") };
            let proof: Vec<(&str, &str)> = imported.claims[0].proof().collect();
            assert!(proof.contains(&("scan", hex(content).as_str())), "{proof:?}");
            let kept = world.app.proof_file(&acme(&world), &Sha256::digest(content).into()).await.unwrap();
            assert_eq!(kept.as_deref(), Some(content));
        }
        world.finish().await;
    }

    async fn imports_are_listed_page_by_page_and_the_newest_first(engine: Engine) {
        let world = World::on(engine).await;
        let mut crm = program(&world, &[Scope::ImportsRead, Scope::ImportsWrite]).await;
        let mut ids = Vec::new();
        for number in 0..3 {
            let name = format!("list-{number}");
            ids.push(taken_in(&world, &mut crm, &name, LIST).await);
            world.advance(1);
        }
        ids.reverse();
        let first = crm.get("/api/v1/imports?brand=acme&limit=2").await.json();
        let next = first["next"].as_str().unwrap();
        let second = crm.get(&format!("/api/v1/imports?brand=acme&limit=2&after={next}")).await.json();
        let seen: Vec<&str> = [&first, &second].iter().flat_map(|page| page["items"].as_array().unwrap())
            .map(|one| one["id"].as_str().unwrap()).collect();
        assert_eq!(seen, ids);
        assert_eq!(second["next"], json!(null));
        // The same name is another import's.
        let draft = bring(&mut crm, "list-1", "text/csv", LIST.as_bytes()).await.json();
        let path = format!("{DRAFTS}/{}", draft["id"].as_str().unwrap());
        crm.post_json(&format!("{path}/try"), &json!({"source": "purchase"})).await;
        work(&world.app).await;
        assert_eq!(problem(&crm.post_json(&format!("{path}/start"), &json!({})).await).0, 409);
        assert_eq!(problem(&crm.post_json(&format!("{path}/start"), &json!({"name": ""})).await).0, 422);
        world.finish().await;
    }

    async fn an_import_goes_on_whether_the_program_waits_or_not(engine: Engine) {
        let world = World::on(engine).await;
        let mut crm = program(&world, &[Scope::ImportsRead, Scope::ImportsWrite]).await;
        let mut list = "email,order,date\n".to_owned();
        for number in 0..1_500 {
            list.push_str(&format!("p{number}@example.org,{number},2026-10-01\n"));
        }
        let draft = bring(&mut crm, "many.csv", "text/csv", list.as_bytes()).await.json();
        let path = format!("{DRAFTS}/{}", draft["id"].as_str().unwrap());
        crm.post_json(&format!("{path}/try"), &json!({"source": "purchase"})).await;
        let app = world.app.clone();
        // As `serve` does it beside the web server.
        let worker = tokio::spawn(async move { loop { work(&app).await; tokio::time::sleep(Duration::from_millis(20)).await; } });
        let until = Instant::now() + Duration::from_secs(60);
        while crm.get(&path).await.json()["stage"] != "tried" {
            assert!(Instant::now() < until);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let import = crm.post_json(&format!("{path}/start"), &json!({})).await.json();
        let import = format!("/api/v1/imports/{}", import["id"].as_str().unwrap());
        while crm.get(&import).await.json()["state"] != "done" {
            assert!(Instant::now() < until);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        worker.abort();
        assert_eq!(crm.get(&import).await.json()["counts"]["new"], json!(1_500));
        world.finish().await;
    }
}
