//! What the audit sees of rows that nobody signed, by what signed events say of them: sealed evidence, erased addresses,
//! the content of forms, circumstances.

use countersign::domain::seal::OpeningKey;
use countersign::store::Engine;

use super::{audited, tamper, two_people};
use crate::erasure::{confirmed, forget};
use crate::harness::{DECLARATIONS, World};
use crate::on_both_engines;

const EMAIL: &str = "ada@example.org";

/// Brand "acme" keeps proof for three years after an erasure.
async fn keeping(engine: Engine) -> World {
    let key = OpeningKey::derive(&[42; 32]).public().text();
    let keep = format!(
        "[brand.keep_proof_after_erasure]\nreason = \"Claims over mail sent without consent.\"\nyears = 3\npublic_key = \"{key}\"\n\n[[brand.purpose]]"
    );
    let declarations = DECLARATIONS.replacen("[[brand.purpose]]", &keep, 1);
    World::declared(engine, "", &declarations).await
}

/// Ada confirmed, opened her link so many times more, and was erased; all of it is in the log.
async fn sealed(engine: Engine, hits: u32) -> World {
    let world = keeping(engine).await;
    confirmed(&world, EMAIL, "203.0.113.77").await;
    let numbers = match engine {
        Engine::Sqlite => format!(
            "with recursive n (i) as (select 1 union all select i + 1 from n where i < {hits}) insert into event \
             (brand_id, contact_id, kind, at, body, salt) select brand_id, contact_id, kind, at, body, salt from event, n"
        ),
        Engine::Postgres => format!(
            "insert into event (brand_id, contact_id, kind, at, body, salt) \
             select brand_id, contact_id, kind, at, body, salt from event, generate_series(1, {hits})"
        ),
    };
    let hits = format!(
        "{numbers} where position = (select max(position) from event where kind = 'link_opened')"
    );
    world.sql(&hits).await.unwrap();
    forget(&world, EMAIL).await.unwrap();
    world.app.sequence().await.unwrap();
    let audit = audited(&world).await;
    assert_eq!(audit.findings, [""; 0]);
    world
}

async fn says(world: &World, wanted: &str) {
    let audit = audited(world).await;
    let told = audit.findings.iter().any(|found| found.contains(wanted));
    assert!(told, "{wanted}: {:?}", audit.findings);
}

on_both_engines! {
    async fn sealed_evidence_that_is_gone_or_was_given_another_term_or_content_is_named(engine: Engine) {
        for (hits, statement, wanted) in [
            (1, "delete from sealed_evidence", "and that is gone, yet no event says that it was deleted"),
            (1, "update sealed_evidence set delete_at = 0", "its column delete_at was changed"),
            (1, "update sealed_evidence set address_hash = OTHER", "its address is not among the erased ones"),
            (1, "update sealed_evidence set reason = 'Another.'", "its column reason was changed"),
            (600, "update sealed_evidence set reason = 'Another.' where part = 1", "its column reason was changed"),
            (1, "update sealed_evidence set sealed_at = sealed_at - 1", "its column sealed_at was changed"),
            (600, "delete from sealed_evidence where part = 1", "1 of its 2 parts are missing"),
            (1, "update sealed_evidence set sealed = OTHER", "what is kept of it was replaced"),
            (600, "update sealed_evidence set part = 3 - part", "what is kept of it was replaced"),
        ] {
            let world = sealed(engine, hits).await;
            let other = match engine {
                Engine::Sqlite => "x'00000000000000000000000000000000'",
                Engine::Postgres => "'\\x00000000000000000000000000000000'",
            };
            tamper(&world, engine, &statement.replace("OTHER", other)).await;
            says(&world, wanted).await;
            world.end().await;
        }
    }

    async fn sealed_evidence_that_was_given_another_erased_address_is_named(engine: Engine) {
        let world = keeping(engine).await;
        for email in ["ben@example.org", EMAIL, EMAIL] {
            confirmed(&world, email, "203.0.113.77").await;
            world.advance(600);
            forget(&world, email).await.unwrap();
            world.advance(600);
            // The last of them waits, and then it is logged.
            assert_eq!(audited(&world).await.findings, [""; 0]);
        }
        world.app.sequence().await.unwrap();
        assert_eq!(audited(&world).await.findings, [""; 0]);
        for order in ["desc", "asc"] {
            // Ben's first erasure came before both of Ada's, so neither can have its address, nor it theirs.
            let hash = format!("(select hash from erased_address order by erased_at {order} limit 1)");
            let before = "create table was as select * from sealed_evidence; ";
            world.sql(&format!("{before}update sealed_evidence set address_hash = {hash}")).await.unwrap();
            if order == "asc" {
                says(&world, "and it was given another address").await;
            } else {
                assert_eq!(audited(&world).await.findings, [""; 0], "Ada's, erased again later, could be");
            }
            world.sql("delete from sealed_evidence; insert into sealed_evidence select * from was; drop table was").await.unwrap();
        }
        world.end().await;
    }

    async fn the_record_that_a_seal_was_opened_cannot_be_emptied_unnoticed(engine: Engine) {
        use countersign::app::seal::{Opening, Which};
        let world = sealed(engine, 1).await;
        let brand = crate::erasure::acme(&world);
        let opening = Opening { by: "Clara Counsel", reason: "Case 12/26", acting: None, which: Which::All };
        world.app.open_sealed(&brand, EMAIL, &OpeningKey::derive(&[42; 32]), opening).await.unwrap();
        world.app.sequence().await.unwrap();
        assert_eq!(audited(&world).await.findings, [""; 0]);
        tamper(&world, engine, "update event set body = null, salt = null, circumstances = null, mail = null where kind = 'seal_opened'").await;
        says(&world, "the erasure of its contact stands before it").await;
        world.end().await;
    }

    async fn sealed_evidence_that_was_made_due_too_early_is_named_after_it_was_deleted_too(engine: Engine) {
        let world = sealed(engine, 1).await;
        world.advance(86_400);
        tamper(&world, engine, "update sealed_evidence set delete_at = 0").await;
        world.app.tidy().await.unwrap();
        // Waiting for its place, and in it.
        says(&world, "and it was deleted at 2026-11-24").await;
        world.app.sequence().await.unwrap();
        says(&world, "too early").await;
        world.end().await;
    }

    async fn sealed_evidence_that_was_deleted_when_it_was_due_is_no_finding(engine: Engine) {
        let world = sealed(engine, 1).await;
        world.advance(3 * 365 * 86_400 + 60);
        world.app.tidy().await.unwrap();
        for _ in 0..2 {
            let audit = audited(&world).await;
            assert_eq!(audit.findings, [""; 0]);
            world.app.sequence().await.unwrap();
        }
        world.end().await;
    }

    async fn an_erased_address_that_was_removed_put_in_or_changed_is_named(engine: Engine) {
        let world = World::on(engine).await;
        for email in [EMAIL, "ben@example.org"] {
            confirmed(&world, email, "203.0.113.77").await;
            world.advance(600);
            forget(&world, email).await.unwrap();
            world.advance(600);
        }
        // The same address once more, and the erasure waits for its place.
        world.signed_up(EMAIL, "203.0.113.78").await;
        world.app.sequence().await.unwrap();
        forget(&world, EMAIL).await.unwrap();
        let clean = audited(&world).await;
        assert_eq!((clean.findings, clean.waiting), (vec![], 1));
        world.app.sequence().await.unwrap();
        assert_eq!(audited(&world).await.findings, [""; 0]);
        let newest = "(select max(erased_at) from erased_address)";
        let oldest = "(select min(erased_at) from erased_address)";
        world.sql(&format!("update erased_address set erased_at = erased_at + 1 where erased_at = {newest}")).await.unwrap();
        says(&world, "and no erasure was at that time: it was put in or changed").await;
        world.sql(&format!("update erased_address set erased_at = erased_at - 1 where erased_at = {newest}")).await.unwrap();
        assert_eq!(audited(&world).await.findings, [""; 0]);
        let other = match engine {
            Engine::Sqlite => "zeroblob(16)",
            Engine::Postgres => "'\\x00000000000000000000000000000000'::bytea",
        };
        let like_another = format!("insert into erased_address select brand_id, {other}, erased_at from erased_address where erased_at = {newest}");
        world.sql(&like_another).await.unwrap();
        says(&world, "and no erasure was at that time: it was put in or changed").await;
        world.sql(&format!("delete from erased_address where hash = {other}")).await.unwrap();
        assert_eq!(audited(&world).await.findings, [""; 0]);
        world.sql(&format!("delete from erased_address where erased_at = {oldest}")).await.unwrap();
        says(&world, "2 addresses of brand").await;
        says(&world, "and 1 of them are remembered as erased: the others were removed").await;
        world.end().await;
    }

    async fn a_forms_content_that_is_not_what_its_page_shows_is_named(engine: Engine) {
        for statement in [
            "update form_version set content = replace(content, 'newsletter', 'newsletters')",
            "update form_version set content = '{}'",
        ] {
            let world = two_people(engine).await;
            tamper(&world, engine, statement).await;
            says(&world, "its content, from which mails and pages are made, is not what its page shows").await;
            world.end().await;
        }
    }

    async fn circumstances_that_are_gone_are_told_and_held_against_nobody(engine: Engine) {
        let world = two_people(engine).await;
        assert!(!audited(&world).await.remarks.iter().any(|told| told.contains("circumstances")));
        world.sql("update event set circumstances = null where position in (2, 5)").await.unwrap();
        let audit = audited(&world).await;
        assert_eq!(audit.findings, [""; 0]);
        let told = "2 events name circumstances that are not kept any more";
        assert!(audit.remarks.iter().any(|remark| remark.starts_with(told)), "{:?}", audit.remarks);
        world.end().await;
    }
}
