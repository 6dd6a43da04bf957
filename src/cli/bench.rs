//! `countersign bench`: what this machine can take. Each figure stands beside a ceiling measured in the same run.

mod load;
mod smtp_sink;
mod smtp_source;

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::init::new_secret;
use super::{Done, Ended};
use crate::app::App;
use crate::app::apply::{apply, parse};
use crate::app::sign_up::Submission;
use crate::clock::{Clock, Random};
use crate::config::{Config, commented_file};
use crate::domain::form::Form;
use crate::domain::ids::RequestId;
use crate::domain::time::Timestamp;
use crate::domain::token::Purpose;
use crate::store::temporary::{self, Temporary};
use crate::web::{self, Web};
use load::{Load, Tally};
use smtp_sink::SmtpSink;

const DECLARATIONS: &str = include_str!("demo/demo.toml");

/// Each part is measured in so many turns with the others, so that a noisy moment touches all alike.
const ROUNDS: u32 = 4;
/// SMTP sessions of the server and of the plain sender.
const SESSIONS: usize = 16;
/// Mails that are drained at least and at most.
const MAILS: std::ops::RangeInclusive<u64> = 5_000..=60_000;
/// Signups in flight while a store is filled.
const FILLING: usize = 1_024;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum EngineName {
    Sqlite,
    Postgres,
}

#[derive(Args)]
pub struct Bench {
    #[arg(long, value_enum, default_value = "sqlite")]
    engine: EngineName,
    /// For PostgreSQL: a server on which a database may be made for the time of the run
    #[arg(long)]
    database_url: Option<String>,
    /// Seconds per part
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// Connections at once
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=1024))]
    connections: u32,
    /// Contacts that the store holds before anything is measured
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=10_000_000))]
    contacts: u32,
    /// Where the temporary store is made; a folder on the disk that is to be measured
    #[arg(long)]
    folder: Option<std::path::PathBuf>,
    #[arg(long)]
    json: bool,
}

/// The figures, with the names that programs rely on.
#[derive(Serialize)]
struct Figures {
    engine: &'static str,
    connections: u32,
    contacts: u32,
    ceiling_rps: f64,
    signup_rps: f64,
    signup_ratio: f64,
    confirm_rps: f64,
    confirm_ratio: f64,
    p50_ms: f64,
    p99_ms: f64,
    mail_rps: f64,
    smtp_ceiling_rps: f64,
    mail_ratio: f64,
    rss_mb: f64,
}

struct Stand {
    app: Arc<App>,
    form: Arc<Form>,
    address: SocketAddr,
    server: web::ServerHandle,
    sink: SmtpSink,
}

impl Bench {
    pub async fn run(self) -> Done {
        let random = Random::Os;
        let tag: String = random
            .bytes::<6>()
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        let folder = self
            .folder
            .clone()
            .unwrap_or_else(std::env::temp_dir)
            .join(format!("countersign-bench-{tag}"));
        std::fs::create_dir_all(&folder)?;
        let database = match (self.engine, &self.database_url) {
            (EngineName::Sqlite, _) => None,
            (EngineName::Postgres, Some(url)) => Some(Temporary::create(url, &tag).await?),
            (EngineName::Postgres, None) => {
                return Err(Ended::Wrong(
                    "--engine postgres needs --database-url postgres://USER@HOST/DATABASE".into(),
                ));
            }
        };
        let url = database.as_ref().map_or_else(
            || "sqlite://bench.db".to_owned(),
            |database| database.url.clone(),
        );
        let measured = self.measure(&folder, &url, &random).await;
        // Whatever happened, nothing stays behind.
        let _ = std::fs::remove_dir_all(&folder);
        if let Some(database) = database {
            database.drop().await?;
        }
        let figures = measured?;
        if self.json {
            println!("{}", serde_json::to_string(&figures)?);
        } else {
            print_table(&figures);
        }
        Ok(())
    }

    async fn measure(&self, folder: &Path, url: &str, random: &Random) -> Result<Figures, Ended> {
        let stand = set_up(folder, url, random).await?;
        if self.contacts > 0 {
            eprintln!("filling the store with {} contacts…", self.contacts);
            fill(&stand, "filled", u64::from(self.contacts)).await?;
            temporary::settle(&stand.app.store).await?;
        }
        let per_round = Duration::from_secs(self.seconds) / ROUNDS;
        let (mut ceiling, mut signups, mut confirms) =
            (Tally::default(), Tally::default(), Tally::default());
        // A short turn of each first: connections, caches and prepared statements are made then.
        let warm = Duration::from_millis(300);
        let mut last = last_request(&stand).await?;
        self.turn(&stand, "/ceiling/newsletter", "warm", 0, warm)
            .await?;
        self.turn(&stand, "/f/newsletter", "warm", 0, warm).await?;
        self.confirm(&stand, &mut last, warm).await?;
        for round in 0..ROUNDS {
            let from = signups.done + signups.refused;
            ceiling.merge(
                self.turn(&stand, "/ceiling/newsletter", "c", 0, per_round)
                    .await?,
            );
            signups.merge(
                self.turn(&stand, "/f/newsletter", "s", from, per_round)
                    .await?,
            );
            confirms.merge(self.confirm(&stand, &mut last, per_round).await?);
            eprintln!("round {} of {ROUNDS} done", round + 1);
        }
        for (what, tally) in [
            ("ceiling", &ceiling),
            ("signup", &signups),
            ("confirm", &confirms),
        ] {
            if let Some(refusal) = &tally.first_refusal {
                return Err(Ended::Refused(format!("a {what} was refused: {refusal}")));
            }
        }
        let rss_mb = resident_mb();
        let (mail_rps, smtp_ceiling_rps) = self.mails(&stand, signups.rps()).await?;
        stand.server.stop(false).await;
        stand.app.store.close().await;
        stand.sink.stop();
        let ratio = |value: f64, of: f64| if of > 0.0 { value / of } else { 0.0 };
        Ok(Figures {
            engine: match self.engine {
                EngineName::Sqlite => "sqlite",
                EngineName::Postgres => "postgres",
            },
            connections: self.connections,
            contacts: self.contacts,
            ceiling_rps: ceiling.rps(),
            signup_rps: signups.rps(),
            signup_ratio: ratio(signups.rps(), ceiling.rps()),
            confirm_rps: confirms.rps(),
            confirm_ratio: ratio(confirms.rps(), ceiling.rps()),
            p50_ms: signups.p50_ms(),
            p99_ms: signups.p99_ms(),
            mail_rps,
            smtp_ceiling_rps,
            mail_ratio: ratio(mail_rps, smtp_ceiling_rps),
            rss_mb,
        })
    }

    fn load(&self, for_: Duration) -> Load {
        Load::new(self.connections as usize, for_)
    }

    /// One turn of posts of the same form, to the store or past it.
    async fn turn(
        &self,
        stand: &Stand,
        path: &'static str,
        name: &'static str,
        from: u64,
        for_: Duration,
    ) -> Result<Tally, Ended> {
        let host = stand.address.to_string();
        load::run(stand.address, &self.load(for_), move |number, out| {
            let number = number + from;
            let body = format!("email={name}{number}%40example.org&purpose=newsletter&lang=en");
            load::form_post(path, &host, &body, out);
        })
        .await
        .map_err(Ended::Refused)
    }

    /// One turn of presses of the button, each on a link that was not used before.
    async fn confirm(
        &self,
        stand: &Stand,
        last: &mut RequestId,
        for_: Duration,
    ) -> Result<Tally, Ended> {
        let catalog = stand.app.catalog();
        let brand = catalog
            .brand(stand.form.brand)
            .ok_or_else(|| Ended::Refused("the brand is gone".to_owned()))?;
        let until = stand.app.clock.now().plus(Duration::from_secs(86_400));
        let mut conn = stand.app.store.read().await?;
        let open = temporary::list_open(&mut conn, *last, 200_000).await?;
        drop(conn);
        let tokens: Vec<String> = open
            .iter()
            .map(|(_, id)| {
                stand
                    .app
                    .keys
                    .sign(Purpose::Confirm, brand.number, id.0, until)
            })
            .collect();
        let mut load = self.load(for_);
        load.up_to = Some(tokens.len() as u64);
        let host = stand.address.to_string();
        let tally = load::run(stand.address, &load, move |number, out| {
            if let Some(token) = usize::try_from(number).ok().and_then(|at| tokens.get(at)) {
                load::form_post(&format!("/c/{token}"), &host, "", out);
            }
        })
        .await
        .map_err(Ended::Refused)?;
        // The next turn begins behind all that were there: every link is pressed once.
        if let Some((_, id)) = open.last() {
            *last = *id;
        }
        Ok(tally)
    }

    /// Mails a second out of the outbox over real SMTP, between two turns of a plain sender with the same mail.
    async fn mails(&self, stand: &Stand, signup_rps: f64) -> Result<(f64, f64), Ended> {
        temporary::settle(&stand.app.store).await?;
        let wanted = (signup_rps * self.seconds as f64) as u64;
        let wanted = wanted.clamp(*MAILS.start(), *MAILS.end());
        fill(stand, "mailed", wanted).await?;
        let message = sample(stand).await?;
        // A short turn first, as with the other parts; it also shows that the sink counts what it takes.
        let warm = smtp_source::Limit::Mails(1_000);
        smtp_source::run(stand.sink.addr, SESSIONS, &message, warm).await?;
        let for_ = smtp_source::Limit::For(Duration::from_secs(self.seconds) / 2);
        let before = smtp_source::run(stand.sink.addr, SESSIONS, &message, for_).await?;
        let delivery = stand
            .app
            .delivery()
            .map_err(|problem| Ended::Refused(problem.to_string()))?;
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let taken_before = stand.sink.mails();
        let bytes_before = stand.sink.bytes();
        let began = Instant::now();
        let running = tokio::spawn(delivery.run(async move {
            let _ = stopped.await;
        }));
        let deadline = began + Duration::from_secs(600);
        loop {
            // The mails are counted where they arrive; the outbox is asked only once all are there.
            if stand.sink.mails() - taken_before >= wanted
                && crate::store::outbox::count(&mut stand.app.store.read().await?)
                    .await?
                    .0
                    == 0
            {
                break;
            }
            if Instant::now() > deadline {
                return Err(Ended::Refused(
                    "the outbox did not drain in ten minutes".into(),
                ));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let drained = wanted as f64 / began.elapsed().as_secs_f64();
        let _ = stop.send(());
        let _ = running.await;
        let taken = stand.sink.mails() - taken_before;
        if taken != wanted {
            return Err(Ended::Refused(format!(
                "{wanted} mails were queued and {taken} arrived"
            )));
        }
        let size = (stand.sink.bytes() - bytes_before) / taken.max(1);
        eprintln!("{taken} mails of {size} bytes drained");
        let for_ = smtp_source::Limit::For(Duration::from_secs(self.seconds) / 2);
        let after = smtp_source::run(stand.sink.addr, SESSIONS, &message, for_).await?;
        let sent = (before.mails + after.mails) as f64;
        let plain = sent / (before.elapsed + after.elapsed).as_secs_f64();
        Ok((drained, plain))
    }
}

/// A server of its own on a temporary store, without budgets: all load comes from one machine.
async fn set_up(folder: &Path, url: &str, random: &Random) -> Result<Stand, Ended> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let sink = SmtpSink::start().await?;
    let text = commented_file(&[
        ("server", "base_url", format!("http://{address}")),
        ("server", "any_domain", "true".to_owned()),
        ("database", "url", url.to_owned()),
        ("secrets", "root", new_secret(random)),
        ("smtp", "host", sink.addr.ip().to_string()),
        ("smtp", "port", sink.addr.port().to_string()),
        ("smtp", "tls", "plain".to_owned()),
        ("smtp", "max_sessions", SESSIONS.to_string()),
        ("budget", "per_network_an_hour", "0".to_owned()),
        ("budget", "per_form_an_hour", "0".to_owned()),
        ("budget", "per_installation_an_hour", "0".to_owned()),
    ]);
    let config = Config::parse(&text, Default::default(), folder)
        .map_err(|problem| Ended::Wrong(problem.to_string()))?;
    let app = App::start(config, Clock::System, random.clone()).await?;
    let declarations = parse(DECLARATIONS).map_err(|e| Ended::Refused(e.to_string()))?;
    apply(&app, &declarations).await?;
    let form = app
        .catalog()
        .form("newsletter")
        .cloned()
        .ok_or_else(|| Ended::Refused("the form is gone".to_owned()))?;
    let mut web = Web::new(app.clone(), None);
    web.ceiling = true;
    let running = web::serve(listener, web, app.config.workers)?;
    let server = running.handle();
    tokio::spawn(running);
    Ok(Stand {
        app,
        form,
        address,
        server,
        sink,
    })
}

/// Signs up so many made-up people through the same verb that the form calls.
async fn fill(stand: &Stand, name: &'static str, count: u64) -> Result<(), Ended> {
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..count {
        if tasks.len() >= FILLING
            && let Some(done) = tasks.join_next().await
        {
            check(done)?;
        }
        let (app, form) = (stand.app.clone(), stand.form.clone());
        tasks.spawn(async move {
            let given = Submission {
                email: format!("{name}{number}@example.net"),
                language: "en".to_owned(),
                ..Default::default()
            };
            app.sign_up(&form, given).await
        });
    }
    while let Some(done) = tasks.join_next().await {
        check(done)?;
    }
    Ok(())
}

fn check<T, E: std::fmt::Debug>(
    done: Result<Result<T, E>, tokio::task::JoinError>,
) -> Result<(), Ended> {
    match done {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(refusal)) => Err(Ended::Refused(format!("a signup was refused: {refusal:?}"))),
        Err(error) => Err(Ended::Refused(error.to_string())),
    }
}

/// The newest request that is there already; confirmations begin behind it.
async fn last_request(stand: &Stand) -> Result<RequestId, Ended> {
    let now = stand.app.clock.now();
    let before = Timestamp::from_micros(now.micros() - 1_000);
    Ok(RequestId(Random::seeded(0).uuid_v7(before)))
}

/// A confirmation mail of ordinary size for the plain sender.
async fn sample(stand: &Stand) -> Result<Vec<u8>, Ended> {
    let catalog = stand.app.catalog();
    let brand = catalog
        .brand(stand.form.brand)
        .ok_or_else(|| Ended::Refused("the brand is gone".to_owned()))?;
    let now = stand.app.clock.now();
    let id = uuid::Uuid::nil();
    let token = stand.app.keys.sign(Purpose::Confirm, brand.number, id, now);
    let content = &stand.form.versions[&stand.form.current];
    let purposes = stand.form.declared.purposes.clone();
    crate::mail::compose::ConfirmationMail {
        brand,
        content,
        language: "en",
        purposes: &purposes,
        name: None,
        to: "sample@example.net",
        confirm_url: stand.app.url(&format!("/c/{token}")),
        decline_url: stand.app.url(&format!("/c/{token}/decline")),
        about_url: stand.app.url(&format!("/a/{token}")),
        code: "000000".to_owned(),
        asked_at: now,
        asked_from: None,
        expires_at: now,
        message_id: format!("{id}@example.net"),
        now,
    }
    .compose()
    .map_err(|problem| Ended::Refused(problem.to_string()))
}

/// The resident memory of this process, load generator and sink included; 0 where the system does not tell.
fn resident_mb() -> f64 {
    std::fs::read_to_string("/proc/self/status")
        .ok()
        .and_then(|text| {
            let line = text
                .lines()
                .find(|line| line.starts_with("VmRSS:"))?
                .to_owned();
            line.split_whitespace().nth(1)?.parse::<f64>().ok()
        })
        .map_or(0.0, |kib| kib / 1_024.0)
}

fn print_table(figures: &Figures) {
    let share = |ratio: f64| format!("{:.1} %", ratio * 100.0);
    println!(
        "{} with {} contacts, {} connections",
        figures.engine, figures.contacts, figures.connections
    );
    println!("ceiling, no store     {:>10.0} /s", figures.ceiling_rps);
    println!(
        "signups               {:>10.0} /s  {:>8} of the ceiling",
        figures.signup_rps,
        share(figures.signup_ratio)
    );
    println!("  half within         {:>10.2} ms", figures.p50_ms);
    println!("  99 of 100 within    {:>10.2} ms", figures.p99_ms);
    println!(
        "confirmations         {:>10.0} /s  {:>8} of the ceiling",
        figures.confirm_rps,
        share(figures.confirm_ratio)
    );
    println!(
        "plain SMTP sender     {:>10.0} /s",
        figures.smtp_ceiling_rps
    );
    println!(
        "mails drained         {:>10.0} /s  {:>8} of the plain sender",
        figures.mail_rps,
        share(figures.mail_ratio)
    );
    println!("resident memory       {:>10.1} MB", figures.rss_mb);
}
