//! The few plain words before TLS (RFC 3207).
//!
//! They are exchanged here and not by lettre, whose buffer lives on through the handshake: whatever an
//! attacker appends to the plain "220 ready" would there be read as the first replies from inside TLS
//! (the STARTTLS response injection of CVE-2021-38371 and its kin).

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::connect::problem;
use super::reply::printable;
use super::{Phase, ProbeProblem, SmtpSettings};

/// A greeting or EHLO reply that is longer comes from no mail server.
const MAX_REPLY: usize = 16 * 1024;

/// Leaves the socket ready for the TLS handshake, having sent nothing but EHLO and STARTTLS.
pub(super) async fn start_tls(
    socket: &mut TcpStream,
    settings: &SmtpSettings,
) -> Result<(), ProbeProblem> {
    let within = settings.reply_within;
    let greeting = reply(socket, "", within).await?;
    wish(greeting.starts_with("220"), Phase::Connect, &greeting)?;
    let hello = format!("EHLO {}\r\n", settings.hello_name);
    let offers = reply(socket, &hello, within).await?;
    wish(offers.starts_with("250"), Phase::Connect, &offers)?;
    let is_offered = offers
        .lines()
        .skip(1)
        .filter_map(|line| line.get(4..))
        .any(|keyword| keyword.trim_end().eq_ignore_ascii_case("STARTTLS"));
    if !is_offered {
        let reason = "the server does not offer STARTTLS";
        return Err(problem(Phase::Tls, reason.into()));
    }
    let ready = reply(socket, "STARTTLS\r\n", within).await?;
    wish(ready.starts_with("220"), Phase::Tls, &ready)
}

fn wish(is_granted: bool, phase: Phase, reply: &str) -> Result<(), ProbeProblem> {
    if is_granted {
        return Ok(());
    }
    Err(problem(phase, printable(&reply.replace("\r\n", " "))))
}

/// Says a line and reads one whole reply, and insists that nothing follows it.
async fn reply(
    socket: &mut TcpStream,
    line: &str,
    within: Duration,
) -> Result<String, ProbeProblem> {
    let phase = if line.starts_with("STARTTLS") {
        Phase::Tls
    } else {
        Phase::Connect
    };
    match timeout(within, exchange(socket, line)).await {
        Ok(Ok(reply)) => Ok(reply),
        Ok(Err(error)) => Err(problem(phase, printable(&error.to_string()))),
        Err(_) => Err(problem(phase, "no reply in time".into())),
    }
}

async fn exchange(socket: &mut TcpStream, line: &str) -> std::io::Result<String> {
    use std::io::Error;

    socket.write_all(line.as_bytes()).await?;
    let mut heard = Vec::with_capacity(512);
    loop {
        if socket.read_buf(&mut heard).await? == 0 {
            return Err(Error::other("the server closed the connection"));
        }
        match end_of_reply(&heard) {
            Some(end) if end == heard.len() => return Ok(String::from_utf8_lossy(&heard).into()),
            Some(_) => return Err(Error::other("the server said more than one reply")),
            None if heard.len() > MAX_REPLY => return Err(Error::other("a reply is too long")),
            None => {}
        }
    }
}

/// Where the first reply ends: after the first line whose code has no hyphen behind it.
fn end_of_reply(heard: &[u8]) -> Option<usize> {
    let mut end = 0;
    for line in heard.split_inclusive(|byte| *byte == b'\n') {
        end += line.len();
        if line.ends_with(b"\n") && line.get(3) != Some(&b'-') {
            return Some(end);
        }
    }
    None
}
