//! What becomes of a mail in the outbox when the SMTP server misbehaves: tried again under the same Message-ID, or given up
//! and shown; and no other mail waits for it.

use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use countersign::domain::event::Fact;
use tokio::sync::oneshot;

use super::peers::{Action, Peer, Step, Turn, say};
use crate::harness::World;
use crate::on_both_engines;

const PIPELINING: &[&str] = &["PIPELINING", "8BITMIME"];
const ONE_BY_ONE: &[&str] = &["8BITMIME"];

/// Longer than the first wait between two tries, with its jitter.
const NEXT_TRY: u64 = 60;
/// Longer than any wait.
const A_DAY: u64 = 86_400;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Later,
    Closing,
    Never,
    Drop,
    Endless,
    Stall,
}

impl What {
    fn action(self, step: Step) -> Action {
        match self {
            Self::Later => say("451 4.3.0 later"),
            Self::Closing => say("421 4.3.2 closing"),
            Self::Never => say("550 5.7.1 never"),
            Self::Drop => Action::Drop,
            Self::Endless => Action::Endless(match step {
                Step::Greeting => "220-more\r\n",
                Step::Data => "354-more\r\n",
                _ => "250-more\r\n",
            }),
            Self::Stall => Action::Stall,
        }
    }
}

/// What a try leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Nothing was delivered.
    Deferred,
    /// The dot was sent and no reply came.
    Ambiguous,
    Refused,
}

/// `None` where it depends on how much the kernel had taken when the connection broke.
fn fate(step: Step, what: What) -> Option<Fate> {
    let says_nothing = matches!(what, What::Drop | What::Endless | What::Stall);
    match step {
        Step::InMessage => None,
        Step::AfterDot if says_nothing => Some(Fate::Ambiguous),
        Step::Greeting | Step::Hello => Some(Fate::Deferred),
        _ if what == What::Never => Some(Fate::Refused),
        _ => Some(Fate::Deferred),
    }
}

/// A server that has trouble with the mail of one sender (or, before a sender is named, with everybody), and that never
/// takes mail to an address that begins with "never".
#[derive(Clone, Default)]
struct Trouble {
    now: Arc<Mutex<Option<(Step, What)>>>,
    with: Arc<Mutex<HashSet<usize>>>,
}

impl Trouble {
    fn set(&self, now: Option<(Step, What)>) {
        *self.now.lock().unwrap() = now;
    }

    fn act(&self, turn: &Turn<'_>) -> Action {
        let mut with = self.with.lock().unwrap();
        if turn.step == Step::MailFrom {
            with.remove(&turn.connection);
            if turn.line.contains("letters@acme.example") {
                with.insert(turn.connection);
            }
        }
        let concerns =
            matches!(turn.step, Step::Greeting | Step::Hello) || with.contains(&turn.connection);
        match *self.now.lock().unwrap() {
            Some((step, what)) if concerns && step == turn.step => what.action(step),
            None if turn.step == Step::Recipient && turn.line.contains("<never") => {
                say("550 5.1.1 nobody here")
            }
            _ => Action::Usual,
        }
    }

    async fn peer(&self, offers: &'static [&'static str]) -> Peer {
        let trouble = self.clone();
        Peer::start(offers, move |turn| trouble.act(turn)).await
    }
}

/// Ends the kept sessions, so that the next mail is greeted.
async fn hang_up(world: &mut World) {
    world.delivery.transport().close().await;
    world.delivery = world.app.delivery().unwrap();
}

async fn sign_up(world: &World, form: &str, email: &str) {
    let mut client = world.client("192.0.2.1");
    let reply = client
        .post(&format!("/f/{form}"), &[("email", email)])
        .await;
    assert_eq!(reply.status, 303, "{}", reply.text());
}

/// The Message-IDs of the messages to one address, one for each time that the server read it.
fn message_ids(peer: &Peer, email: &str) -> Vec<String> {
    let to = format!("To: {email}\r\n");
    peer.messages()
        .into_iter()
        .map(|bytes| String::from_utf8(bytes).unwrap())
        .filter(|text| text.contains(&to))
        .map(|text| {
            let line = text.lines().find(|line| line.starts_with("Message-ID: "));
            line.unwrap()
                .trim_start_matches("Message-ID: <")
                .trim_end_matches('>')
                .to_owned()
        })
        .collect()
}

/// What became of the mail of an address, the last thing that is told of it but for the bounce that it counts as.
async fn last(world: &World, email: &str) -> Fact {
    let story = world.story(email).await.into_iter().rev();
    let mut facts = story.map(|event| event.fact);
    let found = facts.find(|fact| !matches!(fact, Fact::Bounced(_)));
    found.expect("an event")
}

/// Asserts that a mail was given up after so many tries; answers with its Message-ID.
async fn assert_failed(world: &World, email: &str, tried: i64, unsure: Option<bool>) -> String {
    match last(world, email).await {
        Fact::MailFailed {
            message_id,
            tries,
            ambiguous,
            ..
        } => {
            assert_eq!(tries, tried, "{email}");
            assert_eq!(ambiguous, unsure.unwrap_or(ambiguous), "{email}");
            message_id
        }
        other => panic!("{email}: {other:?}"),
    }
}

async fn assert_accepted(world: &World, email: &str, tried: i64) -> String {
    match last(world, email).await {
        Fact::MailAccepted {
            message_id, tries, ..
        } => {
            assert_eq!(tries, tried, "{email}");
            message_id
        }
        other => panic!("{email}: {other:?}"),
    }
}

/// One trouble: two mails that it concerns and one that it does not.
async fn one_row(world: &mut World, peer: &Peer, trouble: &Trouble, row: (Step, What), name: &str) {
    let [later, well, never] =
        ["later", "well", "never"].map(|kind| format!("{kind}-{name}@example.org"));
    hang_up(world).await;
    trouble.set(Some(row));
    sign_up(world, "news", &later).await;
    sign_up(world, "other", &well).await;
    sign_up(world, "news", &never).await;
    assert_eq!(world.delivery.drain().await.unwrap(), 3);
    let concerns_all = matches!(row.0, Step::Greeting | Step::Hello);
    let ready = world.app.readiness().await.unwrap();
    assert_eq!(ready.last_smtp_problem.is_some(), concerns_all, "{name}");
    assert_eq!(
        message_ids(peer, &well).len(),
        usize::from(!concerns_all),
        "{name}"
    );
    let fate = fate(row.0, row.1);
    if fate == Some(Fate::Refused) {
        assert_eq!(ready.mails_waiting, 0, "{name}");
        assert_failed(world, &later, 1, Some(false)).await;
        assert_failed(world, &never, 1, Some(false)).await;
        world.advance(A_DAY);
        assert_eq!(world.delivery.drain().await.unwrap(), 0, "{name}");
        return;
    }
    let waiting = 2 + usize::from(concerns_all);
    assert_eq!(ready.mails_waiting, waiting as i64, "{name}");
    trouble.set(None);
    assert_eq!(world.delivery.drain().await.unwrap(), 0, "not at once");
    world.advance(NEXT_TRY);
    assert_eq!(world.delivery.drain().await.unwrap(), waiting, "{name}");
    let is_ambiguous = fate.map(|fate| fate == Fate::Ambiguous);
    let ids: BTreeSet<String> = message_ids(peer, &later)
        .into_iter()
        .chain([assert_accepted(world, &later, 2).await])
        .collect();
    assert_eq!(ids.len(), 1, "{name}: {ids:?}");
    let ids: BTreeSet<String> = message_ids(peer, &never)
        .into_iter()
        .chain([assert_failed(world, &never, 2, is_ambiguous).await])
        .collect();
    assert_eq!(ids.len(), 1, "{name}: {ids:?}");
    assert_eq!(message_ids(peer, &well).len(), 1, "{name}");
    let ready = world.app.readiness().await.unwrap();
    assert_eq!((ready.mails_waiting, ready.last_smtp_problem), (0, None));
}

/// Every step at which a peer can misbehave, with everything but silence.
fn rows() -> Vec<(Step, What)> {
    let steps = [
        Step::Greeting,
        Step::Hello,
        Step::MailFrom,
        Step::Recipient,
        Step::Data,
        Step::AfterDot,
    ];
    let whats = [
        What::Later,
        What::Closing,
        What::Never,
        What::Drop,
        What::Endless,
    ];
    let mut rows: Vec<_> = steps
        .into_iter()
        .flat_map(|step| whats.map(|what| (step, what)))
        .collect();
    rows.push((Step::InMessage, What::Drop));
    rows
}

on_both_engines! {
    async fn whatever_a_server_does_the_mail_is_tried_again_or_given_up_and_no_other_mail_waits_for_it(engine: Engine) {
        for (number, offers) in [PIPELINING, ONE_BY_ONE].into_iter().enumerate() {
            let trouble = Trouble::default();
            let peer = trouble.peer(offers).await;
            let mut world = World::mailing_to(engine, peer.port).await;
            for row in rows() {
                let name = format!("{number}-{:?}-{:?}", row.0, row.1).to_lowercase();
                one_row(&mut world, &peer, &trouble, row, &name).await;
            }
            world.end().await;
        }
    }

    async fn a_mail_whose_fate_is_unknown_eight_times_is_parked_and_told_as_ambiguous(engine: Engine) {
        let trouble = Trouble::default();
        trouble.set(Some((Step::AfterDot, What::Drop)));
        let peer = trouble.peer(PIPELINING).await;
        let world = World::mailing_to(engine, peer.port).await;
        sign_up(&world, "news", "anna@example.org").await;
        for tries in 1..=8 {
            assert_eq!(world.delivery.drain().await.unwrap(), 1, "try {tries}");
            let ready = world.app.readiness().await.unwrap();
            let parked = i64::from(tries == 8);
            assert_eq!((ready.mails_waiting, ready.mails_failed), (1 - parked, parked), "try {tries}");
            world.advance(18_000);
        }
        let told = assert_failed(&world, "anna@example.org", 8, Some(true)).await;
        assert_eq!(message_ids(&peer, "anna@example.org"), vec![told; 8]);
        trouble.set(None);
        world.advance(A_DAY);
        assert_eq!(world.delivery.drain().await.unwrap(), 0, "parked for good");
        world.end().await;
    }

    async fn a_refused_mail_is_shown_to_operators_in_the_servers_words_and_without_its_address(engine: Engine) {
        let peer = Peer::start(PIPELINING, |turn| match turn.step {
            Step::Recipient => say("550 5.1.1 <anna@example.org>: no such mailbox"),
            _ => Action::Usual,
        })
        .await;
        let world = World::mailing_to(engine, peer.port).await;
        crate::harness::add_owner(&world.app).await;
        sign_up(&world, "news", "anna@example.org").await;
        world.delivery.drain().await.unwrap();
        let ready = world.client("192.0.2.1").get("/readyz").await;
        assert_eq!((ready.status, &ready.json()["mails_failed"]), (200, &1.into()));
        let mut client = world.client("192.0.2.1").with("sec-fetch-site", "same-origin");
        client.post("/admin/sign-in", &[("name", "olga"), ("password", "a long enough password")]).await;
        let page = client.get("/admin").await.text();
        assert!(page.contains("550 5.1.1") && page.contains("no such mailbox"), "{page}");
        assert!(page.contains("<td>example.org</td>") && !page.contains("anna"), "{page}");
        world.end().await;
    }
}

/// Moves the clock of this test's runtime past every limit of an SMTP reply.
async fn let_the_limits_pass() {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(601)).await;
    tokio::time::resume();
}

async fn a_silent_server_holds_up_nobody_else(engine: countersign::store::Engine) {
    let trouble = Trouble::default();
    let mut peer = trouble.peer(PIPELINING).await;
    let mut world = World::mailing_to(engine, peer.port).await;
    for step in [
        Step::MailFrom,
        Step::Recipient,
        Step::Data,
        Step::AfterDot,
        Step::Greeting,
    ] {
        let name = format!("{step:?}").to_lowercase();
        let [slow, never, well] =
            ["slow", "never", "well"].map(|kind| format!("{kind}-{name}@example.org"));
        hang_up(&mut world).await;
        peer.forget_steps();
        trouble.set(Some((step, What::Stall)));
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(world.delivery.clone().run(async move {
            let _ = stopped.await;
        }));
        for email in [&slow, &never] {
            sign_up(&world, "news", email).await;
            peer.until(step).await;
        }
        if step != Step::Greeting {
            sign_up(&world, "other", &well).await;
            peer.until(Step::AfterDot).await;
            assert_eq!(message_ids(&peer, &well).len(), 1, "{name}");
        }
        let_the_limits_pass().await;
        let _ = stop.send(());
        running.await.unwrap();
        hang_up(&mut world).await;
        trouble.set(None);
        world.advance(NEXT_TRY);
        assert_eq!(world.delivery.drain().await.unwrap(), 2, "{name}");
        let told = assert_accepted(&world, &slow, 2).await;
        let seen = message_ids(&peer, &slow);
        assert!(seen.iter().all(|id| *id == told), "{name}: {seen:?}");
        let is_ambiguous = step == Step::AfterDot;
        assert_failed(&world, &never, 2, Some(is_ambiguous)).await;
        assert_eq!(seen.len(), 1 + usize::from(is_ambiguous), "{name}");
    }
    world.end().await;
}

#[tokio::test]
async fn a_silent_server_holds_up_nobody_else_on_sqlite() {
    a_silent_server_holds_up_nobody_else(countersign::store::Engine::Sqlite).await;
}

#[tokio::test]
async fn a_silent_server_holds_up_nobody_else_on_postgres() {
    if !crate::harness::postgres::is_left_out() {
        a_silent_server_holds_up_nobody_else(countersign::store::Engine::Postgres).await;
    }
}
