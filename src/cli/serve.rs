//! `countersign serve`: web, delivery and clockwork in one process, or split over machines by role.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::Instrument;

use super::{Done, Ended};
use crate::app::App;
use crate::app::deliver::Delivery;
use crate::clock::{Clock, Random};
use crate::config::Config;
use crate::telemetry::{self, traces::TARGET};
use crate::web::{self, Web};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Role {
    All,
    /// Pages only
    Web,
    /// Delivery and clockwork only
    Worker,
}

#[derive(Args)]
pub struct Serve {
    /// What this process does
    #[arg(long, value_enum, default_value = "all")]
    role: Role,
}

/// How often the catalog is looked at for changes of other processes, and old rows are tidied away.
const REFRESH_EVERY: Duration = Duration::from_secs(1);
/// How often it is looked whether another process saw an authority's clock.
const LEARN_EVERY: Duration = Duration::from_secs(60);
const ASK_EVERY: Duration = Duration::from_secs(2);
const NOTIFY_EVERY: Duration = Duration::from_secs(300);
/// How often it is looked for a list to try or to take in, and how many are worked on at once.
const DRAFTS_EVERY: Duration = Duration::from_secs(1);
const DRAFTS_AT_ONCE: usize = 2;
const LAPSE_EVERY: Duration = Duration::from_secs(60);
/// How often requests whose reminder or end is due are looked for.
const EXPIRE_EVERY: Duration = Duration::from_secs(60);
const TIDY_EVERY: Duration = Duration::from_secs(600);
/// How often it is looked whether the term of something is over that is kept for one.
const RETAIN_EVERY: Duration = Duration::from_secs(60);
/// How often events without a place in the log are looked for.
const SEQUENCE_EVERY: Duration = Duration::from_millis(250);
/// How often what was logged is added to the figures.
const SUMMARIZE_EVERY: Duration = Duration::from_secs(2);
/// How often the share of confirmed mails is looked at.
const WATCH_EVERY: Duration = Duration::from_secs(60);
/// How often it is looked whether the log is to be stamped.
const STAMP_EVERY: Duration = Duration::from_secs(5);
/// How often it is looked whether webhooks are to be told of events.
const TELL_EVERY: Duration = Duration::from_millis(500);
/// How often what keeps mail from leaving is kept for all processes, when it changed.
const KEEP_EVERY: Duration = Duration::from_secs(2);
/// How often it is looked whether the log has a head that witnesses have not seen.
const WITNESS_EVERY: Duration = Duration::from_secs(2);

impl Serve {
    pub async fn run(self, config: Config) -> Done {
        let traces = telemetry::start_log_of(&config);
        let traces = traces.map_err(|problem| Ended::Wrong(format!("[telemetry] {problem}")))?;
        let metrics = telemetry::start_metrics();
        let app = App::start(config, Clock::System, Random::Os).await?;
        if !app.is_watched() {
            tracing::warn!(
                "nothing outside the database tells when an older copy of it is put back: set [ledger] head_file, or a witness"
            );
        }
        let web = Web::new(app.clone(), metrics);
        let done = run(app, web, self.role, None).await;
        if let Some(traces) = traces {
            traces.end().await;
        }
        done
    }
}

/// A piece of the clockwork, with a span around each time that it runs.
macro_rules! task {
    ($work:ident) => {
        |app: Arc<App>| {
            let span = tracing::info_span!(target: TARGET, concat!("task.", stringify!($work)));
            $work(app).instrument(span)
        }
    };
}

/// Runs until the process is asked to stop, then lets what is under way finish.
pub async fn run(app: Arc<App>, web: Web, role: Role, listener: Option<TcpListener>) -> Done {
    let (stop, stopped) = watch::channel(false);
    let mut tasks = JoinSet::new();
    if role != Role::Web {
        let delivery = app
            .delivery()
            .map_err(|problem| Ended::Wrong(problem.to_string()))?;
        tasks.spawn(cut_short(
            stopped.clone(),
            notify(app.clone(), delivery.clone()),
        ));
        tasks.spawn(delivery.run(until(stopped.clone())));
        tasks.spawn(every(TIDY_EVERY, stopped.clone(), app.clone(), task!(tidy)));
        tasks.spawn(retaining(app.clone(), stopped.clone()));
        tasks.spawn(every(
            EXPIRE_EVERY,
            stopped.clone(),
            app.clone(),
            task!(expire),
        ));
        tasks.spawn(every(
            LAPSE_EVERY,
            stopped.clone(),
            app.clone(),
            task!(lapse),
        ));
        tasks.spawn(every(ASK_EVERY, stopped.clone(), app.clone(), task!(ask)));
        tasks.spawn(every(
            SEQUENCE_EVERY,
            stopped.clone(),
            app.clone(),
            task!(sequence),
        ));
        tasks.spawn(cut_short(stopped.clone(), summarize(app.clone())));
        tasks.spawn(every(
            WATCH_EVERY,
            stopped.clone(),
            app.clone(),
            task!(watch),
        ));
        tasks.spawn(cut_short(stopped.clone(), stamp(app.clone())));
        tasks.spawn(cut_short(stopped.clone(), witness(app.clone())));
        tasks.spawn(every(TELL_EVERY, stopped.clone(), app.clone(), task!(tell)));
        tasks.spawn(every(
            KEEP_EVERY,
            stopped.clone(),
            app.clone(),
            task!(keep_problem),
        ));
    }
    if let Some(address) = app.config.bounces.listen.filter(|_| role != Role::Web) {
        let listener = tokio::net::TcpListener::bind(address).await;
        let listener = listener
            .map_err(|error| Ended::Wrong(format!("[bounce] listen {address}: {error}")))?;
        tasks.spawn(app.clone().take_reports(listener, until(stopped.clone())));
        tracing::info!(%address, "taking reports about mails");
    }
    tasks.spawn(cut_short(stopped.clone(), drafts(app.clone())));
    tasks.spawn(every(
        REFRESH_EVERY,
        stopped.clone(),
        app.clone(),
        task!(refresh),
    ));
    tasks.spawn(every(
        LEARN_EVERY,
        stopped.clone(),
        app.clone(),
        task!(learn),
    ));
    let mut servers = Vec::new();
    if let Some(address) = app.config.telemetry_listen {
        let listener = TcpListener::bind(address)
            .map_err(|error| Ended::Wrong(format!("[telemetry] listen {address}: {error}")))?;
        let running = web::serve_machines(listener, app.clone(), web.metrics.clone())?;
        servers.push(running.handle());
        tasks.spawn(ended(running, "the server of /livez, /readyz and /metrics"));
        tracing::info!(%address, "machines are answered");
    }
    if role != Role::Worker {
        let listener = match listener {
            Some(listener) => listener,
            None => TcpListener::bind(app.config.listen).map_err(|error| {
                Ended::Wrong(format!("[server] listen {}: {error}", app.config.listen))
            })?,
        };
        let workers = app.config.workers;
        let running = web::serve(listener, web, workers)?;
        servers.push(running.handle());
        tasks.spawn(ended(running, "the web server"));
        tracing::info!(address = %app.config.listen, "listening");
    }
    asked_to_stop().await?;
    tracing::info!("stopping; what is under way is finished first");
    let _ = stop.send(true);
    // Pages that wait would hold up the end for as long as requests are given to finish.
    app.live.stop();
    for server in servers {
        server.stop(true).await;
    }
    // Delivery may be waiting up to ten minutes for a server's last word; its lease ends by itself if we do not wait.
    let finished = tokio::time::timeout(Duration::from_secs(30), async {
        while tasks.join_next().await.is_some() {}
    });
    if finished.await.is_err() {
        tracing::warn!("some mails were still under way; they are tried again, marked ambiguous");
    }
    if role != Role::Web {
        keep_problem(app.clone()).await;
        // What was recorded to the end is logged, and another process need not wait for our lease.
        sequence(app.clone()).await;
        if let Err(error) = app.end_sequencing().await {
            tracing::warn!(%error, "the lease on the log runs out by itself");
        }
        if let Err(error) = app.end_asking().await {
            tracing::warn!(%error, "the leases on timestamps and cosignatures run out by themselves");
        }
    }
    app.store.close().await;
    Ok(())
}

async fn ended(running: impl Future<Output = std::io::Result<()>>, what: &'static str) {
    if let Err(error) = running.await {
        tracing::error!(%error, "{what} ended");
    }
}

async fn until(mut stopped: watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

async fn every<Work>(
    period: Duration,
    stopped: watch::Receiver<bool>,
    app: Arc<App>,
    work: fn(Arc<App>) -> Work,
) where
    Work: Future<Output = ()> + Send,
{
    let stopped = until(stopped);
    tokio::pin!(stopped);
    loop {
        tokio::select! {
            () = &mut stopped => return,
            () = tokio::time::sleep(period) => work(app.clone()).await,
        }
    }
}

/// Ends at once when the process is asked to stop: an authority that hangs would hold it up, and is asked again anyhow.
async fn cut_short(stopped: watch::Receiver<bool>, work: impl Future<Output = ()>) {
    tokio::select! {
        () = until(stopped) => {}
        () = work => {}
    }
}

/// What an authority could not do is told by the verb, and tried again; here only what kept it from being asked, once.
async fn stamp(app: Arc<App>) {
    let mut told = None;
    loop {
        tokio::time::sleep(STAMP_EVERY).await;
        let span = tracing::info_span!(target: TARGET, "task.stamp");
        let problem = app.stamp_due().instrument(span).await.err();
        let problem = problem.map(|error| error.to_string());
        if let Some(problem) = problem.as_ref().filter(|_| problem != told) {
            tracing::warn!(%problem, "the authorities could not be asked for timestamps");
        }
        told = problem;
    }
}

/// As `stamp`, for the witnesses.
async fn witness(app: Arc<App>) {
    let mut told = None;
    loop {
        tokio::time::sleep(WITNESS_EVERY).await;
        let span = tracing::info_span!(target: TARGET, "task.witness");
        let problem = app.witness_due().instrument(span).await.err();
        let problem = problem.map(|error| error.to_string());
        if let Some(problem) = problem.as_ref().filter(|_| problem != told) {
            tracing::warn!(%problem, "the witnesses could not be asked to cosign the log");
        }
        told = problem;
    }
}

/// Tells the operator of implicit consent that is about to lapse. Cut short between the server's reply and the commit, the notice
/// comes once more.
async fn notify(app: Arc<App>, delivery: Arc<Delivery>) {
    loop {
        tokio::time::sleep(NOTIFY_EVERY).await;
        let told = async {
            app.tell_of_lapsing().await?;
            delivery.send_notices().await
        };
        if let Err(error) = told.await {
            tracing::warn!(%error, "the operator could not be told of consent that is about to lapse");
        }
    }
}

/// Lists and campaigns that are prepared in the pages: the process that has the list works on it, so each one looks. Cut short, a
/// list is gone on with after the next start.
async fn drafts(app: Arc<App>) {
    let mut at_work: JoinSet<uuid::Uuid> = JoinSet::new();
    let mut ids = Vec::new();
    let mut tidied = None;
    loop {
        while let Some(done) = at_work.try_join_next() {
            match done {
                Ok(id) => ids.retain(|known| *known != id),
                Err(_) if at_work.is_empty() => ids.clear(),
                Err(_) => {}
            }
        }
        if tidied.is_none_or(|at: tokio::time::Instant| at.elapsed() >= TIDY_EVERY) {
            tidied = Some(tokio::time::Instant::now());
            if let Err(error) = app.tidy_drafts().await {
                tracing::warn!(%error, "old lists could not be tidied away");
            }
        }
        while at_work.len() < DRAFTS_AT_ONCE {
            match app.next_draft(&ids).await {
                Ok(Some(due)) => {
                    let app = app.clone();
                    ids.push(due.id);
                    let span = tracing::info_span!(target: TARGET, "task.draft");
                    at_work.spawn(
                        async move {
                            app.work_on(due).await;
                            due.id
                        }
                        .instrument(span),
                    );
                }
                Ok(None) => break,
                Err(error) => {
                    tracing::warn!(%error, "nobody can look for lists to try or to take in");
                    break;
                }
            }
        }
        let _ = tokio::time::timeout(DRAFTS_EVERY, app.at_work.woken()).await;
    }
}

async fn retaining(app: Arc<App>, stopped: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            () = until(stopped.clone()) => return,
            () = tokio::time::sleep(RETAIN_EVERY) => {}
        }
        let span = tracing::info_span!(target: TARGET, "task.retain");
        retain(&app, &stopped).instrument(span).await;
    }
}

async fn tidy(app: Arc<App>) {
    if let Err(error) = app.tidy().await {
        tracing::warn!(%error, "old rows could not be tidied away");
    }
}

/// So long people who never confirmed are removed before the others have their turn again.
const PURGE_FOR: Duration = Duration::from_secs(40);

/// Erases who wished it while a hold lasted that is over, and removes what is kept for a term only.
async fn retain(app: &App, stopped: &watch::Receiver<bool>) {
    match app.do_wishes().await {
        Ok(0) => {}
        Ok(contacts) => tracing::info!(
            contacts,
            "people whom a hold had kept were erased at their wish"
        ),
        Err(error) => tracing::warn!(%error, "wishes to be erased could not be looked through"),
    }
    let begun = tokio::time::Instant::now();
    let goes_on = || !*stopped.borrow() && begun.elapsed() < PURGE_FOR;
    match app.purge_while(goes_on).await {
        Ok(0) => {}
        Ok(contacts) => tracing::info!(contacts, "contacts that never confirmed were removed"),
        Err(error) => tracing::warn!(%error, "contacts that never confirmed could not be removed"),
    }
    match app.remove_circumstances().await {
        Ok(0) => {}
        Ok(events) => tracing::info!(events, "network addresses and browsers were removed"),
        Err(error) => tracing::warn!(%error, "old network addresses could not be removed"),
    }
}

async fn expire(app: Arc<App>) {
    match app.expire().await {
        Ok(looked) if looked == Default::default() => {}
        Ok(looked) => tracing::info!(
            expired = looked.expired,
            reminded = looked.reminded,
            "requests were looked through"
        ),
        Err(error) => tracing::warn!(%error, "requests could not be looked through"),
    }
}

/// A log that does not go on is told once, and tried again with every round: whoever mends the database need not restart.
async fn sequence(app: Arc<App>) {
    let problem = app.sequence().await.err().map(|error| error.to_string());
    if let Some(problem) = &problem {
        metrics::counter!(telemetry::LOG_PROBLEMS).increment(1);
        if app.live.log_problem().as_ref() != Some(problem) {
            tracing::error!(%problem, "the log of evidence does not go on");
        }
    }
    app.live.set_log_problem(problem.as_deref());
}

/// Tells once what keeps figures from being added up, and tries again.
async fn summarize(app: Arc<App>) {
    let mut told = None;
    loop {
        tokio::time::sleep(SUMMARIZE_EVERY).await;
        let span = tracing::info_span!(target: TARGET, "task.summarize");
        let problem = app.summarize().instrument(span).await.err();
        let problem = problem.map(|error| error.to_string());
        if let Some(problem) = problem.as_ref().filter(|_| problem != told) {
            tracing::warn!(%problem, "the figures of the operators' pages do not go on");
        }
        told = problem;
    }
}

async fn lapse(app: Arc<App>) {
    match app.lapse().await {
        Ok(0) => {}
        Ok(contacts) => tracing::info!(contacts, "implicit consent lapsed"),
        Err(error) => tracing::warn!(%error, "implicit consent that is over could not be ended"),
    }
    if let Err(error) = app.keep_due().await {
        tracing::warn!(%error, "who is due to be asked again could not be counted");
    }
    if let Err(error) = app.keep_lapsing().await {
        tracing::warn!(%error, "whose consent is about to lapse could not be counted");
    }
}

async fn ask(app: Arc<App>) {
    if let Err(error) = app.campaigns_due().await {
        tracing::warn!(%error, "campaigns do not go on");
    }
}

async fn tell(app: Arc<App>) {
    if let Err(error) = app.tell_in_background().await {
        tracing::warn!(%error, "webhooks are not told");
    }
}

async fn watch(app: Arc<App>) {
    if let Err(error) = app.watch_breaker().await {
        tracing::warn!(%error, "the share of confirmed mails could not be looked at");
    }
}

async fn keep_problem(app: Arc<App>) {
    if let Err(error) = app.keep_smtp_problem().await {
        tracing::warn!(%error, "what keeps mail from leaving could not be kept");
    }
}

async fn refresh(app: Arc<App>) {
    if let Err(error) = app.refresh_catalog().await {
        tracing::warn!(%error, "brands and forms could not be read again");
    }
}

async fn learn(app: Arc<App>) {
    if let Err(error) = app.learn_ahead().await {
        tracing::warn!(%error, "how far the clock is off against an authority's could not be read");
    }
}

async fn asked_to_stop() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
