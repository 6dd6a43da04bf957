//! Operators and their sessions.

use super::{Conn, StoreError, on};
use crate::domain::ids::OperatorId;
use crate::domain::time::Timestamp;

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct OperatorRow {
    pub id: OperatorId,
    pub name: String,
    pub password_hash: String,
    pub role: String,
    pub created_at: Timestamp,
    pub disabled_at: Option<Timestamp>,
}

/// A session of somebody signed in. The cookie's value is kept as its SHA-256 only.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct SessionRow {
    pub hash: Vec<u8>,
    pub operator_id: OperatorId,
    pub created_at: Timestamp,
    pub seen_at: Timestamp,
    pub expires_at: Timestamp,
}

const INSERT: &str = "insert into operator (id, name, password_hash, role, created_at) \
     values ($1, $2, $3, $4, $5) on conflict (name) do nothing";
const FIND: &str =
    "select id, name, password_hash, role, created_at, disabled_at from operator where name = $1";
const FIND_BY_SESSION: &str = "select o.id, o.name, o.password_hash, o.role, o.created_at, o.disabled_at \
     from session s join operator o on o.id = s.operator_id \
     where s.hash = $1 and s.expires_at > $2 and s.seen_at > $3 and o.disabled_at is null";
const LIST: &str =
    "select id, name, password_hash, role, created_at, disabled_at from operator order by name";
const SET_PASSWORD: &str = "update operator set password_hash = $2 where name = $1";
const DISABLE: &str =
    "update operator set disabled_at = $2 where name = $1 and disabled_at is null";
const INSERT_SESSION: &str = "insert into session (hash, operator_id, created_at, seen_at, expires_at) \
     values ($1, $2, $3, $4, $5)";
const SEEN: &str = "update session set seen_at = $2 where hash = $1";
const END_SESSION: &str = "delete from session where hash = $1";
const END_ALL: &str =
    "delete from session where operator_id in (select id from operator where name = $1)";
const PRUNE_SESSIONS: &str = "delete from session where expires_at < $1";

/// Adds an operator; false if the name is taken.
pub async fn insert(tx: &mut Conn, operator: &OperatorRow) -> Result<bool, StoreError> {
    let changed = on!(tx, driver => sqlx::query(INSERT)
        .bind(operator.id)
        .bind(&operator.name)
        .bind(&operator.password_hash)
        .bind(&operator.role)
        .bind(operator.created_at)
        .execute(driver)
        .await?
        .rows_affected());
    Ok(changed == 1)
}

pub async fn find(conn: &mut Conn, name: &str) -> Result<Option<OperatorRow>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(FIND).bind(name).fetch_optional(driver).await?))
}

/// The operator of a session that has neither ended nor been idle since an instant.
pub async fn find_by_session(
    conn: &mut Conn,
    hash: &[u8],
    now: Timestamp,
    idle_since: Timestamp,
) -> Result<Option<OperatorRow>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(FIND_BY_SESSION)
        .bind(hash)
        .bind(now)
        .bind(idle_since)
        .fetch_optional(driver)
        .await?))
}

pub async fn list(conn: &mut Conn) -> Result<Vec<OperatorRow>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST).fetch_all(driver).await?))
}

/// Changes a password and ends all sessions of the operator; false if there is no such operator.
pub async fn set_password(tx: &mut Conn, name: &str, hash: &str) -> Result<bool, StoreError> {
    let changed = on!(tx, driver => sqlx::query(SET_PASSWORD)
        .bind(name)
        .bind(hash)
        .execute(driver)
        .await?
        .rows_affected());
    end_all_sessions(tx, name).await?;
    Ok(changed == 1)
}

/// Disables an operator and ends all its sessions; false if there is no such operator in use.
pub async fn disable(tx: &mut Conn, name: &str, now: Timestamp) -> Result<bool, StoreError> {
    let changed = on!(tx, driver => sqlx::query(DISABLE)
        .bind(name)
        .bind(now)
        .execute(driver)
        .await?
        .rows_affected());
    end_all_sessions(tx, name).await?;
    Ok(changed == 1)
}

async fn end_all_sessions(tx: &mut Conn, name: &str) -> Result<(), StoreError> {
    on!(tx, driver => { sqlx::query(END_ALL).bind(name).execute(driver).await?; });
    Ok(())
}

pub async fn insert_session(tx: &mut Conn, session: &SessionRow) -> Result<(), StoreError> {
    on!(tx, driver => {
        sqlx::query(PRUNE_SESSIONS).bind(session.created_at).execute(driver).await?;
    });
    on!(tx, driver => {
        sqlx::query(INSERT_SESSION)
            .bind(&session.hash)
            .bind(session.operator_id)
            .bind(session.created_at)
            .bind(session.seen_at)
            .bind(session.expires_at)
            .execute(driver)
            .await?;
    });
    Ok(())
}

pub async fn session_seen(tx: &mut Conn, hash: &[u8], now: Timestamp) -> Result<(), StoreError> {
    on!(tx, driver => { sqlx::query(SEEN).bind(hash).bind(now).execute(driver).await?; });
    Ok(())
}

pub async fn end_session(tx: &mut Conn, hash: &[u8]) -> Result<(), StoreError> {
    on!(tx, driver => { sqlx::query(END_SESSION).bind(hash).execute(driver).await?; });
    Ok(())
}
