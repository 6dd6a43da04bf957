//! `countersign policy`: the table; `countersign policy explain`: one verdict. Neither needs an installation.

mod explain;
mod given;
mod page;
mod table;

use std::path::Path;

use clap::{Args, Subcommand};

use super::Done;
use crate::domain::policy::data;

#[derive(Args)]
pub struct Policy {
    #[command(subcommand)]
    ask: Option<Ask>,
    #[arg(long, global = true)]
    json: bool,
    /// As docs/policy.md has it
    #[arg(long, hide = true, conflicts_with = "json")]
    markdown: bool,
}

#[derive(Subcommand)]
enum Ask {
    /// The verdict on one address, with its rule
    Explain(explain::Explain),
}

impl Policy {
    pub async fn run(self, settings: &Path) -> Done {
        match self.ask {
            Some(Ask::Explain(explain)) => explain.run(settings, self.json).await,
            None if self.json => {
                println!("{}", serde_json::to_string_pretty(&data())?);
                Ok(())
            }
            None if self.markdown => {
                print!("{}", page::markdown());
                Ok(())
            }
            None => {
                print!("{}", table::text());
                Ok(())
            }
        }
    }
}
