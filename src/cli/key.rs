//! `countersign key`: keys for programs that use the API.

use clap::Subcommand;
use serde_json::json;

use super::{Done, Ended, brand_named};
use crate::app::App;
use crate::app::keys::{KeyProblem, NewKey};
use crate::domain::api_key::{ApiKey, Scope};
use crate::domain::time::Timestamp;

#[derive(Subcommand)]
pub enum Key {
    /// Make a key; it is shown once
    Add {
        name: String,
        /// What it may do, such as signups:write; may be given several times, or separated by commas
        #[arg(long, required = true, value_delimiter = ',', value_parser = scope)]
        scope: Vec<Scope>,
        /// The only brand that it sees; without it, all
        #[arg(long)]
        brand: Option<String>,
        /// Until when it holds: RFC 3339, or a date; without it, until it is revoked
        #[arg(long, value_name = "TIME")]
        expires: Option<String>,
        #[arg(long)]
        json: bool,
    },
    /// List the keys, without their secrets
    List {
        #[arg(long)]
        json: bool,
    },
    /// From now on the key opens nothing
    Revoke { name: String },
}

fn scope(text: &str) -> Result<Scope, String> {
    let all: Vec<&str> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
    Scope::parse(text).ok_or_else(|| format!("it is no scope; there are: {}", all.join(", ")))
}

fn ended(problem: KeyProblem) -> Ended {
    match problem {
        KeyProblem::Name | KeyProblem::NoScope | KeyProblem::Over => {
            Ended::Wrong(problem.to_string())
        }
        other => Ended::Refused(other.to_string()),
    }
}

impl Key {
    pub async fn run(self, app: &App) -> Done {
        match self {
            Self::Add {
                name,
                scope,
                brand,
                expires,
                json,
            } => {
                let brand = brand.map(|slug| brand_named(app, &slug)).transpose()?;
                let expires_at = expires.map(|text| instant(&text)).transpose()?;
                let new = NewKey {
                    name,
                    scopes: scope,
                    brand,
                    expires_at,
                };
                let (key, secret) = app.add_key(None, new).await.map_err(ended)?;
                if json {
                    let mut told = told(app, &key);
                    told["key"] = json!(secret);
                    println!("{told}");
                } else {
                    println!("{secret}");
                    eprintln!("This is the only time that the key is shown.");
                }
            }
            Self::List { json } => {
                for key in app.api_keys().await? {
                    if json {
                        println!("{}", told(app, &key));
                    } else {
                        println!("{}", line(app, &key));
                    }
                }
            }
            Self::Revoke { name } => {
                app.revoke_key(None, &name).await.map_err(ended)?;
                println!("Revoked; {name} opens nothing any more.");
            }
        }
        Ok(())
    }
}

fn instant(text: &str) -> Result<Timestamp, Ended> {
    Timestamp::parse(text).ok_or_else(|| {
        Ended::Wrong(format!(
            "--expires \"{text}\" is no time; write it like 2026-11-23T17:00:00Z or 2026-11-23"
        ))
    })
}

fn brand_of(app: &App, key: &ApiKey) -> Option<String> {
    let id = key.brand?;
    let catalog = app.catalog();
    Some(catalog.brand(id)?.declared.slug.to_string())
}

fn state(app: &App, key: &ApiKey) -> &'static str {
    match (key.revoked_at, key.holds(app.clock.now())) {
        (Some(_), _) => "revoked",
        (None, false) => "expired",
        (None, true) => "in use",
    }
}

fn used_on(key: &ApiKey) -> Option<String> {
    let at = Timestamp::from_micros(key.used_day?.saturating_mul(86_400_000_000));
    at.to_string().get(..10).map(ToOwned::to_owned)
}

fn told(app: &App, key: &ApiKey) -> serde_json::Value {
    json!({
        "name": key.name, "scopes": key.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>(),
        "brand": brand_of(app, key), "state": state(app, key), "created_at": key.created_at,
        "expires_at": key.expires_at, "used_on": used_on(key),
    })
}

fn line(app: &App, key: &ApiKey) -> String {
    let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.as_str()).collect();
    format!(
        "{}\t{}\t{}\t{}\tused {}",
        key.name,
        state(app, key),
        brand_of(app, key).unwrap_or_else(|| "all brands".to_owned()),
        scopes.join(","),
        used_on(key).unwrap_or_else(|| "never".to_owned()),
    )
}
