//! Reads HTTP/1.1 answers to their ends without keeping them.

use std::io::BufRead as _;

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// A line of an answer's head must fit into this, and a body arrives in pieces of at most this size.
const BUFFER_BYTES: usize = 16 * 1024;
const HEAD_LINES_MAX: usize = 128;
const BODY_BYTES_MAX: u64 = 64 * 1024 * 1024;

pub(super) struct Answer {
    pub(super) refusal: Option<String>,
    pub(super) closes: bool,
}

/// Reads answers one after another from a connection (RFC 9112).
pub(super) struct Answers<S> {
    pub(super) stream: S,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
}

impl<S: AsyncRead + Unpin> Answers<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            buffer: vec![0; BUFFER_BYTES].into(),
            start: 0,
            end: 0,
        }
    }

    /// Reads one answer to its end. Answers to HEAD are not told apart, so do not ask for them.
    pub(super) async fn next(&mut self, expected: &[u16]) -> Result<Answer, String> {
        loop {
            let line = self.line().await?;
            let (status, http_1_0) = parse_status(line)
                .ok_or_else(|| format!("no status line: {}", String::from_utf8_lossy(line)))?;
            let mut answer = Answer {
                refusal: (status >= 200 && !expected.contains(&status))
                    .then(|| String::from_utf8_lossy(line).into_owned()),
                closes: http_1_0,
            };
            let mut body = Body::default();
            self.fields(&mut answer, &mut body).await?;
            match (status, body) {
                // An interim answer (RFC 9110, section 15.2) comes before the one that was asked for.
                (100..200, _) => continue,
                (204 | 304, _) => {}
                (_, Body { chunked: true, .. }) => self.skip_chunks().await?,
                (_, Body { length, .. }) => self.skip(length.ok_or("a body of no length")?).await?,
            }
            return Ok(answer);
        }
    }

    async fn fields(&mut self, answer: &mut Answer, body: &mut Body) -> Result<(), String> {
        for _ in 0..HEAD_LINES_MAX {
            let line = self.line().await?;
            if line.is_empty() {
                return Ok(());
            }
            let colon = line.iter().position(|byte| *byte == b':');
            let (name, value) = line.split_at(colon.ok_or("a header without a colon")?);
            let value = value[1..].trim_ascii();
            if name.eq_ignore_ascii_case(b"content-length") {
                body.length = Some(parse_number(value, 10).ok_or("no length that can be read")?);
            } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
                body.chunked = value.eq_ignore_ascii_case(b"chunked");
            } else if name.eq_ignore_ascii_case(b"connection") {
                answer.closes = value.eq_ignore_ascii_case(b"close");
            }
        }
        Err("too many headers".into())
    }

    async fn skip_chunks(&mut self) -> Result<(), String> {
        let mut total = 0;
        loop {
            let line = self.line().await?;
            let size = line.split(|byte| *byte == b';').next().unwrap_or_default();
            let size = parse_number(size.trim_ascii(), 16).ok_or("no chunk size")?;
            if size == 0 {
                break;
            }
            total += size;
            if total > BODY_BYTES_MAX {
                return Err("too long a body".into());
            }
            self.skip(size).await?;
            if !self.line().await?.is_empty() {
                return Err("a chunk longer than its size".into());
            }
        }
        for _ in 0..HEAD_LINES_MAX {
            if self.line().await?.is_empty() {
                return Ok(());
            }
        }
        Err("too many trailers".into())
    }

    /// The next line without its end.
    async fn line(&mut self) -> Result<&[u8], String> {
        let mut looked_at = 0;
        loop {
            let mut rest = &self.buffer[self.start + looked_at..self.end];
            // Skipping within a slice is the standard library's way to memchr, and cannot fail.
            let skipped = rest.skip_until(b'\n').unwrap_or(0);
            looked_at += skipped;
            let line = &self.buffer[self.start..self.start + looked_at];
            if line.ends_with(b"\n") {
                let range = self.start..self.start + looked_at - 1;
                self.start += looked_at;
                let line = &self.buffer[range];
                return Ok(line.strip_suffix(b"\r").unwrap_or(line));
            }
            self.fill().await?;
        }
    }

    async fn skip(&mut self, length: u64) -> Result<(), String> {
        if length > BODY_BYTES_MAX {
            return Err("too long a body".into());
        }
        let mut left = length as usize;
        loop {
            let here = left.min(self.end - self.start);
            self.start += here;
            left -= here;
            if left == 0 {
                return Ok(());
            }
            self.fill().await?;
        }
    }

    async fn fill(&mut self) -> Result<(), String> {
        // Reading into much room also tells the runtime that the socket is drained, which saves a call.
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.end == self.buffer.len() {
            return Err("a line too long".into());
        }
        match self.stream.read(&mut self.buffer[self.end..]).await {
            Ok(0) => Err("the server closed the connection".into()),
            Ok(count) => {
                self.end += count;
                Ok(())
            }
            Err(error) => Err(format!("reading: {error}")),
        }
    }
}

#[derive(Default)]
struct Body {
    length: Option<u64>,
    chunked: bool,
}

/// The status, and whether the server speaks HTTP/1.0, which closes unless it says otherwise.
fn parse_status(line: &[u8]) -> Option<(u16, bool)> {
    let version_ends = line.starts_with(b"HTTP/1.").then_some(8)?;
    let status = line.get(version_ends + 1..version_ends + 4)?;
    let status = parse_number(status, 10).filter(|status| *status >= 100)?;
    Some((u16::try_from(status).ok()?, line[7] == b'0'))
}

fn parse_number(digits: &[u8], radix: u32) -> Option<u64> {
    // The standard parser also takes a sign.
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncWriteExt as _;

    #[tokio::test]
    async fn answers_cut_anywhere_are_read_to_their_ends() {
        let said = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 303 See Other\r\ncontent-LENGTH: 3\r\n\r\nabc\
            HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nT: r\r\n\r\n\
            HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        for room in [1, 2, 7, 4096] {
            let (mut server, client) = tokio::io::duplex(room);
            tokio::spawn(async move { server.write_all(said).await });
            let mut answers = Answers::new(client);
            for _ in 0..3 {
                let answer = answers.next(&[200, 204, 303]).await.unwrap();
                assert!(answer.refusal.is_none() && !answer.closes);
            }
            let last = answers.next(&[200]).await.unwrap();
            assert_eq!(last.refusal.as_deref(), Some("HTTP/1.1 503 Busy"));
            assert!(last.closes);
            assert!(answers.next(&[200]).await.is_err());
        }
    }

    #[tokio::test]
    async fn answers_that_break_the_rules_are_errors() {
        let long = [&b"HTTP/1.1 200 OK\r\nX: "[..], &vec![b'x'; BUFFER_BYTES]].concat();
        let broken: [&[u8]; 5] = [
            b"SMTP ready\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\na",
            b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
            &long,
        ];
        for bytes in broken {
            assert!(Answers::new(bytes).next(&[200]).await.is_err());
        }
    }
}
