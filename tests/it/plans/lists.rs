//! Lists that are looked at page by page, in either direction: each page is found by one index, from where it begins, and nothing
//! is sorted or read whole for it.

use countersign::store::{Conn, Engine};
use countersign::store::{budgets, campaigns, contacts, events, holds, outbox, webhooks, wishes};
use sqlx::{AssertSqlSafe, Row};

use super::ask;
use crate::harness::World;

/// The brand, and its first campaign.
const FIRST: &str = "'01932f00-0000-7000-8000-000000000000'::uuid";
/// Somebody in the middle.
const ID: &str = "'01932f00-0000-7000-8000-000000001500'::uuid";
const NUMBER: &str = "50";
const LATER: &str = "5000";
/// When mails are due that failed, and that are held.
const NEVER: &str = "9223372036854775807";
const HELD: &str = "9223372036854775806";
const TEXT: &str = "'anna@example.org'";
const STATE: &str = "'held'";
const HASH: &str = "'\\x00'::bytea";

/// A statement with its arguments for PostgreSQL, and the indexes that it goes by; none is the primary key.
struct List {
    sql: &'static str,
    arguments: &'static [&'static str],
    sqlite: Option<&'static str>,
    postgres: &'static str,
    /// On PostgreSQL rows of one time are put in order among themselves.
    sorts_ties: bool,
}

const fn by(index: &'static str, sql: &'static str, arguments: &'static [&'static str]) -> List {
    List {
        sql,
        arguments,
        sqlite: Some(index),
        postgres: index,
        sorts_ties: false,
    }
}

const fn by_key(
    postgres: &'static str,
    sql: &'static str,
    arguments: &'static [&'static str],
) -> List {
    List {
        sqlite: None,
        ..by(postgres, sql, arguments)
    }
}

const fn with_ties(list: List) -> List {
    List {
        sorts_ties: true,
        ..list
    }
}

const LISTS: [List; 26] = [
    by(
        "contact_address",
        contacts::LIST_BY_ADDRESS,
        &[FIRST, TEXT, NUMBER],
    ),
    by(
        "contact_address",
        contacts::LIST_BY_ADDRESS_DOWN,
        &[FIRST, TEXT, NUMBER],
    ),
    by(
        "contact_address",
        contacts::LIST_BY_PREFIX,
        &[FIRST, TEXT, TEXT, TEXT, NUMBER],
    ),
    by(
        "contact_explicit",
        contacts::LIST_EXPLICIT,
        &[FIRST, NUMBER, NUMBER, ID, NUMBER],
    ),
    by_key(
        "contact_pkey",
        contacts::LIST_OF_BRAND,
        &[FIRST, ID, NUMBER],
    ),
    by_key("contact_pkey", contacts::LIST_NEWEST, &[FIRST, ID, NUMBER]),
    by_key(
        "contact_pkey",
        contacts::LIST_CONSENTING,
        &[FIRST, ID, NUMBER, TEXT, TEXT],
    ),
    by(
        "mailbox_suppressed",
        budgets::LIST_SUPPRESSED,
        &[FIRST, NUMBER, HASH, NUMBER],
    ),
    by(
        "mailbox_suppressed",
        budgets::LIST_SUPPRESSED_DOWN,
        &[FIRST, NUMBER, HASH, NUMBER],
    ),
    by(
        "legal_hold_ends",
        holds::LIST_UNTIL,
        &[FIRST, NUMBER, ID, NUMBER],
    ),
    by(
        "legal_hold_ends",
        holds::LIST_UNTIL_DOWN,
        &[FIRST, NUMBER, ID, NUMBER, NUMBER],
    ),
    by(
        "legal_hold_since",
        holds::LIST_SINCE,
        &[FIRST, NUMBER, ID, NUMBER, NUMBER],
    ),
    by(
        "legal_hold_since",
        holds::LIST_SINCE_DOWN,
        &[FIRST, NUMBER, ID, NUMBER, NUMBER],
    ),
    by(
        "erasure_wish_at",
        wishes::LIST_DUE,
        &[NUMBER, ID, NUMBER, NUMBER],
    ),
    by_key(
        "campaign_recipient_pkey",
        campaigns::LIST_OUTCOMES,
        &[FIRST, FIRST, ID, NUMBER],
    ),
    by_key(
        "campaign_recipient_pkey",
        campaigns::LIST_OUTCOMES_DOWN,
        &[FIRST, FIRST, ID, NUMBER],
    ),
    with_ties(by(
        "campaign_recipient_due",
        campaigns::LIST_OUTCOMES_IN,
        &[FIRST, FIRST, STATE, NUMBER, ID, NUMBER],
    )),
    with_ties(by(
        "campaign_recipient_due",
        campaigns::LIST_OUTCOMES_IN_DOWN,
        &[FIRST, FIRST, STATE, NUMBER, ID, NUMBER],
    )),
    with_ties(by_key(
        "outbox_due",
        outbox::LIST_SHOWN,
        &[NUMBER, LATER, ID, NUMBER],
    )),
    with_ties(by_key(
        "outbox_due",
        outbox::LIST_SHOWN_DOWN,
        &[NUMBER, LATER, ID, NUMBER],
    )),
    by_key("outbox_parked", outbox::LIST_PARKED, &[NEVER, ID, NUMBER]),
    by_key(
        "outbox_parked",
        outbox::LIST_PARKED_DOWN,
        &[HELD, ID, NUMBER],
    ),
    by("event_contact", events::LIST, &[FIRST, ID, NUMBER, NUMBER]),
    by(
        "event_contact",
        events::LIST_BEFORE,
        &[FIRST, ID, NUMBER, NUMBER],
    ),
    by_key(
        "webhook_message_pkey",
        webhooks::LIST_MESSAGES,
        &[FIRST, NUMBER, NUMBER],
    ),
    by_key(
        "webhook_message_pkey",
        webhooks::LIST_MESSAGES_UP,
        &[FIRST, NUMBER, NUMBER],
    ),
];

/// Some thousand people, all of them in each of five campaigns and with a mail that waits: with none the planner finds every index of a table as good.
const PEOPLE: &str = "\
    insert into contact (brand_id, id, address, address_key, mailbox, language, standings, created_at) \
    select '01932f00-0000-7000-8000-000000000000', ('01932f00-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, \
    'reader' || n, 'reader' || n, decode(lpad(n::text, 32, '0'), 'hex'), 'en', '{}', n from generate_series(1, 3000) n; \
    insert into campaign_recipient (brand_id, campaign_id, contact_id, state, due_at, released) \
    select c.brand_id, ('01932f00-0000-7000-8000-' || lpad(k::text, 12, '0'))::uuid, c.id, \
    case when k = 0 then 'held' else 'waiting' end, c.created_at, 0 from contact c, generate_series(0, 4) k; \
    insert into outbox (id, brand_id, contact_id, request_id, template, recipient_domain, state, due_at, tries, ambiguous) \
    select id, brand_id, id, id, 'confirm', 'example.org', 'due', created_at, 0, 0 from contact; \
    analyze contact; analyze campaign_recipient; analyze outbox";

#[tokio::test]
async fn on_sqlite_each_page_of_a_list_is_found_by_an_index_from_where_it_begins() {
    let world = World::on(Engine::Sqlite).await;
    let mut conn = world.app.store.read().await.unwrap();
    let Conn::SqliteRead(read) = &mut conn else {
        panic!("SQLite")
    };
    for list in LISTS {
        let question = AssertSqlSafe(format!("explain query plan {}", list.sql));
        let rows = sqlx::query(question).fetch_all(&mut **read).await.unwrap();
        let plan: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
        let index = match list.sqlite {
            Some(index) => format!("INDEX {index} ("),
            None => "USING PRIMARY KEY (".to_owned(),
        };
        let begins = |line: &String| line.contains(&index) && line.contains(['<', '>']);
        assert!(begins(&plan[0]), "{}\n{plan:#?}", list.sql);
        let is_whole = |line: &String| line.starts_with("SCAN") || line.contains("TEMP B-TREE");
        assert!(!plan.iter().any(is_whole), "{}\n{plan:#?}", list.sql);
    }
    drop(conn);
    world.end().await;
}

#[tokio::test]
async fn on_postgres_each_page_of_a_list_is_found_by_an_index_from_where_it_begins() {
    if crate::harness::postgres::is_left_out() {
        return;
    }
    let world = World::on(Engine::Postgres).await;
    world.sql(PEOPLE).await.unwrap();
    // Tables this small would be read whole: what is looked at is whether there is a better way once they are not.
    let large = ["seqscan", "bitmapscan", "hashjoin", "mergejoin"];
    let large = large
        .map(|way| format!("set local enable_{way} = off; "))
        .concat();
    for list in LISTS {
        let mut question = list.sql.to_owned();
        for (at, value) in list.arguments.iter().enumerate().rev() {
            question = question.replace(&format!("${}", at + 1), value);
        }
        let lines = ask(&world, &format!("{large}explain (costs off) {question}")).await;
        let lines: Vec<String> = lines.iter().map(|line| line.get(0)).collect();
        let plan = lines.join("\n");
        assert!(
            plan.contains(&format!("using {} on", list.postgres)),
            "{plan}"
        );
        let begins = |line: &String| line.contains("Index Cond:") && line.contains(['<', '>']);
        assert!(lines.iter().any(begins), "{plan}");
        assert!(!plan.contains("Seq Scan"), "{plan}");
        let sorted = plan.matches("Sort Key").count();
        let ties = plan.matches("Presorted Key").count();
        assert_eq!(
            (sorted, ties),
            if list.sorts_ties { (1, 1) } else { (0, 0) },
            "{plan}"
        );
    }
    world.end().await;
}
