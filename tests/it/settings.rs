//! Starting: with the wrong secret, with a database that would lose writes, with the commented file.

use countersign::app::{App, StartProblem};
use countersign::clock::{Clock, Random};

use crate::harness::{START, World, place, settings};
use crate::on_both_engines;

on_both_engines! {
    async fn a_new_secret_in_front_of_the_old_one_starts_and_alone_it_does_not(engine: Engine) {
        let place = place(engine).await;
        let start = |config| App::start(config, Clock::fixed(START), Random::seeded(1));
        let first = settings("http://127.0.0.1:1", &place.url, 25, "");
        start(first.clone()).await.unwrap().store.close().await;
        let mut alone = first.clone();
        alone.root_secrets = vec![vec![9; 32].into()];
        assert!(matches!(start(alone.clone()).await.err(), Some(StartProblem::OldSecretMissing)));
        let mut both = alone;
        both.root_secrets.extend(first.root_secrets.clone());
        start(both).await.unwrap().store.close().await;
        if let Some(database) = place.database {
            database.drop().await;
        }
    }

    async fn readiness_shows_what_waits(engine: Engine) {
        let world = World::on(engine).await;
        world.signed_up("anna@example.org", "192.0.2.1").await;
        let mut client = world.client("192.0.2.1");
        let ready = client.get("/readyz").await;
        assert_eq!((ready.status, ready.json()["mails_waiting"].as_i64()), (200, Some(1)));
        assert_eq!(client.get("/livez").await.status, 200);
        world.deliver().await;
        world.finish().await;
    }
}
