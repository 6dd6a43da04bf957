//! A small name server on this machine, over UDP and TCP: it answers real packets from a table.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use hickory_resolver::proto::op::{Message, OpCode, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, MX, TXT};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};

/// A record: its name, and what it holds.
#[derive(Clone)]
pub enum Held {
    Text(&'static str, String),
    /// Sent in parts, as long keys are.
    Parts(&'static str, Vec<String>),
    Mx(&'static str, &'static str),
    Address(&'static str, [u8; 4]),
}

type Records = HashMap<String, Vec<RData>>;

fn records(all: &[Held]) -> Records {
    let mut records = Records::new();
    for one in all {
        let (name, data) = match one {
            Held::Text(name, text) => (name, RData::TXT(TXT::new(vec![text.clone()]))),
            Held::Parts(name, parts) => (name, RData::TXT(TXT::new(parts.clone()))),
            Held::Mx(name, host) => (
                name,
                RData::MX(MX::new(10, Name::from_ascii(format!("{host}.")).unwrap())),
            ),
            Held::Address(name, [a, b, c, d]) => (name, RData::A(A::new(*a, *b, *c, *d))),
        };
        records.entry((*name).to_owned()).or_default().push(data);
    }
    records
}

fn answer(records: &Records, question: &[u8]) -> Option<Vec<u8>> {
    let asked = Message::from_vec(question).ok()?;
    let query = asked.queries.first()?.clone();
    let name = query
        .name()
        .to_ascii()
        .trim_end_matches('.')
        .to_ascii_lowercase();
    let mut message = Message::response(asked.metadata.id, OpCode::Query);
    message.add_query(query.clone());
    match records.get(&name) {
        None => message.metadata.response_code = ResponseCode::NXDomain,
        Some(found) => {
            let wanted = |data: &&RData| data.record_type() == query.query_type();
            for data in found.iter().filter(wanted) {
                message.add_answer(Record::from_rdata(query.name().clone(), 60, data.clone()));
            }
        }
    }
    let _ = RecordType::A;
    message.to_vec().ok()
}

/// Starts it; it ends with the test's runtime.
pub async fn start(all: &[Held]) -> SocketAddr {
    let records = Arc::new(records(all));
    let (udp, tcp) = both().await;
    let address = udp.local_addr().unwrap();
    let of_udp = records.clone();
    tokio::spawn(async move {
        let mut packet = vec![0; 4_096];
        while let Ok((length, from)) = udp.recv_from(&mut packet).await {
            if let Some(answer) = answer(&of_udp, &packet[..length]) {
                let _ = udp.send_to(&answer, from).await;
            }
        }
    });
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = tcp.accept().await {
            let records = records.clone();
            tokio::spawn(async move {
                while let Ok(length) = stream.read_u16().await {
                    let mut packet = vec![0; length.into()];
                    if stream.read_exact(&mut packet).await.is_err() {
                        return;
                    }
                    let Some(answer) = answer(&records, &packet) else {
                        return;
                    };
                    let length = u16::try_from(answer.len()).unwrap();
                    let _ = stream.write_u16(length).await;
                    let _ = stream.write_all(&answer).await;
                }
            });
        }
    });
    address
}

/// The same port of both kinds: a free one of the one kind may be another test's of the other.
async fn both() -> (UdpSocket, TcpListener) {
    for _ in 0..50 {
        let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()).await {
            return (udp, tcp);
        }
    }
    panic!("no port is free of both kinds");
}

/// One that takes questions and never answers.
pub async fn silent() -> (SocketAddr, UdpSocket) {
    let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    (udp.local_addr().unwrap(), udp)
}
