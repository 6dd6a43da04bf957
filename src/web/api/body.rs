//! What a request brings: a JSON body and parameters, read strictly, with a limit for each kind.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::BytesMut;
use actix_web::{FromRequest, HttpRequest, web};
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use sha2::{Digest, Sha256};

use super::problem::ApiProblem;
use crate::web::extract::body::{self, Broken};

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
    payload: Payload,
    at_most: usize,
) -> Result<BytesMut, ApiProblem> {
    let kind = request.headers().get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(ApiProblem::unknown_kind());
    }
    let read = body::whole(request, payload, at_most).await;
    read.map_err(|broken| match broken {
        Broken::TooLarge => ApiProblem::too_large(at_most),
        Broken::TooSlow => ApiProblem::too_slow(),
        Broken::BrokeOff => ApiProblem::malformed("The body broke off."),
    })
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
