//! What is left on the disk, in the tables and in what the server writes of itself.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use countersign::store::{Conn, Location};
use memchr::memmem;
use sqlx::AssertSqlSafe;

use super::{BY_OPERATOR, acme, confirmed, forget};
use crate::harness::World;
use crate::on_both_engines;

/// Nobody else in these tests has anything of it.
const TYPED: &str = "Quenelle.Zwiebel+Tag@Zwiebel-Haus.example";
const NAME: &str = "Quenelle Zwiebel";
const IP: &str = "203.0.113.77";

/// Everything by which somebody could find the person: the address in its forms, its parts, the name, the client, and
/// each of them as hexadecimal digits and in base64 at any offset, as mails have it.
pub fn traces() -> Vec<String> {
    let parts = [
        TYPED,
        "quenelle.zwiebel+tag@zwiebel-haus.example",
        "Quenelle.Zwiebel+Tag@zwiebel-haus.example",
        "quenelle",
        "Quenelle",
        "zwiebel-haus",
        "Zwiebel-Haus",
        NAME,
        IP,
    ];
    let mut all = Vec::new();
    for part in parts {
        let bytes = part.as_bytes();
        all.push(part.to_owned());
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        all.push(hex.to_uppercase());
        all.push(hex);
        for offset in 0..3 {
            let text = STANDARD.encode([&vec![0; offset], bytes].concat());
            // Without the digits that what stands around it has a part in.
            let from = if offset == 0 { 0 } else { offset + 1 };
            let to = text.trim_end_matches('=').len() - 2;
            if to - from >= 8 {
                all.push(text[from..to].to_owned());
            }
        }
    }
    all
}

pub fn found_in(bytes: &[u8]) -> Vec<String> {
    let mut traces = traces();
    traces.retain(|trace| memmem::find(bytes, trace.as_bytes()).is_some());
    traces
}

/// Every column of every row of every table, as text.
pub async fn dump(world: &World) -> String {
    let mut conn = world.app.store.read().await.unwrap();
    let mut all = String::new();
    match &mut conn {
        Conn::SqliteRead(conn) => {
            let tables = "select name from sqlite_master where type = 'table'";
            let tables: Vec<String> = sqlx::query_scalar(tables)
                .fetch_all(&mut **conn)
                .await
                .unwrap();
            for table in tables {
                let columns: Vec<String> = sqlx::query_scalar(
                    "select 'quote(\"' || name || '\")' from pragma_table_info($1)",
                )
                .bind(&table)
                .fetch_all(&mut **conn)
                .await
                .unwrap();
                let sql = format!("select {} from \"{table}\"", columns.join(" || '|' || "));
                let rows: Vec<String> = sqlx::query_scalar(AssertSqlSafe(sql))
                    .fetch_all(&mut **conn)
                    .await
                    .unwrap();
                all.push_str(&format!("{table}\n{}\n", rows.join("\n")));
            }
        }
        Conn::PostgresRead(conn) => {
            let tables = "select table_name::text from information_schema.tables where table_schema = 'public'";
            let tables: Vec<String> = sqlx::query_scalar(tables)
                .fetch_all(&mut **conn)
                .await
                .unwrap();
            for table in tables {
                let sql = format!("select t::text from \"{table}\" t");
                let rows: Vec<String> = sqlx::query_scalar(AssertSqlSafe(sql))
                    .fetch_all(&mut **conn)
                    .await
                    .unwrap();
                all.push_str(&format!("{table}\n{}\n", rows.join("\n")));
            }
        }
        _ => unreachable!(),
    }
    all
}

/// How many rows of the contact's events still hold anything.
async fn mails_kept(world: &World) -> i64 {
    let sql = "select count(*) from event where mail is not null";
    match world.app.store.read().await.unwrap() {
        Conn::SqliteRead(mut conn) => sqlx::query_scalar(sql).fetch_one(&mut *conn).await.unwrap(),
        Conn::PostgresRead(mut conn) => {
            sqlx::query_scalar(sql).fetch_one(&mut *conn).await.unwrap()
        }
        _ => unreachable!(),
    }
}

/// The whole life of a contact, with a mail that waits and one that failed for good behind it.
async fn a_whole_life(world: &World) {
    let mut client = world.client(IP);
    let reply = client
        .post("/f/news", &[("email", TYPED), ("name", NAME)])
        .await;
    assert_eq!(reply.status, 303, "{}", reply.text());
    world.deliver().await;
    world.advance(86_400);
    confirmed(world, TYPED, IP).await;
    world.advance(86_400);
    client
        .post("/f/news", &[("email", TYPED), ("name", NAME)])
        .await;
}

on_both_engines! {
    async fn after_an_erasure_no_table_holds_anything_of_the_person(engine: Engine) {
        let world = World::on(engine).await;
        world.signed_up("bert@example.org", "192.0.2.2").await;
        a_whole_life(&world).await;
        assert!(found_in(dump(&world).await.as_bytes()).len() > 8, "the search finds what is there");
        assert_eq!(mails_kept(&world).await, 3);
        let erased = forget(&world, TYPED).await.unwrap();
        assert_eq!((erased.mails, erased.requests), (1, 3));
        assert_eq!(mails_kept(&world).await, 1, "that of somebody else");
        // What limits a client's network goes by itself within the hour.
        world.advance(2 * 3_600);
        world.app.tidy().await.unwrap();
        let all = dump(&world).await;
        assert_eq!(found_in(all.as_bytes()), Vec::<String>::new());
        assert!(all.contains("bert@example.org"));
        world.finish().await;
    }

    async fn a_mail_that_failed_for_good_goes_with_the_servers_reply(engine: Engine) {
        let world = World::mailing_to(engine, 1).await;
        let mut client = world.client(IP);
        client.post("/f/news", &[("email", TYPED), ("name", NAME)]).await;
        world.deliver().await;
        for _ in 0..20 {
            world.advance(6 * 3_600);
            world.deliver().await;
        }
        let mut conn = world.app.store.read().await.unwrap();
        let failed = countersign::store::outbox::list_failed(&mut conn, 10).await.unwrap();
        drop(conn);
        assert_eq!(failed.len(), 1);
        assert_eq!(forget(&world, TYPED).await.unwrap().mails, 1);
        world.app.tidy().await.unwrap();
        assert_eq!(found_in(dump(&world).await.as_bytes()), Vec::<String>::new());
        world.finish().await;
    }
}

fn files(world: &World) -> Vec<(String, Vec<u8>)> {
    let Location::Sqlite(path) = &world.app.config.database else {
        unreachable!()
    };
    ["", "-wal", "-shm"]
        .iter()
        .map(|end| format!("{}{end}", path.display()))
        .map(|name| (name.clone(), std::fs::read(&name).unwrap_or_default()))
        .collect()
}

fn one_of_the_crowd(number: usize) -> String {
    format!("p{:05x}-person@example.org", number * 7_919 % 65_537)
}

/// Signs up so many others that pages split, move and are freed around the one.
async fn a_crowd(world: &World, from: usize, to: usize) {
    let form = world.app.catalog().form("news").unwrap().clone();
    let calls = (from..to).map(|number| {
        let (app, form) = (world.app.clone(), form.clone());
        let given = countersign::app::sign_up::Submission {
            email: one_of_the_crowd(number),
            ..Default::default()
        };
        async move { app.sign_up(&form, given).await.is_ok() }
    });
    let done = futures_util::future::join_all(calls).await;
    assert!(done.into_iter().all(|done| done));
    world.deliver().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_an_erasure_no_byte_of_the_sqlite_files_tells_of_the_person() {
    let more = "[budget]\nper_network_an_hour = 0\n";
    let world = World::with(countersign::store::Engine::Sqlite, more).await;
    a_crowd(&world, 0, 400).await;
    a_whole_life(&world).await;
    a_crowd(&world, 400, 900).await;
    let found: usize = files(&world)
        .iter()
        .map(|file| found_in(&file.1).len())
        .sum();
    assert!(found > 8, "the search finds what is there");
    forget(&world, TYPED).await.unwrap();
    let erased: Vec<String> = (0..900).step_by(50).map(one_of_the_crowd).collect();
    for email in &erased {
        world
            .app
            .erase(&acme(&world), email, BY_OPERATOR)
            .await
            .unwrap();
    }
    assert!(world.app.store.scrub().await.unwrap());
    for (name, bytes) in files(&world) {
        assert_eq!(found_in(&bytes), Vec::<String>::new(), "{name}");
        let left: Vec<_> = erased
            .iter()
            .filter(|email| memmem::find(&bytes, email.as_bytes()).is_some())
            .collect();
        assert!(left.is_empty(), "{name} has {left:?}");
    }
    world.finish().await;
}

/// The files of all tables (`r`), their large values (`t`) and indexes (`i`), as the server reads them, that tell of the
/// person.
async fn files_of_postgres_that_tell(world: &World) -> Vec<String> {
    let mut conn = world.app.store.read().await.unwrap();
    let Conn::PostgresRead(conn) = &mut conn else {
        unreachable!()
    };
    sqlx::query("checkpoint")
        .execute(&mut **conn)
        .await
        .unwrap();
    let files = "select relkind::text || ' ' || relname, pg_read_binary_file(pg_relation_filepath(oid)) from pg_class \
         where relkind in ('r', 'i', 't') and relnamespace in ('public'::regnamespace, 'pg_toast'::regnamespace)";
    let files: Vec<(String, Vec<u8>)> = sqlx::query_as(files).fetch_all(&mut **conn).await.unwrap();
    let told = files
        .into_iter()
        .filter(|file| !found_in(&file.1).is_empty());
    told.map(|file| file.0).collect()
}

/// The columns whose values the planner keeps samples of that tell of the person.
async fn samples_of_postgres_that_tell(world: &World) -> Vec<String> {
    let mut conn = world.app.store.read().await.unwrap();
    let Conn::PostgresRead(conn) = &mut conn else {
        unreachable!()
    };
    let samples = "select tablename || '.' || attname, s::text from pg_stats s where schemaname = 'public' order by 1";
    let samples: Vec<(String, String)> = sqlx::query_as(samples)
        .fetch_all(&mut **conn)
        .await
        .unwrap();
    let told = samples
        .into_iter()
        .filter(|sample| !found_in(sample.1.as_bytes()).is_empty());
    told.map(|sample| sample.0).collect()
}

/// In a table that has other rows and in tables that have none any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_an_erasure_postgresqls_samples_of_values_tell_nothing_of_the_person() {
    if crate::harness::postgres::is_left_out() {
        return;
    }
    let world = World::on(countersign::store::Engine::Postgres).await;
    world.signed_up("bert@example.org", "192.0.2.2").await;
    world.deliver().await;
    a_whole_life(&world).await;
    world.deliver().await;
    for sql in [
        "insert into outbox (due_at, id, brand_id, contact_id, request_id, template, recipient_domain, state, tries, ambiguous, last_reply) \
         select i, gen_random_uuid(), brand_id, id, gen_random_uuid(), 'x', 'zwiebel-haus.example', 'failed', 1, 0, i || ' no quenelle here' \
         from contact, generate_series(1, 3) i where name = 'Quenelle Zwiebel'",
        "insert into legal_hold select brand_id, id, 'Zwiebel-Haus against us ' || created_at, 'olga', 0, 1 from contact",
    ] {
        world.sql(sql).await.unwrap();
    }
    let mut conn = world.app.store.read().await.unwrap();
    if let Conn::PostgresRead(conn) = &mut conn {
        sqlx::raw_sql("set default_statistics_target = 1000; analyze")
            .execute(&mut **conn)
            .await
            .unwrap();
    }
    drop(conn);
    let told = samples_of_postgres_that_tell(&world).await;
    for column in [
        "contact.address",
        "event.circumstances",
        "legal_hold.reason",
        "outbox.last_reply",
    ] {
        assert!(told.contains(&column.to_owned()), "{column}: {told:?}");
    }
    world.sql("delete from legal_hold where contact_id <> (select id from contact where name is not null)").await.unwrap();
    forget(&world, TYPED).await.unwrap();
    let left = samples_of_postgres_that_tell(&world).await;
    assert_eq!(left, [""; 0]);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_an_erasure_no_index_of_postgresql_tells_of_the_person_and_no_table_once_it_is_rewritten()
 {
    if crate::harness::postgres::is_left_out() {
        return;
    }
    let more = "[budget]\nper_network_an_hour = 0\n";
    let world = World::with(countersign::store::Engine::Postgres, more).await;
    a_crowd(&world, 0, 200).await;
    a_whole_life(&world).await;
    // A receiver of webhooks that repeats what it was told of the person.
    let hook = "00000000-0000-7000-8000-000000000001";
    world
        .sql(&format!(
            "insert into webhook (id, url, types, about, state, position, key_id, generation, failures, next_try_at, created_at) \
             values ('{hook}', 'https://crm.example/', '', '', 'active', 0, 1, 1, 0, 0, 0)"
        ))
        .await
        .unwrap();
    world
        .sql(&format!(
            "insert into webhook_message (webhook_id, position, brand_id, contact_id, type, state, due_at, tries, status, reply) \
             select '{hook}', 1, brand_id, id, 'x', 'delivered', 0, 1, 200, 'hello {TYPED}' from contact \
             where lower(address) = lower('{TYPED}')"
        ))
        .await
        .unwrap();
    a_crowd(&world, 200, 400).await;
    let told = files_of_postgres_that_tell(&world).await;
    assert!(told.contains(&"r webhook_message".to_owned()), "{told:?}");
    assert!(told.contains(&"i contact_address".to_owned()), "{told:?}");
    forget(&world, TYPED).await.unwrap();
    let told = files_of_postgres_that_tell(&world).await;
    assert!(told.iter().all(|file| file.starts_with("r ")), "{told:?}");
    // What docs/erasure.md tells whoever needs it, word for word.
    let docs = include_str!("../../../docs/erasure.md");
    let at = docs.find("vacuum (full) ").unwrap();
    let rewrite = docs[at..].split(';').next().unwrap();
    let named: Vec<&str> = rewrite["vacuum (full) ".len()..]
        .split(',')
        .map(str::trim)
        .collect();
    assert_eq!(named, countersign::store::scrub::TABLES);
    let mut conn = world.app.store.read().await.unwrap();
    if let Conn::PostgresRead(conn) = &mut conn {
        let rewrite = AssertSqlSafe(rewrite.to_owned());
        sqlx::query(rewrite).execute(&mut **conn).await.unwrap();
    }
    drop(conn);
    assert_eq!(
        files_of_postgres_that_tell(&world).await,
        Vec::<String>::new()
    );
    world.deliver().await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_a_long_read_is_at_it_old_bytes_wait_for_a_later_tidying() {
    let world = World::on(countersign::store::Engine::Sqlite).await;
    a_whole_life(&world).await;
    let mut reader = world.app.store.read().await.unwrap();
    let Conn::SqliteRead(conn) = &mut reader else {
        unreachable!()
    };
    sqlx::query("begin").execute(&mut **conn).await.unwrap();
    let events = "select count(*) from event";
    let before: i64 = sqlx::query_scalar(events)
        .fetch_one(&mut **conn)
        .await
        .unwrap();
    world
        .app
        .erase(&acme(&world), TYPED, BY_OPERATOR)
        .await
        .unwrap();
    assert!(!world.app.store.scrub().await.unwrap());
    // Nobody else had to wait for it.
    world.signed_up("bert@example.org", "192.0.2.1").await;
    let still: i64 = sqlx::query_scalar(events)
        .fetch_one(&mut **conn)
        .await
        .unwrap();
    assert_eq!(still, before);
    sqlx::query("rollback").execute(&mut **conn).await.unwrap();
    drop(reader);
    world.advance(7_200);
    world.app.tidy().await.unwrap();
    for (name, bytes) in files(&world) {
        assert_eq!(found_in(&bytes), Vec::<String>::new(), "{name}");
    }
    world.mail_to("bert@example.org").await;
    world.finish().await;
}
