//! Proof that outlives an erasure: sealed to a key that is not here, opened with a trace, deleted when due.

use countersign::app::erase::EraseProblem;
use countersign::app::seal::{OpenProblem, Opened, Opening, Which};
use countersign::domain::event::{Event, Fact};
use countersign::domain::seal::{OpeningKey, SealProblem};
use countersign::ledger::commitment::commitment;
use countersign::ledger::merkle::{leaf_hash, verify_inclusion};
use sha2::{Digest, Sha256};

use super::traces::{dump, found_in};
use super::{acme, confirmed, forget, left_of, whole_log};
use crate::harness::{DECLARATIONS, World};
use crate::on_both_engines;

const YEAR: u64 = 365 * 86_400;
pub const EMAIL: &str = "Quenelle.Zwiebel+Tag@zwiebel-haus.example";
const REASON: &str = "Claims over mail sent without consent, three years.";

pub fn key() -> OpeningKey {
    OpeningKey::derive(&[42; 32])
}

/// Brand "acme" keeps proof for three years.
pub async fn keeping(engine: countersign::store::Engine) -> World {
    let keep = format!(
        "[brand.keep_proof_after_erasure]\nreason = \"{REASON}\"\nyears = 3\npublic_key = \"{}\"\n\n[[brand.purpose]]",
        key().public().text()
    );
    let declarations = DECLARATIONS.replacen("[[brand.purpose]]", &keep, 1);
    World::declared(engine, "", &declarations).await
}

async fn open(world: &World, key: &OpeningKey) -> Result<Vec<Opened>, OpenProblem> {
    let brand = acme(world);
    let opening = Opening {
        by: "Clara Counsel",
        reason: "Case 12/26",
        acting: None,
        which: Which::All,
    };
    world.app.open_sealed(&brand, EMAIL, key, opening).await
}

fn kinds(events: &[Event]) -> Vec<&'static str> {
    events.iter().map(|event| event.fact.kind()).collect()
}

on_both_engines! {
    async fn what_happened_to_a_seal_is_told_of_somebody_with_more_than_five_thousand_events_too(engine: Engine) {
        let world = keeping(engine).await;
        crate::leaving::confirmed(&world, "anna@example.org").await;
        crate::permission::lengthen(&world, "anna@example.org").await;
        forget(&world, "anna@example.org").await.unwrap();
        let brand = acme(&world);
        let (by, reason) = ("Clara Counsel", "Case 12/26");
        let opening = Opening { by, reason, acting: None, which: Which::All };
        for expected in [&["erased"][..], &["erased", "seal_opened"]] {
            let opened = world.app.open_sealed(&brand, "anna@example.org", &key(), opening).await.unwrap();
            assert_eq!(kinds(&opened[0].since), expected);
            assert!(opened[0].events.len() > 5_000, "{}", opened[0].events.len());
        }
        world.finish().await;
    }

    async fn what_was_sealed_is_all_that_proof_needs_and_nobody_reads_it_without_the_key(engine: Engine) {
        let world = keeping(engine).await;
        let (_, _, mail) = confirmed(&world, EMAIL, "203.0.113.77").await;
        let story = world.story(EMAIL).await;
        let erased = forget(&world, EMAIL).await.unwrap();
        assert_eq!(erased.sealed_until.unwrap(), world.clock.now().plus(std::time::Duration::from_secs(3 * YEAR)));
        world.advance(2 * 3_600);
        world.app.tidy().await.unwrap();
        assert_eq!(found_in(dump(&world).await.as_bytes()), Vec::<String>::new());
        assert!(world.story(EMAIL).await.is_empty());
        let other = open(&world, &OpeningKey::derive(&[43; 32])).await;
        assert!(matches!(other, Err(OpenProblem::Seal(SealProblem::Open))));

        let opened = open(&world, &key()).await.unwrap().pop().unwrap();
        assert_eq!((opened.contact, opened.reason.as_str()), (erased.contact, REASON));
        let told = opened.story().unwrap();
        assert_eq!(told[..story.len()], story, "with its circumstances");
        assert_eq!(kinds(&told[story.len()..]), ["erased"]);
        let log = whole_log(&world).await;
        for event in &opened.events {
            let index = log.events.iter().position(|one| one.position == event.position).unwrap() as u64;
            let leaf = leaf_hash(&commitment(&event.salt, event.body.as_bytes()));
            let proof = log.tiles.inclusion(index, log.size).unwrap();
            verify_inclusion(&leaf, index, log.size, &proof, &log.root).unwrap();
        }
        let sent: Vec<_> = opened.events.iter().filter_map(|event| event.mail.as_deref()).collect();
        assert_eq!(sent.len(), 1);
        let hash: String = Sha256::digest(sent[0]).iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(opened.events.iter().any(|event| event.body.contains(&hash)), "byte for byte as it was sent");
        assert!(String::from_utf8_lossy(sent[0]).contains(&mail.code()));
        world.finish().await;
    }

    async fn each_opening_of_a_seal_stays_in_the_log_and_a_failed_one_opens_nothing(engine: Engine) {
        let world = keeping(engine).await;
        confirmed(&world, EMAIL, "203.0.113.77").await;
        assert!(matches!(open(&world, &key()).await, Err(OpenProblem::Nothing)), "nothing is sealed before");
        let erased = forget(&world, EMAIL).await.unwrap();
        assert!(open(&world, &OpeningKey::derive(&[43; 32])).await.is_err());
        for _ in 0..2 {
            open(&world, &key()).await.unwrap();
        }
        let left = left_of(&world, erased.contact).await;
        assert_eq!(kinds(&left), ["erased", "seal_opened", "seal_opened"]);
        let Fact::SealOpened { by, reason } = &left[1].fact else { panic!("{left:?}") };
        assert_eq!((by.as_str(), reason.as_str()), ("Clara Counsel", "Case 12/26"));
        let Fact::Erased { sealed, reason, .. } = &left[0].fact else { panic!("{left:?}") };
        assert_eq!((*sealed, reason.as_deref()), (true, Some(REASON)));
        world.finish().await;
    }

    async fn sealed_evidence_is_deleted_on_the_day_it_is_due_and_the_log_says_so(engine: Engine) {
        let world = keeping(engine).await;
        confirmed(&world, EMAIL, "203.0.113.77").await;
        let erased = forget(&world, EMAIL).await.unwrap();
        world.advance(3 * YEAR - 1);
        world.app.tidy().await.unwrap();
        assert!(open(&world, &key()).await.is_ok());
        world.advance(1);
        world.app.tidy().await.unwrap();
        world.app.tidy().await.unwrap();
        assert!(matches!(open(&world, &key()).await, Err(OpenProblem::Nothing)));
        assert_eq!(kinds(&left_of(&world, erased.contact).await), ["erased", "seal_opened", "seal_deleted"]);
        world.app.sequence().await.unwrap();
        let log = whole_log(&world).await;
        assert_eq!(log.tiles.root(log.size).unwrap(), log.root);
        world.finish().await;
    }

    async fn an_address_that_was_erased_twice_has_two_sealed_stories(engine: Engine) {
        let world = keeping(engine).await;
        confirmed(&world, EMAIL, "203.0.113.77").await;
        let first = forget(&world, EMAIL).await.unwrap();
        world.advance(86_400);
        confirmed(&world, EMAIL, "203.0.113.77").await;
        let second = forget(&world, EMAIL).await.unwrap();
        let opened = open(&world, &key()).await.unwrap();
        let contacts: Vec<_> = opened.iter().map(|one| one.contact).collect();
        assert_eq!(contacts, [first.contact, second.contact]);
        assert_eq!(opened[0].events.len(), usize::try_from(first.events).unwrap());
        world.finish().await;
    }

    async fn a_brand_without_the_clause_keeps_no_proof(engine: Engine) {
        let world = World::on(engine).await;
        confirmed(&world, EMAIL, "203.0.113.77").await;
        forget(&world, EMAIL).await.unwrap();
        assert!(matches!(open(&world, &key()).await, Err(OpenProblem::Nothing)));
        assert!(matches!(forget(&world, EMAIL).await, Err(EraseProblem::Unknown)));
        world.finish().await;
    }

    async fn a_long_story_is_sealed_in_parts_and_opened_in_its_order(engine: Engine) {
        let world = keeping(engine).await;
        let form = world.app.catalog().form("news").unwrap().clone();
        let calls = (0..1_100).map(|_| {
            let (app, form) = (world.app.clone(), form.clone());
            let given = countersign::app::sign_up::Submission { email: EMAIL.into(), ..Default::default() };
            async move { app.sign_up(&form, given).await.is_ok() }
        });
        assert!(futures_util::future::join_all(calls).await.into_iter().all(|done| done));
        forget(&world, EMAIL).await.unwrap();
        let opened = open(&world, &key()).await.unwrap().pop().unwrap();
        assert_eq!(opened.events.len(), 1_100);
        assert!(opened.events.is_sorted_by_key(|event| event.position));
        world.finish().await;
    }
}

#[test]
fn a_clause_without_a_reason_a_term_or_a_key_is_refused_when_it_is_declared() {
    let with = |reason: &str, years: u32, public_key: &str| {
        let keep = format!(
            "[brand.keep_proof_after_erasure]\nreason = \"{reason}\"\nyears = {years}\npublic_key = \"{public_key}\"\n\n[[brand.purpose]]"
        );
        let text = DECLARATIONS.replacen("[[brand.purpose]]", &keep, 1);
        countersign::app::apply::parse(&text)
            .map(|_| ())
            .map_err(|problem| problem.to_string())
    };
    let (public, private) = (key().public().text(), key().text());
    assert_eq!(with(REASON, 3, &public), Ok(()));
    for (reason, years, key, said) in [
        ("", 3, public.as_str(), "which claims"),
        (REASON, 0, &public, "years must be 1 to 30"),
        (REASON, 31, &public, "years must be 1 to 30"),
        (REASON, 3, "", "no public seal key"),
        (REASON, 3, &private, "no public seal key"),
    ] {
        let problem = with(reason, years, key).unwrap_err();
        assert!(problem.contains(said), "{problem}");
    }
}
