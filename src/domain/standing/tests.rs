use super::*;
use crate::domain::circumstances::Circumstances;
use crate::domain::event::{AskedBy, ErasedBy, MailFate, SignedUp, Source, Through};
use crate::domain::form::FormContent;
use crate::domain::policy::Ruling;

const NOW: Timestamp = Timestamp::from_micros(1_795_455_245_000_000);

fn slug(text: &str) -> Slug {
    Slug::try_from(text.to_owned()).unwrap()
}

fn signed_up(verdict: Verdict) -> Fact {
    let nothing = FormContent {
        form: slug("f"),
        brand: slug("b"),
        brand_name: String::new(),
        legal_name: String::new(),
        privacy_version: None,
        privacy_url: None,
        languages: vec![],
        asks_name: false,
        purposes: vec![],
        title: Default::default(),
        intro: Default::default(),
        consent: Default::default(),
        button: Default::default(),
    };
    Fact::SignedUp(Box::new(SignedUp {
        address_typed: "a@example.org".into(),
        address: "a@example.org".into(),
        name: None,
        purposes: vec![slug("news")],
        source: Source::WebsiteForm,
        form: slug("f"),
        form_version: nothing.hash(),
        language: "en".into(),
        page: None,
        boxes: vec![],
        fields: vec![],
        ruling: Ruling {
            verdict,
            rule: Rule::A1,
        },
        left: vec![],
        moves_end: true,
        policy_version: "t".into(),
        confirmation_expires_at: NOW,
        key_id: 1,
        asked_by: AskedBy::default(),
        mail: MailFate::Queued,
        responsible: None,
        kiosk: false,
        entered_at: None,
        clock_said: None,
        passed_on: None,
        circumstances: Circumstances::default(),
    }))
}

fn confirmed() -> Fact {
    Fact::Confirmed {
        purposes: vec![slug("news")],
        grade: Grade::LinkButton,
        method: "POST".into(),
        key_id: 1,
        name: None,
        circumstances: Circumstances::default(),
    }
}

fn declined() -> Fact {
    Fact::Declined {
        purposes: vec![slug("news")],
        circumstances: Circumstances::default(),
    }
}

fn withdrawn() -> Fact {
    Fact::Withdrawn {
        method: None,
        by: None,
        reason: None,
        told_by: None,
        purposes: vec![slug("news")],
        scope: "all".into(),
        keeps_all: false,
        circumstances: Circumstances::default(),
    }
}

fn after(facts: &[Fact]) -> State {
    let mut standings = Standings::new();
    for fact in facts {
        apply(&mut standings, fact, NOW);
    }
    standings[&slug("news")].state
}

#[test]
fn a_signup_gives_implicit_consent_or_waits_where_the_brand_holds() {
    assert_eq!(after(&[signed_up(Verdict::Accept)]), State::Implicit);
    assert_eq!(after(&[signed_up(Verdict::ConfirmFirst)]), State::Pending);
}

#[test]
fn a_new_signup_never_lowers_a_confirmed_contact() {
    for verdict in [Verdict::Accept, Verdict::ConfirmFirst, Verdict::Refuse] {
        assert_eq!(after(&[confirmed(), signed_up(verdict)]), State::Explicit);
    }
}

#[test]
fn a_withdrawn_contact_stays_out_until_it_confirms_anew() {
    let out = [confirmed(), withdrawn(), signed_up(Verdict::Accept)];
    assert_eq!(after(&out), State::Withdrawn);
    assert_eq!(after(&[withdrawn(), confirmed()]), State::Explicit);
}

#[test]
fn declining_ends_implicit_consent_but_not_what_was_confirmed_earlier() {
    assert_eq!(
        after(&[signed_up(Verdict::Accept), declined()]),
        State::Declined
    );
    assert_eq!(after(&[confirmed(), declined()]), State::Explicit);
}

#[test]
fn a_second_confirmation_keeps_the_beginning_of_the_first() {
    let mut standings = Standings::new();
    apply(&mut standings, &confirmed(), NOW);
    apply(
        &mut standings,
        &confirmed(),
        NOW.plus(std::time::Duration::from_secs(9)),
    );
    assert_eq!(standings[&slug("news")].since, NOW);
}

#[test]
fn an_erasure_leaves_no_standing_for_any_purpose() {
    let erased = Fact::Erased {
        by: ErasedBy::Person,
        through: Through::PreferencesPage,
        events: 3,
        sealed: false,
        reason: None,
        sealed_until: None,
        sealed_sha256: None,
        erased_before: Some(false),
        asked: None,
    };
    let mut standings = Standings::new();
    for fact in [signed_up(Verdict::Accept), confirmed(), withdrawn(), erased] {
        apply(&mut standings, &fact, NOW);
    }
    assert!(standings.is_empty());
}

fn view() -> RequestView {
    RequestView {
        state: RequestState::Open,
        expires_at: NOW.plus(std::time::Duration::from_secs(60)),
        code_tries: 0,
        mailed: true,
    }
}

#[test]
fn a_press_with_signals_asks_for_the_code_and_one_without_confirms() {
    let calm = Attempt::Button { signals: vec![] };
    assert_eq!(
        decide(view(), calm, NOW),
        Decision::Confirm(Grade::LinkButton)
    );
    let hasty = Attempt::Button {
        signals: vec![Signal::PressedAtOnce],
    };
    assert_eq!(
        decide(view(), hasty, NOW),
        Decision::AskCode(vec![Signal::PressedAtOnce])
    );
}

#[test]
fn the_sixth_code_is_not_even_compared() {
    let tired = RequestView {
        code_tries: CODE_TRIES,
        ..view()
    };
    assert_eq!(
        decide(tired, Attempt::Code { right: true }, NOW),
        Decision::CodeClosed
    );
}

#[test]
fn no_code_is_right_for_a_request_that_never_had_a_mail() {
    let silent = RequestView {
        mailed: false,
        ..view()
    };
    assert_eq!(
        decide(silent, Attempt::Code { right: true }, NOW),
        Decision::CodeWrong { tries: 1 }
    );
}

#[test]
fn no_is_taken_of_what_nobody_answered_in_time_and_of_what_was_replaced_and_not_of_what_was_answered()
 {
    let no = |state| {
        let late = RequestView {
            state,
            expires_at: NOW.minus(std::time::Duration::from_secs(86_400)),
            ..view()
        };
        decide_decline(late, Attempt::Button { signals: vec![] })
    };
    for state in [
        RequestState::Open,
        RequestState::Replaced,
        RequestState::Expired,
    ] {
        assert_eq!(no(state), Decision::Confirm(Grade::LinkButton));
    }
    for state in [
        RequestState::Confirmed,
        RequestState::Declined,
        RequestState::Left,
        RequestState::Bounced,
    ] {
        assert_eq!(no(state), Decision::Ended(state));
    }
}

#[test]
fn an_ended_or_expired_request_changes_nothing_however_it_is_tried() {
    let attempts = [
        Attempt::SameBrowser,
        Attempt::Button { signals: vec![] },
        Attempt::Code { right: true },
    ];
    for attempt in attempts {
        for state in [
            RequestState::Confirmed,
            RequestState::Declined,
            RequestState::Replaced,
            RequestState::Abandoned,
        ] {
            let ended = RequestView { state, ..view() };
            assert_eq!(decide(ended, attempt.clone(), NOW), Decision::Ended(state));
        }
        let late = NOW.plus(std::time::Duration::from_secs(60));
        assert_eq!(decide(view(), attempt, late), Decision::Expired);
    }
}

fn paused(until: Option<Timestamp>) -> Fact {
    Fact::Paused {
        until,
        circumstances: Circumstances::default(),
    }
}

/// A day behind the start, in microseconds.
const fn day(number: i64) -> Timestamp {
    Timestamp::from_micros(NOW.micros() + number * 86_400_000_000)
}

fn for_events(mut fact: Fact) -> Fact {
    let purposes = match &mut fact {
        Fact::SignedUp(signup) => &mut signup.purposes,
        Fact::Confirmed { purposes, .. } => purposes,
        other => panic!("{other:?}"),
    };
    *purposes = vec![slug("events")];
    fact
}

#[test]
fn a_pause_and_a_lapse_in_it_leave_the_pause_to_what_is_given_anew() {
    let mut standings = Standings::new();
    apply(&mut standings, &signed_up(Verdict::Accept), day(0));
    apply(&mut standings, &paused(Some(day(90))), day(1));
    let lapsed = Fact::Lapsed {
        purposes: vec![slug("news")],
        until: day(10),
        campaign: None,
        explicit: false,
    };
    for fact in [lapsed, signed_up(Verdict::Accept)] {
        apply(&mut standings, &fact, day(11));
        assert_eq!(
            standings[&slug("news")].paused_at(day(11)),
            Some(day(90)),
            "{}",
            fact.kind()
        );
    }
    assert_eq!(standings[&slug("news")].state, State::Implicit);
}

#[test]
fn what_is_given_later_is_kept_back_as_the_rest_until_the_person_or_an_operator_ends_that() {
    let mut standings = Standings::new();
    apply(&mut standings, &confirmed(), day(0));
    apply(&mut standings, &paused(Some(day(90))), day(1));
    let suppressed = Fact::Suppressed {
        reason: "a letter".into(),
        replaces: None,
    };
    apply(&mut standings, &suppressed, day(2));
    apply(
        &mut standings,
        &for_events(signed_up(Verdict::Accept)),
        day(3),
    );
    let events = standings[&slug("events")];
    assert_eq!(
        (events.paused_until, events.suppressed_since),
        (Some(day(90)), Some(day(2)))
    );
    apply(&mut standings, &for_events(confirmed()), day(4));
    assert_eq!(
        standings[&slug("events")].paused_until,
        Some(day(90)),
        "no mail, whatever was agreed"
    );
    apply(&mut standings, &paused(None), day(5));
    let lifted = Fact::SuppressionLifted {
        was: "operator".into(),
        reason: "another letter".into(),
    };
    apply(&mut standings, &lifted, day(6));
    for one in standings.values() {
        assert_eq!((one.paused_until, one.suppressed_since), (None, None));
    }
}

#[test]
fn a_confirmation_of_what_an_import_only_claimed_is_the_beginning() {
    let mut standings = Standings::new();
    let claimed = Standing::new(State::Explicit, Some(Grade::ApiClaim), Rule::A1, day(0));
    standings.insert(slug("news"), claimed);
    assert!(!claimed.reopens(day(0)), "nobody did anything here");
    apply(&mut standings, &confirmed(), day(5));
    let now = standings[&slug("news")];
    assert_eq!((now.since, now.renewed_at), (day(5), None));
    apply(&mut standings, &confirmed(), day(9));
    let now = standings[&slug("news")];
    assert_eq!((now.since, now.renewed_at), (day(5), Some(day(9))));
    assert!(now.reopens(day(9)) && !now.reopens(day(10)));
}

fn implicit_until(until: Timestamp) -> Standings {
    let standing = Standing {
        until: Some(until),
        ..Standing::new(State::Implicit, None, Rule::A2, day(0))
    };
    Standings::from([(slug("news"), standing)])
}

#[test]
fn a_signup_takes_the_end_from_implicit_consent_and_keeps_its_beginning() {
    let mut standings = implicit_until(day(10));
    apply(&mut standings, &signed_up(Verdict::Accept), day(5));
    let now = standings[&slug("news")];
    assert_eq!(
        (now.state, now.since, now.until, now.rule),
        (State::Implicit, day(0), None, Rule::A1)
    );
    // What had ended, though nobody wrote it down yet, begins anew.
    let mut standings = implicit_until(day(10));
    apply(&mut standings, &signed_up(Verdict::Accept), day(11));
    assert_eq!(standings[&slug("news")].since, day(11));
    // One that has to be confirmed first gives nothing, and takes nothing.
    let mut standings = implicit_until(day(10));
    apply(&mut standings, &signed_up(Verdict::ConfirmFirst), day(5));
    assert_eq!(standings, implicit_until(day(10)));
}

#[test]
fn a_signup_of_an_earlier_version_leaves_the_end_as_it_was() {
    let mut event = serde_json::to_value(signed_up(Verdict::Accept)).unwrap();
    event.as_object_mut().unwrap().remove("moves_end").unwrap();
    let old: Fact = serde_json::from_value(event).unwrap();
    let mut standings = implicit_until(day(10));
    apply(&mut standings, &old, day(5));
    assert_eq!(standings, implicit_until(day(10)));
}
