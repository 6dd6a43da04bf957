//! The same of a server that has its log stamped by itself, at its interval: killed at each step of that, and the next one goes on.
//!
//! It looks five seconds after its start, so servers are killed side by side, each in an installation of its own. On PostgreSQL each dies
//! before another of the round's statements; on SQLite at calls that write once the authority was asked, and before that; on both
//! when it has asked.

use std::collections::HashSet;

use futures_util::future::join_all;

use super::between::Stop;
use super::*;
use crate::process::{Server, start, wait_until};

/// After its last call that is waited for, a server is killed anyhow.
const NOT_CALLED: Duration = Duration::from_secs(2);
/// A server has begun its work, and does not stamp yet.
const BEFORE_IT_STAMPS: Duration = Duration::from_millis(4_500);

/// Where a server dies.
#[derive(Clone, Copy, Debug)]
enum Death {
    /// The statement holds this.
    BeforeStatement(Stop, &'static str),
    WhenItHasAsked,
    /// At the call of this number once it has asked.
    AtCall(&'static str, usize),
    /// At a call before it has.
    AtCallBefore(&'static str, usize),
}

/// Before the statement of this number of a transaction, which begins with one that holds `from`, or `which` of them.
const fn at((from, which): (&'static str, usize), at: usize, holds: &'static str) -> Death {
    let stop = Stop {
        from,
        which,
        at,
        one_connection: true,
    };
    Death::BeforeStatement(stop, holds)
}

/// What a server had done of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Done {
    asked: bool,
    stamped: bool,
}

impl Installation {
    /// A log that is to be stamped.
    async fn unstamped(engine: Engine) -> Self {
        let mut installation = Self::new(engine).await;
        let app = installation.next_process().await;
        installation.record(&app).await;
        app.sequence().await.unwrap();
        app.end_sequencing().await.unwrap();
        app.store.close().await;
        installation
    }

    async fn server_dies(mut self, death: Death) -> Done {
        let told = format!("{death:?}");
        let between = match death {
            Death::BeforeStatement(stop, _) => Some(Between::start(&self.place.url, stop).await),
            _ => None,
        };
        let url = between.as_ref().map_or(&self.place.url, |one| &one.url);
        self.write_settings(url);
        self.hangs
            .store(matches!(death, Death::WhenItHasAsked), Ordering::SeqCst);
        let mut server = start(&self.place.folder.0, self.port).await;
        let to_trace = self.place.folder.0.join("strace.txt");
        let pid = server.child.id();
        let died = tokio::time::timeout(PATIENCE, async {
            match death {
                Death::BeforeStatement(_, holds) => {
                    let held = between.as_ref().unwrap().stopped().await;
                    assert!(held.contains(holds), "{held}; {told}");
                }
                Death::WhenItHasAsked => self.asked.notified().await,
                Death::AtCall(calls, number) => {
                    *self.when_asked.lock().unwrap() = Some(Box::new(move || {
                        calls::kill_at(pid, calls, number, &to_trace);
                    }));
                    while self.authority.asked() == 0 {
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                    let is_dead = dead(&mut server).await;
                    assert!(is_dead || number > 1, "it writes nothing; {told}");
                }
                Death::AtCallBefore(calls, number) => {
                    tokio::time::sleep(BEFORE_IT_STAMPS).await;
                    calls::kill_at(pid, calls, number, &to_trace);
                    dead(&mut server).await;
                }
            }
        });
        assert!(died.await.is_ok(), "it never came to it; {told}");
        drop(server);
        drop(between);
        self.hangs.store(false, Ordering::SeqCst);
        let asked = self.authority.asked() > 0;
        let is_stamped_by_the_next = matches!(death, Death::WhenItHasAsked);
        if is_stamped_by_the_next {
            self.next_server_stamps(&told).await;
        }
        let stamped = self.is_stamped_once(&told).await && !is_stamped_by_the_next;
        if let Some(database) = self.place.database {
            database.drop().await;
        }
        Done { asked, stamped }
    }

    async fn next_server_stamps(&self, told: &str) {
        let app = self.next_process().await;
        let server = start(&self.place.folder.0, self.port).await;
        wait_until(
            &format!("the next server stamps; {told}"),
            PATIENCE,
            async || app.audit(false, |_, _| {}).await.unwrap().timestamps == 1,
        )
        .await;
        drop(server);
        app.store.close().await;
    }

    /// Nothing is wrong with what the dead one left, and whoever comes next has the log stamped unless it is; answers with that.
    async fn is_stamped_once(&mut self, told: &str) -> bool {
        let app = self.next_process().await;
        let audit = app.audit(true, |_, _| {}).await.unwrap();
        assert_eq!(audit.findings, [""; 0], "{told}");
        app.sequence().await.unwrap();
        let asked = app.stamp_due().await.unwrap();
        let good = asked.iter().find(|one| one.authority == "good");
        let is_new = good.is_some_and(|one| one.outcome.as_ref().is_ok_and(|one| !one.was_there));
        assert_eq!(
            (good.is_some(), is_new),
            (audit.timestamps == 0, audit.timestamps == 0),
            "{asked:?}; {told}"
        );
        self.record(&app).await;
        app.sequence().await.unwrap();
        self.holds(&app, told).await;
        let after = app.audit(false, |_, _| {}).await.unwrap();
        assert_eq!(after.timestamps, 1, "{told}");
        app.store.close().await;
        audit.timestamps > 0
    }
}

/// Waits for its end, for so long.
async fn dead(server: &mut Server) -> bool {
    let until = tokio::time::Instant::now() + NOT_CALLED;
    while tokio::time::Instant::now() < until {
        if server.child.try_wait().unwrap().is_some() {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    false
}

async fn all_die(engine: Engine, deaths: &[Death]) {
    let each = deaths.iter().map(|death| async {
        let installation = Installation::unstamped(engine).await;
        installation.server_dies(*death).await
    });
    let done: HashSet<Done> = join_all(each).await.into_iter().collect();
    for stamped in [false, true] {
        let met = done.contains(&Done {
            asked: true,
            stamped,
        });
        assert!(met || (stamped && deaths.len() == 1), "{stamped}: {done:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_on_postgresql_that_is_killed_before_any_statement_of_stamping_loses_no_timestamp()
{
    if crate::harness::postgres::is_left_out() {
        return;
    }
    let (lease, end) = (("timestamps", 1), ("timestamps", 2));
    let turn = ("pg_advisory_xact_lock(7161108350190421348)", 1);
    let deaths = [
        at(lease, 1, "insert into lease"),
        at(lease, 2, "commit"),
        Death::WhenItHasAsked,
        at(turn, 1, turn.0),
        at(turn, 3, "insert into timestamp ("),
        at(turn, 4, "insert into timestamp_try"),
        at(turn, 5, "commit"),
        at(end, 1, "delete from lease"),
        at(end, 2, "commit"),
    ];
    all_die(Engine::Postgres, &deaths).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_on_sqlite_that_is_killed_at_calls_of_stamping_loses_no_timestamp() {
    let mut deaths = vec![Death::WhenItHasAsked];
    if calls::may_be_attached() {
        let sync = "fdatasync,fsync";
        deaths.extend([1, 2].map(|number| Death::AtCallBefore(sync, number)));
        deaths.extend([1, 2, 3].map(|number| Death::AtCall(sync, number)));
        deaths.extend([2, 6, 10, 14, 18].map(|number| Death::AtCall("pwrite64", number)));
    }
    all_die(Engine::Sqlite, &deaths).await;
}
