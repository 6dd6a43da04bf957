//! Whom a row names, and what it claims.

use countersign::domain::email_address::AddressRules;
use countersign::domain::policy::{AddressFacts, Rule, Source, Terms, Zone, ZoneName, judge};
use countersign::domain::time::Timestamp;
use countersign::intake::candidate::{Batch, Candidate, Reading};
use countersign::intake::dates::{Order, day, instant};
use countersign::intake::formula::{neutralised, taken_back};
use countersign::intake::header::Columns;
use countersign::intake::{Broken, Row};
use proptest::prelude::*;

fn reading(header: &[&str], batch: Batch, order: Option<Order>) -> Reading {
    let header: Vec<String> = header.iter().map(|name| (*name).to_owned()).collect();
    Reading {
        columns: Columns::of(&header, &[], batch.source).unwrap(),
        batch,
        order,
        zone: Zone::default(),
        rules: AddressRules::default(),
        proofs: None,
    }
}

fn bought() -> Batch {
    Batch {
        source: Some(Source::Purchase),
        ..Batch::default()
    }
}

fn row(cells: &[&str]) -> Row {
    Row {
        line: 7,
        cells: cells.iter().map(|cell| (*cell).to_owned()).collect(),
    }
}

fn one(header: &[&str], cells: &[&str], batch: Batch) -> Result<Candidate, Broken> {
    reading(header, batch, None).candidate(&row(cells))
}

fn rule(candidate: &Candidate) -> Rule {
    let now = Timestamp::parse("2026-11-24").unwrap();
    let facts = AddressFacts::default();
    judge(&candidate.claims, facts, &Terms::default(), now).rule
}

#[test]
fn a_row_names_its_person_and_what_it_claims() {
    let header = [
        "email",
        "first name",
        "last name",
        "language",
        "order",
        "order date",
    ];
    let cells = [
        " anna@example.org ",
        "Anna",
        "Ångström",
        "de-AT",
        "1001",
        "24.11.2025",
    ];
    let anna = one(&header, &cells, bought()).unwrap();
    assert_eq!(
        (anna.line, anna.address.deliverable()),
        (7, "anna@example.org")
    );
    assert_eq!(
        (anna.name.as_deref(), anna.language),
        (Some("Anna Ångström"), Some("de"))
    );
    assert_eq!(rule(&anna), Rule::A2);
    assert!(anna.elsewhere.is_none() && !anna.left);
}

#[test]
fn a_row_without_a_usable_address_is_broken_and_says_why() {
    for (cell, part) in [
        ("", "missing"),
        ("anna", "no_at"),
        ("anna@localhost", "single_label"),
        ("\"a b\"@example.org", "quoted"),
        ("a@[127.0.0.1]", "ip_literal"),
        ("a@example.org, b@example.org", "white_space"),
    ] {
        let broken = one(&["email"], &[cell], bought()).unwrap_err();
        assert_eq!((broken.line, broken.address.as_str()), (7, cell));
        assert!(
            broken.flaw.to_string().contains(part),
            "{cell}: {}",
            broken.flaw
        );
    }
    let huge = "a".repeat(1_000_000);
    let broken = one(&["email"], &[&huge], bought()).unwrap_err();
    assert!(broken.address.len() < 300);
}

#[test]
fn a_date_that_cannot_be_read_or_an_order_without_a_number_is_d4_and_no_broken_line() {
    let header = ["email", "order", "date"];
    for cells in [
        ["a@example.org", "1", "03/04/2026"],
        ["a@example.org", "1", "yesterday"],
        ["a@example.org", "1", ""],
        ["a@example.org", "", "2026-01-01"],
    ] {
        assert_eq!(
            rule(&one(&header, &cells, bought()).unwrap()),
            Rule::D4,
            "{cells:?}"
        );
    }
    let told = reading(&header, bought(), Some(Order::DayFirst));
    let anna = told
        .candidate(&row(&["a@example.org", "1", "03/04/2026"]))
        .unwrap();
    assert_eq!(rule(&anna), Rule::A2);
}

#[test]
fn a_row_s_own_source_and_proof_win_over_those_of_all_rows() {
    let batch = Batch {
        source: Some(Source::Purchase),
        obtained_on: Some("2026-01-01".to_owned()),
        proof: vec![("order".to_owned(), "lot 7".to_owned())],
    };
    let header = ["email", "source", "order"];
    let of_all = one(&header, &["a@example.org", "", ""], batch.clone()).unwrap();
    assert_eq!(rule(&of_all), Rule::A2);
    let own = one(
        &header,
        &["a@example.org", "Bought-or rented list", ""],
        batch.clone(),
    )
    .unwrap();
    assert_eq!(own.claims[0].source(), Source::BoughtOrRentedList);
    // What is said of all purchases proves nothing of another source.
    let other = one(
        &header,
        &["a@example.org", "written_agreement", ""],
        batch.clone(),
    )
    .unwrap();
    assert_eq!(rule(&other), Rule::D4);
    let unknown = one(&header, &["a@example.org", "webinar", ""], batch).unwrap();
    assert_eq!(
        (rule(&unknown), unknown.unknown_source.as_deref()),
        (Rule::D1, Some("webinar"))
    );
}

#[test]
fn a_confirmation_elsewhere_is_kept_as_that_system_s_word_and_changes_no_verdict() {
    let header = [
        "Email Address",
        "OPTIN_TIME",
        "OPTIN_IP",
        "CONFIRM_TIME",
        "CONFIRM_IP",
    ];
    let cells = [
        "a@example.org",
        "2023-01-01 10:00:00",
        "203.0.113.7",
        "2023-01-01 10:05:00",
        "203.0.113.7",
    ];
    let with = one(&header, &cells, bought()).unwrap();
    let said = with.elsewhere.clone().unwrap();
    assert_eq!(said.system.as_deref(), Some("Mailchimp"));
    assert_eq!(said.confirmed_at.as_deref(), Some("2023-01-01 10:05:00"));
    assert!(said.tells_of_a_confirmation());
    let without = one(&header, &["a@example.org", "", "", "", ""], bought()).unwrap();
    assert!(without.elsewhere.is_none());
    assert_eq!(rule(&with), rule(&without));
    let header = [
        "Email",
        "Legal basis for processing contact's data",
        "Explanation of consent",
    ];
    let cells = [
        "a@example.org",
        "Freely given consent from contact",
        "asked at the fair",
    ];
    let said = one(&header, &cells, bought()).unwrap().elsewhere.unwrap();
    assert_eq!(said.explanation.as_deref(), Some("asked at the fair"));
    assert!(!said.tells_of_a_confirmation());
}

#[test]
fn a_row_that_says_that_the_person_left_says_so() {
    for (cell, left) in [
        ("2024-05-06 10:00:00", true),
        ("TRUE", true),
        ("yes", true),
        ("x", true),
        ("1", true),
        ("✓", true),
        ("unknown", true),
        ("complained", true),
        ("false", false),
        ("FALSCH", false),
        ("0", false),
        ("0.0", false),
        ("", false),
        ("-", false),
        ("—", false),
        ("N/A", false),
        ("n/a", false),
        ("#N/A", false),
        ("null", false),
        ("NULL", false),
        ("\\N", false),
        ("(none)", false),
        ("None", false),
        ("no", false),
        ("NaN", false),
        ("Never", false),
        ("0000-00-00 00:00:00", false),
    ] {
        let found = one(
            &["email", "Unsubscribed"],
            &["a@example.org", cell],
            bought(),
        )
        .unwrap();
        assert_eq!(found.left, left, "{cell}");
    }
}

#[test]
fn a_blank_column_of_leaving_hides_no_other_one_and_the_last_day_counts() {
    let header = ["email", "Opted out", "UNSUB_TIME", "CLEAN_TIME"];
    for (cells, left, on) in [
        (["", "", ""], false, None),
        (["no", "-", ""], false, None),
        (["", "2024-05-06", ""], true, Some("2024-05-06")),
        (["", "", "2024-05-07"], true, Some("2024-05-07")),
        (
            ["false", "2024-05-06", "2025-01-02"],
            true,
            Some("2025-01-02"),
        ),
        (["yes", "", ""], true, None),
    ] {
        let row = [&["a@example.org"][..], &cells[..]].concat();
        let found = one(&header, &row, bought()).unwrap();
        assert_eq!(
            (found.left, found.left_on.as_deref()),
            (left, on),
            "{cells:?}"
        );
    }
}

#[test]
fn dates_are_read_in_common_forms_and_never_guessed() {
    let iso = Some("2026-04-03".to_owned());
    for text in [
        "2026-04-03",
        "2026/4/3",
        "20260403",
        "3.4.2026",
        "03.04.2026",
        "2026-04-03T23:59:00Z",
        "2026-04-03 10:00",
        "3 Apr 2026",
        "April 3, 2026",
        "46115",
        "46115.75",
    ] {
        assert_eq!(day(text, None, &Zone::default()), iso, "{text}");
    }
    for text in ["03/04/2026", "3-4-2026"] {
        assert_eq!(day(text, None, &Zone::default()), None, "{text}");
        assert_eq!(
            day(text, Some(Order::DayFirst), &Zone::default()),
            iso,
            "{text}"
        );
    }
    assert_eq!(
        day(
            "04/03/2026 10:00",
            Some(Order::MonthFirst),
            &Zone::default()
        ),
        iso
    );
    for text in [
        "",
        "31.02.2026",
        "3.4.26",
        "2026-13-01",
        "12345678901",
        "1234",
        "99999",
        "3.4.2026.5",
        "Mayor 3, 2026",
    ] {
        assert_eq!(
            day(text, Some(Order::DayFirst), &Zone::default()),
            None,
            "{text}"
        );
    }
    assert_eq!(
        instant("2026-04-03 10:00:00 +02:00").as_deref(),
        Some("2026-04-03T10:00:00+02:00")
    );
    assert_eq!(
        instant("2026-04-03 10:00:00 UTC").as_deref(),
        Some("2026-04-03T10:00:00Z")
    );
    assert_eq!(instant("2026-04-03 10:00:00"), None);
}

#[test]
fn an_instant_is_of_the_day_that_it_was_in_the_brand_s_zone() {
    let zone = Zone::of(&ZoneName::try_from("Europe/Amsterdam".to_owned()).unwrap());
    for text in [
        "2026-04-02T22:30:00Z",
        "2026-04-02 22:30:00 UTC",
        "2026-04-02T22:30Z",
        "2026-04-02T22:30:00.250+00:00",
        "2026-04-02 17:30:00 -0500",
        "2026-04-02T17:30:00-05",
        "2026-04-03T05:30:00+05:30",
        "2026-04-03 00:30:00",
        "2026-04-03",
    ] {
        let day = day(text, None, &zone);
        assert_eq!(day.as_deref(), Some("2026-04-03"), "{text}");
    }
    // So the window runs from the day on which it happened there.
    let mut reading = reading(&["email", "order", "date"], bought(), None);
    reading.zone = zone;
    let cells = ["a@example.org", "1", "2026-04-02T22:30:00Z"];
    let candidate = reading.candidate(&row(&cells)).unwrap();
    assert_eq!(candidate.claims[0].given("date"), Some("2026-04-03"));
}

#[test]
fn cells_that_a_spreadsheet_would_compute_get_a_quote_in_front() {
    for text in [
        "=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", " =1", "＝1", "'=1",
    ] {
        assert_eq!(neutralised(text), format!("'{text}"), "{text}");
    }
    for text in ["", "anna@example.org", "O'Neill", "'quoted'", "1-2"] {
        assert_eq!(neutralised(text), text);
        assert_eq!(taken_back(text), text);
    }
    let plus = one(&["email"], &["'+tag@example.org"], bought()).unwrap();
    assert_eq!(plus.address.as_typed(), "+tag@example.org");
}

proptest! {
    #[test]
    fn our_own_import_takes_back_what_our_export_neutralised(text in "['=+@\t a-]{0,6}\\PC{0,6}") {
        let cell = neutralised(&text).into_owned();
        prop_assert!(!cell.trim_start().starts_with(['=', '+', '-', '@']));
        prop_assert_eq!(taken_back(&cell), text);
    }

    #[test]
    fn no_text_makes_reading_a_date_fail(text in "\\PC{0,40}", first in any::<bool>()) {
        let order = if first { Order::DayFirst } else { Order::MonthFirst };
        let read = day(&text, Some(order), &Zone::default());
        prop_assert!(read.is_none_or(|day| day.len() == 10));
        let _ = instant(&text);
    }
}
