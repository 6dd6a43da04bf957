//! HTTP: routes, extraction, pages. A handler extracts, calls one verb of `app`, and answers.

pub mod admin;
pub mod api;
pub mod assets;
pub mod cors;
pub mod demo;
pub mod error;
pub mod extract;
pub mod health;
pub mod hooks;
pub mod observe;
mod packed;
pub mod page;
pub mod public;
pub mod routes;
mod same_time;

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use actix_web::dev::Server;
pub use actix_web::dev::ServerHandle;
use actix_web::{App as ActixApp, HttpServer, middleware, web};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::Semaphore;

use crate::app::App;
use assets::Assets;

/// What handlers share.
pub struct Web {
    pub app: Arc<App>,
    pub assets: Assets,
    /// The mails that the demo's own SMTP server caught; only the demo has it.
    pub demo: Option<Arc<demo::Caught>>,
    pub metrics: Option<PrometheusHandle>,
    pub ids: observe::Ids,
    /// Waiting pages that are kept informed at the moment.
    pub listeners: AtomicUsize,
    /// How long nothing is said to a page that waits, at most.
    pub stir_within: Duration,
    /// What API keys used of their quotas.
    pub used: api::quota::Used,
    /// How long a client may take to send its request's head.
    pub head_within: Duration,
    /// How long the body of a request may take that is read whole.
    pub body_within: Duration,
    /// What a long body has to keep to that is written to disk as it comes.
    pub upload_pace: extract::paced::Pace,
    /// Turns at making evidence bundles, each of which is in memory whole, whoever asks: a program, or an operator in the pages.
    pub bundles: Semaphore,
    /// A route that parses like a signup and stores nothing, for `bench` only.
    pub ceiling: bool,
}

impl Web {
    pub fn new(app: Arc<App>, metrics: Option<PrometheusHandle>) -> Self {
        Self {
            app,
            assets: Assets::built_in(),
            demo: None,
            metrics,
            ids: observe::Ids::default(),
            listeners: AtomicUsize::new(0),
            stir_within: STIR_WITHIN,
            used: api::quota::Used::default(),
            head_within: HEAD_WITHIN,
            body_within: extract::body::WITHIN,
            upload_pace: extract::paced::LEAST,
            bundles: Semaphore::new(BUNDLES_AT_ONCE),
            ceiling: false,
        }
    }
}

/// How long a client may take to send its request's head. With what its body may take (`extract::body::WITHIN`) a slow client is
/// gone within 15 seconds (T32).
pub const HEAD_WITHIN: Duration = Duration::from_secs(5);
/// Proxies cut a connection on which nothing comes for a minute.
const STIR_WITHIN: Duration = Duration::from_secs(15);
const BUNDLES_AT_ONCE: usize = 4;
const KEEP_ALIVE: Duration = Duration::from_secs(75);
const CONNECTIONS_AT_MOST: usize = 10_000;
/// Connections that the system keeps until they are accepted (listen(2)). std keeps 128; whoever comes beyond that in a rush is
/// reset by Linux without a word. It keeps no more than net.core.somaxconn says.
const WAITING_AT_MOST: i32 = 4_096;
/// Of those that only look how this process does.
const MACHINES_AT_MOST: usize = 100;

/// Starts answering machines on an address of their own: `/livez`, `/readyz` and `/metrics`, and nothing else. In a process that
/// serves no pages it is the only way to see how it does.
pub fn serve_machines(
    listener: TcpListener,
    app: Arc<App>,
    metrics: Option<PrometheusHandle>,
) -> std::io::Result<Server> {
    let shared = web::Data::new(health::Machines { app, metrics });
    let server = HttpServer::new(move || {
        ActixApp::new()
            .app_data(shared.clone())
            .route("/livez", web::get().to(health::live))
            .route("/readyz", web::get().to(health::ready_here))
            .route("/metrics", web::get().to(health::metrics_here))
    })
    .workers(1)
    .max_connections(MACHINES_AT_MOST)
    .client_request_timeout(HEAD_WITHIN)
    .keep_alive(KEEP_ALIVE)
    .shutdown_timeout(10)
    .disable_signals()
    .listen(with_room(listener)?)?
    .run();
    Ok(server)
}

/// The same socket, in whose queue a rush of connections has room.
fn with_room(listener: TcpListener) -> std::io::Result<TcpListener> {
    rustix::net::listen(&listener, WAITING_AT_MOST)?;
    Ok(listener)
}

/// Starts serving on a bound socket. The server stops when its handle says so; requests under way get 10 seconds.
pub fn serve(listener: TcpListener, shared: Web, workers: usize) -> std::io::Result<Server> {
    let head_within = shared.head_within;
    let shared = web::Data::new(shared);
    let server = HttpServer::new(move || {
        ActixApp::new()
            .app_data(shared.clone())
            .wrap(middleware::from_fn(page::finish))
            .wrap(middleware::from_fn(observe::observe))
            .configure(|routes| routes::configure(routes, &shared))
    })
    .workers(workers)
    .max_connections(CONNECTIONS_AT_MOST)
    // Without it each piece of a streamed answer waits some 40 ms for an acknowledgement.
    .tcp_nodelay(true)
    .client_request_timeout(head_within)
    .keep_alive(KEEP_ALIVE)
    .shutdown_timeout(10)
    .disable_signals()
    .listen(with_room(listener)?)?
    .run();
    Ok(server)
}
