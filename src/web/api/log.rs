//! `/api/v1/log`: how the log of evidence stands, its checkpoints and timestamps; having it checked and timestamped.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::Params;
use super::catalog::Nothing;
use super::cursor;
use super::idempotent::once;
use super::key::{Key, LogRead, LogWrite};
use super::problem::ApiProblem;
use super::reply::{Answer, Page, Reply, ok};
use crate::app::auditing::{Audited, Running};
use crate::app::log_standing::StampLine;
use crate::domain::operator::Deed;
use crate::web::Web;

/// How it stands with a time-stamping authority or a witness.
#[derive(Debug, Serialize, ToSchema)]
pub struct AnchorItem {
    /// As the settings call it.
    name: String,
    /// Entries that its newest timestamp or cosignature covers.
    entries: i64,
    /// When that was given.
    #[schema(format = DateTime)]
    last_at: Option<String>,
    /// Failures since then, and what was wrong last.
    failures: i64,
    problem: Option<String>,
}

/// How the log stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct LogAnswer {
    origin: String,
    /// The key that signs it, as a C2SP signed note's verifier.
    vkey: String,
    entries: i64,
    /// When the newest checkpoint was signed.
    #[schema(format = DateTime)]
    signed_at: Option<String>,
    /// The newest checkpoint itself, a signed note with the lines of those that cosigned it; null before the first event.
    checkpoint: Option<String>,
    /// Events without a place in the log yet.
    waiting: i64,
    /// Where readers find the log; null where it is not published.
    published_at: Option<String>,
    /// What keeps it from going on.
    problem: Option<String>,
    authorities: Vec<AnchorItem>,
    witnesses: Vec<AnchorItem>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LogQuery {
    /// The cursor of an earlier page.
    after: Option<String>,
    /// 1 to 500; by default 100.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// A signed state of the log.
#[derive(Debug, Serialize, ToSchema)]
pub struct CheckpointItem {
    /// Entries.
    size: i64,
    /// Of these, those that it added.
    added: i64,
    #[schema(format = DateTime)]
    signed_at: String,
}

/// That somebody else signed how many entries the log had at a time (RFC 3161).
#[derive(Debug, Serialize, ToSchema)]
pub struct TimestampItem {
    number: i64,
    /// Entries that it covers.
    size: i64,
    authority: String,
    /// As its certificate calls it.
    signer: Option<String>,
    #[schema(format = DateTime)]
    at: String,
    /// Hexadecimal.
    serial: Option<String>,
    /// An object identifier.
    policy: Option<String>,
}

/// A timestamp with what the authority sent.
#[derive(Debug, Serialize, ToSchema)]
pub struct TimestampAnswer {
    #[serde(flatten)]
    about: TimestampItem,
    /// The TimeStampResp (RFC 3161) as it came, in Base64.
    response: String,
    /// The chain by which it was checked before it was kept, as PEM.
    certificates: String,
    /// The checkpoint that it stamps: the SHA-256 of this text is in the response.
    checkpoint: String,
}

/// An audit under way.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunningAudit {
    by: String,
    #[schema(format = DateTime)]
    since: String,
    /// Entries that were checked, of how many.
    done: u64,
    of: u64,
}

/// What an audit found.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditResult {
    by: String,
    #[schema(format = DateTime)]
    ended_at: String,
    seconds: u64,
    /// Whether everything holds.
    holds: bool,
    entries: u64,
    checkpoints: u64,
    timestamps: u64,
    /// What does not hold; the first twenty.
    findings: Vec<String>,
    /// Findings beyond these.
    more: u64,
    remarks: Vec<String>,
}

/// The audit of this process that is under way, and the last one of any that was asked for by a page or a program.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditAnswer {
    running: Option<RunningAudit>,
    last: Option<AuditResult>,
}

/// What an authority answered.
#[derive(Debug, Serialize, ToSchema)]
pub struct StampedItem {
    authority: String,
    stamped: bool,
    problem: Option<String>,
}

impl From<StampLine> for TimestampItem {
    fn from(line: StampLine) -> Self {
        Self {
            number: line.number,
            size: line.size,
            authority: line.authority,
            signer: line.signer,
            at: line.at.to_string(),
            serial: line.serial,
            policy: line.policy,
        }
    }
}

impl From<Running> for RunningAudit {
    fn from(one: Running) -> Self {
        Self {
            by: one.by,
            since: one.since.to_string(),
            done: one.done,
            of: one.of,
        }
    }
}

impl From<Audited> for AuditResult {
    fn from(one: Audited) -> Self {
        Self {
            holds: one.holds(),
            by: one.by,
            ended_at: one.ended_at.to_string(),
            seconds: one.seconds,
            entries: one.entries,
            checkpoints: one.checkpoints,
            timestamps: one.timestamps,
            findings: one.findings,
            more: one.more,
            remarks: one.remarks,
        }
    }
}

/// How the log stands, with its newest checkpoint.
#[utoipa::path(get, path = "/api/v1/log", operation_id = "getLog", tag = "Log", security(("key" = ["log:read"])),
    responses((status = 200, description = "How it stands", body = LogAnswer)))]
pub async fn show(shared: web::Data<Web>, _: Key<LogRead>, _: Params<Nothing>) -> Answer {
    let app = &shared.app;
    let log = app.log_standing().await?;
    let size = u64::try_from(log.entries).unwrap_or(0);
    let checkpoint = app.checkpoint_with_cosignatures(size).await?;
    ok(&LogAnswer {
        origin: log.origin,
        vkey: log.vkey,
        entries: log.entries,
        signed_at: log.signed_at.as_ref().map(ToString::to_string),
        checkpoint,
        waiting: log.waiting,
        published_at: log.published_at,
        problem: log.problem,
        authorities: log
            .authorities
            .into_iter()
            .map(|one| AnchorItem {
                name: one.authority,
                entries: one.entries,
                last_at: one.last_stamp_at.as_ref().map(ToString::to_string),
                failures: one.failures,
                problem: one.problem,
            })
            .collect(),
        witnesses: log
            .witnesses
            .into_iter()
            .map(|one| AnchorItem {
                name: one.witness,
                entries: one.entries,
                last_at: one.last_cosigned_at.as_ref().map(ToString::to_string),
                failures: one.failures,
                problem: one.problem,
            })
            .collect(),
    })
}

/// The limit as the verbs take it.
fn many(limit: i64) -> usize {
    usize::try_from(limit).unwrap_or(1)
}

/// Checkpoints, the newest first.
#[utoipa::path(get, path = "/api/v1/log/checkpoints", operation_id = "listCheckpoints", tag = "Log", params(LogQuery),
    security(("key" = ["log:read"])),
    responses((status = 200, description = "A page of checkpoints", body = Page<CheckpointItem>)))]
pub async fn checkpoints(
    shared: web::Data<Web>,
    _: Key<LogRead>,
    query: Params<LogQuery>,
) -> Answer {
    let before = cursor::number_before(query.0.after.as_deref())?;
    let limit = cursor::limit(query.0.limit)?;
    let found = shared.app.checkpoints((before, true), many(limit)).await?;
    let next = cursor::next(&found, limit, |last| cursor::of_position(last.size));
    let items = found.into_iter().map(|line| CheckpointItem {
        size: line.size,
        added: line.added,
        signed_at: line.signed_at.to_string(),
    });
    ok(&Page {
        items: items.collect(),
        next,
    })
}

/// Timestamps that are kept, the newest first.
#[utoipa::path(get, path = "/api/v1/log/timestamps", operation_id = "listTimestamps", tag = "Log", params(LogQuery),
    security(("key" = ["log:read"])),
    responses((status = 200, description = "A page of timestamps", body = Page<TimestampItem>)))]
pub async fn timestamps(
    shared: web::Data<Web>,
    _: Key<LogRead>,
    query: Params<LogQuery>,
) -> Answer {
    let before = cursor::number_before(query.0.after.as_deref())?;
    let limit = cursor::limit(query.0.limit)?;
    let found = shared.app.stamps((before, true), many(limit)).await?;
    let next = cursor::next(&found, limit, |last| cursor::of_position(last.number));
    let items = found.into_iter().map(TimestampItem::from);
    ok(&Page {
        items: items.collect(),
        next,
    })
}

/// One timestamp, with the authority's response and the checkpoint that it stamps.
#[utoipa::path(get, path = "/api/v1/log/timestamps/{number}", operation_id = "getTimestamp", tag = "Log",
    params(("number" = i64, Path, minimum = 1)), security(("key" = ["log:read"])),
    responses((status = 200, description = "The timestamp", body = TimestampAnswer)))]
pub async fn one_timestamp(
    shared: web::Data<Web>,
    _: Key<LogRead>,
    number: web::Path<String>,
) -> Answer {
    let none = || ApiProblem::not_found("There is no timestamp of this number.");
    let number = number.parse::<i64>().ok().filter(|number| *number > 0);
    let found = match number {
        Some(number) => shared.app.stamp_of_number(number).await?,
        None => None,
    };
    let found = found.ok_or_else(none)?;
    ok(&TimestampAnswer {
        about: found.line.into(),
        response: STANDARD.encode(found.response),
        certificates: found.certificates,
        checkpoint: found.checkpoint,
    })
}

fn audit_answer(shared: &Web, last: Option<Audited>) -> AuditAnswer {
    AuditAnswer {
        running: shared.app.auditing.running().map(RunningAudit::from),
        last: last.map(AuditResult::from),
    }
}

/// The audit that is under way, and what the last one found. It takes a key for all brands.
#[utoipa::path(get, path = "/api/v1/log/audit", operation_id = "getAudit", tag = "Log", security(("key" = ["log:read"])),
    responses((status = 200, description = "How far it is, and what was found", body = AuditAnswer)))]
pub async fn audit(shared: web::Data<Web>, key: Key<LogRead>, _: Params<Nothing>) -> Answer {
    key.needs_all_brands()?;
    let last = shared.app.last_audit().await?;
    ok(&audit_answer(&shared, last))
}

/// Have the whole log checked, as `countersign verify --log` does; it goes on in the background, one audit at a time. It takes a key
/// for all brands.
#[utoipa::path(post, path = "/api/v1/log/audit", operation_id = "startAudit", tag = "Log", security(("key" = ["log:write"])),
    responses((status = 202, description = "It is under way", body = AuditAnswer)))]
pub async fn begin_audit(
    request: HttpRequest,
    shared: web::Data<Web>,
    key: Key<LogWrite>,
) -> Answer {
    key.needs_all_brands()?;
    let acting = key.acting(&request, &shared);
    let work = {
        let shared = shared.clone();
        async move {
            if !shared.app.begin_audit(&acting).await? {
                return Err(ApiProblem::conflict("An audit is under way already."));
            }
            let last = shared.app.last_audit().await?;
            Reply::json(StatusCode::ACCEPTED, &audit_answer(&shared, last))
        }
    };
    once(&request, shared, key.key.id, [0; 32], work).await
}

/// Have the newest checkpoint timestamped by every authority of the settings, now. It takes a key for all brands.
#[utoipa::path(post, path = "/api/v1/log/timestamps", operation_id = "createTimestamps", tag = "Log",
    security(("key" = ["log:write"])),
    responses((status = 200, description = "What each authority answered; nothing where the log has no entries",
        body = Page<StampedItem>)))]
pub async fn stamp(request: HttpRequest, shared: web::Data<Web>, key: Key<LogWrite>) -> Answer {
    key.needs_all_brands()?;
    let acting = key.acting(&request, &shared);
    let work = {
        let shared = shared.clone();
        async move {
            let app = &shared.app;
            if app.config.timestamps.authorities.is_empty() {
                return Err(ApiProblem::conflict(
                    "No authority is named in the settings under [timestamp].",
                ));
            }
            app.acted(&acting, Deed::TimestampAsked, None).await?;
            let asked = async {
                app.sequence().await?;
                app.stamp_now().await
            };
            let asked = asked.await.map_err(|problem| {
                tracing::warn!(%problem, "the authorities could not be asked for timestamps");
                ApiProblem::unavailable("The log of evidence does not go on.")
            })?;
            let items = asked.into_iter().map(|one| StampedItem {
                stamped: one.outcome.is_ok(),
                problem: one.outcome.err().map(|problem| problem.to_string()),
                authority: one.authority,
            });
            let page = Page {
                items: items.collect(),
                next: None,
            };
            Reply::json(StatusCode::OK, &page)
        }
    };
    once(&request, shared, key.key.id, [0; 32], work).await
}
