//! `countersign doctor`: what it finds well, what it finds wrong, and that it says how to mend that.

mod name_server;

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use countersign::clock::Clock;
use countersign::ledger::timestamp::authority::Authority;
use countersign::mail::dkim::DkimKey;
use countersign::mail::records::{Dmarc, PublishedKey, Spf, dkim, dmarc, spf};
use serde_json::Value;

use crate::harness::http::{Peer, Reaction};
use crate::harness::{Folder, World};
use crate::on_both_engines;
use crate::process::{PROGRAM, free_port};
use name_server::Held;

/// Ed25519, as `openssl genpkey -algorithm ed25519` writes it; its bytes are those of RFC 8032, section 7.1, test 1.
const KEY: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n";

struct Patient {
    folder: Folder,
}

/// What the doctor said: his exit code, and his findings.
struct Diagnosis {
    code: i32,
    json: Value,
}

impl Diagnosis {
    fn of(&self, check: &str) -> Vec<&Value> {
        let all = self.json["findings"].as_array().unwrap();
        all.iter().filter(|one| one["check"] == check).collect()
    }

    /// How a check came out, the worst first.
    fn health(&self, check: &str) -> &str {
        let found = self.of(check);
        let rank = |one: &&&Value| match one["health"].as_str() {
            Some("fail") => 2,
            Some("warn") => 1,
            _ => 0,
        };
        let worst = found
            .iter()
            .max_by_key(rank)
            .unwrap_or_else(|| panic!("no {check} in {}", self.json));
        worst["health"].as_str().unwrap()
    }

    /// The mending of the first that is not well.
    fn mend(&self, check: &str) -> String {
        let found = self.of(check);
        let one = found
            .iter()
            .find(|one| one["health"] != "ok")
            .unwrap_or_else(|| panic!("{check} is well: {}", self.json));
        one["mend"].as_str().unwrap().to_owned()
    }
}

impl Patient {
    /// A world's settings as a file of one's own, with further sections.
    fn new(world: &World, more: &str) -> Self {
        if let countersign::store::Location::Sqlite(path) = &world.app.config.database {
            // The harness's copy is everybody's to read.
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        Self::with_text(&format!("{}{more}", world.settings_text()))
    }

    fn with_text(text: &str) -> Self {
        let folder = Folder::new();
        let patient = Self { folder };
        std::fs::write(patient.file(), text).unwrap();
        std::fs::set_permissions(patient.file(), std::fs::Permissions::from_mode(0o600)).unwrap();
        patient
    }

    fn file(&self) -> PathBuf {
        self.folder.0.join("settings.toml")
    }

    async fn command(&self, dns: Option<SocketAddr>, json: bool) -> std::process::Output {
        let mut command = tokio::process::Command::new(PROGRAM);
        command.arg("--config").arg(self.file()).arg("doctor");
        if let Some(dns) = dns {
            command.arg("--dns").arg(dns.to_string());
        }
        if json {
            command.arg("--json");
        }
        command.output().await.unwrap()
    }

    async fn examined(&self, dns: SocketAddr) -> Diagnosis {
        let done = self.command(Some(dns), true).await;
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        Diagnosis {
            code: done.status.code().unwrap(),
            json: serde_json::from_str(&said).unwrap_or_else(|_| panic!("{done:?}")),
        }
    }
}

fn ours() -> String {
    DkimKey::from_pem(KEY.as_bytes(), "mail", "acme.example")
        .unwrap()
        .dns_record()
}

/// All that there should be of the domains of the sample brands.
fn good() -> Vec<Held> {
    let text = |name, text: &str| Held::Text(name, text.to_owned());
    let key = ours();
    let (front, back) = key.split_at(30);
    vec![
        text("acme.example", "unrelated=1"),
        text("acme.example", "v=spf1 include:spf.acme.example -all"),
        text("other.example", "v=spf1 redirect=acme.example"),
        text(
            "_dmarc.acme.example",
            "v=DMARC1; p=quarantine; rua=mailto:d@acme.example",
        ),
        text("_dmarc.other.example", "v=DMARC1; p=none"),
        Held::Parts(
            "mail._domainkey.acme.example",
            vec![front.to_owned(), back.to_owned()],
        ),
        text("bounces.acme.example", "v=spf1 ip4:192.0.2.1 ~all"),
        Held::Mx("bounces.acme.example", "mx.acme.example"),
        Held::Address("mx.acme.example", [192, 0, 2, 9]),
    ]
}

/// An authority whose clock is so many seconds behind.
async fn authority(behind: u64) -> Peer {
    let authority = Authority::from_secret(&[7; 32]);
    Peer::start(move |request| {
        let at = Clock::System.now().minus(Duration::from_secs(behind));
        Reaction::ok(
            "application/timestamp-reply",
            authority.respond(&request.body, at),
        )
    })
    .await
}

fn sections(peer: &Peer) -> String {
    format!(
        "[dkim]\ndomain = \"acme.example\"\nselector = \"mail\"\nkey = \"\"\"{KEY}\"\"\"\n[bounce]\ndomain = \"bounces.acme.example\"\n\
         [timestamp]\nauthorities = [\"one={}\"]\nallow_private = true\n",
        peer.url()
    )
}

on_both_engines! {
    async fn a_sound_installation_is_found_well_in_every_part(engine: Engine) {
        let world = World::on(engine).await;
        let (dns, peer) = (name_server::start(&good()).await, authority(0).await);
        let found = Patient::new(&world, &sections(&peer)).examined(dns).await;
        let checks = ["settings", "files", "database", "keys", "smtp", "spf", "dmarc", "mx", "base_url", "tsa"];
        for check in checks {
            assert_eq!(found.health(check), "ok", "{check}: {}", found.json);
        }
        assert_ne!(found.health("clock"), "fail", "{}", found.json);
        assert_eq!((found.code, found.json["ok"].as_bool()), (0, Some(true)), "{}", found.json);
        assert_eq!(found.of("spf").len(), 3, "two senders, and the domain of reports");
        // Another brand's mail is signed for this one: told of, and no failure.
        assert_eq!(found.health("dkim"), "warn", "{}", found.json);
        assert!(found.mend("dkim").contains("other.example"), "{}", found.mend("dkim"));
        assert_eq!(peer.asked(), 1);
        world.end().await;
    }

    async fn what_is_wrong_in_the_dns_fails_each_with_the_record_that_mends_it(engine: Engine) {
        let world = World::on(engine).await;
        let text = |name, text: &str| Held::Text(name, text.to_owned());
        let peer = authority(0).await;
        let patient = Patient::new(&world, &sections(&peer));
        let nothing = name_server::start(&[]).await;
        let found = patient.examined(nothing).await;
        assert_eq!(found.code, 1);
        for check in ["spf", "dmarc", "dkim", "mx"] {
            assert_eq!(found.health(check), "fail", "{check}: {}", found.json);
        }
        assert!(found.mend("spf").contains("v=spf1") && found.mend("dmarc").contains("_dmarc.acme.example"), "{}", found.json);
        assert!(found.mend("dkim").contains(&ours()), "the very record: {}", found.mend("dkim"));
        assert!(found.mend("mx").contains("bounces.acme.example"));
        // Records that are there, and say the wrong thing.
        let mut wrong = good();
        wrong.retain(|one| !matches!(one, Held::Text(name, _) | Held::Parts(name, _) | Held::Mx(name, _) if *name != "other.example" && *name != "_dmarc.other.example"));
        wrong.extend([
            text("acme.example", "v=spf1 a mx +all"),
            text("_dmarc.acme.example", "v=DMARC1; p=none"),
            text("_dmarc.acme.example", "v=DMARC1; p=reject"),
            text("mail._domainkey.acme.example", "v=DKIM1; k=ed25519; p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
            text("bounces.acme.example", "v=spf1 a"),
            Held::Mx("bounces.acme.example", ""),
        ]);
        let found = patient.examined(name_server::start(&wrong).await).await;
        for check in ["spf", "dmarc", "dkim", "mx"] {
            assert_eq!(found.health(check), "fail", "{check}: {}", found.json);
        }
        assert!(found.of("spf")[0]["what"].as_str().unwrap().contains("+all"), "{}", found.json);
        world.end().await;
    }

    async fn a_broken_database_a_lost_secret_and_an_smtp_server_that_is_not_there_are_told_apart(engine: Engine) {
        let world = World::on(engine).await;
        let dns = name_server::start(&good()).await;
        let settings = world.settings_text();
        let other_secret = settings.replace(crate::harness::SECRET, "CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=");
        let found = Patient::with_text(&other_secret).examined(dns).await;
        assert_eq!((found.code, found.health("keys")), (1, "fail"));
        assert!(found.mend("keys").contains("secrets.previous"), "{}", found.json);
        let (line, _) = settings.split_once("[secrets]").unwrap();
        let url = line.rsplit_once("url = ").unwrap().1.trim();
        let nowhere = match engine {
            countersign::store::Engine::Sqlite => "\"sqlite:///nowhere/at/all.db\"".to_owned(),
            countersign::store::Engine::Postgres => format!("\"postgres://postgres@127.0.0.1:{}/none\"", free_port()),
        };
        let found = Patient::with_text(&settings.replace(url, &nowhere)).examined(dns).await;
        assert_eq!((found.code, found.health("database"), found.health("smtp")), (1, "fail", "ok"), "{}", found.json);
        assert_eq!(found.health("dns"), "warn", "the senders are not known");
        let port = format!("port = {}", world.app.config.smtp.port);
        let deaf = settings.replace(&port, &format!("port = {}", free_port()));
        let found = Patient::with_text(&deaf).examined(dns).await;
        assert_eq!((found.code, found.health("smtp"), found.health("database")), (1, "fail", "ok"), "{}", found.json);
        assert!(found.mend("smtp").contains("host and port"));
        world.end().await;
    }

    async fn a_clock_that_is_off_an_authority_that_is_gone_and_a_server_that_is_not_reached_fail(engine: Engine) {
        let world = World::on(engine).await;
        let dns = name_server::start(&good()).await;
        let late = authority(600).await;
        let found = Patient::new(&world, &sections(&late)).examined(dns).await;
        assert_eq!((found.health("tsa"), found.health("clock")), ("ok", "fail"), "{}", found.json);
        let gone = format!("[timestamp]\nauthorities = [\"one=http://127.0.0.1:{}/\"]\nallow_private = true\n", free_port());
        let found = Patient::new(&world, &gone).examined(dns).await;
        assert_eq!((found.code, found.health("tsa")), (1, "fail"), "{}", found.json);
        let elsewhere = world.settings_text().replace(&world.base, &format!("http://127.0.0.1:{}", free_port()));
        let found = Patient::with_text(&elsewhere).examined(dns).await;
        assert_eq!((found.code, found.health("base_url")), (1, "fail"), "{}", found.json);
        let other = Peer::start(|_| Reaction::ok("text/plain", "hello")).await;
        let strange = world.settings_text().replace(&world.base, other.url().trim_end_matches('/'));
        let found = Patient::with_text(&strange).examined(dns).await;
        assert_eq!(found.health("base_url"), "fail", "somebody else answers: {}", found.json);
        world.end().await;
    }

    async fn files_that_everybody_reads_fail_and_a_name_server_that_says_nothing_holds_nobody_up(engine: Engine) {
        let world = World::on(engine).await;
        let patient = Patient::new(&world, "");
        std::fs::set_permissions(patient.file(), std::fs::Permissions::from_mode(0o644)).unwrap();
        let (silent, _socket) = name_server::silent().await;
        let begun = Instant::now();
        let found = patient.examined(silent).await;
        assert!(begun.elapsed() < Duration::from_secs(90), "{:?}", begun.elapsed());
        assert_eq!((found.code, found.health("files"), found.health("spf")), (1, "fail", "fail"), "{}", found.json);
        assert!(found.mend("files").starts_with("chmod o= ") && found.mend("files").ends_with("settings.toml"), "{}", found.mend("files"));
        assert_eq!(found.health("database"), "ok");
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_read_a_line_for_each_check_and_wrong_settings_end_with_two() {
    let world = World::on(countersign::store::Engine::Sqlite).await;
    let dns = name_server::start(&[]).await;
    let done = Patient::new(&world, "").command(Some(dns), false).await;
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert_eq!(done.status.code(), Some(1), "{said}");
    assert!(
        said.lines()
            .any(|line| line.starts_with("ok    database  reachable")),
        "{said}"
    );
    assert!(
        said.lines()
            .any(|line| line.starts_with("fail  spf       acme.example has no SPF record")),
        "{said}"
    );
    assert!(
        said.contains("                publish a TXT record at acme.example"),
        "{said}"
    );
    world.end().await;
    let wrong = Patient::with_text("[server]\nbase_url = \"http://example.org\"\n");
    let done = wrong.command(None, true).await;
    assert_eq!(done.status.code(), Some(2));
    let told: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert!(
        told["findings"][0]["what"]
            .as_str()
            .unwrap()
            .contains("base_url"),
        "{told}"
    );
}

fn texts(all: &[&str]) -> Vec<String> {
    all.iter().map(|one| (*one).to_owned()).collect()
}

#[test]
fn records_are_read_as_receivers_read_them() {
    for (given, says) in [
        (&["v=spf1 -all"][..], Spf::Ends),
        (&["V=SPF1 a ~ALL"], Spf::Ends),
        (&["v=spf1 redirect=_spf.example.org"], Spf::Ends),
        (&["v=spf1 a mx"], Spf::Neutral),
        (&["v=spf1 ?all"], Spf::Neutral),
        (&["v=spf1"], Spf::Neutral),
        (&["v=spf1 all"], Spf::PassesAll),
        (&["v=spf1 +all -all"], Spf::PassesAll),
        (&["v=spf10 -all", "spf1 -all", ""], Spf::Missing),
        (&["v=spf1 -all", "v=spf1 ~all"], Spf::Several),
    ] {
        assert_eq!(spf(&texts(given)), says, "{given:?}");
    }
    let ours = "v=DKIM1; k=rsa; p=AbCd+/==";
    for (given, says) in [
        (&["v=DKIM1; k=rsa; p=AbCd+/=="][..], PublishedKey::Ours),
        (&["p=Ab Cd +/=="], PublishedKey::Ours),
        (&["other=1", "v=DKIM1;p=AbCd+/==;t=s"], PublishedKey::Ours),
        (&["v=DKIM1; p=AbCd+/==; t=y:s"], PublishedKey::Trial),
        (&["v=DKIM1; p="], PublishedKey::Revoked),
        (&["v=DKIM1; p=abcd+/=="], PublishedKey::Other),
        (&["v=DKIM1; k=ed25519; p=AbCd+/=="], PublishedKey::Other),
        (&["v=DKIM1"], PublishedKey::Missing),
    ] {
        assert_eq!(dkim(&texts(given), ours), says, "{given:?}");
    }
    for (given, says) in [
        (
            &["v=DMARC1; p=reject"][..],
            Dmarc::Policy("reject".to_owned()),
        ),
        (
            &["v = DMARC1 ; P=1; p = None"],
            Dmarc::Policy("none".to_owned()),
        ),
        (&["v=DMARC1; p=maybe"], Dmarc::Broken),
        (&["v=spf1 -all"], Dmarc::Missing),
        (&["v=DMARC1; p=none", "v=DMARC1; p=none"], Dmarc::Several),
    ] {
        assert_eq!(dmarc(&texts(given)), says, "{given:?}");
    }
}
