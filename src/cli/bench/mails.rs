//! Mails a second out of the outbox over real SMTP, between two turns of a plain sender with the same mail.

use std::time::{Duration, Instant};

use super::Bench;
use super::smtp_source::{self, Limit};
use super::stand::{SESSIONS, Stand, fill, sample};
use crate::cli::Ended;
use crate::store::{outbox, temporary};

/// Mails that are drained at most, and at least for each second of a part, up to five.
const MAILS_AT_MOST: u64 = 60_000;
const MAILS_A_SECOND: u64 = 1_000;
const DRAINED_WITHIN: Duration = Duration::from_secs(600);

impl Bench {
    /// Answers with what the outbox gave and with what the plain sender gave, in mails a second.
    pub(super) async fn mails(&self, stand: &Stand, signup_rps: f64) -> Result<(f64, f64), Ended> {
        temporary::settle(&stand.app.store).await?;
        let wanted = (signup_rps * self.seconds as f64) as u64;
        let wanted = wanted.clamp(MAILS_A_SECOND * self.seconds.min(5), MAILS_AT_MOST);
        fill(stand, "mailed", wanted).await?;
        let message = sample(stand)?;
        // A short turn first, as with the other parts; it also shows that the sink counts what it takes.
        let sink = stand.sink.addr;
        smtp_source::run(sink, SESSIONS, &message, Limit::Mails(1_000)).await?;
        let half = || Limit::For(Duration::from_secs(self.seconds) / 2);
        let before = smtp_source::run(sink, SESSIONS, &message, half()).await?;
        let drained = drain(stand, wanted).await?;
        let after = smtp_source::run(sink, SESSIONS, &message, half()).await?;
        let sent = (before.mails + after.mails) as f64;
        let plain = sent / (before.elapsed + after.elapsed).as_secs_f64();
        Ok((drained, plain))
    }
}

/// Lets delivery send all that waits; answers with mails a second.
async fn drain(stand: &Stand, wanted: u64) -> Result<f64, Ended> {
    let delivery = stand
        .app
        .delivery()
        .map_err(|problem| Ended::Refused(problem.to_string()))?;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let taken_before = stand.sink.mails();
    let bytes_before = stand.sink.bytes();
    let began = Instant::now();
    let running = tokio::spawn(delivery.run(async move {
        let _ = stopped.await;
    }));
    empty(stand, taken_before + wanted, began + DRAINED_WITHIN).await?;
    let drained = wanted as f64 / began.elapsed().as_secs_f64();
    let _ = stop.send(());
    let _ = running.await;
    let taken = stand.sink.mails() - taken_before;
    if taken != wanted {
        return Err(Ended::Refused(format!(
            "{wanted} mails were queued and {taken} arrived"
        )));
    }
    let size = (stand.sink.bytes() - bytes_before) / taken.max(1);
    eprintln!("{taken} mails of {size} bytes drained");
    Ok(drained)
}

/// Waits until so many mails have arrived and the outbox is empty.
async fn empty(stand: &Stand, arrived: u64, deadline: Instant) -> Result<(), Ended> {
    loop {
        // The mails are counted where they arrive; the outbox is asked only once all are there.
        if stand.sink.mails() >= arrived
            && outbox::count(&mut stand.app.store.read().await?).await?.0 == 0
        {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(Ended::Refused(
                "the outbox did not drain in ten minutes".into(),
            ));
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
