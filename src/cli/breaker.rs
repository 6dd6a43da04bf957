//! `countersign breaker`: confirmation mails that are held because suddenly few of them are confirmed.

use clap::Subcommand;

use super::Done;
use crate::app::App;
use crate::app::tidy::COUNTED_AT_MOST;
use crate::domain::operator::Deed;

#[derive(Subcommand)]
pub enum Breaker {
    /// Whether confirmation mails are held
    Status {
        #[arg(long)]
        json: bool,
    },
    /// Let held mails go, and leave mail alone for a window
    Release,
}

impl Breaker {
    pub async fn run(self, app: &App) -> Done {
        match self {
            Self::Status { json } => {
                let state = app.breaker().await?;
                if json {
                    println!("{}", serde_json::to_string(&state)?);
                } else {
                    let held = match state.mails_held {
                        held if held >= COUNTED_AT_MOST => format!("{held} or more"),
                        held => held.to_string(),
                    };
                    match state.open_since {
                        Some(at) => {
                            println!("Open since {}. Mails held: {held}.", at.to_the_minute());
                        }
                        None => println!("Closed. Mails held: {held}."),
                    }
                }
            }
            Self::Release => {
                let on = "held by the breaker".to_owned();
                app.acted_on_command_line(Deed::MailReleased, on).await?;
                let released = app.release_breaker().await?;
                if released.was_open {
                    println!("Closed.");
                } else {
                    println!("It was closed already.");
                }
                println!("Mails released: {}.", released.mails);
            }
        }
        Ok(())
    }
}
