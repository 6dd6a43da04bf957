//! `countersign init`: a commented configuration, the keys, the database, the first operator.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use base64::{Engine, engine::general_purpose::STANDARD};
use clap::Args;
use serde_json::json;

use super::operator::read_line;
use super::{Done, Ended};
use crate::app::App;
use crate::app::operators;
use crate::clock::{Clock, Random};
use crate::config::{Config, commented_file};
use crate::domain::operator::Role;

#[derive(Args)]
pub struct Init {
    /// Ask nothing: take the defaults and the values below
    #[arg(long)]
    yes: bool,
    /// Print a commented file with every setting, and make nothing
    #[arg(long)]
    print: bool,
    /// The public address, such as https://confirm.example.org
    #[arg(long)]
    base_url: Option<String>,
    /// sqlite://PATH or postgres://…
    #[arg(long)]
    database_url: Option<String>,
    /// The SMTP server
    #[arg(long)]
    smtp_host: Option<String>,
    /// The first operator's name
    #[arg(long, default_value = "owner")]
    operator: String,
    #[arg(long, requires = "yes", conflicts_with = "print")]
    json: bool,
}

/// A root secret: 32 random bytes in base64.
pub fn new_secret(random: &Random) -> String {
    STANDARD.encode(random.bytes::<32>())
}

/// A password that is typed once: 24 letters and digits, about 119 bits.
pub fn new_password(random: &Random) -> String {
    const LETTERS: &[u8] = b"abcdefghijkmnpqrstuvwxyz23456789";
    (0..24)
        .map(|_| char::from(LETTERS[usize::from(random.bytes::<1>()[0]) % LETTERS.len()]))
        .collect()
}

/// Writes a file that only its owner may read, and never over another.
pub fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    write_private_bytes(path, text.as_bytes())
}

fn write_private_bytes(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Writes a file that only its owner reads, in the place of one that may be there: whole, or not at all.
pub fn replace_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".new");
    let fresh = Path::new(&fresh);
    let _ = std::fs::remove_file(fresh);
    write_private_bytes(fresh, bytes)?;
    std::fs::rename(fresh, path)
}

impl Init {
    pub async fn run(self, file: &Path) -> Done {
        if self.print {
            print!("{}", commented_file(&[]));
            return Ok(());
        }
        let ask = |given: Option<String>, prompt: &str, default: &str| -> Result<String, Ended> {
            match given {
                Some(value) => Ok(value),
                None if self.yes => Ok(default.to_owned()),
                None => {
                    let typed = read_line(&format!("{prompt} [{default}]"))?;
                    Ok(if typed.is_empty() {
                        default.to_owned()
                    } else {
                        typed
                    })
                }
            }
        };
        let base_url = ask(self.base_url, "Public address", "http://localhost:8080")?;
        let database = ask(self.database_url, "Database", "sqlite://countersign.db")?;
        let smtp = ask(self.smtp_host, "SMTP server", "localhost")?;
        let random = Random::Os;
        let text = commented_file(&[
            ("server", "base_url", base_url),
            ("database", "url", database),
            ("secrets", "root", new_secret(&random)),
            ("smtp", "host", smtp),
        ]);
        // Checked before anything is written: a wrong answer leaves nothing behind.
        let folder = file.parent().unwrap_or(Path::new(""));
        let config = Config::parse(&text, Default::default(), folder)
            .map_err(|problem| Ended::Wrong(problem.to_string()))?;
        write_private(file, &text).map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => Ended::Wrong(format!(
                "{} is there already; nothing was changed",
                file.display()
            )),
            _ => Ended::Refused(format!("{}: {error}", file.display())),
        })?;
        if !self.json {
            println!(
                "Wrote {}. Keep its root secret: without it no link works and no suppression holds.",
                file.display()
            );
        }
        let app = App::start(config, Clock::System, random.clone()).await?;
        let password = new_password(&random);
        let added = operators::add(&app, None, &self.operator, &password, (Role::Owner, &[])).await;
        let is_new = match added {
            Ok(()) => true,
            Err(operators::OperatorProblem::Taken) => false,
            Err(problem) => return Err(Ended::Refused(problem.to_string())),
        };
        if self.json {
            let password = is_new.then_some(password);
            let object =
                json!({ "settings": file, "operator": self.operator, "password": password });
            println!("{object}");
            return Ok(());
        }
        if is_new {
            println!("operator: {}", self.operator);
            println!("password: {password}");
        } else {
            println!("Operator {} is there already.", self.operator);
        }
        println!(
            "Next: declare a brand and a form with `countersign apply FILE`, then `countersign serve`."
        );
        Ok(())
    }
}
