//! `countersign policy`, `apply` of what a brand sets of it, and what a brand knows of an address.

use std::process::{Command, Output};

use countersign::app::apply::parse;
use countersign::domain::brand::Slug;
use countersign::domain::policy::{
    AddressFacts, Claim, Closed, OVERLAYS, Rule, SOURCES, Source, Terms, judge,
};
use countersign::ledger::canonical::canonical;
use serde_json::Value;

use crate::harness::{DECLARATIONS, Folder, START, World};
use crate::on_both_engines;

/// Runs the program in an empty folder: no configuration, no database.
fn policy(arguments: &[&str]) -> Output {
    let folder = Folder::new();
    run_in(&folder, arguments)
}

fn run_in(folder: &Folder, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_countersign"))
        .current_dir(&folder.0)
        .arg("policy")
        .args(arguments)
        .output()
        .unwrap()
}

/// What the command says as JSON, with no installation.
pub fn json_of(arguments: &[&str]) -> Value {
    let output = policy(arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}");
    serde_json::from_str(&out(&output)).unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// A verdict as JSON; the exit code must be 0, whatever it is.
fn explained(folder: &Folder, arguments: &str) -> Value {
    let words = arguments.split(' ').filter(|word| !word.is_empty());
    let all: Vec<&str> = ["explain", "--json"].into_iter().chain(words).collect();
    let output = run_in(folder, &all);
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{arguments}: {complaint}");
    serde_json::from_str(&out(&output)).unwrap()
}

/// Verdict, rule and outreach, with no installation.
fn answer(arguments: &str) -> (String, String, String) {
    short(&explained(&Folder::new(), arguments))
}

fn short(value: &Value) -> (String, String, String) {
    let text = |key: &str| value[key].as_str().unwrap().to_owned();
    (text("verdict"), text("rule"), text("outreach"))
}

fn is(verdict: &str, rule: &str, outreach: &str) -> (String, String, String) {
    (verdict.to_owned(), rule.to_owned(), outreach.to_owned())
}

#[test]
fn the_table_fits_a_terminal_of_80_columns_and_names_every_source_overlay_and_proof() {
    let output = policy(&[]);
    assert!(output.status.success());
    let text = out(&output);
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for row in &SOURCES {
        assert!(text.contains(row.name), "{}", row.name);
        let keys = row.proof.iter().map(|proof| proof.key);
        keys.for_each(|key| assert!(text.contains(&format!("{key} (")), "{key}"));
    }
    for row in &OVERLAYS {
        assert!(text.contains(row.overlay.as_str()) && text.contains(row.country));
    }
    assert!(text.contains("gives no legal advice"));
}

#[test]
fn the_table_as_data_has_every_row_with_its_proof() {
    let output = policy(&["--json"]);
    assert!(output.status.success());
    let data: Value = serde_json::from_str(&out(&output)).unwrap();
    let sources = data["sources"].as_array().unwrap();
    assert_eq!(sources.len(), SOURCES.len());
    assert_eq!(sources[1]["id"], "A2");
    assert_eq!(sources[1]["source"], "purchase");
    assert_eq!(sources[1]["outreach"], "auto");
    assert_eq!(sources[1]["window"]["months"], 24);
    assert_eq!(sources[1]["proof"][0]["key"], "order");
    assert_eq!(data["overlays"].as_array().unwrap().len(), 4);
    assert!(data["note"].as_str().unwrap().contains("no legal advice"));
}

#[test]
fn the_page_in_the_documents_is_the_one_that_the_table_gives() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/policy.md");
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        kept == out(&policy(&["--markdown"])),
        "docs/policy.md is stale; renew it with: cargo run -- policy --markdown > docs/policy.md"
    );
}

#[test]
fn one_verdict_as_data_has_exactly_the_names_that_programs_rely_on() {
    let arguments =
        "--source purchase --obtained-on 2024-11-24 --proof order=1 --as-of 2026-11-23T23:59:00Z";
    let output = policy(
        &[
            &["explain", "--json"],
            &*arguments.split(' ').collect::<Vec<_>>(),
        ]
        .concat(),
    );
    assert_eq!(
        out(&output).trim_end(),
        "{\"verdict\":\"accept\",\"outreach\":\"auto\",\"rule\":\"A2\",\"fired\":[\"A2\"],\
         \"valid_until\":\"2026-11-24T00:00:00.000000Z\",\"why\":\"The person bought from this brand on 2024-11-24: \
         implicit consent until 2026-11-24 00:00 (UTC).\"}"
    );
}

#[test]
fn one_verdict_for_people_names_its_rule_says_why_and_is_no_legal_advice() {
    let output = policy(&["explain", "--source", "bought_or_rented_list"]);
    assert_eq!(output.status.code(), Some(0), "a refusal is an answer");
    let text = out(&output);
    assert!(
        text.starts_with("verdict:  refuse\nrule:     U1: "),
        "{text}"
    );
    for part in [
        "outreach: none",
        "why:",
        "policy:   2026-11",
        "no legal advice",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(
        text.lines().all(|line| line.chars().count() <= 80),
        "{text}"
    );
}

#[test]
fn the_checks_of_the_specification_hold_on_the_command_line() {
    let bought = "--source purchase --obtained-on 2024-11-24 --proof order=1 --as-of";
    let last = answer(&format!("{bought} 2026-11-23T23:59:00Z"));
    assert_eq!(last, is("accept", "A2", "auto"));
    let over = answer(&format!("{bought} 2026-11-24T00:00:00Z"));
    assert_eq!(over, is("confirm_first", "D2", "auto"));
    let organiser = "--source event_organizer_list --proof event=Fair --proof organizer=Fair";
    let order = "--source purchase --obtained-on 2026-08-24 --proof order=1001 --as-of 2026-11-24";
    assert_eq!(
        answer(&format!("{organiser} {order}")),
        is("accept", "A2", "auto")
    );
    assert_eq!(answer(organiser), is("refuse", "O2b", "one_to_one"));
    let chosen = answer(&format!("{organiser} --confirm-organizer-list"));
    assert_eq!(chosen, is("confirm_first", "O2b", "one_to_one"));
    let role = answer("--source website_form --address info@example.org");
    assert_eq!(role, is("refuse", "O6", "none"));
    let card = "--source event_booth --obtained-on 2026-01-01 --proof event=Fair --proof kind=card";
    assert_eq!(answer(card), is("accept", "O2a", "auto"));
    assert_eq!(
        answer(&format!("{card} --overlay de")),
        is("confirm_first", "de", "self")
    );
    let both = answer(&format!("{card} --overlay nl,de"));
    assert_eq!(both, is("confirm_first", "de", "one_to_one"));
    let both = answer(&format!("--overlay nl --overlay de {card}"));
    assert_eq!(both, is("confirm_first", "de", "one_to_one"));
}

#[test]
fn what_stands_before_the_first_source_belongs_to_it() {
    let order =
        answer("--proof order=1 --obtained-on 2026-01-01 --source purchase --as-of 2026-11-24");
    assert_eq!(order, is("accept", "A2", "auto"));
}

#[test]
fn wrong_usage_ends_with_two_and_says_what_is_right() {
    for (arguments, part) in [
        ("explain", "--source"),
        ("explain --source nonsense", "nonsense"),
        (
            "explain --source purchase --proof colour=red",
            "it takes: order, date",
        ),
        (
            "explain --source unknown --proof date=2026-01-01",
            "it takes none",
        ),
        ("explain --source purchase --proof order", "KEY=VALUE"),
        (
            "explain --source purchase --proof order=1 --proof order=2",
            "twice",
        ),
        (
            "explain --source purchase --obtained-on 2026-01-01 --obtained-on 2026-01-02",
            "twice for purchase",
        ),
        ("explain --source purchase --overlay fr", "ca-casl"),
        ("explain --source purchase --as-of soon", "--as-of"),
        ("explain --source purchase --address nobody", "no address"),
        ("explain --source purchase --purpose news", "--brand"),
        ("explain --source purchase --brand acme", "settings"),
    ] {
        let words: Vec<&str> = arguments.split(' ').collect();
        let output = policy(&words);
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments}: {complaint}");
        assert!(complaint.contains(part), "{arguments}: {complaint}");
    }
}

/// An installation with one brand in Amsterdam that has an overlay on and has loosened what it may.
fn installed() -> Folder {
    let folder = Folder::new();
    let settings = "time_zone = \"Europe/Amsterdam\"\noverlays = [\"nl\"]\nrole_addresses = \"confirm_first\"\n\
                    responsible = \"Rosa Roland\"\nactive_within_months = 3\n";
    let declared = DECLARATIONS.replacen(
        "slug = \"acme\"\n",
        &format!("slug = \"acme\"\n{settings}"),
        1,
    );
    std::fs::write(folder.0.join("brands.toml"), declared).unwrap();
    for arguments in [&["init", "--yes"][..], &["apply", "brands.toml"]] {
        let done = Command::new(env!("CARGO_BIN_EXE_countersign"))
            .current_dir(&folder.0)
            .args(arguments)
            .output()
            .unwrap();
        let complaint = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.success(), "{complaint}");
    }
    folder
}

#[test]
fn a_brand_is_judged_by_its_own_overlays_time_zone_and_settings() {
    let folder = installed();
    let of = |arguments: &str| explained(&folder, &format!("--brand acme {arguments}"));
    let bought = "--source purchase --obtained-on 2024-11-24 --proof order=1 --as-of";
    let last = of(&format!("{bought} 2026-11-23T22:59:59Z"));
    assert_eq!(last["valid_until"], "2026-11-23T23:00:00.000000Z");
    let over = of(&format!("{bought} 2026-11-24"));
    assert_eq!(short(&over), is("confirm_first", "D2", "one_to_one"));
    assert_eq!(over["fired"], serde_json::json!(["A2", "D2", "nl"]));
    let member = "--source active_member --proof account=1 --proof joined=2020-01-01 --proof last_active=2026-08-01";
    let member = of(&format!("{member} --as-of 2026-11-24"));
    assert_eq!(short(&member), is("confirm_first", "D2", "one_to_one"));
    let order = "--source purchase --obtained-on 2026-08-24 --proof order=1 --as-of 2026-11-24";
    let role = of(&format!("{order} --address info@example.org"));
    assert_eq!(short(&role), is("confirm_first", "O6", "one_to_one"));
    assert!(
        role["why"].as_str().unwrap().contains("Rosa Roland"),
        "{role}"
    );
    let page = "--source website_form --proof form=n --proof version=1 --proof time=2026-08-24T10:00:00Z \
                --proof wording=x --as-of 2026-11-24 --proof page=https://";
    let own = of(&format!("{page}www.acme.example/"));
    assert_eq!(short(&own), is("accept", "A1", "self"));
    let foreign = of(&format!("{page}evil.example/"));
    assert_eq!(short(&foreign), is("confirm_first", "D4", "one_to_one"));
    let other = explained(&folder, &format!("--brand other {bought} 2026-11-24"));
    assert_eq!(
        short(&other),
        is("confirm_first", "D2", "auto"),
        "each brand its own"
    );
    let nobody = run_in(
        &folder,
        &["explain", "--source", "purchase", "--brand", "nobody"],
    );
    assert_eq!(nobody.status.code(), Some(2));
}

#[test]
fn a_declaration_with_an_unknown_zone_overlay_or_span_is_refused_with_what_is_right() {
    for (line, parts) in [
        (
            "time_zone = \"Mars/Olympus\"",
            &["Mars/Olympus", "Europe/Amsterdam"][..],
        ),
        ("overlays = [\"fr\"]", &["fr", "ca-casl"]),
        (
            "active_within_months = 0",
            &["active_within_months", "1 to 24"],
        ),
        (
            "active_within_months = 25",
            &["active_within_months", "1 to 24"],
        ),
    ] {
        let text = DECLARATIONS.replacen(
            "slug = \"acme\"\n",
            &format!("slug = \"acme\"\n{line}\n"),
            1,
        );
        let problem = parse(&text).unwrap_err().to_string();
        for part in parts {
            assert!(problem.contains(part), "{part} in {problem}");
        }
    }
}

#[test]
fn a_verdict_has_a_canonical_form_to_be_kept_in_an_event() {
    for row in &SOURCES {
        let claims = [Claim::new(row.source, Some("2026-08-24"))];
        let judgement = judge(&claims, AddressFacts::default(), &Terms::default(), START);
        let text = canonical(&judgement).unwrap();
        assert!(
            text.contains(&format!("\"source\":\"{}\"", row.name)),
            "{text}"
        );
        assert!(text.contains("\"policy_version\":\"2026-11\""), "{text}");
    }
}

on_both_engines! {
    async fn whoever_declined_is_refused_by_d3_whatever_is_claimed_later(engine: Engine) {
        let world = World::on(engine).await;
        let catalog = world.app.catalog();
        let brand = catalog.brand_by_slug("acme").unwrap();
        let purpose = |slug: &str| Slug::try_from(slug.to_owned()).unwrap();
        let fresh = world.app.known_of(brand, None, "anna@example.org").await.unwrap();
        assert_eq!(fresh, AddressFacts::default());
        world.signed_up("anna@example.org", "192.0.2.1").await;
        let signed_up = world.app.known_of(brand, None, "anna@example.org").await.unwrap();
        assert_eq!(signed_up, AddressFacts::default());
        let mail = world.mail_to("anna@example.org").await;
        let mut client = world.client("192.0.2.1");
        client.post(&mail.decline(), &[]).await;
        let known = world.app.known_of(brand, Some(&purpose("newsletter")), "ANNA@example.org").await.unwrap();
        assert_eq!(known.closed, Some(Closed::Declined));
        // The mailbox as a whole is suppressed, so the other purpose is closed as well.
        let other = world.app.known_of(brand, Some(&purpose("events")), "anna@example.org").await.unwrap();
        assert_eq!(other.closed, Some(Closed::Suppressed));
        let claim = Claim::new(Source::Purchase, Some("2026-08-24")).prove("order", "1").unwrap();
        let judgement = judge(&[claim], known, &world.app.terms(brand), START);
        assert_eq!(judgement.rule, Rule::D3);
        let elsewhere = catalog.brand_by_slug("other").unwrap();
        let known = world.app.known_of(elsewhere, None, "anna@example.org").await.unwrap();
        assert_eq!(known, AddressFacts::default(), "nothing moves between brands");
        let role = world.app.known_of(brand, None, "info@example.org").await.unwrap();
        assert!(role.role);
        world.finish().await;
    }
}
