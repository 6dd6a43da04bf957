//! A person's wish to be erased while a legal hold keeps what is known of them: kept once, told as it is, and done by itself.

use countersign::app::erase::{EraseProblem, KEPT_WISH};
use countersign::app::prefer::CHANGES_A_DAY;
use countersign::app::wish::{TakenBack, Wished};
use countersign::domain::circumstances::Circumstances;
use countersign::domain::event::{ErasedBy, Fact, Through};

use super::signing_in::signed_in;
use crate::erasure::left_of;
use crate::harness::{Client, World, add_owner};
use crate::leaving::{brand, confirmed, contact_of, mailed};
use crate::on_both_engines;

const ANNA: &str = "anna@example.org";
const DAY: u64 = 86_400;
const LIST: &str = "/admin/contacts/held?brand=acme";

/// Anna has confirmed.
struct Stage {
    world: World,
    olga: Client,
    /// Her page among the operators'.
    path: String,
    /// The page behind the link that only she has.
    own: String,
}

impl Stage {
    async fn on(engine: countersign::store::Engine) -> Self {
        let world = World::on(engine).await;
        add_owner(&world.app).await;
        let contact = confirmed(&world, ANNA).await;
        let olga = signed_in(&world, "olga").await;
        Self {
            path: format!("/admin/contacts/acme/{contact}"),
            own: mailed(&world, contact),
            olga,
            world,
        }
    }

    /// The owner holds her until the end of the day that is so many days ahead.
    async fn hold(&mut self, days: u64) {
        let until = self
            .world
            .clock
            .now()
            .plus(std::time::Duration::from_secs(days * DAY));
        let until: String = until.to_string().chars().take(10).collect();
        let page = self.olga.get(&self.path).await;
        let mut fields = vec![("reason", "Case 12/26"), ("until", until.as_str())];
        let seen = page
            .text()
            .contains("name=\"seen\"")
            .then(|| page.hidden("seen"));
        fields.extend(seen.as_deref().map(|seen| ("seen", seen)));
        let held = self
            .olga
            .post(&format!("{}/hold", self.path), &fields)
            .await;
        assert_eq!(held.status, 303, "{}", held.text());
    }

    async fn lift(&mut self) {
        let fields = [("reason", "it is settled")];
        let lifted = self
            .olga
            .post(&format!("{}/hold/lift", self.path), &fields)
            .await;
        assert_eq!(lifted.status, 303, "{}", lifted.text());
    }

    /// What her page says when she asks to be erased (`yes`), or takes that back (`no`).
    async fn ask(&self, erase: &str) -> (u16, String, String) {
        let mut anna = self.world.client("203.0.113.9");
        let mut reply = anna
            .post(&format!("{}/erase", self.own), &[("erase", erase)])
            .await;
        let status = reply.status;
        if status == 303 {
            reply = anna.get(&reply.location()).await;
        }
        (status, reply.heading(), reply.text())
    }

    async fn look(&self, path: &str) -> String {
        let reply = self
            .world
            .client("203.0.113.9")
            .get(&format!("{}{path}", self.own))
            .await;
        assert_eq!(reply.status, 200, "{path}");
        reply.text()
    }

    async fn wishes(&self) -> usize {
        let kinds = self.world.kinds(ANNA).await;
        kinds
            .iter()
            .filter(|kind| **kind == "erasure_wished")
            .count()
    }

    /// Nothing is known of her any more, the last event says why, and the whole log holds.
    async fn is_erased(&self, contact: countersign::domain::ids::ContactId) {
        let gone = self.world.client("203.0.113.9").get(&self.own).await;
        assert_eq!(gone.status, 404);
        let left = left_of(&self.world, contact).await;
        assert_eq!(left.len(), 1, "{left:?}");
        let fact = &left[0].fact;
        assert!(
            matches!(
                fact,
                Fact::Erased {
                    by: ErasedBy::Person,
                    through: Through::Clockwork,
                    ..
                }
            ),
            "{fact:?}"
        );
        let known = self
            .world
            .app
            .known_of(&brand(&self.world), None, ANNA)
            .await
            .unwrap();
        assert!(known.closed.is_some(), "no list brings her back");
        self.world.app.sequence().await.unwrap();
        let audit = self.world.app.audit(true, |_, _| {}).await.unwrap();
        assert_eq!(audit.findings, [""; 0]);
    }
}

on_both_engines! {
    async fn the_audit_names_a_wish_that_was_removed_put_in_or_changed_by_sql(engine: Engine) {
        let mut stage = Stage::on(engine).await;
        stage.hold(30).await;
        stage.ask("yes").await;
        let findings = crate::import::storing::findings;
        assert_eq!(findings(&stage.world).await, [""; 0]);
        for (statement, wanted) in [
            ("update erasure_wish set wished_at = wished_at + 1", "its wish to be erased is kept with another time"),
            ("delete from erasure_wish", "its events tell of a wish to be erased, and that is gone"),
        ] {
            stage.world.sql(statement).await.unwrap();
            assert!(findings(&stage.world).await.iter().any(|found| found.contains(wanted)), "{wanted}");
        }
        stage.world.sql("insert into erasure_wish select brand_id, id, created_at from contact").await.unwrap();
        stage.world.advance(60);
        stage.ask("no").await;
        assert_eq!(findings(&stage.world).await, [""; 0], "taken back, it is gone");
        stage.world.sql("insert into erasure_wish select brand_id, id, created_at from contact").await.unwrap();
        let found = findings(&stage.world).await;
        assert!(found.iter().any(|found| found.contains("a wish to be erased is kept, and no event says so")), "{found:?}");
        stage.world.end().await;
    }

    async fn a_wish_during_a_hold_is_kept_once_told_as_it_is_and_done_when_the_hold_is_lifted(engine: Engine) {
        let mut stage = Stage::on(engine).await;
        let contact = contact_of(&stage.world, ANNA).await;
        stage.hold(30).await;
        let before = stage.look("/erase").await;
        assert!(before.contains("erased by itself once that is over") && before.contains("Yes, erase everything"), "{before}");
        let (status, heading, text) = stage.ask("yes").await;
        assert_eq!((status, heading.as_str()), (202, "Your wish is kept"));
        assert!(text.contains("you need not ask again"), "{text}");
        stage.world.advance(60);
        assert_eq!(stage.ask("yes").await.0, 202, "asked twice");
        assert_eq!(stage.wishes().await, 1, "it is one wish");
        assert!(stage.look("").await.contains("You asked to have everything erased."));
        let again = stage.look("/erase").await;
        assert!(again.contains("Do not erase it after all") && !again.contains("Yes, erase everything"), "{again}");
        assert!(stage.look("/data.json").await.contains("\"erasure_wished_at\": \"2026-"));
        // Whoever works with it sees it.
        let page = stage.olga.get(&stage.path).await.text();
        assert!(page.contains("Wish to be erased") && page.contains("Asked to be erased"), "{page}");
        let list = stage.olga.get(LIST).await.text();
        assert!(list.contains(ANNA) && list.contains("<span class=\"state wait\">wished</span>"), "{list}");
        let checked = stage.olga.post(&format!("{}/verify", stage.path), &[]).await;
        assert!(checked.text().contains("It holds."), "{}", checked.text());
        assert_eq!(stage.world.app.do_wishes().await.unwrap(), 0, "the hold lasts");
        stage.lift().await;
        let page = stage.olga.get(&stage.path).await.text();
        assert!(page.contains("is erased within minutes"), "{page}");
        let both = tokio::join!(stage.world.app.do_wishes(), stage.world.app.do_wishes());
        assert_eq!(both.0.unwrap() + both.1.unwrap(), 1, "however many workers look");
        stage.is_erased(contact).await;
        assert!(stage.olga.get(LIST).await.text().contains("Nobody is held"));
        assert_eq!(stage.world.app.do_wishes().await.unwrap(), 0);
        stage.world.finish().await;
    }

    async fn a_wish_is_done_when_the_hold_is_over_by_itself_and_not_while_another_one_keeps_it_on(engine: Engine) {
        let mut stage = Stage::on(engine).await;
        let contact = contact_of(&stage.world, ANNA).await;
        stage.hold(2).await;
        assert_eq!(stage.ask("yes").await.0, 202);
        stage.world.advance(DAY);
        stage.olga = signed_in(&stage.world, "olga").await;
        stage.hold(5).await;
        stage.world.advance(3 * DAY);
        assert_eq!(stage.world.app.do_wishes().await.unwrap(), 0, "the first hold would be over");
        stage.world.advance(3 * DAY);
        assert_eq!(stage.world.app.do_wishes().await.unwrap(), 1);
        stage.is_erased(contact).await;
        stage.world.finish().await;
    }

    async fn a_wish_that_is_taken_back_is_not_done_and_may_be_made_again(engine: Engine) {
        let mut stage = Stage::on(engine).await;
        let contact = contact_of(&stage.world, ANNA).await;
        assert_eq!(stage.ask("no").await.0, 303, "there is none");
        stage.hold(2).await;
        assert_eq!(stage.ask("yes").await.0, 202);
        let (status, _, text) = stage.ask("no").await;
        assert!(status == 303 && text.contains("You took your wish") && !text.contains("You asked to have"), "{text}");
        assert_eq!(stage.wishes().await, 2, "both acts stand in the story");
        let told = stage.olga.get(&stage.path).await.text();
        assert!(told.contains("Wish taken back") && !told.contains("Wish to be erased"), "{told}");
        stage.lift().await;
        assert_eq!(stage.world.app.do_wishes().await.unwrap(), 0);
        // A worker that had read the wish just before it was taken back looks again under the lock.
        let late = stage.world.app.erase(&brand(&stage.world), ANNA, KEPT_WISH).await;
        assert!(matches!(late, Err(EraseProblem::Kept)), "{late:?}");
        assert_eq!(contact_of(&stage.world, ANNA).await, contact);
        stage.hold(2).await;
        assert_eq!(stage.ask("yes").await.0, 202);
        stage.world.advance(4 * DAY);
        assert_eq!(stage.world.app.do_wishes().await.unwrap(), 1);
        stage.is_erased(contact).await;
        stage.world.finish().await;
    }

    async fn a_wish_that_is_taken_back_again_and_again_fills_no_story_and_stands_in_the_end(engine: Engine) {
        let mut stage = Stage::on(engine).await;
        let (app, acme) = (stage.world.app.clone(), brand(&stage.world));
        let contact = contact_of(&stage.world, ANNA).await;
        stage.hold(2).await;
        let mut last = TakenBack::NotKept;
        for _ in 0..CHANGES_A_DAY + 5 {
            assert_eq!(app.keep_wish(&acme, contact, Circumstances::default()).await.unwrap(), Wished::Kept);
            last = app.take_wish_back(&acme, contact, Circumstances::default()).await.unwrap();
        }
        assert_eq!((last, stage.wishes().await), (TakenBack::TooOften, 2 * CHANGES_A_DAY + 1));
        let (status, _, text) = stage.ask("no").await;
        assert!(status == 303 && text.contains("the wish to be erased stands"), "{text}");
        assert!(app.wish_of(acme.id, contact).await.unwrap().is_some());
        stage.world.advance(DAY + 1);
        assert_eq!(app.take_wish_back(&acme, contact, Circumstances::default()).await.unwrap(), TakenBack::Done);
        stage.world.finish().await;
    }

    async fn where_nothing_keeps_somebody_no_wish_is_kept(engine: Engine) {
        let stage = Stage::on(engine).await;
        let (app, acme) = (stage.world.app.clone(), brand(&stage.world));
        let contact = contact_of(&stage.world, ANNA).await;
        let wish = async || app.keep_wish(&acme, contact, Circumstances::default()).await.unwrap();
        assert_eq!(wish().await, Wished::Free);
        assert!(!stage.look("/erase").await.contains("legal claim"));
        let (status, heading, _) = stage.ask("yes").await;
        assert_eq!((status, heading.as_str()), (200, "Erased"));
        assert_eq!(wish().await, Wished::Gone);
        assert_eq!(app.take_wish_back(&acme, contact, Circumstances::default()).await.unwrap(), TakenBack::NotKept);
        stage.world.finish().await;
    }

    async fn the_wish_is_told_in_the_language_of_the_person(engine: Engine) {
        let mut stage = Stage::on(engine).await;
        stage.hold(2).await;
        for (language, title) in [
            ("nl", "Je verzoek is bewaard"),
            ("de", "Ihr Wunsch ist vorgemerkt"),
            ("fr", "Votre demande est conservée"),
            ("es", "Su petición queda guardada"),
            ("en", "Your wish is kept"),
        ] {
            let mut anna = stage.world.client("203.0.113.9");
            let wording = anna.get(&stage.own).await.hidden("wording");
            let fields = [
                ("act", "save"), ("was", "newsletter"), ("was", "events"), ("purpose", "newsletter"), ("purpose", "events"),
                ("language", language), ("wording", &wording),
            ];
            assert_eq!(anna.post(&stage.own, &fields).await.status, 303);
            assert_eq!(stage.ask("yes").await.1, title);
            let shown = stage.look("").await;
            assert!(shown.contains(title) && !shown.contains("prefer-erase"), "{shown}");
            assert!(!stage.ask("no").await.2.contains("prefer-erase"));
        }
        stage.world.finish().await;
    }
}
