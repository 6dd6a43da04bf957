//! Composing a mail: mostly by filling the skeleton of its kind, then signing.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::Delivery;
use super::ready::whose;
use super::wanted::Job;
use crate::app::links::leave_until;
use crate::domain::brand::{Brand, Slug};
use crate::domain::email_address::clean_name;
use crate::domain::form::{FormContent, VersionHash};
use crate::domain::time::Timestamp;
use crate::domain::token::Purpose;
use crate::mail::compose::preferences::PreferencesMail;
use crate::mail::compose::skeleton::{Skeleton, Varying};
use crate::mail::compose::{Ask, ConfirmationMail};
use crate::mail::pack::Dictionary;
use crate::mail::provider::fields;

/// Kinds of mails whose skeletons are kept.
const KINDS_AT_MOST: usize = 256;

/// Mails that differ only in what a skeleton fills in.
#[derive(PartialEq, Eq, Hash)]
struct MailKind<'a> {
    revision: Option<Cow<'a, str>>,
    version: Cow<'a, str>,
    language: Cow<'a, str>,
    purposes: Cow<'a, str>,
    page_host: Option<Cow<'a, str>>,
    by_tablet: bool,
    no_page_left: bool,
    domain: Cow<'a, str>,
    ask: Option<Cow<'a, Ask>>,
    reminder: bool,
}

impl MailKind<'_> {
    fn kept(self) -> MailKind<'static> {
        let kept = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        MailKind {
            revision: self.revision.map(kept),
            version: kept(self.version),
            language: kept(self.language),
            purposes: kept(self.purposes),
            page_host: self.page_host.map(kept),
            by_tablet: self.by_tablet,
            no_page_left: self.no_page_left,
            domain: kept(self.domain),
            ask: self.ask.map(|ask| Cow::Owned(ask.into_owned())),
            reminder: self.reminder,
        }
    }
}

/// The skeletons of the kinds that were sent lately; none for a kind that cannot have one.
#[derive(Default)]
pub(super) struct Skeletons(Mutex<HashMap<MailKind<'static>, Option<Arc<Skeleton>>>>);

impl Skeletons {
    /// The skeleton of a kind of mail, made at its first use.
    fn of<E>(
        &self,
        kind: MailKind<'_>,
        compose: &dyn Fn(&Varying) -> Result<Vec<u8>, E>,
    ) -> Option<Arc<Skeleton>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found: &HashMap<MailKind<'_>, _> = &known;
        if let Some(skeleton) = found.get(&kind) {
            return skeleton.clone();
        }
        // Old revisions and rare pages would pile up; starting over costs a composition or two.
        if known.len() >= KINDS_AT_MOST {
            known.clear();
        }
        let skeleton = Skeleton::of(compose).map(Arc::new);
        known.insert(kind.kept(), skeleton.clone());
        skeleton
    }
}

/// A mail as it goes to the server, and what it is packed with to be kept.
pub(super) struct Composed {
    pub bytes: Vec<u8>,
    pub dictionary: Option<Arc<Dictionary>>,
}

/// What mails of one kind have in common.
struct Common<'a> {
    brand: &'a Brand,
    content: &'a FormContent,
    job: &'a Job,
    purposes: OnceCell<Vec<Slug>>,
    name: Option<String>,
    domain: &'a str,
    no_page_left: bool,
}

impl Delivery {
    pub(super) fn compose(
        &self,
        brand: &Brand,
        job: &Job,
        message_id: &str,
        now: Timestamp,
    ) -> Result<Composed, String> {
        if job.is_preferences() {
            return self.preferences(brand, job, message_id, now);
        }
        let catalog = self.app.catalog();
        let form = catalog
            .form_by_id(job.to.form_id)
            .ok_or("the form is gone")?;
        let version = VersionHash::stored(job.to.form_version.clone());
        let content = form.content(&version).ok_or("the form version is gone")?;
        let (local, domain) = message_id.split_once('@').unwrap_or((message_id, ""));
        let values = self.varying(brand, job, local, now)?;
        let name = job.to.name.clone();
        let common = Common {
            brand,
            content,
            job,
            purposes: OnceCell::new(),
            // Kept as it was typed; in a mail stands only what is nothing but a name (T4).
            name: name
                .filter(|_| form.declared.name_in_mail)
                .and_then(|name| clean_name(&name)),
            domain,
            no_page_left: form.leaves_no_page(),
        };
        let compose = |values: &Varying| self.mail(&common, values).compose();
        let plain = common.name.is_none();
        let kind = plain.then(|| kind_of(&common, catalog.revision.as_deref(), &version));
        let skeleton = kind.and_then(|kind| self.skeletons.of(kind, &compose));
        let dictionary = skeleton.as_ref().map(|one| one.dictionary.clone());
        let bytes = match skeleton.and_then(|skeleton| skeleton.fill(&values)) {
            Some(bytes) => bytes,
            None => compose(&values).map_err(|problem| problem.to_string())?,
        };
        Ok(Composed {
            bytes: self.signed(self.marked(brand, job, bytes), now)?,
            dictionary,
        })
    }

    /// The mail with the link to the preferences.
    fn preferences(
        &self,
        brand: &Brand,
        job: &Job,
        message_id: &str,
        now: Timestamp,
    ) -> Result<Composed, String> {
        let mail = PreferencesMail {
            brand,
            language: &job.to.language,
            to: &job.to.address,
            url: self
                .app
                .preferences_url(brand, job.mail.contact_id, job.to.expires_at),
            until: job.to.expires_at,
            message_id: message_id.to_owned(),
            now,
        };
        let bytes = mail.compose().map_err(|problem| problem.to_string())?;
        Ok(Composed {
            bytes: self.signed(self.marked(brand, job, bytes), now)?,
            dictionary: None,
        })
    }

    /// What differs from mail to mail of one kind.
    fn varying(
        &self,
        brand: &Brand,
        job: &Job,
        message_local: &str,
        now: Timestamp,
    ) -> Result<Varying, String> {
        let to = &job.to;
        let keys = &self.app.keys;
        let key_id = u8::try_from(to.key_id).unwrap_or(0);
        let token = |purpose| keys.sign(purpose, brand.number, to.request_id.0, to.expires_at);
        Ok(Varying {
            to: to.address.clone(),
            confirm_token: token(Purpose::Confirm),
            about_token: token(Purpose::About),
            leave_token: if job.ask.is_some() {
                let (contact, until) = (job.mail.contact_id.0, leave_until(now));
                keys.sign_about(
                    Purpose::Unsubscribe,
                    &to.purposes,
                    brand.number,
                    contact,
                    until,
                )
            } else {
                String::new()
            },
            code: keys
                .code(key_id, to.request_id.0)
                .ok_or("the secret that this request was made with is gone")?,
            asked_at: to.entered_at.unwrap_or(to.issued_at),
            expires_at: to.expires_at,
            message_local: message_local.to_owned(),
            now,
        })
    }

    fn mail<'a>(&self, common: &'a Common<'a>, values: &'a Varying) -> ConfirmationMail<'a> {
        let to = &common.job.to;
        let confirm = format!("/c/{}", values.confirm_token);
        ConfirmationMail {
            brand: common.brand,
            content: common.content,
            language: &to.language,
            purposes: common.purposes.get_or_init(|| to.purposes()),
            name: common.name.clone(),
            to: &values.to,
            decline_url: self.app.url(&format!("{confirm}/decline")),
            confirm_url: self.app.url(&confirm),
            about_url: self.app.url(&format!("/a/{}", values.about_token)),
            code: values.code.clone(),
            asked_at: values.asked_at,
            asked_from: to.page_host.clone(),
            by_tablet: to.entered_at.is_some(),
            no_page_left: common.no_page_left,
            expires_at: values.expires_at,
            message_id: format!("{}@{}", values.message_local, common.domain),
            now: values.now,
            ask: common.job.ask.as_deref(),
            reminder: common.job.is_reminder(),
            // Only what a campaign sends is mail that somebody could be on a list for.
            unsubscribe_url: common.job.ask.is_some().then(|| {
                let purpose = &to.purposes;
                self.app
                    .url(&format!("/u/{purpose}.{}", values.leave_token))
            }),
        }
    }

    /// The mail behind the fields by which providers that tell by webhook say whose it was; without such providers as it is.
    fn marked(&self, brand: &Brand, job: &Job, bytes: Vec<u8>) -> Vec<u8> {
        let hooks = &self.app.config.hooks;
        let mut providers = hooks.providers().peekable();
        if providers.peek().is_none() {
            return bytes;
        }
        let token = self.app.keys.mail_token(brand.number, whose(job));
        let fields = providers.map(|provider| fields(provider, &token));
        [fields.collect::<String>().into_bytes(), bytes].concat()
    }

    /// The mail behind its DKIM signature, where there is a key.
    pub(super) fn signed(&self, bytes: Vec<u8>, now: Timestamp) -> Result<Vec<u8>, String> {
        let Some(key) = &self.dkim else {
            return Ok(bytes);
        };
        let seconds = u64::try_from(now.unix_seconds()).unwrap_or(0);
        let mut signed = key
            .sign(&bytes, seconds)
            .map_err(|problem| problem.to_string())?;
        signed.extend_from_slice(&bytes);
        Ok(signed)
    }
}

fn kind_of<'a>(
    common: &Common<'a>,
    revision: Option<&'a str>,
    version: &'a VersionHash,
) -> MailKind<'a> {
    let job = common.job;
    MailKind {
        revision: revision.map(Cow::Borrowed),
        version: version.as_str().into(),
        language: job.to.language.as_str().into(),
        purposes: job.to.purposes.as_str().into(),
        page_host: job.to.page_host.as_deref().map(Cow::Borrowed),
        by_tablet: job.to.entered_at.is_some(),
        no_page_left: common.no_page_left,
        domain: common.domain.into(),
        ask: job.ask.as_deref().map(Cow::Borrowed),
        reminder: job.is_reminder(),
    }
}
