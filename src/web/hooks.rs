//! `/hooks/{provider}`: mail providers tell what became of a mail. Answers are short: providers show them to the operator.

use actix_web::http::{StatusCode, header};
use actix_web::web;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use super::Web;
use super::error::{self, FieldProblem, Problem};
use super::extract::body::{self, Broken};
use super::extract::client::circumstances;
use crate::app::hook::{Post, Refusal, Tally};
use crate::domain::provider::Provider;
use crate::mail::provider::{POST_AT_MOST, Unreadable, sendgrid};

/// `POST /hooks/{provider}`
pub async fn take(
    request: HttpRequest,
    shared: web::Data<Web>,
    provider: web::Path<String>,
    payload: web::Payload,
) -> HttpResponse {
    let hooks = &shared.app.config.hooks;
    let provider = Provider::parse(&provider).filter(|one| hooks.has(*one));
    let Some(provider) = provider else {
        return refused(&Refusal::NotSetUp);
    };
    let read = body::whole(&request, payload.into_inner(), POST_AT_MOST);
    let body = match read.await {
        Ok(body) => body,
        Err(Broken::TooLarge) => {
            let detail = format!("A post here has {POST_AT_MOST} bytes at most.");
            return answer(
                StatusCode::PAYLOAD_TOO_LARGE,
                "The post is too large",
                Some(detail),
            );
        }
        Err(Broken::TooSlow) => {
            let title = "The body did not come in time";
            return body::closing(answer(StatusCode::REQUEST_TIMEOUT, title, None));
        }
        Err(Broken::BrokeOff) => {
            return answer(StatusCode::BAD_REQUEST, "The body broke off", None);
        }
    };
    let header = |name: &str| {
        let value = request.headers().get(name)?;
        value.to_str().ok().map(str::to_owned)
    };
    let post = Post {
        provider,
        body: body.to_vec(),
        authorization: header(header::AUTHORIZATION.as_str()),
        signature: header(sendgrid::SIGNATURE),
        timestamp: header(sendgrid::TIMESTAMP),
        from: circumstances(&request, &shared.app.config.trusted_proxies).ip,
    };
    // Comes to its end whether or not the provider waits for it.
    let app = shared.app.clone();
    match actix_web::rt::spawn(async move { app.take_hook(post).await }).await {
        Ok(Ok(tally)) => taken(&tally),
        Ok(Err(refusal)) => refused(&refusal),
        Err(_) => error::plain_failure(),
    }
}

fn taken(tally: &Tally) -> HttpResponse {
    HttpResponse::Ok().json(json!({ "events": tally }))
}

fn answer(status: StatusCode, title: &str, detail: Option<String>) -> HttpResponse {
    let errors = detail.map(|detail| FieldProblem {
        field: String::new(),
        detail,
    });
    Problem::respond(status, title.to_owned(), errors.into_iter().collect())
}

fn refused(refusal: &Refusal) -> HttpResponse {
    let (status, title) = match refusal {
        Refusal::NotSetUp => (StatusCode::NOT_FOUND, "No such provider"),
        Refusal::Credentials => (StatusCode::UNAUTHORIZED, "Credentials are needed"),
        Refusal::Network | Refusal::Untrue(_) | Refusal::Topic | Refusal::Elsewhere => {
            (StatusCode::FORBIDDEN, "The post is not believed")
        }
        Refusal::Unreadable(Unreadable::Malformed) => {
            (StatusCode::BAD_REQUEST, "The post cannot be read")
        }
        Refusal::Unreadable(Unreadable::TooMany) => {
            (StatusCode::PAYLOAD_TOO_LARGE, "The post is too large")
        }
        Refusal::Unreachable | Refusal::Store(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "Not possible at the moment",
        ),
    };
    let detail = match refusal {
        Refusal::Store(problem) => {
            tracing::error!(%problem, "what a provider told could not be written");
            "The database did not answer. Post it again.".to_owned()
        }
        Refusal::Unreachable => "SNS could not be asked. Post it again.".to_owned(),
        other => format!("{other}."),
    };
    let mut response = answer(status, title, Some(detail));
    let mut put = |name, value| {
        response
            .headers_mut()
            .insert(name, header::HeaderValue::from_static(value));
    };
    match status {
        StatusCode::UNAUTHORIZED => put(
            header::WWW_AUTHENTICATE,
            "Basic realm=\"hooks\", charset=\"UTF-8\"",
        ),
        StatusCode::SERVICE_UNAVAILABLE => put(header::RETRY_AFTER, "30"),
        _ => {}
    }
    response
}
