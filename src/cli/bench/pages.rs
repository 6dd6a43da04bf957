//! The operators' pages on a store that holds many people: how long the server takes for each.

mod people;

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use self::people::{Sought, append};
use super::stand::{self, Stand};
use crate::app::operators;
use crate::cli::Ended;
use crate::clock::Random;
use crate::domain::circumstances::Circumstances;
use crate::domain::figures::{Dimension, Figures};
use crate::domain::ids::BrandId;
use crate::domain::operator::Role;
use crate::store::summaries::{self, Span};

/// How often each page is asked for, and each search made for somebody else.
const ASKED: usize = 200;
const NAME: &str = "bench";
const PASSWORD: &str = "for the time of this run";
const ANSWER_AT_MOST: usize = 8 << 20;

const PAGES: [(&str, &str); 5] = [
    ("overview", "/admin?days=30"),
    ("overview_90", "/admin?days=90"),
    ("delivery", "/admin/delivery"),
    ("delivery_failed", "/admin/delivery?show=failed"),
    ("evidence", "/admin/evidence"),
];

/// One page, in milliseconds from the request's last byte to the answer's.
#[derive(Serialize)]
struct Page {
    page: &'static str,
    p50_ms: f64,
    p99_ms: f64,
    bytes: usize,
}

/// What was measured.
#[derive(Serialize)]
pub(super) struct PageFigures {
    engine: &'static str,
    contacts: u64,
    events: u64,
    /// How long it took to fill the store, and to give the events their places in the log.
    fill_seconds: f64,
    log_seconds: f64,
    summary_eps: f64,
    summary_rows: i64,
    pages: Vec<Page>,
}

pub(super) async fn measure(
    folder: &Path,
    url: &str,
    engine: &'static str,
    contacts: u64,
) -> Result<PageFigures, Ended> {
    let random = Random::Os;
    let stand = stand::set_up(folder, url, &random).await?;
    let begun = Instant::now();
    let sought = append(&stand, contacts, &random).await?;
    let fill_seconds = begun.elapsed().as_secs_f64();
    let begun = Instant::now();
    stand.app.sequence().await?;
    let log_seconds = begun.elapsed().as_secs_f64();
    let begun = Instant::now();
    let events = stand.app.summarize().await?;
    let summary_eps = events as f64 / begun.elapsed().as_secs_f64();
    let summary_rows = rows(&stand).await?;
    let session = sign_in(&stand).await?;
    let mut pages = Vec::new();
    for (page, path) in PAGES {
        let mut times = Times::default();
        for _ in 0..ASKED {
            let asked = ask(stand.address, path, None, &session);
            times.add(asked.await?);
        }
        pages.push(times.page(page));
    }
    pages.extend(people(&stand, &sought, &session).await?);
    stand.server.stop(false).await;
    stand.app.store.close().await;
    Ok(PageFigures {
        engine,
        contacts,
        events,
        fill_seconds,
        log_seconds,
        summary_eps,
        summary_rows,
        pages,
    })
}

/// The list of contacts, one contact's page, and searches by whole address, its beginning, and id.
async fn people(stand: &Stand, sought: &[Sought], session: &str) -> Result<Vec<Page>, Ended> {
    let catalog = stand.app.catalog();
    let mut all: [Times; 5] = Default::default();
    let [list, one, address, beginning, id] = &mut all;
    for somebody in sought {
        let Some(brand) = catalog.brand(somebody.brand) else {
            return Err(Ended::Refused("there is no brand".to_owned()));
        };
        let slug = &brand.declared.slug;
        let shown = format!("/admin/contacts/{slug}/{}", somebody.contact);
        let get = |path: String| async move { ask(stand.address, &path, None, session).await };
        let search = |text: String| async move {
            let body = format!("brand={slug}&q={}", text.replace('@', "%40"));
            ask(stand.address, "/admin/contacts", Some(&body), session).await
        };
        list.add(get(format!("/admin/contacts?brand={slug}")).await?);
        one.add(get(shown).await?);
        address.add(search(somebody.address.clone()).await?);
        let (local, _) = somebody.address.split_once('@').unwrap_or_default();
        beginning.add(search(local.chars().take(4).collect()).await?);
        id.add(search(somebody.contact.to_string()).await?);
    }
    let names = ["contacts", "contact", "by_address", "by_beginning", "by_id"];
    Ok(all
        .into_iter()
        .zip(names)
        .map(|(times, name)| times.page(name))
        .collect())
}

/// How long the askings of one page took, and how large the last answer was.
#[derive(Default)]
struct Times {
    taken: Vec<Duration>,
    bytes: usize,
}

impl Times {
    fn add(&mut self, (taken, bytes): (Duration, usize)) {
        self.taken.push(taken);
        self.bytes = bytes;
    }

    fn page(mut self, page: &'static str) -> Page {
        self.taken.sort_unstable();
        let at = |percent: usize| {
            let found = self
                .taken
                .get(self.taken.len().saturating_sub(1) * percent / 100);
            found.map_or(0.0, |taken| taken.as_secs_f64() * 1_000.0)
        };
        Page {
            page,
            p50_ms: at(50),
            p99_ms: at(99),
            bytes: self.bytes,
        }
    }
}

/// Names that are counted by day.
async fn rows(stand: &Stand) -> Result<i64, Ended> {
    let brands: Vec<BrandId> = stand
        .app
        .catalog()
        .brands
        .iter()
        .map(|brand| brand.id)
        .collect();
    let mut count = 0;
    let mut conn = stand.app.store.read().await?;
    for dimension in [
        Dimension::All,
        Dimension::Form,
        Dimension::Source,
        Dimension::Domain,
        Dimension::Mail,
    ] {
        let span = Span {
            brands: &brands,
            dimension,
            first: i64::MIN,
            last: i64::MAX,
        };
        let lines = summaries::by_day(&mut conn, span).await?;
        let total: Figures = lines.iter().map(|line| line.figures).sum();
        if total == Figures::default() {
            return Err(Ended::Refused("nothing was counted".to_owned()));
        }
        count += lines.len();
    }
    Ok(i64::try_from(count).unwrap_or(i64::MAX))
}

async fn sign_in(stand: &Stand) -> Result<String, Ended> {
    let wrong = |problem: &dyn std::fmt::Display| Ended::Refused(problem.to_string());
    operators::add(&stand.app, None, NAME, PASSWORD, (Role::Owner, &[]))
        .await
        .map_err(|problem| wrong(&problem))?;
    let from = Circumstances::default();
    let admitted = stand.app.sign_in(NAME, PASSWORD, None, &from).await;
    Ok(admitted.map_err(|problem| wrong(&problem))?.secret)
}

/// Asks for a page, or sends a form, over a connection of its own; answers with the time from the request to the end, and
/// the bytes.
async fn ask(
    address: SocketAddr,
    path: &str,
    form: Option<&str>,
    session: &str,
) -> Result<(Duration, usize), Ended> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let head = format!("host: {address}\r\ncookie: session={session}\r\nconnection: close");
    let request = form.map_or_else(
        || format!("GET {path} HTTP/1.1\r\n{head}\r\n\r\n"),
        |body| {
            format!(
                "POST {path} HTTP/1.1\r\n{head}\r\norigin: http://{address}\r\n\
                 content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            )
        },
    );
    let begun = Instant::now();
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::with_capacity(64 << 10);
    (&mut stream)
        .take(ANSWER_AT_MOST as u64)
        .read_to_end(&mut answer)
        .await?;
    let taken = begun.elapsed();
    // A search that finds one person leads to that person's page.
    let found = form.is_some() && answer.starts_with(b"HTTP/1.1 303");
    if !answer.starts_with(b"HTTP/1.1 200") && !found {
        let line: String = String::from_utf8_lossy(&answer).chars().take(80).collect();
        return Err(Ended::Refused(format!("{path}: {line}")));
    }
    Ok((taken, answer.len()))
}

pub(super) fn print(figures: &PageFigures) {
    let f = figures;
    println!(
        "Operators' pages on {}, {} contacts, {} events, {} sums",
        f.engine, f.contacts, f.events, f.summary_rows
    );
    println!(
        "filling            {:.1} s, and {:.1} s for the log",
        f.fill_seconds, f.log_seconds
    );
    println!("counting           {:.0} events a second", f.summary_eps);
    for page in &f.pages {
        println!(
            "{:18} p50 {:.1} ms, p99 {:.1} ms, {} KB",
            page.page,
            page.p50_ms,
            page.p99_ms,
            page.bytes / 1_024
        );
    }
}
