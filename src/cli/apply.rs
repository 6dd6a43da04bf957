//! `countersign apply FILE`: the plan, then the change.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::{Done, Ended};
use crate::app::App;
use crate::app::apply::{
    ApplyProblem, Step, apply_on_command_line, in_short, newly_judged, parse, planned,
};

#[derive(Args)]
pub struct Apply {
    /// A TOML file of [[brand]]s with their purposes and forms
    file: PathBuf,
    /// Print the plan and change nothing
    #[arg(long)]
    plan: bool,
    #[arg(long)]
    json: bool,
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
        let steps = planned(app, &declarations).await.map_err(wrong)?;
        let applies = !self.plan && !steps.is_empty();
        if !self.json {
            let judged = newly_judged(&app.catalog(), &declarations);
            tell_plan(&steps, &judged, self.plan);
        }
        if applies {
            apply_on_command_line(app, &declarations, in_short(&steps))
                .await
                .map_err(wrong)?;
        }
        if self.json {
            let steps: Vec<Value> = steps.iter().map(Step::as_json).collect();
            println!("{}", json!({ "steps": steps, "applied": applies }));
        } else if applies {
            println!("Applied.");
        }
        Ok(())
    }
}

fn tell_plan(steps: &[Step], newly_judged: &[String], only_plan: bool) {
    if steps.is_empty() {
        println!("Nothing to change.");
        return;
    }
    for step in steps {
        println!("{step}");
    }
    for brand in newly_judged {
        println!(
            "  brand {brand}: the consent policy judges by the new terms what comes from now on, and whom a campaign asks; what \
             was given before stays as it was judged (`countersign policy explain` judges anew)."
        );
    }
    if only_plan {
        println!("Nothing was changed; run it again without --plan.");
    }
}
