//! An import that was started in the pages, and whose server dies in the middle of it.

use std::time::Duration;

use countersign::app::App;
use countersign::app::operators;
use countersign::clock::{Clock, Random};
use countersign::config::Config;
use countersign::domain::operator::Role;

use super::{bring, signed_in, take_columns, there, tried, work};
use crate::harness::{Client, Place, World, dying_at, place};
use crate::on_both_engines;
use crate::process::{declare, free_port, start, wait_until, write_settings};

fn list(rows: usize) -> String {
    let each = (0..rows).map(|number| format!("p{number}@example.org,{number},2026-10-01\n"));
    "email,order,date\n".to_owned() + &each.collect::<String>()
}

/// Settings, a brand and the owner `olga` for a server that is started as a process; answers with its port, the brand, and the brand
/// with its first purpose, as the wizard names them.
pub async fn declared(place: &Place) -> (u16, String, String) {
    let folder = &place.folder.0;
    let port = free_port();
    write_settings(folder, &place.url, port, 25);
    declare(folder, port);
    let config = Config::load(&folder.join(format!("{port}.toml")), true).unwrap();
    let app = App::start(config, Clock::System, Random::Os).await.unwrap();
    let owner = (Role::Owner, &[][..]);
    operators::add(&app, None, "olga", super::PASSWORD, owner)
        .await
        .unwrap();
    let declared = app.catalog().brands[0].declared.clone();
    app.store.close().await;
    let slug = declared.slug.to_string();
    let wanted = format!("{slug}/{}", declared.purposes[0].slug);
    (port, slug, wanted)
}

on_both_engines! {
    async fn wherever_the_work_on_it_ends_it_is_gone_on_with_and_nothing_is_there_twice(engine: Engine) {
        let world = World::on(engine).await;
        let mut olga = signed_in(&world, "olga", Role::Owner, &[]).await;
        let trial = tried(&mut olga, &world.app, list(2_500).as_bytes(), &[("source", "purchase")]).await;
        let import = there(&olga.post(&trial.replace("/trial", "/start"), &[("name", "a")]).await);
        for waits in [3, 9, 15, 22, 30, 40] {
            if let Some(due) = world.app.next_draft(&[]).await.unwrap() {
                dying_at(waits, world.app.work_on(due)).await;
            }
        }
        work(&world.app).await;
        let page = olga.get(&import).await.text();
        assert!(page.contains("done") && page.contains("<b>2,500</b> rows") && page.contains("<b>2,500</b> new contacts"), "{page}");
        let report = olga.get(&format!("{import}/report")).await.text();
        assert_eq!(report.lines().count(), 2_501);
        let mut lines: Vec<&str> = report.lines().collect();
        lines.dedup();
        assert_eq!(lines.len(), 2_501);
        assert_eq!(world.kinds("p2499@example.org").await, ["imported"]);
        world.finish().await;
    }

    async fn a_process_that_is_killed_goes_on_with_the_list_after_its_next_start(engine: Engine) {
        let place = place(engine).await;
        let folder = &place.folder.0;
        let (port, _, wanted) = declared(&place).await;
        let server = start(folder, port).await;
        let mut olga = crate::jobs::sign_in(&server.base, "olga").await;
        let columns = there(&bring(&mut olga, &wanted, "people.csv", list(6_000).as_bytes()).await);
        let source = take_columns(&mut olga, &columns).await;
        let trial = there(&olga.post(&source, &[("source", "purchase"), ("then", "try")]).await);
        until(&mut olga, &trial, "Start the import").await;
        let import = there(&olga.post(&trial.replace("/trial", "/start"), &[("name", "a")]).await);
        // Some rows are in, and not all of them.
        wait_until("rows are in", Duration::from_secs(60), async || {
            let page = olga.clone().get(&import).await.text();
            let rows = page.split(" rows are in").next().unwrap().rsplit("· ").next().unwrap().replace(',', "");
            page.contains("done") || rows.trim().parse::<u64>().is_ok_and(|rows| rows > 0)
        })
        .await;
        drop(server);
        let server = start(folder, port).await;
        let mut olga = crate::jobs::sign_in(&server.base, "olga").await;
        until(&mut olga, &import, "state good\">done").await;
        let page = olga.get(&import).await.text();
        assert!(page.contains("<b>6,000</b> rows") && page.contains("<b>6,000</b> new contacts"), "{page}");
        let report = olga.get(&format!("{import}/report")).await.text();
        assert_eq!(report.lines().count(), 6_001);
        drop(server);
        if let Some(database) = place.database {
            database.drop().await;
        }
    }
}

async fn until(client: &mut Client, path: &str, wanted: &str) {
    wait_until(wanted, Duration::from_secs(120), async || {
        client.get(path).await.text().contains(wanted)
    })
    .await;
}
