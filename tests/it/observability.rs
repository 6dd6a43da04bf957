//! What is measured and alerted on: every metric that the dashboard and the rules name is there.

use std::collections::BTreeSet;

use countersign::telemetry;

use crate::harness::World;
use crate::on_both_engines;

const ALERTS: &str = include_str!("../../docs/observability/alerts.yml");
const DASHBOARD: &str = include_str!("../../docs/observability/grafana.json");
const ABOUT: &str = include_str!("../../docs/observability.md");

fn names(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !(c.is_ascii_lowercase() || c == '_'))
        .filter(|word| word.starts_with("countersign_"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_dashboard_and_the_rules_name_only_metrics_that_there_are_and_the_document_names_all() {
    for (file, text) in [
        ("alerts.yml", ALERTS),
        ("grafana.json", DASHBOARD),
        ("observability.md", ABOUT),
    ] {
        for name in names(text) {
            let known = telemetry::ALL.contains(&name.as_str());
            assert!(known, "{file} names {name}");
        }
    }
    serde_json::from_str::<serde_json::Value>(DASHBOARD).unwrap();
    let told = names(ABOUT);
    for name in telemetry::ALL {
        let is_part = name.ends_with("_bucket") || name.ends_with("_count");
        assert!(
            is_part || told.contains(name),
            "{name} is not in docs/observability.md"
        );
    }
}

on_both_engines! {
    async fn what_the_rules_look_at_is_served_and_labels_hold_routes_and_no_paths(engine: Engine) {
        // One recorder for the process: whoever comes first starts it.
        static METRICS: std::sync::OnceLock<metrics_exporter_prometheus::PrometheusHandle> = std::sync::OnceLock::new();
        if let Some(handle) = telemetry::start_metrics() {
            let _ = METRICS.set(handle);
        }
        let world = World::on(engine).await;
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while METRICS.get().is_none() && std::time::Instant::now() < deadline {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        let handle = METRICS.get().unwrap();
        crate::figures::confirmed(&world, "anna@example.org", "192.0.2.1", 10).await;
        crate::figures::count(&world).await;
        world.app.measure().await.unwrap();
        let served = handle.render();
        // Nobody outside stamps or cosigns the log of this test.
        let outside = ["countersign_timestamp_age_seconds", "countersign_timestamp_failures", "countersign_witness_failures"];
        for name in names(ALERTS) {
            let found = served.lines().any(|line| line.starts_with(&name) || line.starts_with(&format!("{name}_")));
            assert!(found || outside.contains(&name.as_str()), "{name} in\n{served}");
        }
        assert!(served.contains("route=\"/c/{token}\"") && served.contains("route=\"/f/{form}\""), "{served}");
        assert!(served.contains("countersign_request_seconds_bucket"), "{served}");
        assert!(!served.contains("example.org") && !served.contains("route=\"/c/A"), "{served}");
        world.finish().await;
    }
}
