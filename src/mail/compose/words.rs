//! What a mail says in sentences: of a signup, or of a campaign.

use super::{ConfirmationMail, PurposeView};
use crate::domain::campaign::Kind;
use crate::domain::policy::Source;
use crate::domain::time::Timestamp;
use crate::texts::Texts;

/// That somebody who confirmed is asked again, since the brand does so after a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Again {
    /// When consent ends without an answer; none where it stays.
    pub ends_at: Option<Timestamp>,
}

/// How a campaign asks.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ask {
    pub kind: Kind,
    /// Of people who confirmed.
    pub again: Option<Again>,
    pub reminder: bool,
    pub old_brand: Option<String>,
    /// The operator's own words.
    pub note: Option<String>,
    /// From where the address came.
    pub source: Option<Source>,
}

pub(super) struct Words {
    pub subject: String,
    pub lead: String,
    pub paragraphs: Vec<String>,
    pub button: String,
    pub code_label: String,
    pub why: String,
    pub no: String,
    pub no_link: String,
}

impl ConfirmationMail<'_> {
    pub(super) fn words(&self, t: &Texts, purposes: &[PurposeView]) -> Words {
        let names: Vec<&str> = purposes.iter().map(|p| p.name.as_str()).collect();
        let names = names.join(", ");
        let brand = self.brand.declared.name.as_str();
        let expires = t.arg(
            "mail-expires",
            "date",
            self.expires_at.for_people(t.language()),
        );
        let both = |id: &str| t.arg2(id, "purposes", &names, "brand", brand);
        let Some(ask) = self.ask else {
            return Words {
                subject: reminding(t, self.reminder, both("mail-subject")),
                lead: both("mail-lead"),
                paragraphs: Vec::new(),
                button: t.get("mail-button"),
                code_label: t.get(if self.no_page_left {
                    "mail-ask-code"
                } else {
                    "mail-code"
                }),
                why: format!("{} {expires}", self.asked(t)),
                no: t.get("mail-not-me"),
                no_link: t.get("mail-not-me-link"),
            };
        };
        let old = ask.old_brand.as_deref().unwrap_or_default();
        let merged = |id: &str| t.arg2(id, "old", old, "brand", brand);
        let (subject, lead, button, no_link) = match ask.kind {
            Kind::Invitation => (
                both("mail-invitation-subject"),
                both("mail-invitation-lead"),
                "mail-button",
                "mail-ask-no-link",
            ),
            Kind::Reconfirmation => (
                both("mail-reconfirmation-subject"),
                both("mail-reconfirmation-lead"),
                "mail-reconfirmation-button",
                "mail-ask-no-link",
            ),
            Kind::MergerNotice => (
                merged("mail-merger-subject"),
                merged("mail-merger-lead"),
                "mail-merger-button",
                "mail-merger-no-link",
            ),
        };
        let told = (ask.kind == Kind::MergerNotice).then(|| merged("mail-merger-text"));
        let unanswered = ask.again.map(|again| match again.ends_at {
            Some(at) => {
                let date = at.for_people(t.language());
                t.arg2("mail-again-ends", "date", &date, "brand", brand)
            }
            None => t.get("mail-again-stays"),
        });
        let note = ask.note.iter().flat_map(|note| note.lines());
        let note = note.map(str::trim).filter(|line| !line.is_empty());
        Words {
            subject: reminding(t, ask.reminder, subject),
            lead,
            paragraphs: note
                .map(str::to_owned)
                .chain(told)
                .chain(unanswered)
                .collect(),
            button: t.get(button),
            code_label: t.get("mail-ask-code"),
            why: match ask.again {
                Some(_) => format!("{} {expires}", t.arg("mail-why-again", "brand", brand)),
                None => format!("{} {expires}", whence(t, ask.source, brand)),
            },
            no: match ask.again {
                Some(_) => t.arg("mail-again-no", "brand", brand),
                None => t.arg("mail-ask-no", "brand", brand),
            },
            no_link: t.get(no_link),
        }
    }

    fn asked(&self, t: &Texts) -> String {
        let date = self.asked_at.for_people(t.language());
        match &self.asked_from {
            _ if self.by_tablet => t.arg("mail-asked-tablet", "date", &date),
            Some(page) => t.arg2("mail-asked-at", "date", &date, "page", page),
            None => t.arg("mail-asked", "date", &date),
        }
    }
}

fn reminding(t: &Texts, reminder: bool, subject: String) -> String {
    if reminder {
        t.arg("mail-reminder-subject", "subject", &subject)
    } else {
        subject
    }
}

/// Why the person is written to.
fn whence(t: &Texts, source: Option<Source>, brand: &str) -> String {
    let id = source.map_or_else(String::new, |source| {
        format!("mail-why-{}", source.as_str().replace('_', "-"))
    });
    let id = if t.has(&id) {
        id
    } else {
        "mail-why-other".to_owned()
    };
    t.arg(&id, "brand", brand)
}
