//! Refusals as problem documents (RFC 9457). What a client sees says what to do, and nothing of our insides.

use std::fmt;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::store::StoreError;
use crate::web::error::FieldProblem;

pub const CONTENT_TYPE: &str = "application/problem+json";

/// A problem document (RFC 9457).
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProblemDocument {
    /// Names the kind of problem; it leads to its description.
    #[serde(rename = "type")]
    #[schema(example = "/api/docs#problem-invalid")]
    pub kind: String,
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong this time, and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Each field that is not right.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub errors: Vec<FieldProblem>,
}

/// Every kind of problem: its name, its status, its title.
pub const KINDS: &[(&str, u16, &str)] = &[
    ("malformed", 400, "The request cannot be read"),
    ("unauthenticated", 401, "A key is needed"),
    ("forbidden", 403, "The key may not do this"),
    ("not-found", 404, "Not found"),
    ("no-such-method", 405, "The address has no such method"),
    ("too-slow", 408, "The body came too slowly"),
    ("conflict", 409, "It stands against what is there"),
    ("too-large", 413, "The request is too large"),
    (
        "unknown-kind",
        415,
        "The body is of a kind that is not read here",
    ),
    ("invalid", 422, "Something in the request is not right"),
    (
        "key-used-otherwise",
        422,
        "The Idempotency-Key belongs to another request",
    ),
    ("quota-exceeded", 429, "Too many requests"),
    ("internal", 500, "Something went wrong on our side"),
    ("unavailable", 503, "Not possible at the moment"),
];

/// Why a request was refused.
#[derive(Clone, Debug)]
pub struct ApiProblem {
    kind: &'static str,
    detail: Option<String>,
    errors: Vec<FieldProblem>,
    retry_after: Option<u64>,
    header: Option<Box<(header::HeaderName, String)>>,
}

impl ApiProblem {
    fn new(kind: &'static str, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: Some(detail.into()),
            errors: Vec::new(),
            retry_after: None,
            header: None,
        }
    }

    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new("malformed", detail)
    }

    /// The rest of the body is not waited for: the connection ends with the answer.
    pub fn too_slow() -> Self {
        let mut problem = Self::new(
            "too-slow",
            "The body did not come in time. Send it in one go, over a faster connection.",
        );
        problem.header = Some(Box::new((header::CONNECTION, "close".to_owned())));
        problem
    }

    /// The answer to a request without a key that holds (RFC 6750, section 3).
    pub fn unauthenticated(detail: &str) -> Self {
        let mut problem = Self::new("unauthenticated", detail);
        problem.header = Some(Box::new((header::WWW_AUTHENTICATE, "Bearer".to_owned())));
        problem
    }

    pub fn forbidden(scope: &str) -> Self {
        let detail = format!("The key has not the scope {scope}.");
        let mut problem = Self::new("forbidden", detail);
        let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"");
        problem.header = Some(Box::new((header::WWW_AUTHENTICATE, challenge)));
        problem
    }

    pub fn not_for_one_brand() -> Self {
        Self::new(
            "forbidden",
            "This concerns all brands together; it takes a key that is not kept to one.",
        )
    }

    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new("not-found", detail)
    }

    pub fn no_such_method(allowed: &str) -> Self {
        let mut problem = Self::new("no-such-method", format!("It has: {allowed}."));
        problem.header = Some(Box::new((header::ALLOW, allowed.to_owned())));
        problem
    }

    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new("conflict", detail)
    }

    pub fn too_large(bytes: usize) -> Self {
        Self::new(
            "too-large",
            format!("A body here has {bytes} bytes at most."),
        )
    }

    pub fn unknown_kind() -> Self {
        Self::new(
            "unknown-kind",
            "Send JSON, with Content-Type: application/json.",
        )
    }

    /// The same where something else than JSON is wanted.
    pub fn other_kind(detail: &str) -> Self {
        Self::new("unknown-kind", detail)
    }

    pub fn invalid(field: &str, detail: impl Into<String>) -> Self {
        let errors = vec![FieldProblem {
            field: field.to_owned(),
            detail: detail.into(),
        }];
        Self::fields(errors)
    }

    pub fn fields(errors: Vec<FieldProblem>) -> Self {
        let details: Vec<&str> = errors.iter().map(|error| error.detail.as_str()).collect();
        let mut problem = Self::new("invalid", details.join(" "));
        problem.errors = errors;
        problem
    }

    pub fn key_used_otherwise() -> Self {
        Self::new(
            "key-used-otherwise",
            "Another request brought this Idempotency-Key within the last 24 hours. Use a new one for each request.",
        )
    }

    pub fn quota_exceeded(seconds: u64) -> Self {
        let detail = format!("Try again in {seconds} seconds.");
        let mut problem = Self::new("quota-exceeded", detail);
        problem.retry_after = Some(seconds);
        problem
    }

    /// Nothing was acknowledged: the caller may try again.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        let mut problem = Self::new("unavailable", detail);
        problem.retry_after = Some(5);
        problem
    }

    /// Ends with a try again; for a repetition of a request that is still under way.
    pub fn under_way() -> Self {
        let mut problem = Self::new(
            "conflict",
            "A request with this Idempotency-Key is still under way. Try again in a moment.",
        );
        problem.retry_after = Some(1);
        problem
    }

    /// Of an answer that the framework made by itself.
    pub fn of_status(status: StatusCode) -> Self {
        let known = KINDS.iter().find(|kind| kind.1 == status.as_u16());
        let known = known.or_else(|| {
            let class = if status.is_server_error() { 500 } else { 400 };
            KINDS.iter().find(|kind| kind.1 == class)
        });
        Self {
            kind: known.map_or("internal", |kind| kind.0),
            detail: None,
            errors: Vec::new(),
            retry_after: None,
            header: None,
        }
    }

    fn known(&self) -> (&'static str, u16, &'static str) {
        let known = KINDS.iter().copied().find(|kind| kind.0 == self.kind);
        known.unwrap_or(("internal", 500, "Something went wrong on our side"))
    }
}

impl From<StoreError> for ApiProblem {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "a request of the API failed in the store");
        Self::unavailable("The database did not answer. Nothing was acknowledged; try again.")
    }
}

impl fmt::Display for ApiProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.known().2)
    }
}

impl ResponseError for ApiProblem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.known().1).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let (kind, status, title) = self.known();
        let document = ProblemDocument {
            kind: format!("/api/docs#problem-{kind}"),
            title: title.to_owned(),
            status,
            detail: self.detail.clone(),
            errors: self.errors.clone(),
        };
        let mut response = HttpResponse::build(self.status_code());
        response.insert_header((header::CONTENT_TYPE, CONTENT_TYPE));
        if let Some((name, value)) = self.header.as_deref() {
            response.insert_header((name.clone(), value.as_str()));
        }
        if let Some(seconds) = self.retry_after {
            response.insert_header((header::RETRY_AFTER, seconds.to_string()));
        }
        response.body(serde_json::to_string(&document).unwrap_or_default())
    }
}
