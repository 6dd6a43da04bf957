//! Logs, metrics and traces. No address, token or secret is ever a field; names of fields and metrics stand here.

use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

use crate::config::Config;
pub use traces::Traces;

pub mod traces;

/// Signups by what became of their mail.
pub const SIGNUPS: &str = "countersign_signups_total";
/// Attempts to confirm by outcome.
pub const CONFIRMATIONS: &str = "countersign_confirmations_total";
/// Withdrawals by method.
pub const WITHDRAWALS: &str = "countersign_withdrawals_total";
/// Reports about mails by what they were.
pub const REPORTS: &str = "countersign_mail_reports_total";
/// What mail providers told by webhook, by provider and outcome.
pub const HOOKS: &str = "countersign_provider_events_total";
/// Mails by outcome.
pub const MAILS: &str = "countersign_mails_total";
/// Mails that wait, and mails that failed for good.
pub const OUTBOX: &str = "countersign_outbox_mails";
/// Hits on links of mails by link and method.
pub const OPENINGS: &str = "countersign_link_openings_total";
/// Mails that a budget kept back, by budget and whose it is.
pub const BUDGET: &str = "countersign_budget_refusals_total";
/// Entries of the log of evidence.
pub const LOG_ENTRIES: &str = "countersign_log_entries";
/// Contacts whose implicit consent lapses within 30 days.
pub const LAPSING: &str = "countersign_lapsing_contacts";
/// Times that the log of evidence could not go on.
pub const LOG_PROBLEMS: &str = "countersign_log_problems_total";
/// For how long the first event that has no place in the log yet has waited for it; 0 where none waits for longer than it should.
pub const LOG_WAITING: &str = "countersign_log_waiting_seconds";
/// Tiles beyond the newest checkpoint that were not what the events say, and were written anew.
pub const LOG_TILES_MENDED: &str = "countersign_log_tiles_mended_total";
/// Stamps by authority and outcome.
pub const TIMESTAMPS: &str = "countersign_timestamps_total";
/// How old the newest stamp of an authority is.
pub const TIMESTAMP_AGE: &str = "countersign_timestamp_age_seconds";
/// How often an authority gave no stamp since it last gave one.
pub const TIMESTAMP_FAILURES: &str = "countersign_timestamp_failures";
/// Cosignatures by witness and outcome.
pub const COSIGNATURES: &str = "countersign_cosignatures_total";
/// How old the newest cosignature of a witness is.
pub const COSIGNATURE_AGE: &str = "countersign_cosignature_age_seconds";
/// How often a witness did not cosign since it last did.
pub const WITNESS_FAILURES: &str = "countersign_witness_failures";

/// Messages to webhooks by outcome.
pub const WEBHOOKS: &str = "countersign_webhook_messages_total";

/// How often the breaker tripped; whether it is open; the mails that it holds.
pub const BREAKER_TRIPS: &str = "countersign_breaker_trips_total";
pub const BREAKER_OPEN: &str = "countersign_breaker_open";
pub const BREAKER_HELD: &str = "countersign_breaker_held_mails";

/// Requests by route, method and class of status; how long they took, by route.
pub const REQUESTS: &str = "countersign_requests_total";
pub const REQUEST_SECONDS: &str = "countersign_request_seconds";
/// Events that have no place in the log yet; how old its newest checkpoint is.
pub const LOG_BEHIND: &str = "countersign_log_waiting_events";
pub const CHECKPOINT_AGE: &str = "countersign_checkpoint_age_seconds";
/// Events that are logged and not yet counted in the figures of the operators' pages.
pub const FIGURES_BEHIND: &str = "countersign_figures_behind_events";
/// Whether no mail leaves because an older copy of the database was put back.
pub const SENDING_HELD: &str = "countersign_sending_held";
/// Signups of this day (UTC), up to now, by what became of them so far: `step` is signed_up, mailed, opened or confirmed.
pub const TODAY: &str = "countersign_signups_today";

/// Every metric there is.
pub const ALL: [&str; 33] = [
    SIGNUPS,
    CONFIRMATIONS,
    MAILS,
    OUTBOX,
    OPENINGS,
    BUDGET,
    LOG_ENTRIES,
    LAPSING,
    LOG_PROBLEMS,
    TIMESTAMPS,
    TIMESTAMP_AGE,
    TIMESTAMP_FAILURES,
    COSIGNATURES,
    COSIGNATURE_AGE,
    WITNESS_FAILURES,
    BREAKER_TRIPS,
    BREAKER_OPEN,
    BREAKER_HELD,
    REQUESTS,
    REQUEST_SECONDS,
    LOG_WAITING,
    LOG_BEHIND,
    CHECKPOINT_AGE,
    FIGURES_BEHIND,
    SENDING_HELD,
    TODAY,
    WITHDRAWALS,
    REPORTS,
    HOOKS,
    LOG_TILES_MENDED,
    WEBHOOKS,
    "countersign_request_seconds_bucket",
    "countersign_request_seconds_count",
];

/// Where the histogram of requests is cut, in seconds.
const SECONDS: [f64; 11] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0,
];
/// What was measured between two scrapes is put together so often, scraped or not.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// What is written to the log. The libraries below are silent unless something is wrong: at debug they would print what we must not.
fn log_filter(level: &str) -> EnvFilter {
    EnvFilter::new(format!(
        "warn,countersign={level},actix_server=warn,sqlx=error,lettre=off,opentelemetry=off"
    ))
}

/// Starts the log. Called once, by `main`.
pub fn start_log(json: bool, level: &str) {
    let filter = log_filter(level);
    let started = if json {
        tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(std::io::stderr)
            .json()
            .try_init()
    } else {
        tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(std::io::stderr)
            .with_target(false)
            .try_init()
    };
    // A second start, as in tests, keeps the first.
    drop(started);
}

/// Starts the log, and traces where the settings name a collector. Whoever starts them ends them.
pub fn start_log_of(config: &Config) -> Result<Option<Traces>, String> {
    let Some(collector) = &config.collector else {
        start_log(config.log_json, &config.log_level);
        return Ok(None);
    };
    let traces = Traces::start(collector)?;
    let log = fmt::layer().with_writer(std::io::stderr);
    let log = if config.log_json {
        log.json().boxed()
    } else {
        log.with_target(false).boxed()
    };
    let started = tracing_subscriber::registry()
        .with(log.with_filter(log_filter(&config.log_level)))
        .with(traces.layer())
        .try_init();
    drop(started);
    Ok(Some(traces))
}

/// Starts collecting metrics; `None` if another part of the process already does. To be called inside a runtime.
pub fn start_metrics() -> Option<PrometheusHandle> {
    let matcher = Matcher::Full(REQUEST_SECONDS.to_owned());
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(matcher, &SECONDS)
        .ok()?;
    let handle = builder.install_recorder().ok()?;
    // An alert on something that never happened needs a zero to begin from.
    metrics::counter!(LOG_PROBLEMS).increment(0);
    metrics::counter!(BREAKER_TRIPS).increment(0);
    let kept = handle.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(UPKEEP_EVERY).await;
            kept.run_upkeep();
        }
    });
    Some(handle)
}
