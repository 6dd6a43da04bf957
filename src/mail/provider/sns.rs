//! Messages of Amazon SNS, signed by a certificate that lies on SNS's own host
//! (docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html).
//!
//! The host is not matched against a pattern: a bucket named `sns` once fitted those that libraries use. It is made from the topic,
//! which the operator named.

use std::fmt::Write as _;
use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use ring::signature::{
    RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey,
};
use serde::Deserialize;

use super::{AHEAD_AT_MOST, Unreadable, Untrue};
use crate::domain::time::Timestamp;
use crate::ledger::timestamp::Certificate;

/// SNS tries a message again for an hour at most (docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html).
pub const GOOD_FOR: Duration = Duration::from_secs(2 * 3_600);
const TEXT_AT_MOST: usize = 2_000;
/// `AlgorithmIdentifier` of an RSA key (RFC 3279, section 2.3.1), its content.
const RSA_KEY: &[u8] = &[
    0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
];

/// A topic, by its ARN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    arn: String,
    host: String,
}

impl Topic {
    /// Reads `arn:aws:sns:REGION:ACCOUNT:NAME`.
    pub fn parse(arn: &str) -> Option<Self> {
        let mut parts = arn.split(':');
        let mut next = || parts.next();
        let (scheme, partition, service) = (next()?, next()?, next()?);
        let (region, account, name) = (next()?, next()?, next()?);
        let is_plain = |text: &str, extra: &str| {
            (1..=256).contains(&text.len())
                && text
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || extra.contains(c))
        };
        let fits = next().is_none()
            && scheme == "arn"
            && service == "sns"
            && is_plain(region, "-")
            && region.len() <= 40
            && account.len() == 12
            && account.bytes().all(|byte| byte.is_ascii_digit())
            && is_plain(name, "-_.");
        let domain = match partition {
            "aws" | "aws-us-gov" => "amazonaws.com",
            "aws-cn" => "amazonaws.com.cn",
            _ => return None,
        };
        fits.then(|| Self {
            arn: arn.to_owned(),
            host: format!("sns.{}.{domain}", region.to_ascii_lowercase()),
        })
    }

    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// The host of its region, from which alone certificates come and where alone subscriptions are confirmed.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The path of a certificate on the host, where the URL is one.
    pub fn certificate_path<'a>(&self, url: &'a str) -> Option<&'a str> {
        let path = self.path(url)?;
        let name = path.strip_prefix('/')?.strip_suffix(".pem")?;
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let fits = (1..=200).contains(&name.len()) && name.chars().all(is_name);
        fits.then_some(path)
    }

    /// The path that confirms a subscription on the host, where the URL is one.
    pub fn confirmation_path<'a>(&self, url: &'a str) -> Option<&'a str> {
        let path = self.path(url)?;
        let is_plain = |c: char| c.is_ascii_graphic() && !"\"<>\\^`{|}#".contains(c);
        let fits = path.starts_with("/?Action=ConfirmSubscription&")
            && path.len() <= TEXT_AT_MOST
            && path.chars().all(is_plain);
        fits.then_some(path)
    }

    fn path<'a>(&self, url: &'a str) -> Option<&'a str> {
        let path = url.strip_prefix("https://")?.strip_prefix(&self.host)?;
        path.starts_with('/').then_some(path)
    }
}

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Kind {
    Notification,
    SubscriptionConfirmation,
    UnsubscribeConfirmation,
}

/// A message as it is posted.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Message {
    #[serde(rename = "Type")]
    pub kind: Kind,
    pub message_id: String,
    pub topic_arn: String,
    #[serde(default)]
    subject: Option<String>,
    pub message: String,
    timestamp: String,
    signature_version: String,
    signature: String,
    #[serde(rename = "SigningCertURL")]
    pub signing_cert_url: String,
    #[serde(default)]
    token: Option<String>,
    #[serde(default, rename = "SubscribeURL")]
    pub subscribe_url: Option<String>,
}

impl Message {
    pub fn parse(body: &[u8]) -> Result<Self, Unreadable> {
        serde_json::from_slice(body).map_err(|_| Unreadable::Malformed)
    }

    /// What is signed: names and values of some members in the order of their names, each on its own line.
    fn signed_text(&self) -> Option<String> {
        let (message, id) = (self.message.as_str(), self.message_id.as_str());
        let (at, topic) = (self.timestamp.as_str(), self.topic_arn.as_str());
        let mut lines = vec![("Message", message), ("MessageId", id)];
        match self.kind {
            Kind::Notification => {
                lines.extend(self.subject.as_deref().map(|subject| ("Subject", subject)));
                lines.extend([
                    ("Timestamp", at),
                    ("TopicArn", topic),
                    ("Type", "Notification"),
                ]);
            }
            Kind::SubscriptionConfirmation | Kind::UnsubscribeConfirmation => {
                let kind = if self.kind == Kind::SubscriptionConfirmation {
                    "SubscriptionConfirmation"
                } else {
                    "UnsubscribeConfirmation"
                };
                lines.extend([
                    ("SubscribeURL", self.subscribe_url.as_deref()?),
                    ("Timestamp", at),
                    ("Token", self.token.as_deref()?),
                    ("TopicArn", topic),
                    ("Type", kind),
                ]);
            }
        }
        let mut text = String::with_capacity(self.message.len() + 512);
        for (name, value) in lines {
            let _ = write!(text, "{name}\n{value}\n");
        }
        Some(text)
    }

    /// Whether one of these certificates signed the message, lately, and holds now.
    pub fn check(&self, certificates: &[Certificate], now: Timestamp) -> Result<(), Untrue> {
        let text = self.signed_text().ok_or(Untrue::Signature)?;
        let signature = STANDARD.decode(&self.signature);
        let signature = signature.map_err(|_| Untrue::Signature)?;
        // Version 1 is over SHA-1 (RFC 8017, section 8.2), which SNS uses until a topic is told otherwise.
        let algorithm = match self.signature_version.as_str() {
            "1" => &RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
            "2" => &RSA_PKCS1_2048_8192_SHA256,
            _ => return Err(Untrue::Signature),
        };
        let holds = certificates.iter().any(|certificate| {
            certificate.not_before <= now
                && now <= certificate.not_after
                && certificate.key_algorithm == RSA_KEY
                && UnparsedPublicKey::new(algorithm, &certificate.public_key)
                    .verify(text.as_bytes(), &signature)
                    .is_ok()
        });
        if !holds {
            return Err(Untrue::Signature);
        }
        let at = Timestamp::parse(&self.timestamp).ok_or(Untrue::Stale)?;
        let fresh = at <= now.plus(AHEAD_AT_MOST) && at >= now.minus(GOOD_FOR);
        if fresh { Ok(()) } else { Err(Untrue::Stale) }
    }
}
