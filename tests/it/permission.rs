//! May this address be mailed: stories of any length, days in the brand's time zone.

use countersign::app::bounce::{Complaint, Failure, Taken, Told};
use countersign::domain::api_key::Scope;
use countersign::domain::fate::Severity;
use countersign::domain::time::Timestamp;
use countersign::store::Engine;
use serde_json::json;

use crate::api::program;
use crate::harness::{DECLARATIONS, World};
use crate::leaving::bounces::{report, return_path};
use crate::leaving::command::{configured, run, said};
use crate::leaving::{brand, confirmed, contact_of, links, slug};
use crate::on_both_engines;

const ANNA: &str = "anna@example.org";
/// More than are in memory together, and than were once read at all.
const MANY: usize = 5_100;

/// As if somebody had posted the form so often: copies of the contact's first event.
pub async fn lengthen(world: &World, email: &str) {
    let id = contact_of(world, email).await.0;
    let id = match world.app.store.engine() {
        Engine::Sqlite => format!("x'{}'", id.simple()),
        Engine::Postgres => format!("'{id}'"),
    };
    let text = format!(
        "with recursive n (i) as (select 1 union all select i + 1 from n where i < {MANY}) \
         insert into event (brand_id, contact_id, kind, at, body, salt, circumstances) \
         select e.brand_id, e.contact_id, e.kind, e.at, e.body, e.salt, e.circumstances from n cross join \
         (select * from event where contact_id = {id} order by position limit 1) e"
    );
    world.sql(&text).await.unwrap();
}

async fn allowed_at(world: &World, email: &str, at: Timestamp) -> (bool, bool) {
    let (brand, purpose) = (brand(world), slug("newsletter"));
    let app = &world.app;
    let one = app
        .permission(&brand, &purpose, email, Some(at))
        .await
        .unwrap();
    let address = countersign::app::permit::parse_address(email).unwrap();
    let all = app
        .permissions(&brand, &purpose, &[&address], Some(at))
        .await
        .unwrap();
    (one.allowed, all[0].allowed)
}

on_both_engines! {
    async fn a_withdrawal_behind_five_thousand_events_counts_for_a_past_moment_and_stands_in_the_timeline(engine: Engine) {
        let world = World::on(engine).await;
        let contact = confirmed(&world, ANNA).await;
        lengthen(&world, ANNA).await;
        world.advance(60);
        let before = world.clock.now();
        world.advance(60);
        let url = links(&world, contact, None).unsubscribe_url;
        world.client("198.51.100.7").post(&url, &[("leave", "yes")]).await;
        let after = world.clock.now();
        world.advance(60);
        assert_eq!(allowed_at(&world, ANNA, before).await, (true, true));
        assert_eq!(allowed_at(&world, ANNA, after).await, (false, false));
        let folder = configured(&world);
        let timeline = run(&folder, &["evidence", ANNA, "--brand", "acme", "--timeline"], b"");
        let timeline = String::from_utf8(timeline.stdout).unwrap();
        assert!(timeline.lines().count() > MANY, "{}", timeline.lines().count());
        assert!(timeline.lines().last().unwrap().contains("Left everything"), "{:?}", timeline.lines().last());
        world.finish().await;
    }

    async fn passing_bounces_become_one_for_good_behind_five_thousand_events_too(engine: Engine) {
        let world = World::with(engine, "[bounce]\nsoft_limit = 2\n").await;
        confirmed(&world, ANNA).await;
        let to = return_path(&world, ANNA).await;
        lengthen(&world, ANNA).await;
        for taken in [Taken::Soft, Taken::Hard] {
            let full = report(&to, "failed", "5.2.2", "552 5.2.2 mailbox full");
            assert_eq!(world.app.take_report(full.as_bytes(), Some(&to)).await.unwrap(), taken);
        }
        assert_eq!(world.permission(ANNA, "newsletter").await.rule, "D6");
        world.finish().await;
    }

    async fn what_a_provider_tells_again_is_known_behind_five_thousand_events_too(engine: Engine) {
        let world = World::on(engine).await;
        let contact = confirmed(&world, ANNA).await;
        let subject = world.app.returned(&return_path(&world, ANNA).await).unwrap();
        lengthen(&world, ANNA).await;
        let failure = || Failure {
            severity: Severity::Soft,
            status: "4.2.2".to_owned(),
            said: "mailbox full".to_owned(),
            reporter: "provider.example".to_owned(),
            report: "event-1".to_owned(),
            mail: Told::Once,
        };
        for taken in [Taken::Soft, Taken::Again] {
            assert_eq!(world.app.take_bounce(&subject, failure()).await.unwrap(), taken);
        }
        // Somebody who has left all complains: once.
        let url = links(&world, contact, None).unsubscribe_url;
        world.client("198.51.100.7").post(&url, &[("leave", "yes")]).await;
        let complaint = || Complaint {
            feedback: "abuse".to_owned(),
            reporter: "provider.example".to_owned(),
            report: String::new(),
        };
        for taken in [Taken::Complaint, Taken::Again] {
            assert_eq!(world.app.take_complaint(&subject, complaint()).await.unwrap(), taken);
        }
        world.finish().await;
    }

    async fn a_bare_date_is_the_start_of_that_day_in_the_brand_s_time_zone(engine: Engine) {
        let zone = "slug = \"acme\"\ntime_zone = \"Europe/Amsterdam\"\n";
        let declared = DECLARATIONS.replacen("slug = \"acme\"\n", zone, 1);
        let world = World::declared(engine, "", &declared).await;
        // 23:30 UTC on the 23rd, half an hour into the 24th in Amsterdam.
        let half_past = Timestamp::parse("2026-11-23T23:30:00Z").unwrap();
        world.clock.advance(half_past.since(world.clock.now()));
        confirmed(&world, ANNA).await;
        let folder = configured(&world);
        let ask = |at: &str| {
            let words = ["permission", ANNA, "--brand", "acme", "--purpose", "newsletter", "--json", "--at", at];
            said(&run(&folder, &words, b""))["allowed"].clone()
        };
        let mut program = program(&world, &[Scope::PermissionsRead]).await;
        for (at, expected) in [("2026-11-24", false), ("2026-11-24T00:00:00Z", true), ("2026-11-25", true)] {
            assert_eq!(ask(at), json!(expected), "{at}");
            let body = json!({"brand": "acme", "purpose": "newsletter", "at": at, "addresses": [ANNA]});
            let reply = program.post_json("/api/v1/permissions", &body).await;
            assert_eq!(reply.json()["items"][0]["allowed"], json!(expected), "{at}");
        }
        world.finish().await;
    }
}
