//! `countersign evidence ADDRESS --timeline`: a contact's events as a story.

use clap::Args;

use super::{Done, Ended, brand_named};
use crate::app::App;
use crate::domain::circumstances::Circumstances;
use crate::domain::event::{Event, Fact, Grade, Link, MailFate};
use crate::domain::policy::Verdict;
use crate::domain::scanner::Signal;

#[derive(Args)]
pub struct Evidence {
    address: String,
    #[arg(long)]
    brand: String,
    /// The events as a story, oldest first
    #[arg(long, required = true)]
    timeline: bool,
    /// The events as JSON, one a line
    #[arg(long)]
    json: bool,
}

impl Evidence {
    pub async fn run(self, app: &App) -> Done {
        let brand = brand_named(app, &self.brand)?;
        let events = app.story(&brand, &self.address).await?;
        if events.is_empty() {
            return Err(Ended::Refused(format!(
                "brand \"{}\" knows nothing of this address",
                self.brand
            )));
        }
        for event in &events {
            if self.json {
                let mut line = serde_json::to_value(event)?;
                line["circumstances"] = serde_json::to_value(event.fact.circumstances())?;
                println!("{line}");
            } else {
                println!("{}  {}", event.at, sentence(event));
            }
        }
        Ok(())
    }
}

fn from(circumstances: &Circumstances) -> String {
    circumstances
        .ip
        .map_or_else(String::new, |ip| format!(" from {ip}"))
}

fn signals(found: &[Signal]) -> String {
    let words: Vec<&str> = found
        .iter()
        .map(|signal| match signal {
            Signal::PressedAtOnce => "pressed within two seconds of its page",
            Signal::OpenedAllLinks => "opened all links of the mail within seconds",
            Signal::SeveralPeople => "opened several people's links within a minute",
        })
        .collect();
    words.join("; ")
}

/// One event as a sentence.
pub fn sentence(event: &Event) -> String {
    match &event.fact {
        Fact::SignedUp(signup) => {
            let purposes: Vec<&str> = signup.purposes.iter().map(|p| p.as_str()).collect();
            let verdict = match signup.ruling.verdict {
                Verdict::Accept => "implicit consent",
                Verdict::ConfirmFirst => "waits for confirmation",
                Verdict::Refuse => "no consent from it",
            };
            let version: String = signup.form_version.as_str().chars().take(12).collect();
            format!(
                "Signed up for {} on form \"{}\" (version {version}, {}){}: {verdict} by rule {}; {}.",
                purposes.join(", "),
                signup.form,
                signup.language,
                from(&signup.circumstances),
                signup.ruling.rule.id(),
                fate(signup.mail),
            )
        }
        Fact::MailRequested {
            mail,
            circumstances,
        } => {
            format!(
                "Asked for the mail again{}; {}.",
                from(circumstances),
                fate(*mail)
            )
        }
        Fact::MailAccepted {
            message_id,
            reply,
            tries,
            ..
        } => format!(
            "The mail server took the confirmation mail <{message_id}> at try {tries} and said: {}",
            reply.trim()
        ),
        Fact::MailFailed {
            reason,
            tries,
            ambiguous,
            ..
        } => format!(
            "The confirmation mail was given up after {tries} tries: {}{}",
            reason.trim(),
            if *ambiguous {
                " (an earlier try may have reached the server)"
            } else {
                ""
            }
        ),
        Fact::LinkOpened {
            link,
            method,
            same_browser,
            circumstances,
        } => format!(
            "The link {} was opened by {method}{}{}.",
            match link {
                Link::Confirm => "to confirm",
                Link::Decline => "\"This was not me\"",
                Link::About => "\"About this mail\"",
            },
            from(circumstances),
            if *same_browser {
                " in the browser that signed up"
            } else {
                ""
            }
        ),
        Fact::CodeAsked {
            signals: found,
            circumstances,
        } => format!(
            "A press{} did not confirm, it looked like a program's ({}); the code was asked for.",
            from(circumstances),
            signals(found)
        ),
        Fact::CodeWrong {
            tries,
            circumstances,
        } => {
            format!(
                "A wrong code was typed{} (number {tries}).",
                from(circumstances)
            )
        }
        Fact::Confirmed {
            purposes,
            grade,
            circumstances,
            ..
        } => {
            let purposes: Vec<&str> = purposes.iter().map(|p| p.as_str()).collect();
            format!(
                "Confirmed {} {}{}: explicit consent by rule G3.",
                purposes.join(", "),
                match grade {
                    Grade::Code => "with the code from the mail",
                    Grade::SameBrowser => "in the browser that signed up",
                    Grade::LinkButton => "by the button behind the link",
                },
                from(circumstances)
            )
        }
        Fact::Declined { circumstances, .. } => format!(
            "Said \"this was not me\"{}: no further mail to this mailbox.",
            from(circumstances)
        ),
        Fact::Withdrawn {
            scope,
            circumstances,
            ..
        } => format!("Withdrew ({scope}){}.", from(circumstances)),
        Fact::AddressChanged { circumstances, .. } => format!(
            "The person who signed up corrected the address{}; this request ended.",
            from(circumstances)
        ),
        Fact::Replaced => "A newer request took the place of this one.".to_owned(),
    }
}

const fn fate(mail: MailFate) -> &'static str {
    match mail {
        MailFate::Queued => "a confirmation mail was queued",
        MailFate::OverBudget => "no mail, the budget was used up",
        MailFate::Suppressed => "no mail, the mailbox is suppressed",
        MailFate::Bot => "no mail, the form was filled in by a program",
    }
}
