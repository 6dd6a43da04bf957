//! `countersign webhook`: who is told of events.

use clap::{Args, Subcommand};
use serde_json::json;
use uuid::Uuid;

use super::{Done, Ended, brand_named};
use crate::app::App;
use crate::app::webhooks::{NewWebhook, Webhook, WebhookProblem};
use crate::domain::announcement::Kind;
use crate::domain::ids::WebhookId;
use crate::store::webhooks::MessageRow;

#[derive(Args)]
pub struct Add {
    /// Where messages are posted to: https://…
    url: String,
    /// Which events, such as contact.confirmed; several times, or separated by commas. Without it, all
    #[arg(long = "type", value_delimiter = ',', value_parser = kind)]
    kinds: Vec<Kind>,
    /// Only events of this brand; without it, of all
    #[arg(long)]
    brand: Option<String>,
    /// What it is for
    #[arg(long, default_value = "")]
    about: String,
    #[arg(long)]
    json: bool,
}

#[derive(Subcommand)]
pub enum Command {
    /// Tell somebody of events from now on; the secret is shown once
    Add(Add),
    /// List the webhooks and how they do
    List {
        #[arg(long)]
        json: bool,
    },
    /// Send a message of the type webhook.test, and show the answer
    Test { id: Uuid },
    /// Send nothing until it is resumed
    Pause { id: Uuid },
    /// Go on; what happened meanwhile is told
    Resume { id: Uuid },
    /// Make a new secret; for a day messages are signed with the old one as well
    Rotate { id: Uuid },
    /// Remove it; what waits is told to nobody
    Remove { id: Uuid },
    /// What was sent and what waits, newest first, with the answers
    Log {
        id: Uuid,
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=1_000))]
        limit: i64,
        #[arg(long)]
        json: bool,
    },
}

fn kind(text: &str) -> Result<Kind, String> {
    let all: Vec<&str> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
    Kind::parse(text).ok_or_else(|| format!("it is no type; there are: {}", all.join(", ")))
}

fn ended(problem: WebhookProblem) -> Ended {
    match problem {
        WebhookProblem::Url(_) | WebhookProblem::About => Ended::Wrong(problem.to_string()),
        other => Ended::Refused(other.to_string()),
    }
}

impl Command {
    pub async fn run(self, app: &App) -> Done {
        match self {
            Self::Add(add) => add.run(app).await,
            Self::List { json } => list(app, json).await,
            Self::Test { id } => test(app, WebhookId(id)).await,
            Self::Pause { id } => {
                app.pause_webhook(None, WebhookId(id))
                    .await
                    .map_err(ended)?;
                println!("Paused; what happens meanwhile is told once it is resumed.");
                Ok(())
            }
            Self::Resume { id } => {
                app.resume_webhook(None, WebhookId(id))
                    .await
                    .map_err(ended)?;
                println!("Resumed; a running server or worker goes on within a second.");
                Ok(())
            }
            Self::Rotate { id } => {
                let secret = app
                    .rotate_webhook(None, WebhookId(id))
                    .await
                    .map_err(ended)?;
                println!("{secret}");
                eprintln!(
                    "This is the only time that it is shown. The old one signs as well for 24 hours."
                );
                Ok(())
            }
            Self::Remove { id } => {
                app.remove_webhook(None, WebhookId(id))
                    .await
                    .map_err(ended)?;
                println!("Removed.");
                Ok(())
            }
            Self::Log { id, limit, json } => log(app, WebhookId(id), limit, json).await,
        }
    }
}

impl Add {
    async fn run(self, app: &App) -> Done {
        let brand = self.brand.as_deref();
        let brand = brand.map(|slug| brand_named(app, slug)).transpose()?;
        let new = NewWebhook {
            url: self.url,
            kinds: self.kinds,
            brand,
            about: self.about,
        };
        let (row, secret) = app.add_webhook(None, new).await.map_err(ended)?;
        if self.json {
            println!("{}", json!({"id": row.id, "secret": secret}));
        } else {
            println!("id:     {}", row.id);
            println!("secret: {secret}");
            eprintln!("This is the only time that the secret is shown.");
        }
        Ok(())
    }
}

async fn list(app: &App, json: bool) -> Done {
    let catalog = app.catalog();
    for Webhook {
        row,
        kinds,
        waiting,
    } in app.webhooks().await?
    {
        let brand = row.brand_id.and_then(|id| catalog.brand(id));
        let brand = brand.map(|brand| brand.declared.slug.to_string());
        let types: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
        if json {
            let told = json!({
                "id": row.id, "url": row.url, "types": types, "brand": brand, "about": row.about, "state": row.state,
                "why": row.why, "waiting": waiting, "failures": row.failures, "failing_since": row.failing_since,
            });
            println!("{told}");
            continue;
        }
        let types = if types.is_empty() {
            "all events".to_owned()
        } else {
            types.join(",")
        };
        let brand = brand.unwrap_or_else(|| "all brands".to_owned());
        println!(
            "{}  {:6}  {}  {brand}  {types}  {waiting} waiting",
            row.id, row.state, row.url
        );
        if let Some(why) = &row.why {
            println!("  {why}");
        } else if let Some(since) = row.failing_since {
            println!("  failing since {since}");
        }
    }
    Ok(())
}

async fn test(app: &App, id: WebhookId) -> Done {
    let tried = app.test_webhook(None, id).await.map_err(ended)?;
    let status = tried
        .status
        .map_or_else(|| "no answer".to_owned(), |status| status.to_string());
    println!("{status} after {} ms", tried.milliseconds);
    if !tried.reply.is_empty() {
        println!("{}", tried.reply);
    }
    if tried.is_taken() {
        Ok(())
    } else {
        Err(Ended::Refused("the receiver did not take it".to_owned()))
    }
}

async fn log(app: &App, id: WebhookId, limit: i64, json: bool) -> Done {
    if app.webhook(id).await?.is_none() {
        return Err(ended(WebhookProblem::Unknown));
    }
    for message in app.deliveries(id, None, limit).await? {
        if json {
            println!("{}", as_json(&message));
        } else {
            let at = message.last_try_at.unwrap_or(message.due_at);
            let status = message.status.map(|status| status.to_string());
            println!(
                "{at}  {:9}  {:18}  contact {}  {} tries  {}  {}",
                message.state,
                message.kind,
                message.contact_id,
                message.tries,
                status.unwrap_or_else(|| "-".to_owned()),
                message.reply.as_deref().unwrap_or_default().escape_debug()
            );
        }
    }
    Ok(())
}

fn as_json(message: &MessageRow) -> serde_json::Value {
    json!({
        "position": message.position, "type": message.kind, "contact": message.contact_id, "state": message.state,
        "tries": message.tries, "due_at": message.due_at, "first_try_at": message.first_try_at,
        "last_try_at": message.last_try_at, "status": message.status, "reply": message.reply,
    })
}
