//! Copies of a running database, restored: as a whole, or found out as older than what others saw.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use countersign::app::App;
use countersign::app::sign_up::Submission;
use countersign::clock::Random;
use countersign::store::{Engine, Location};

use crate::bundle::bundle_of;
use crate::harness::{Folder, World};

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    command
        .args([
            "--config",
            folder.join("countersign.toml").to_str().unwrap(),
        ])
        .args(arguments)
        .output()
        .unwrap()
}

/// Signs people up and logs them until it is told to stop.
async fn load(app: Arc<App>, stop: Arc<AtomicBool>, people: Arc<AtomicUsize>) {
    let form = app.catalog().form("news").unwrap().clone();
    while !stop.load(Ordering::SeqCst) {
        let number = people.load(Ordering::SeqCst);
        let email = format!("p{number}@example.org");
        let given = Submission {
            email,
            ..Default::default()
        };
        app.sign_up(&form, given).await.unwrap();
        app.sequence().await.unwrap();
        people.store(number + 1, Ordering::SeqCst);
    }
}

/// An installation restored from a copy.
async fn restored(world: &World, copy: &Path, folder: &Folder) -> Arc<App> {
    let database = folder.0.join("restored.db");
    std::fs::copy(copy, &database).unwrap();
    let text = world.settings_text();
    let from = text.find("\nurl = \"").unwrap() + 1;
    let to = from + text[from..].find('\n').unwrap();
    let text = format!(
        "{}url = \"sqlite://{}\"{}",
        &text[..from],
        database.display(),
        &text[to..]
    );
    std::fs::write(folder.0.join("countersign.toml"), &text).unwrap();
    let config = countersign::config::Config::parse(&text, Default::default(), &folder.0).unwrap();
    App::start(config, world.clock.clone(), Random::seeded(9))
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_of_a_database_in_use_is_whole_and_an_older_one_is_found_out_by_a_later_bundle() {
    let world = World::with(Engine::Sqlite, "[budget]\nper_network_an_hour = 0\n").await;
    let folder = Folder::new();
    std::fs::write(folder.0.join("countersign.toml"), world.settings_text()).unwrap();
    world.signed_up("ada@example.org", "203.0.113.1").await;
    let copy = folder.0.join("copy.db");
    let stop = Arc::new(AtomicBool::new(false));
    let people = Arc::new(AtomicUsize::new(0));
    let loading = tokio::spawn(load(world.app.clone(), stop.clone(), people.clone()));
    while people.load(Ordering::SeqCst) < 10 {
        tokio::task::yield_now().await;
    }
    let path = copy.clone();
    let within = folder.0.clone();
    let made =
        tokio::task::spawn_blocking(move || run(&within, &["backup", path.to_str().unwrap()]));
    let made = made.await.unwrap();
    assert!(made.status.success(), "{made:?}");
    stop.store(true, Ordering::SeqCst);
    loading.await.unwrap();

    // Nobody else reads it, and a second copy never overwrites the first.
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(
        std::fs::metadata(&copy).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let again = run(&folder.0, &["backup", copy.to_str().unwrap()]);
    assert_eq!(again.status.code(), Some(2), "{again:?}");

    // A bundle that was handed out after the copy.
    let later = folder.0.join("later.zip");
    world.signed_up("late@example.org", "203.0.113.1").await;
    std::fs::write(&later, bundle_of(&world, "late@example.org").await.0).unwrap();

    let elsewhere = Folder::new();
    let app = restored(&world, &copy, &elsewhere).await;
    let audit = app.audit(true, |_, _| {}).await.unwrap();
    assert!(audit.holds() && audit.entries > 1, "{:?}", audit.findings);
    let catalog = app.catalog();
    let brand = catalog.brand_by_slug("acme").unwrap();
    assert!(
        app.bundle(brand, "ada@example.org")
            .await
            .unwrap()
            .is_some()
    );
    app.store.close().await;
    assert!(run(&elsewhere.0, &["verify", "--log"]).status.success());
    let found_out = run(
        &elsewhere.0,
        &["verify", "--log", "--against", later.to_str().unwrap()],
    );
    assert_eq!(found_out.status.code(), Some(1));
    let text = String::from_utf8(found_out.stdout).unwrap();
    assert!(
        text.contains("an older copy of the database was restored"),
        "{text}"
    );
    // The bundle itself still holds: what was handed out does not depend on what became of the database.
    assert!(
        run(&elsewhere.0, &["verify", later.to_str().unwrap()])
            .status
            .success()
    );
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_copy_in_the_place_of_the_database_holds_mail_until_an_operator_accepts_it() {
    let world = World::on(Engine::Sqlite).await;
    let folder = Folder::new();
    std::fs::write(folder.0.join("countersign.toml"), world.settings_text()).unwrap();
    let Location::Sqlite(database) = world.app.config.database.clone() else {
        panic!("SQLite");
    };
    world.signed_up("ada@example.org", "203.0.113.1").await;
    world.app.sequence().await.unwrap();
    let copy = folder.0.join("copy.db");
    countersign::store::backup::copy(&database, &copy)
        .await
        .unwrap();
    // After the copy Ada's mail leaves, and she says that it was not her.
    let mail = world.mail_to("ada@example.org").await;
    world.client("203.0.113.1").post(&mail.decline(), &[]).await;
    world.app.sequence().await.unwrap();
    let config = world.app.config.clone();
    world.app.store.close().await;

    // Another file under the same name: what this process still has open is the old one.
    for ending in ["", "-wal", "-shm"] {
        let mut beside = database.clone().into_os_string();
        beside.push(ending);
        let _ = std::fs::remove_file(beside);
    }
    std::fs::copy(&copy, &database).unwrap();
    let restored = App::start(config.clone(), world.clock.clone(), Random::seeded(9))
        .await
        .unwrap();
    let held = restored.sending_held().await.unwrap().unwrap();
    assert!(
        held.why.contains("an older copy was put back"),
        "{}",
        held.why
    );
    assert!(restored.readiness().await.unwrap().sending_held.is_some());
    // The mail that Ada had would leave a second time; it waits. Signups are taken as always.
    let delivery = restored.delivery().unwrap();
    delivery.drain().await.unwrap();
    let form = restored.catalog().form("news").unwrap().clone();
    let email = "ben@example.org".to_owned();
    restored
        .sign_up(
            &form,
            Submission {
                email,
                ..Default::default()
            },
        )
        .await
        .unwrap();
    delivery.drain().await.unwrap();
    assert_eq!(world.caught().len(), 1);
    // Nothing is signed on it, now or by a process that starts anew, and what was seen is not forgotten.
    let problem = restored.sequence().await.unwrap_err().to_string();
    assert!(
        problem.contains("3 entries before") && problem.contains("restored accept"),
        "{problem}"
    );
    restored.store.close().await;
    let anew = App::start(config.clone(), world.clock.clone(), Random::seeded(11))
        .await
        .unwrap();
    assert_eq!(anew.sequence().await.unwrap_err().to_string(), problem);
    anew.store.close().await;
    let audited = run(&folder.0, &["verify", "--log"]);
    let text = String::from_utf8(audited.stdout).unwrap();
    assert!(
        text.contains("- the log's head beside the database: the log had 3 entries before"),
        "{text}"
    );
    assert_eq!(audited.status.code(), Some(1));

    // It is held over a restart, and until somebody says so.
    let told = run(&folder.0, &["restored", "status"]);
    assert!(
        String::from_utf8(told.stdout)
            .unwrap()
            .contains("an older copy was put back")
    );
    assert!(run(&folder.0, &["restored", "accept"]).status.success());
    let again = App::start(config, world.clock.clone(), Random::seeded(10))
        .await
        .unwrap();
    assert_eq!(again.sending_held().await.unwrap(), None);
    // The lease of the process that was there before is over.
    world.advance(20);
    // What was recorded since, and that it was accepted.
    assert_eq!(again.sequence().await.unwrap(), 2);
    let audit = again.audit(false, |_, _| {}).await.unwrap();
    // The command goes by this machine's clock, which is ahead of the test's; that is all there is to find.
    let told: Vec<String> = audit
        .findings
        .iter()
        .map(|one| format!("{one:?}"))
        .filter(|one| !one.contains("yet was logged by"))
        .collect();
    assert_eq!((told, audit.beside), (Vec::new(), Some(3)));
    again.delivery().unwrap().drain().await.unwrap();
    assert_eq!(world.caught().len(), 3);
    again.store.close().await;
    world.end().await;
}
