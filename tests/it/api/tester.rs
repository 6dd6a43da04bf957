//! A property-based tester that reads the description and asks everything it can think of (schemathesis, from PyPI; `./check` puts it
//! under target/schemathesis).

use std::path::Path;
use std::process::{Command, Output};

use countersign::domain::api_key::Scope;
use countersign::store::Engine;

use crate::harness::World;

/// What every answer is held against. Data that the description allows may still be refused (a brand that is not there), and what
/// was made may be gone again.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,\
     response_schema_conformance,negative_data_rejection,missing_required_header,unsupported_method,allow_header_conformance,\
     use_after_free,ignored_auth";
/// Seconds for the whole run, and cases of each operation at most.
const WITHIN: &str = "45";
const CASES: &str = "25";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_it_is_sent_the_server_answers_as_it_describes() {
    if std::env::var("COUNTERSIGN_TEST_QUICK").is_ok() {
        eprintln!("left out in the quick check: schemathesis");
        return;
    }
    let program =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("target/schemathesis/bin/schemathesis");
    assert!(
        program.exists(),
        "schemathesis is not there: run ./check, or set COUNTERSIGN_TEST_QUICK=1"
    );
    let settings = "[api]\nrequests_a_minute = 1000000\n[webhook]\nwithin_seconds = 1\n";
    let world = World::with(Engine::Sqlite, settings).await;
    let key = super::key(&world, Scope::ALL, None).await;
    world.signed_up("ada@example.org", "192.0.2.1").await;
    world.deliver().await;
    world.app.sequence().await.unwrap();
    let url = format!("{}/api/v1/openapi.json", world.base);
    let asked = tokio::task::spawn_blocking(move || {
        let ask = || ask(&program, &url, &key);
        match ask() {
            // Now and then its Python cannot parse its own source; that says nothing about the server.
            Ok(done) if broke_down(&done) => ask(),
            done => done,
        }
    });
    let done = asked.await.unwrap().unwrap();
    assert!(
        done.status.success(),
        "{}\n{}",
        told(&done.stdout),
        told(&done.stderr)
    );
    world.end().await;
}

fn ask(program: &Path, url: &str, key: &str) -> std::io::Result<Output> {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/api/schemathesis.toml");
    Command::new(program)
        .current_dir(env!("CARGO_TARGET_TMPDIR"))
        .arg("--config-file")
        .arg(config)
        .args([
            "run",
            url,
            "--checks",
            CHECKS,
            "--max-time",
            WITHIN,
            "--max-examples",
            CASES,
        ])
        .args([
            "--phases",
            "examples,coverage,fuzzing",
            "--seed",
            "1",
            "--workers",
            "2",
            "--no-color",
        ])
        .args([
            "--header",
            &format!("Authorization: Bearer {key}"),
            "--request-timeout",
            "20",
        ])
        .output()
}

/// What it says, without the ends of lines that no screen holds: it repeats whole bodies.
fn told(output: &[u8]) -> String {
    let text = String::from_utf8_lossy(output);
    let start = |line: &str| line.chars().take(2000).collect::<String>();
    text.lines().map(start).collect::<Vec<_>>().join("\n")
}

fn broke_down(done: &Output) -> bool {
    !done.status.success()
        && String::from_utf8_lossy(&done.stdout)
            .contains("AST constructor recursion depth mismatch")
}
