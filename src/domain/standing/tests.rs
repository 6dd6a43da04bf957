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
        policy_version: "t".into(),
        confirmation_expires_at: NOW,
        key_id: 1,
        asked_by: AskedBy::default(),
        mail: MailFate::Queued,
        responsible: None,
        kiosk: false,
        entered_at: None,
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
