//! Answers.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;

use super::problem::ApiProblem;

/// What a handler says when nothing is wrong.
pub type Answer = Result<HttpResponse, ApiProblem>;

/// A page of a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Give it as `after` to go on behind this page; none where nothing is behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// An answer that can be kept and given again.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    /// JSON; empty where there is none.
    pub body: String,
}

impl Reply {
    pub fn json(status: StatusCode, value: &impl Serialize) -> Result<Self, ApiProblem> {
        let body = serde_json::to_string(value)
            .map_err(|_| ApiProblem::unavailable("The answer could not be written."))?;
        Ok(Self {
            status: status.as_u16(),
            body,
        })
    }

    pub const fn nothing() -> Self {
        Self {
            status: 204,
            body: String::new(),
        }
    }

    pub fn respond(self) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        let mut response = HttpResponse::build(status);
        if self.body.is_empty() {
            return response.finish();
        }
        response.content_type("application/json").body(self.body)
    }
}

/// 200 with a value.
pub fn ok(value: &impl Serialize) -> Answer {
    Ok(Reply::json(StatusCode::OK, value)?.respond())
}
