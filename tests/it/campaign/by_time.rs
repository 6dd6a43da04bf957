//! People who confirmed long ago, or used nothing for long, are asked again; whoever does not answer keeps what they confirmed,
//! unless the operator declared otherwise and told them.

use std::process::Command;
use std::time::Duration;

use countersign::app::prefer::{Chosen, Pause};
use countersign::app::withdraw::{Leave, Leaver, Scope};
use countersign::domain::campaign::{Kind, Plan};
use countersign::domain::circumstances::Circumstances;
use countersign::domain::event::{ErasedBy, Fact, LeaveMethod, LeftBy, Through};
use countersign::domain::permission::Permission;
use countersign::domain::reconfirm::Reconfirm;
use countersign::domain::sentence::sentence;
use countersign::domain::standing::{Basis, RequestState};
use countersign::domain::time::Timestamp;
use serde_json::json;

use super::{begin, plan, say_no, say_yes, slug, told, work};
use crate::api::{key, problem, program, with_key};
use crate::figures::pages::operator;
use crate::harness::{DECLARATIONS, Folder, World};
use crate::import::command::{complaint, data};
use crate::import::storing::findings;
use crate::leaving::bounces::{report, return_path};
use crate::leaving::{brand, confirmed, contact_of};
use crate::on_both_engines;
use countersign::domain::api_key::Scope as KeyScope;
use countersign::domain::operator::Role;
use countersign::store::{Engine, uses};

const DAY: u64 = 86_400;
/// From the start of the tests' time, 2026-11-23, to the same hour in 2029.
const THREE_YEARS: u64 = 1_096 * DAY;
const SENDER: &str = "from_address = \"letters@acme.example\"\n";

/// A world whose brand asks again after these terms.
pub async fn world(engine: Engine, terms: &str) -> World {
    let with = format!("{SENDER}\n[brand.reconfirm]\n{terms}\n");
    let declared = DECLARATIONS.replacen(SENDER, &with, 1);
    World::declared(engine, "", &declared).await
}

fn by_time(world: &World) -> Plan {
    Plan {
        due: brand(world).declared.reconfirm,
        ..plan(Kind::Reconfirmation)
    }
}

async fn stands(world: &World, email: &str) -> (bool, Basis, &'static str) {
    let may = world.permission(email, "newsletter").await;
    (may.allowed, may.basis, may.rule)
}

async fn pause(world: &World, email: &str, days: u64) {
    let chosen = Chosen {
        pause: Some(Pause::ForDays(days)),
        ..Chosen::default()
    };
    let contact = contact_of(world, email).await;
    world
        .app
        .prefer(&brand(world), contact, chosen)
        .await
        .unwrap();
}

async fn why(world: &World, name: &str, email: &str) -> (String, Option<String>) {
    let row = world.app.campaign(&brand(world), name).await.unwrap();
    let all = world.app.campaign_outcomes(&row, None).await.unwrap();
    let one = all.into_iter().find(|one| one.address == email);
    one.map_or(("nowhere".to_owned(), None), |one| (one.state, one.why))
}

/// How a statement is carried out.
async fn explained(world: &World, text: &str) -> String {
    use countersign::store::Location;
    use sqlx::{AssertSqlSafe, Connection, Row};
    let text = text.to_owned();
    match &world.app.config.database {
        Location::Sqlite(path) => {
            let url = format!("sqlite://{}", path.display());
            let mut conn = sqlx::SqliteConnection::connect(&url).await.unwrap();
            let rows = sqlx::query(AssertSqlSafe(format!("explain query plan {text}")))
                .fetch_all(&mut conn)
                .await
                .unwrap();
            rows.iter()
                .map(|row| row.get::<String, _>("detail") + "\n")
                .collect()
        }
        Location::Postgres(url) => {
            let mut conn = sqlx::PgConnection::connect(url).await.unwrap();
            let rows = sqlx::query(AssertSqlSafe(format!("explain {text}")))
                .fetch_all(&mut conn)
                .await
                .unwrap();
            rows.iter()
                .map(|row| row.get::<String, _>(0) + "\n")
                .collect()
        }
    }
}

on_both_engines! {
    async fn a_term_of_years_is_over_on_its_day_and_confirming_again_begins_it_anew(engine: Engine) {
        let world = world(engine, "after_years = 3").await;
        confirmed(&world, "anna@example.org").await;
        let before = world.permission("anna@example.org", "newsletter").await;
        world.advance(THREE_YEARS - DAY);
        begin(&world, "a day early", by_time(&world)).await.unwrap();
        assert_eq!(work(&world).await, 0);
        assert_eq!((told(&world, "a day early").await.state, told(&world, "a day early").await.left_out.len()), ("done".into(), 0));
        world.advance(DAY);
        begin(&world, "due", by_time(&world)).await.unwrap();
        assert_eq!(work(&world).await, 1);
        let mail = world.mail_to("anna@example.org").await.0;
        assert!(mail.text.contains("because you confirmed that you want it"), "{}", mail.text);
        assert!(mail.text.contains("If you do not answer, nothing changes"), "{}", mail.text);
        say_yes(&world, "anna@example.org").await;
        let now: Permission = world.permission("anna@example.org", "newsletter").await;
        assert_eq!((now.allowed, now.since), (true, before.since), "the beginning stays");
        assert!(now.why.contains("the last time at 2029-11-23"), "{}", now.why);
        let story = world.story("anna@example.org").await;
        assert_eq!(story.iter().filter(|event| matches!(event.fact, Fact::Confirmed { .. })).count(), 2, "each is evidence");
        let Some(Fact::Invited(asked)) = story.iter().map(|event| &event.fact).find(|fact| matches!(fact, Fact::Invited(_))) else { panic!() };
        assert_eq!((asked.due, asked.ends_unanswered_at), (Some(Reconfirm { after_years: Some(3), unused_months: None }), None));
        // The purpose that was not asked about is as old as before; the other one is fresh.
        world.advance(40 * DAY);
        begin(&world, "again", by_time(&world)).await.unwrap();
        begin(&world, "events", Plan { purpose: slug("events"), ..by_time(&world) }).await.unwrap();
        assert_eq!(work(&world).await, 1);
        assert_eq!((told(&world, "again").await.asked, told(&world, "events").await.asked), (0, 1));
        assert_eq!(findings(&world).await, Vec::<String>::new());
        world.finish().await;
    }

    async fn who_did_not_answer_is_left_alone_for_twelve_calendar_months_to_the_day(engine: Engine) {
        let world = world(engine, "after_years = 3").await;
        confirmed(&world, "anna@example.org").await;
        world.advance(THREE_YEARS);
        begin(&world, "first", by_time(&world)).await.unwrap();
        assert_eq!(work(&world).await, 1);
        // From 2029-11-23 to the day before it in 2030, and to the day.
        world.advance(364 * DAY);
        begin(&world, "the day before", by_time(&world)).await.unwrap();
        assert_eq!(work(&world).await, 0);
        assert_eq!(told(&world, "the day before").await.left_out["asked_lately"], 1);
        world.advance(DAY);
        begin(&world, "the day", by_time(&world)).await.unwrap();
        assert_eq!(work(&world).await, 1);
        world.finish().await;
    }

    async fn who_says_no_to_it_ends_whatever_else_asks_for_the_same(engine: Engine) {
        let world = world(engine, "after_years = 3").await;
        confirmed(&world, "anna@example.org").await;
        world.advance(THREE_YEARS);
        begin(&world, "again", by_time(&world)).await.unwrap();
        assert_eq!(work(&world).await, 1);
        let mail = world.mail_to("anna@example.org").await;
        // Somebody types the address at the form; that mail, which replaces the campaign's, still waits.
        world.signed_up("anna@example.org", "192.0.2.1").await;
        let mails = world.caught().len();
        let story = world.story("anna@example.org").await;
        let typed = story.iter().rev().find(|event| matches!(event.fact, Fact::SignedUp(_))).unwrap().request.unwrap();
        let state = async || {
            let mut conn = world.app.store.read().await.unwrap();
            let found = countersign::store::requests::find(&mut conn, brand(&world).id, typed).await;
            found.unwrap().unwrap().state().unwrap()
        };
        assert_eq!(state().await, RequestState::Open);
        let mut anna = world.client("198.51.100.78");
        anna.get(&mail.decline()).await;
        world.advance(3);
        anna.post(&mail.decline(), &[]).await;
        assert_eq!(stands(&world, "anna@example.org").await, (false, Basis::None, "D3"));
        assert_eq!(state().await, RequestState::Left);
        assert_eq!(world.deliver().await.len(), mails, "its mail does not leave");
        assert!(world.permission("anna@example.org", "events").await.allowed, "of nothing else she said no");
        assert_eq!(findings(&world).await, Vec::<String>::new());
        world.finish().await;
    }

    async fn without_an_answer_consent_stays_or_ends_as_the_operator_declared_and_the_mail_said(engine: Engine) {
        let world = world(engine, "after_years = 3").await;
        for name in ["silent", "no", "yes", "paused"] {
            confirmed(&world, &format!("{name}@example.org")).await;
        }
        world.advance(THREE_YEARS);
        begin(&world, "stays", by_time(&world)).await.unwrap();
        assert_eq!(work(&world).await, 4);
        world.advance(31 * DAY);
        work(&world).await;
        assert_eq!((told(&world, "stays").await.state, told(&world, "stays").await.unanswered), ("done".into(), 4));
        assert_eq!(stands(&world, "silent@example.org").await, (true, Basis::Explicit, "G3"));
        // Nobody is asked by time again so soon.
        begin(&world, "too soon", by_time(&world)).await.unwrap();
        assert_eq!(work(&world).await, 0);
        assert_eq!(told(&world, "too soon").await.left_out["asked_lately"], 4);

        world.advance(340 * DAY);
        let ends = world.clock.now().plus(Duration::from_secs(60 * DAY));
        let plan = Plan { lapse_unanswered_at: Some(ends), ..by_time(&world) };
        begin(&world, "ends", plan).await.unwrap();
        assert_eq!(work(&world).await, 4);
        let mail = world.mail_to("silent@example.org").await.0;
        assert!(mail.text.contains(&format!("If you do not answer by {}", ends.for_people("en"))), "{}", mail.text);
        assert!(mail.text.contains("Acme Letters stops sending it"), "{}", mail.text);
        say_yes(&world, "yes@example.org").await;
        say_no(&world, "no@example.org").await;
        assert_eq!(stands(&world, "no@example.org").await, (false, Basis::None, "D3"), "no means no, also of what was confirmed");
        assert!(world.permission("no@example.org", "events").await.allowed, "and of nothing else");
        world.advance(50 * DAY);
        pause(&world, "paused@example.org", 30).await;
        work(&world).await;
        assert_eq!(stands(&world, "silent@example.org").await, (true, Basis::Explicit, "G3"), "not before the day");
        world.advance(11 * DAY);
        work(&world).await;
        assert_eq!(stands(&world, "silent@example.org").await, (false, Basis::None, "D7"));
        assert!(world.permission("silent@example.org", "events").await.allowed, "each purpose apart");
        assert_eq!(stands(&world, "yes@example.org").await, (true, Basis::Explicit, "G3"));
        world.advance(25 * DAY);
        assert_eq!(stands(&world, "paused@example.org").await, (true, Basis::Explicit, "G3"), "a pause is an act");
        let story = world.story("silent@example.org").await;
        let last = story.last().unwrap();
        assert!(matches!(&last.fact, Fact::Lapsed { explicit: true, campaign: Some(_), .. }), "{last:?}");
        assert!(sentence(last).contains("by rule D7"), "{}", sentence(last));
        world.app.sequence().await.unwrap();
        let feed = world.app.announcements(0, 500, &Default::default()).await.unwrap();
        let lapsed = feed.announcements.iter().rev().find(|one| one.announcement.kind == "contact.lapsed").unwrap();
        assert_eq!(lapsed.announcement.data.rule, Some("D7"), "others are told by what rule");
        let Some(Fact::Invited(asked)) = story.iter().rev().map(|event| &event.fact).find(|fact| matches!(fact, Fact::Invited(_))) else { panic!() };
        assert_eq!(asked.ends_unanswered_at, Some(ends));
        let now = told(&world, "ends").await;
        assert_eq!((now.confirmed, now.declined, now.unanswered), (1, 1, 2));
        assert_eq!(findings(&world).await, Vec::<String>::new());
        world.finish().await;
    }

    async fn use_that_is_reported_begins_the_term_without_use_anew_for_what_was_used(engine: Engine) {
        let world = world(engine, "unused_months = 24").await;
        for name in ["anna", "ben", "cleo"] {
            confirmed(&world, &format!("{name}@example.org")).await;
        }
        world.advance(400 * DAY);
        let mut shop = program(&world, &[KeyScope::UseWrite]).await;
        let at = |text: &str| json!(text);
        let used = json!({"brand": "acme", "uses": [
            {"address": "anna@example.org", "last_used_at": at("2027-11-20T10:00:00Z")},
            {"address": "ANNA@example.org", "last_used_at": at("2027-01-01T10:00:00Z")},
            {"address": "unknown@example.org", "last_used_at": at("2027-11-20T10:00:00Z")},
            {"contact": contact_of(&world, "ben@example.org").await.to_string(), "last_used_at": at("2026-11-01T10:00:00Z")},
        ]});
        assert_eq!(shop.post_json("/api/v1/contacts/use", &used).await.json(), json!({"read": 4}));
        // An earlier time that is told later changes nothing.
        let earlier = json!({"brand": "acme", "uses": [{"address": "anna@example.org", "last_used_at": "2026-12-01T10:00:00Z"}]});
        assert_eq!(shop.post_json("/api/v1/contacts/use", &earlier).await.status, 200);
        let of_events = json!({"brand": "acme", "purpose": "events", "uses": [{"address": "cleo@example.org", "last_used_at": "2027-11-20T10:00:00Z"}]});
        assert_eq!(shop.post_json("/api/v1/contacts/use", &of_events).await.status, 200);
        assert!(!world.kinds("anna@example.org").await.contains(&"used"), "use is no evidence");
        // 2028-11-23, two years after the confirmations, which are later than what is told of ben.
        world.advance(331 * DAY);
        begin(&world, "newsletter", by_time(&world)).await.unwrap();
        begin(&world, "events", Plan { purpose: slug("events"), ..by_time(&world) }).await.unwrap();
        work(&world).await;
        assert_eq!(why(&world, "newsletter", "anna@example.org").await.0, "nowhere");
        assert_eq!(why(&world, "newsletter", "cleo@example.org").await.0, "asked");
        assert_eq!(why(&world, "events", "cleo@example.org").await.0, "nowhere");
        assert_eq!(told(&world, "newsletter").await.asked, 2);
        // Two years after the last use.
        world.advance(366 * DAY);
        let plan = by_time(&world);
        begin(&world, "later", plan).await.unwrap();
        work(&world).await;
        assert_eq!(why(&world, "later", "anna@example.org").await.0, "asked");
        world.deliver().await;
        world.finish().await;
    }

    async fn a_report_of_use_is_refused_where_it_is_wrong_and_tells_nothing_of_who_is_known(engine: Engine) {
        let world = world(engine, "unused_months = 24").await;
        confirmed(&world, "anna@example.org").await;
        let mut shop = program(&world, &[KeyScope::UseWrite]).await;
        let now = world.clock.now();
        let one = |address: &str, at: Timestamp| json!({"address": address, "last_used_at": at.to_string()});
        let of = |uses: Vec<serde_json::Value>| json!({"brand": "acme", "uses": uses});
        let future = of(vec![one("anna@example.org", now), one("ben@example.org", now.plus(Duration::from_secs(1)))]);
        let refused = shop.post_json("/api/v1/contacts/use", &future).await;
        assert_eq!(problem(&refused).0, 422);
        assert!(refused.text().contains("uses[1].last_used_at"), "{}", refused.text());
        let many = of((0..10_001).map(|at| one(&format!("p{at}@example.org"), now)).collect());
        for wrong in [
            of(vec![]), many, of(vec![one("nobody", now)]), of(vec![json!({"last_used_at": now.to_string()})]),
            of(vec![json!({"contact": "x", "last_used_at": now.to_string()})]),
            json!({"brand": "acme", "purpose": "nothing", "uses": [one("anna@example.org", now)]}),
        ] {
            assert_eq!(problem(&shop.post_json("/api/v1/contacts/use", &wrong).await).0, 422);
        }
        let known = shop.post_json("/api/v1/contacts/use", &of(vec![one("anna@example.org", now)])).await;
        let unknown = shop.post_json("/api/v1/contacts/use", &of(vec![one("zoe@example.org", now)])).await;
        assert_eq!((known.status, known.text()), (unknown.status, unknown.text()));
        let reader = with_key(&world, &key(&world, &[KeyScope::ContactsRead], None).await).post_json("/api/v1/contacts/use", &of(vec![one("anna@example.org", now)])).await;
        assert_eq!(problem(&reader).0, 403);
        // It is the person's data: a copy holds it, and it goes with the rest.
        let contact = contact_of(&world, "anna@example.org").await;
        let copy = world.app.data_of(&brand(&world), contact).await.unwrap().unwrap();
        assert_eq!(copy["last_used"], json!([{"purpose": "", "at": now}]));
        let wish = countersign::app::erase::Wish { by: ErasedBy::Person, through: Through::PreferencesPage };
        world.app.erase(&brand(&world), "anna@example.org", wish).await.unwrap();
        let mut conn = world.app.store.read().await.unwrap();
        assert_eq!(uses::list(&mut conn, brand(&world).id, &[contact]).await.unwrap(), []);
        drop(conn);
        world.finish().await;
    }

    async fn who_left_bounced_is_erased_or_paused_is_not_asked_by_time(engine: Engine) {
        let world = world(engine, "after_years = 3").await;
        for name in ["anna", "left", "bounced", "erased", "short", "long"] {
            confirmed(&world, &format!("{name}@example.org")).await;
        }
        world.advance(THREE_YEARS);
        let brand = brand(&world);
        let leave = Leave {
            who: Leaver::Address("left@example.org".into()), scope: Scope::All, method: LeaveMethod::Api, by: LeftBy::Person,
            reason: None, circumstances: Circumstances::default(),
        };
        world.app.withdraw(&brand, leave).await.unwrap();
        let to = return_path(&world, "bounced@example.org").await;
        let message = report(&to, "failed", "5.1.1", "550 5.1.1 no such user");
        world.app.take_report(message.as_bytes(), Some(&to)).await.unwrap();
        let wish = countersign::app::erase::Wish { by: ErasedBy::Person, through: Through::PreferencesPage };
        world.app.erase(&brand, "erased@example.org", wish).await.unwrap();
        pause(&world, "short@example.org", 30).await;
        pause(&world, "long@example.org", 90).await;
        world.advance(10 * DAY);
        begin(&world, "due", by_time(&world)).await.unwrap();
        assert_eq!(work(&world).await, 1);
        assert_eq!(told(&world, "due").await.left_out["refused"], 1, "the mailbox that bounced");
        assert_eq!(why(&world, "due", "short@example.org").await, ("waiting".into(), Some("paused".into())));
        assert_eq!(why(&world, "due", "left@example.org").await.0, "nowhere");
        // The campaign still runs when the shorter pause is over, and not when the longer one is.
        world.advance(21 * DAY);
        assert_eq!(work(&world).await, 1);
        world.mail_to("short@example.org").await;
        world.advance(32 * DAY);
        work(&world).await;
        assert_eq!(told(&world, "due").await.state, "done");
        assert_eq!(why(&world, "due", "long@example.org").await, ("left_out".into(), Some("paused".into())));
        assert!(world.caught().iter().all(|mail| mail.to != "long@example.org" || mail.subject.starts_with("Please confirm")));
        assert_eq!(findings(&world).await, Vec::<String>::new());
        world.finish().await;
    }

    async fn a_mail_that_was_queued_before_a_pause_leaves_after_it(engine: Engine) {
        let world = world(engine, "after_years = 3").await;
        confirmed(&world, "anna@example.org").await;
        world.advance(THREE_YEARS);
        begin(&world, "due", Plan { answer_within_days: 60, ..by_time(&world) }).await.unwrap();
        world.app.campaigns_due().await.unwrap();
        assert_eq!(world.app.campaigns_due().await.unwrap(), 1);
        pause(&world, "anna@example.org", 30).await;
        let mails = world.caught().len();
        assert_eq!(world.deliver().await.len(), mails);
        world.advance(29 * DAY);
        assert_eq!(world.deliver().await.len(), mails);
        world.advance(DAY);
        assert_eq!(world.deliver().await.len(), mails + 1);
        world.finish().await;
    }

    async fn two_workers_ask_everybody_who_is_due_once_though_enrolment_comes_in_pieces(engine: Engine) {
        let world = world(engine, "after_years = 3").await;
        for at in 0..12 {
            confirmed(&world, &format!("p{at}@example.org")).await;
        }
        world.advance(THREE_YEARS);
        begin(&world, "both", by_time(&world)).await.unwrap();
        let before = world.caught().len();
        for _ in 0..4 {
            let (one, two) = tokio::join!(world.app.campaigns_due(), world.app.campaigns_due());
            one.unwrap();
            two.unwrap();
        }
        world.deliver().await;
        assert_eq!(world.caught().len(), before + 12);
        assert_eq!(told(&world, "both").await.accepted, 12);
        world.finish().await;
    }

    async fn among_very_many_contacts_those_who_confirmed_long_ago_are_found_by_an_index(engine: Engine) {
        let world = world(engine, "after_years = 3").await;
        let insert = match engine {
            Engine::Sqlite => "with recursive n(i) as (select 1 union all select i + 1 from n where i < 60000) \
                insert into contact (brand_id, id, address, address_key, mailbox, language, standings, created_at, explicit_from) \
                select b.id, randomblob(16), i || '@example.org', i || '@example.org', randomblob(16), 'en', '{}', i, case when i % 3 = 0 then i end \
                from n, brand b where b.slug = 'acme'; analyze",
            Engine::Postgres => "insert into contact (brand_id, id, address, address_key, mailbox, language, standings, created_at, explicit_from) \
                select b.id, gen_random_uuid(), i || '@example.org', i || '@example.org', decode(md5(i::text), 'hex'), 'en', '{}', i, \
                case when i % 3 = 0 then i end from generate_series(1, 60000) i, brand b where b.slug = 'acme'; analyze contact",
        };
        world.sql(insert).await.unwrap();
        let id = brand(&world).id.to_string();
        let (brand_id, nobody) = match engine {
            Engine::Sqlite => (format!("x'{}'", id.replace('-', "")), format!("x'{}'", "0".repeat(32))),
            Engine::Postgres => (format!("'{id}'::uuid"), "'00000000-0000-0000-0000-000000000000'::uuid".to_owned()),
        };
        let text = countersign::store::contacts::LIST_EXPLICIT
            .replace("$1", &brand_id).replace("$2", "60000").replace("$3", "0").replace("$4", &nobody).replace("$5", "500");
        let plan = explained(&world, &text).await;
        assert!(plan.contains("contact_explicit"), "{plan}");
        assert!(!plan.contains("TEMP B-TREE") && !plan.contains("Sort") && !plan.contains("Seq Scan"), "{plan}");
        world.end().await;
    }

    async fn the_overview_tells_who_is_due_until_a_campaign_asks_them(engine: Engine) {
        let world = world(engine, "after_years = 3").await;
        confirmed(&world, "anna@example.org").await;
        let mut olga = operator(&world, "olga", Role::Owner, &[]).await;
        world.app.keep_due().await.unwrap();
        assert!(!olga.get("/admin").await.text().contains("due to be asked again"));
        world.advance(THREE_YEARS);
        let mut olga = operator(&world, "olga2", Role::Owner, &[]).await;
        world.app.keep_due().await.unwrap();
        let page = olga.get("/admin").await.text();
        assert!(page.contains("Contacts of acme that are due to be asked again for newsletter: 1."), "{page}");
        begin(&world, "due", by_time(&world)).await.unwrap();
        let page = olga.get("/admin").await.text();
        assert!(!page.contains("asked again for newsletter") && page.contains("asked again for events: 1."), "{page}");
        work(&world).await;
        world.advance(31 * DAY);
        work(&world).await;
        world.app.keep_due().await.unwrap();
        let mut olga = operator(&world, "olga3", Role::Owner, &[]).await;
        assert!(!olga.get("/admin").await.text().contains("asked again for newsletter"), "asked not long ago");
        world.finish().await;
    }

    async fn a_campaign_by_time_is_counted_and_begun_in_the_pages_and_on_the_command_line(engine: Engine) {
        let world = world(engine, "after_years = 3\nunused_months = 24").await;
        confirmed(&world, "anna@example.org").await;
        world.advance(THREE_YEARS);
        let folder = Folder::new();
        std::fs::write(folder.0.join("countersign.toml"), world.settings_text()).unwrap();
        // The program goes by the machine's clock, before the tests' time: nobody is due there.
        let run = |arguments: &str, brand: &str| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
            let words = arguments.split_whitespace();
            command.current_dir(&folder.0).arg("campaign").args(words).args(["--brand", brand]).output().unwrap()
        };
        let start = "start again --kind reconfirmation --purpose newsletter --due --dry-run --json --form";
        assert_eq!(data(&run(&format!("{start} news"), "acme"))["asked"], 0);
        let none = run(&format!("{start} other"), "other");
        assert_eq!(none.status.code(), Some(2));
        assert!(complaint(&none).contains("[brand.reconfirm]"), "{}", complaint(&none));
        let wrong = run("start again --kind invitation --purpose newsletter --due --form news", "acme");
        assert!(complaint(&wrong).contains("only a re-confirmation asks people by time"), "{}", complaint(&wrong));

        let mut olga = operator(&world, "olga", Role::Owner, &[]).await;
        let page = olga.get("/admin/settings/brands/acme").await.text();
        assert!(page.contains("id=\"reconfirm_after_years\" name=\"reconfirm_after_years\" type=\"number\" min=\"1\" max=\"30\" value=\"3\""), "{page}");
        let fields = [
            ("name", "again"), ("kind", "reconfirmation"), ("for", "acme/newsletter"), ("form", "acme/news"), ("due", "on"),
            ("rate", "0"), ("answer_within", "30"), ("stop", "10"), ("complaints", "3"),
        ];
        let draft = olga.post("/admin/new-campaign", &fields).await;
        assert_eq!(draft.status, 303, "{}", draft.text());
        crate::jobs::work(&world.app).await;
        let page = olga.get(&draft.location()).await.text();
        assert!(page.contains("<b>1</b> would be asked by the server"), "{page}");
        assert!(page.contains("3 years after the confirmation or after 24 months without use"), "{page}");
        assert!(page.contains("you confirmed that you want it"), "the mail: {page}");
        olga.post(&format!("{}/start", draft.location()), &[]).await;
        assert_eq!(work(&world).await, 1);
        world.finish().await;
    }
}
