//! Posts of mail providers: whether one is the provider's, and what it tells. That takes the same way as reports about mails
//! (`bounce`), and only where it holds a token that nobody but we can have made, about mail to the contact that it names (T34).

pub(super) mod sns;
mod tell;

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use futures_util::{StreamExt, stream};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::App;
use super::bounce::Subject;
use crate::config::SecretHook;
use crate::domain::provider::Provider;
use crate::mail::provider::{
    AHEAD_AT_MOST, Entry, Told, Unreadable, Untrue, brevo, mailgun, postmark, sendgrid,
};
use crate::store::{StoreError, budgets};
use crate::telemetry;

/// Contacts of one post whose events are written side by side.
const AT_ONCE: usize = 16;

/// A post as it came.
#[derive(Clone, Debug)]
pub struct Post {
    pub provider: Provider,
    pub body: Vec<u8>,
    /// The header of that name.
    pub authorization: Option<String>,
    /// The headers of SendGrid.
    pub signature: Option<String>,
    pub timestamp: Option<String>,
    /// The address that it came from, through trusted proxies.
    pub from: Option<IpAddr>,
}

/// Why a post changed nothing.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error("this provider is not set up")]
    NotSetUp,
    #[error("the credentials are not those of the settings")]
    Credentials,
    #[error("posts are not taken from this address")]
    Network,
    #[error(transparent)]
    Untrue(#[from] Untrue),
    #[error("the topic is not among those of the settings")]
    Topic,
    #[error("an address in the message is not one of the topic's own SNS")]
    Elsewhere,
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    #[error("SNS could not be asked")]
    Unreachable,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Refusal {
    /// In a word, for the metric.
    const fn as_str(&self) -> &'static str {
        match self {
            Self::NotSetUp
            | Self::Credentials
            | Self::Network
            | Self::Untrue(_)
            | Self::Topic
            | Self::Elsewhere => "refused",
            Self::Unreadable(_) => "malformed",
            Self::Unreachable | Self::Store(_) => "unavailable",
        }
    }
}

/// How many events of a post came to what.
pub type Tally = BTreeMap<&'static str, u32>;

/// A post that is the provider's.
#[derive(Debug, Default)]
struct Known {
    entries: Vec<Entry>,
    /// What it is known by if it comes again, and for how long it would be good.
    once: Option<([u8; 32], Duration)>,
    /// What else it was.
    was: Option<&'static str>,
}

impl Known {
    const fn unsigned(entries: Vec<Entry>) -> Self {
        Self {
            entries,
            once: None,
            was: None,
        }
    }

    fn once(entries: Vec<Entry>, provider: Provider, what: &[u8], good_for: Duration) -> Self {
        let hash = Sha256::new()
            .chain_update(b"post of a provider\n")
            .chain_update(provider.as_str())
            .chain_update(b"\n")
            .chain_update(what);
        Self {
            entries,
            once: Some((hash.finalize().into(), good_for)),
            was: None,
        }
    }
}

impl App {
    /// Takes a post. When this returns well, what it changed is on disk; after an error the provider posts it again, and what was
    /// written by then is told again and changes nothing more.
    pub async fn take_hook(&self, post: Post) -> Result<Tally, Refusal> {
        let provider = post.provider;
        let taken = self.taken(post).await;
        let count = |outcome, many: u32| {
            let labels = [("provider", provider.as_str()), ("outcome", outcome)];
            metrics::counter!(telemetry::HOOKS, &labels).increment(u64::from(many));
        };
        match &taken {
            Ok(tally) => tally
                .iter()
                .for_each(|(outcome, many)| count(outcome, *many)),
            Err(refusal) => count(refusal.as_str(), 1),
        }
        taken
    }

    async fn taken(&self, post: Post) -> Result<Tally, Refusal> {
        let provider = post.provider;
        let known = self.authentic(post).await?;
        if let Some((hash, _)) = &known.once {
            let mut conn = self.store.read().await?;
            if budgets::is_spent(&mut conn, hash).await? {
                return Ok(Tally::from([("replay", 1)]));
            }
        }
        let mut tally = self.tell_all(provider, known.entries).await?;
        if let Some(was) = known.was {
            *tally.entry(was).or_default() += 1;
        }
        // Only now: had it been spent before, a post that failed in the middle could not come again. Two that come at the same
        // moment are both told; each event of them is recorded once.
        if let Some((hash, good_for)) = known.once {
            let until = self.clock.now().plus(good_for).plus(AHEAD_AT_MOST);
            let mut tx = self.store.write().await?;
            budgets::spend_challenge(&mut tx, &hash, until).await?;
            tx.commit().await?;
        }
        Ok(tally)
    }

    /// Holds the post against what the provider is known by.
    async fn authentic(&self, post: Post) -> Result<Known, Refusal> {
        let hooks = &self.config.hooks;
        let now = self.clock.now();
        let provider = post.provider;
        match provider {
            Provider::Ses => {
                let hook = hooks.ses.as_ref().ok_or(Refusal::NotSetUp)?;
                self.sns.known(hook, &post.body, now).await
            }
            Provider::Postmark => {
                admit(hooks.postmark.as_ref(), &post)?;
                Ok(Known::unsigned(postmark::read(&post.body)?))
            }
            Provider::Brevo => {
                admit(hooks.brevo.as_ref(), &post)?;
                Ok(Known::unsigned(brevo::read(&post.body)?))
            }
            Provider::Mailgun => {
                let key = hooks.mailgun.as_ref().ok_or(Refusal::NotSetUp)?;
                let signed = mailgun::Post::parse(&post.body)?;
                signed.check(key.expose_secret(), now)?;
                let (entries, token) = (signed.read(), signed.token());
                let what = token.as_bytes();
                Ok(Known::once(entries, provider, what, mailgun::GOOD_FOR))
            }
            Provider::Sendgrid => {
                let key = hooks.sendgrid.as_ref().ok_or(Refusal::NotSetUp)?;
                let signature = post.signature.as_deref().ok_or(Untrue::Signature)?;
                let at = post.timestamp.as_deref().ok_or(Untrue::Signature)?;
                key.check(signature, at, &post.body, now)?;
                let entries = sendgrid::read(&post.body)?;
                // The body, since a signature by ECDSA can be written in a second way.
                let what = [at.as_bytes(), b"\n", &post.body].concat();
                Ok(Known::once(entries, provider, &what, sendgrid::GOOD_FOR))
            }
        }
    }

    /// Takes what a post holds: contacts side by side, what is told of one of them in its order.
    async fn tell_all(&self, provider: Provider, entries: Vec<Entry>) -> Result<Tally, StoreError> {
        let mut tally = Tally::new();
        let mut count = |outcome| *tally.entry(outcome).or_default() += 1;
        let mut ours: HashMap<_, (Subject, Vec<Told>)> = HashMap::new();
        for entry in entries {
            match entry {
                Entry::Other => count("ignored"),
                Entry::Broken => count("broken"),
                Entry::Told(told) => match self.subject_told(&told) {
                    None => count("not_ours"),
                    Some(subject) => {
                        let same = ours.entry((subject.brand.id, subject.of));
                        same.or_insert_with(|| (subject, Vec::new())).1.push(told);
                    }
                },
            }
        }
        let told = ours.into_values().map(|(subject, told)| async move {
            let mut outcomes = Vec::with_capacity(told.len());
            for one in told {
                outcomes.push(self.tell_fate(provider, &subject, one).await?);
            }
            Ok::<_, StoreError>(outcomes)
        });
        // All of them come to their end, even if one fails.
        let done: Vec<_> = stream::iter(told).buffer_unordered(AT_ONCE).collect().await;
        for outcomes in done {
            outcomes?.into_iter().for_each(&mut count);
        }
        Ok(tally)
    }

    fn subject_told(&self, told: &Told) -> Option<Subject> {
        told.tokens.iter().find_map(|text| {
            if text.contains('@') {
                return self.returned(text);
            }
            let (number, of) = self.keys.of_mail(text)?;
            let brand = self.catalog().brand_by_number(number)?.clone();
            Some(Subject { brand, of })
        })
    }
}

/// Whether a post brings the secret, from an address that it may come from. The user name of Basic credentials (RFC 7617) is not
/// looked at.
fn admit(hook: Option<&SecretHook>, post: &Post) -> Result<(), Refusal> {
    let hook = hook.ok_or(Refusal::NotSetUp)?;
    let is_near = |from| hook.networks.iter().any(|network| network.contains(&from));
    if !hook.networks.is_empty() && !post.from.is_some_and(is_near) {
        return Err(Refusal::Network);
    }
    let given = post.authorization.as_deref().and_then(secret_in);
    let given = given.ok_or(Refusal::Credentials)?;
    let wanted = hook.secret.expose_secret().as_bytes();
    if bool::from(given.ct_eq(wanted)) {
        Ok(())
    } else {
        Err(Refusal::Credentials)
    }
}

/// The token of a bearer (RFC 6750), or the password of Basic credentials (RFC 7617).
fn secret_in(authorization: &str) -> Option<Vec<u8>> {
    let (scheme, rest) = authorization.trim().split_once(' ')?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.as_bytes().to_vec());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = STANDARD.decode(rest).ok()?;
    let colon = pair.iter().position(|byte| *byte == b':')?;
    Some(pair[colon + 1..].to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_is_the_bearers_token_or_what_stands_behind_the_first_colon_of_basic_credentials()
    {
        let basic = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
        let secret = |text: &str| secret_in(text).map(|bytes| String::from_utf8(bytes).unwrap());
        assert_eq!(secret("bearer abc").as_deref(), Some("abc"));
        assert_eq!(secret(&basic("user:a:b")).as_deref(), Some("a:b"));
        assert_eq!(secret(&basic(":abc")).as_deref(), Some("abc"));
        for nothing in ["", "abc", "Digest abc", &basic("abc"), "Basic !!!"] {
            assert_eq!(secret(nothing), None, "{nothing}");
        }
    }
}
