//! Operators' passkeys: public keys and counters, as the WebAuthn library writes them.

use uuid::Uuid;

use super::{Conn, StoreError, on};
use crate::domain::ids::OperatorId;
use crate::domain::time::Timestamp;

/// Passkeys of one operator.
pub const AT_MOST: i64 = 20;

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct PasskeyRow {
    pub credential_id: Vec<u8>,
    pub id: Uuid,
    pub name: String,
    pub transports: i64,
    pub fixed: Vec<u8>,
    pub moving: Vec<u8>,
    pub created_at: Timestamp,
    pub used_at: Option<Timestamp>,
}

const INSERT: &str = "insert into passkey (credential_id, operator_id, id, name, transports, fixed, moving, created_at) \
     values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (credential_id) do nothing";
const LIST: &str = "select credential_id, id, name, transports, fixed, moving, created_at, used_at from passkey \
     where operator_id = $1 order by created_at, id limit $2";
const COUNT: &str = "select count(*) from passkey where operator_id = $1";
const LIST_OWNERS: &str = "select distinct operator_id from passkey limit 1000";
const USED: &str =
    "update passkey set moving = $3, used_at = $4 where operator_id = $1 and credential_id = $2";
const DELETE: &str = "delete from passkey where operator_id = $1 and id = $2 returning name";
const DELETE_ALL: &str = "delete from passkey where operator_id = $1";

/// Adds a passkey; false if somebody has it already.
pub async fn insert(
    tx: &mut Conn,
    operator: OperatorId,
    passkey: &PasskeyRow,
) -> Result<bool, StoreError> {
    let added = on!(tx, driver => sqlx::query(INSERT)
        .bind(&passkey.credential_id)
        .bind(operator)
        .bind(passkey.id)
        .bind(&passkey.name)
        .bind(passkey.transports)
        .bind(&passkey.fixed)
        .bind(&passkey.moving)
        .bind(passkey.created_at)
        .execute(driver)
        .await?
        .rows_affected());
    Ok(added == 1)
}

/// An operator's passkeys, the oldest first.
pub async fn list(conn: &mut Conn, operator: OperatorId) -> Result<Vec<PasskeyRow>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST)
        .bind(operator)
        .bind(AT_MOST)
        .fetch_all(driver)
        .await?))
}

/// The operators that have a passkey; the first 1,000.
pub async fn list_owners(conn: &mut Conn) -> Result<Vec<OperatorId>, StoreError> {
    let rows: Vec<(OperatorId,)> =
        on!(conn, driver => sqlx::query_as(LIST_OWNERS).fetch_all(driver).await?);
    Ok(rows.into_iter().map(|row| row.0).collect())
}

pub async fn count(conn: &mut Conn, operator: OperatorId) -> Result<i64, StoreError> {
    let (count,): (i64,) =
        on!(conn, driver => sqlx::query_as(COUNT).bind(operator).fetch_one(driver).await?);
    Ok(count)
}

/// Keeps what a sign-in changed of a passkey.
pub async fn used(
    tx: &mut Conn,
    operator: OperatorId,
    credential_id: &[u8],
    moving: &[u8],
    now: Timestamp,
) -> Result<(), StoreError> {
    on!(tx, driver => {
        sqlx::query(USED)
            .bind(operator)
            .bind(credential_id)
            .bind(moving)
            .bind(now)
            .execute(driver)
            .await?;
    });
    Ok(())
}

/// Removes a passkey; what it was called, if there was one such.
pub async fn delete(
    tx: &mut Conn,
    operator: OperatorId,
    id: Uuid,
) -> Result<Option<String>, StoreError> {
    let gone: Option<(String,)> = on!(tx, driver => sqlx::query_as(DELETE)
        .bind(operator)
        .bind(id)
        .fetch_optional(driver)
        .await?);
    Ok(gone.map(|row| row.0))
}

pub async fn delete_all(tx: &mut Conn, operator: OperatorId) -> Result<(), StoreError> {
    on!(tx, driver => { sqlx::query(DELETE_ALL).bind(operator).execute(driver).await?; });
    Ok(())
}
