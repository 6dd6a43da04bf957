//! Messages of Amazon SNS: the certificate that signs them, and the subscription that begins them.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::{Known, Refusal};
use crate::config::SesHook;
use crate::domain::provider::Provider;
use crate::domain::time::Timestamp;
use crate::ledger::timestamp::Certificate;
use crate::mail::provider::ses;
use crate::mail::provider::sns::{GOOD_FOR, Kind, Message, Topic};
use crate::outgoing::{Limits, Outgoing};

/// Certificates that are kept; SNS signs with one for months.
const KEPT_AT_MOST: usize = 16;
/// Requests to SNS in a minute and process. Whoever knows a topic's name can make this server ask, so it asks little.
const ASKED_AT_MOST: u32 = 10;
const MINUTE: Duration = Duration::from_secs(60);
const LIMITS: Limits = Limits {
    allow_private: false,
    within: Duration::from_secs(10),
    answer_at_most: 64 << 10,
};

/// What a process knows of SNS.
pub struct Sns {
    outgoing: Outgoing,
    certificates: Mutex<HashMap<String, Certificate>>,
    /// Since when requests are counted, and how many there were.
    asked: Mutex<(Timestamp, u32)>,
}

impl Sns {
    pub fn new(hook: Option<&SesHook>) -> Self {
        // A gateway is the operator's own, and may well be inside.
        let gateway = hook.is_some_and(|hook| hook.gateway.is_some());
        let limits = Limits {
            allow_private: gateway,
            ..LIMITS
        };
        Self {
            outgoing: Outgoing::with_turns(limits, 4),
            certificates: Mutex::default(),
            asked: Mutex::new((Timestamp::from_micros(0), 0)),
        }
    }

    /// Holds a message against the topics and the certificate of its signature.
    pub(super) async fn known(
        &self,
        hook: &SesHook,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Known, Refusal> {
        let message = Message::parse(body)?;
        let topic = hook
            .topics
            .iter()
            .find(|one| one.arn() == message.topic_arn);
        let topic = topic.ok_or(Refusal::Topic)?;
        if hook.certificates.is_empty() {
            let certificate = self.certificate(hook, topic, &message, now).await?;
            message.check(&[certificate], now)?;
        } else {
            message.check(&hook.certificates, now)?;
        }
        match message.kind {
            Kind::Notification => {
                let what = format!("{}\n{}", message.topic_arn, message.message_id);
                let entries = ses::read(&message.message, &message.message_id);
                let what = what.as_bytes();
                Ok(Known::once(entries, Provider::Ses, what, GOOD_FOR))
            }
            Kind::SubscriptionConfirmation => {
                let url = message.subscribe_url.as_deref().unwrap_or_default();
                let path = topic.confirmation_path(url).ok_or(Refusal::Elsewhere)?;
                self.get(hook, topic, path, now).await?;
                tracing::info!(
                    topic = topic.arn(),
                    "the subscription to an SNS topic is confirmed"
                );
                Ok(Known {
                    was: Some("confirmed"),
                    ..Known::default()
                })
            }
            Kind::UnsubscribeConfirmation => {
                tracing::warn!(
                    topic = topic.arn(),
                    "the subscription to an SNS topic was ended; what becomes of mail is told no more"
                );
                Ok(Known {
                    was: Some("unsubscribed"),
                    ..Known::default()
                })
            }
        }
    }

    /// The certificate that a message names, fetched once.
    async fn certificate(
        &self,
        hook: &SesHook,
        topic: &Topic,
        message: &Message,
        now: Timestamp,
    ) -> Result<Certificate, Refusal> {
        let path = topic.certificate_path(&message.signing_cert_url);
        let path = path.ok_or(Refusal::Elsewhere)?;
        let key = format!("{}{path}", topic.host());
        let kept = self.kept().get(&key).cloned();
        if let Some(kept) = kept {
            return Ok(kept);
        }
        let pem = self.get(hook, topic, path, now).await?;
        let found = Certificate::all_from_pem(&pem);
        let first = found.ok().and_then(|all| all.into_iter().next());
        let certificate = first.ok_or_else(|| {
            tracing::warn!(topic = topic.arn(), "what SNS gives is no certificate");
            Refusal::Unreachable
        })?;
        let mut kept = self.kept();
        if kept.len() >= KEPT_AT_MOST {
            kept.clear();
        }
        kept.insert(key, certificate.clone());
        Ok(certificate)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, HashMap<String, Certificate>> {
        self.certificates
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    async fn get(
        &self,
        hook: &SesHook,
        topic: &Topic,
        path: &str,
        now: Timestamp,
    ) -> Result<Vec<u8>, Refusal> {
        if !self.may_ask(now) {
            tracing::warn!("SNS was asked often enough within a minute");
            return Err(Refusal::Unreachable);
        }
        let url = match &hook.gateway {
            Some(gateway) => format!("{gateway}{path}"),
            None => format!("https://{}{path}", topic.host()),
        };
        match self.outgoing.get(&url).await {
            Ok(answer) if answer.status == 200 => Ok(answer.body),
            Ok(answer) => {
                tracing::warn!(topic = topic.arn(), status = answer.status, "SNS refused");
                Err(Refusal::Unreachable)
            }
            Err(problem) => {
                tracing::warn!(topic = topic.arn(), %problem, "SNS could not be asked");
                Err(Refusal::Unreachable)
            }
        }
    }

    fn may_ask(&self, now: Timestamp) -> bool {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if now.since(asked.0) >= MINUTE {
            *asked = (now, 0);
        }
        asked.1 += 1;
        asked.1 <= ASKED_AT_MOST
    }
}
