//! Sending what waits in the outbox.
//!
//! One loop claims due mails under a lease; as many senders as there are SMTP sessions compose and send them; results are
//! written in batches. Exactly-once is impossible over SMTP: if the process dies after the server's last reply and before
//! our commit, the mail is sent again, with the same Message-ID, and the try is marked ambiguous. Nothing else sends twice.

use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinSet;

use self::compose::Skeletons;
use self::lease::{CLAIM, UnderWay};
use self::result::Sent;
pub(super) use self::settings::smtp_settings;
use self::wanted::Job;
use self::write::{Stored, write};
use super::{App, Work};
use crate::mail::dkim::{DkimKey, DkimProblem};
use crate::mail::transport::{self, Transport};
use crate::store::StoreError;
use crate::store::writer::{Batcher, WRITING};

mod compose;
mod hold_back;
mod lease;
mod notices;
mod ready;
mod result;
mod send;
mod settings;
mod wanted;
mod write;

/// The longest sleep between two looks at the outbox; other processes queue mails without waking this one.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Why delivery cannot start.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryProblem {
    #[error("smtp: {0}")]
    Smtp(#[from] transport::SettingsProblem),
    #[error("dkim: {0}")]
    Dkim(#[from] DkimProblem),
}

/// What sends: the pool of SMTP sessions and the signing key.
pub struct Delivery {
    app: Arc<App>,
    work: Work,
    transport: Transport,
    dkim: Option<DkimKey>,
    results: Batcher<Sent, ()>,
    under_way: UnderWay,
    skeletons: Skeletons,
}

impl App {
    /// Connects nothing yet; checks the settings.
    pub fn delivery(self: &Arc<Self>) -> Result<Arc<Delivery>, DeliveryProblem> {
        let transport = Transport::new(smtp_settings(&self.config))?;
        let work = self.work();
        let stored = Stored::default();
        let app = self.clone();
        Ok(Arc::new(Delivery {
            app: self.clone(),
            work: self.work(),
            transport,
            dkim: self.dkim_key()?,
            results: Batcher::start(CLAIM as usize, WRITING, move |sent| {
                let (app, work, stored) = (app.clone(), work.clone(), stored.clone());
                async move { write(&app, &work, &stored, sent).await }
            }),
            under_way: UnderWay::default(),
            skeletons: Skeletons::default(),
        }))
    }

    fn dkim_key(&self) -> Result<Option<DkimKey>, DkimProblem> {
        let Some(dkim) = &self.config.dkim else {
            return Ok(None);
        };
        let pem = dkim.key.expose_secret().as_bytes();
        DkimKey::from_pem(pem, &dkim.selector, &dkim.domain).map(Some)
    }
}

impl Delivery {
    pub fn transport(&self) -> &Transport {
        &self.transport
    }

    /// Runs until `stop` is done; mails under way are finished, the others stay in the outbox.
    pub async fn run(self: Arc<Self>, stop: impl Future<Output = ()> + Send) {
        self.release_after_restart().await;
        let (queue, waiting) = mpsc::channel::<Job>(2 * CLAIM as usize);
        let waiting = Arc::new(Mutex::new(waiting));
        let mut senders = JoinSet::new();
        for _ in 0..self.app.config.smtp.max_sessions {
            let (delivery, waiting) = (self.clone(), waiting.clone());
            senders.spawn(async move { delivery.send_all(&waiting).await });
        }
        let (senders_end, over) = oneshot::channel::<()>();
        let renewing = tokio::spawn(self.clone().renew_leases(over));
        self.claim_until(stop, &queue).await;
        drop(queue);
        while senders.join_next().await.is_some() {}
        // Not cut off: a statement under way would hold its rows a moment longer than anybody knows.
        drop(senders_end);
        let _ = renewing.await;
        self.transport.close().await;
    }

    /// Claims what is due, again and again, until `stop` is done.
    async fn claim_until(&self, stop: impl Future<Output = ()> + Send, queue: &mpsc::Sender<Job>) {
        tokio::pin!(stop);
        loop {
            let claimed = tokio::select! {
                () = &mut stop => return,
                claimed = self.claim(queue) => claimed,
            };
            match claimed {
                Ok(claimed) if claimed >= CLAIM as usize => {}
                Ok(_) => {
                    tokio::select! {
                        () = &mut stop => return,
                        () = self.app.live.mail_waits() => {}
                        () = tokio::time::sleep(LOOK_EVERY) => {}
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "the outbox could not be read");
                    tokio::select! {
                        () = &mut stop => return,
                        () = tokio::time::sleep(LOOK_EVERY) => {}
                    }
                }
            }
        }
    }

    /// Sends what is due now and waits for the results: for tests and commands. Answers with the number of tries.
    pub async fn drain(self: &Arc<Self>) -> Result<usize, StoreError> {
        let mut tries = 0;
        loop {
            let (queue, waiting) = mpsc::channel::<Job>(CLAIM as usize);
            let claimed = self.claim(&queue).await?;
            drop(queue);
            self.send_all(&Mutex::new(waiting)).await;
            if claimed == 0 {
                self.app.keep_smtp_problem().await?;
                return Ok(tries);
            }
            tries += claimed;
        }
    }
}
