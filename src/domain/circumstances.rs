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
    /// Of a row of an import: the network addresses from which the person signed up and confirmed elsewhere, as the list has them,
    /// which may be no addresses at all. Nothing else is there then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opted_in_ip: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_ip: Option<String>,
}

/// How much of them a brand keeps as evidence. Limits rest on all of them, and keep none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeepCircumstances {
    #[default]
    Whole,
    /// Of addresses the network that they belong to, an IPv4 /24 or an IPv6 /48; of the browser nothing that it says of itself.
    Shortened,
    Nothing,
}

impl KeepCircumstances {
    pub const ALL: [Self; 3] = [Self::Whole, Self::Shortened, Self::Nothing];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Shortened => "shortened",
            Self::Nothing => "nothing",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }

    // Serde asks by reference.
    #[allow(clippy::trivially_copy_pass_by_ref)]
    pub const fn is_whole(&self) -> bool {
        matches!(self, Self::Whole)
    }
}

impl Circumstances {
    /// What is kept of them; none where nothing is.
    pub fn kept(&self, how: KeepCircumstances) -> Option<Self> {
        match how {
            KeepCircumstances::Whole => Some(self.clone()),
            KeepCircumstances::Nothing => None,
            KeepCircumstances::Shortened => Some(Self {
                ip: self.ip.map(shortened),
                peer: self.peer.map(shortened),
                claimed_ip: self.claimed_ip.map(shortened),
                claimed_user_agent: None,
                user_agent: None,
                opted_in_ip: self.opted_in_ip.as_deref().and_then(shortened_text),
                confirmed_ip: self.confirmed_ip.as_deref().and_then(shortened_text),
                ..self.clone()
            }),
        }
    }

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
        match self.ip.map(shortened) {
            Some(IpAddr::V4(ip)) => format!("{ip}/24"),
            Some(IpAddr::V6(ip)) => format!("{ip}/48"),
            None => "unknown".to_owned(),
        }
    }
}

/// The first address of the block that an address belongs to: an IPv4 /24 or an IPv6 /48.
fn shortened(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            Ipv4Addr::new(a, b, c, 0).into()
        }
        IpAddr::V6(ip) => prefix_6(ip, 48).into(),
    }
}

/// The same of what somebody wrote; none where it is no address, since nobody knows what it names.
fn shortened_text(text: &str) -> Option<String> {
    let ip: IpAddr = text.trim().parse().ok()?;
    Some(shortened(ip).to_string())
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
    fn shortened_circumstances_name_a_block_and_no_browser_and_nothing_is_left_of_those_that_are_not_kept()
     {
        let of = |ip: &str| Circumstances {
            ip: ip.parse().ok(),
            peer: "::ffff:192.0.2.7".parse().ok(),
            claimed_ip: "2001:db8:1:2::9".parse().ok(),
            claimed_user_agent: Some("Agent/1".to_owned()),
            user_agent: Some("Browser/1".to_owned()),
            accept_language: Some("nl".to_owned()),
            opted_in_ip: Some(" 203.0.113.9".to_owned()),
            confirmed_ip: Some("203.0.113.9:443".to_owned()),
            ..Default::default()
        };
        let whole = of("198.51.100.77");
        assert_eq!(whole.kept(KeepCircumstances::Whole), Some(whole.clone()));
        assert_eq!(whole.kept(KeepCircumstances::Nothing), None);
        let kept = whole.kept(KeepCircumstances::Shortened).unwrap();
        assert_eq!(kept.ip, "198.51.100.0".parse().ok());
        assert_eq!(kept.peer, "192.0.2.0".parse().ok());
        assert_eq!(kept.claimed_ip, "2001:db8:1::".parse().ok());
        assert_eq!((kept.user_agent, kept.claimed_user_agent), (None, None));
        assert_eq!(kept.accept_language.as_deref(), Some("nl"));
        let elsewhere = (kept.opted_in_ip.as_deref(), kept.confirmed_ip.as_deref());
        assert_eq!(elsewhere, (Some("203.0.113.0"), None));
    }

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
