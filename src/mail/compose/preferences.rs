//! The mail with the link to the preferences, for people who have lost theirs. It carries nothing that was typed anywhere.

use askama::Template;

use super::{BrandView, ComposeProblem, addressed, boundary, finish, one_line};
use crate::domain::brand::{Accent, Brand};
use crate::domain::time::Timestamp;
use crate::texts::Texts;

pub struct PreferencesMail<'a> {
    pub brand: &'a Brand,
    pub language: &'a str,
    /// The deliverable address.
    pub to: &'a str,
    pub url: String,
    /// When the link ends.
    pub until: Timestamp,
    pub message_id: String,
    pub now: Timestamp,
}

/// What the three templates share.
struct Parts {
    brand: BrandView,
    accent: String,
    accent_ink: String,
    t: Texts,
    lang: String,
    dir: String,
    lead: String,
    why: String,
    url: String,
}

#[derive(Template)]
#[template(path = "mail/preferences/subject.txt")]
struct Subject<'a> {
    parts: &'a Parts,
}

#[derive(Template)]
#[template(path = "mail/preferences/body.txt")]
struct TextBody<'a> {
    parts: &'a Parts,
}

#[derive(Template)]
#[template(path = "mail/preferences/body.html")]
struct HtmlBody<'a> {
    parts: &'a Parts,
}

impl PreferencesMail<'_> {
    /// The message as it goes to the SMTP server.
    pub fn compose(self) -> Result<Vec<u8>, ComposeProblem> {
        let message = addressed(self.brand, self.to, &self.message_id, self.now)?;
        let boundary = boundary(&self.message_id);
        let t = Texts::of(self.language);
        let accent = Accent::of(&self.brand.declared.accent);
        let ink = accent.as_ref().map_or("#ffffff", |accent| accent.ink);
        let parts = Parts {
            brand: BrandView::of(self.brand),
            accent_ink: ink.to_owned(),
            accent: accent.map_or_else(|| "#1f5f8b".to_owned(), |accent| accent.colour),
            lang: t.language().to_owned(),
            dir: t.direction().to_owned(),
            lead: t.arg("mail-preferences-lead", "brand", &self.brand.declared.name),
            why: t.arg(
                "mail-preferences-why",
                "date",
                self.until.for_people(t.language()),
            ),
            url: self.url,
            t,
        };
        let subject = one_line(&Subject { parts: &parts }.render()?);
        let text = TextBody { parts: &parts }.render()?;
        let html = HtmlBody { parts: &parts }.render()?;
        finish(message.subject(subject), boundary, text, html)
    }
}
