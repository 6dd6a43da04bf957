//! Where the server listens, under which address it is known, and where its data lie.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use ipnet::IpNet;

use super::reader::Reader;
use crate::domain::origin::origin_of;
use crate::store::Location;

pub(super) fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |parts| parts.1);
    let authority = rest.split('/').next().unwrap_or(rest);
    match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or(v6),
        None => authority.split(':').next().unwrap_or(authority),
    }
}

impl Reader<'_> {
    pub(super) fn listen(&mut self) -> SocketAddr {
        let text = self.text("server", "listen");
        text.parse().unwrap_or_else(|_| {
            self.wrong(
                "server",
                "listen",
                "must be an address and a port, such as 127.0.0.1:8080",
            );
            SocketAddr::new(IpAddr::from([127, 0, 0, 1]), 8080)
        })
    }

    pub(super) fn base_url(&mut self) -> String {
        let text = self.text("server", "base_url");
        // As browsers write it: they name it so when they say where a request comes from.
        let given = text.trim_end_matches('/');
        let url = origin_of(given).unwrap_or_default();
        let host = host_of(&url);
        let local = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        let is_bare = given.split_once("://").is_some_and(|(_, rest)| {
            !rest.contains(['/', '?', '#', '\\', '<', '>']) && rest.is_ascii()
        });
        let fits = (url.starts_with("https://") || (url.starts_with("http://") && local))
            && !host.is_empty()
            && is_bare;
        if !fits {
            self.wrong(
                "server",
                "base_url",
                "must be the public https:// address of this server, such as https://confirm.example.org \
                 (http:// only for localhost): a host of its own, without a path; a name with other letters as xn--",
            );
        }
        url
    }

    pub(super) fn trusted_proxies(&mut self) -> Vec<IpNet> {
        self.networks("server", "trusted_proxies")
    }

    pub(super) fn networks(&mut self, section: &'static str, key: &'static str) -> Vec<IpNet> {
        let mut networks = Vec::new();
        for part in self.text(section, key).split(',') {
            let part = part.trim();
            if part.is_empty() {
                continue;
            }
            match part
                .parse::<IpNet>()
                .or_else(|_| part.parse::<IpAddr>().map(IpNet::from))
            {
                Ok(network) => networks.push(network),
                Err(_) => self.wrong(
                    section,
                    key,
                    &format!("\"{part}\" is no network; write it like 10.0.0.0/8"),
                ),
            }
        }
        networks
    }

    pub(super) fn database(&mut self) -> Location {
        let url = self.text("database", "url");
        match Location::parse(&url) {
            Ok(Location::Sqlite(path)) => Location::Sqlite(self.folder.join(path)),
            Ok(location) => location,
            Err(problem) => {
                self.wrong("database", "url", &problem.to_string());
                Location::Sqlite(PathBuf::new())
            }
        }
    }
}
