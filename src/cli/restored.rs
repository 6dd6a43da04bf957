//! `countersign restored`: after an older copy of the database was put back.

use clap::Subcommand;

use super::Done;
use crate::app::App;
use crate::domain::operator::Deed;

#[derive(Subcommand)]
pub enum Restored {
    /// Whether mail is held because an older copy was put back
    Status {
        #[arg(long)]
        json: bool,
    },
    /// Withdrawals and erasures since that copy were entered again: let mail leave
    Accept,
}

impl Restored {
    pub async fn run(self, app: &App) -> Done {
        match self {
            Self::Status { json } => {
                let held = app.sending_held().await?;
                if json {
                    println!("{}", serde_json::to_string(&held)?);
                } else {
                    match held {
                        Some(held) => println!("No mail leaves: {}.", held.why),
                        None => println!("Mail leaves as always."),
                    }
                }
            }
            Self::Accept => {
                let held = app.sending_held().await?;
                let on = held.map_or_else(|| "nothing was held".to_owned(), |held| held.why);
                app.acted_on_command_line(Deed::RestoredAccepted, on)
                    .await?;
                if app.accept_restored().await? {
                    println!("Mail leaves again.");
                } else {
                    println!("No mail was held.");
                }
            }
        }
        Ok(())
    }
}
