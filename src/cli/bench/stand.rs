//! A server of its own on a temporary store, and the people who sign up at it.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;

use tokio::task::{JoinError, JoinSet};

use super::smtp_sink::SmtpSink;
use crate::app::App;
use crate::app::apply::{apply, parse};
use crate::app::sign_up::Submission;
use crate::cli::Ended;
use crate::cli::init::new_secret;
use crate::clock::{Clock, Random};
use crate::config::{Config, commented_file};
use crate::domain::brand::Brand;
use crate::domain::form::Form;
use crate::domain::token::Purpose;
use crate::mail::compose::ConfirmationMail;
use crate::web::{self, Web};

const DECLARATIONS: &str = include_str!("../demo/demo.toml");

/// SMTP sessions of the server and of the plain sender.
pub(super) const SESSIONS: usize = 16;
/// Signups in flight while a store is filled.
const FILLING: usize = 1_024;

pub(super) struct Stand {
    pub app: Arc<App>,
    pub form: Arc<Form>,
    pub address: SocketAddr,
    pub server: web::ServerHandle,
    pub sink: SmtpSink,
}

impl Stand {
    pub fn brand(&self) -> Result<Arc<Brand>, Ended> {
        let brand = self.app.catalog().brand(self.form.brand).cloned();
        brand.ok_or_else(|| Ended::Refused("the brand is gone".to_owned()))
    }
}

/// A server on a store of its own, without budgets and breaker: all load comes from one machine.
pub(super) async fn set_up(folder: &Path, url: &str, random: &Random) -> Result<Stand, Ended> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let sink = SmtpSink::start().await?;
    let text = settings(address, url, &sink, random);
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

fn settings(address: SocketAddr, url: &str, sink: &SmtpSink, random: &Random) -> String {
    commented_file(&[
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
        ("breaker", "on", "false".to_owned()),
    ])
}

/// Signs up so many made-up people through the same verb that the form calls.
pub(super) async fn fill(stand: &Stand, name: &'static str, count: u64) -> Result<(), Ended> {
    let mut tasks = JoinSet::new();
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

fn check<T, E: std::fmt::Debug>(done: Result<Result<T, E>, JoinError>) -> Result<(), Ended> {
    match done {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(refusal)) => Err(Ended::Refused(format!("a signup was refused: {refusal:?}"))),
        Err(error) => Err(Ended::Refused(error.to_string())),
    }
}

/// A confirmation mail of ordinary size for the plain sender.
pub(super) fn sample(stand: &Stand) -> Result<Vec<u8>, Ended> {
    let brand = &*stand.brand()?;
    let now = stand.app.clock.now();
    let id = uuid::Uuid::nil();
    let token = stand.app.keys.sign(Purpose::Confirm, brand.number, id, now);
    let content = &stand.form.versions[&stand.form.current];
    let purposes = stand.form.declared.purposes.clone();
    ConfirmationMail {
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
        by_tablet: false,
        no_page_left: false,
        expires_at: now,
        message_id: format!("{id}@example.net"),
        now,
        ask: None,
        reminder: false,
        unsubscribe_url: None,
    }
    .compose()
    .map_err(|problem| Ended::Refused(problem.to_string()))
}
