//! A claimed mail, composed and checked: nothing is missing but a session.

use std::borrow::Borrow;
use std::sync::Arc;

use super::Delivery;
use super::compose::Composed;
use super::result::Sent;
use super::wanted::Job;
use crate::domain::brand::Brand;
use crate::domain::envelope::Returned;
use crate::mail::pack::Dictionary;
use crate::mail::transport::{Envelope, Mail};
use crate::store::StoreError;
use crate::telemetry;

/// A mail that is ready to be sent.
pub(super) struct Ready {
    pub job: Job,
    pub brand: Arc<Brand>,
    pub message_id: String,
    /// What the mail is packed with to be kept.
    pub dictionary: Option<Arc<Dictionary>>,
    mail: Mail,
}

impl Ready {
    /// The mail's bytes.
    pub fn message(&self) -> &[u8] {
        self.mail.message()
    }
}

impl Borrow<Mail> for Ready {
    fn borrow(&self) -> &Mail {
        &self.mail
    }
}

impl Delivery {
    /// Composes a mail and checks it; what cannot be sent has its result at once.
    pub(super) fn make_ready(&self, job: Job) -> Result<Ready, Result<Sent, StoreError>> {
        let catalog = self.app.catalog();
        let Some(brand) = catalog.brand(job.mail.brand_id).cloned() else {
            return Err(Ok(Sent::Dropped(job.mail.key())));
        };
        let message_id = message_id(&brand, &job);
        let now = self.app.clock.now();
        let Composed { bytes, dictionary } = match self.compose(&brand, &job, &message_id, now) {
            Ok(composed) => composed,
            Err(reason) => return Err(self.failed(&job, message_id, reason, now, false)),
        };
        let envelope = Envelope {
            from: self.sender(&brand, &job),
            to: job.to.address.clone(),
        };
        match Mail::checked(&envelope, bytes) {
            Ok(mail) => Ok(Ready {
                job,
                brand,
                message_id,
                dictionary,
                mail,
            }),
            Err(refusal) => {
                metrics::counter!(telemetry::MAILS, "result" => "rejected").increment(1);
                Err(self.failed(&job, message_id, refusal.reply, now, false))
            }
        }
    }
}

impl Delivery {
    /// Whom the mail comes back to: an address of its own, which tells whose mail it was, where bounces are taken.
    fn sender(&self, brand: &Brand, job: &Job) -> String {
        match &self.app.config.bounces.domain {
            Some(domain) => {
                let of = whose(job);
                self.app.keys.return_path(brand.number, of, domain)
            }
            None => brand.declared.from_address.clone(),
        }
    }
}

/// Whose mail it is.
pub(super) fn whose(job: &Job) -> Returned {
    if job.is_preferences() {
        Returned::Contact(job.mail.contact_id)
    } else {
        Returned::Request(job.mail.request_id)
    }
}

/// The id of the outbox row makes the Message-ID: the same for every try (RFC 5322, section 3.6.4).
fn message_id(brand: &Brand, job: &Job) -> String {
    let given = job.mail.message_id.clone();
    given.unwrap_or_else(|| {
        let from = &brand.declared.from_address;
        let domain = from.rsplit('@').next().unwrap_or("localhost");
        format!("{}@{domain}", job.mail.id)
    })
}
