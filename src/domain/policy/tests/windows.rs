//! Windows: calendar years in the brand's time zone.

use super::*;

fn in_zone(name: &str) -> Terms {
    let name = ZoneName::try_from(name.to_owned()).unwrap();
    Terms {
        zone: Zone::of(&name),
        ..Terms::default()
    }
}

fn bought(day: &str) -> [Claim; 1] {
    [claim(Source::Purchase, &format!("order=1; date={day}"))]
}

#[test]
fn bought_on_2024_11_24_is_implicit_at_23_59_two_years_later_less_a_day_and_lapsed_a_minute_later()
{
    let claims = bought("2024-11-24");
    let last = judged(&claims, &Terms::default(), "2026-11-23T23:59:00Z");
    assert_eq!(short(&last), ("accept", "A2", "auto"));
    assert_eq!(last.basis, Basis::Implicit);
    assert_eq!(last.valid_until, Some(at("2026-11-24T00:00:00Z")));
    let over = judged(&claims, &Terms::default(), "2026-11-24T00:00:00Z");
    assert_eq!(short(&over), ("confirm_first", "D2", "auto"));
    assert_eq!(
        over.valid_until, last.valid_until,
        "when it ended stays told"
    );
}

#[test]
fn a_window_ends_at_midnight_of_the_brands_time_zone() {
    let claims = bought("2024-11-24");
    for (zone, end) in [
        ("Europe/Amsterdam", "2026-11-23T23:00:00Z"),
        ("America/Toronto", "2026-11-24T05:00:00Z"),
        ("Pacific/Kiritimati", "2026-11-23T10:00:00Z"),
        ("Asia/Kathmandu", "2026-11-23T18:15:00Z"),
    ] {
        let terms = in_zone(zone);
        let end = at(end);
        let before = Timestamp::from_micros(end.micros() - 1);
        let judge_at = |now| judge(&claims, AddressFacts::default(), &terms, now);
        assert_eq!(judge_at(before).valid_until, Some(end), "{zone}");
        assert_eq!(judge_at(before).rule, Rule::A2, "{zone}");
        assert_eq!(judge_at(end).rule, Rule::D2, "{zone}");
    }
}

#[test]
fn summer_time_counts_on_the_day_on_which_the_window_ends() {
    // Bought in winter time; the window ends in summer time, an hour nearer to UTC's day before.
    let terms = in_zone("Europe/Amsterdam");
    let member = claim(
        Source::ActiveMember,
        "account=1; joined=2020-01-01; last_active=2026-01-15",
    );
    let six = Terms {
        active_within_months: 6,
        ..terms
    };
    let judgement = judged(&[member], &six, "2026-02-01T00:00:00Z");
    assert_eq!(judgement.valid_until, Some(at("2026-07-14T22:00:00Z")));
}

#[test]
fn where_clocks_skip_midnight_the_day_begins_when_the_clock_goes_on() {
    // In Cairo summer time began at midnight of 2026-04-24: 00:00 became 01:00, which is 22:00 UTC.
    let claims = bought("2024-04-24");
    let judgement = judged(&claims, &in_zone("Africa/Cairo"), "2026-01-01");
    assert_eq!(judgement.valid_until, Some(at("2026-04-23T22:00:00Z")));
}

#[test]
fn where_clocks_repeat_midnight_the_day_begins_at_the_first() {
    // In Havana summer time ended on 2026-11-01: 01:00 became 00:00 again; the first midnight is 04:00 UTC.
    let claims = bought("2024-11-01");
    let judgement = judged(&claims, &in_zone("America/Havana"), "2026-01-01");
    assert_eq!(judgement.valid_until, Some(at("2026-11-01T04:00:00Z")));
}

#[test]
fn a_29_february_ends_two_years_later_at_the_start_of_1_march() {
    let claims = bought("2024-02-29");
    let last = judged(&claims, &Terms::default(), "2026-02-28T23:59:59.999999Z");
    assert_eq!(last.verdict, Verdict::Accept);
    assert_eq!(last.valid_until, Some(at("2026-03-01T00:00:00Z")));
    let over = judged(&claims, &Terms::default(), "2026-03-01T00:00:00Z");
    assert_eq!(over.rule, Rule::D2);
}

#[test]
fn months_end_on_the_same_day_of_the_month_or_on_the_first_of_the_next() {
    for (day, end) in [
        ("2025-08-30", "2026-03-01"),
        ("2025-08-31", "2026-03-01"),
        ("2025-08-28", "2026-02-28"),
        ("2025-12-31", "2026-07-01"),
        ("2025-03-31", "2025-10-01"),
        ("2025-06-30", "2025-12-30"),
        ("2025-07-01", "2026-01-01"),
    ] {
        let inquiry = claim(Source::AdResponse, &format!("ad=1; date={day}"));
        let judgement = judged(&[inquiry], &under(Overlay::CaCasl), "2026-01-01");
        assert_eq!(judgement.valid_until, Some(at(end)), "{day}");
    }
}

#[test]
fn a_missing_an_unreadable_and_a_future_date_are_d4() {
    let missing = alone(Source::Purchase, "order=1");
    assert_eq!(short(&missing), ("confirm_first", "D4", "auto"));
    assert!(
        missing.why.contains("\"date\" is missing"),
        "{}",
        missing.why
    );
    for unreadable in [
        "24.11.2025",
        "11/24/2025",
        "2025-11-31",
        "2025-1-1",
        "2025-11-24T00:00:00Z",
        "20251124",
        "2025-13-01",
        "2025-00-01",
        "+025-11-24",
        "２０２５-11-24",
        "yesterday",
    ] {
        let judgement = alone(Source::Purchase, &format!("order=1; date={unreadable}"));
        assert_eq!(judgement.rule, Rule::D4, "{unreadable}");
        assert_eq!(judgement.valid_until, None, "{unreadable}");
    }
    let future = alone(Source::Purchase, "order=1; date=2026-11-25");
    assert_eq!(short(&future), ("confirm_first", "D4", "auto"));
    assert!(future.why.contains("future"), "{}", future.why);
    assert_eq!(
        alone(Source::Purchase, "order=1; date=2026-11-24").rule,
        Rule::A2,
        "today is no future"
    );
}

#[test]
fn what_is_still_future_depends_on_the_brands_time_zone() {
    let claims = bought("2026-11-25");
    let now = "2026-11-24T12:00:00Z";
    assert_eq!(judged(&claims, &Terms::default(), now).rule, Rule::D4);
    let ahead = in_zone("Pacific/Kiritimati");
    assert_eq!(judged(&claims, &ahead, now).rule, Rule::A2);
}

#[test]
fn a_new_dated_act_restarts_the_window() {
    let claims = [
        claim(Source::Purchase, "order=1; date=2024-11-24"),
        claim(Source::Purchase, "order=2; date=2026-02-01"),
    ];
    let judgement = judged(&claims, &Terms::default(), TODAY);
    assert_eq!(short(&judgement), ("accept", "A2", "auto"));
    assert_eq!(judgement.valid_until, Some(at("2028-02-01T00:00:00Z")));
}

#[test]
fn the_claims_own_date_is_the_date_of_the_act_and_two_that_differ_prove_neither() {
    let with = |own: &str, proof: &str| {
        let claim = Claim::new(Source::Purchase, Some(own));
        let claim = claim
            .prove("order", "1")
            .unwrap()
            .prove("date", proof)
            .unwrap();
        judged(&[claim], &Terms::default(), TODAY).rule
    };
    assert_eq!(with("2026-08-24", ""), Rule::A2);
    assert_eq!(with("2026-08-24", "2026-08-24"), Rule::A2);
    assert_eq!(with("2026-08-24", "2026-08-25"), Rule::D4);
    assert_eq!(with(" ", "2026-08-24"), Rule::A2);
}

#[test]
fn a_signup_is_proven_by_a_time_of_day_and_a_date_alone_is_not_enough() {
    let with = |time: &str| {
        let proof = proof_of(Source::WebsiteForm).replace("2026-08-24T10:00:00Z", time);
        alone(Source::WebsiteForm, &proof).rule
    };
    assert_eq!(with("2026-08-24T10:00:00+02:00"), Rule::A1);
    assert_eq!(with("2026-08-24"), Rule::D4);
    assert_eq!(with("2026-11-24T12:00:01Z"), Rule::D4, "a second from now");
}

#[test]
fn an_instant_far_away_in_either_direction_gives_an_answer() {
    for now in [i64::MIN, 0, i64::MAX] {
        let now = Timestamp::from_micros(now);
        let claims = [proven(Source::Purchase)];
        let judgement = judge(&claims, AddressFacts::default(), &Terms::default(), now);
        assert_eq!(judgement.rule, Rule::D4, "{now:?}");
    }
    let claims = bought("9998-06-01");
    let judgement = judged(&claims, &Terms::default(), "9999-06-01T00:00:00Z");
    assert_eq!(judgement.rule, Rule::D2, "a window without an end is none");
    assert_eq!(
        alone(Source::Purchase, "order=1; date=0000-01-01").rule,
        Rule::D2
    );
}

#[test]
fn a_time_zone_has_its_name_from_the_database_and_an_unknown_one_is_refused() {
    let zone = |name: &str| ZoneName::try_from(name.to_owned());
    assert_eq!(
        zone("europe/amsterdam").unwrap().to_string(),
        "Europe/Amsterdam"
    );
    assert_eq!(zone("UTC").unwrap(), ZoneName::default());
    for unknown in ["", "Mars/Olympus", "CEST+9", "../etc/passwd", "Europe"] {
        let problem = zone(unknown).unwrap_err();
        assert!(problem.contains("Europe/Amsterdam"), "{problem}");
    }
}
