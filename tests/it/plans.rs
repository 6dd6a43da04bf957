//! PostgreSQL's plans: those that are kept are made once, and leave no choice that the contents of a table could turn bad.

use countersign::store::{Conn, Engine};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Row};

use crate::harness::World;

/// Parts of the statements by which signups are read and written.
const READING: &str = "installation_arrival";
const WRITING: &str = "insert into contact";

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

/// How often the statement with this part was run by the plan that is kept, and by one of its own.
async fn runs(world: &World, part: &str) -> (i64, i64) {
    let question = format!(
        "select generic_plans, custom_plans from pg_prepared_statements where statement like '%{part}%'"
    );
    let rows = ask(world, &question).await;
    assert_eq!(rows.len(), 1, "{part}");
    (rows[0].get(0), rows[0].get(1))
}

/// The plan that is kept of the statement with this part, as it would be made at this moment.
async fn kept_plan(world: &World, part: &str) -> String {
    let question = format!(
        "select name, cardinality(parameter_types) from pg_prepared_statements where statement like '%{part}%'"
    );
    let rows = ask(world, &question).await;
    let (name, arguments): (String, i32) = (rows[0].get(0), rows[0].get(1));
    let nothing = vec!["null"; usize::try_from(arguments).unwrap()].join(", ");
    let question = format!(
        "set local plan_cache_mode = force_generic_plan; explain (costs off) execute {name}({nothing})"
    );
    let lines = ask(world, &question).await;
    let lines: Vec<String> = lines.iter().map(|line| line.get(0)).collect();
    lines.join("\n")
}

#[tokio::test]
async fn on_postgres_signups_are_read_and_written_by_plans_that_were_made_once() {
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
    // This one ends a request of an earlier batch: how rows are best found to be changed depends on what a table holds.
    world.deliver().await;
    world.advance(3_600);
    world.signed_up("p0@example.org", "192.0.2.1").await;
    assert_eq!(runs(&world, READING).await, (5, 0));
    assert_eq!(runs(&world, "update request").await, (0, 1));
    world.deliver().await;
    world.finish().await;
}

#[tokio::test]
async fn on_postgres_the_kept_plan_finds_each_row_by_a_whole_key_whatever_the_tables_hold() {
    if crate::harness::postgres::is_left_out() {
        return;
    }
    let world = World::on(Engine::Postgres).await;
    world.signed_up("anna@example.org", "192.0.2.1").await;
    let never_analyzed = kept_plan(&world, READING).await;
    assert_eq!(never_analyzed.matches("Index Cond:").count(), 7);
    for way in ["Seq Scan", "Filter", "Bitmap", "Hash", "Merge"] {
        assert!(!never_analyzed.contains(way), "{never_analyzed}");
    }
    for change in [
        "analyze",
        "delete from contact; delete from request; delete from mailbox; delete from rate; analyze",
    ] {
        world.sql(change).await.unwrap();
        assert_eq!(kept_plan(&world, READING).await, never_analyzed, "{change}");
    }
    world.end().await;
}
