//! A whole server for one test: a real store, a real web server, a real SMTP conversation, a clock that the test moves.

pub mod authenticator;
pub mod client;
pub mod http;
pub mod postgres;

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use countersign::app::App;
use countersign::app::apply::{apply, parse};
use countersign::app::deliver::Delivery;
use countersign::cli::demo::smtp_catcher;
use countersign::clock::{Clock, Random};
use countersign::config::Config;
use countersign::domain::brand::{Brand, Slug};
use countersign::domain::event::Event;
use countersign::domain::permission::Permission;
use countersign::domain::time::Timestamp;
use countersign::store::{Engine, Location, Store};
use countersign::web::demo::{Caught, CaughtMail};
use countersign::web::{self, Web};
use sha2::{Digest, Sha256};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};
use tokio::sync::OnceCell;

pub use client::{Client, Reading, Reply};

pub const START: Timestamp = Timestamp::from_micros(1_795_455_245_000_000);

pub const SECRET: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// Brands and forms that most tests use.
pub const DECLARATIONS: &str = include_str!("declarations.toml");

/// Runs a test on SQLite and on PostgreSQL. The quick check leaves PostgreSQL out and says so.
#[macro_export]
macro_rules! on_both_engines {
    ($($(#[$meta:meta])* async fn $name:ident($engine:ident: Engine) $body:block)+) => {$(
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            async fn body($engine: countersign::store::Engine) $body

            $(#[$meta])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                body(countersign::store::Engine::Sqlite).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                if $crate::harness::postgres::is_left_out() {
                    return;
                }
                body(countersign::store::Engine::Postgres).await;
            }
        }
    )+};
}

/// A folder that goes with the test.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Self {
        let name =
            uuid::Builder::from_random_bytes(countersign::clock::Random::Os.bytes()).into_uuid();
        let path = std::env::temp_dir().join(format!("countersign-test-{name}"));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

const LOOPBACK: &str = "127.0.0.1";

/// A server with everything around it.
pub struct World {
    pub app: Arc<App>,
    pub base: String,
    pub clock: Clock,
    pub delivery: Arc<Delivery>,
    caught: Arc<Caught>,
    server: actix_web::dev::ServerHandle,
    database: Option<postgres::Database>,
    _folder: Folder,
}

/// Where a test's database is.
pub struct Place {
    pub url: String,
    pub folder: Folder,
    pub database: Option<postgres::Database>,
}

/// A place without tables.
pub async fn place(engine: Engine) -> Place {
    match engine {
        Engine::Sqlite => sqlite_in(Folder::new()),
        Engine::Postgres => postgres_in(postgres::Database::create().await),
    }
}

/// A place with all tables, and nothing in them.
pub async fn place_with_tables(engine: Engine) -> Place {
    match engine {
        Engine::Sqlite => {
            let place = sqlite_in(Folder::new());
            std::fs::write(place.folder.0.join(FILE), TABLES.get_or_init(tables).await).unwrap();
            place
        }
        Engine::Postgres => postgres_in(postgres::Database::create_with_tables().await),
    }
}

fn sqlite_in(folder: Folder) -> Place {
    Place {
        url: format!("sqlite://{}", folder.0.join(FILE).display()),
        folder,
        database: None,
    }
}

fn postgres_in(database: postgres::Database) -> Place {
    Place {
        url: database.url.clone(),
        folder: Folder::new(),
        database: Some(database),
    }
}

const FILE: &str = "test.db";
/// The file that others are copies of: making the tables anew takes longer than many a test.
static TABLES: OnceCell<Vec<u8>> = OnceCell::const_new();

async fn tables() -> Vec<u8> {
    let folder = Folder::new();
    let file = folder.0.join(FILE);
    let location = Location::Sqlite(file.clone());
    Store::open(&location).await.unwrap().close().await;
    // Its log may go a moment later than the store; what stands in it is to be in the file.
    let options = SqliteConnectOptions::new().filename(&file);
    let mut conn = options.connect().await.unwrap();
    let (busy,): (i64,) = sqlx::query_as("pragma wal_checkpoint(truncate)")
        .fetch_one(&mut conn)
        .await
        .unwrap();
    assert_eq!(busy, 0);
    conn.close().await.unwrap();
    std::fs::read(file).unwrap()
}

/// What makes the tables of an engine, in sixteen digits.
fn hash_of_migrations(engine: &str) -> String {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let files = std::fs::read_dir(folder.join(engine)).unwrap();
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.sort_unstable();
    let mut hash = Sha256::new();
    for file in files {
        hash.update(std::fs::read(file).unwrap());
    }
    let hash = hash.finalize();
    hash.iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Settings of a test: plain SMTP to a server on this machine, and X-Forwarded-For believed from it.
pub fn settings(base: &str, database: &str, smtp_port: u16, more: &str) -> Config {
    let text = settings_text(base, database, smtp_port, more);
    Config::parse(&text, Default::default(), std::path::Path::new("/")).unwrap()
}

fn settings_text(base: &str, database: &str, smtp_port: u16, more: &str) -> String {
    format!(
        "[server]\nbase_url = \"{base}\"\nany_domain = true\ntrusted_proxies = [\"127.0.0.1/32\"]\n\
         [database]\nurl = \"{database}\"\n[secrets]\nroot = \"{SECRET}\"\n\
         [smtp]\nhost = \"127.0.0.1\"\nport = {smtp_port}\ntls = \"plain\"\n{more}"
    )
}

impl World {
    pub async fn on(engine: Engine) -> Self {
        Self::with(engine, "").await
    }

    /// With further sections of settings.
    pub async fn with(engine: Engine, more: &str) -> Self {
        Self::declared(engine, more, DECLARATIONS).await
    }

    pub async fn declared(engine: Engine, more: &str, declarations: &str) -> Self {
        let clock = Clock::fixed(START);
        let caught = Arc::new(Caught::default());
        let smtp = smtp_catcher::start(caught.clone(), clock.clone())
            .await
            .unwrap();
        let names = (LOOPBACK, declarations);
        Self::begin(engine, smtp.port(), more, names, clock, caught).await
    }

    /// Known under a name of this machine in place of its address.
    pub async fn at(host: &str, engine: Engine) -> Self {
        let clock = Clock::fixed(START);
        let caught = Arc::new(Caught::default());
        let smtp = smtp_catcher::start(caught.clone(), clock.clone())
            .await
            .unwrap();
        let names = (host, DECLARATIONS);
        Self::begin(engine, smtp.port(), "", names, clock, caught).await
    }

    /// With the mail going to an SMTP server of the test's own.
    pub async fn mailing_to(engine: Engine, smtp_port: u16) -> Self {
        Self::mailing_with(engine, smtp_port, "").await
    }

    /// The same with further sections of settings.
    pub async fn mailing_with(engine: Engine, smtp_port: u16, more: &str) -> Self {
        let (clock, caught) = (Clock::fixed(START), Arc::default());
        let names = (LOOPBACK, DECLARATIONS);
        Self::begin(engine, smtp_port, more, names, clock, caught).await
    }

    async fn begin(
        engine: Engine,
        smtp_port: u16,
        more: &str,
        (host, declarations): (&str, &str),
        clock: Clock,
        caught: Arc<Caught>,
    ) -> Self {
        let place = place_with_tables(engine).await;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{host}:{}", listener.local_addr().unwrap().port());
        let mut config = settings(&base, &place.url, smtp_port, more);
        config.uploads.folder = place.folder.0.join("uploads");
        let app = App::start(config, clock.clone(), Random::seeded(7))
            .await
            .unwrap();
        apply(&app, &parse(declarations).unwrap()).await.unwrap();
        let delivery = app.delivery().unwrap();
        let server = web::serve(listener, Web::new(app.clone(), None), 1).unwrap();
        let handle = server.handle();
        tokio::spawn(server);
        Self {
            app,
            base,
            clock,
            delivery,
            caught,
            server: handle,
            database: place.database,
            _folder: place.folder,
        }
    }

    /// The settings as a file, for a command that works beside this server.
    pub fn settings_text(&self) -> String {
        let port = self.app.config.smtp.port;
        settings_text(&self.base, &self.database_url(), port, "")
    }

    pub fn database_url(&self) -> String {
        match &self.app.config.database {
            Location::Sqlite(path) => format!("sqlite://{}", path.display()),
            Location::Postgres(url) => url.clone(),
        }
    }

    /// Serves the demo's inbox with this test's mails beside the server; answers with its address.
    pub fn demo_inbox(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/inbox", listener.local_addr().unwrap());
        let mut web = Web::new(self.app.clone(), None);
        web.demo = Some(self.caught.clone());
        tokio::spawn(web::serve(listener, web, 1).unwrap());
        url
    }

    /// A client with its own cookies and address.
    pub fn client(&self, ip: &str) -> Client {
        Client::new(&self.base, ip).reading(Reading {
            keys: self.app.keys.clone(),
            clock: self.clock.clone(),
        })
    }

    /// Signs up at the form `news`, following the redirect to the inbox page; answers with the client and that page.
    pub async fn signed_up(&self, email: &str, ip: &str) -> (Client, Reply) {
        let mut client = self.client(ip);
        let reply = client.post("/f/news", &[("email", email)]).await;
        assert_eq!(reply.status, 303, "{}", reply.text());
        let inbox = client.get(&reply.location()).await;
        assert_eq!(inbox.status, 200);
        (client, inbox)
    }

    /// All mails caught so far, newest first.
    pub fn caught(&self) -> Vec<CaughtMail> {
        self.caught.list()
    }

    /// Sends what is due and answers with all mails caught so far, newest first.
    pub async fn deliver(&self) -> Vec<CaughtMail> {
        self.delivery.drain().await.unwrap();
        self.caught.list()
    }

    /// Sends what is due; answers with the newest mail, which must be to this address.
    pub async fn mail_to(&self, email: &str) -> Mail {
        let mails = self.deliver().await;
        let mail = mails
            .into_iter()
            .find(|mail| mail.to == email)
            .unwrap_or_else(|| panic!("no mail to {email}"));
        Mail(mail)
    }

    pub fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub async fn permission(&self, email: &str, purpose: &str) -> Permission {
        let catalog = self.app.catalog();
        let brand = catalog.brand_by_slug("acme").unwrap();
        let purpose = Slug::try_from(purpose.to_owned()).unwrap();
        self.app
            .permission(brand, &purpose, email, None)
            .await
            .unwrap()
    }

    pub async fn story(&self, email: &str) -> Vec<Event> {
        let catalog = self.app.catalog();
        let brand = catalog.brand_by_slug("acme").unwrap();
        story_of(&self.app, brand, email).await
    }

    pub async fn kinds(&self, email: &str) -> Vec<&'static str> {
        self.story(email)
            .await
            .iter()
            .map(|event| event.fact.kind())
            .collect()
    }

    /// Does what nobody but an operator with the database's password could do: any statement, past the server.
    pub async fn sql(&self, text: &str) -> Result<(), sqlx::Error> {
        sql_at(&self.app.config.database, text).await
    }

    /// Ends the server and asserts that nothing is left: no mail waits, no mail failed.
    pub async fn finish(self) {
        // Signups that cause no mail leave a row that delivery takes out unsent; it must not turn into a mail.
        let before = self.caught.list().len();
        self.delivery.drain().await.unwrap();
        assert_eq!(
            self.caught.list().len(),
            before,
            "a mail that the test did not expect"
        );
        let mut conn = self.app.store.read().await.unwrap();
        let left = countersign::store::outbox::count(&mut conn).await.unwrap();
        drop(conn);
        assert_eq!(left, (0, 0), "mails waiting and failed");
        self.end().await;
    }

    /// Ends the server, whatever waits.
    pub async fn end(self) {
        self.server.stop(false).await;
        self.app.store.close().await;
        if let Some(database) = self.database {
            database.drop().await;
        }
    }
}

/// All events of an address.
pub async fn story_of(app: &App, brand: &Brand, email: &str) -> Vec<Event> {
    let mut story = Vec::new();
    let told = app.tell_story(brand, email, |event| story.push(event));
    told.await.unwrap();
    story
}

/// Any statement on a database.
pub async fn sql_at(location: &Location, text: &str) -> Result<(), sqlx::Error> {
    let text = AssertSqlSafe(text.to_owned());
    match location {
        Location::Sqlite(path) => {
            let options = SqliteConnectOptions::new()
                .filename(path)
                .busy_timeout(Duration::from_secs(10));
            let mut conn = options.connect().await?;
            sqlx::raw_sql(text).execute(&mut conn).await?;
            conn.close().await
        }
        Location::Postgres(url) => {
            let mut conn = PgConnection::connect(url).await?;
            sqlx::raw_sql(text).execute(&mut conn).await?;
            conn.close().await
        }
    }
}

/// Drives a future to so many of its waits, then drops it where it stands, as a process does that dies; its answer if it
/// came to its end before.
pub async fn dying_at<F: Future>(waits: usize, future: F) -> Option<F::Output> {
    let mut future = std::pin::pin!(future);
    let mut left = waits;
    std::future::poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

/// A caught mail with what a person finds in it.
pub struct Mail(pub CaughtMail);

impl Mail {
    /// The path of the link that has this beginning and no more than a token behind it.
    fn path(&self, beginning: &str, ending: &str) -> String {
        self.0
            .links
            .iter()
            .filter_map(|link| Some(&link[link.find(beginning)?..]))
            .find(|path| {
                path.ends_with(ending) && (!ending.is_empty() || path.matches('/').count() == 2)
            })
            .unwrap_or_else(|| panic!("no link {beginning}"))
            .to_owned()
    }

    pub fn confirm(&self) -> String {
        self.path("/c/", "")
    }

    pub fn decline(&self) -> String {
        self.path("/c/", "/decline")
    }

    pub fn about(&self) -> String {
        self.path("/a/", "")
    }

    /// The six digits, which stand alone on a line or behind a colon.
    pub fn code(&self) -> String {
        self.0
            .text
            .split_whitespace()
            .find(|word| word.len() == 6 && word.bytes().all(|b| b.is_ascii_digit()))
            .expect("a code")
            .to_owned()
    }
}

/// Of the owner that `add_owner` adds.
pub const OWNERS_PASSWORD: &str = "a long enough password";

/// An owner of everything: `olga`.
pub async fn add_owner(app: &App) {
    let what = (countersign::domain::operator::Role::Owner, &[][..]);
    countersign::app::operators::add(app, None, "olga", OWNERS_PASSWORD, what)
        .await
        .unwrap();
}
