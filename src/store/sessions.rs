//! Who is signed in, and where.

use uuid::Uuid;

use super::operators::{OperatorRow, columns};
use super::{Conn, StoreError, on};
use crate::domain::ids::OperatorId;
use crate::domain::time::Timestamp;

/// How far somebody has come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The password was right; a second factor is awaited.
    Password,
    Whole,
}

impl Stage {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Whole => "whole",
        }
    }
}

/// A session. The cookie's value is kept as its SHA-256 only.
#[derive(Clone, Debug)]
pub struct NewSession {
    pub hash: Vec<u8>,
    pub id: Uuid,
    pub operator_id: OperatorId,
    pub stage: Stage,
    /// What the browser said of itself, shortened.
    pub browser: String,
    pub network: String,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// A session as its owner sees it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct SessionRow {
    pub id: Uuid,
    pub hash: Vec<u8>,
    pub browser: String,
    pub network: String,
    pub created_at: Timestamp,
    pub seen_at: Timestamp,
    pub expires_at: Timestamp,
}

/// Whom a cookie stands for.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Found {
    #[sqlx(flatten)]
    pub operator: OperatorRow,
    pub seen_at: Timestamp,
    pub tries: i64,
}

const FIND: &str = concat!(
    "select ",
    columns!(),
    ", s.seen_at, s.tries from session s join operator o on o.id = s.operator_id \
     where s.hash = $1 and s.stage = $2 and s.expires_at > $3 and s.seen_at > $4 and o.disabled_at is null"
);
const LIST: &str = "select id, hash, browser, network, created_at, seen_at, expires_at from session \
     where operator_id = $1 and stage = 'whole' and expires_at > $2 and seen_at > $3 order by seen_at desc limit 200";
const INSERT: &str = "insert into session (hash, id, operator_id, stage, browser, network, created_at, seen_at, expires_at) \
     values ($1, $2, $3, $4, $5, $6, $7, $7, $8)";
const SEEN: &str = "update session set seen_at = $2 where hash = $1";
const TRIED: &str = "update session set tries = tries + 1 where hash = $1";
const CHALLENGE: &str = "update session set challenge = $2, challenge_until = $3 where hash = $1";
const FIND_CHALLENGE: &str =
    "select challenge, challenge_until from session where hash = $1 and challenge is not null";
const END: &str = "delete from session where hash = $1";
const END_ONE: &str = "delete from session where operator_id = $1 and id = $2";
const END_OTHERS: &str = "delete from session where operator_id = $1 and hash <> $2";
const PRUNE: &str = "delete from session where expires_at < $1";

pub async fn insert(tx: &mut Conn, session: &NewSession) -> Result<(), StoreError> {
    on!(tx, driver => {
        sqlx::query(PRUNE).bind(session.created_at).execute(driver).await?;
    });
    on!(tx, driver => {
        sqlx::query(INSERT)
            .bind(&session.hash)
            .bind(session.id)
            .bind(session.operator_id)
            .bind(session.stage.as_str())
            .bind(&session.browser)
            .bind(&session.network)
            .bind(session.created_at)
            .bind(session.expires_at)
            .execute(driver)
            .await?;
    });
    Ok(())
}

/// The operator of a session at this stage that has neither ended nor been idle since an instant.
pub async fn find(
    conn: &mut Conn,
    hash: &[u8],
    stage: Stage,
    now: Timestamp,
    idle_since: Timestamp,
) -> Result<Option<Found>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(FIND)
        .bind(hash)
        .bind(stage.as_str())
        .bind(now)
        .bind(idle_since)
        .fetch_optional(driver)
        .await?))
}

/// The sessions of an operator that hold, the last seen first; the first 200.
pub async fn list(
    conn: &mut Conn,
    operator: OperatorId,
    now: Timestamp,
    idle_since: Timestamp,
) -> Result<Vec<SessionRow>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST)
        .bind(operator)
        .bind(now)
        .bind(idle_since)
        .fetch_all(driver)
        .await?))
}

pub async fn seen(tx: &mut Conn, hash: &[u8], now: Timestamp) -> Result<(), StoreError> {
    on!(tx, driver => { sqlx::query(SEEN).bind(hash).bind(now).execute(driver).await?; });
    Ok(())
}

/// Counts a try at the second factor.
pub async fn tried(tx: &mut Conn, hash: &[u8]) -> Result<(), StoreError> {
    on!(tx, driver => { sqlx::query(TRIED).bind(hash).execute(driver).await?; });
    Ok(())
}

/// Keeps what the browser's authenticator is to sign, and until when; in the place of what was kept before.
pub async fn put_challenge(
    tx: &mut Conn,
    hash: &[u8],
    challenge: &[u8],
    until: Timestamp,
) -> Result<(), StoreError> {
    on!(tx, driver => {
        sqlx::query(CHALLENGE)
            .bind(hash)
            .bind(challenge)
            .bind(until)
            .execute(driver)
            .await?;
    });
    Ok(())
}

/// Takes the challenge of a session, which is gone with it, and until when it holds. Needs a transaction that holds the
/// operators' lock: no two answers get one challenge.
pub async fn take_challenge(
    tx: &mut Conn,
    hash: &[u8],
) -> Result<Option<(Vec<u8>, Timestamp)>, StoreError> {
    let found: Option<(Vec<u8>, Timestamp)> = on!(tx, driver => sqlx::query_as(FIND_CHALLENGE)
        .bind(hash)
        .fetch_optional(driver)
        .await?);
    if found.is_some() {
        on!(tx, driver => {
            sqlx::query(CHALLENGE)
                .bind(hash)
                .bind(None::<Vec<u8>>)
                .bind(None::<Timestamp>)
                .execute(driver)
                .await?;
        });
    }
    Ok(found)
}

pub async fn end(tx: &mut Conn, hash: &[u8]) -> Result<(), StoreError> {
    on!(tx, driver => { sqlx::query(END).bind(hash).execute(driver).await?; });
    Ok(())
}

/// Ends one session of an operator by its id; false if there is none such.
pub async fn end_one(tx: &mut Conn, operator: OperatorId, id: Uuid) -> Result<bool, StoreError> {
    let ended = on!(tx, driver => sqlx::query(END_ONE)
        .bind(operator)
        .bind(id)
        .execute(driver)
        .await?
        .rows_affected());
    Ok(ended == 1)
}

/// Ends all sessions of an operator but the one with this hash; all of them for an empty one.
pub async fn end_others(tx: &mut Conn, operator: OperatorId, but: &[u8]) -> Result<(), StoreError> {
    on!(tx, driver => { sqlx::query(END_OTHERS).bind(operator).bind(but).execute(driver).await?; });
    Ok(())
}
