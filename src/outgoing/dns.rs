//! Questions to a name server, for `doctor`: its records of text, its mail exchangers, its addresses.
//!
//! Each question ends within some seconds, whatever the server does, and of an answer a bounded part is looked at.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::RData;

/// For one packet, and for a question with all its tries.
const TRY_WITHIN: Duration = Duration::from_secs(3);
const WITHIN: Duration = Duration::from_secs(8);
/// Records of an answer that are looked at, and bytes of each.
const RECORDS_AT_MOST: usize = 64;
const TEXT_AT_MOST: usize = 8 << 10;

/// A name server.
pub struct Dns {
    resolver: TokioResolver,
}

/// Why a question has no answer. That there is no such record is an answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DnsProblem {
    #[error("the system's name servers could not be found out: {0}")]
    Settings(String),
    #[error("\"{0}\" is no name that can be asked for")]
    Name(String),
    #[error("the name server did not answer in time")]
    Slow,
    #[error("the name server gave no answer that can be used: {0}")]
    Failed(String),
}

impl Dns {
    /// The servers that the system names.
    pub fn of_system() -> Result<Self, DnsProblem> {
        let settings = |error: NetError| DnsProblem::Settings(error.to_string());
        let mut builder = TokioResolver::builder_tokio().map_err(settings)?;
        let options = builder.options_mut();
        options.timeout = TRY_WITHIN;
        options.attempts = 2;
        let resolver = builder.build().map_err(settings)?;
        Ok(Self { resolver })
    }

    /// One server, over UDP and, for long answers, TCP.
    pub fn at(server: SocketAddr) -> Result<Self, DnsProblem> {
        let mut ways = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
        for way in &mut ways {
            way.port = server.port();
        }
        let servers = vec![NameServerConfig::new(server.ip(), true, ways)];
        let config = ResolverConfig::from_name_servers(servers);
        let mut builder =
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        let options = builder.options_mut();
        options.timeout = TRY_WITHIN;
        options.attempts = 2;
        let resolver = builder
            .build()
            .map_err(|error| DnsProblem::Settings(error.to_string()))?;
        Ok(Self { resolver })
    }

    /// The records of text of a name, each put together from its parts; none where there are none.
    pub async fn texts(&self, name: &str) -> Result<Vec<String>, DnsProblem> {
        let found = answered(self.resolver.txt_lookup(whole(name)?)).await?;
        let records = found.iter().flat_map(Lookup::answers);
        let texts = records.filter_map(|record| match &record.data {
            RData::TXT(text) => {
                let mut bytes = text.txt_data.concat();
                bytes.truncate(TEXT_AT_MOST);
                Some(String::from_utf8_lossy(&bytes).into_owned())
            }
            _ => None,
        });
        Ok(texts.take(RECORDS_AT_MOST).collect())
    }

    /// The mail exchangers of a domain, those that are asked first first, without their last dot. A lone `.`, which is empty
    /// here, says that the domain takes no mail (RFC 7505).
    pub async fn exchangers(&self, domain: &str) -> Result<Vec<String>, DnsProblem> {
        let found = answered(self.resolver.mx_lookup(whole(domain)?)).await?;
        let records = found.iter().flat_map(Lookup::answers);
        let mut exchangers: Vec<(u16, String)> = records
            .filter_map(|record| match &record.data {
                RData::MX(mx) => {
                    let name = mx.exchange.to_ascii();
                    Some((mx.preference, name.trim_end_matches('.').to_owned()))
                }
                _ => None,
            })
            .take(RECORDS_AT_MOST)
            .collect();
        exchangers.sort();
        Ok(exchangers.into_iter().map(|(_, name)| name).collect())
    }

    /// The addresses of a host; none where there are none.
    pub async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, DnsProblem> {
        let found = answered(self.resolver.lookup_ip(whole(host)?)).await?;
        Ok(found
            .iter()
            .flat_map(|found| found.iter())
            .take(RECORDS_AT_MOST)
            .collect())
    }
}

/// With the last dot: no search list of the system is gone through.
fn whole(name: &str) -> Result<String, DnsProblem> {
    let name = name.trim_end_matches('.');
    if name.is_empty() || name.len() > 253 || !name.is_ascii() {
        return Err(DnsProblem::Name(name.chars().take(100).collect()));
    }
    Ok(format!("{name}."))
}

async fn answered<Found>(
    asking: impl Future<Output = Result<Found, NetError>>,
) -> Result<Option<Found>, DnsProblem> {
    match tokio::time::timeout(WITHIN, asking).await {
        Ok(Ok(found)) => Ok(Some(found)),
        Ok(Err(error)) if error.is_no_records_found() => Ok(None),
        Ok(Err(NetError::Timeout)) | Err(_) => Err(DnsProblem::Slow),
        Ok(Err(error)) => Err(DnsProblem::Failed(error.to_string())),
    }
}
