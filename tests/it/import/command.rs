//! `countersign import` as a command, with a real installation.

use std::path::Path;
use std::process::{Command, Output};

use countersign::domain::brand::Slug;
use countersign::domain::email_address::{AddressRules, EmailAddress};
use countersign::domain::policy::Closed;
use countersign::store::Engine;
use serde_json::Value;

use super::workbook::{Workbook, row};
use crate::harness::{Folder, World};
use crate::on_both_engines;

/// Runs an import in a folder that holds the settings.
pub fn import(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_countersign"))
        .current_dir(folder)
        .args([
            "import",
            "people",
            "--brand",
            "acme",
            "--purpose",
            "newsletter",
        ])
        .args(arguments)
        .output()
        .unwrap()
}

pub async fn tried(world: &World, bytes: &[u8], arguments: &[&str]) -> (Folder, Output) {
    let folder = Folder::new();
    std::fs::write(folder.0.join("countersign.toml"), world.settings_text()).unwrap();
    std::fs::write(folder.0.join("people"), bytes).unwrap();
    let (path, arguments) = (
        folder.0.clone(),
        arguments
            .iter()
            .map(|a| (*a).to_owned())
            .collect::<Vec<_>>(),
    );
    let output = tokio::task::spawn_blocking(move || {
        import(
            &path,
            &arguments.iter().map(String::as_str).collect::<Vec<_>>(),
        )
    });
    (folder, output.await.unwrap())
}

pub fn data(output: &Output) -> Value {
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{complaint}");
    serde_json::from_slice(&output.stdout).unwrap()
}

pub fn complaint(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Two people whom the brand knows: one declined, which also suppresses the mailbox, and one is pending.
async fn known(world: &World) {
    world.signed_up("no@example.org", "203.0.113.1").await;
    world.signed_up("new@example.org", "203.0.113.2").await;
    let mail = world.mail_to("no@example.org").await;
    let reply = world.client("203.0.113.1").post(&mail.decline(), &[]).await;
    assert!(reply.status < 400, "{}", reply.text());
}

on_both_engines! {
    async fn how_a_list_was_read_is_told_in_the_words_in_which_it_was_said(engine: Engine) {
        let world = World::on(engine).await;
        let list = b"Mail;Nr;Day;Rest\nanna@example.org;7;03/04/2026;x\n";
        let arguments = [
            "--source", "purchase", "--map", "Mail=email", "--map", "Nr=order", "--map", "Day=date", "--map", "Rest=ignore", "--dates",
            "day-first", "--delimiter", ";", "--json",
        ];
        let (_folder, output) = tried(&world, list, &arguments).await;
        assert_eq!(data(&output)["new"], 1);
        let brand = crate::leaving::brand(&world);
        let told = world.app.tell_imports_in_order(&brand, (None, true), 1).await.unwrap().remove(0);
        let said = |name: &str| told.reading.iter().find(|one| one.0 == name).map(|one| one.1.as_str());
        assert_eq!(said("Columns"), Some("Mail=email, Nr=proof.order, Day=proof.date, Rest=ignore"));
        assert_eq!((said("Dates"), said("Delimiter")), (Some("day-first"), Some(";")));
        world.end().await;
    }

    async fn a_dry_run_counts_by_verdict_and_stores_nothing(engine: Engine) {
        let world = World::on(engine).await;
        known(&world).await;
        let list = "Email;Order;Order date;Unsubscribed\n\
            a@example.org;1;2026-01-01;\nA@example.org;2;2026-01-02;\nno@example.org;3;2026-01-01;\nno+tag@example.org;4;2026-01-01;\n\
            new@example.org;5;2026-01-01;\ninfo@example.org;6;2026-01-01;\nold@example.org;7;2019-01-01;\nunproven@example.org;;;\n\
            left@example.org;8;2026-01-01;yes\nnonsense;9;2026-01-01;\n\"open@example.org;1;2026-01-01;\n";
        let arguments = ["--source", "purchase", "--dry-run", "--json", "--report", "out.csv"];
        let (folder, output) = tried(&world, list.as_bytes(), &arguments).await;
        let found = data(&output);
        assert_eq!(found["rows"], 11);
        assert_eq!(found["broken"], 2);
        assert_eq!(found["again"], 1);
        // One of them signed up at the brand's own form before, and that lasts longer than a purchase.
        assert_eq!(found["verdicts"]["accept"]["rules"], serde_json::json!({ "A1": 1, "A2": 2 }));
        assert_eq!(found["verdicts"]["confirm_first"]["rules"], serde_json::json!({ "D2": 1, "D4": 1 }));
        assert_eq!(found["verdicts"]["refuse"]["rules"], serde_json::json!({ "O6": 1, "D3": 3 }));
        assert_eq!(found["samples"]["accept"][0]["address"], "a@example.org");
        let report = std::fs::read_to_string(folder.0.join("out.csv")).unwrap();
        assert!(report.starts_with("line,address,verdict,rule,outreach,reason\n2,a@example.org,accept,A2,auto,"));
        assert_eq!(report.lines().count(), 12);
        assert!(report.contains("\n11,nonsense,broken,,,") && report.contains("\n12,,broken,,,"), "{report}");
        assert!(world.story("a@example.org").await.is_empty());
        world.finish().await;
    }

    async fn many_addresses_are_looked_up_together_as_one_by_one(engine: Engine) {
        let world = World::on(engine).await;
        known(&world).await;
        let catalog = world.app.catalog();
        let brand = catalog.brand_by_slug("acme").unwrap();
        let rules = AddressRules { any_domain: true };
        let typed: Vec<String> = (0..1_500).map(|at| format!("p{at}@example.org"))
            .chain(["no@example.org", "no+x@example.org", "new@example.org", "info@example.org", "no@example.org"].map(str::to_owned))
            .collect();
        let addresses: Vec<_> = typed.iter().map(|typed| EmailAddress::parse(typed, &rules).unwrap()).collect();
        let all: Vec<&EmailAddress> = addresses.iter().collect();
        let purpose = Slug::try_from("newsletter".to_owned()).unwrap();
        let known = world.app.known_of_all(brand, Some(&purpose), &all).await.unwrap();
        assert_eq!(known.len(), typed.len());
        let closed: Vec<_> = known[1_500..].iter().map(|facts| (facts.role, facts.closed)).collect();
        assert_eq!(closed, [
            (false, Some(Closed::Declined)), (false, Some(Closed::Suppressed)), (false, None), (true, None),
            (false, Some(Closed::Declined)),
        ]);
        assert!(known[..1_500].iter().all(|facts| facts.closed.is_none() && !facts.role));
        for (typed, facts) in typed.iter().zip(&known).skip(1_495) {
            assert_eq!(&world.app.known_of(brand, Some(&purpose), typed).await.unwrap(), facts, "{typed}");
        }
        world.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workbook_is_judged_like_a_table_and_told_to_people() {
    let world = World::on(Engine::Sqlite).await;
    let rows = row(
        1,
        &[
            "Email Address",
            "Source",
            "OPTIN_TIME",
            "CONFIRM_TIME",
            "Shoe size",
        ],
    ) + &row(
        2,
        &[
            "a@example.org",
            "bought_or_rented_list",
            "2023-01-01",
            "2023-01-02",
            "42",
        ],
    ) + &row(3, &["=b@example.org", "webinar", "", "", ""]);
    let book = Workbook::new().rows(&rows).bytes();
    let (folder, output) = tried(&world, &book, &["--dry-run", "--report", "out.csv"]).await;
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    for part in [
        "XLSX, sheet \"Contacts\": 2 rows",
        "column Email Address: email",
        "left out: Shoe size",
        "refuse                  2  U1 1, D1 1",
        "another system's word on the consent: 1 row, of a confirmation: 1",
        "api_claim",
        "line 2  a@example.org  U1  outreach none",
        "Nothing was stored.",
        "no legal advice",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let report = std::fs::read_to_string(folder.0.join("out.csv")).unwrap();
    assert!(
        report.contains("\n3,'=b@example.org,refuse,D1,none,")
            && report.contains("no source \"\"webinar\"\""),
        "{report}"
    );
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(folder.0.join("out.csv"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_asked_wrongly_ends_with_two_and_what_cannot_be_read_with_one() {
    let world = World::on(Engine::Sqlite).await;
    let list = b"Email,Phone\na@example.org,1\n";
    for (bytes, arguments, code, part) in [
        (&list[..], "--dry-run", 2, "--source"),
        (list, "--dry-run --source nonsense", 2, "nonsense"),
        (
            list,
            "--dry-run --source purchase --proof colour=red",
            2,
            "it takes: order, date",
        ),
        (
            list,
            "--dry-run --source purchase --obtained-on 03/04/2026",
            2,
            "YYYY-MM-DD",
        ),
        (
            list,
            "--dry-run --source purchase --map Fax=email",
            2,
            "Email, Phone",
        ),
        (
            list,
            "--dry-run --source purchase --map Phone=colour",
            2,
            "first_name",
        ),
        (
            list,
            "--dry-run --source purchase --sheet One",
            2,
            "workbooks",
        ),
        (
            list,
            "--dry-run --source purchase --encoding klingon",
            2,
            "utf-8",
        ),
        (
            list,
            "--dry-run --source purchase --report people",
            2,
            "exists",
        ),
        (
            b"Phone,Street\n1,2\n",
            "--dry-run --source purchase",
            2,
            "--map COLUMN=email",
        ),
        (
            b"a@example.org\n",
            "--dry-run --source purchase",
            2,
            "no header",
        ),
        (b"", "--dry-run --source purchase", 1, "empty"),
        (
            b"PK\x03\x04 cut off",
            "--dry-run --source purchase",
            1,
            "cut off",
        ),
    ] {
        let words: Vec<&str> = arguments.split(' ').collect();
        let (_folder, output) = tried(&world, bytes, &words).await;
        let told = complaint(&output);
        assert_eq!(output.status.code(), Some(code), "{arguments}: {told}");
        assert!(told.contains(part), "{arguments}: {told}");
        assert!(output.stdout.is_empty(), "{arguments}");
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workbook_that_breaks_off_half_way_says_behind_which_line_and_the_report_has_what_was_read()
 {
    let world = World::on(Engine::Sqlite).await;
    let sheet = format!(
        "<worksheet><sheetData>{}{}<row r=\"3\"><c r=\"XFE3\"/></row>",
        row(1, &["email"]),
        row(2, &["a@example.org"])
    );
    let book = Workbook::new()
        .part("xl/worksheets/sheet1.xml", &sheet)
        .bytes();
    let arguments = [
        "--source",
        "direct_email",
        "--dry-run",
        "--report",
        "out.csv",
    ];
    let (folder, output) = tried(&world, &book, &arguments).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(
        complaint(&output).contains("behind line 2"),
        "{}",
        complaint(&output)
    );
    let report = std::fs::read_to_string(folder.0.join("out.csv")).unwrap();
    assert_eq!(report.lines().count(), 2);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_organiser_s_list_may_be_confirmed_for_one_import() {
    let world = World::on(Engine::Sqlite).await;
    let list = b"email\na@example.org\n";
    let arguments =
        "--source event_organizer_list --proof event=Fair --proof organizer=Fair --dry-run --json";
    let words: Vec<&str> = arguments.split(' ').collect();
    let (_folder, output) = tried(&world, list, &words).await;
    assert_eq!(data(&output)["verdicts"]["refuse"]["rules"]["O2b"], 1);
    let chosen = [&words[..], &["--confirm-organizer-list"]].concat();
    let (_folder, output) = tried(&world, list, &chosen).await;
    assert_eq!(
        data(&output)["verdicts"]["confirm_first"]["rules"]["O2b"],
        1
    );
    world.finish().await;
}
