//! `GET /i/{token}/events`: the waiting page is told when its signup is confirmed, in whatever browser.

use std::sync::atomic::Ordering;
use std::time::Duration;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::{Stream, stream};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::sync::watch;
use tokio::time::Instant;

use super::{Status, look, own_ids};
use crate::app::inbox::Waiting;
use crate::domain::ids::{BrandId, RequestId};
use crate::web::extract::token::cookie_name;
use crate::web::{Web, cors, error};

/// Waiting pages that are kept informed at once; further ones ask again by themselves.
const LISTENERS_AT_MOST: usize = 2_000;
/// A connection is held so long; then the page opens a new one.
const LISTEN_FOR: Duration = Duration::from_secs(300);
/// Looks at the database, since another process may have taken the confirmation.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// A comment, which browsers pass over.
const STIR: &str = ":\n\n";

/// Counts a listener for as long as it lives.
struct Listening(web::Data<Web>);

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.listeners.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Listening {
    /// None: too many listen already.
    fn begin(shared: &web::Data<Web>) -> Option<Self> {
        let before = shared.listeners.fetch_add(1, Ordering::Relaxed);
        let listening = Self(shared.clone());
        (before < LISTENERS_AT_MOST).then_some(listening)
    }
}

/// One page that waits, and for how long.
struct Listener {
    listening: Listening,
    brand: BrandId,
    request: RequestId,
    /// The signup whose mail is out in place of this one's, where the browser made both.
    twin: Option<RequestId>,
    /// The genuine cookies of the browser.
    own: Vec<String>,
    wakes: Receiver<RequestId>,
    stopping: watch::Receiver<bool>,
    until: Instant,
    look_at: Instant,
    stir_at: Instant,
    /// What is told first, without waiting.
    first: Option<Waiting>,
    over: bool,
}

enum Told {
    State(Waiting),
    Nothing,
}

impl Listener {
    /// What the page is told next; none at the end.
    async fn next(&mut self) -> Option<Told> {
        if self.over {
            return None;
        }
        let told = match self.first.take() {
            Some(waiting) => Told::State(waiting),
            None => self.answered().await?,
        };
        self.over =
            matches!(told, Told::State(waiting) if !matches!(waiting, Waiting::Waiting { .. }));
        self.stir_at = Instant::now() + self.listening.0.stir_within;
        Some(told)
    }

    /// Waits until the request is answered, or for as long as nothing may be said at most; none if the time is over, the request
    /// gone, or the process about to end.
    async fn answered(&mut self) -> Option<Told> {
        loop {
            let woken = tokio::select! {
                woken = self.wakes.recv() => woken,
                _ = self.stopping.wait_for(|stopping| *stopping) => return None,
                () = tokio::time::sleep_until(self.look_at) => Err(RecvError::Lagged(0)),
            };
            match woken {
                Ok(answered) if answered != self.request && Some(answered) != self.twin => {
                    continue;
                }
                Err(RecvError::Closed) => return None,
                _ => {}
            }
            self.look_at = Instant::now() + LOOK_EVERY;
            let is_own = |id: RequestId| self.own.contains(&cookie_name(id));
            let app = &self.listening.0.app;
            let found = app.inbox(self.brand, self.request, &is_own).await;
            let waiting = found.ok().flatten()?.waiting;
            if !matches!(waiting, Waiting::Waiting { .. }) {
                return Some(Told::State(waiting));
            }
            let now = Instant::now();
            if now >= self.until {
                return None;
            }
            if now >= self.stir_at {
                return Some(Told::Nothing);
            }
        }
    }
}

fn told(listener: Listener) -> impl Stream<Item = Result<web::Bytes, actix_web::Error>> {
    stream::unfold(listener, |mut listener| async move {
        let bytes = match listener.next().await? {
            Told::State(waiting) => {
                let data = serde_json::to_string(&Status::of(waiting)).ok()?;
                web::Bytes::from(format!("event: state\ndata: {data}\n\n"))
            }
            Told::Nothing => web::Bytes::from_static(STIR.as_bytes()),
        };
        Some((Ok(bytes), listener))
    })
}

/// Server-sent events (HTML Living Standard, section 9.2), one at the start and one at the end, with comments between.
pub async fn events(
    request: HttpRequest,
    shared: web::Data<Web>,
    token: web::Path<String>,
) -> HttpResponse {
    let (known, view) = match look(&request, &shared, &token).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    let Some(listening) = Listening::begin(&shared) else {
        return error::unavailable(&request, &shared);
    };
    let brand = known.brand.id;
    let now = Instant::now();
    let listener = Listener {
        listening,
        brand,
        request: known.request,
        twin: view.twin.map(|twin| twin.id),
        own: own_ids(&request, &shared),
        wakes: shared.app.live.listen(),
        stopping: shared.app.live.stopping(),
        until: now + LISTEN_FOR,
        look_at: now + LOOK_EVERY,
        stir_at: now + shared.stir_within,
        first: Some(view.waiting),
        over: false,
    };
    let response = HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/event-stream"))
        .insert_header(("x-accel-buffering", "no"))
        .streaming(Box::pin(told(listener)));
    cors::of_brand(&request, &shared, brand, response)
}
