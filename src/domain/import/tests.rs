use super::*;
use crate::domain::event::ClockReading;
use crate::domain::ids::{BrandId, CampaignId, ContactId, EventId};
use crate::domain::policy::{AddressFacts, Source, Terms, judge};
use uuid::Uuid;

/// 2026-11-23, and days behind it.
const fn day(number: i64) -> Timestamp {
    Timestamp::from_micros(1_795_455_245_000_000 + number * 86_400_000_000)
}

const fn import(number: u128) -> ImportId {
    ImportId(Uuid::from_u128(number))
}

fn slug() -> Slug {
    Slug::try_from("news".to_owned()).unwrap()
}

fn event(at: Timestamp, fact: Fact) -> Event {
    Event {
        id: EventId(Uuid::nil()),
        schema: 1,
        brand: BrandId(Uuid::nil()),
        contact: ContactId(Uuid::nil()),
        request: None,
        at,
        clock: ClockReading::default(),
        circumstances_sha256: None,
        fact,
    }
}

/// An order of January 2026, as an import tells it.
fn bought(import: ImportId, order: &str, at: Timestamp) -> Imported {
    let claim = Claim::new(Source::Purchase, Some("2026-01-01"));
    let claims = vec![claim.prove("order", order).unwrap()];
    let judgement = judge(&claims, AddressFacts::default(), &Terms::default(), at);
    Imported {
        import,
        line: 2,
        address_typed: "a@example.org".to_owned(),
        address: "a@example.org".to_owned(),
        name: None,
        purposes: vec![slug()],
        language: "en".to_owned(),
        claims,
        judgement,
        elsewhere: None,
        circumstances: None,
        confirmed_elsewhere: false,
        left: false,
        left_by: None,
        told_again: false,
        own: None,
        asked_by: AskedBy::default(),
    }
}

fn told(one: Imported, at: Timestamp) -> Event {
    event(at, Fact::Imported(Box::new(one)))
}

fn again(import: ImportId, order: &str, at: Timestamp) -> Event {
    let one = Imported {
        told_again: true,
        ..bought(import, order, at)
    };
    told(one, at)
}

fn left(import: ImportId, left_by: Option<Timestamp>, at: Timestamp) -> Event {
    let one = Imported {
        left: true,
        left_by,
        ..bought(import, "1", at)
    };
    told(one, at)
}

fn confirmed(at: Timestamp) -> Event {
    let fact = Fact::Confirmed {
        purposes: vec![slug()],
        grade: Grade::LinkButton,
        method: "POST".to_owned(),
        key_id: 1,
        name: None,
        circumstances: Default::default(),
    };
    event(at, fact)
}

fn taken_back(import: ImportId, at: Timestamp) -> Event {
    let fact = Fact::ImportWithdrawn {
        import,
        purposes: vec![slug()],
        back_to: Standings::new(),
    };
    event(at, fact)
}

/// A campaign asked, and nobody answered.
fn lapsed(at: Timestamp) -> Event {
    let fact = Fact::Lapsed {
        purposes: vec![slug()],
        until: at,
        campaign: Some(CampaignId(Uuid::nil())),
        explicit: false,
    };
    event(at, fact)
}

fn stands(events: &[Event]) -> Option<State> {
    let mut standings = Standings::new();
    for event in events {
        apply(&mut standings, &event.fact, event.at);
    }
    standings.get(&slug()).map(|standing| standing.state)
}

/// Where the person stands as if these imports had never come.
fn without(events: &[Event], imports: &[ImportId]) -> Option<Standing> {
    let mut without = Without::default();
    events.iter().for_each(|event| without.learn(event));
    imports.iter().for_each(|one| without.take_back(*one));
    let mut standings = Standings::new();
    for event in events {
        without.apply(&mut standings, event);
    }
    standings.get(&slug()).copied()
}

const ONE: ImportId = import(1);
const TWO: ImportId = import(2);
const THREE: ImportId = import(3);

#[test]
fn what_two_lists_tell_stands_while_one_of_them_does() {
    let events = [
        told(bought(ONE, "1", day(0)), day(0)),
        again(TWO, "1", day(5)),
    ];
    let of = |standing: Option<Standing>| standing.map(|one| (one.state, one.since));
    assert_eq!(stands(&events), Some(State::Implicit));
    assert_eq!(
        of(without(&events, &[TWO])),
        Some((State::Implicit, day(0)))
    );
    assert_eq!(
        of(without(&events, &[ONE])),
        Some((State::Implicit, day(5)))
    );
    assert_eq!(of(without(&events, &[ONE, TWO])), None);
    // Another act is none that the second list tells.
    let other = [
        told(bought(ONE, "7", day(0)), day(0)),
        again(TWO, "1", day(5)),
    ];
    assert_eq!(of(without(&other, &[ONE])), None);
}

#[test]
fn what_is_told_again_brings_nothing_back_that_ended_though_the_first_list_is_taken_back() {
    let events = [
        told(bought(ONE, "1", day(0)), day(0)),
        lapsed(day(3)),
        again(TWO, "1", day(5)),
    ];
    assert_eq!(stands(&events), Some(State::Lapsed));
    let state = |gone: &[ImportId]| without(&events, gone).map(|one| one.state);
    assert_eq!(state(&[TWO]), Some(State::Lapsed));
    assert_eq!(state(&[ONE]), Some(State::Lapsed));
}

#[test]
fn a_list_that_tells_again_what_a_second_one_told_stands_in_for_that_and_not_for_one_that_had_gone()
{
    let events = [
        told(bought(ONE, "1", day(0)), day(0)),
        lapsed(day(1)),
        taken_back(ONE, day(2)),
        told(bought(TWO, "1", day(3)), day(3)),
        again(THREE, "1", day(4)),
    ];
    let state = |gone: &[ImportId]| without(&events, gone).map(|one| one.state);
    assert_eq!(state(&[THREE]), Some(State::Implicit));
    assert_eq!(state(&[TWO]), Some(State::Implicit));
    assert_eq!(state(&[TWO, THREE]), None);
}

#[test]
fn a_third_list_stands_where_the_second_stood_in_for_the_first() {
    let chain = |more: &[Event]| {
        let mut events = vec![told(bought(ONE, "1", day(0)), day(0))];
        events.extend_from_slice(more);
        events.push(again(TWO, "1", day(2)));
        events.push(taken_back(ONE, day(3)));
        events.push(again(THREE, "1", day(4)));
        without(&events, &[TWO]).map(|one| one.state)
    };
    assert_eq!(chain(&[]), Some(State::Implicit));
    assert_eq!(chain(&[lapsed(day(1))]), Some(State::Lapsed));
}

#[test]
fn who_left_by_the_word_of_two_lists_stays_out_when_the_first_is_taken_back() {
    let events = [
        told(bought(ONE, "1", day(0)), day(0)),
        left(TWO, Some(day(1)), day(1)),
        left(THREE, Some(day(2)), day(2)),
    ];
    let state = |gone: &[ImportId]| without(&events, gone).map(|one| one.state);
    assert_eq!(stands(&events), Some(State::Withdrawn));
    assert_eq!(state(&[TWO]), Some(State::Withdrawn));
    assert_eq!(state(&[TWO, THREE]), Some(State::Implicit));
}

#[test]
fn what_the_person_agreed_to_here_after_leaving_stands_when_the_other_list_is_taken_back() {
    let events = [
        confirmed(day(0)),
        left(ONE, Some(day(1)), day(1)),
        left(TWO, Some(day(-9)), day(2)),
    ];
    assert_eq!(stands(&events), Some(State::Withdrawn));
    let state = without(&events, &[ONE]).map(|one| one.state);
    assert_eq!(state, Some(State::Explicit));
    // Earlier versions did not say by when, and recorded only what counts.
    let old = [confirmed(day(0)), left(ONE, None, day(1))];
    assert_eq!(stands(&old), Some(State::Withdrawn));
}

#[test]
fn leaving_everything_is_not_made_less_by_a_list() {
    let all = Fact::Withdrawn {
        purposes: vec![slug()],
        scope: "all".to_owned(),
        keeps_all: false,
        method: None,
        by: None,
        reason: None,
        told_by: None,
        circumstances: Default::default(),
    };
    let mut standings = Standings::new();
    apply(&mut standings, &all, day(0));
    let left = left(ONE, Some(day(1)), day(1));
    apply(&mut standings, &left.fact, left.at);
    let now = standings[&slug()];
    assert_eq!((now.left_all, now.since), (true, day(0)));
}
