//! The numbers of campaigns: counted when something is written, by any process, and the same as whoever counts the people finds.

use std::collections::BTreeMap;

use countersign::app::App;
use countersign::app::bounce::Taken;
use countersign::app::campaign::Told;
use countersign::app::erase::Wish;
use countersign::clock::{Clock, Random};
use countersign::domain::api_key::Scope as KeyScope;
use countersign::domain::campaign::Kind;
use countersign::domain::event::{ErasedBy, Through};
use countersign::domain::operator::Role;
use countersign::domain::policy::Source;
use countersign::store::Engine;
use countersign::store::campaigns::CampaignRow;
use serde_json::json;

use super::{begin, plan, say_no, say_yes, told, work};
use crate::api::program;
use crate::harness::{World, settings};
use crate::import::storing::List;
use crate::jobs::signed_in;
use crate::leaving::bounces::{report, return_path};
use crate::leaving::{brand, contact_of, links};
use crate::on_both_engines;

/// Holds the numbers against the people themselves.
pub async fn hold(app: &App, row: &CampaignRow, told: &Told) {
    let mut states: BTreeMap<String, i64> = BTreeMap::new();
    let mut left_out: BTreeMap<String, i64> = BTreeMap::new();
    let mut rest: BTreeMap<String, i64> = BTreeMap::new();
    let mut after = None;
    loop {
        let page = app.campaign_outcomes(row, after).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.contact_id);
        for one in page {
            if one.state == "left_out" {
                let why = one.why.unwrap_or_default();
                *left_out.entry(why).or_default() += 1;
            }
            *states.entry(one.state).or_default() += 1;
            for what in one.mail.into_iter().chain(one.answer) {
                *rest.entry(what).or_default() += 1;
            }
        }
    }
    let state = |name: &str| states.get(name).copied().unwrap_or_default();
    let of = |name: &str| rest.get(name).copied().unwrap_or_default();
    let asked = state("asked") + state("answered") + state("unanswered");
    let name = &told.name;
    assert_eq!(
        (told.waiting, told.held, told.asked, told.cancelled),
        (state("waiting"), state("held"), asked, state("cancelled")),
        "{name}"
    );
    let enrolled = told.waiting + told.held + told.asked + told.cancelled;
    assert_eq!(told.enrolled, enrolled, "{name}");
    assert_eq!(told.left_out, left_out, "{name}");
    assert_eq!(
        (told.accepted, told.failed, told.unanswered),
        (of("accepted"), of("failed"), state("unanswered")),
        "{name}"
    );
    assert_eq!(
        (told.confirmed, told.declined, told.left),
        (of("confirmed"), of("declined"), of("left")),
        "{name}"
    );
}

async fn people(world: &World, names: &[&str]) {
    let each = names
        .iter()
        .map(|name| format!("{name}@example.org,Fair,badge,2026-11-01\n"));
    let text = "email,event,kind,date\n".to_owned() + &each.collect::<String>();
    let list = List {
        name: names[0],
        text: &text,
        source: Some(Source::EventBooth),
    };
    assert_eq!(list.take_in(world).await.new, names.len() as u64);
}

/// Numbers of a campaign in the order of the list's columns.
fn columns(told: &Told) -> [i64; 6] {
    let no = told.declined + told.left;
    [
        told.enrolled,
        told.asked,
        told.accepted,
        told.confirmed,
        no,
        told.failed,
    ]
}

/// A story with everything: one confirms, one declines, one leaves, one's mail comes back, one says nothing, one waits.
async fn story(world: &World) {
    people(world, &["yes", "no", "left", "gone", "silent"]).await;
    begin(world, "spring", plan(Kind::Invitation))
        .await
        .unwrap();
    assert_eq!(work(world).await, 5);
    say_yes(world, "yes@example.org").await;
    say_no(world, "no@example.org").await;
    let contact = contact_of(world, "left@example.org").await;
    let url = links(world, contact, None).unsubscribe_url;
    let mut person = world.client("198.51.100.9");
    assert_eq!(person.post(&url, &[("leave", "yes")]).await.status, 200);
    let to = return_path(world, "gone@example.org").await;
    let message = report(&to, "failed", "5.1.1", "550 no such user");
    let taken = world.app.take_report(message.as_bytes(), Some(&to)).await;
    assert_eq!(taken.unwrap(), Taken::Hard);
}

on_both_engines! {
    async fn the_list_shows_what_became_of_everybody_on_the_page_as_a_file_and_over_the_api(engine: Engine) {
        let world = World::on(engine).await;
        story(&world).await;
        let now = told(&world, "spring").await;
        assert_eq!(columns(&now), [5, 5, 4, 1, 2, 1]);
        assert_eq!((now.declined, now.left, now.unanswered), (1, 1, 0));
        // Another one asks nobody of them: they are asked already, or have answered.
        world.advance(60);
        people(&world, &["late", "later"]).await;
        let slow = countersign::domain::campaign::Plan { an_hour: 1, ..plan(Kind::Invitation) };
        begin(&world, "autumn", slow).await.unwrap();
        work(&world).await;
        let autumn = told(&world, "autumn").await;
        assert_eq!(columns(&autumn), [3, 1, 1, 0, 0, 0], "who has yet to answer, and the second, wait: {autumn:?}");
        let catalog = world.app.catalog();
        world.app.cancel_campaign(catalog.brand_by_slug("acme").unwrap(), "autumn").await.unwrap();
        let cancelled = told(&world, "autumn").await;
        assert_eq!((autumn.waiting, cancelled.waiting, cancelled.cancelled), (2, 0, 2));
        assert_eq!(columns(&cancelled), columns(&autumn), "it keeps its numbers");

        let mut olga = signed_in(&world, "olga", Role::Owner, &[]).await;
        let page = olga.get("/admin/campaigns").await.text();
        let row = page.split("<tr>").find(|row| row.contains(">spring</a>")).unwrap();
        let shown: Vec<&str> = row.split("<td class=\"number\">").skip(1).map(|cell| cell.split('<').next().unwrap()).collect();
        assert_eq!(shown, ["5", "5", "4", "1", "2", "1"], "{row}");
        let sorted = olga.get("/admin/campaigns?sort=asked").await.text();
        assert!(sorted.find(">autumn</a>").unwrap() < sorted.find(">spring</a>").unwrap(), "{sorted}");
        let turned = olga.get("/admin/campaigns?sort=-asked").await.text();
        assert!(turned.find(">spring</a>").unwrap() < turned.find(">autumn</a>").unwrap(), "{turned}");
        let file = olga.get("/admin/campaigns?format=csv").await.text();
        assert!(file.starts_with("Name,State,People,Asked,Accepted,Confirmed,Said no,Failed,Brand,Kind,Purpose,Stopped for,Began,Ended\n"), "{file}");
        assert!(file.contains("\nspring,running,5,5,4,1,2,1,Acme Letters,invitation,newsletter,,"), "{file}");

        let mut crm = program(&world, &[KeyScope::CampaignsRead]).await;
        let list = crm.get("/api/v1/campaigns?brand=acme").await.json();
        let spring = list["items"].as_array().unwrap().iter().find(|one| one["name"] == "spring").unwrap().clone();
        for (name, number) in [
            ("enrolled", 5), ("waiting", 0), ("held", 0), ("asked", 5), ("accepted", 4), ("failed", 1), ("confirmed", 1),
            ("declined", 1), ("left", 1), ("unanswered", 0), ("cancelled", 0),
        ] {
            assert_eq!(spring[name], json!(number), "{name}: {spring}");
        }
        let one = crm.get(&format!("/api/v1/campaigns/{}", spring["id"].as_str().unwrap())).await.json();
        assert_eq!(one, spring);
        world.end().await;
    }

    async fn who_says_nothing_is_counted_at_the_end_and_who_is_erased_no_more(engine: Engine) {
        let world = World::on(engine).await;
        story(&world).await;
        world.advance(31 * 86_400);
        work(&world).await;
        let now = told(&world, "spring").await;
        assert_eq!((now.state.as_str(), now.asked, now.unanswered), ("done", 5, 2), "the silent one, and whose mail came back");
        for (email, left) in [("yes@example.org", [4, 4, 3, 0, 2, 1]), ("gone@example.org", [3, 3, 3, 0, 2, 0]), ("left@example.org", [2, 2, 2, 0, 1, 0])] {
            let wish = Wish { by: ErasedBy::Operator, through: Through::CommandLine };
            world.app.erase(&brand(&world), email, wish).await.unwrap();
            assert_eq!(columns(&told(&world, "spring").await), left, "{email}");
        }
        world.finish().await;
    }

    async fn what_two_processes_count_side_by_side_is_not_lost(engine: Engine) {
        let world = World::on(engine).await;
        let names: Vec<String> = (0..40).map(|number| format!("p{number}")).collect();
        people(&world, &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
        begin(&world, "spring", plan(Kind::Invitation)).await.unwrap();
        assert_eq!(work(&world).await, 40);
        let url = match &world.app.config.database {
            countersign::store::Location::Sqlite(path) => format!("sqlite://{}", path.display()),
            countersign::store::Location::Postgres(url) => url.clone(),
        };
        let config = settings(&world.base, &url, world.app.config.smtp.port, "");
        let other = App::start(config, Clock::fixed(world.clock.now()), Random::seeded(8)).await.unwrap();
        let apps = [&world.app, &other];
        let mut done = Vec::new();
        for (number, name) in names.iter().enumerate() {
            let to = return_path(&world, &format!("{name}@example.org")).await;
            let contact = contact_of(&world, &format!("{name}@example.org")).await;
            let app = apps[number % 2];
            let brand = brand(&world);
            done.push(async move {
                if number % 4 < 2 {
                    let message = report(&to, "failed", "5.1.1", "550 no such user");
                    assert_eq!(app.take_report(message.as_bytes(), Some(&to)).await.unwrap(), Taken::Hard);
                } else {
                    let leave = countersign::app::withdraw::Leave {
                        who: countersign::app::withdraw::Leaver::Contact(contact),
                        scope: countersign::app::withdraw::Scope::All,
                        method: countersign::domain::event::LeaveMethod::LinkButton,
                        by: countersign::domain::event::LeftBy::Person,
                        reason: None,
                        circumstances: Default::default(),
                    };
                    app.withdraw(&brand, leave).await.unwrap();
                }
                // Putting the parts together in between loses nothing either.
                app.campaigns_due().await.unwrap();
            });
        }
        futures_util::future::join_all(done).await;
        let now = told(&world, "spring").await;
        assert_eq!((now.asked, now.accepted, now.failed, now.left), (40, 20, 20, 20));
        if engine == Engine::Postgres {
            let mut conn = world.app.store.read().await.unwrap();
            let countersign::store::Conn::PostgresRead(driver) = &mut conn else { panic!() };
            let parts: (i64,) = sqlx::query_as("select count(*) from campaign_count where part <> 0").fetch_one(&mut **driver).await.unwrap();
            assert_eq!(parts.0, 0, "they are put together");
        }
        other.store.close().await;
        world.finish().await;
    }

    async fn campaigns_of_an_earlier_version_are_counted_when_the_database_is_brought_up(engine: Engine) {
        let world = World::on(engine).await;
        story(&world).await;
        let before = told(&world, "spring").await;
        let migration = match engine {
            Engine::Sqlite => include_str!("../../../migrations/sqlite/0017_count_campaigns.sql"),
            Engine::Postgres => include_str!("../../../migrations/postgres/0017_count_campaigns.sql"),
        };
        world.sql("delete from campaign_count").await.unwrap();
        let statements: Vec<&str> = migration.split("\n\n").filter(|text| {
            let text = text.trim_start();
            text.lines().find(|line| !line.starts_with("--")).is_some_and(|line| line.starts_with("insert into campaign_count"))
        }).collect();
        assert_eq!(statements.len(), 3);
        for statement in statements {
            world.sql(statement).await.unwrap();
        }
        let after = told(&world, "spring").await;
        assert_eq!(columns(&after), columns(&before));
        assert_eq!((after.declined, after.left, after.left_out), (before.declined, before.left, before.left_out));
        world.finish().await;
    }
}
