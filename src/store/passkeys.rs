//! Operators' passkeys (WebAuthn): public keys, as the library writes them.

use super::{Conn, StoreError, on};
use crate::domain::ids::OperatorId;
use crate::domain::time::Timestamp;

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct PasskeyRow {
    pub credential_id: Vec<u8>,
    pub name: String,
    pub credential: String,
    pub created_at: Timestamp,
    pub used_at: Option<Timestamp>,
}

const INSERT: &str = "insert into passkey (operator_id, credential_id, name, credential, created_at) \
     values ($1, $2, $3, $4, $5) on conflict do nothing";
const LIST: &str = "select credential_id, name, credential, created_at, used_at from passkey \
     where operator_id = $1 order by created_at limit 50";
const COUNT: &str = "select count(*) from passkey where operator_id = $1";
const LIST_OWNERS: &str = "select distinct operator_id from passkey limit 1000";
const USED: &str = "update passkey set credential = $3, used_at = $4 where operator_id = $1 and credential_id = $2";
const DELETE: &str = "delete from passkey where operator_id = $1 and credential_id = $2";
const DELETE_ALL: &str = "delete from passkey where operator_id = $1";

/// Adds a passkey; false if somebody has it already.
pub async fn insert(
    tx: &mut Conn,
    operator: OperatorId,
    passkey: &PasskeyRow,
) -> Result<bool, StoreError> {
    let added = on!(tx, driver => sqlx::query(INSERT)
        .bind(operator)
        .bind(&passkey.credential_id)
        .bind(&passkey.name)
        .bind(&passkey.credential)
        .bind(passkey.created_at)
        .execute(driver)
        .await?
        .rows_affected());
    Ok(added == 1)
}

/// An operator's passkeys, the oldest first; 50 at most.
pub async fn list(conn: &mut Conn, operator: OperatorId) -> Result<Vec<PasskeyRow>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(LIST).bind(operator).fetch_all(driver).await?))
}

/// The operators that have a passkey.
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

/// Keeps what a use changed of a passkey.
pub async fn used(
    tx: &mut Conn,
    operator: OperatorId,
    credential_id: &[u8],
    credential: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    on!(tx, driver => {
        sqlx::query(USED)
            .bind(operator)
            .bind(credential_id)
            .bind(credential)
            .bind(now)
            .execute(driver)
            .await?;
    });
    Ok(())
}

/// Removes a passkey; false if there is none such.
pub async fn delete(
    tx: &mut Conn,
    operator: OperatorId,
    credential_id: &[u8],
) -> Result<bool, StoreError> {
    let removed = on!(tx, driver => sqlx::query(DELETE)
        .bind(operator)
        .bind(credential_id)
        .execute(driver)
        .await?
        .rows_affected());
    Ok(removed == 1)
}

pub async fn delete_all(tx: &mut Conn, operator: OperatorId) -> Result<(), StoreError> {
    on!(tx, driver => { sqlx::query(DELETE_ALL).bind(operator).execute(driver).await?; });
    Ok(())
}
