//! `countersign bench`: what it prints is what programs and people rely on. No speed is asserted.

use std::path::Path;
use std::process::Command;

use countersign::store::Engine;
use serde_json::Value;

use crate::harness::place;
use crate::on_both_engines;

/// Runs the shortest bench there is; answers with what it printed.
async fn bench(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    command
        .args(["bench", "--seconds", "1", "--connections", "8", "--folder"])
        .arg(folder)
        .args(arguments)
        .current_dir(folder);
    let done = tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap();
    let words = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{words}");
    let left: Vec<_> = std::fs::read_dir(folder).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
    String::from_utf8(done.stdout).unwrap()
}

/// The names that are promised, in their order, and `contacts`, which tells what the store held before.
const KEYS: [&str; 14] = [
    "engine",
    "connections",
    "contacts",
    "ceiling_rps",
    "signup_rps",
    "signup_ratio",
    "confirm_rps",
    "confirm_ratio",
    "p50_ms",
    "p99_ms",
    "mail_rps",
    "smtp_ceiling_rps",
    "mail_ratio",
    "rss_mb",
];

on_both_engines! {
    async fn the_figures_have_the_promised_names_and_each_ratio_is_a_quotient_of_two_of_them(engine: Engine) {
        let place = place(engine).await;
        let folder = &place.folder.0;
        let printed = match engine {
            Engine::Sqlite => bench(folder, &["--json"]).await,
            Engine::Postgres => {
                bench(folder, &["--json", "--engine", "postgres", "--database-url", &place.url]).await
            }
        };
        let at = |key: &str| printed.find(&format!("\"{key}\":")).unwrap_or_else(|| panic!("{key} in {printed}"));
        assert!(KEYS.windows(2).all(|pair| at(pair[0]) < at(pair[1])), "{printed}");
        let figures: serde_json::Map<String, Value> = serde_json::from_str(&printed).unwrap();
        assert_eq!(figures.len(), KEYS.len(), "{printed}");
        let name = if engine == Engine::Sqlite { "sqlite" } else { "postgres" };
        assert_eq!((&figures["engine"], &figures["connections"], &figures["contacts"]), (&name.into(), &8.into(), &0.into()));
        let figure = |key: &str| figures[key].as_f64().unwrap();
        for (ratio, part, whole) in [
            ("signup_ratio", "signup_rps", "ceiling_rps"),
            ("confirm_ratio", "confirm_rps", "ceiling_rps"),
            ("mail_ratio", "mail_rps", "smtp_ceiling_rps"),
        ] {
            assert!(figure(part) > 0.0 && figure(whole) > 0.0, "{printed}");
            assert!((figure(ratio) - figure(part) / figure(whole)).abs() < 1e-9, "{ratio} in {printed}");
        }
        assert!(figure("p50_ms") > 0.0 && figure("p50_ms") <= figure("p99_ms"), "{printed}");
        assert!(figure("rss_mb") > 1.0, "{printed}");
        if let Some(database) = place.database {
            database.drop().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_table_has_a_line_for_each_figure_and_shares_that_fit_them() {
    let place = place(Engine::Sqlite).await;
    let printed = bench(&place.folder.0, &[]).await;
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines[0], "sqlite with 0 contacts, 8 connections");
    let number = |beginning: &str, word: usize| -> f64 {
        let line = lines
            .iter()
            .find_map(|line| line.trim().strip_prefix(beginning));
        let line = line.unwrap_or_else(|| panic!("{beginning} in {printed}"));
        line.split_whitespace().nth(word).unwrap().parse().unwrap()
    };
    for (part, whole) in [
        ("signups", "ceiling, no store"),
        ("confirmations", "ceiling, no store"),
        ("mails drained", "plain SMTP sender"),
    ] {
        let share = 100.0 * number(part, 0) / number(whole, 0);
        // The share is that of the unrounded figures.
        assert!((number(part, 2) - share).abs() < 1.0, "{part} in {printed}");
    }
    assert!(number("half within", 0) <= number("99 of 100 within", 0));
    assert!(number("resident memory", 0) > 1.0);
}

on_both_engines! {
    async fn the_log_is_measured_under_load_and_whole(engine: Engine) {
        let place = place(engine).await;
        let arguments = ["--ledger", "2000", "--json", "--engine"];
        let rest: &[&str] = match engine {
            Engine::Sqlite => &["sqlite"],
            Engine::Postgres => &["postgres", "--database-url", &place.url],
        };
        let printed = bench(&place.folder.0, &[&arguments[..], rest].concat()).await;
        let figures: Value = serde_json::from_str(&printed).unwrap();
        let figure = |key: &str| figures[key].as_f64().unwrap();
        // What was signed up under load, and what was added.
        assert!(figures["events"].as_u64().unwrap() > 2_000, "{printed}");
        assert!(figure("inclusion_p50_ms") > 0.0 && figure("inclusion_p50_ms") <= figure("inclusion_p99_ms"), "{printed}");
        for key in ["load_rps", "sequence_eps", "proof_us", "verify_eps", "read_and_hash_s", "log_bytes_per_event"] {
            assert!(figure(key) > 0.0, "{key} in {printed}");
        }
        assert!(figure("bytes_per_event") > figure("log_bytes_per_event") + figure("body_bytes_per_event"), "{printed}");
        if let Some(database) = place.database {
            database.drop().await;
        }
    }

    async fn an_import_is_measured_beside_plain_inserts_of_the_same_file(engine: Engine) {
        let place = place(engine).await;
        let arguments = ["--import", "3000", "--json", "--engine"];
        let rest: &[&str] = match engine {
            Engine::Sqlite => &["sqlite"],
            Engine::Postgres => &["postgres", "--database-url", &place.url],
        };
        let printed = bench(&place.folder.0, &[&arguments[..], rest].concat()).await;
        let figures: Value = serde_json::from_str(&printed).unwrap();
        let figure = |key: &str| figures[key].as_f64().unwrap();
        assert_eq!(figures["rows"], 3_000);
        assert!(figure("import_rps") > 0.0 && figure("plain_rps") > 0.0 && figure("rss_mb") > 1.0, "{printed}");
        assert!((figure("ratio") - figure("import_rps") / figure("plain_rps")).abs() < 1e-9, "{printed}");
        if let Some(database) = place.database {
            database.drop().await;
        }
    }

    async fn the_operators_pages_are_measured_on_people_whose_events_are_logged_and_counted(engine: Engine) {
        let place = place(engine).await;
        let arguments = ["--pages", "3000", "--json", "--engine"];
        let rest: &[&str] = match engine {
            Engine::Sqlite => &["sqlite"],
            Engine::Postgres => &["postgres", "--database-url", &place.url],
        };
        let printed = bench(&place.folder.0, &[&arguments[..], rest].concat()).await;
        let figures: Value = serde_json::from_str(&printed).unwrap();
        assert_eq!((&figures["contacts"], figures["events"].as_u64()), (&3_000.into(), Some(990)), "{printed}");
        for key in ["fill_seconds", "log_seconds", "summary_eps", "summary_rows"] {
            assert!(figures[key].as_f64().unwrap() > 0.0, "{key} in {printed}");
        }
        let pages = figures["pages"].as_array().unwrap();
        assert_eq!(pages.len(), 10, "{printed}");
        assert!(pages.iter().all(|page| page["bytes"].as_u64().unwrap() > 500), "{printed}");
        if let Some(database) = place.database {
            database.drop().await;
        }
    }
}
