//! Every overlay, and several at once.

use super::*;

#[test]
fn each_overlay_has_one_name_in_declarations_events_and_the_table() {
    for (index, row) in OVERLAYS.iter().enumerate() {
        assert_eq!(row.overlay as usize, index);
        let name = row.overlay.as_str();
        assert_eq!(serde_json::to_value(row.overlay).unwrap(), name);
        assert_eq!(serde_json::to_value(row.rule).unwrap(), name);
        assert_eq!(Overlay::parse(name), Some(row.overlay));
    }
    assert_eq!(Overlay::parse("fr"), None);
}

#[test]
fn ca_casl_an_inquiry_lapses_after_six_months() {
    let terms = under(Overlay::CaCasl);
    let inquiry = [claim(Source::AdResponse, "ad=spring; date=2026-05-24")];
    let before = judged(&inquiry, &terms, "2026-11-23T23:59:59Z");
    assert_eq!(short(&before), ("accept", "A7", "self"));
    assert_eq!(before.valid_until, Some(at("2026-11-24T00:00:00Z")));
    assert_eq!(fired(&before), ["A7", "ca-casl"]);
    let after = judged(&inquiry, &terms, "2026-11-24T00:00:00Z");
    assert_eq!(short(&after), ("confirm_first", "D2", "one_to_one"));
    assert_eq!(fired(&after), ["A7", "ca-casl", "D2"]);
}

#[test]
fn ca_casl_a_purchase_besides_the_inquiry_holds_as_long_as_purchases_do() {
    let claims = [
        claim(Source::AdResponse, "ad=spring; date=2026-01-24"),
        claim(Source::Purchase, "order=1; date=2026-01-25"),
    ];
    let judgement = judged(&claims, &under(Overlay::CaCasl), TODAY);
    assert_eq!(short(&judgement), ("accept", "A2", "auto"));
    assert_eq!(judgement.valid_until, Some(at("2028-01-25T00:00:00Z")));
}

#[test]
fn ca_casl_what_is_confirmed_first_is_asked_one_to_one() {
    let lapsed = [claim(Source::Purchase, "order=1; date=2020-01-01")];
    let judgement = judged(&lapsed, &under(Overlay::CaCasl), TODAY);
    assert_eq!(short(&judgement), ("confirm_first", "D2", "one_to_one"));
    assert_eq!(fired(&judgement), ["A2", "D2", "ca-casl"]);
}

#[test]
fn ca_casl_implicit_consent_that_still_holds_may_be_asked_to_confirm() {
    let holds = judged(&[proven(Source::Purchase)], &under(Overlay::CaCasl), TODAY);
    assert_eq!(short(&holds), ("accept", "A2", "auto"));
    // The brand waits by its own wish; in law the consent of the form holds.
    let waiting = Terms {
        hold_until_confirmed: true,
        ..under(Overlay::CaCasl)
    };
    let form = judged(&[proven(Source::WebsiteForm)], &waiting, TODAY);
    assert_eq!(short(&form), ("confirm_first", "A1", "self"));
}

#[test]
fn de_a_business_card_is_confirmed_first_and_asked_after_an_own_act() {
    let terms = under(Overlay::De);
    let left = |kind: &str| {
        let proof = proof_of(Source::EventBooth).replace("badge", kind);
        judged(&[claim(Source::EventBooth, &proof)], &terms, TODAY)
    };
    assert_eq!(short(&left("card")), ("confirm_first", "de", "self"));
    assert_eq!(fired(&left("card")), ["O2a", "de"]);
    assert_eq!(short(&left("badge")), ("accept", "O2a", "auto"));
    assert_eq!(short(&left("form")), ("accept", "O2a", "auto"));
}

#[test]
fn de_an_asset_deal_or_a_deal_of_unknown_kind_is_confirmed_first() {
    let terms = under(Overlay::De);
    let deal = |more: &str| {
        let proof = proof_of(Source::MergerOrAcquisition) + more;
        judged(&[claim(Source::MergerOrAcquisition, &proof)], &terms, TODAY)
    };
    assert_eq!(
        short(&deal("; deal=asset")),
        ("confirm_first", "de", "self")
    );
    assert_eq!(short(&deal("")), ("confirm_first", "de", "self"));
    assert_eq!(fired(&deal("")), ["O4", "A2", "de"]);
    assert_eq!(short(&deal("; deal=share")), ("accept", "O4", "auto"));
    assert_eq!(deal("; deal=swap").rule, Rule::D4);
}

#[test]
fn de_a_card_that_came_with_a_share_deal_is_still_no_consent() {
    let booth = |more: &str| {
        let proof = proof_of(Source::MergerOrAcquisition).replace("purchase", "event_booth");
        let proof = proof + "; deal=share" + more;
        judged(
            &[claim(Source::MergerOrAcquisition, &proof)],
            &under(Overlay::De),
            TODAY,
        )
    };
    assert_eq!(booth("; original_kind=card").rule, Rule::De);
    assert_eq!(
        booth("").rule,
        Rule::De,
        "what nobody says is taken for a card"
    );
    assert_eq!(booth("; original_kind=form").rule, Rule::O4);
}

#[test]
fn de_nobody_is_asked_for_permission_again_unsolicited() {
    let terms = under(Overlay::De);
    let lapsed = claim(Source::Purchase, "order=1; date=2020-01-01");
    let unproven = claim(Source::Purchase, "date=2026-08-24");
    for (claim, rule) in [(lapsed, "D2"), (unproven, "D4")] {
        let judgement = judged(&[claim], &terms, TODAY);
        assert_eq!(short(&judgement), ("confirm_first", rule, "self"));
    }
    let holds = judged(&[proven(Source::Purchase)], &terms, TODAY);
    assert_eq!(short(&holds), ("accept", "A2", "auto"));
}

fn asks_one_to_one(overlay: Overlay) {
    let terms = under(overlay);
    let name = overlay.as_str();
    let lapsed = [claim(Source::Purchase, "order=1; date=2020-01-01")];
    let judgement = judged(&lapsed, &terms, TODAY);
    assert_eq!(short(&judgement), ("confirm_first", "D2", "one_to_one"));
    assert_eq!(fired(&judgement), ["A2", "D2", name]);
    let unproven = [claim(Source::AdResponse, "date=2026-08-24")];
    let judgement = judged(&unproven, &terms, TODAY);
    assert_eq!(short(&judgement), ("confirm_first", "D4", "one_to_one"));
    let holds = judged(&[proven(Source::Purchase)], &terms, TODAY);
    assert_eq!(short(&holds), ("accept", "A2", "auto"));
    assert_eq!(fired(&holds), ["A2"]);
}

#[test]
fn nl_no_mail_asks_for_permission_without_prior_consent() {
    asks_one_to_one(Overlay::Nl);
}

#[test]
fn uk_no_mail_asks_for_permission_without_prior_consent() {
    asks_one_to_one(Overlay::Uk);
}

#[test]
fn the_strictest_rule_wins_when_several_overlays_are_on() {
    let both = Terms::default().with_overlays([Overlay::De, Overlay::Nl]);
    let proof = proof_of(Source::EventBooth).replace("badge", "card");
    let card = judged(&[claim(Source::EventBooth, &proof)], &both, TODAY);
    assert_eq!(short(&card), ("confirm_first", "de", "one_to_one"));
    assert_eq!(fired(&card), ["O2a", "de", "nl"]);
    let lapsed = [claim(Source::Purchase, "order=1; date=2020-01-01")];
    let pair = Terms::default().with_overlays([Overlay::CaCasl, Overlay::De]);
    let judgement = judged(&lapsed, &pair, TODAY);
    assert_eq!(short(&judgement), ("confirm_first", "D2", "one_to_one"));
    let all = Terms::default().with_overlays(OVERLAYS.map(|row| row.overlay));
    let judgement = judged(&lapsed, &all, TODAY);
    assert_eq!(short(&judgement), ("confirm_first", "D2", "one_to_one"));
    assert_eq!(fired(&judgement), ["A2", "D2", "ca-casl", "de", "nl", "uk"]);
}

#[test]
fn a_role_address_that_the_brand_loosened_is_asked_as_the_overlays_let_it() {
    let role = AddressFacts {
        role: true,
        closed: None,
    };
    let loosened = |overlay| Terms {
        role_addresses: crate::domain::brand::RoleAddresses::ConfirmFirst,
        responsible: Some("Rosa Roland".to_owned()),
        ..under(overlay)
    };
    for (overlay, outreach) in [
        (Overlay::CaCasl, "one_to_one"),
        (Overlay::De, "self"),
        (Overlay::Nl, "one_to_one"),
        (Overlay::Uk, "one_to_one"),
    ] {
        let form = [proven(Source::WebsiteForm)];
        let judgement = judge(&form, role, &loosened(overlay), at(TODAY));
        assert_eq!(short(&judgement), ("confirm_first", "O6", outreach));
    }
}

#[test]
fn an_overlay_never_reopens_or_asks_where_the_table_does_not() {
    let all = Terms::default().with_overlays(OVERLAYS.map(|row| row.overlay));
    for row in &SOURCES {
        let plain = judged(&[proven(row.source)], &Terms::default(), TODAY);
        let strict = judged(&[proven(row.source)], &all, TODAY);
        assert!(strict.verdict >= plain.verdict, "{}", row.name);
        assert!(strict.outreach >= plain.outreach, "{}", row.name);
    }
}
