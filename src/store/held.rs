//! Decisions: read under locks, decide, write.
//!
//! On PostgreSQL all of it is one transaction that begins with the locks. On SQLite the reading goes over a reader's
//! connection while the writer is still busy with others, and the transaction holds the writing only: the locks keep this
//! process from deciding twice about one thing, and a counter of the database tells when another process wrote in between;
//! then the decision is made again, this time inside the transaction.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use sqlx::sqlite::SqliteArguments;
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use super::locks::{Guard, Locks};
use super::set::Writes;
use super::sqlite::WriteTransaction;
use super::{Conn, Store, StoreError};
use crate::domain::ids::{BrandId, ContactId};

/// How often the database was seen to be written by another process, and the counter that told (`pragma data_version`).
#[derive(Debug)]
pub struct Epoch {
    version: AtomicI64,
    number: AtomicI64,
    /// How many decisions to come are made inside the transaction, where they cannot be overtaken: some, after one was.
    inside: AtomicI64,
}

/// Enough for whoever was overtaken to be among them.
const INSIDE: i64 = 32;

impl Epoch {
    pub(super) const fn new(version: i64) -> Self {
        Self {
            version: AtomicI64::new(version),
            number: AtomicI64::new(0),
            inside: AtomicI64::new(0),
        }
    }
}

/// Locks that are held, with a connection to read what is decided about.
pub struct Held {
    conn: Conn,
    store: Store,
    epoch: i64,
    guard: Option<Guard>,
    plans: Plans,
}

/// How PostgreSQL plans the statements of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plans {
    /// Anew each time, as everywhere.
    Fresh,
    /// Once: a third of the server's work on a batch of signups would be planning.
    Kept,
}

impl Store {
    /// Takes the locks, and a connection to read with.
    pub async fn hold(&self, locks: Locks) -> Result<Held, StoreError> {
        self.hold_planned(locks, Plans::Fresh, false).await
    }

    /// The same while the caller has something else to be written, and waits for it before this: never the one writer, which
    /// that may still need.
    pub async fn hold_beside_a_write(&self, locks: Locks) -> Result<Held, StoreError> {
        self.hold_planned(locks, Plans::Fresh, true).await
    }

    /// The same for reading by lateral subqueries that leave the planner one way only, whatever a table holds.
    pub async fn hold_with_kept_plans(&self, locks: Locks) -> Result<Held, StoreError> {
        self.hold_planned(locks, Plans::Kept, false).await
    }

    /// Takes locks that are held beyond one transaction. None on PostgreSQL, whose locks end with their transactions.
    /// Nobody may wait for them who holds others.
    pub async fn hold_for_long(&self, locks: Locks) -> Option<Guard> {
        match self {
            Self::Sqlite { locks: table, .. } => Some(table.take(locks).await),
            Self::Postgres(_) => None,
        }
    }

    async fn hold_planned(
        &self,
        locks: Locks,
        plans: Plans,
        beside: bool,
    ) -> Result<Held, StoreError> {
        let (conn, epoch, guard) = match self {
            Self::Sqlite {
                locks: table,
                epoch,
                ..
            } => {
                let guard = table.take(locks).await;
                // Before the reading: whatever is noticed from here on may have come after it.
                let number = epoch.number.load(Ordering::SeqCst);
                let conn = if !beside && epoch.inside.fetch_sub(1, Ordering::SeqCst) > 0 {
                    self.write().await?
                } else {
                    self.read().await?
                };
                (conn, number, Some(guard))
            }
            Self::Postgres(writers) => {
                let tx = writers.begin(begin_with(&locks.sorted(), plans)).await?;
                (Conn::PostgresWrite(tx), 0, None)
            }
        };
        Ok(Held {
            conn,
            store: self.clone(),
            epoch,
            guard,
            plans,
        })
    }

    /// Takes the locks, and then a transaction to read and write in. For verbs that are rare and change much: on SQLite all
    /// other writers wait meanwhile.
    pub async fn hold_to_write(&self, locks: Locks) -> Result<HeldTransaction, StoreError> {
        Ok(match self {
            Self::Sqlite { locks: table, .. } => {
                let guard = table.take(locks).await;
                HeldTransaction {
                    conn: self.write().await?,
                    guard: Some(guard),
                }
            }
            Self::Postgres(writers) => {
                let begin = begin_with(&locks.sorted(), Plans::Fresh);
                let tx = writers.begin(begin).await?;
                HeldTransaction {
                    conn: Conn::PostgresWrite(tx),
                    guard: None,
                }
            }
        })
    }

    /// The same of what is recorded of contacts without their locks. PostgreSQL gives the contacts' rows first: an erasure takes
    /// them before anything else too, and so nobody waits in a circle.
    pub async fn write_of_contacts(
        &self,
        contacts: &[(BrandId, ContactId)],
        writes: Writes,
    ) -> Result<(), StoreError> {
        match self {
            Self::Postgres(writers) if !(writes.is_empty() || contacts.is_empty()) => {
                let mut tx = writers
                    .begin(format!("begin; {}", keeping(contacts)))
                    .await?;
                run_postgres(&mut tx, writes).await?;
                tx.commit().await
            }
            _ => self.write_now(writes).await,
        }
    }

    /// Writes in one transaction what rests on nothing that was read.
    pub async fn write_now(&self, writes: Writes) -> Result<(), StoreError> {
        if writes.is_empty() {
            return Ok(());
        }
        match self {
            Self::Sqlite { writer, epoch, .. } => {
                let bound = writes.bound_sqlite(BEGIN);
                let mut tx = writer.take().await?;
                epoch.note(run_sqlite(&mut tx, bound).await?);
                tx.commit().await
            }
            Self::Postgres(writers) => {
                // One statement, which is a transaction by itself.
                let mut conn = writers.take().await?;
                run_postgres(&mut conn, writes).await?;
                writers.put_back(conn);
                Ok(())
            }
        }
    }
}

/// Holds the rows of contacts until the commit: an erasure under way is waited for, and one that comes later waits. The text
/// holds ids only.
fn keeping(contacts: &[(BrandId, ContactId)]) -> String {
    let listed = |id: fn(&(BrandId, ContactId)) -> Uuid| {
        let ids: Vec<String> = contacts.iter().map(|one| id(one).to_string()).collect();
        ids.join(",")
    };
    format!(
        "select count(*) from unnest('{{{}}}'::uuid[], '{{{}}}'::uuid[]) as r (brand_id, id) cross join lateral \
         (select 1 from contact t where t.brand_id = r.brand_id and t.id = r.id for key share) c",
        listed(|one| one.0.0),
        listed(|one| one.1.0)
    )
}

/// Begins a transaction and tells the counter that another process moves by writing.
const BEGIN: &str = "begin immediate; pragma data_version; ";

/// Answers with the counter. The transaction is left open.
async fn run_sqlite(
    tx: &mut WriteTransaction,
    (text, arguments): (Arc<str>, SqliteArguments),
) -> Result<i64, StoreError> {
    tx.begins();
    let query = sqlx::query_as_with::<_, (i64,), _>(AssertSqlSafe(text), arguments);
    let rows = query.fetch_all(&mut **tx).await?;
    let first = rows.first().ok_or(StoreError::Corrupt("data_version"))?;
    Ok(first.0)
}

async fn data_version(tx: &mut WriteTransaction) -> Result<i64, StoreError> {
    let (version,): (i64,) = sqlx::query_as("pragma data_version")
        .fetch_one(&mut **tx)
        .await?;
    Ok(version)
}

async fn run_postgres(conn: &mut PgConnection, writes: Writes) -> Result<(), StoreError> {
    let (text, arguments) = writes.bound_postgres();
    sqlx::query_with(AssertSqlSafe(text), arguments)
        .execute(conn)
        .await?;
    Ok(())
}

/// Back to what the connection was opened with. How rows are best found depends on what a table holds.
const FRESH_PLANS: &str = "set local plan_cache_mode = force_custom_plan";

/// One way to the server and back instead of two. The text holds numbers only.
fn begin_with(locks: &[i64], plans: Plans) -> String {
    let mut begin = "begin; ".to_owned();
    if plans == Plans::Kept {
        begin.push_str("set local plan_cache_mode = force_generic_plan; ");
    }
    begin.push_str("select count(pg_advisory_xact_lock(k)) from unnest('{");
    for (at, lock) in locks.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        let _ = write!(begin, "{comma}{lock}");
    }
    begin.push_str("}'::bigint[]) as k");
    begin
}

/// How often a decision is made anew that another process overtook.
const ATTEMPTS: usize = 5;

/// Makes a decision, again if another process wrote between its reading and its writing.
pub async fn decided<R, Work>(decide: impl Fn() -> Work) -> Result<R, StoreError>
where
    Work: Future<Output = Result<R, StoreError>>,
{
    let mut result = decide().await;
    for _ in 1..ATTEMPTS {
        if !matches!(result, Err(StoreError::Overtaken)) {
            break;
        }
        result = decide().await;
    }
    result
}

impl Held {
    /// To read with. It sees all that was committed before the locks were taken.
    pub const fn conn(&mut self) -> &mut Conn {
        &mut self.conn
    }

    /// Holds the rows of further contacts, whose locks are not held, before anything of them is written.
    pub async fn keep(&mut self, contacts: &[(BrandId, ContactId)]) -> Result<(), StoreError> {
        match &mut self.conn {
            Conn::PostgresWrite(tx) if !contacts.is_empty() => tx.say(keeping(contacts)).await,
            _ => Ok(()),
        }
    }

    /// Writes and commits, and lets go of the locks. `Overtaken` means that another process wrote meanwhile and nothing was
    /// done: read and decide again. If the process dies inside it, either all is there or nothing.
    pub async fn finish(self, writes: Writes) -> Result<(), StoreError> {
        match (self.conn, &self.store) {
            (Conn::PostgresWrite(mut tx), _) => {
                if self.plans == Plans::Kept && !writes.only_insert() {
                    tx.say(FRESH_PLANS).await?;
                }
                if !writes.is_empty() {
                    run_postgres(&mut tx, writes).await?;
                }
                tx.commit().await?;
            }
            _ if writes.is_empty() => {}
            (Conn::SqliteWrite(mut tx), _) => {
                let (text, arguments) = writes.bound_sqlite("");
                let query = sqlx::query_with(AssertSqlSafe(text), arguments);
                query.execute(&mut *tx).await?;
                tx.commit().await?;
            }
            (reader, Store::Sqlite { writer, epoch, .. }) => {
                drop(reader);
                let bound = writes.bound_sqlite(BEGIN);
                let mut tx = writer.take().await?;
                let written = run_sqlite(&mut tx, bound).await;
                let version = match &written {
                    Ok(version) => *version,
                    // What another process wrote may be the very reason: a contact that is there by now.
                    Err(_) => data_version(&mut tx).await?,
                };
                if epoch.note(version) != self.epoch {
                    epoch.inside.store(INSIDE, Ordering::SeqCst);
                    return Err(StoreError::Overtaken);
                }
                written?;
                tx.commit().await?;
            }
            _ => return Err(StoreError::Corrupt("a connection of another engine")),
        }
        drop(self.guard);
        Ok(())
    }
}

/// Locks that are held, with a transaction. Dropping it undoes what was written and lets go of the locks.
pub struct HeldTransaction {
    conn: Conn,
    guard: Option<Guard>,
}

impl HeldTransaction {
    pub const fn conn(&mut self) -> &mut Conn {
        &mut self.conn
    }

    /// Commits, and lets go of the locks. If the process dies inside it, either all is there or nothing.
    pub async fn finish(self) -> Result<(), StoreError> {
        self.conn.commit().await?;
        drop(self.guard);
        Ok(())
    }

    /// Writes further, commits, and lets go of the locks.
    pub async fn finish_with(mut self, writes: Writes) -> Result<(), StoreError> {
        run(&mut self.conn, writes).await?;
        self.finish().await
    }
}

/// Writes in a transaction that is open.
pub(super) async fn run(conn: &mut Conn, writes: Writes) -> Result<(), StoreError> {
    if writes.is_empty() {
        return Ok(());
    }
    match conn {
        Conn::PostgresWrite(tx) => run_postgres(tx, writes).await?,
        Conn::SqliteWrite(tx) => {
            let (text, arguments) = writes.bound_sqlite("");
            let query = sqlx::query_with(AssertSqlSafe(text), arguments);
            query.execute(&mut **tx).await?;
        }
        Conn::SqliteRead(_) | Conn::PostgresRead(_) => {}
    }
    Ok(())
}

impl Epoch {
    /// Takes note of the counter, inside a transaction; answers with the number of the epoch.
    fn note(&self, version: i64) -> i64 {
        if self.version.swap(version, Ordering::SeqCst) != version {
            self.number.fetch_add(1, Ordering::SeqCst);
        }
        self.number.load(Ordering::SeqCst)
    }
}
