//! `countersign operator`: admin accounts.

use std::io::{BufRead, IsTerminal, Write};

use clap::{Subcommand, ValueEnum};
use serde_json::json;

use super::{Done, Ended, brand_named};
use crate::app::App;
use crate::app::operators::{self, OperatorProblem};
use crate::domain::operator::Role;

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum OperatorRole {
    Owner,
    Editor,
    Viewer,
    Auditor,
}

impl OperatorRole {
    const fn role(self) -> Role {
        match self {
            Self::Owner => Role::Owner,
            Self::Editor => Role::Editor,
            Self::Viewer => Role::Viewer,
            Self::Auditor => Role::Auditor,
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
        /// Keep the account to this brand; may be given several times
        #[arg(long)]
        brand: Vec<String>,
    },
    /// List the accounts
    List {
        #[arg(long)]
        json: bool,
    },
    /// Change a password; all sessions of the account end
    Passwd { name: String },
    /// Take the second factors of an account away (one-time codes, recovery codes, passkeys); all its sessions end
    ResetFactors { name: String },
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
        OperatorProblem::Password | OperatorProblem::Name => Ended::Wrong(problem.to_string()),
        other => Ended::Refused(other.to_string()),
    }
}

impl Operator {
    pub async fn run(self, app: &App) -> Done {
        match self {
            Self::Add { name, role, brand } => {
                let brands = brand
                    .iter()
                    .map(|slug| Ok(brand_named(app, slug)?.id))
                    .collect::<Result<Vec<_>, Ended>>()?;
                let password = read_line("password")?;
                operators::add(app, None, &name, &password, (role.role(), &brands))
                    .await
                    .map_err(wrong)?;
                println!("Added {name}.");
            }
            Self::List { json } => {
                let catalog = app.catalog();
                for account in operators::list(&app.store).await? {
                    let state = if account.disabled_at.is_some() {
                        "disabled"
                    } else {
                        "enabled"
                    };
                    let brands: Vec<&str> = account
                        .operator
                        .brands
                        .iter()
                        .filter_map(|id| catalog.brand(*id))
                        .map(|brand| brand.declared.slug.as_str())
                        .collect();
                    if json {
                        println!(
                            "{}",
                            json!({
                                "name": account.operator.name, "role": account.operator.role.as_str(), "state": state,
                                "created_at": account.created_at, "brands": brands,
                            })
                        );
                        continue;
                    }
                    println!(
                        "{}\t{}\t{state}\t{}\t{}",
                        account.operator.name,
                        account.operator.role.as_str(),
                        account.created_at,
                        brands.join(", ")
                    );
                }
            }
            Self::Passwd { name } => {
                let password = read_line("new password")?;
                operators::set_password(app, None, &name, &password, &[])
                    .await
                    .map_err(wrong)?;
                println!("Changed; all sessions of {name} have ended.");
            }
            Self::ResetFactors { name } => {
                if !app.reset_factors(None, &name).await? {
                    return Err(wrong(OperatorProblem::Unknown));
                }
                println!(
                    "The second factors of {name} are gone, and all sessions have ended: the password alone opens the pages until new ones are set up."
                );
            }
            Self::Disable { name } => {
                operators::disable(app, None, &name).await.map_err(wrong)?;
                println!("Disabled; all sessions of {name} have ended.");
            }
        }
        Ok(())
    }
}
