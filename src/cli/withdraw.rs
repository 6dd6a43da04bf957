//! `countersign withdraw ADDRESS`: a person has said elsewhere, in a letter or on the telephone, that they leave.

use clap::Args;
use serde_json::json;

use super::{Done, Ended, brand_named, subject};
use crate::app::App;
use crate::app::permit::Unanswerable;
use crate::app::withdraw::{Leave, LeaveProblem, Leaver, Left, Scope};
use crate::domain::brand::Slug;
use crate::domain::circumstances::Circumstances;
use crate::domain::event::{LeaveMethod, LeftBy};
use crate::domain::operator::Deed;

#[derive(Args)]
pub struct Withdraw {
    address: String,
    #[arg(long)]
    brand: String,
    /// Only this purpose; may be given several times. Without it: all that the brand sends
    #[arg(long)]
    purpose: Vec<String>,
    /// How the person said so, such as "letter of 3 March"; it stands in the evidence
    #[arg(long)]
    reason: Option<String>,
    #[arg(long)]
    json: bool,
}

impl Withdraw {
    pub async fn run(self, app: &App) -> Done {
        let brand = brand_named(app, &self.brand)?;
        let purposes: Result<Vec<Slug>, String> =
            self.purpose.into_iter().map(Slug::try_from).collect();
        let purposes = purposes.map_err(Ended::Wrong)?;
        let on = subject(app, &brand, &self.address)
            .await
            .map_err(|problem| match problem {
                Unanswerable::Address(_) => Ended::Wrong(problem.to_string()),
                Unanswerable::Store(_) => Ended::Refused(problem.to_string()),
            })?;
        app.acted_on_command_line(Deed::ContactWithdrawn, on)
            .await?;
        let leave = Leave {
            who: Leaver::Address(self.address),
            scope: if purposes.is_empty() {
                Scope::All
            } else {
                Scope::Purposes(purposes)
            },
            method: LeaveMethod::CommandLine,
            by: LeftBy::Operator,
            reason: self.reason,
            circumstances: Circumstances::default(),
        };
        let left = app.withdraw(&brand, leave).await.map_err(|problem| {
            let text = problem.to_string();
            match problem {
                LeaveProblem::Address(Unanswerable::Address(_))
                | LeaveProblem::UnknownPurpose(_) => Ended::Wrong(text),
                _ => Ended::Refused(text),
            }
        })?;
        let (now, purposes) = match left {
            Left::Now { purposes, .. } => (true, purposes),
            Left::Before { .. } => (false, Vec::new()),
        };
        if self.json {
            println!("{}", json!({ "withdrawn": now, "purposes": purposes }));
        } else if now {
            let names: Vec<&str> = purposes.iter().map(Slug::as_str).collect();
            println!("Left: {}.", names.join(", "));
        } else {
            println!("The person had left before; nothing changed.");
        }
        Ok(())
    }
}
