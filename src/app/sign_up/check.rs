//! Checking what a form brought, before anything is asked of the store.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Refusal, SignUp, Submission};
use crate::app::App;
use crate::domain::brand::{RoleAddresses, Slug};
use crate::domain::email_address::{AddressRules, EmailAddress, kept_name};
use crate::domain::form::{Form, VersionHash};
use crate::domain::ids::RequestId;

impl App {
    /// The signup that a submission asks for; a refusal is about what was typed.
    pub(in crate::app) fn check(
        &self,
        form: &Arc<Form>,
        given: Submission,
    ) -> Result<SignUp, Refusal> {
        let catalog = self.catalog();
        let brand = catalog.brand(form.brand).ok_or(Refusal::Store)?.clone();
        let rules = AddressRules {
            any_domain: self.config.any_domain,
        };
        let address = EmailAddress::parse(&given.email, &rules).map_err(Refusal::Address)?;
        if address.is_role() && brand.declared.role_addresses == RoleAddresses::Refuse {
            return Err(Refusal::RoleAddress);
        }
        let page = given.page.as_deref();
        let version = form.version_shown(given.version.as_deref()).clone();
        let now = self.clock.now();
        Ok(SignUp {
            address_hash: self.keys.address_hash(brand.id.0, address.key()),
            mailbox: self.keys.mailbox_hash(brand.id.0, &address.mailbox()),
            purposes: purposes_of(form, &version, &given.purposes)?,
            version,
            name: given
                .name
                .filter(|_| form.declared.asks_name)
                .and_then(|name| kept_name(&name)),
            language: language_of(form, given.language),
            page_host: page.and_then(|page| shown_host(page, form, self.config.host())),
            is_foreign: page.is_some_and(|page| self.is_foreign(&brand, page)),
            page: given.page.filter(|page| is_page(page)),
            fields: given.fields,
            bot: given.bot,
            booth: given.booth.filter(|_| form.declared.kiosk),
            passed_on: given.passed_on,
            key_id: self.keys.current_id(),
            request: given
                .corrects
                .map_or_else(|| RequestId(self.random.uuid_v7(now)), |one| one.request),
            corrects: given.corrects,
            circumstances: given.circumstances,
            brand,
            form: form.clone(),
            address,
        })
    }
}

/// The language that was asked for, if the form has it; else the form's first.
fn language_of(form: &Form, asked: String) -> String {
    if form.declared.languages.contains(&asked) {
        return asked;
    }
    form.declared.languages.first().cloned().unwrap_or_default()
}

fn is_page(page: &str) -> bool {
    page.len() <= 1_000
        && (page.starts_with("https://") || page.starts_with("http://"))
        && !page.contains(char::is_control)
}

/// The purposes that are meant: those named, or those that the form is for; of what the person was shown. What the form has no longer
/// is left out.
fn purposes_of(form: &Form, version: &VersionHash, named: &[String]) -> Result<Vec<Slug>, Refusal> {
    let content = form.content(version).ok_or(Refusal::Store)?;
    let mut named = named.iter().filter(|name| !name.is_empty()).peekable();
    let meant: BTreeSet<&Slug> = if named.peek().is_some() {
        let shown = |name: &String| {
            content
                .purposes
                .iter()
                .find(|one| one.slug.as_str() == name)
        };
        let known = named.map(|name| shown(name).ok_or(Refusal::UnknownPurpose));
        known
            .map(|one| one.map(|one| &one.slug))
            .collect::<Result<_, _>>()?
    } else {
        let fixed = content.purposes.iter().filter(|one| !one.choice);
        fixed.map(|one| &one.slug).collect()
    };
    if meant.is_empty() {
        return Err(Refusal::NoPurpose);
    }
    let declared = &form.declared;
    let is_offered =
        |slug: &&Slug| declared.purposes.contains(slug) || declared.choices.contains(slug);
    let purposes: Vec<Slug> = meant.into_iter().filter(is_offered).cloned().collect();
    if purposes.is_empty() {
        return Err(Refusal::NoLongerOffered);
    }
    Ok(purposes)
}

/// The host of the page, for the mail's "asked from": only our own or one that the brand declared, since a page is what
/// the client claims, and nothing that a stranger typed may stand in a mail (T4).
fn shown_host(page: &str, form: &Form, own: &str) -> Option<String> {
    let (scheme, rest) = page.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.split(':').next()?.to_ascii_lowercase();
    let declared = form.allows_origin(&format!("{scheme}://{authority}"));
    (declared || host == own).then_some(host)
}
