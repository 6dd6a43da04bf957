//! Mails in a row: one behind the other over one session, each begun before the one in front of it is answered for.

use std::borrow::Borrow;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use super::outgoing::Mail;
use super::session::Session;
use super::{Outcome, ProbeProblem, Transport, closed};

/// A mail that takes longer holds up nobody: those behind it go over another session.
const PATIENCE: Duration = Duration::from_millis(400);

/// The session on which the next mail of a row was begun, with its place among those that were agreed. Dropping it closes
/// the connection: a server delivers nothing of a mail that ends without its dot (RFC 5321, section 4.1.1.4).
pub(super) type Lane = Option<(Session, OwnedSemaphorePermit)>;

impl Transport {
    /// Sends mails in a row; `told` hears what became of each as soon as it is known. Of the row two mails are taken at a time, so
    /// whoever makes them as they are asked for has few of them in memory. Dropping the future is as with [`Transport::send`].
    pub async fn send_row<M, R>(&self, row: R, told: &(impl Fn(&M, Outcome) + Sync))
    where
        M: Borrow<Mail> + Send + Sync,
        R: Iterator<Item = M> + Send,
    {
        let mut row = row.map(Arc::new);
        if let Some(first) = row.next() {
            self.send_from(first, row, told).await;
        }
    }

    fn send_from<'a, M, R>(
        &'a self,
        mut mail: Arc<M>,
        mut behind: R,
        told: &'a (impl Fn(&M, Outcome) + Sync),
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>
    where
        M: Borrow<Mail> + Send + Sync + 'a,
        R: Iterator<Item = Arc<M>> + Send + 'a,
    {
        Box::pin(async move {
            let mut lane = Lane::default();
            loop {
                let Some(next) = behind.next() else {
                    let (outcome, _) = self.deliver(lane, (*mail).borrow(), None).await;
                    told(&mail, outcome);
                    return;
                };
                let (outcome, kept) = {
                    let begun = Some((*next).borrow());
                    let mut sending = std::pin::pin!(self.deliver(lane, (*mail).borrow(), begun));
                    if let Ok(ended) = timeout(PATIENCE, &mut sending).await {
                        ended
                    } else {
                        // The next mail goes over another session, so nobody needs the one on which it was begun: its place
                        // is free as soon as the stalled mail is answered for.
                        let stalled = async { told(&mail, sending.await.0) };
                        tokio::join!(stalled, self.send_from(Arc::clone(&next), behind, told));
                        return;
                    }
                };
                told(&mail, outcome);
                (lane, mail) = (kept, next);
            }
        })
    }

    /// Sends a mail over the session on which it was begun, or over any. Answers also with the session on which the next
    /// one was begun.
    pub(super) async fn deliver(
        &self,
        lane: Lane,
        mail: &Mail,
        next: Option<&Mail>,
    ) -> (Outcome, Lane) {
        let (mut kept, permit) = match lane {
            Some((session, permit)) => (Some(session), permit),
            None => match self.pool.permit().await {
                Ok(permit) => (self.pool.take(), permit),
                Err(_) => return (closed(), None),
            },
        };
        loop {
            let reused = kept.is_some();
            let mut session = match kept.take() {
                Some(session) => session,
                None => match self.connector.open(&self.pool).await {
                    Ok(session) => session,
                    Err(ProbeProblem { phase, reason }) => {
                        return (Outcome::Deferred { reason, phase }, None);
                    }
                },
            };
            let ended = session.deliver(mail, next, self.connector.settings()).await;
            // A server may close an idle session at any time (RFC 5321, section 3.8). We notice at the
            // first command, before anything of this mail was accepted, so one fresh try is safe.
            if reused && ended.stale {
                continue;
            }
            if ended.keep && session.is_begun {
                return (ended.outcome, Some((session, permit)));
            }
            self.pool.put_back(session, ended.keep, permit);
            return (ended.outcome, None);
        }
    }
}
