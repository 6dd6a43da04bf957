//! What holds for any facts.

use proptest::prelude::*;

use super::*;
use crate::domain::brand::RoleAddresses;

fn values(key: &'static str) -> BoxedStrategy<Option<String>> {
    let some: Vec<String> = match key {
        "date" | "joined" | "last_active" | "original_date" | "notice_sent" => [
            "2019-02-28",
            "2024-02-29",
            "2024-11-23",
            "2024-11-24",
            "2024-11-25",
            "2025-11-24",
            "2026-05-23",
            "2026-05-24",
            "2026-05-25",
            "2026-11-23",
            "2026-11-24",
            "2026-11-25",
            "soon",
        ]
        .map(str::to_owned)
        .into(),
        "time" => ["2026-08-24T10:00:00Z", "2026-11-24T13:00:00Z", "2026-08-24"]
            .map(str::to_owned)
            .into(),
        "page" => vec!["https://www.acme.example/".to_owned(), "x".to_owned()],
        "scan" => vec![SCAN.to_owned(), "x".to_owned()],
        "kind" | "original_kind" => ["badge", "card", "form", "x"].map(str::to_owned).into(),
        "box" => ["ticked", "unticked", "preticked", "none"]
            .map(str::to_owned)
            .into(),
        "deal" => ["share", "asset", "x"].map(str::to_owned).into(),
        "original_source" => SOURCES.map(|row| row.name.to_owned()).into(),
        _ => vec!["Harbour Notes".to_owned()],
    };
    // Mostly complete, so that acceptance is reached often.
    prop_oneof![1 => Just(None), 12 => prop::sample::select(some).prop_map(Some)].boxed()
}

fn claims() -> impl Strategy<Value = Vec<Claim>> {
    // A refusing source decides alone, so most of these are others.
    let of = |refusing: bool| {
        let rows = SOURCES
            .iter()
            .filter(|row| (row.verdict == Verdict::Refuse) == refusing);
        prop::sample::select(rows.map(|row| row.source).collect::<Vec<_>>())
    };
    let one = prop_oneof![1 => of(true), 9 => of(false)].prop_flat_map(|source| {
        let keys: Vec<&'static str> = source.row().proof.iter().map(|proof| proof.key).collect();
        let given: Vec<_> = keys.iter().map(|key| values(key)).collect();
        given.prop_map(move |given| {
            keys.iter()
                .zip(given)
                .fold(Claim::new(source, None), |claim, (key, value)| {
                    claim.prove(key, &value.unwrap_or_default()).unwrap()
                })
        })
    });
    prop::collection::vec(one, 0..4)
}

fn addresses() -> impl Strategy<Value = AddressFacts> {
    let closed = prop_oneof![
        28 => Just(None),
        1 => Just(Some(Closed::Withdrew)),
        1 => Just(Some(Closed::Suppressed)),
        1 => Just(Some(Closed::Erased)),
    ];
    (prop::bool::weighted(0.2), closed).prop_map(|(role, closed)| AddressFacts { role, closed })
}

fn some_overlays() -> impl Strategy<Value = Vec<Overlay>> {
    prop::sample::subsequence(OVERLAYS.map(|row| row.overlay).to_vec(), 0..=4)
}

fn terms() -> impl Strategy<Value = Terms> {
    let zones = [
        "UTC",
        "Europe/Amsterdam",
        "America/Toronto",
        "Pacific/Kiritimati",
    ];
    let zone = prop::sample::select(zones.to_vec());
    let flags = any::<(bool, bool, bool)>();
    (zone, flags, 1_u16..=24, some_overlays()).prop_map(
        |(zone, (roles, lists, hold), months, on)| Terms {
            zone: Zone::of(&ZoneName::try_from(zone.to_owned()).unwrap()),
            overlays: on.into_iter().collect(),
            role_addresses: if roles {
                RoleAddresses::ConfirmFirst
            } else {
                RoleAddresses::Refuse
            },
            responsible: roles.then(|| "Rosa Roland".to_owned()),
            organizer_lists: if lists {
                OrganizerLists::ConfirmFirst
            } else {
                OrganizerLists::Refuse
            },
            active_within_months: months,
            hold_until_confirmed: hold,
            origins: Vec::new(),
        },
    )
}

/// Explicit is more than implicit, and implicit more than none.
fn weight(basis: Basis) -> u8 {
    match basis {
        Basis::None => 0,
        Basis::Implicit => 1,
        Basis::Explicit => 2,
    }
}

fn end(judgement: &Judgement) -> i64 {
    judgement.valid_until.map_or(i64::MAX, Timestamp::micros)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8_000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn adding_an_overlay_never_makes_verdict_outreach_basis_or_window_looser(
        claims in claims(), address in addresses(), terms in terms(), added in some_overlays(),
    ) {
        let now = at(TODAY);
        let before = judge(&claims, address, &terms, now);
        let after = judge(&claims, address, &terms.with_overlays(added), now);
        prop_assert!(after.verdict >= before.verdict, "{before:?} {after:?}");
        prop_assert!(after.outreach >= before.outreach, "{before:?} {after:?}");
        prop_assert!(weight(after.basis) <= weight(before.basis), "{before:?} {after:?}");
        if after.verdict == Verdict::Accept {
            prop_assert!(end(&after) <= end(&before), "{before:?} {after:?}");
        }
    }

    #[test]
    fn a_verdict_is_whole(claims in claims(), address in addresses(), terms in terms()) {
        let now = at(TODAY);
        let judgement = judge(&claims, address, &terms, now);
        prop_assert!(judgement.fired.contains(&judgement.rule), "{judgement:?}");
        prop_assert_eq!(judgement.verdict == Verdict::Accept, judgement.basis != Basis::None);
        if judgement.verdict == Verdict::Accept {
            prop_assert!(judgement.valid_until.is_none_or(|until| until > now), "{judgement:?}");
            prop_assert!(address.closed.is_none() && !address.role);
        }
        if judgement.verdict == Verdict::ConfirmFirst {
            prop_assert!(judgement.valid_until.is_none_or(|until| until <= now), "{judgement:?}");
        }
        if address.closed.is_some() {
            prop_assert_eq!(short(&judgement), ("refuse", "D3", "none"));
        }
        prop_assert_eq!(judge(&claims, address, &terms, now), judgement);
    }
}
