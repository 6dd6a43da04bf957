//! Providers that tell by webhook what became of mail: who they are known by. Each is set up as soon as its secret, key or topic
//! is given.

use ipnet::IpNet;
use secrecy::SecretString;

use super::reader::Reader;
use crate::domain::provider::Provider;
use crate::ledger::timestamp::Certificate;
use crate::mail::provider::sendgrid::EventKey;
use crate::mail::provider::sns::Topic;
use crate::outgoing;

/// Characters of a secret that is sent with each post.
const SECRET_AT_LEAST: usize = 20;
const TOPICS_AT_MOST: usize = 100;

/// What is known of the providers.
#[derive(Clone, Debug, Default)]
pub struct Hooks {
    pub ses: Option<SesHook>,
    pub postmark: Option<SecretHook>,
    pub mailgun: Option<SecretString>,
    pub sendgrid: Option<EventKey>,
    pub brevo: Option<SecretHook>,
}

/// Amazon SES, through SNS.
#[derive(Clone, Debug)]
pub struct SesHook {
    /// One at least.
    pub topics: Vec<Topic>,
    /// The certificates that messages are signed by; without any, they are fetched from SNS.
    pub certificates: Vec<Certificate>,
    /// Where SNS is asked, instead of its own host; without a slash at its end.
    pub gateway: Option<String>,
}

/// A provider that signs nothing, and sends a secret instead.
#[derive(Clone, Debug)]
pub struct SecretHook {
    pub secret: SecretString,
    /// Where posts come from; none: from anywhere.
    pub networks: Vec<IpNet>,
}

impl Hooks {
    pub const fn has(&self, provider: Provider) -> bool {
        match provider {
            Provider::Ses => self.ses.is_some(),
            Provider::Postmark => self.postmark.is_some(),
            Provider::Mailgun => self.mailgun.is_some(),
            Provider::Sendgrid => self.sendgrid.is_some(),
            Provider::Brevo => self.brevo.is_some(),
        }
    }

    /// The providers that are set up.
    pub fn providers(&self) -> impl Iterator<Item = Provider> {
        Provider::ALL.into_iter().filter(|one| self.has(*one))
    }
}

impl Reader<'_> {
    pub(super) fn hooks(&mut self) -> Hooks {
        Hooks {
            ses: self.ses(),
            postmark: self.secret_hook("postmark_secret", "postmark_networks"),
            mailgun: self.given("hook", "mailgun_key").map(Into::into),
            sendgrid: self.sendgrid(),
            brevo: self.secret_hook("brevo_secret", "brevo_networks"),
        }
    }

    fn ses(&mut self) -> Option<SesHook> {
        let mut topics = Vec::new();
        for arn in self.list_of("hook", "ses_topics") {
            match Topic::parse(&arn) {
                Some(topic) => topics.push(topic),
                None => self.wrong(
                    "hook",
                    "ses_topics",
                    &format!(
                        "\"{arn}\" is no topic; write its ARN, such as arn:aws:sns:eu-west-1:123456789012:mail"
                    ),
                ),
            }
        }
        if topics.len() > TOPICS_AT_MOST {
            self.wrong("hook", "ses_topics", "more than 100 are too many");
        }
        let mut certificates = Vec::new();
        for path in self.list_of("hook", "ses_certificates") {
            let found = std::fs::read(self.folder.join(&path)).map_err(|error| error.to_string());
            let found =
                found.and_then(|pem| Certificate::all_from_pem(&pem).map_err(|e| e.to_string()));
            match found {
                Ok(found) => certificates.extend(found),
                Err(why) => self.wrong("hook", "ses_certificates", &format!("{path}: {why}")),
            }
        }
        let gateway = self.given("hook", "ses_gateway");
        if let Some(url) = &gateway
            && let Err(why) = outgoing::check_url(url, true)
        {
            self.wrong("hook", "ses_gateway", &why);
        }
        if topics.is_empty() {
            for key in ["ses_certificates", "ses_gateway"] {
                if self.given("hook", key).is_some() {
                    self.wrong(
                        "hook",
                        key,
                        "give ses_topics too: no message counts unless its topic is named",
                    );
                }
            }
            return None;
        }
        Some(SesHook {
            topics,
            certificates,
            gateway: gateway.map(|url| url.trim_end_matches('/').to_owned()),
        })
    }

    fn sendgrid(&mut self) -> Option<EventKey> {
        let shown = self.given("hook", "sendgrid_key")?;
        let key = EventKey::parse(&shown);
        if key.is_none() {
            self.wrong(
                "hook",
                "sendgrid_key",
                "is not the verification key that SendGrid shows below Settings, Mail Settings, Event Webhooks",
            );
        }
        key
    }

    fn secret_hook(&mut self, secret: &'static str, networks: &'static str) -> Option<SecretHook> {
        let allowed = self.networks("hook", networks);
        let Some(given) = self.given("hook", secret) else {
            if !allowed.is_empty() {
                self.wrong("hook", networks, &format!("give {secret} too"));
            }
            return None;
        };
        let fits = given.len() >= SECRET_AT_LEAST && given.bytes().all(|b| b.is_ascii_graphic());
        if !fits {
            self.wrong(
                "hook",
                secret,
                "must have 20 characters or more, and no spaces: openssl rand -hex 24",
            );
        }
        Some(SecretHook {
            secret: given.into(),
            networks: allowed,
        })
    }

    pub(super) fn list_of(&self, section: &'static str, key: &'static str) -> Vec<String> {
        let text = self.text(section, key);
        let items = text.split(',').map(str::trim);
        items
            .filter(|item| !item.is_empty())
            .map(str::to_owned)
            .collect()
    }
}
