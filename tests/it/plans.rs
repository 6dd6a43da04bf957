//! PostgreSQL's plans: those that are kept are made once, and leave no choice that the contents of a table could turn bad.

mod lists;

use countersign::store::set::ROWS_AT_MOST;
use countersign::store::{Conn, Engine, contacts, recipients, requests, summaries, webhooks};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Row};

use crate::harness::World;

/// Parts of the statements by which a batch of signups is read, written, and changes an older request.
const READING: &str = "installation_arrival";
const WRITING: &str = "insert into request";
const CHANGING: &str = "update request";

/// Asks the server process that wrote last, which keeps the plans of its statements.
async fn ask(world: &World, question: &str) -> Vec<PgRow> {
    let mut conn = world.app.store.write().await.unwrap();
    let Conn::PostgresWrite(tx) = &mut conn else {
        panic!("PostgreSQL");
    };
    let question = sqlx::raw_sql(AssertSqlSafe(question.to_owned()));
    let answer = question.fetch_all(&mut **tx).await.unwrap();
    // Whoever commits leaves the connection as the one that wrote last.
    conn.commit().await.unwrap();
    answer
}

/// How often statements with this part were run by a plan that is kept, and by one of their own.
async fn runs(world: &World, part: &str) -> (i64, i64) {
    let question = format!(
        "select cast(sum(generic_plans) as bigint), cast(sum(custom_plans) as bigint) from pg_prepared_statements \
         where statement like '%{part}%'"
    );
    let rows = ask(world, &question).await;
    (rows[0].get(0), rows[0].get(1))
}

/// The plans of the statements that were run by a plan that is kept, as they would be made at this moment. One without arguments
/// never has another.
async fn kept_plans(world: &World) -> Vec<String> {
    let question = "select name, cardinality(parameter_types) from pg_prepared_statements where generic_plans > 0 and cardinality(parameter_types) > 0 order by name";
    let mut plans = Vec::new();
    for row in ask(world, question).await {
        let (name, arguments): (String, i32) = (row.get(0), row.get(1));
        let nothing = vec!["null"; usize::try_from(arguments).unwrap()].join(", ");
        let question = format!(
            "set local plan_cache_mode = force_generic_plan; explain (costs off) execute {name}({nothing})"
        );
        let lines = ask(world, &question).await;
        let lines: Vec<String> = lines.iter().map(|line| line.get(0)).collect();
        plans.push(lines.join("\n"));
    }
    plans
}

/// Whether rows are found by an index and all columns of a key.
fn goes_by_whole_keys(plan: &str) -> bool {
    let other_ways = ["Seq Scan", "Bitmap", "Hash", "Merge", "Sort", "Materialize"];
    let by_index = plan.matches("Index Scan").count() + plan.matches("Index Only Scan").count();
    let keys: Vec<&str> = plan
        .lines()
        .filter(|line| line.contains("Index Cond:"))
        .collect();
    !other_ways.iter().any(|way| plan.contains(way))
        && keys.len() == by_index
        && keys
            .iter()
            .all(|key| !key.contains("brand_id") || key.contains(" AND "))
}

/// The same, and by nothing else: rows of the batch may be left out, but none that was read.
fn finds_rows_by_whole_keys(plan: &str) -> bool {
    goes_by_whole_keys(plan)
        && plan
            .lines()
            .all(|line| !line.contains("Filter:") || line.contains("unnest"))
}

#[tokio::test]
async fn on_postgres_signups_are_read_and_written_by_plans_that_are_kept() {
    if crate::harness::postgres::is_left_out() {
        return;
    }
    let world = World::on(Engine::Postgres).await;
    for number in 0..4 {
        let email = format!("p{number}@example.org");
        world.signed_up(&email, "192.0.2.1").await;
    }
    assert_eq!(runs(&world, READING).await, (4, 0));
    assert_eq!(runs(&world, WRITING).await, (4, 0));
    world.deliver().await;
    // This one takes the place of a request of an earlier batch: how that is best found depends on what the table holds.
    world.advance(3_600);
    world.signed_up("p0@example.org", "192.0.2.1").await;
    assert_eq!(runs(&world, READING).await, (5, 0));
    assert_eq!(runs(&world, CHANGING).await, (0, 1));
    world.deliver().await;
    world.finish().await;
}

#[tokio::test]
async fn on_postgres_every_kept_plan_finds_rows_by_whole_keys_whatever_the_tables_hold() {
    if crate::harness::postgres::is_left_out() {
        return;
    }
    let world = World::on(Engine::Postgres).await;
    world.signed_up("anna@example.org", "192.0.2.1").await;
    let empty = "delete from contact; delete from request; delete from mailbox; delete from rate; delete from outbox";
    for change in ["", "analyze", empty, "analyze", "vacuum"] {
        world.sql(change).await.unwrap();
        let plans = kept_plans(&world).await;
        assert_eq!(plans.len(), 2, "one reads and one writes");
        for plan in plans {
            assert!(finds_rows_by_whole_keys(&plan), "after {change}:\n{plan}");
        }
    }
    world.end().await;
}

#[tokio::test]
async fn on_sqlite_rows_are_found_by_their_keys_however_large_a_batch_is() {
    let world = World::on(Engine::Sqlite).await;
    let mut conn = world.app.store.read().await.unwrap();
    let Conn::SqliteRead(read) = &mut conn else {
        panic!("SQLite")
    };
    for count in [1, 64, 512, ROWS_AT_MOST] {
        let rows = vec!["(?)"; count].join(", ");
        let sql = summaries::LIST_UNDER_WAY;
        let question = format!("explain query plan with r (request_id) as (values {rows}) {sql}");
        let lines = sqlx::query(AssertSqlSafe(question))
            .fetch_all(&mut **read)
            .await
            .unwrap();
        let plan: Vec<String> = lines.iter().map(|line| line.get("detail")).collect();
        let found = "SEARCH s USING PRIMARY KEY (request_id=?)";
        assert!(plan.iter().any(|line| line == found), "{count}: {plan:?}");
    }
    drop(conn);
    world.end().await;
}

#[tokio::test]
async fn on_both_engines_the_beginning_of_an_id_is_found_by_the_primary_key_alone() {
    let uuid = "01932f00-0000-7000-8000-000000000000";
    let world = World::on(Engine::Sqlite).await;
    let question = format!("explain query plan {}", contacts::LIST_BY_ID_RANGE);
    let mut conn = world.app.store.read().await.unwrap();
    let Conn::SqliteRead(read) = &mut conn else {
        panic!("SQLite")
    };
    let rows = sqlx::query(AssertSqlSafe(question))
        .fetch_all(&mut **read)
        .await
        .unwrap();
    let plan: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
    assert_eq!(
        plan,
        ["SEARCH contact USING PRIMARY KEY (brand_id=? AND id>? AND id<?)"]
    );
    drop(conn);
    world.end().await;
    if crate::harness::postgres::is_left_out() {
        return;
    }
    let world = World::on(Engine::Postgres).await;
    let mut question = format!("explain (costs off) {}", contacts::LIST_BY_ID_RANGE);
    for (place, value) in [("$1", uuid), ("$2", uuid), ("$3", uuid), ("$4", uuid)] {
        question = question.replace(place, &format!("'{value}'::uuid"));
    }
    let lines = ask(&world, &question.replace("$5", "50")).await;
    let plan: Vec<String> = lines.iter().map(|line| line.get(0)).collect();
    let plan = plan.join("\n");
    assert!(
        finds_rows_by_whole_keys(&plan) && plan.contains("using contact_pkey"),
        "{plan}"
    );
    world.end().await;
}

/// Tables that were counted when nothing in them was open, suppressed or waiting, and where all is by now.
const COUNTED_BEFORE: &str = "\
    alter table request set (autovacuum_enabled = off); \
    alter table mailbox set (autovacuum_enabled = off); \
    alter table webhook_message set (autovacuum_enabled = off); \
    alter table webhook_message drop constraint webhook_message_webhook_id_fkey; \
    update request set state = 'confirmed'; \
    create temporary table one as select * from request limit 1; \
    insert into request select (jsonb_populate_record(one, jsonb_build_object('id', gen_random_uuid()))).* \
    from one cross join generate_series(1, 2000); \
    create temporary table person as select * from contact limit 1; \
    insert into contact select (jsonb_populate_record(person, jsonb_build_object('id', gen_random_uuid(), 'address_key', n::text))).* \
    from person cross join generate_series(1, 2000) as n; \
    insert into mailbox (brand_id, hash, recent, recent_until) \
    select one.brand_id, decode(md5(n::text), 'hex'), '[]', 0 from one cross join generate_series(1, 2000) as n; \
    insert into webhook_message (webhook_id, position, brand_id, contact_id, type, state, due_at, tries) \
    select one.id, n, one.brand_id, one.contact_id, 'contact.confirmed', 'delivered', 0, 0 from one cross join generate_series(1, 2000) as n; \
    analyze request; analyze contact; analyze mailbox; analyze webhook_message; \
    update request set state = 'open'; \
    update mailbox set suppressed_at = 1, suppressed_for = 'declined'; \
    update webhook_message set state = 'waiting'";

#[tokio::test]
async fn on_postgres_rows_of_a_batch_are_found_by_whole_keys_also_where_a_table_was_counted_long_ago()
 {
    if crate::harness::postgres::is_left_out() {
        return;
    }
    let world = World::on(Engine::Postgres).await;
    world.signed_up("anna@example.org", "192.0.2.1").await;
    ask(&world, COUNTED_BEFORE).await;
    let of_a_key = "(brand_id, id) as (select * from unnest(IDS, IDS))";
    let ended = "(brand_id, id, ended_at) as (select * from unnest(IDS, IDS, NUMBERS))";
    let told = "(webhook_id, position, state, due_at, tries, first_try_at, last_try_at, status, reply) as \
         (select * from unnest(IDS, NUMBERS, TEXTS, NUMBERS, NUMBERS, NUMBERS, NUMBERS, NUMBERS, TEXTS))";
    let by_state = [
        "request_look",
        "mailbox_suppressed",
        "webhook_message_waiting",
    ];
    for (rows, sql) in [
        (of_a_key, recipients::LIST_POSTGRES),
        (of_a_key, recipients::LIST_CONTACTS_POSTGRES),
        (ended, requests::END_UNSENT),
        (told, webhooks::PUT_MESSAGES),
    ] {
        let four = "array_fill(VALUE, array[4])";
        let rows = rows
            .replace(
                "IDS",
                &four.replace("VALUE", "'01932f00-0000-7000-8000-000000000000'::uuid"),
            )
            .replace("NUMBERS", &four.replace("VALUE", "1::bigint"))
            .replace("TEXTS", &four.replace("VALUE", "'failed'::text"));
        let question = format!("explain (costs off) with r {rows} {sql}");
        let lines = ask(&world, &question).await;
        let plan: Vec<String> = lines.iter().map(|line| line.get(0)).collect();
        let plan = plan.join("\n");
        let by_keys = goes_by_whole_keys(&plan);
        let by_state = by_state.iter().any(|index| plan.contains(index));
        assert!(by_keys && !by_state, "{plan}");
    }
    world.end().await;
}
