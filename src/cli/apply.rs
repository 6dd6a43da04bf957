//! `countersign apply FILE`: the plan, then the change.

use std::path::PathBuf;

use clap::Args;

use super::{Done, Ended};
use crate::app::App;
use crate::app::apply::{ApplyProblem, apply, parse, plan};

#[derive(Args)]
pub struct Apply {
    /// A TOML file of [[brand]]s with their purposes and forms
    file: PathBuf,
    /// Print the plan and change nothing
    #[arg(long)]
    plan: bool,
}

impl Apply {
    pub async fn run(self, app: &App) -> Done {
        let text = std::fs::read_to_string(&self.file)
            .map_err(|error| Ended::Wrong(format!("{}: {error}", self.file.display())))?;
        let wrong = |problem: ApplyProblem| match problem {
            ApplyProblem::Store(error) => Ended::Refused(error.to_string()),
            other => Ended::Wrong(other.to_string()),
        };
        let declarations = parse(&text).map_err(wrong)?;
        let steps = plan(&app.catalog(), &declarations).map_err(wrong)?;
        if steps.is_empty() {
            println!("Nothing to change.");
            return Ok(());
        }
        for step in &steps {
            println!("{step}");
        }
        if self.plan {
            println!("Nothing was changed; run it again without --plan.");
            return Ok(());
        }
        apply(app, &declarations).await.map_err(wrong)?;
        println!("Applied.");
        Ok(())
    }
}
