//! The command line: one file per command. Exit codes: 0 done, 1 refused or not verified, 2 wrong usage or settings,
//! 75 try again later.

// First: its print! and println! are those of all commands.
#[macro_use]
mod output;

mod add_proof;
mod apply;
mod backup;
mod bench;
mod bounce;
mod breaker;
mod campaign;
pub mod demo;
mod doctor;
mod evidence;
mod forget;
mod import;
mod init;
mod key;
mod lapsing;
mod note;
mod operator;
mod permission;
mod policy;
mod proof_file;
mod restored;
mod seal_key;
mod serve;
mod suppression;
mod timestamp;
mod verify;
mod webhook;
mod withdraw;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::app::App;
use crate::app::permit::Unanswerable;
use crate::clock::{Clock, Random};
use crate::config::Config;
use crate::domain::brand::Brand;
use crate::telemetry;

#[derive(Parser)]
#[command(
    name = "countersign",
    version,
    about = "A double opt-in confirmation server that keeps proof of consent"
)]
struct Arguments {
    /// The file of settings
    #[arg(
        long,
        global = true,
        env = "COUNTERSIGN_CONFIG",
        default_value = "countersign.toml"
    )]
    config: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write a commented configuration, make the keys, the database and the first operator
    Init(init::Init),
    /// Run the server
    Serve(serve::Serve),
    /// Try everything on this machine, with nothing installed
    Demo(demo::Demo),
    /// Declare brands, purposes and forms from a TOML file
    Apply(apply::Apply),
    /// May this address be mailed, on what basis, and why
    Permission(permission::Ask),
    /// The consent policy: the table of sources and overlays; `policy explain` judges one address
    Policy(policy::Policy),
    /// Take a list in, or try what the policy says of everybody in it: CSV or XLSX
    Import(import::Import),
    /// Ask contacts to confirm whom the policy lets be asked
    #[command(subcommand)]
    Campaign(campaign::Campaign),
    /// Give back a file of proof (a scan, a contract)
    ProofFile(proof_file::ProofFile),
    /// Add proof to what an import claimed of a contact; it is judged anew
    AddProof(add_proof::AddProof),
    /// Write a note into a contact's story
    Note(note::Note),
    /// Whose implicit consent is about to lapse
    Lapsing(lapsing::Lapsing),
    /// What is known of an address
    Evidence(evidence::Evidence),
    /// Have the log stamped now by every time-stamping authority of the settings
    Timestamp(timestamp::Stamp),
    /// Write down that a person has left: all that the brand sends, or some purposes
    Withdraw(withdraw::Withdraw),
    /// Mailboxes that a brand does not write to: somebody declined or complained, or mail came back
    #[command(subcommand)]
    Suppression(suppression::Suppression),
    /// Take a report about a mail from standard input: one that came back, or a complaint
    Bounce(bounce::Bounce),
    /// Erase what is known of an address; the log of evidence still verifies
    Forget(forget::Forget),
    /// The key that evidence is sealed to where a brand keeps proof after an erasure
    #[command(subcommand)]
    SealKey(seal_key::SealKey),
    /// Check an evidence bundle, with no server and no network; or, with --log, the whole log
    Verify(verify::Verify),
    /// Write a consistent copy of a running SQLite database
    Backup(backup::Backup),
    /// Admin accounts
    #[command(subcommand)]
    Operator(operator::Operator),
    /// Keys for programs that use the API
    #[command(subcommand)]
    Key(key::Key),
    /// Who is told of events, by webhooks
    #[command(subcommand)]
    Webhook(webhook::Command),
    /// Confirmation mails that are held because suddenly few are confirmed
    #[command(subcommand)]
    Breaker(breaker::Breaker),
    /// Mail that is held because an older copy of the database was put back
    #[command(subcommand)]
    Restored(restored::Restored),
    /// Check settings, database, keys, clock, SMTP login, DNS, base URL and authorities; says how to mend what fails
    Doctor(doctor::Doctor),
    /// What this machine can take
    Bench(bench::Bench),
}

/// How a command ended when it could not do its work.
pub enum Ended {
    /// Refused or not verified: exit code 1.
    Refused(String),
    /// Wrong usage or settings: exit code 2.
    Wrong(String),
    /// It may work in a moment: exit code 75, by which mail servers keep a message and try again (`EX_TEMPFAIL`).
    Later(String),
}

impl Ended {
    /// What is said of it.
    fn text(&self) -> &str {
        match self {
            Self::Refused(text) | Self::Wrong(text) | Self::Later(text) => text,
        }
    }
}

impl<E: std::error::Error> From<E> for Ended {
    fn from(error: E) -> Self {
        Self::Refused(error.to_string())
    }
}

pub type Done = Result<(), Ended>;

/// Reads the arguments, runs the command, and says how it went.
pub fn main() -> ExitCode {
    // One TLS provider for everything; a second call, by a library, is harmless.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("countersign: {error}");
            return ExitCode::from(1);
        }
    };
    let done = runtime.block_on(run(arguments)).and_then(|()| {
        output::end().map_err(|error| Ended::Refused(format!("standard output: {error}")))
    });
    // A request to a server that does not answer may still hold a thread; nothing depends on it.
    runtime.shutdown_timeout(Duration::from_secs(1));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Ended::Refused(text)) => {
            eprintln!("countersign: {text}");
            ExitCode::from(1)
        }
        Err(Ended::Wrong(text)) => {
            eprintln!("countersign: {text}");
            ExitCode::from(2)
        }
        Err(Ended::Later(text)) => {
            eprintln!("countersign: {text}");
            ExitCode::from(75)
        }
    }
}

async fn run(arguments: Arguments) -> Done {
    let file = arguments.config;
    match arguments.command {
        Command::Init(command) => command.run(&file).await,
        Command::Serve(command) => command.run(load(&file)?).await,
        Command::Demo(command) => command.run().await,
        Command::Apply(command) => command.run(&*opened(&file).await?).await,
        Command::Campaign(command) => command.run(&file).await,
        Command::ProofFile(command) => command.run(&*opened(&file).await?).await,
        Command::AddProof(command) => command.run(&*opened(&file).await?).await,
        Command::Note(command) => command.run(&*opened(&file).await?).await,
        Command::Lapsing(command) => command.run(&*opened(&file).await?).await,
        Command::Permission(command) => command.run(&*opened(&file).await?).await,
        Command::Policy(command) => command.run(&file).await,
        Command::Import(command) => command.run(&file).await,
        Command::Evidence(command) => command.run(&*opened(&file).await?).await,
        Command::Verify(command) => command.run(&file).await,
        Command::Backup(command) => command.run(&*opened(&file).await?).await,
        Command::Timestamp(command) => command.run(&*opened(&file).await?).await,
        Command::Withdraw(command) => command.run(&*opened(&file).await?).await,
        Command::Suppression(command) => command.run(&*opened(&file).await?).await,
        Command::Bounce(command) => command.run(&file).await,
        Command::Forget(command) => command.run(&*opened(&file).await?).await,
        Command::SealKey(command) => command.run(),
        Command::Operator(command) => command.run(&*opened(&file).await?).await,
        Command::Key(command) => command.run(&*opened(&file).await?).await,
        Command::Webhook(command) => command.run(&*opened(&file).await?).await,
        Command::Breaker(command) => command.run(&*opened(&file).await?).await,
        Command::Restored(command) => command.run(&*opened(&file).await?).await,
        Command::Doctor(command) => command.run(&file).await,
        Command::Bench(command) => command.run().await,
    }
}

fn load(file: &std::path::Path) -> Result<Config, Ended> {
    let named = file != std::path::Path::new("countersign.toml");
    Config::load(file, named).map_err(|problem| Ended::Wrong(problem.to_string()))
}

/// Opens the installation for a command that works beside a running server.
async fn opened(file: &std::path::Path) -> Result<Arc<App>, Ended> {
    let config = load(file)?;
    telemetry::start_log(config.log_json, "warn");
    Ok(App::start(config, Clock::System, Random::Os).await?)
}

/// What a deed to a contact is written down as: its id and never its address.
async fn subject(app: &App, brand: &Arc<Brand>, address: &str) -> Result<String, Unanswerable> {
    let slug = &brand.declared.slug;
    Ok(match app.contact_by_address(brand, address).await? {
        Some(known) => format!("contact {} of brand {slug}", known.id),
        None => format!("an address that brand {slug} has no contact of"),
    })
}

fn brand_named(app: &App, slug: &str) -> Result<Arc<Brand>, Ended> {
    let catalog = app.catalog();
    catalog.brand_by_slug(slug).cloned().ok_or_else(|| {
        let known: Vec<&str> = catalog
            .brands
            .iter()
            .map(|brand| brand.declared.slug.as_str())
            .collect();
        Ended::Wrong(format!(
            "there is no brand \"{slug}\"; declared are: {}",
            if known.is_empty() {
                "none".to_owned()
            } else {
                known.join(", ")
            }
        ))
    })
}
