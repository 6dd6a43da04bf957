//! Who is asking: the address through trusted proxies, and what the browser says of itself.

use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::http::header::HeaderMap;
use ipnet::IpNet;

use crate::domain::circumstances::Circumstances;

/// Characters kept of one header.
const KEPT: usize = 400;

/// Addresses looked at in a chain of proxies.
const HOPS_AT_MOST: usize = 20;

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?;
    let lossy = String::from_utf8_lossy(value.as_bytes());
    let clean: String = lossy
        .chars()
        .filter(|c| !c.is_control())
        .take(KEPT)
        .collect();
    (!clean.is_empty()).then_some(clean)
}

/// The client's address: X-Forwarded-For is read from right to left for as long as the hop that wrote an entry is
/// trusted; everything further left is hearsay.
fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |ip: IpAddr| trusted.iter().any(|network| network.contains(&ip));
    let mut address = peer.to_canonical();
    if !is_trusted(address) {
        return address;
    }
    let hops: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    for hop in hops.iter().rev().take(HOPS_AT_MOST) {
        let Ok(next) = hop.trim().parse::<IpAddr>() else {
            break;
        };
        address = next.to_canonical();
        if !is_trusted(address) {
            break;
        }
    }
    address
}

/// The circumstances of a request.
pub fn circumstances(request: &HttpRequest, trusted: &[IpNet]) -> Circumstances {
    let headers = request.headers();
    let peer = request
        .peer_addr()
        .map(|address| address.ip().to_canonical());
    let ip = peer.map(|peer| client_address(peer, headers, trusted));
    let fetched: Vec<String> = ["site", "mode", "dest", "user"]
        .iter()
        .filter_map(|part| text(headers, &format!("sec-fetch-{part}")))
        .collect();
    Circumstances {
        ip,
        peer: peer.filter(|_| peer != ip),
        user_agent: text(headers, "user-agent"),
        accept_language: text(headers, "accept-language"),
        origin: text(headers, "origin"),
        sec_fetch: (!fetched.is_empty()).then(|| fetched.join(" ")),
        purpose: text(headers, "sec-purpose").or_else(|| text(headers, "purpose")),
        ..Circumstances::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{HeaderName, HeaderValue};

    fn address(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(
                HeaderName::from_static("x-forwarded-for"),
                HeaderValue::from_str(value).unwrap(),
            );
        }
        let trusted: Vec<IpNet> = trusted.iter().map(|net| net.parse().unwrap()).collect();
        client_address(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn a_forwarded_address_is_ignored_when_the_peer_is_not_trusted() {
        assert_eq!(address("192.0.2.1", &["198.51.100.9"], &[]), "192.0.2.1");
    }

    #[test]
    fn the_chain_is_believed_from_the_right_as_far_as_trust_goes() {
        let trusted = ["10.0.0.0/8"];
        assert_eq!(
            address(
                "10.0.0.1",
                &["203.0.113.5, 198.51.100.9, 10.0.0.2"],
                &trusted
            ),
            "198.51.100.9"
        );
        assert_eq!(
            address("10.0.0.1", &["203.0.113.5", "198.51.100.9"], &trusted),
            "198.51.100.9"
        );
        assert_eq!(address("10.0.0.1", &["nonsense"], &trusted), "10.0.0.1");
    }
}
