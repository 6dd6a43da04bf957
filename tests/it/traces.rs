//! Traces: sent to a collector that stands in the test, decoded, and searched for what must not be in them.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use countersign::cli::demo::smtp_catcher;
use countersign::clock::Clock;
use countersign::config::Config;
use countersign::store::Engine;
use countersign::web::demo::Caught;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::{Span, status};
use prost::Message;
use serde_json::json;

use crate::harness::http::{Peer, Reaction, Request};
use crate::harness::{Client, Folder, place};
use crate::on_both_engines;
use crate::process::{Server, declare, free_port, run, start, wait_until, write_settings};
use crate::webhooks::Receiver;

/// A collector: it takes what it is sent, and keeps it.
struct Collector {
    peer: Peer,
    got: Arc<Mutex<Vec<Request>>>,
}

impl Collector {
    async fn new() -> Self {
        let got: Arc<Mutex<Vec<Request>>> = Arc::default();
        let kept = got.clone();
        let peer = Peer::start(move |request| {
            kept.lock().unwrap().push(request);
            Reaction::ok("application/x-protobuf", "")
        });
        Self {
            peer: peer.await,
            got,
        }
    }

    fn requests(&self) -> Vec<Request> {
        self.got.lock().unwrap().clone()
    }

    fn exports(&self) -> Vec<ExportTraceServiceRequest> {
        let all = self.requests();
        all.iter()
            .map(|request| ExportTraceServiceRequest::decode(request.body.as_slice()).unwrap())
            .collect()
    }

    fn spans(&self) -> Vec<Span> {
        let resources = self
            .exports()
            .into_iter()
            .flat_map(|one| one.resource_spans);
        let scopes = resources.flat_map(|one| one.scope_spans);
        scopes.flat_map(|one| one.spans).collect()
    }
}

/// The attributes of a span as text.
fn attributes(span: &Span) -> BTreeMap<String, String> {
    let each = span.attributes.iter().map(|one| {
        let value = match one.value.as_ref().and_then(|value| value.value.clone()) {
            Some(Value::StringValue(text)) => text,
            Some(Value::IntValue(number)) => number.to_string(),
            Some(Value::BoolValue(flag)) => flag.to_string(),
            other => format!("{other:?}"),
        };
        (one.key.clone(), value)
    });
    each.collect()
}

fn settings(folder: &Folder, port: u16, more: &str) {
    let file = folder.0.join(format!("{port}.toml"));
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(file, format!("{text}{more}")).unwrap();
}

/// Asks a server to stop, and waits until it has.
async fn stopped(mut server: Server) {
    server.tell("-TERM");
    let until = Instant::now() + Duration::from_secs(45);
    while server.child.try_wait().unwrap().is_none() {
        assert!(Instant::now() < until, "it did not stop");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

on_both_engines! {
    async fn a_collector_is_told_of_routes_batches_mails_webhooks_and_tasks_and_of_nobody(engine: Engine) {
        const EMAIL: &str = "anneliese@example.org";
        let place = place(engine).await;
        let (folder, port) = (&place.folder, free_port());
        let caught = Arc::new(Caught::default());
        let smtp = smtp_catcher::start(caught.clone(), Clock::System).await.unwrap();
        let (collector, receiver) = (Collector::new().await, Receiver::willing().await);
        write_settings(&folder.0, &place.url, port, smtp.port());
        let more = format!(
            "[webhook]\nallow_private = true\n[telemetry]\notlp_endpoint = \"{}v1/traces\"\n\
             otlp_headers = \"x-token=of-the-collector\"\nservice_name = \"confirm\"\naccept_traceparent = true\n",
            collector.peer.url()
        );
        settings(folder, port, &more);
        declare(&folder.0, port);
        let added = run(&folder.0, port, &["webhook", "add", &receiver.peer.url()]);
        assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
        let made = run(&folder.0, port, &["key", "add", "shop", "--scope", "contacts:read,permissions:read"]);
        let key = String::from_utf8(made.stdout).unwrap().split_whitespace().find(|word| word.starts_with("csk_")).unwrap().to_owned();
        let server = start(&folder.0, port).await;
        let mut anna = Client::new(&server.base, "127.0.0.1")
            .with("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
            .with("x-request-id", "not-from-a-proxy");
        let reply = anna.post("/f/news?lang=en", &[("email", EMAIL)]).await;
        assert_eq!(reply.status, 303);
        let inbox = reply.location();
        anna.get(&inbox).await;
        wait_until("the mail is sent", Duration::from_secs(20), async || !caught.list().is_empty()).await;
        let mail = caught.list().remove(0);
        let link = mail.links.iter().find(|link| link.contains("/c/")).unwrap().clone();
        let path = link[link.find("/c/").unwrap()..].to_owned();
        Client::new(&server.base, "127.0.0.1").get(&path).await;
        let mut shop = Client::new(&server.base, "127.0.0.1").with("authorization", &format!("Bearer {key}"));
        let asked = json!({"brand": "acme", "purpose": "newsletter", "addresses": [EMAIL]});
        assert_eq!(shop.post_json("/api/v1/permissions", &asked).await.status, 200);
        shop.get("/api/v1/contacts/0191b1b2-0000-7000-8000-00000000cafe").await;
        wait_until("the webhook is told", Duration::from_secs(20), async || !receiver.requests().is_empty()).await;
        // What is left is sent at the end.
        stopped(server).await;

        let spans = collector.spans();
        let named = |name: &str| spans.iter().filter(|span| span.name == name).collect::<Vec<_>>();
        let names: BTreeSet<&str> = spans.iter().map(|span| span.name.as_str()).collect();
        let signup = *named("POST /f/{form}").first().unwrap_or_else(|| panic!("{names:?}"));
        let about = attributes(signup);
        assert_eq!((about["http.request.method"].as_str(), about["http.route"].as_str()), ("POST", "/f/{form}"));
        assert_eq!(about["http.response.status_code"], "303");
        assert!(!about["request.id"].is_empty() && about["request.id"] != "not-from-a-proxy", "{about:?}");
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(hex(&signup.trace_id), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(hex(&signup.parent_span_id), "b7ad6b7169203331");
        for name in [
            "GET /i/{token}", "GET /c/{token}", "POST /api/v1/permissions", "GET /api/v1/contacts/{id}", "db.batch", "smtp.row",
            "webhook.message", "task.sequence", "task.tell",
        ] {
            assert!(!named(name).is_empty(), "{name}: {names:?}");
        }
        assert!(named("smtp.row").iter().any(|span| attributes(span)["mails.accepted"] == "1"));
        assert!(named("webhook.message").iter().any(|span| attributes(span)["outcome"] == "taken"));
        assert!(named("db.batch").iter().any(|span| attributes(span)["calls"] == "1"));
        assert!(spans.iter().all(|span| span.events.is_empty() && span.links.is_empty()), "no log lines");
        assert!(spans.iter().all(|span| span.status.as_ref().is_none_or(|one| one.code() != status::StatusCode::Error)));

        // Nothing personal anywhere in what was sent, whatever part of it.
        let token = path.trim_start_matches("/c/").to_owned();
        let inbox = inbox.rsplit('/').next().unwrap().to_owned();
        let hook = format!(":{}", receiver.peer.port);
        for request in collector.requests() {
            assert!(request.path == "/v1/traces" && request.method.eq_ignore_ascii_case("POST"), "{}", request.head);
            assert!(request.head.contains("x-token: of-the-collector"), "{}", request.head);
            let text = String::from_utf8_lossy(&request.body).into_owned();
            for word in [EMAIL, "anneliese", "example.org", "127.0.0.1", "localhost", "http://", &token, &token[..20], &inbox, &inbox[..20], &key, &hook, "cafe", "acme", "lang=en", "src/"] {
                assert!(!text.contains(word), "{word} in {text:?}");
            }
        }
        for export in collector.exports() {
            for resource in export.resource_spans {
                let keys: Vec<String> = resource.resource.unwrap().attributes.into_iter().map(|one| one.key).collect();
                assert_eq!(keys, ["service.name"]);
            }
        }
        if let Some(database) = place.database {
            database.drop().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_hangs_or_is_down_holds_up_nothing_and_without_one_nothing_is_sent() {
    let hanging = Peer::start(|_| Reaction::Hang).await;
    let down = free_port();
    for (endpoint, said) in [
        (format!("{}v1/traces", hanging.url()), true),
        (format!("http://127.0.0.1:{down}/v1/traces"), true),
        (String::new(), false),
    ] {
        let place = place(Engine::Sqlite).await;
        let (folder, port) = (&place.folder, free_port());
        write_settings(&folder.0, &place.url, port, 1);
        settings(
            folder,
            port,
            &format!("[telemetry]\notlp_endpoint = \"{endpoint}\"\n"),
        );
        declare(&folder.0, port);
        let log = folder.0.join("log");
        let file = std::fs::File::create(&log).unwrap();
        let server = crate::process::start_with(&folder.0, port, Stdio::from(file)).await;
        let began = Instant::now();
        for at in 0..30 {
            let mut client = Client::new(&server.base, "127.0.0.1");
            let reply = client
                .post("/f/news", &[("email", &format!("t{at}@example.org"))])
                .await;
            assert_eq!(reply.status, 303);
        }
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "requests wait for the collector"
        );
        // Longer than spans are kept before they are sent, and than one request may take.
        tokio::time::sleep(Duration::from_secs(if said { 8 } else { 0 })).await;
        stopped(server).await;
        let log = std::fs::read_to_string(&log).unwrap();
        assert_eq!(
            log.matches("the collector takes no traces").count(),
            usize::from(said),
            "told once: {log}"
        );
        assert!(!log.contains("/v1/traces"), "{log}");
    }
}

#[test]
fn what_is_wrong_with_the_collector_is_told_before_the_server_starts() {
    let with = |more: &str| {
        let text = format!(
            "[server]\nbase_url = \"https://confirm.example.org\"\n[secrets]\nroot = \"{}\"\n[telemetry]\n{more}\n",
            crate::harness::SECRET
        );
        Config::parse(&text, BTreeMap::default(), std::path::Path::new("/"))
    };
    assert!(with("").unwrap().collector.is_none());
    let given = with(
        "otlp_endpoint = \"https://otel.example.org/v1/traces\"\notlp_headers = \"a=b, c=d=e\"\nsample_ratio = \"0.25\"",
    );
    let given = given.unwrap();
    assert!(!format!("{given:?}").contains("d=e"), "headers are secrets");
    let collector = given.collector.unwrap();
    assert_eq!(
        (
            collector.sample_ratio,
            collector.headers.len(),
            collector.accept_traceparent
        ),
        (0.25, 2, false)
    );
    for wrong in [
        "otlp_endpoint = \"otel.example.org\"",
        "otlp_endpoint = \"http:///v1\"",
        "otlp_endpoint = \"https://user:password@otel.example.org/v1/traces\"",
        "otlp_endpoint = \"https://o.example/\"\notlp_headers = \"token\"",
        "otlp_endpoint = \"https://o.example/\"\nsample_ratio = \"2\"",
        "sample_ratio = \"many\"",
        "service_name = \"\"",
    ] {
        let problem = with(wrong).unwrap_err().to_string();
        assert!(
            problem.contains("[telemetry]") && !problem.contains("password@"),
            "{wrong}: {problem}"
        );
    }
}
