//! `countersign bounce < MESSAGE`: a mail server hands a report over through a pipe.

use std::io::Read;
use std::path::Path;

use clap::Args;
use serde_json::json;

use super::{Done, Ended, opened};
use crate::app::bounce::Taken;
use crate::mail::bounce::MESSAGE_AT_MOST;

#[derive(Args)]
pub struct Bounce {
    /// The address that the report was sent to, as the mail server knows it. Without it the report itself is looked through
    #[arg(long, value_name = "ADDRESS")]
    recipient: Option<String>,
    #[arg(long)]
    json: bool,
}

impl Bounce {
    pub async fn run(self, file: &Path) -> Done {
        let mut message = Vec::new();
        let input = std::io::stdin().lock();
        let most = MESSAGE_AT_MOST as u64 + 1;
        input
            .take(most)
            .read_to_end(&mut message)
            .map_err(|error| Ended::Later(format!("standard input: {error}")))?;
        // Wrong settings are for whoever calls; a database that does not answer is for the mail server to wait for.
        let app = opened(file).await.map_err(|ended| match ended {
            Ended::Refused(text) => Ended::Later(text),
            other => other,
        })?;
        let taken = app.take_report(&message, self.recipient.as_deref()).await;
        let taken = taken.map_err(|problem| Ended::Later(problem.to_string()))?;
        if self.json {
            println!("{}", json!({ "report": taken.as_str() }));
        } else {
            println!("{}", words(taken));
        }
        Ok(())
    }
}

const fn words(taken: Taken) -> &'static str {
    match taken {
        Taken::Hard => {
            "The mail came back for good: its request ended, and nothing is sent there any more."
        }
        Taken::Soft => "The mail came back for the time being; it is counted.",
        Taken::Complaint => "A complaint: the person has left, and nothing is sent there any more.",
        Taken::Again => "That was known already; nothing changed.",
        Taken::Underway => "The report does not say that a mail failed; nothing changed.",
        Taken::NoComplaint => {
            "The feedback is not that somebody did not want the mail; nothing changed."
        }
        Taken::NotOurs => {
            "The report holds no address and no link that this server made; nothing changed."
        }
        Taken::Gone => "Nothing is known any more of whose mail that was; nothing changed.",
        Taken::NoReport => {
            "This is no delivery report (RFC 3464) and no feedback report (RFC 5965); nothing changed."
        }
    }
}
