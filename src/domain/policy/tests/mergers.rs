//! What moves with a merger, and what does not.

use super::*;

fn merged(more: &str) -> Judgement {
    let proof = "document=T-1; old_brand=Old; ".to_owned() + more;
    alone(Source::MergerOrAcquisition, &proof)
}

#[test]
fn the_windows_of_the_original_keep_running() {
    let holds = merged("original_source=purchase; original_date=2024-11-25");
    assert_eq!(short(&holds), ("accept", "O4", "auto"));
    assert_eq!(holds.valid_until, Some(at("2026-11-25T00:00:00Z")));
    assert_eq!(fired(&holds), ["O4", "A2"]);
    let over = merged("original_source=purchase; original_date=2024-11-24");
    assert_eq!(short(&over), ("confirm_first", "D2", "auto"));
    assert_eq!(fired(&over), ["O4", "A2", "D2"]);
    let member = merged("original_source=active_member; original_date=2026-01-01");
    assert_eq!(member.valid_until, Some(at("2027-01-01T00:00:00Z")));
}

#[test]
fn explicit_consent_to_the_old_brand_is_implicit_for_the_new_one() {
    let judgement = merged("original_source=website_form; original_date=2015-01-01");
    assert_eq!(short(&judgement), ("accept", "O4", "auto"));
    assert_eq!(
        (judgement.basis, judgement.valid_until),
        (Basis::Implicit, None)
    );
}

#[test]
fn what_a_merger_carries_over_does_not_hold_up_what_the_brand_s_own_proof_gives() {
    let merger = |original: &str| {
        let proof = "document=T-1; old_brand=Old; original_date=2026-01-01; original_source=";
        claim(Source::MergerOrAcquisition, &(proof.to_owned() + original))
    };
    let own = claim(Source::Purchase, "order=1; date=2025-01-01");
    // The merger would last longer: to 2028, or for good.
    for original in ["purchase", "newsletter_form"] {
        for claims in [
            [merger(original), own.clone()],
            [own.clone(), merger(original)],
        ] {
            let judgement = judged(&claims, &Terms::default(), TODAY);
            assert_eq!(short(&judgement), ("accept", "A2", "auto"), "{original}");
            assert_eq!(judgement.valid_until, Some(at("2027-01-01")));
            assert!(!judgement.notice_due);
            // When the own window is over, the merger is left, and its notice is due.
            let later = judged(&claims, &Terms::default(), "2027-01-01");
            assert_eq!(
                (short(&later), later.notice_due),
                (("accept", "O4", "auto"), true)
            );
        }
    }
    let signed_up = proven(Source::WebsiteForm);
    for claims in [
        [merger("newsletter_form"), signed_up.clone()],
        [signed_up.clone(), merger("newsletter_form")],
    ] {
        assert_eq!(
            judged(&claims, &Terms::default(), TODAY).rule,
            Rule::A1,
            "both without end"
        );
    }
}

#[test]
fn an_unproven_original_is_confirmed_first() {
    for more in [
        "original_source=purchase",
        "original_date=2026-08-24",
        "original_source=purchase; original_date=24.8.2026",
        "original_source=purchase; original_date=2027-01-01",
        "original_source=unknown; original_date=2026-08-24",
        "original_source=merger_or_acquisition; original_date=2026-08-24",
        "original_source=nonsense; original_date=2026-08-24",
    ] {
        let judgement = merged(more);
        assert_eq!(short(&judgement), ("confirm_first", "D4", "auto"), "{more}");
        assert!(!judgement.notice_due, "{more}");
    }
    let paperless = alone(
        Source::MergerOrAcquisition,
        "old_brand=Old; original_source=purchase; original_date=2026-08-24",
    );
    assert_eq!(paperless.rule, Rule::D4);
}

#[test]
fn what_was_refused_at_the_old_brand_stays_refused_even_without_its_date() {
    for row in SOURCES.iter().filter(|row| row.verdict == Verdict::Refuse) {
        if row.source == Source::Unknown {
            continue;
        }
        for date in ["; original_date=2026-08-24", ""] {
            let judgement = merged(&format!("original_source={}{date}", row.name));
            let expected = ("refuse", row.rule.id(), row.outreach.as_str());
            assert_eq!(short(&judgement), expected, "{}", row.name);
            assert_eq!(fired(&judgement), ["O4", row.rule.id()]);
        }
    }
}

#[test]
fn what_had_to_be_confirmed_at_the_old_brand_has_to_be_here() {
    let judgement = merged("original_source=direct_email; original_date=2026-08-24");
    assert_eq!(short(&judgement), ("confirm_first", "U6", "one_to_one"));
}

#[test]
fn a_notice_that_was_sent_by_other_means_opens_nothing() {
    for day in ["2026-11-20", "2026-12-01", "soon"] {
        let judgement = merged(&format!(
            "original_source=purchase; original_date=2026-08-24; notice_sent={day}"
        ));
        assert_eq!(short(&judgement), ("accept", "O4", "auto"), "{day}");
        assert!(judgement.notice_due, "{day}");
    }
}

#[test]
fn an_original_date_after_the_transfer_proves_nothing() {
    let proof = proof_of(Source::MergerOrAcquisition);
    let moved = |day: &str| {
        let claim = proof
            .split("; ")
            .filter_map(|one| one.split_once('='))
            .fold(
                Claim::new(Source::MergerOrAcquisition, Some(day)),
                |claim, (key, value)| claim.prove(key, value).unwrap(),
            );
        judged(&[claim], &Terms::default(), TODAY).rule
    };
    assert_eq!(moved("2026-09-01"), Rule::O4);
    assert_eq!(moved("2026-08-01"), Rule::D4);
}

#[test]
fn ca_casl_shortens_the_window_of_an_inquiry_that_came_with_a_merger() {
    let proof =
        "document=T-1; old_brand=Old; original_source=ad_response; original_date=2026-05-24";
    let claims = [claim(Source::MergerOrAcquisition, proof)];
    let judgement = judged(&claims, &under(Overlay::CaCasl), TODAY);
    assert_eq!(short(&judgement), ("confirm_first", "D2", "one_to_one"));
    assert_eq!(fired(&judgement), ["O4", "A7", "ca-casl", "D2"]);
}
