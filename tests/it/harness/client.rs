//! A small HTTP client over a plain socket: it sees every byte of an answer, and forges any header.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use countersign::clock::Clock;
use countersign::domain::ids::RequestId;
use countersign::domain::keys::Keys;
use countersign::domain::token::{Purpose, Refused};
use countersign::web::public::opened;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A browser-like client: keeps cookies, follows nothing by itself.
#[derive(Clone)]
pub struct Client {
    address: String,
    pub cookies: BTreeMap<String, String>,
    pub headers: Vec<(String, String)>,
    reading: Option<Reading>,
}

/// What a person does before a press on a page of a mail's link: reads it, for a minute. The press says so by the page's mark.
#[derive(Clone)]
pub struct Reading {
    pub keys: Arc<Keys>,
    pub clock: Clock,
}

impl Reading {
    /// The mark of the page with the button that is pressed, as it was served a minute ago.
    fn mark(&self, path: &str) -> Option<String> {
        let rest = &path[path.find("/c/")? + 3..];
        let token = rest.strip_suffix("/decline").unwrap_or(rest);
        let now = self.clock.now();
        let token = match self.keys.verify(Purpose::Confirm, token, now) {
            Ok(token) | Err(Refused::Expired(token)) => token,
            Err(Refused::Forged) => return None,
        };
        let served_at = now.minus(Duration::from_secs(60));
        let request = RequestId(token.subject);
        Some(opened::served_at(
            &self.keys,
            token.brand,
            request,
            served_at,
        ))
    }
}

/// An answer, byte for byte.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|header| header.0 == name)
            .map(|header| header.1.as_str())
    }

    pub fn location(&self) -> String {
        self.header("location").expect("a redirect").to_owned()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The text of the page's heading.
    pub fn heading(&self) -> String {
        let text = self.text();
        let start = text.find("<h1").expect("a heading");
        let inner = &text[start..];
        let inner = &inner[inner.find('>').unwrap() + 1..];
        inner[..inner.find("</h1>").unwrap()].trim().to_owned()
    }

    /// The value of a hidden field.
    pub fn hidden(&self, name: &str) -> String {
        let text = self.text();
        let at = text
            .find(&format!("name=\"{name}\" value=\""))
            .expect("the field");
        let rest = &text[at + name.len() + 15..];
        rest[..rest.find('"').unwrap()].to_owned()
    }
}

pub fn encoded(fields: &[(&str, &str)]) -> String {
    let mut text = form_urlencoded::Serializer::new(String::new());
    text.extend_pairs(fields);
    text.finish()
}

impl Client {
    pub fn new(base: &str, ip: &str) -> Self {
        Self {
            address: base.trim_start_matches("http://").to_owned(),
            cookies: BTreeMap::new(),
            headers: vec![("x-forwarded-for".to_owned(), ip.to_owned())],
            reading: None,
        }
    }

    /// Presses of its own accord as a person does who has read the page.
    #[must_use]
    pub fn reading(mut self, reading: Reading) -> Self {
        self.reading = Some(reading);
        self
    }

    /// Sends what it is given and nothing else, as a program does that never asked for the page.
    #[must_use]
    pub fn bare(mut self) -> Self {
        self.reading = None;
        self
    }

    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub async fn get(&mut self, path: &str) -> Reply {
        self.send("GET", path, None, b"").await
    }

    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let says_so = |field: &(&str, &str)| ["code", opened::FIELD].contains(&field.0);
        let mark = match &self.reading {
            Some(reading) if !fields.iter().any(says_so) => reading.mark(path),
            _ => None,
        };
        let mut fields = fields.to_vec();
        fields.extend(mark.as_deref().map(|mark| (opened::FIELD, mark)));
        let body = encoded(&fields);
        self.send(
            "POST",
            path,
            Some("application/x-www-form-urlencoded"),
            body.as_bytes(),
        )
        .await
    }

    pub async fn post_json(&mut self, path: &str, body: &serde_json::Value) -> Reply {
        self.send(
            "POST",
            path,
            Some("application/json"),
            body.to_string().as_bytes(),
        )
        .await
    }

    pub async fn send(
        &mut self,
        method: &str,
        path: &str,
        kind: Option<&str>,
        body: &[u8],
    ) -> Reply {
        let path = match path.strip_prefix("http://") {
            Some(rest) => &rest[rest.find('/').unwrap_or(rest.len())..],
            None => path,
        };
        let mut head = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\n");
        if !self.headers.iter().any(|header| header.0 == "host") {
            head.push_str(&format!("host: {}\r\n", self.address));
        }
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !self.cookies.is_empty() {
            let cookies: Vec<String> = self
                .cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            head.push_str(&format!("cookie: {}\r\n", cookies.join("; ")));
        }
        if let Some(kind) = kind {
            head.push_str(&format!(
                "content-type: {kind}\r\ncontent-length: {}\r\n",
                body.len()
            ));
        }
        head.push_str("\r\n");
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        // A server that refuses a body by its length may close before all of it is written.
        let _ = stream.write_all(body).await;
        let mut answer = Vec::new();
        let ended = stream.read_to_end(&mut answer).await;
        let reply = parse(&answer).unwrap_or_else(|| {
            let length = answer.len();
            panic!(
                "no whole head in {length} bytes from {method} {path}, which ended with {ended:?}"
            )
        });
        for (_, cookie) in reply
            .headers
            .iter()
            .filter(|header| header.0 == "set-cookie")
        {
            let (name, rest) = cookie.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        reply
    }
}

/// The reply, unless its head did not come whole.
fn parse(answer: &[u8]) -> Option<Reply> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .unwrap()
        .split(' ')
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    let headers: Vec<(String, String)> = lines
        .map(|line| {
            let (name, value) = line.split_once(':').unwrap();
            (name.to_ascii_lowercase(), value.trim().to_owned())
        })
        .collect();
    let rest = &answer[end + 4..];
    let chunked = headers
        .iter()
        .any(|header| header.0 == "transfer-encoding" && header.1 == "chunked");
    let body = if chunked {
        unchunk(rest)
    } else {
        rest.to_vec()
    };
    Some(Reply {
        status,
        headers,
        body,
    })
}

fn unchunk(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = rest.windows(2).position(|window| window == b"\r\n") {
        let size = usize::from_str_radix(&String::from_utf8_lossy(&rest[..end]), 16).unwrap_or(0);
        if size == 0 || rest.len() < end + 2 + size {
            break;
        }
        body.extend_from_slice(&rest[end + 2..end + 2 + size]);
        rest = &rest[end + 2 + size + 2..];
    }
    body
}
