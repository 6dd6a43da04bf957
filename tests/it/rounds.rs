//! People of whom each confirms, says "this was not me", leaves and is erased at one moment, in several tabs: some order explains
//! every end (T17): ten thousand of them on the two engines. `COUNTERSIGN_TEST_ROUNDS` makes them fewer, or more.

use std::sync::Arc;

use countersign::app::confirm::{Act, Answer, Declining, Outcome};
use countersign::app::erase::EraseProblem;
use countersign::app::sign_up::Submission;
use countersign::app::withdraw::{Leave, LeaveProblem, Leaver, Scope};
use countersign::clock::Random;
use countersign::domain::circumstances::Circumstances;
use countersign::domain::event::{Fact, LeaveMethod, LeftBy};
use countersign::domain::ids::RequestId;
use futures_util::future::join_all;

use crate::erasure::{BY_OPERATOR, acme};
use crate::harness::World;
use crate::on_both_engines;

const ROUNDS: usize = 5_000;
/// Rounds at a time.
const TOGETHER: usize = 50;
/// One of so many is erased meanwhile.
const ERASED: usize = 10;

fn rounds_told() -> usize {
    let told = std::env::var("COUNTERSIGN_TEST_ROUNDS").ok();
    let told = told.and_then(|text| text.parse().ok());
    told.unwrap_or(ROUNDS).next_multiple_of(TOGETHER)
}

/// What somebody does, in the order in which it is sent.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Confirm,
    Decline,
    Leave,
    Erase,
}

async fn sign_up(world: &World, email: &str) -> RequestId {
    let form = world.app.catalog().form("news").unwrap().clone();
    let given = Submission {
        email: email.to_owned(),
        language: "en".to_owned(),
        ..Submission::default()
    };
    world.app.sign_up(&form, given).await.unwrap().request
}

/// Does it; panics at whatever would be an error page.
async fn act(world: &World, deed: Deed, email: &str, request: RequestId) -> Option<Outcome> {
    let brand = acme(world);
    let answer = |act| {
        let answer = Answer {
            brand: brand.id,
            request,
            act,
            method: "POST".to_owned(),
            circumstances: Circumstances::default(),
        };
        world.app.answer(answer)
    };
    match deed {
        Deed::Confirm => Some(answer(Act::SameBrowser).await.unwrap()),
        Deed::Decline => Some(answer(Act::Decline(Declining::SameBrowser)).await.unwrap()),
        Deed::Leave => {
            let leave = Leave {
                who: Leaver::Address(email.to_owned()),
                scope: Scope::All,
                method: LeaveMethod::Preferences,
                by: LeftBy::Person,
                reason: None,
                circumstances: Circumstances::default(),
            };
            match world.app.withdraw(&brand, leave).await {
                Ok(_) | Err(LeaveProblem::Unknown) => None,
                Err(problem) => panic!("{problem}"),
            }
        }
        Deed::Erase => match world.app.erase(&brand, email, BY_OPERATOR).await {
            Ok(_) | Err(EraseProblem::Unknown) => None,
            Err(problem) => panic!("{problem}"),
        },
    }
}

/// Which deeds meet in a round, in an order of chance.
fn deeds(round: usize, random: &Random) -> Vec<Deed> {
    let mut deeds = vec![Deed::Confirm, Deed::Confirm, Deed::Leave];
    if round.is_multiple_of(3) {
        deeds.push(Deed::Decline);
    }
    if round.is_multiple_of(ERASED) {
        deeds.push(Deed::Erase);
    }
    for at in (1..deeds.len()).rev() {
        let other = usize::try_from(random.below(at as u64 + 1)).unwrap();
        deeds.swap(at, other);
    }
    deeds
}

on_both_engines! {
    async fn of_confirming_declining_leaving_and_erasing_at_once_some_order_explains_each_end(engine: Engine) {
        let limits = "[budget]\nper_network_an_hour = 0\nper_form_an_hour = 0\nper_installation_an_hour = 0\n";
        let world = Arc::new(World::with(engine, limits).await);
        let random = Random::seeded(17);
        let all = rounds_told();
        let (mut confirmed, mut declined, mut erased) = (0, 0, 0);
        for wave in (0..all).step_by(TOGETHER) {
            let rounds: Vec<usize> = (wave..wave + TOGETHER).collect();
            let emails: Vec<String> = rounds.iter().map(|round| format!("p{round}@example.org")).collect();
            let requests = join_all(emails.iter().map(|email| sign_up(&world, email))).await;
            world.advance(90);
            let acts = rounds.iter().zip(&emails).zip(&requests).flat_map(|((round, email), request)| {
                let world = &world;
                deeds(*round, &random).into_iter().map(move |deed| act(world, deed, email, *request))
            });
            join_all(acts).await;
            for (round, email) in rounds.iter().zip(&emails) {
                let kinds = world.kinds(email).await;
                let count = |kind: &str| kinds.iter().filter(|one| **one == kind).count();
                if round.is_multiple_of(ERASED) {
                    // An erasure beats all others: nothing of them comes after it.
                    assert_eq!(kinds, [""; 0], "round {round}");
                    erased += 1;
                    continue;
                }
                assert!(count("confirmed") <= 1 && count("withdrawn") == 1 && count("declined") <= 1, "round {round}: {kinds:?}");
                assert!(count("confirmed") + count("declined") <= 1, "round {round}: {kinds:?}");
                // Whoever left stays out, whatever was asked for before: leaving ends the open request.
                let after = kinds.iter().skip_while(|kind| **kind != "withdrawn");
                assert!(!after.into_iter().any(|kind| *kind == "confirmed"), "round {round}: {kinds:?}");
                confirmed += count("confirmed");
                declined += count("declined");
            }
        }
        // Every order was met.
        assert!(confirmed > all / 20 && declined > all / 100 && erased == all / ERASED, "{confirmed} {declined} {erased}");
        let story = world.story("p1@example.org").await;
        assert!(story.iter().any(|event| matches!(event.fact, Fact::Withdrawn { .. })));
        world.app.sequence().await.unwrap();
        let audit = world.app.audit(true, |_, _| ()).await.unwrap();
        assert_eq!((audit.findings, audit.contacts), (vec![], Some((all - all / ERASED) as u64)));
        Arc::into_inner(world).unwrap().end().await;
    }
}
