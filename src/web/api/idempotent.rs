//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header-07): a write that comes again gets the answer that it got.

use std::future::Future;
use std::pin::Pin;

use actix_web::http::header::HeaderName;
use actix_web::{HttpRequest, rt, web};
use sha2::{Digest, Sha256};

use super::problem::ApiProblem;
use super::reply::{Answer, Reply};
use crate::app::repeat::{Repeatable, Taken};
use crate::domain::ids::ApiKeyId;
use crate::web::Web;

pub const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
const KEY_AT_MOST: usize = 255;
/// Tells that an answer was given before.
const REPLAYED: (&str, &str) = ("idempotency-replayed", "true");

const UNREADABLE: &str = "This request was carried out before, but its answer was sealed under a root secret that is not given any more. Look at what it made; do not send it again under a new key unless it is to be done twice.";

/// A write under way. Boxed: a task is a lot of code, and each kind of future would have it compiled once more.
type Work = Pin<Box<dyn Future<Output = Result<Reply, ApiProblem>>>>;

/// Does a write once, whatever becomes of the client meanwhile; `body` is the SHA-256 of what it sent.
pub async fn once(
    request: &HttpRequest,
    shared: web::Data<Web>,
    key: ApiKeyId,
    body: [u8; 32],
    work: impl Future<Output = Result<Reply, ApiProblem>> + 'static,
) -> Answer {
    once_of(request, shared, key, body, Box::pin(work)).await
}

async fn once_of(
    request: &HttpRequest,
    shared: web::Data<Web>,
    key: ApiKeyId,
    body: [u8; 32],
    work: Work,
) -> Answer {
    let Some(given) = given(request)? else {
        return on_a_task_of_its_own(work).await.map(Reply::respond);
    };
    let mut whole = Sha256::new();
    for part in [
        request.method().as_str(),
        request.path(),
        request.query_string(),
    ] {
        whole.update(part.as_bytes());
        whole.update([0]);
    }
    whole.update(body);
    let asked = Repeatable {
        key,
        brought: given,
        request: whole.finalize().into(),
    };
    let turn = match shared.app.take_up(asked).await? {
        Taken::Up(turn) => turn,
        Taken::Answered(status, body) => {
            let mut answer = Reply { status, body }.respond();
            let value = actix_web::http::header::HeaderValue::from_static(REPLAYED.1);
            answer
                .headers_mut()
                .insert(HeaderName::from_static(REPLAYED.0), value);
            return Ok(answer);
        }
        Taken::UnderWay => return Err(ApiProblem::under_way()),
        Taken::Unreadable => return Err(ApiProblem::conflict(UNREADABLE)),
        Taken::Other => return Err(ApiProblem::key_used_otherwise()),
    };
    let done = on_a_task_of_its_own(Box::pin(async move {
        let done = work.await;
        match &done {
            Ok(reply) => shared.app.answered(turn, reply.status, &reply.body).await?,
            Err(_) => shared.app.not_done(turn).await?,
        }
        done
    }));
    done.await.map(Reply::respond)
}

/// A client that goes away must not leave half a write, nor a write whose answer is not kept.
async fn on_a_task_of_its_own(work: Work) -> Result<Reply, ApiProblem> {
    let done = rt::spawn(work).await;
    done.unwrap_or_else(|_| Err(ApiProblem::unavailable("The request broke off.")))
}

/// The header's value: a text in quotes, as the draft has it, or bare, as many programs send it.
fn given(request: &HttpRequest) -> Result<Option<String>, ApiProblem> {
    let Some(value) = request.headers().get(HEADER) else {
        return Ok(None);
    };
    let wrong = || {
        ApiProblem::malformed(format!(
            "Idempotency-Key is 1 to {KEY_AT_MOST} letters, digits and signs of ASCII, without spaces."
        ))
    };
    let text = value.to_str().map_err(|_| wrong())?.trim();
    let bare = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(text);
    let fits =
        (1..=KEY_AT_MOST).contains(&bare.len()) && bare.bytes().all(|b| b.is_ascii_graphic());
    if fits {
        Ok(Some(bare.to_owned()))
    } else {
        Err(wrong())
    }
}
