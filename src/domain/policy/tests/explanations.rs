//! The sentences, and the facts that go with a verdict.

use super::*;

/// Members in the order of their names.
fn sorted(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).unwrap().to_string()
}

#[test]
fn a_verdict_says_why_in_words_that_need_no_table() {
    let purchase = proven(Source::Purchase);
    let why = |claims: &[Claim]| judged(claims, &Terms::default(), TODAY).why;
    assert_eq!(
        why(&[purchase]),
        "The person bought from this brand on 2026-08-24: implicit consent until 2028-08-24 00:00 (UTC)."
    );
    assert_eq!(
        why(&[claim(Source::Purchase, "order=1; date=2020-01-01")]),
        "The person bought from this brand on 2020-01-01, and the implicit consent from it ended at \
         2022-01-01 00:00 (UTC); no marketing until the person confirms."
    );
    assert_eq!(
        why(&[claim(Source::DonationOrVolunteering, "date=x")]),
        "The source donation_or_volunteering would be acceptable, but the proof \"receipt\" or \"assignment\" is \
         missing and the proof \"date\" (\"x\") is not a day, YYYY-MM-DD; without proof there is no implicit consent, \
         so no marketing until the person confirms."
    );
}

#[test]
fn every_row_under_every_overlay_explains_itself_in_at_most_two_sentences_of_plain_text() {
    let mut terms: Vec<Terms> = OVERLAYS.iter().map(|row| under(row.overlay)).collect();
    terms.push(Terms::default());
    for terms in &terms {
        for row in &SOURCES {
            for claim in [proven(row.source), claim(row.source, "")] {
                let why = judged(&[claim], terms, TODAY).why;
                let sentences = why.matches(". ").count() + 1;
                assert!(why.ends_with('.') && sentences <= 2, "{}: {why}", row.name);
                assert!(why.starts_with(char::is_uppercase), "{}: {why}", row.name);
                assert!(
                    !why.contains("  ") && why.len() < 700,
                    "{}: {why}",
                    row.name
                );
            }
        }
    }
}

#[test]
fn what_was_given_cannot_break_out_of_the_sentence() {
    let judgement = alone(Source::Purchase, "order=1; date=\u{1b}[2J\"\u{202e}x\ny");
    assert!(
        !judgement.why.contains(['\u{1b}', '\n', '\u{202e}']),
        "{}",
        judgement.why
    );
    let long = alone(
        Source::Purchase,
        &format!("order=1; date={}", "9".repeat(1_500)),
    );
    assert!(long.why.len() < 400, "{}", long.why);
}

#[test]
fn the_facts_are_read_back_and_give_the_same_verdict_again() {
    let terms = Terms {
        overlays: [Overlay::De].into(),
        hold_until_confirmed: true,
        origins: vec!["https://www.acme.example".to_owned()],
        ..Terms::default()
    };
    let claims: Vec<Claim> = SOURCES.iter().map(|row| proven(row.source)).collect();
    for claim in claims {
        let before = judged(&[claim], &terms, TODAY);
        let text = sorted(&before);
        let read: Judgement = serde_json::from_str(&text).unwrap();
        assert_eq!(sorted(&read), text);
        let zone = ZoneName::try_from(read.facts.time_zone.clone()).unwrap();
        let terms = Terms {
            zone: Zone::of(&zone),
            overlays: read.facts.overlays.clone(),
            organizer_lists: read.facts.organizer_lists.unwrap_or_default(),
            active_within_months: read.facts.active_within_months.unwrap_or(12),
            hold_until_confirmed: read.facts.hold_until_confirmed.unwrap_or(false),
            origins: read.facts.origins.clone(),
            ..Terms::default()
        };
        let facts = &read.facts;
        let again = judge(&facts.sources, facts.address, &terms, facts.as_of);
        assert_eq!(again, before);
    }
}

#[test]
fn the_facts_name_only_what_the_verdict_can_rest_on() {
    let judgement = alone(Source::Purchase, "order=1001; date=2026-08-24");
    assert_eq!(
        sorted(&judgement.facts),
        "{\"as_of\":\"2026-11-24T12:00:00.000000Z\",\"sources\":[{\"proof\":{\"date\":\"2026-08-24\",\
         \"order\":\"1001\"},\"source\":\"purchase\"}],\"time_zone\":\"UTC\"}"
    );
}
