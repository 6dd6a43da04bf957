//! Every row of the table.

use super::*;

fn whole(source: Source) -> Judgement {
    judged(&[proven(source)], &Terms::default(), TODAY)
}

fn check(source: Source, expected: (&str, &str, &str)) {
    let judgement = whole(source);
    assert_eq!(short(&judgement), expected, "{}", judgement.why);
    assert_eq!(judgement.source, Some(source));
    assert_eq!(judgement.policy_version, POLICY_VERSION);
}

#[test]
fn the_table_is_in_the_order_of_the_sources_and_each_name_and_id_stands_there_once() {
    for (index, row) in SOURCES.iter().enumerate() {
        assert_eq!(row.source as usize, index, "{}", row.name);
        assert_eq!(row.source.row().name, row.name);
        assert_eq!(Source::parse(row.name), Some(row.source));
        let written = serde_json::to_value(row.source).unwrap();
        assert_eq!(
            written, row.name,
            "the same word in events and in the table"
        );
        let same = |other: &Row| other.name == row.name || other.rule == row.rule;
        assert_eq!(SOURCES.iter().filter(|other| same(other)).count(), 1);
        assert!(
            !row.conditions.is_empty() && !row.told.is_empty(),
            "{}",
            row.name
        );
    }
    assert_eq!(Source::parse("Purchase"), None);
}

#[test]
fn a1_the_brands_own_form_is_accepted_and_asks_after_the_persons_own_act() {
    check(Source::WebsiteForm, ("accept", "A1", "self"));
    let judgement = whole(Source::WebsiteForm);
    assert_eq!(
        (judgement.basis, judgement.valid_until),
        (Basis::Implicit, None)
    );
}

#[test]
fn a1_is_explicit_where_the_person_ticked_the_box() {
    let proof = proof_of(Source::WebsiteForm) + "; box=ticked";
    let judgement = alone(Source::WebsiteForm, &proof);
    assert_eq!(judgement.basis, Basis::Explicit);
    assert_eq!(fired(&judgement), ["A1", "G3"]);
    assert_eq!(judgement.valid_until, None);
}

#[test]
fn g2_a_box_ticked_in_advance_is_no_consent() {
    let proof = proof_of(Source::WebsiteForm) + "; box=preticked";
    let judgement = alone(Source::WebsiteForm, &proof);
    assert_eq!(short(&judgement), ("confirm_first", "G2", "self"));
    assert_eq!(judgement.basis, Basis::None);
}

#[test]
fn g1_a_box_that_the_person_left_empty_is_no_act() {
    let proof = proof_of(Source::WebsiteForm) + "; box=unticked";
    assert_eq!(
        short(&alone(Source::WebsiteForm, &proof)),
        ("confirm_first", "G1", "self")
    );
}

#[test]
fn a1_is_not_proven_by_a_page_that_is_on_none_of_the_brands_own_origins() {
    let own = Terms {
        origins: vec!["https://WWW.acme.example".to_owned()],
        ..Terms::default()
    };
    let judged_from = |page: &str| {
        let proof = proof_of(Source::WebsiteForm).replace("https://www.acme.example/news", page);
        judged(&[claim(Source::WebsiteForm, &proof)], &own, TODAY).rule
    };
    assert_eq!(judged_from("https://www.acme.example/news"), Rule::A1);
    for foreign in [
        "https://www.acme.example.evil.example/",
        "https://www.acme.example@evil.example/",
        "http://www.acme.example/",
        "https://evil.example/https://www.acme.example/",
        "www.acme.example/news",
    ] {
        assert_eq!(judged_from(foreign), Rule::D4, "{foreign}");
    }
}

#[test]
fn a2_a_purchase_is_accepted_for_two_years_and_may_be_asked() {
    check(Source::Purchase, ("accept", "A2", "auto"));
    let until = whole(Source::Purchase).valid_until;
    assert_eq!(until, Some(at("2028-08-24T00:00:00Z")));
}

#[test]
fn a3_a_written_agreement_is_accepted_for_two_years() {
    check(Source::WrittenAgreement, ("accept", "A3", "auto"));
    let until = whole(Source::WrittenAgreement).valid_until;
    assert_eq!(until, Some(at("2028-08-24T00:00:00Z")));
}

#[test]
fn a4_a_donation_is_accepted_for_two_years_by_its_receipt_or_the_assignment() {
    check(Source::DonationOrVolunteering, ("accept", "A4", "auto"));
    let until = whole(Source::DonationOrVolunteering).valid_until;
    assert_eq!(until, Some(at("2028-08-24T00:00:00Z")));
    let volunteer = alone(
        Source::DonationOrVolunteering,
        "assignment=Soup; date=2026-08-24",
    );
    assert_eq!(volunteer.rule, Rule::A4);
}

#[test]
fn a5_a_member_is_accepted_for_twelve_months_after_the_last_activity() {
    check(Source::ActiveMember, ("accept", "A5", "auto"));
    let until = whole(Source::ActiveMember).valid_until;
    assert_eq!(until, Some(at("2027-08-24T00:00:00Z")));
}

#[test]
fn a5_a_brand_sets_for_how_many_months_a_member_counts_as_active() {
    let three = Terms {
        active_within_months: 3,
        ..Terms::default()
    };
    let judgement = judged(&[proven(Source::ActiveMember)], &three, TODAY);
    assert_eq!(short(&judgement), ("confirm_first", "D2", "auto"));
    assert_eq!(judgement.valid_until, Some(at("2026-11-24T00:00:00Z")));
}

#[test]
fn a5_an_activity_before_joining_proves_nothing() {
    let proof = "account=m7; joined=2026-09-01; last_active=2026-08-24";
    assert_eq!(alone(Source::ActiveMember, proof).rule, Rule::D4);
}

#[test]
fn a6_a_newsletter_form_is_accepted_by_its_scan_or_its_id() {
    check(Source::NewsletterForm, ("accept", "A6", "auto"));
    let form = alone(Source::NewsletterForm, "form=paper-2; date=2026-08-24");
    assert_eq!((form.rule, form.basis), (Rule::A6, Basis::Implicit));
    let no_hash = alone(Source::NewsletterForm, "scan=scan.pdf; date=2026-08-24");
    assert_eq!(no_hash.rule, Rule::D4, "a name is no hash");
}

#[test]
fn a6_is_explicit_where_the_stored_wording_names_the_newsletter() {
    let with = |wording: &str| {
        let proof = proof_of(Source::NewsletterForm)
            + &format!("; wording={wording}; newsletter=Harbour Notes");
        alone(Source::NewsletterForm, &proof).basis
    };
    assert_eq!(
        with("Yes, send me the harbour notes by mail."),
        Basis::Explicit
    );
    assert_eq!(with("Yes, send me news."), Basis::Implicit);
    assert_eq!(
        with("I read Harbour Notesbooks."),
        Basis::Implicit,
        "whole words"
    );
    let nameless = proof_of(Source::NewsletterForm) + "; wording=Yes!; newsletter=?";
    assert_eq!(
        alone(Source::NewsletterForm, &nameless).basis,
        Basis::Implicit
    );
}

#[test]
fn a7_an_answer_to_the_brands_own_ad_is_accepted() {
    check(Source::AdResponse, ("accept", "A7", "self"));
    assert_eq!(whole(Source::AdResponse).valid_until, None);
    let lead = alone(Source::AdResponse, "lead=77; date=2020-08-24");
    assert_eq!(lead.rule, Rule::A7);
}

#[test]
fn u1_a_bought_or_rented_list_is_refused_and_nobody_is_asked() {
    check(Source::BoughtOrRentedList, ("refuse", "U1", "none"));
}

#[test]
fn u2_a_list_of_members_is_refused_and_nobody_is_asked() {
    check(Source::MembershipList, ("refuse", "U2", "none"));
}

#[test]
fn u3_contacts_from_a_former_company_are_refused_and_asked_one_to_one() {
    check(Source::PreviousEmployer, ("refuse", "U3", "one_to_one"));
}

#[test]
fn u4_another_brands_form_is_refused_and_nobody_is_asked() {
    check(Source::OtherBrandForm, ("refuse", "U4", "none"));
}

#[test]
fn u5_a_vendor_of_leads_is_refused_and_nobody_is_asked() {
    check(Source::LeadVendorOrEnrichment, ("refuse", "U5", "none"));
}

#[test]
fn u6_somebody_who_wrote_is_confirmed_first_and_asked_one_to_one() {
    check(Source::DirectEmail, ("confirm_first", "U6", "one_to_one"));
    let with_context = alone(Source::DirectEmail, "message_id=<a@b>; date=2026-11-20");
    assert_eq!(with_context.rule, Rule::U6, "context is no consent");
}

#[test]
fn o1_acquaintances_are_confirmed_first_and_asked_one_to_one() {
    check(
        Source::PersonalAcquaintance,
        ("confirm_first", "O1", "one_to_one"),
    );
}

#[test]
fn o1_is_accepted_only_by_another_row_with_its_proof() {
    let friend = claim(Source::PersonalAcquaintance, "");
    let bought = judged(
        &[friend.clone(), proven(Source::Purchase)],
        &Terms::default(),
        TODAY,
    );
    assert_eq!(short(&bought), ("accept", "A2", "auto"));
    let unproven = claim(Source::Purchase, "date=2026-08-24");
    let said = judged(&[friend, unproven], &Terms::default(), TODAY);
    assert_eq!(said.verdict, Verdict::ConfirmFirst);
}

#[test]
fn o2a_a_visit_to_the_brands_booth_is_accepted_by_badge_card_or_form() {
    check(Source::EventBooth, ("accept", "O2a", "auto"));
    for kind in ["card", "form"] {
        let proof = proof_of(Source::EventBooth).replace("badge", kind);
        assert_eq!(
            short(&alone(Source::EventBooth, &proof)),
            ("accept", "O2a", "auto")
        );
    }
    let proof = proof_of(Source::EventBooth).replace("badge", "chat");
    assert_eq!(alone(Source::EventBooth, &proof).rule, Rule::D4);
}

#[test]
fn o2b_an_organisers_list_is_refused_and_asked_one_to_one() {
    check(Source::EventOrganizerList, ("refuse", "O2b", "one_to_one"));
}

#[test]
fn o2b_is_confirmed_first_where_an_operator_chose_so_for_the_import_and_says_whose_list_it_is() {
    let chosen = Terms {
        organizer_lists: OrganizerLists::ConfirmFirst,
        ..Terms::default()
    };
    let named = judged(&[proven(Source::EventOrganizerList)], &chosen, TODAY);
    assert_eq!(short(&named), ("confirm_first", "O2b", "one_to_one"));
    assert_eq!(named.deviation, Some(Rule::O2b));
    assert_eq!(
        named.facts.organizer_lists,
        Some(OrganizerLists::ConfirmFirst)
    );
    let nameless = claim(Source::EventOrganizerList, "event=Fair");
    let nameless = judged(&[nameless], &chosen, TODAY);
    assert_eq!(short(&nameless), ("refuse", "O2b", "one_to_one"));
    assert!(
        nameless.why.contains("\"organizer\" is missing"),
        "{}",
        nameless.why
    );
}

#[test]
fn o3_an_employers_list_is_confirmed_first_and_asked_one_to_one() {
    check(Source::EmployerList, ("confirm_first", "O3", "one_to_one"));
    let bare = alone(Source::EmployerList, "employer=Mill Ltd");
    assert_eq!(bare.rule, Rule::O3);
    assert!(
        bare.why.contains("\"benefit\" and \"date\" are missing"),
        "{}",
        bare.why
    );
}

#[test]
fn o4_a_merger_is_accepted_as_it_stood_and_the_notice_goes_first() {
    check(Source::MergerOrAcquisition, ("accept", "O4", "auto"));
    let judgement = whole(Source::MergerOrAcquisition);
    assert!(judgement.notice_due);
    assert!(judgement.why.contains("notice"), "{}", judgement.why);
}

#[test]
fn o5_a_word_in_person_is_refused_and_asked_one_to_one() {
    check(Source::MetInPerson, ("refuse", "O5", "one_to_one"));
}

#[test]
fn o6_a_role_address_is_refused_whatever_the_source() {
    let role = AddressFacts {
        role: true,
        closed: None,
    };
    for row in &SOURCES {
        let judgement = judge(&[proven(row.source)], role, &Terms::default(), at(TODAY));
        assert_eq!(short(&judgement), ("refuse", "O6", "none"), "{}", row.name);
    }
}

#[test]
fn o6_is_confirmed_first_where_the_brand_names_who_answers_and_that_is_a_deviation() {
    let role = AddressFacts {
        role: true,
        closed: None,
    };
    let mut loosened = Terms {
        role_addresses: crate::domain::brand::RoleAddresses::ConfirmFirst,
        responsible: Some("Rosa Roland".to_owned()),
        ..Terms::default()
    };
    let form = [proven(Source::WebsiteForm)];
    let judgement = judge(&form, role, &loosened, at(TODAY));
    assert_eq!(short(&judgement), ("confirm_first", "O6", "self"));
    assert_eq!(judgement.deviation, Some(Rule::O6));
    assert_eq!(judgement.facts.responsible.as_deref(), Some("Rosa Roland"));
    assert!(judgement.why.contains("Rosa Roland"), "{}", judgement.why);
    let bought = judge(&[proven(Source::Purchase)], role, &loosened, at(TODAY));
    assert_eq!(short(&bought), ("confirm_first", "O6", "self"));
    loosened.responsible = Some(" ".to_owned());
    let nobody = judge(&form, role, &loosened, at(TODAY));
    assert_eq!(
        short(&nobody),
        ("refuse", "O6", "none"),
        "nobody answers for it"
    );
}

#[test]
fn d1_an_unknown_source_is_refused_and_so_is_no_source() {
    check(Source::Unknown, ("refuse", "D1", "none"));
    let none = judged(&[], &Terms::default(), TODAY);
    assert_eq!(short(&none), ("refuse", "D1", "none"));
}

#[test]
fn d2_a_window_that_is_over_is_confirmed_first_and_asked_as_its_source() {
    let judgement = alone(Source::Purchase, "order=1; date=2020-01-01");
    assert_eq!(short(&judgement), ("confirm_first", "D2", "auto"));
    assert_eq!(fired(&judgement), ["A2", "D2"]);
    assert_eq!(judgement.basis, Basis::None);
}

#[test]
fn d3_whoever_withdrew_complained_declined_or_is_suppressed_is_refused() {
    for closed in [
        Closed::Withdrew,
        Closed::Complained,
        Closed::Declined,
        Closed::Suppressed,
        Closed::Erased,
    ] {
        let address = AddressFacts {
            role: false,
            closed: Some(closed),
        };
        let claims = [proven(Source::Purchase)];
        let judgement = judge(&claims, address, &Terms::default(), at(TODAY));
        assert_eq!(short(&judgement), ("refuse", "D3", "none"), "{closed:?}");
        assert_eq!(fired(&judgement), ["A2", "D3"]);
    }
}

#[test]
fn d4_an_acceptable_source_with_any_demanded_proof_missing_is_confirmed_first_and_asked_as_its_source()
 {
    for row in SOURCES.iter().filter(|row| row.verdict == Verdict::Accept) {
        let proof = proof_of(row.source);
        let pieces: Vec<&str> = proof.split("; ").collect();
        for (missing, piece) in pieces.iter().enumerate() {
            let mut left = pieces.clone();
            left.remove(missing);
            let judgement = alone(row.source, &left.join("; "));
            let expected = ("confirm_first", "D4", row.outreach.as_str());
            assert_eq!(short(&judgement), expected, "{} without {piece}", row.name);
            assert_eq!(fired(&judgement).last(), Some(&"D4"));
            let key = piece.split('=').next().unwrap();
            assert!(
                judgement.why.contains(&format!("\"{key}\"")),
                "{}",
                judgement.why
            );
        }
    }
}

#[test]
fn a_brand_that_waits_for_confirmations_holds_its_own_form_only() {
    let waiting = Terms {
        hold_until_confirmed: true,
        ..Terms::default()
    };
    let form = judged(&[proven(Source::WebsiteForm)], &waiting, TODAY);
    assert_eq!(short(&form), ("confirm_first", "A1", "self"));
    let bought = judged(&[proven(Source::Purchase)], &waiting, TODAY);
    assert_eq!(bought.verdict, Verdict::Accept);
}

#[test]
fn an_unknown_key_is_refused_with_the_known_ones_and_a_key_twice_is_refused() {
    let unknown = Claim::new(Source::Purchase, None).prove("colour", "red");
    assert_eq!(
        unknown.unwrap_err().to_string(),
        "purchase has no proof \"colour\"; it takes: order, date"
    );
    let none = Claim::new(Source::Unknown, None).prove("date", "2026-01-01");
    assert_eq!(
        none.unwrap_err().to_string(),
        "unknown has no proof \"date\"; it takes none"
    );
    let once = Claim::new(Source::Purchase, None)
        .prove("order", "1")
        .unwrap();
    assert!(matches!(
        once.prove("order", "2"),
        Err(ClaimProblem::Twice(_))
    ));
    let long = Claim::new(Source::Purchase, None).prove("order", &"9".repeat(2_001));
    assert!(matches!(long, Err(ClaimProblem::TooLong(_))));
}
