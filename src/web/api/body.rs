//! What a request brings: a JSON body and parameters, read strictly, with a limit for each kind.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::BytesMut;
use actix_web::{FromRequest, HttpRequest, web};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use sha2::{Digest, Sha256};

use super::problem::ApiProblem;

/// A body that is read here.
pub trait Input: DeserializeOwned {
    /// Bytes.
    const AT_MOST: usize = 64 << 10;
}

/// A body that was read, with the SHA-256 of its bytes.
#[derive(Debug)]
pub struct Body<T> {
    pub value: T,
    pub hash: [u8; 32],
}

impl<T: Input + 'static> FromRequest for Body<T> {
    type Error = ApiProblem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiProblem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            let bytes = read(&request, payload, T::AT_MOST).await?;
            let value = parse(&bytes)?;
            let hash = Sha256::digest(&bytes).into();
            Ok(Self { value, hash })
        })
    }
}

async fn read(
    request: &HttpRequest,
    mut payload: Payload,
    at_most: usize,
) -> Result<BytesMut, ApiProblem> {
    let header = |name| {
        request
            .headers()
            .get(name)
            .and_then(|value: &header::HeaderValue| value.to_str().ok())
    };
    let kind = header(header::CONTENT_TYPE).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(ApiProblem::unknown_kind());
    }
    let length = header(header::CONTENT_LENGTH).and_then(|text| text.parse::<usize>().ok());
    if length.is_some_and(|length| length > at_most) {
        return Err(ApiProblem::too_large(at_most));
    }
    let mut bytes = BytesMut::new();
    while let Some(part) = payload.next().await {
        let part = part.map_err(|_| ApiProblem::malformed("The body broke off."))?;
        if bytes.len() + part.len() > at_most {
            return Err(ApiProblem::too_large(at_most));
        }
        bytes.extend_from_slice(&part);
    }
    Ok(bytes)
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiProblem> {
    // PostgreSQL's text has no NUL, and none of our texts means anything by one.
    let nul = br"\u0000";
    if bytes.windows(nul.len()).any(|window| window == nul) {
        return Err(ApiProblem::invalid(
            "",
            "No text may hold the character U+0000.",
        ));
    }
    serde_json::from_slice(bytes).map_err(|error| match error.classify() {
        Category::Data => ApiProblem::invalid("", format!("{error}.")),
        _ => ApiProblem::malformed(format!("The body is no JSON: {error}.")),
    })
}

/// The parameters behind the question mark; one that the route does not know is refused.
#[derive(Debug)]
pub struct Params<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Params<T> {
    type Error = ApiProblem;
    type Future = std::future::Ready<Result<Self, ApiProblem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let read = web::Query::<T>::from_query(request.query_string());
        std::future::ready(match read {
            Ok(query) => Ok(Self(query.into_inner())),
            Err(error) => Err(ApiProblem::malformed(format!("The parameters: {error}."))),
        })
    }
}
