//! The circumstances of a request, as evidence and as the basis of limits.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

/// What a browser or program showed of itself. Each text is cut to 400 characters; nothing else is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Circumstances {
    /// The client's address: the peer's, or the one a trusted proxy names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<IpAddr>,
    /// The address at the other end of the connection, where it differs from `ip`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer: Option<IpAddr>,
    /// The person's address and browser, where a program of the operator's passed the signup on: its word. `ip` and
    /// `user_agent` are then the program's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_ip: Option<IpAddr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_user_agent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accept_language: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Sec-Fetch-Site, -Mode, -Dest and -User, joined by spaces (W3C Fetch Metadata).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sec_fetch: Option<String>,
    /// Sec-Purpose or Purpose: set by browsers that fetch ahead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
}

impl Circumstances {
    /// The unit of per-client limits: one IPv4 address, or an IPv6 /64, which is what one household gets.
    pub fn network(&self) -> String {
        network_of(self.ip)
    }

    /// The same of the person, as a program says; none if it does not say.
    pub fn claimed_network(&self) -> Option<String> {
        self.claimed_ip.map(|ip| network_of(Some(ip)))
    }

    /// The unit in which scanners appear: they come from several addresses of one block.
    pub fn neighbourhood(&self) -> String {
        match self.ip.map(|ip| ip.to_canonical()) {
            Some(IpAddr::V4(ip)) => {
                let [a, b, c, _] = ip.octets();
                format!("{}/24", Ipv4Addr::new(a, b, c, 0))
            }
            Some(IpAddr::V6(ip)) => format!("{}/48", prefix_6(ip, 48)),
            None => "unknown".to_owned(),
        }
    }
}

fn network_of(ip: Option<IpAddr>) -> String {
    match ip.map(|ip| ip.to_canonical()) {
        Some(IpAddr::V4(ip)) => ip.to_string(),
        Some(IpAddr::V6(ip)) => format!("{}/64", prefix_6(ip, 64)),
        None => "unknown".to_owned(),
    }
}

fn prefix_6(ip: Ipv6Addr, bits: u32) -> Ipv6Addr {
    Ipv6Addr::from(u128::from(ip) & (u128::MAX << (128 - bits)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_household_and_a_mapped_ipv4_address_count_as_one_network() {
        let of = |text: &str| {
            Circumstances {
                ip: text.parse().ok(),
                ..Default::default()
            }
            .network()
        };
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.7"), of("192.0.2.7"));
    }
}
