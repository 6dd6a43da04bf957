//! `countersign operator`: admin accounts.

use std::io::{BufRead, IsTerminal, Write};

use clap::{Subcommand, ValueEnum};

use super::{Done, Ended};
use crate::app::App;
use crate::app::sign_in::{self, OperatorProblem};

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum OperatorRole {
    Owner,
    Editor,
    Viewer,
    Auditor,
}

impl OperatorRole {
    const fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Editor => "editor",
            Self::Viewer => "viewer",
            Self::Auditor => "auditor",
        }
    }
}

#[derive(Subcommand)]
pub enum Operator {
    /// Add an account; the password is read from standard input
    Add {
        name: String,
        #[arg(long, value_enum, default_value = "owner")]
        role: OperatorRole,
    },
    /// List the accounts
    List,
    /// Change a password; all sessions of the account end
    Passwd { name: String },
    /// Disable an account; all its sessions end
    Disable { name: String },
}

/// Asks for a line; on a terminal with a prompt. The terminal shows what is typed, so scripts should pipe it in.
pub fn read_line(prompt: &str) -> Result<String, Ended> {
    if std::io::stdin().is_terminal() {
        eprint!("{prompt}: ");
        std::io::stderr().flush()?;
    }
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn wrong(problem: OperatorProblem) -> Ended {
    match problem {
        OperatorProblem::ShortPassword | OperatorProblem::Name => Ended::Wrong(problem.to_string()),
        other => Ended::Refused(other.to_string()),
    }
}

impl Operator {
    pub async fn run(self, app: &App) -> Done {
        match self {
            Self::Add { name, role } => {
                let password = read_line("password")?;
                sign_in::add(app, &name, &password, role.name())
                    .await
                    .map_err(wrong)?;
                println!("Added {name}.");
            }
            Self::List => {
                for operator in sign_in::list(&app.store).await? {
                    let state = if operator.disabled_at.is_some() {
                        "disabled"
                    } else {
                        "enabled"
                    };
                    println!(
                        "{}\t{}\t{state}\t{}",
                        operator.name, operator.role, operator.created_at
                    );
                }
            }
            Self::Passwd { name } => {
                let password = read_line("new password")?;
                sign_in::set_password(app, &name, &password)
                    .await
                    .map_err(wrong)?;
                println!("Changed; all sessions of {name} have ended.");
            }
            Self::Disable { name } => {
                sign_in::disable(app, &name).await.map_err(wrong)?;
                println!("Disabled; all sessions of {name} have ended.");
            }
        }
        Ok(())
    }
}
