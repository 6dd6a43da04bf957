//! Traces as an option: spans of what the server does, for an OpenTelemetry collector (OTLP over HTTP, protobuf).
//!
//! Without a collector in the settings no span is made, and what could have made one costs a look at a flag. With one, spans wait in a
//! queue of a fixed size; a thread of its own sends them. A collector that is down or slow costs spans and nothing else: nobody
//! waits for it. Spans tell routes, outcomes and numbers. No address, no host, no path and no token is ever in one: only spans of
//! [`TARGET`] are sent, and what is written to the log never is.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{TraceContextExt, TracerProvider};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider,
};
use secrecy::ExposeSecret;
use tracing::{Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

use crate::config::Collector;
use crate::outgoing::{Limits, Outgoing, OutgoingProblem};

/// The target of spans that are sent, and of nothing else.
pub const TARGET: &str = "otel";

/// Spans that wait; what comes while there is no room is dropped.
const WAITING_AT_MOST: usize = 4_096;
const TOGETHER: usize = 512;
const SENT_EVERY: Duration = Duration::from_secs(2);
/// For one request to the collector.
const WITHIN: Duration = Duration::from_secs(5);
const ANSWER_AT_MOST: u64 = 64 << 10;
/// What is left at the end gets so long.
const AT_THE_END: Duration = Duration::from_secs(5);

/// Spans under way to a collector.
#[derive(Debug)]
pub struct Traces {
    provider: SdkTracerProvider,
}

impl Traces {
    /// Starts the thread that sends. Nothing is sent yet, and the collector need not be there.
    pub fn start(to: &Collector) -> Result<Self, String> {
        let headers = to.headers.iter();
        let headers: HashMap<String, String> = headers
            .map(|(name, value)| (name.clone(), value.expose_secret().to_owned()))
            .collect();
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Client::new())
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(&to.endpoint)
            .with_headers(headers)
            .with_timeout(WITHIN)
            .build()
            .map_err(|error| error.to_string())?;
        let queue = BatchConfigBuilder::default()
            .with_max_queue_size(WAITING_AT_MOST)
            .with_max_export_batch_size(TOGETHER)
            .with_scheduled_delay(SENT_EVERY)
            .build();
        let processor = BatchSpanProcessor::builder(exporter)
            .with_batch_config(queue)
            .build();
        let ratio = Sampler::TraceIdRatioBased(to.sample_ratio);
        let provider = SdkTracerProvider::builder()
            .with_span_processor(processor)
            .with_sampler(Sampler::ParentBased(Box::new(ratio)))
            // No detectors: the machine's name is nobody's business.
            .with_resource(
                Resource::builder_empty()
                    .with_service_name(to.service_name.clone())
                    .build(),
            )
            .build();
        Ok(Self { provider })
    }

    /// What takes spans from the program. Their place in the source, their threads and idle times are left out.
    pub fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer("countersign"))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_target(false)
            .with_level(false)
            .with_filter(filter_fn(|about| {
                about.is_span() && about.target() == TARGET
            }))
    }

    /// Sends what waits, for a few seconds at most.
    pub async fn end(self) {
        let ended =
            tokio::task::spawn_blocking(move || self.provider.shutdown_with_timeout(AT_THE_END));
        if !matches!(ended.await, Ok(Ok(()))) {
            tracing::warn!("the last traces could not be sent");
        }
    }
}

/// Takes up the trace of whoever sent this header (W3C Trace Context); one that cannot be read is none.
pub fn take_up(span: &Span, traceparent: &str) {
    if span.is_disabled() {
        return;
    }
    let carrier = HashMap::from([("traceparent".to_owned(), traceparent.to_owned())]);
    let parent = TraceContextPropagator::new().extract(&carrier);
    // Refused only once the span has begun; then it is one of its own.
    let _ = span.set_parent(parent);
}

/// Gives a span that has begun another name.
pub fn rename(span: &Span, name: String) {
    span.context().span().update_name(name);
}

/// The way to the collector. It blocks the thread that sends, and no other.
struct Client {
    outgoing: Outgoing,
    /// Whether the last request failed: only the first failure is told.
    is_failing: AtomicBool,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the way to the collector")
    }
}

impl Client {
    fn new() -> Self {
        let limits = Limits {
            // The settings name it, and it mostly stands beside the server.
            allow_private: true,
            within: WITHIN,
            answer_at_most: ANSWER_AT_MOST,
        };
        Self {
            outgoing: Outgoing::new(limits),
            is_failing: AtomicBool::new(false),
        }
    }

    fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let headers = request.headers().iter();
        let headers: Vec<(String, String)> = headers
            .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
            .collect();
        let url = request.uri().to_string();
        let answer = self.outgoing.post_here(&url, &headers, request.body());
        self.tell(&answer);
        let answer = answer?;
        let told = Response::builder().status(answer.status);
        Ok(told.body(Bytes::from(answer.body))?)
    }

    fn tell(&self, answer: &Result<crate::outgoing::Answer, OutgoingProblem>) {
        let problem = match answer {
            Ok(answer) if (200..300).contains(&answer.status) => {
                self.is_failing.store(false, Ordering::Relaxed);
                return;
            }
            Ok(answer) => format!("it answered {}", answer.status),
            Err(problem) => problem.to_string(),
        };
        if !self.is_failing.swap(true, Ordering::Relaxed) {
            tracing::warn!(%problem, "the collector takes no traces; they are dropped until it does");
        }
    }
}

type Sending<'a> = Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'a>>;

impl HttpClient for Client {
    fn send_bytes<'life0, 'async_trait>(
        &'life0 self,
        request: Request<Bytes>,
    ) -> Sending<'async_trait>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(async move { self.send(request) })
    }
}
