//! `countersign demo`: the whole main job on this machine, with nothing installed.

pub mod smtp_catcher;

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};

use super::init::{new_password, new_secret, write_private};
use super::serve::{self, Role};
use super::{Done, Ended};
use crate::app::App;
use crate::app::apply::{apply, parse};
use crate::app::operators;
use crate::clock::{Clock, Random};
use crate::config::{Config, commented_file};
use crate::domain::hex::hex;
use crate::domain::operator;
use crate::ledger::timestamp::authority::Authority;
use crate::telemetry;
use crate::web::demo::Caught;
use crate::web::{self, Web};

const DECLARATIONS: &str = include_str!("demo/demo.toml");
const OPERATOR: &str = "demo";

#[derive(Args)]
pub struct Demo {
    /// Listen on 127.0.0.1 at this port
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Keep the data here, with a countersign.toml that every other command can use
    #[arg(long)]
    data: Option<PathBuf>,
}

/// The folder of the data: the one asked for, or one that is removed at the end.
struct Folder {
    path: PathBuf,
    keep: bool,
}

impl Folder {
    fn make(asked: Option<PathBuf>, random: &Random) -> std::io::Result<Self> {
        let keep = asked.is_some();
        let path = asked.unwrap_or_else(|| {
            let name = hex(&random.bytes::<8>());
            std::env::temp_dir().join(format!("countersign-demo-{name}"))
        });
        std::fs::create_dir_all(&path)?;
        Ok(Self { path, keep })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.keep {
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

impl Demo {
    pub async fn run(self) -> Done {
        telemetry::start_log(false, "warn");
        let random = Random::Os;
        // The port first: a second demo must not touch the data of the first.
        let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), self.port);
        let listener = TcpListener::bind(address).map_err(|error| {
            Ended::Wrong(format!("{address}: {error}. Choose another with --port"))
        })?;
        let address = listener.local_addr()?;
        let folder = Folder::make(self.data, &random)?;
        let caught = Arc::new(Caught::default());
        let catcher = smtp_catcher::start(caught.clone(), Clock::System).await?;
        let stamps = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let places = Places {
            web: address,
            smtp: catcher,
            stamps: stamps.local_addr()?,
        };
        let config = configuration(&folder.path, places, &random)?;
        let authority = Arc::new(authority_of(&config));
        tokio::spawn(web::demo::authority::serve(
            stamps,
            authority,
            Clock::System,
        )?);
        let app = App::start(config, Clock::System, random.clone()).await?;
        let declarations = parse(DECLARATIONS).map_err(|e| Ended::Refused(e.to_string()))?;
        apply(&app, &declarations).await?;
        let password = operator_password(&app, &folder.path, &random).await?;
        let base = app.url("");
        let rest = if folder.keep {
            let file = folder.path.join("countersign.toml");
            format!("config: {}", file.display())
        } else {
            "The data goes when the demo ends (Ctrl-C); keep it with --data DIR.".to_owned()
        };
        let lines = format!(
            "form: {base}/f/newsletter\ninbox: {base}/inbox\nadmin: {base}/admin\n\
             operator: {OPERATOR}\npassword: {password}\n\
             timestamps: by a demo authority inside this program, which proves nothing to others\n{rest}\n"
        );
        // One write, and no fault if the reader has gone: a program may read the first lines only.
        let _ = std::io::stdout().write_all(lines.as_bytes());
        let _ = std::io::stdout().flush();
        let mut web = Web::new(app.clone(), telemetry::start_metrics());
        web.demo = Some(caught);
        serve::run(app, web, Role::All, Some(listener)).await
    }
}

/// Where the parts of the demo listen.
struct Places {
    web: SocketAddr,
    smtp: SocketAddr,
    stamps: SocketAddr,
}

/// The demo's time-stamping authority: the same data folder has the same one, so its root stays the one first seen.
fn authority_of(config: &Config) -> Authority {
    let mut hash = Sha256::new_with_prefix(b"countersign demo authority");
    for secret in &config.root_secrets {
        hash.update(secret.expose_secret());
    }
    Authority::from_secret(&hash.finalize().into())
}

/// Writes the settings at the first start; later starts keep the secret and follow the ports.
fn configuration(folder: &Path, places: Places, random: &Random) -> Result<Config, Ended> {
    let file = folder.join("countersign.toml");
    let secret = std::fs::read_to_string(&file)
        .ok()
        .and_then(|text| text.parse::<toml::Table>().ok())
        .and_then(|table| Some(table.get("secrets")?.get("root")?.as_str()?.to_owned()))
        .unwrap_or_else(|| new_secret(random));
    let text = commented_file(&[
        ("server", "listen", places.web.to_string()),
        ("server", "base_url", format!("http://{}", places.web)),
        ("server", "any_domain", "true".to_owned()),
        ("database", "url", "sqlite://countersign.db".to_owned()),
        ("secrets", "root", secret),
        ("smtp", "host", places.smtp.ip().to_string()),
        ("smtp", "port", places.smtp.port().to_string()),
        ("smtp", "tls", "plain".to_owned()),
        // Everybody in the demo comes from this machine; the budget per network would soon be theirs together.
        ("budget", "per_network_an_hour", "0".to_owned()),
        (
            "timestamp",
            "authorities",
            format!("demo=http://{}/", places.stamps),
        ),
        ("timestamp", "every_minutes", "1".to_owned()),
        ("timestamp", "allow_private", "true".to_owned()),
    ]);
    let fresh = folder.join("countersign.toml.new");
    let _ = std::fs::remove_file(&fresh);
    write_private(&fresh, &text)?;
    std::fs::rename(&fresh, &file)?;
    Config::load(&file, true).map_err(|problem| Ended::Wrong(problem.to_string()))
}

/// The operator's password: made once per data folder and kept beside the data, so that a second start can print it.
async fn operator_password(app: &App, folder: &Path, random: &Random) -> Result<String, Ended> {
    let file = folder.join("operator-password");
    if let Ok(password) = std::fs::read_to_string(&file) {
        return Ok(password.trim().to_owned());
    }
    let password = new_password(random);
    match operators::add(app, None, OPERATOR, &password, (operator::Role::Owner, &[])).await {
        Ok(()) => {}
        Err(operators::OperatorProblem::Taken) => {
            operators::set_password(app, None, OPERATOR, &password, &[])
                .await
                .map_err(|problem| Ended::Refused(problem.to_string()))?;
        }
        Err(problem) => return Err(Ended::Refused(problem.to_string())),
    }
    write_private(&file, &password)?;
    Ok(password)
}
