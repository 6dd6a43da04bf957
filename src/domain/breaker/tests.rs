use super::*;

const NOW: Timestamp = Timestamp::from_micros(1_795_455_245_000_000);
const RULES: Rules = Rules {
    on: true,
    window: Duration::from_secs(3_600),
    young_for: Duration::from_secs(300),
    mails_at_least: 300,
    fall_percent: 50,
    warm_up: 1_000,
};
/// Two of three confirm.
const USUAL: Tally = tally(3_000, 2_000);

const fn tally(mailed: i64, confirmed: i64) -> Tally {
    Tally { mailed, confirmed }
}

fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}

#[test]
fn a_window_that_nobody_confirms_trips_and_one_that_a_third_confirm_does_not() {
    assert!(RULES.trips(USUAL, tally(5_000, 12)));
    assert!(RULES.trips(USUAL, tally(300, 99)));
    assert!(!RULES.trips(USUAL, tally(300, 100)));
    assert!(!RULES.trips(USUAL, tally(5_000, 3_200)));
}

#[test]
fn a_window_with_few_mails_is_no_flood() {
    assert!(!RULES.trips(USUAL, tally(299, 0)));
    assert!(!RULES.trips(USUAL, tally(0, 0)));
}

#[test]
fn a_new_installation_does_not_know_what_is_usual() {
    assert!(!RULES.trips(tally(999, 900), tally(5_000, 0)));
    assert!(RULES.trips(tally(1_000, 900), tally(5_000, 0)));
}

#[test]
fn where_people_rarely_confirm_it_takes_more_mails_to_tell_a_flood_from_chance() {
    let rarely = tally(10_000, 300);
    assert!(!RULES.trips(rarely, tally(600, 0)));
    assert!(RULES.trips(rarely, tally(700, 0)));
    assert!(!RULES.trips(tally(10_000, 0), tally(100_000, 0)));
}

#[test]
fn turned_off_it_never_trips_and_closes_at_once() {
    let off = Rules { on: false, ..RULES };
    assert!(!off.trips(USUAL, tally(5_000, 0)));
    let closed = off.closes(NOW, USUAL, tally(5_000, 0), NOW);
    assert_eq!(closed, Some(Closed::Off));
}

#[test]
fn it_closes_when_half_of_the_fall_is_made_good() {
    let at = NOW.plus(minutes(10));
    assert_eq!(RULES.closes(NOW, USUAL, tally(1_000, 499), at), None);
    assert_eq!(
        RULES.closes(NOW, USUAL, tally(1_000, 500), at),
        Some(Closed::Recovered)
    );
}

#[test]
fn it_closes_when_a_window_has_passed() {
    let flood = tally(5_000, 12);
    let after = |count| RULES.closes(NOW, USUAL, flood, NOW.plus(minutes(count)));
    assert_eq!(after(64), None);
    assert_eq!(after(65), Some(Closed::Quiet));
}

#[test]
fn young_mails_are_not_judged_and_the_window_is_not_what_is_usual() {
    let spans = RULES.spans(NOW, None);
    assert_eq!(NOW.since(spans.until), minutes(5));
    assert_eq!(NOW.since(spans.from), minutes(65));
    assert_eq!(spans.usual_until, spans.from);
    assert_eq!(spans.usual_until.since(spans.usual_from), USUAL_FOR);
}

#[test]
fn counting_begins_anew_when_it_closes_and_a_window_later_after_the_operators_word() {
    let closed_at = NOW.minus(minutes(20));
    let from = |closed| RULES.spans(NOW, Some((closed_at, closed))).from;
    assert_eq!(from(Closed::Quiet), closed_at);
    assert_eq!(from(Closed::Recovered), closed_at);
    assert_eq!(from(Closed::Operator), closed_at.plus(minutes(65)));
    let long_ago = NOW.minus(minutes(1_000));
    let spans = RULES.spans(NOW, Some((long_ago, Closed::Operator)));
    assert_eq!(spans.from, NOW.minus(minutes(65)));
}

#[test]
fn what_was_held_leaves_in_portions_that_cannot_trip_it_again() {
    let in_window = |rules: Rules, length: u64| -> i64 {
        (0..length)
            .map(|at| rules.portion(NOW.plus(minutes(at))))
            .sum()
    };
    assert_eq!(in_window(RULES, 60), 150);
    assert!(!RULES.trips(USUAL, tally(150, 0)));
    let few = Rules {
        mails_at_least: 20,
        window: minutes(1_440),
        ..RULES
    };
    assert_eq!(in_window(few, 1_440), 10);
    assert!(few.portion(NOW) <= 1);
}

#[test]
fn a_minute_begins_at_its_first_microsecond() {
    let start = Timestamp::from_micros(60_000_000);
    assert_eq!(minute_of(start), start);
    assert_eq!(minute_of(Timestamp::from_micros(119_999_999)), start);
    assert_eq!(minute_of(Timestamp::from_micros(59_999_999)).micros(), 0);
}

#[test]
fn a_reason_is_read_back_from_its_word() {
    for closed in [
        Closed::Recovered,
        Closed::Quiet,
        Closed::Operator,
        Closed::Off,
    ] {
        assert_eq!(Closed::parse(closed.as_str()), Some(closed));
    }
    assert_eq!(Closed::parse("open"), None);
}
