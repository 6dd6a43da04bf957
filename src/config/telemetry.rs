//! Where traces go.

use std::net::SocketAddr;

use secrecy::SecretString;

use super::reader::Reader;

const HEADERS_AT_MOST: usize = 20;

/// An OpenTelemetry collector, and what it is told.
#[derive(Clone, Debug)]
pub struct Collector {
    /// The whole URL, path included.
    pub endpoint: String,
    pub headers: Vec<(String, SecretString)>,
    /// Of traces that begin here, from 0 to 1.
    pub sample_ratio: f64,
    pub service_name: String,
    /// Whether a request may bring a trace of its own.
    pub accept_traceparent: bool,
}

impl Reader<'_> {
    pub(super) fn telemetry_listen(&mut self) -> Option<SocketAddr> {
        let text = self.given("telemetry", "listen")?;
        let address = text.parse().ok();
        if address.is_none() {
            self.wrong(
                "telemetry",
                "listen",
                "must be an address and a port, such as 127.0.0.1:9464",
            );
        }
        address
    }

    pub(super) fn collector(&mut self) -> Option<Collector> {
        let ratio = self.text("telemetry", "sample_ratio").parse::<f64>();
        let sample_ratio = ratio.ok().filter(|ratio| (0.0..=1.0).contains(ratio));
        if sample_ratio.is_none() {
            self.wrong(
                "telemetry",
                "sample_ratio",
                "must be a number from 0 to 1, such as 0.1",
            );
        }
        let headers = self.headers();
        let service_name = self.text("telemetry", "service_name");
        if service_name.is_empty() || service_name.len() > 100 {
            self.wrong("telemetry", "service_name", "has 1 to 100 characters");
        }
        let accept_traceparent = self.flag("telemetry", "accept_traceparent");
        let endpoint = self.given("telemetry", "otlp_endpoint")?;
        let has_host = ["http://", "https://"].iter().any(|scheme| {
            let rest = endpoint.strip_prefix(scheme);
            rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
        });
        let is_plain =
            endpoint.len() <= 1_000 && endpoint.bytes().all(|byte| byte.is_ascii_graphic());
        if !has_host || !is_plain || endpoint.contains('@') {
            self.wrong(
                "telemetry",
                "otlp_endpoint",
                "must be a whole URL, such as http://127.0.0.1:4318/v1/traces, without a password in it: otlp_headers is for that",
            );
            return None;
        }
        Some(Collector {
            endpoint,
            headers,
            sample_ratio: sample_ratio.unwrap_or(1.0),
            service_name,
            accept_traceparent,
        })
    }

    fn headers(&mut self) -> Vec<(String, SecretString)> {
        let given = self.text("telemetry", "otlp_headers");
        let mut headers = Vec::new();
        for one in given
            .split(',')
            .map(str::trim)
            .filter(|one| !one.is_empty())
        {
            let pair = one.split_once('=');
            let pair = pair.map(|(name, value)| (name.trim(), value.trim()));
            let fits = |(name, value): &(&str, &str)| {
                let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
                (1..=100).contains(&name.len())
                    && name.bytes().all(is_name)
                    && value.len() <= 4_000
                    && value.bytes().all(|byte| (b' '..=b'~').contains(&byte))
            };
            match pair.filter(fits) {
                Some((name, value)) => headers.push((name.to_owned(), value.to_owned().into())),
                None => self.wrong(
                    "telemetry",
                    "otlp_headers",
                    "write each as NAME=VALUE, with commas between them",
                ),
            }
        }
        if headers.len() > HEADERS_AT_MOST {
            self.wrong("telemetry", "otlp_headers", "more than 20 are too many");
        }
        headers
    }
}
