//! The links to leave and to choose that every mail to a contact carries, also the mails that other programs send.

use std::time::Duration;

use super::App;
use crate::domain::brand::{Brand, Slug};
use crate::domain::ids::ContactId;
use crate::domain::time::Timestamp;
use crate::domain::token::{Purpose, Refused, Token};

/// A link to leave works for as long as somebody may keep a mail, and past its time too; see `unsubscribing`.
const LEAVE_WITHIN: Duration = Duration::from_secs(10 * 365 * 86_400);

/// What a mail to a contact carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Links {
    pub unsubscribe_url: String,
    pub preferences_url: String,
    /// The value of the header `List-Unsubscribe` (RFC 2369).
    pub list_unsubscribe: String,
    /// The value of the header `List-Unsubscribe-Post` (RFC 8058).
    pub list_unsubscribe_post: &'static str,
}

/// What stands in `List-Unsubscribe-Post`, and in the body of the request that a mail program makes of it (RFC 8058).
pub const ONE_CLICK: &str = "List-Unsubscribe=One-Click";

/// Whom a link to leave stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsubscribing {
    pub token: Token,
    /// The purpose that is left; none: all.
    pub purpose: Option<Slug>,
}

/// Whose preferences a link opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choosing {
    pub token: Token,
    /// A program was given it, and may have kept it: nothing is agreed to, taken along or erased behind it.
    pub handed_out: bool,
}

pub(super) fn leave_until(now: Timestamp) -> Timestamp {
    now.plus(LEAVE_WITHIN)
}

impl App {
    /// The links of a contact, for programs; with a purpose, that to leave is for it alone. They hold nothing but ids. Nothing is
    /// read: of a contact that is not there the links lead to a page that says so.
    pub fn links(&self, brand: &Brand, contact: ContactId, purpose: Option<&Slug>) -> Links {
        let unsubscribe_url =
            self.url(&format!("/u/{}", self.leave_token(brand, contact, purpose)));
        Links {
            preferences_url: self.choices_url(
                Purpose::PreferencesHandedOut,
                brand,
                contact,
                // The preferences tell of one person, so their link ends; a fresh one is asked for on `/p`.
                self.clock.now().plus(self.config.links.handed_out),
            ),
            list_unsubscribe: format!("<{unsubscribe_url}>"),
            list_unsubscribe_post: ONE_CLICK,
            unsubscribe_url,
        }
    }

    /// The part of a link to leave behind `/u/`.
    fn leave_token(&self, brand: &Brand, contact: ContactId, purpose: Option<&Slug>) -> String {
        let until = leave_until(self.clock.now());
        let about = purpose.map_or("", Slug::as_str);
        let token =
            self.keys
                .sign_about(Purpose::Unsubscribe, about, brand.number, contact.0, until);
        // In front, so that the link ends with the token's letter, whatever a purpose's name ends with.
        match purpose {
            Some(purpose) => format!("{purpose}.{token}"),
            None => token,
        }
    }

    /// A link to the preferences that works until an instant, for a mail of our own to the contact and for nobody else.
    pub(super) fn preferences_url(
        &self,
        brand: &Brand,
        contact: ContactId,
        until: Timestamp,
    ) -> String {
        self.choices_url(Purpose::Preferences, brand, contact, until)
    }

    fn choices_url(
        &self,
        purpose: Purpose,
        brand: &Brand,
        contact: ContactId,
        until: Timestamp,
    ) -> String {
        let token = self.keys.sign(purpose, brand.number, contact.0, until);
        self.url(&format!("/p/{token}"))
    }

    /// Reads the part of a link to the preferences behind `/p/`.
    pub fn choosing(&self, text: &str) -> Result<Choosing, Refused> {
        let now = self.clock.now();
        let verified = |purpose| self.keys.verify(purpose, text, now);
        let (found, handed_out) = match verified(Purpose::Preferences) {
            Err(Refused::Forged) => (verified(Purpose::PreferencesHandedOut), true),
            found => (found, false),
        };
        found.map(|token| Choosing { token, handed_out })
    }

    /// Reads the part of a link to leave behind `/u/`. A genuine link of any age lets the person leave.
    pub fn unsubscribing(&self, text: &str) -> Option<Unsubscribing> {
        let (purpose, token) = match text.split_once('.') {
            Some((purpose, token)) => (Some(Slug::try_from(purpose.to_owned()).ok()?), token),
            None => (None, text),
        };
        let about = purpose.as_ref().map_or("", Slug::as_str);
        let now = self.clock.now();
        match self
            .keys
            .verify_about(Purpose::Unsubscribe, about, token, now)
        {
            Ok(token) | Err(Refused::Expired(token)) => Some(Unsubscribing { token, purpose }),
            Err(Refused::Forged) => None,
        }
    }
}
