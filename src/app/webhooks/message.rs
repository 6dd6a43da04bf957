//! One message: signed, sent, and what came back.

use std::time::Instant;

use serde::Serialize;
use serde_json::json;
use tracing::Instrument;
use tracing::field::Empty;

use super::WebhookProblem;
use crate::app::App;
use crate::app::acted::Acting;
use crate::app::outside::plain;
use crate::domain::ids::WebhookId;
use crate::domain::operator::Deed;
use crate::domain::webhook::signatures;
use crate::store::webhooks::{self, WebhookRow};
use crate::telemetry::{self, traces::TARGET};

/// What came of sending a message once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tried {
    /// The HTTP status; none where there was no answer.
    pub status: Option<u16>,
    /// The first words of the answer, or what went wrong instead.
    pub reply: String,
    pub milliseconds: u64,
}

impl Tried {
    pub fn is_taken(&self) -> bool {
        self.status
            .is_some_and(|status| (200..300).contains(&status))
    }

    /// It does not want any more (410, as Standard Webhooks has it).
    pub fn is_gone(&self) -> bool {
        self.status == Some(410)
    }
}

impl App {
    /// Sends a message of the type `webhook.test` at once, whatever else waits. Nothing of it is kept but who had it sent; `by` is
    /// nobody on the command line.
    pub async fn test_webhook(
        &self,
        by: Option<&Acting>,
        id: WebhookId,
    ) -> Result<Tried, WebhookProblem> {
        let mut conn = self.store.read().await?;
        let row = webhooks::find(&mut conn, id).await?;
        drop(conn);
        let row = row.ok_or(WebhookProblem::Unknown)?;
        self.acted_by(by, Deed::WebhookTested, id.to_string())
            .await?;
        let now = self.clock.now();
        let message = self.random.uuid_v7(now).to_string();
        let body = json!({
            "id": message, "type": "webhook.test", "timestamp": now, "data": {"webhook": row.id},
        });
        Ok(self.send_message(&row, &message, body.to_string()).await)
    }

    /// Signs a message with the secrets that hold, and sends it once. The address is looked up and checked anew each time.
    pub(super) async fn send_message(&self, row: &WebhookRow, id: &str, body: String) -> Tried {
        let now = self.clock.now();
        let secret = |key: i64, generation: i64| {
            let key = u8::try_from(key).ok()?;
            self.keys.webhook_secret(key, row.id.0, generation)
        };
        let mut secrets: Vec<[u8; 32]> = secret(row.key_id, row.generation).into_iter().collect();
        if let (Some(key), Some(generation), Some(until)) =
            (row.old_key_id, row.old_generation, row.old_until)
            && now < until
        {
            secrets.extend(secret(key, generation));
        }
        if secrets.is_empty() {
            return Tried {
                status: None,
                reply:
                    "the root secret that its secret was made from is not given any more; rotate it"
                        .into(),
                milliseconds: 0,
            };
        }
        let headers = vec![
            ("content-type", "application/json".to_owned()),
            ("webhook-id", id.to_owned()),
            ("webhook-timestamp", now.unix_seconds().to_string()),
            ("webhook-signature", signatures(&secrets, id, now, &body)),
        ];
        let began = Instant::now();
        let span = tracing::info_span!(
            target: TARGET,
            "webhook.message",
            otel.kind = "client",
            outcome = Empty,
            http.response.status_code = Empty,
        );
        let answer = self
            .telling
            .outgoing
            .post_with(&row.url, headers, body.into_bytes())
            .instrument(span.clone());
        let (status, reply) = match answer.await {
            Ok(answer) => {
                let text = String::from_utf8_lossy(&answer.body).into_owned();
                (Some(answer.status), plain(&text))
            }
            Err(problem) => (None, plain(&problem.to_string())),
        };
        let tried = Tried {
            status,
            reply,
            milliseconds: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        };
        let outcome = if tried.is_taken() { "taken" } else { "failed" };
        span.record("outcome", outcome);
        if let Some(status) = tried.status {
            span.record("http.response.status_code", status);
        }
        metrics::counter!(telemetry::WEBHOOKS, "outcome" => outcome).increment(1);
        tried
    }
}
