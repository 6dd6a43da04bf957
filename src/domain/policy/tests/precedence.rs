//! D3 > O6 > a refusing source, unless another accepts > D4 and D2 > confirm_first > accept.

use super::*;
use crate::domain::brand::RoleAddresses;

const ROLE: AddressFacts = AddressFacts {
    role: true,
    closed: None,
};

fn together(claims: &[Claim]) -> Judgement {
    judged(claims, &Terms::default(), TODAY)
}

fn refused() -> Claim {
    claim(Source::BoughtOrRentedList, "")
}

fn unproven() -> Claim {
    claim(Source::WrittenAgreement, "date=2026-08-24")
}

fn lapsed() -> Claim {
    claim(Source::Purchase, "order=1; date=2020-01-01")
}

fn waiting() -> Claim {
    claim(Source::PersonalAcquaintance, "")
}

fn accepted() -> Claim {
    proven(Source::Purchase)
}

#[test]
fn d3_beats_o6() {
    let both = AddressFacts {
        role: true,
        closed: Some(Closed::Withdrew),
    };
    let judgement = judge(&[accepted()], both, &Terms::default(), at(TODAY));
    assert_eq!(judgement.rule, Rule::D3);
}

#[test]
fn d3_beats_a_role_address_that_the_brand_loosened() {
    let both = AddressFacts {
        role: true,
        closed: Some(Closed::Declined),
    };
    let loosened = Terms {
        role_addresses: RoleAddresses::ConfirmFirst,
        responsible: Some("Rosa Roland".to_owned()),
        ..Terms::default()
    };
    let judgement = judge(&[accepted()], both, &loosened, at(TODAY));
    assert_eq!(short(&judgement), ("refuse", "D3", "none"));
}

#[test]
fn d3_beats_an_accepting_source_with_all_its_proof() {
    // Withdrawn 2023, bought 2026.
    let withdrew = AddressFacts {
        role: false,
        closed: Some(Closed::Withdrew),
    };
    let judgement = judge(&[accepted()], withdrew, &Terms::default(), at(TODAY));
    assert_eq!(short(&judgement), ("refuse", "D3", "none"));
}

/// The sources of an address whose owner left.
fn of_who_left(claims: &[Claim]) -> Judgement {
    let left = AddressFacts {
        role: false,
        closed: Some(Closed::Withdrew),
    };
    judge(claims, left, &Terms::default(), at(TODAY))
}

#[test]
fn d3_beats_a_refusing_source() {
    let judgement = of_who_left(&[claim(Source::EventOrganizerList, "")]);
    assert_eq!(short(&judgement), ("refuse", "D3", "none"));
    assert_eq!(judgement.source, None);
}

#[test]
fn d3_beats_d4() {
    assert_eq!(short(&of_who_left(&[unproven()])), ("refuse", "D3", "none"));
}

#[test]
fn d3_beats_d2() {
    let judgement = of_who_left(&[lapsed()]);
    assert_eq!(short(&judgement), ("refuse", "D3", "none"));
    assert_eq!(judgement.valid_until, None);
}

#[test]
fn d3_beats_confirm_first() {
    assert_eq!(short(&of_who_left(&[waiting()])), ("refuse", "D3", "none"));
}

#[test]
fn o6_beats_d4() {
    let judgement = judge(&[unproven()], ROLE, &Terms::default(), at(TODAY));
    assert_eq!(short(&judgement), ("refuse", "O6", "none"));
}

#[test]
fn o6_beats_d2() {
    let judgement = judge(&[lapsed()], ROLE, &Terms::default(), at(TODAY));
    assert_eq!(short(&judgement), ("refuse", "O6", "none"));
    assert_eq!(judgement.valid_until, None);
}

#[test]
fn o6_beats_confirm_first() {
    let judgement = judge(&[waiting()], ROLE, &Terms::default(), at(TODAY));
    assert_eq!(short(&judgement), ("refuse", "O6", "none"));
}

#[test]
fn o6_beats_a_refusing_source() {
    let judgement = judge(&[refused()], ROLE, &Terms::default(), at(TODAY));
    assert_eq!(judgement.rule, Rule::O6);
}

#[test]
fn o6_beats_an_accepting_source_so_info_at_a_website_form_is_refused() {
    let form = [proven(Source::WebsiteForm)];
    let judgement = judge(&form, ROLE, &Terms::default(), at(TODAY));
    assert_eq!(short(&judgement), ("refuse", "O6", "none"));
    assert_eq!(fired(&judgement), ["A1", "O6"]);
}

#[test]
fn o6_loosened_does_not_open_what_a_refusing_source_closes() {
    let loosened = Terms {
        role_addresses: RoleAddresses::ConfirmFirst,
        responsible: Some("Rosa Roland".to_owned()),
        ..Terms::default()
    };
    let judgement = judge(&[refused()], ROLE, &loosened, at(TODAY));
    assert_eq!(short(&judgement), ("refuse", "U1", "none"));
    assert_eq!(judgement.deviation, None);
}

#[test]
fn o6_loosened_beats_d4_and_d2() {
    let loosened = Terms {
        role_addresses: RoleAddresses::ConfirmFirst,
        responsible: Some("Rosa Roland".to_owned()),
        ..Terms::default()
    };
    for claim in [unproven(), lapsed()] {
        let judgement = judge(&[claim], ROLE, &loosened, at(TODAY));
        assert_eq!(short(&judgement), ("confirm_first", "O6", "self"));
        assert_eq!(judgement.valid_until, None);
    }
}

#[test]
fn a_refusing_source_beats_d4() {
    let judgement = together(&[unproven(), refused()]);
    assert_eq!(short(&judgement), ("refuse", "U1", "none"));
}

#[test]
fn a_refusing_source_beats_d2() {
    let judgement = together(&[lapsed(), refused()]);
    assert_eq!(short(&judgement), ("refuse", "U1", "none"));
}

#[test]
fn a_refusing_source_beats_confirm_first() {
    let judgement = together(&[waiting(), refused()]);
    assert_eq!(short(&judgement), ("refuse", "U1", "none"));
}

#[test]
fn a_second_source_with_its_own_proof_beats_every_refusing_source() {
    for row in SOURCES.iter().filter(|row| row.verdict == Verdict::Refuse) {
        for claims in [
            [claim(row.source, ""), accepted()],
            [accepted(), claim(row.source, "")],
        ] {
            let judgement = together(&claims);
            assert_eq!(short(&judgement), ("accept", "A2", "auto"), "{}", row.name);
            assert!(judgement.fired.contains(&row.rule), "{}", row.name);
        }
    }
}

#[test]
fn an_organisers_list_plus_an_order_three_months_old_with_its_number_is_accepted_by_a2() {
    let judgement = together(&[
        proven(Source::EventOrganizerList),
        claim(Source::Purchase, "order=1001; date=2026-08-24"),
    ]);
    assert_eq!(short(&judgement), ("accept", "A2", "auto"));
    assert_eq!(fired(&judgement), ["O2b", "A2"]);
    assert!(judgement.why.contains("O2b"), "{}", judgement.why);
}

#[test]
fn a_second_source_without_proof_does_not_beat_a_refusing_source() {
    let numberless = claim(Source::Purchase, "date=2026-08-24");
    let judgement = together(&[proven(Source::EventOrganizerList), numberless]);
    assert_eq!(short(&judgement), ("refuse", "O2b", "one_to_one"));
}

#[test]
fn of_several_refusing_sources_the_one_that_leaves_the_least_decides() {
    let judgement = together(&[claim(Source::PreviousEmployer, ""), refused()]);
    assert_eq!(short(&judgement), ("refuse", "U1", "none"));
}

#[test]
fn d4_beats_d2() {
    let judgement = together(&[lapsed(), unproven()]);
    assert_eq!(short(&judgement), ("confirm_first", "D4", "auto"));
    assert_eq!(judgement.valid_until, None);
}

#[test]
fn d4_beats_confirm_first() {
    let judgement = together(&[waiting(), unproven()]);
    assert_eq!(short(&judgement), ("confirm_first", "D4", "auto"));
}

#[test]
fn d2_beats_confirm_first() {
    let judgement = together(&[waiting(), lapsed()]);
    assert_eq!(short(&judgement), ("confirm_first", "D2", "auto"));
    assert_eq!(judgement.valid_until, Some(at("2022-01-01")));
}

#[test]
fn d4_beats_accept_for_the_source_whose_proof_is_missing() {
    assert_eq!(together(&[unproven()]).rule, Rule::D4);
}

#[test]
fn d2_beats_accept_for_the_source_whose_window_is_over() {
    assert_eq!(together(&[lapsed()]).rule, Rule::D2);
}

#[test]
fn an_accepting_source_is_not_undone_by_others_that_are_weaker() {
    for weaker in [unproven(), lapsed(), waiting()] {
        let judgement = together(&[weaker, accepted()]);
        assert_eq!(short(&judgement), ("accept", "A2", "auto"));
    }
}

#[test]
fn explicit_consent_beats_implicit_and_the_longest_window_counts() {
    let ticked = claim(
        Source::WebsiteForm,
        &(proof_of(Source::WebsiteForm) + "; box=ticked"),
    );
    let judgement = together(&[accepted(), ticked.clone()]);
    assert_eq!(
        (judgement.rule, judgement.basis),
        (Rule::A1, Basis::Explicit)
    );
    let open = proven(Source::WebsiteForm);
    assert_eq!(together(&[open, ticked]).basis, Basis::Explicit);
    let older = claim(Source::WrittenAgreement, "contract=1; date=2026-01-01");
    let judgement = together(&[older, accepted()]);
    assert_eq!(judgement.valid_until, Some(at("2028-08-24")));
}

#[test]
fn a_signup_is_judged_by_the_same_precedence() {
    let refuse = RoleAddresses::Refuse;
    let loosened = RoleAddresses::ConfirmFirst;
    for (closed, role, roles, hold, expected) in [
        (true, true, refuse, false, (Verdict::Refuse, Rule::D3)),
        (true, false, refuse, true, (Verdict::Refuse, Rule::D3)),
        (false, true, refuse, false, (Verdict::Refuse, Rule::O6)),
        (
            false,
            true,
            loosened,
            false,
            (Verdict::ConfirmFirst, Rule::O6),
        ),
        (
            false,
            true,
            loosened,
            true,
            (Verdict::ConfirmFirst, Rule::O6),
        ),
        (
            false,
            false,
            refuse,
            true,
            (Verdict::ConfirmFirst, Rule::A1),
        ),
        (false, false, loosened, false, (Verdict::Accept, Rule::A1)),
    ] {
        let ruling = judge_signup(closed, false, role, roles, hold);
        assert_eq!(
            (ruling.verdict, ruling.rule),
            expected,
            "{closed} {role} {hold}"
        );
    }
}

#[test]
fn a_signup_on_somebody_elses_page_is_confirmed_first_unless_the_address_itself_decides() {
    let refuse = RoleAddresses::Refuse;
    for (closed, role, hold, expected) in [
        (false, false, false, (Verdict::ConfirmFirst, Rule::D4)),
        (false, false, true, (Verdict::ConfirmFirst, Rule::D4)),
        (false, true, false, (Verdict::Refuse, Rule::O6)),
        (true, false, false, (Verdict::Refuse, Rule::D3)),
    ] {
        let ruling = judge_signup(closed, true, role, refuse, hold);
        assert_eq!(
            (ruling.verdict, ruling.rule),
            expected,
            "{closed} {role} {hold}"
        );
    }
}
