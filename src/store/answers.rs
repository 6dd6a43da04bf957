//! What requests with an Idempotency-Key were answered, for those that come again.

use super::{Conn, StoreError, on};
use crate::domain::ids::ApiKeyId;
use crate::domain::time::Timestamp;

/// A request, by the key of its program and the hashes of its Idempotency-Key and of itself.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    pub key: ApiKeyId,
    pub hash: [u8; 32],
    pub request: [u8; 32],
}

/// What is kept of a request.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Kept {
    pub request_hash: Vec<u8>,
    /// While it is under way; none once it was answered.
    pub running_until: Option<Timestamp>,
    pub status: Option<i64>,
    pub body: Option<String>,
    pub body_hash: Option<Vec<u8>>,
}

/// Whose time is over makes room; and a request of a process that died is taken up again by the same request.
const BEGIN: &str = "insert into api_answer (key_id, hash, request_hash, running_until, expires_at) \
     values ($1, $2, $3, $4, $5) on conflict (key_id, hash) do update set request_hash = excluded.request_hash, \
     running_until = excluded.running_until, status = null, body = null, body_hash = null, expires_at = excluded.expires_at \
     where api_answer.expires_at <= $6 or (api_answer.running_until <= $6 and api_answer.request_hash = excluded.request_hash) \
     returning running_until";
const FIND: &str = "select request_hash, running_until, status, body, body_hash from api_answer \
     where key_id = $1 and hash = $2";
const KEEP: &str = "update api_answer set running_until = null, status = $4, body = $5, body_hash = $6 \
     where key_id = $1 and hash = $2 and running_until = $3";
const LET_GO: &str =
    "delete from api_answer where key_id = $1 and hash = $2 and running_until = $3";
const PRUNE: &str = "delete from api_answer where expires_at <= $1";

/// Takes a request up; false where it was taken up before. Of two at once one is first.
pub async fn begin(
    tx: &mut Conn,
    asked: &Asked,
    running_until: Timestamp,
    expires_at: Timestamp,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let begun: Option<(i64,)> = on!(tx, driver => sqlx::query_as(BEGIN)
        .bind(asked.key)
        .bind(&asked.hash[..])
        .bind(&asked.request[..])
        .bind(running_until)
        .bind(expires_at)
        .bind(now)
        .fetch_optional(driver)
        .await?);
    Ok(begun.is_some())
}

pub async fn find(conn: &mut Conn, asked: &Asked) -> Result<Option<Kept>, StoreError> {
    Ok(on!(conn, driver => sqlx::query_as(FIND)
        .bind(asked.key)
        .bind(&asked.hash[..])
        .fetch_optional(driver)
        .await?))
}

/// Keeps the answer, unless another took the request up meanwhile.
pub async fn keep(
    tx: &mut Conn,
    asked: &Asked,
    running_until: Timestamp,
    status: u16,
    body: &str,
    body_hash: &[u8],
) -> Result<(), StoreError> {
    on!(tx, driver => {
        sqlx::query(KEEP)
            .bind(asked.key)
            .bind(&asked.hash[..])
            .bind(running_until)
            .bind(i64::from(status))
            .bind(body)
            .bind(body_hash)
            .execute(driver)
            .await?;
    });
    Ok(())
}

/// Lets go of a request that changed nothing, so that it may come again.
pub async fn let_go(
    tx: &mut Conn,
    asked: &Asked,
    running_until: Timestamp,
) -> Result<(), StoreError> {
    on!(tx, driver => {
        sqlx::query(LET_GO)
            .bind(asked.key)
            .bind(&asked.hash[..])
            .bind(running_until)
            .execute(driver)
            .await?;
    });
    Ok(())
}

pub async fn prune(tx: &mut Conn, now: Timestamp) -> Result<u64, StoreError> {
    Ok(on!(tx, driver => sqlx::query(PRUNE).bind(now).execute(driver).await?.rows_affected()))
}
