//! `countersign suppression`: mailboxes that a brand does not write to.

use clap::Subcommand;
use serde_json::json;

use super::{Done, Ended, brand_named};
use crate::app::App;
use crate::app::permit::Unanswerable;
use crate::app::suppress::is_reason;
use crate::domain::operator::Deed;

#[derive(Subcommand)]
pub enum Suppression {
    /// Whether the brand keeps from writing to the mailbox of an address, and why
    Show {
        address: String,
        #[arg(long)]
        brand: String,
        #[arg(long)]
        json: bool,
    },
    /// Keep the brand from writing to the mailbox of an address, whether it has a contact there or not
    Add {
        address: String,
        #[arg(long)]
        brand: String,
        /// Why, in words that will stand in the evidence
        #[arg(long)]
        reason: String,
    },
    /// Let the brand write to the mailbox again. What was withdrawn or declined stays so until the person confirms anew
    Lift {
        address: String,
        #[arg(long)]
        brand: String,
        /// Why, in words that will stand in the evidence
        #[arg(long)]
        reason: String,
    },
}

fn ended(problem: Unanswerable) -> Ended {
    match problem {
        Unanswerable::Address(_) => Ended::Wrong(problem.to_string()),
        Unanswerable::Store(_) => Ended::Refused(problem.to_string()),
    }
}

fn checked(reason: &str) -> Result<&str, Ended> {
    if is_reason(reason) {
        Ok(reason.trim())
    } else {
        let says = "--reason has 3 to 400 characters, none of which steers a terminal";
        Err(Ended::Wrong(says.to_owned()))
    }
}

impl Suppression {
    pub async fn run(self, app: &App) -> Done {
        match self {
            Self::Show {
                address,
                brand,
                json,
            } => {
                let brand = brand_named(app, &brand)?;
                let found = app.suppressed(&brand, &address).await.map_err(ended)?;
                if json {
                    let since = found.as_ref().map(|one| one.since);
                    let reason = found.as_ref().map(|one| &one.reason);
                    let object =
                        json!({ "suppressed": found.is_some(), "since": since, "reason": reason });
                    println!("{object}");
                } else {
                    match found {
                        Some(one) => println!(
                            "Nothing is sent to this mailbox since {}: {}.",
                            one.since.to_the_minute(),
                            one.reason
                        ),
                        None => println!("This mailbox is not suppressed."),
                    }
                }
                Ok(())
            }
            Self::Add {
                address,
                brand,
                reason,
            } => {
                let reason = checked(&reason)?;
                let brand = brand_named(app, &brand)?;
                let on = app.mailbox_named(&brand, &address).map_err(ended)?;
                app.acted_on_command_line(Deed::SuppressionAdded, on)
                    .await?;
                let added = app.suppress(&brand, &address, reason).await;
                let (now, before) = added.map_err(ended)?;
                let since = now.since.to_the_minute();
                if before {
                    println!("This mailbox is suppressed since {since}: {}.", now.reason);
                } else {
                    println!("Suppressed: nothing is sent to this mailbox any more.");
                }
                Ok(())
            }
            Self::Lift {
                address,
                brand,
                reason,
            } => {
                let reason = checked(&reason)?;
                let brand = brand_named(app, &brand)?;
                let on = app.mailbox_named(&brand, &address).map_err(ended)?;
                app.acted_on_command_line(Deed::SuppressionLifted, on)
                    .await?;
                let lifted = app
                    .lift_suppression(&brand, &address, reason)
                    .await
                    .map_err(ended)?;
                match lifted {
                    Some(was) => println!(
                        "Lifted; the mailbox was suppressed since {}: {}.",
                        was.since.to_the_minute(),
                        was.reason
                    ),
                    None => println!("This mailbox was not suppressed; nothing changed."),
                }
                Ok(())
            }
        }
    }
}
