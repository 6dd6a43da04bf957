//! The log of evidence: how soon an event is in it, what a proof costs, and what it takes to check all of it.

use std::path::Path;
use std::time::{Duration, Instant};

use serde::Serialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::stand::{self, Stand};
use crate::app::sign_up::Submission;
use crate::cli::Ended;
use crate::clock::Random;
use crate::domain::ids::ContactId;
use crate::store::events::{self, AuditedEvent, NewEvent};
use crate::store::log;
use crate::store::set::{ROWS_AT_MOST, Writes};

/// Signups a second while the time to inclusion is measured.
const LOAD: u32 = 1_000;
/// As `serve` does.
const SEQUENCE_EVERY: Duration = Duration::from_millis(250);
/// Proofs that are made.
const PROOFS: u64 = 1_000;

/// What was measured. Times of one event are in the units of their names.
#[derive(Serialize)]
pub(super) struct LedgerFigures {
    engine: &'static str,
    events: u64,
    /// From the event's own time, before its commit, to the signature of the checkpoint that holds it.
    inclusion_p50_ms: f64,
    inclusion_p99_ms: f64,
    inclusion_max_ms: f64,
    /// The load under which that was measured.
    load_rps: f64,
    sequence_eps: f64,
    proof_us: f64,
    verify_s: f64,
    verify_eps: f64,
    /// The same rows read one after another, and plain SHA-256 over body and salt; nothing compared.
    read_and_hash_s: f64,
    verify_ratio: f64,
    /// SHA-256 over as many bytes in memory.
    sha256_s: f64,
    /// Of the database; on PostgreSQL with what every database has in it from the start.
    bytes_per_event: f64,
    /// Of which the log's own tiles.
    log_bytes_per_event: f64,
    body_bytes_per_event: f64,
}

pub(super) async fn measure(
    folder: &Path,
    url: &str,
    engine: &'static str,
    count: u64,
    seconds: u64,
) -> Result<LedgerFigures, Ended> {
    let random = Random::Os;
    let stand = stand::set_up(folder, url, &random).await?;
    let (inclusion, load_rps) = time_to_inclusion(&stand, seconds).await?;
    let template = template(&stand).await?;
    let body_bytes = template.body.as_ref().map_or(0, String::len);
    append(&stand, &template, count, &random).await?;
    let begun = Instant::now();
    let sequenced = stand.app.sequence().await?;
    let sequence_eps = sequenced as f64 / begun.elapsed().as_secs_f64();
    let proof_us = time_of_proofs(&stand, &random).await?;
    let hashed = time_of_hashing(&template, count + inclusion.len() as u64);
    let read_and_hash_s = time_of_reading(&stand).await?.as_secs_f64();
    let begun = Instant::now();
    let audit = stand.app.audit(false, |_, _| {}).await?;
    let verify = begun.elapsed().as_secs_f64();
    if let Some(finding) = audit.findings.first() {
        return Err(Ended::Refused(finding.clone()));
    }
    let mut conn = stand.app.store.read().await?;
    let log_bytes = log::size_of_tiles(&mut conn).await?;
    let database = log::size_of_database(&mut conn).await?;
    drop(conn);
    stand.server.stop(false).await;
    stand.app.store.close().await;
    let sha256_s = hashed.as_secs_f64();
    Ok(LedgerFigures {
        engine,
        events: audit.entries,
        inclusion_p50_ms: at(&inclusion, 50),
        inclusion_p99_ms: at(&inclusion, 99),
        inclusion_max_ms: at(&inclusion, 100),
        load_rps,
        sequence_eps,
        proof_us,
        verify_s: verify,
        verify_eps: audit.entries as f64 / verify,
        read_and_hash_s,
        verify_ratio: verify / read_and_hash_s,
        sha256_s,
        bytes_per_event: database as f64 / audit.entries as f64,
        log_bytes_per_event: log_bytes as f64 / audit.entries as f64,
        body_bytes_per_event: body_bytes as f64,
    })
}

/// Signs people up at a steady rate while the sequencer runs; answers with the sorted times in milliseconds.
async fn time_to_inclusion(stand: &Stand, seconds: u64) -> Result<(Vec<f64>, f64), Ended> {
    let app = stand.app.clone();
    let sequencing = tokio::spawn(async move {
        loop {
            app.sequence().await?;
            tokio::time::sleep(SEQUENCE_EVERY).await;
        }
        #[allow(unreachable_code)]
        Ok::<(), crate::app::sequence::SequenceProblem>(())
    });
    let begun = Instant::now();
    let mut pace = tokio::time::interval(Duration::from_millis(10));
    let mut signups = tokio::task::JoinSet::new();
    for tick in 0..seconds * 100 {
        pace.tick().await;
        for one in 0..u64::from(LOAD / 100) {
            let (app, form) = (stand.app.clone(), stand.form.clone());
            let email = format!("load{tick}.{one}@example.net");
            signups.spawn(async move {
                let given = Submission {
                    email,
                    language: "en".to_owned(),
                    ..Default::default()
                };
                app.sign_up(&form, given).await.is_ok()
            });
        }
    }
    let mut done = 0_u32;
    while let Some(signed_up) = signups.join_next().await {
        done += u32::from(signed_up?);
    }
    let rate = f64::from(done) / begun.elapsed().as_secs_f64();
    tokio::time::sleep(SEQUENCE_EVERY * 4).await;
    sequencing.abort();
    let mut conn = stand.app.store.read().await?;
    let mut times: Vec<f64> = log::inclusion_times(&mut conn)
        .await?
        .into_iter()
        .map(|micros| micros as f64 / 1_000.0)
        .collect();
    times.sort_by(f64::total_cmp);
    Ok((times, rate))
}

fn at(sorted: &[f64], percent: usize) -> f64 {
    let last = sorted.len().saturating_sub(1);
    sorted.get(last * percent / 100).copied().unwrap_or(0.0)
}

/// A real signup's event, to be written again for others.
async fn template(stand: &Stand) -> Result<AuditedEvent, Ended> {
    let mut conn = stand.app.store.read().await?;
    let first = events::list_audited(&mut conn, 0, i64::MAX, 1).await?;
    let first = first.into_iter().next();
    first.ok_or_else(|| Ended::Refused("nobody signed up".to_owned()))
}

/// Events of as many other people, as the template's.
async fn append(
    stand: &Stand,
    template: &AuditedEvent,
    count: u64,
    random: &Random,
) -> Result<(), Ended> {
    let body = template.body.clone().unwrap_or_default();
    let (old, then) = (template.contact_id.0.to_string(), template.at.to_string());
    let mut left = count as usize;
    while left > 0 {
        let now = stand.app.clock.now();
        let body = body.replace(&then, &now.to_string());
        let part: Vec<NewEvent> = (0..left.min(ROWS_AT_MOST))
            .map(|_| {
                let contact = Uuid::from_u128(u128::from_be_bytes(random.bytes()));
                NewEvent {
                    brand_id: template.brand_id,
                    contact_id: ContactId(contact),
                    kind: "signed_up",
                    at: now,
                    body: body.replace(&old, &contact.to_string()),
                    salt: random.bytes(),
                    circumstances: template.circumstances.clone(),
                    mail: None,
                }
            })
            .collect();
        left -= part.len();
        let mut writes = Writes::default();
        events::append(&mut writes, &part);
        stand.app.store.write_now(writes).await?;
    }
    Ok(())
}

async fn time_of_proofs(stand: &Stand, random: &Random) -> Result<f64, Ended> {
    let mut conn = stand.app.store.read().await?;
    let size = log::head(&mut conn).await?.map_or(0, |head| head.size);
    drop(conn);
    let size = u64::try_from(size).unwrap_or(0);
    let begun = Instant::now();
    for _ in 0..PROOFS {
        let path = stand.app.log_inclusion(random.below(size), size).await?;
        if path.is_empty() {
            return Err(Ended::Refused("a proof is empty".to_owned()));
        }
    }
    Ok(begun.elapsed().as_secs_f64() * 1e6 / PROOFS as f64)
}

/// The floor of every verification: all rows read, body and salt hashed once.
async fn time_of_reading(stand: &Stand) -> Result<Duration, Ended> {
    let mut conn = stand.app.store.read().await?;
    let begun = Instant::now();
    let (mut after, mut folded) = (0, 0);
    loop {
        let page = events::list_audited(&mut conn, after, i64::MAX, 4_096).await?;
        let Some(last) = page.last() else {
            std::hint::black_box(folded);
            return Ok(begun.elapsed());
        };
        after = last.position;
        for event in &page {
            let mut hash = Sha256::new();
            hash.update(event.salt.as_deref().unwrap_or_default());
            hash.update(event.body.as_deref().unwrap_or_default());
            folded ^= hash.finalize()[0];
        }
    }
}

/// Plain SHA-256 over as many bytes: each body with its salt.
fn time_of_hashing(template: &AuditedEvent, count: u64) -> Duration {
    let mut bytes = template.salt.clone().unwrap_or_default();
    bytes.extend_from_slice(template.body.as_deref().unwrap_or_default().as_bytes());
    let begun = Instant::now();
    let mut folded = 0;
    for number in 0..count {
        // Each another text, so that nothing can be left out.
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        folded ^= Sha256::digest(&bytes)[0];
    }
    std::hint::black_box(folded);
    begun.elapsed()
}

pub(super) fn print(figures: &LedgerFigures) {
    let f = figures;
    println!("Log of evidence on {}, {} entries", f.engine, f.events);
    println!(
        "in the log after   p50 {:.0} ms, p99 {:.0} ms, at most {:.0} ms, at {:.0} signups a second",
        f.inclusion_p50_ms, f.inclusion_p99_ms, f.inclusion_max_ms, f.load_rps
    );
    println!("sequencer          {:.0} events a second", f.sequence_eps);
    println!("proof of one       {:.0} us", f.proof_us);
    println!(
        "verifying all      {:.1} s, {:.0} events a second; reading the same rows with plain SHA-256 {:.1} s, ratio {:.2}; SHA-256 in memory {:.1} s",
        f.verify_s, f.verify_eps, f.read_and_hash_s, f.verify_ratio, f.sha256_s
    );
    println!(
        "size of one event  {:.0} bytes in the database, {:.0} of body, {:.1} of the log",
        f.bytes_per_event, f.body_bytes_per_event, f.log_bytes_per_event
    );
}
