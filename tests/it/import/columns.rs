//! What columns mean.

use countersign::domain::policy::Source;
use countersign::intake::header::{Columns, Field, HeaderProblem, Mapping};

use super::words;

fn columns(
    header: &[&str],
    maps: &[&str],
    source: Option<Source>,
) -> Result<Columns, HeaderProblem> {
    let header: Vec<String> = header.iter().map(|name| (*name).to_owned()).collect();
    let maps: Vec<Mapping> = maps
        .iter()
        .map(|map| Mapping::parse(map).unwrap())
        .collect();
    Columns::of(&header, &maps, source)
}

#[test]
fn the_column_of_addresses_is_known_by_its_many_names() {
    for name in [
        "email",
        "E-Mail",
        "EMAIL_ADDRESS",
        "Email Address",
        "e-mail adres",
        "E-Mail-Adresse",
        "Adresse e-mail",
        "Correo electrónico",
        "mail",
        "Address",
    ] {
        let found = columns(&["id", name], &[], None).unwrap();
        assert_eq!(found.place(Field::Email), Some(1), "{name}");
        assert_eq!(found.left_out, ["id"]);
    }
}

#[test]
fn a_street_is_no_address_where_another_column_is_surely_one() {
    let found = columns(&["Address", "Email Address"], &[], None).unwrap();
    assert_eq!(found.place(Field::Email), Some(1));
    assert_eq!(found.left_out, ["Address"]);
}

#[test]
fn a_proof_is_taken_only_where_the_source_takes_it() {
    let header = ["email", "order", "date", "event"];
    let bought = columns(&header, &[], Some(Source::Purchase)).unwrap();
    assert_eq!(bought.left_out, ["event"]);
    assert_eq!(bought.place(Field::Proof("order")), Some(1));
    let booth = columns(&header, &[], Some(Source::EventBooth)).unwrap();
    assert_eq!(booth.left_out, ["order"]);
    let any = columns(
        &["email", "order", "event", "source"],
        &[],
        Some(Source::Purchase),
    )
    .unwrap();
    assert!(any.left_out.is_empty());
}

#[test]
fn what_the_operator_says_of_a_column_wins() {
    let header = ["email", "Where to write", "Invoice = no", "name", "name"];
    let maps = [
        "where to write=email",
        "Invoice = no=order",
        "5=first_name",
        "email=ignore",
    ];
    let found = columns(&header, &maps, Some(Source::Purchase)).unwrap();
    assert_eq!(found.place(Field::Email), Some(1));
    assert_eq!(found.place(Field::Proof("order")), Some(2));
    assert_eq!(
        (found.place(Field::Name), found.place(Field::FirstName)),
        (Some(3), Some(4))
    );
    assert_eq!(found.left_out, ["email"]);
}

#[test]
fn a_header_that_does_not_do_is_told_with_the_way_out() {
    let none = columns(&["Phone", "Street"], &[], None)
        .unwrap_err()
        .to_string();
    assert!(
        none.contains("Phone, Street") && none.contains("--map COLUMN=email"),
        "{none}"
    );
    let missing = columns(&["email"], &["Mail=email"], None)
        .unwrap_err()
        .to_string();
    assert!(
        missing.contains("\"Mail\"") && missing.contains("email"),
        "{missing}"
    );
    let twice = columns(&["a", "b"], &["a=email", "b=email"], None);
    assert_eq!(twice.unwrap_err(), HeaderProblem::Twice(Field::Email));
    let headless = columns(&["anna@example.org", "Anna"], &[], None);
    assert_eq!(headless.unwrap_err(), HeaderProblem::Headless);
    assert!(
        Mapping::parse("email")
            .unwrap_err()
            .contains("COLUMN=FIELD")
    );
    assert!(
        Mapping::parse("a=colour")
            .unwrap_err()
            .contains("first_name")
    );
}

#[test]
fn exports_of_mailchimp_and_hubspot_are_known() {
    let mailchimp = [
        "Email Address",
        "First Name",
        "Last Name",
        "Address",
        "MEMBER_RATING",
        "OPTIN_TIME",
        "OPTIN_IP",
        "CONFIRM_TIME",
        "CONFIRM_IP",
        "LATITUDE",
        "UNSUB_TIME",
        "NOTES",
    ];
    let found = columns(&mailchimp, &[], Some(Source::NewsletterForm)).unwrap();
    assert_eq!(found.system, Some("Mailchimp"));
    assert_eq!(
        found.left_out,
        ["Address", "MEMBER_RATING", "LATITUDE", "NOTES"]
    );
    assert_eq!(found.place(Field::ConfirmedIp), Some(8));
    assert_eq!(found.place(Field::Left), Some(10));
    let hubspot = [
        "Record ID",
        "First Name",
        "Last Name",
        "Email",
        "Legal basis for processing contact's data",
        "Explanation of consent",
        "Unsubscribed from all email",
    ];
    let found = columns(&hubspot, &[], None).unwrap();
    assert_eq!(found.system, Some("HubSpot"));
    assert_eq!(found.left_out, words(["Record ID"]));
    assert_eq!(found.place(Field::LegalBasis), Some(4));
}

#[test]
fn every_column_that_tells_of_leaving_counts_also_those_that_name_a_kind_of_mail() {
    let header = [
        "Email",
        "UNSUB_TIME",
        "CLEAN_TIME",
        "Opted out of email: Marketing Information",
        "Opted out of email: One to One",
        "Unsubscribed from all email",
        "hs_email_optout_12345",
        "Subscribed",
    ];
    let found = columns(&header, &[], None).unwrap();
    let places: Vec<usize> = found.places(Field::Left).collect();
    assert_eq!(places, [1, 2, 3, 4, 5, 6]);
    // So the operator may say it of several columns too, but of no other field.
    let found = columns(&["email", "a", "b"], &["a=left", "b=left"], None).unwrap();
    assert_eq!(found.places(Field::Left).count(), 2);
    let twice = columns(&["email", "a", "b"], &["a=name", "b=name"], None);
    assert_eq!(twice.unwrap_err(), HeaderProblem::Twice(Field::Name));
}
