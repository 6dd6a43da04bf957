//! Legal hold of one contact: nothing of it is erased or removed before it ends.

use countersign::app::erase::{EraseProblem, Wish};
use countersign::app::operators;
use countersign::domain::event::{ErasedBy, Through};
use countersign::domain::operator::Role;

use super::signing_in::signed_in;
use crate::harness::{DECLARATIONS, OWNERS_PASSWORD, World, add_owner};
use crate::on_both_engines;

const DAY: u64 = 86_400;

async fn path_of(world: &World, email: &str) -> String {
    let id = crate::leaving::contact_of(world, email).await;
    format!("/admin/contacts/acme/{id}")
}

/// A day so many days ahead, as a field has it.
fn day(world: &World, ahead: u64) -> String {
    let at = world
        .clock
        .now()
        .plus(std::time::Duration::from_secs(ahead * DAY));
    at.to_string().chars().take(10).collect()
}

on_both_engines! {
    async fn a_contact_that_is_held_is_erased_by_nobody_until_the_hold_is_lifted(engine: Engine) {
        let world = World::on(engine).await;
        add_owner(&world.app).await;
        operators::add(&world.app, None, "eddie", OWNERS_PASSWORD, (Role::Editor, &[])).await.unwrap();
        world.signed_up("anna@example.org", "192.0.2.7").await;
        world.deliver().await;
        let path = path_of(&world, "anna@example.org").await;
        let (hold, lift) = (format!("{path}/hold"), format!("{path}/hold/lift"));
        let (mut olga, mut eddie) = (signed_in(&world, "olga").await, signed_in(&world, "eddie").await);
        let until = day(&world, 30);
        let fields = [("reason", "Case 12/26"), ("until", until.as_str())];
        assert_eq!(eddie.post(&hold, &fields).await.status, 403, "an owner places it");
        assert!(!eddie.get(&path).await.text().contains(&format!("action=\"{hold}\"")), "nor is it offered");
        let (past, far) = (day(&world, 0).replace("20", "19"), day(&world, 11 * 366));
        for (reason, until, words) in [
            ("no", until.as_str(), "Not held: say why"),
            ("Case 12/26", past.as_str(), "the last day of the hold"),
            ("Case 12/26", far.as_str(), "the last day of the hold"),
            ("Case 12/26", "soon", "the last day of the hold"),
        ] {
            let reply = olga.post(&hold, &[("reason", reason), ("until", until)]).await;
            assert!(reply.status == 422 && reply.text().contains(words), "{until}: {}", reply.text());
        }
        let early = olga.post(&lift, &[("reason", "it is settled")]).await;
        assert_eq!(early.status, 409, "there is nothing to lift");
        assert_eq!(olga.post(&hold, &fields).await.location(), format!("{path}?done=held"));
        let page = olga.get(&path).await.text();
        assert!(page.contains("Case 12/26") && page.contains("Lift the hold") && !page.contains("Erase this person"), "{page}");
        assert_eq!(olga.post(&hold, &fields).await.status, 409, "nobody places one over another without having seen it");
        let since = page.split("name=\"seen\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        let longer = day(&world, 60);
        let anew = [("reason", "Case 12/26, appeal"), ("until", longer.as_str()), ("seen", since)];
        assert_eq!(olga.post(&hold, &anew).await.location(), format!("{path}?done=held"));
        assert!(olga.get(&path).await.text().contains("appeal"));
        let seen = eddie.get(&path).await.text();
        assert!(seen.contains("Case 12/26") && !seen.contains("Lift the hold"));
        let reply = olga.post(&format!("{path}/erase"), &[("address", "anna@example.org")]).await;
        assert!(reply.status == 409 && reply.text().contains("under legal hold until"), "{}", reply.text());
        let deeds = olga.get("/admin/account").await.text();
        assert!(!deeds.contains("erased a contact"), "what did not happen is not noted: {deeds}");
        let catalog = world.app.catalog();
        let acme = catalog.brand_by_slug("acme").unwrap();
        let wish = Wish { by: ErasedBy::Person, through: Through::PreferencesPage };
        let refused = world.app.erase(acme, "anna@example.org", wish).await;
        assert!(matches!(refused, Err(EraseProblem::Held(_))), "{refused:?}");
        assert_eq!(olga.post(&lift, &[("reason", "no")]).await.status, 422);
        assert_eq!(olga.post(&lift, &[("reason", "it is settled")]).await.location(), format!("{path}?done=hold-lifted"));
        let kinds = world.kinds("anna@example.org").await;
        assert!(kinds.ends_with(&["legal_hold", "legal_hold", "legal_hold_lifted"]), "{kinds:?}");
        let story = olga.get(&path).await.text();
        assert!(story.contains("keeps what is known of this contact for a claim") && story.contains("it is settled"));
        let deeds = olga.get("/admin/account").await.text();
        assert!(deeds.contains("placed a legal hold") && deeds.contains("lifted a legal hold") && !deeds.contains("anna@"));
        world.app.erase(acme, "anna@example.org", wish).await.unwrap();
        world.app.sequence().await.unwrap();
        world.finish().await;
    }

    async fn the_audit_names_a_hold_that_was_removed_put_in_or_changed_by_sql(engine: Engine) {
        let world = World::on(engine).await;
        add_owner(&world.app).await;
        for email in ["anna@example.org", "bert@example.org"] {
            world.signed_up(email, "192.0.2.7").await;
        }
        world.deliver().await;
        let (anna, bert) = (path_of(&world, "anna@example.org").await, path_of(&world, "bert@example.org").await);
        let mut olga = signed_in(&world, "olga").await;
        let until = day(&world, 30);
        let fields = [("reason", "Case 12/26"), ("until", until.as_str())];
        assert_eq!(olga.post(&format!("{anna}/hold"), &fields).await.status, 303);
        assert_eq!(olga.post(&format!("{bert}/hold"), &fields).await.status, 303);
        assert_eq!(olga.post(&format!("{bert}/hold/lift"), &[("reason", "it is settled")]).await.status, 303);
        let findings = crate::import::storing::findings;
        assert_eq!(findings(&world).await, Vec::<String>::new());
        let of_anna = "contact_id = (select id from contact where address = 'anna@example.org')";
        let of_bert = of_anna.replace("anna", "bert");
        for (statement, wanted) in [
            (format!("update legal_hold set reason = 'Case 13/26' where {of_anna}"), "its legal hold is not the one"),
            (format!("update legal_hold set until = until + 1 where {of_anna}"), "its legal hold is not the one"),
            (format!("delete from legal_hold where {of_anna}"), "its events tell of a legal hold, and that is gone"),
            ("insert into legal_hold (brand_id, contact_id, reason, operator, since, until) select brand_id, id, 'a claim', 'olga', \
                created_at, created_at + 999999999999 from contact where address = 'bert@example.org'".to_owned(), "it is under legal hold, and no event says so"),
        ] {
            // What the lifted hold left behind goes first.
            world.sql(&format!("delete from legal_hold where {of_bert}")).await.unwrap();
            world.sql(&statement).await.unwrap();
            let found = findings(&world).await;
            assert!(found.iter().any(|one| one.contains(wanted)), "{wanted}: {found:?}");
        }
        world.end().await;
    }

    async fn whoever_never_confirmed_stays_with_all_circumstances_while_held_and_goes_once_the_hold_is_over(engine: Engine) {
        // A signup gives nothing before it is confirmed: only such contacts have a term.
        let strict = DECLARATIONS.replacen("slug = \"acme\"\n", "slug = \"acme\"\nhold_until_confirmed = true\n", 1);
        let terms = "[retention]\nunconfirmed_days = 10\ncircumstances_days = 5\n";
        let world = World::declared(engine, terms, &strict).await;
        add_owner(&world.app).await;
        for email in ["anna@example.org", "bert@example.org"] {
            world.signed_up(email, "192.0.2.7").await;
        }
        world.deliver().await;
        let path = path_of(&world, "anna@example.org").await;
        let mut olga = signed_in(&world, "olga").await;
        let until = day(&world, 40);
        let fields = [("reason", "Case 12/26"), ("until", until.as_str())];
        assert_eq!(olga.post(&format!("{path}/hold"), &fields).await.status, 303);
        world.advance(8 * DAY);
        world.app.expire().await.unwrap();
        world.app.sequence().await.unwrap();
        world.advance(22 * DAY);
        world.app.remove_circumstances().await.unwrap();
        assert!(has_address(&world, "anna@example.org").await && !has_address(&world, "bert@example.org").await);
        world.app.purge_unconfirmed().await.unwrap();
        let catalog = world.app.catalog();
        let acme = catalog.brand_by_slug("acme").unwrap();
        let known = async |email: &str| !world.app.find_contacts(acme.id, email, "").await.unwrap().0.is_empty();
        assert!(known("anna@example.org").await && !known("bert@example.org").await);
        world.advance(12 * DAY);
        world.app.remove_circumstances().await.unwrap();
        assert!(!has_address(&world, "anna@example.org").await, "what was kept for the hold alone goes with it");
        world.app.purge_unconfirmed().await.unwrap();
        assert!(!known("anna@example.org").await, "its term is over since long");
        world.finish().await;
    }
}

/// Whether the network address of the signup is still kept.
async fn has_address(world: &World, email: &str) -> bool {
    let story = world.story(email).await;
    let mut all = story.iter().filter_map(|event| event.fact.circumstances());
    all.any(|circumstances| circumstances.ip.is_some())
}
