//! The fields of a form, however they came: url-encoded, multipart or JSON. One limit for all, checked while reading.

use std::future::Future;
use std::pin::Pin;

use actix_multipart::Multipart;
use actix_web::dev::Payload;
use actix_web::http::{StatusCode, header};
use actix_web::web::{Bytes, BytesMut};
use actix_web::{FromRequest, HttpRequest, web};
use futures_util::StreamExt;

use super::body::{self, Broken};
use crate::web::{Web, cors, error};

/// Bytes of a body; a signup needs a few hundred, a proof of work a thousand.
const BODY_AT_MOST: usize = 64 * 1024;
/// Fields of a form, and bytes of a field's name and value.
const FIELDS_AT_MOST: usize = 256;
const NAME_AT_MOST: usize = 64;
const VALUE_AT_MOST: usize = 8 * 1024;

/// Names and values in the order in which they came.
#[derive(Debug, Default)]
pub struct Fields(Vec<(String, String)>);

/// Why a body cannot be read.
#[derive(Debug, PartialEq, Eq)]
enum Unreadable {
    TooLarge,
    TooSlow,
    Malformed,
    UnknownKind,
}

impl From<Broken> for Unreadable {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::TooLarge => Self::TooLarge,
            Broken::TooSlow => Self::TooSlow,
            Broken::BrokeOff => Self::Malformed,
        }
    }
}

impl Fields {
    /// The first value of a name, trimmed; `None` if it is absent or blank.
    pub fn one(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|field| field.0 == name)
            .map(|field| field.1.trim())
            .filter(|value| !value.is_empty())
    }

    /// The value as it came, for what is parsed by its own rules.
    pub fn raw(&self, name: &str) -> &str {
        self.0
            .iter()
            .find(|field| field.0 == name)
            .map_or("", |field| field.1.as_str())
    }

    pub fn all(&self, name: &str) -> Vec<String> {
        self.0
            .iter()
            .filter(|field| field.0 == name)
            .map(|field| field.1.trim().to_owned())
            .collect()
    }

    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.0.iter().map(|field| field.0.clone()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Adds a field that was read elsewhere; false where it is too long, or one too many.
    pub fn add(&mut self, name: &str, value: String) -> bool {
        self.push(name.to_owned(), value).is_ok()
    }

    fn push(&mut self, name: String, value: String) -> Result<(), Unreadable> {
        if name.len() > NAME_AT_MOST
            || value.len() > VALUE_AT_MOST
            || self.0.len() >= FIELDS_AT_MOST
        {
            return Err(Unreadable::TooLarge);
        }
        // PostgreSQL's text has no NUL, and no field of ours means anything by one.
        self.0.push((name, value.replace('\0', "\u{fffd}")));
        Ok(())
    }

    fn url_encoded(body: &[u8]) -> Result<Self, Unreadable> {
        let mut fields = Self::default();
        for (name, value) in form_urlencoded::parse(body) {
            fields.push(name.into_owned(), value.into_owned())?;
        }
        Ok(fields)
    }

    fn json(body: &[u8]) -> Result<Self, Unreadable> {
        let object: serde_json::Map<String, serde_json::Value> =
            serde_json::from_slice(body).map_err(|_| Unreadable::Malformed)?;
        let mut fields = Self::default();
        for (name, value) in object {
            let values = match value {
                serde_json::Value::Array(values) => values,
                one => vec![one],
            };
            for value in values {
                let text = match value {
                    serde_json::Value::String(text) => text,
                    serde_json::Value::Number(number) => number.to_string(),
                    serde_json::Value::Bool(flag) => flag.to_string(),
                    serde_json::Value::Null => continue,
                    _ => return Err(Unreadable::Malformed),
                };
                fields.push(name.clone(), text)?;
            }
        }
        Ok(fields)
    }

    async fn multipart(request: &HttpRequest, body: Bytes) -> Result<Self, Unreadable> {
        let whole =
            futures_util::stream::once(
                async move { Ok::<_, actix_web::error::PayloadError>(body) },
            );
        let mut parts = Multipart::new(request.headers(), whole);
        let mut fields = Self::default();
        while let Some(part) = parts.next().await {
            let mut part = part.map_err(|_| Unreadable::Malformed)?;
            let name = part.name().unwrap_or_default().to_owned();
            let disposition = part.content_disposition();
            let is_file = disposition.is_some_and(|one| one.get_filename().is_some());
            let (mut value, mut is_whole) = (BytesMut::new(), true);
            while let Some(chunk) = part.next().await {
                let chunk = chunk.map_err(|_| Unreadable::Malformed)?;
                is_whole &= value.len() + chunk.len() <= VALUE_AT_MOST;
                if is_whole {
                    value.extend_from_slice(&chunk);
                } else if !is_file {
                    return Err(Unreadable::TooLarge);
                }
            }
            // A file that is larger than any that a form of ours asks for: there was one, and that is all.
            if !is_whole {
                value.clear();
            }
            // As in url-encoded forms: a page in an older character set is no reason to lose the signup.
            fields.push(name, String::from_utf8_lossy(&value).into_owned())?;
        }
        Ok(fields)
    }

    async fn read(request: &HttpRequest, payload: Payload) -> Result<Self, Unreadable> {
        let body = body::whole(request, payload, BODY_AT_MOST).await?;
        let kind = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or("application/x-www-form-urlencoded");
        let kind = kind.split(';').next().unwrap_or(kind).trim();
        match kind.to_ascii_lowercase().as_str() {
            "application/x-www-form-urlencoded" => Self::url_encoded(&body),
            "application/json" => Self::json(&body),
            "multipart/form-data" => Self::multipart(request, body.freeze()).await,
            _ => Err(Unreadable::UnknownKind),
        }
    }
}

impl FromRequest for Fields {
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Self::Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            let problem = match Self::read(&request, payload).await {
                Ok(fields) => return Ok(fields),
                Err(problem) => problem,
            };
            let (status, key) = match problem {
                Unreadable::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "error-too-large"),
                Unreadable::TooSlow => (StatusCode::REQUEST_TIMEOUT, "error-too-slow"),
                Unreadable::Malformed => (StatusCode::BAD_REQUEST, "error-malformed"),
                Unreadable::UnknownKind => {
                    (StatusCode::UNSUPPORTED_MEDIA_TYPE, "error-unknown-kind")
                }
            };
            let response = match request.app_data::<web::Data<Web>>() {
                Some(shared) => {
                    let response = error::answer(&request, shared, status, key);
                    cors::of_path(&request, shared, response)
                }
                None => error::plain_failure(),
            };
            let response = match problem {
                Unreadable::TooSlow => body::closing(response),
                _ => response,
            };
            Err(actix_web::error::InternalError::from_response("", response).into())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_may_come_several_times_in_a_form_or_as_a_list_in_json() {
        let form = Fields::url_encoded(b"purpose=a&purpose=b&email=x%40y.z").unwrap();
        let json = Fields::json(br#"{"purpose":["a","b"],"email":"x@y.z"}"#).unwrap();
        for fields in [form, json] {
            assert_eq!(fields.all("purpose"), ["a", "b"]);
            assert_eq!(fields.one("email"), Some("x@y.z"));
        }
    }

    #[test]
    fn a_long_field_too_many_fields_and_nested_json_are_refused() {
        let long = format!("email={}", "a".repeat(VALUE_AT_MOST + 1));
        assert_eq!(
            Fields::url_encoded(long.as_bytes()).err(),
            Some(Unreadable::TooLarge)
        );
        let many = "a=1&".repeat(FIELDS_AT_MOST + 1);
        assert_eq!(
            Fields::url_encoded(many.as_bytes()).err(),
            Some(Unreadable::TooLarge)
        );
        assert_eq!(
            Fields::json(br#"{"email":{"a":1}}"#).err(),
            Some(Unreadable::Malformed)
        );
    }
}
