//! Which addresses of the network are everybody's, and which lead into somebody's own (T30).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why requests do not go to an address unless the operator allows it; none where they may.
pub fn refusal(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => refusal_v4(address),
        IpAddr::V6(address) => refusal_v6(address),
    }
}

/// The registry of special addresses (RFC 6890 and its updates), and multicast.
fn refusal_v4(address: Ipv4Addr) -> Option<&'static str> {
    let [a, b, c, _] = address.octets();
    match (a, b, c) {
        (127, ..) => Some("is this machine"),
        (0, ..) => Some("is this network"),
        (10, ..) | (172, 16..=31, _) | (192, 168, _) => Some("is private"),
        (100, 64..=127, _) => Some("is shared within a carrier"),
        (169, 254, _) => Some("is link-local"),
        (192, 0, 0 | 2) | (192, 31, 196) | (192, 52, 193) | (192, 88, 99) | (192, 175, 48) => {
            Some("is reserved")
        }
        (198, 18..=19, _) | (198, 51, 100) | (203, 0, 113) => Some("is reserved"),
        (224..=239, ..) => Some("is multicast"),
        (240.., ..) => Some("is reserved"),
        _ => None,
    }
}

/// Only global unicast (2000::/3) goes out, and of that not what is reserved or wraps an IPv4 address that may not.
fn refusal_v6(address: Ipv6Addr) -> Option<&'static str> {
    let s = address.segments();
    let wrapped = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        refusal_v4(Ipv4Addr::new(a, b, c, d))
    };
    match s {
        [0, 0, 0, 0, 0, 0, 0, 0..=1] => Some("is this machine"),
        // IPv4-mapped (RFC 4291, section 2.5.5.2) and NAT64 (RFC 6052).
        [0, 0, 0, 0, 0, 0xFFFF, high, low] | [0x64, 0xFF9B, 0, 0, 0, 0, high, low] => {
            wrapped(high, low)
        }
        [0xFC00..=0xFDFF, ..] => Some("is private"),
        [0xFE80..=0xFEBF, ..] => Some("is link-local"),
        [0xFF00..=0xFFFF, ..] => Some("is multicast"),
        // 6to4 (RFC 3056) wraps an address; Teredo and the rest of 2001::/23 (RFC 2928), documentation, segment routing.
        [0x2002, high, low, ..] => wrapped(high, low),
        [0x2001, 0..=0x1FF, ..] | [0x2001, 0xDB8, ..] | [0x3FFF, 0..=0xFFF, ..] => {
            Some("is reserved")
        }
        [0x2000..=0x3FFF, ..] => None,
        _ => Some("is reserved"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_lead_into_somebodys_own_network_are_refused_in_every_spelling() {
        for text in [
            "127.0.0.1",
            "127.255.255.255",
            "0.0.0.0",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "100.127.255.255",
            "169.254.169.254",
            "192.0.0.1",
            "192.0.2.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:10.1.2.3",
            "::ffff:169.254.169.254",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2002:c0a8:101::1",
            "2001::1",
            "2001:db8::1",
            "3fff::1",
            "fc00::1",
            "fdff::1",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
            "100::1",
            "5f00::1",
        ] {
            assert!(refusal(text.parse().unwrap()).is_some(), "{text}");
        }
    }

    #[test]
    fn addresses_of_the_whole_network_are_not_refused() {
        for text in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "169.253.0.1",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.1",
            "192.167.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450::1",
            "2001:200::1",
            "2002:0101:0101::1",
            "::ffff:1.1.1.1",
            "64:ff9b::1.1.1.1",
        ] {
            assert_eq!(refusal(text.parse().unwrap()), None, "{text}");
        }
    }
}
