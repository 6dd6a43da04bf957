//! Bodies that are read whole: one limit of size for each kind, one of time for all. Files that operators bring are streamed
//! elsewhere, with limits of their own.

use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::{self, BytesMut};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::StreamExt;

use crate::web::Web;

/// How long a body may take, from the head on: with the head's own limit (`web::HEAD_WITHIN`) a slow client is gone within 15
/// seconds (T32).
pub const WITHIN: Duration = Duration::from_secs(9);

/// Why a body cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    TooLarge,
    TooSlow,
    BrokeOff,
}

/// Reads a body of at most so many bytes.
pub async fn whole(
    request: &HttpRequest,
    payload: Payload,
    at_most: usize,
) -> Result<BytesMut, Broken> {
    let length = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > at_most) {
        return Err(Broken::TooLarge);
    }
    let within = request
        .app_data::<web::Data<Web>>()
        .map_or(WITHIN, |shared| shared.body_within);
    tokio::time::timeout(within, read(payload, at_most))
        .await
        .unwrap_or(Err(Broken::TooSlow))
}

async fn read(mut payload: Payload, at_most: usize) -> Result<BytesMut, Broken> {
    let mut body = BytesMut::new();
    while let Some(part) = payload.next().await {
        let part = part.map_err(|_| Broken::BrokeOff)?;
        if body.len() + part.len() > at_most {
            return Err(Broken::TooLarge);
        }
        body.extend_from_slice(&part);
    }
    Ok(body)
}

/// The answer to a body of which more would come: nothing further is read, and the connection ends with it.
pub fn closing(mut response: HttpResponse) -> HttpResponse {
    let head = response.head_mut();
    head.set_connection_type(actix_web::http::ConnectionType::Close);
    response
}
