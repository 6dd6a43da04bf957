//! The demo's SMTP server: takes every mail over a real conversation (RFC 5321) and keeps it for the inbox page.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::clock::Clock;
use crate::web::demo::Caught;

const LINE_AT_MOST: u64 = 8 * 1024;
const MAIL_AT_MOST: usize = 1024 * 1024;
const SESSIONS_AT_MOST: usize = 64;
const IDLE_AT_MOST: Duration = Duration::from_secs(300);

/// Listens on a free port of 127.0.0.1 until the process ends.
pub async fn start(caught: Arc<Caught>, clock: Clock) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let sessions = Arc::new(Semaphore::new(SESSIONS_AT_MOST));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(permit) = sessions.clone().acquire_owned().await else {
                return;
            };
            let (caught, clock) = (caught.clone(), clock.clone());
            tokio::spawn(async move {
                // A client that breaks off is no concern of the demo's.
                let _ = session(stream, &caught, &clock).await;
                drop(permit);
            });
        }
    });
    Ok(address)
}

async fn line(reader: &mut BufReader<TcpStream>) -> std::io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    let mut limited = reader.take(LINE_AT_MOST);
    let read = tokio::time::timeout(IDLE_AT_MOST, limited.read_until(b'\n', &mut bytes))
        .await
        .map_err(|_| std::io::ErrorKind::TimedOut)??;
    Ok((read > 0).then_some(bytes))
}

async fn session(stream: TcpStream, caught: &Caught, clock: &Clock) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    let mut recipient: Option<String> = None;
    reply(&mut reader, "220 demo.countersign ESMTP").await?;
    while let Some(bytes) = line(&mut reader).await? {
        let text = String::from_utf8_lossy(&bytes);
        let text = text.trim_end();
        let verb = text
            .split([' ', ':'])
            .next()
            .unwrap_or("")
            .to_ascii_uppercase();
        let answer = match verb.as_str() {
            "EHLO" => "250-demo.countersign\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8",
            "HELO" | "NOOP" => "250 OK",
            "MAIL" => {
                recipient = None;
                "250 2.1.0 OK"
            }
            "RCPT" => {
                recipient = path(text);
                "250 2.1.5 OK"
            }
            "RSET" => {
                recipient = None;
                "250 2.0.0 OK"
            }
            "DATA" => match recipient.take() {
                None => "503 5.5.1 RCPT first",
                Some(to) => {
                    reply(&mut reader, "354 End with a dot").await?;
                    let Some(mail) = data(&mut reader).await? else {
                        return Ok(());
                    };
                    caught.keep(&to, &mail, clock.now());
                    "250 2.0.0 caught"
                }
            },
            "QUIT" => {
                return reply(&mut reader, "221 2.0.0 Bye").await;
            }
            _ => "502 5.5.2 not understood",
        };
        reply(&mut reader, answer).await?;
    }
    Ok(())
}

async fn reply(reader: &mut BufReader<TcpStream>, text: &str) -> std::io::Result<()> {
    reader
        .get_mut()
        .write_all(format!("{text}\r\n").as_bytes())
        .await
}

/// The address between the angle brackets of a path (RFC 5321, section 4.1.2).
fn path(text: &str) -> Option<String> {
    let inner = text.split_once('<')?.1.split_once('>')?.0;
    Some(inner.to_owned())
}

/// Reads up to the line with a single dot and takes the doubled dots away (RFC 5321, section 4.5.2).
async fn data(reader: &mut BufReader<TcpStream>) -> std::io::Result<Option<Vec<u8>>> {
    let mut mail = Vec::new();
    while let Some(bytes) = line(reader).await? {
        if bytes == b".\r\n" {
            return Ok(Some(mail));
        }
        if mail.len() + bytes.len() > MAIL_AT_MOST {
            return Ok(None);
        }
        mail.extend_from_slice(bytes.strip_prefix(b".").unwrap_or(&bytes));
    }
    Ok(None)
}
