//! Files of ours, sent packed to whoever takes them so. Only what is the same for everybody: an answer that holds a secret beside
//! something that a stranger chose must not be packed, since its length would tell of the secret (BREACH).

use std::io::Write as _;
use std::sync::OnceLock;

use actix_web::http::header::{self, HeaderMap};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use flate2::Compression;
use flate2::write::GzEncoder;

/// A file that is built in, packed once, when it is first asked for.
#[derive(Debug)]
pub struct Packed {
    plain: &'static [u8],
    gzip: OnceLock<Option<Bytes>>,
}

impl Packed {
    pub const fn new(plain: &'static [u8]) -> Self {
        Self {
            plain,
            gzip: OnceLock::new(),
        }
    }

    /// The file as the client takes it. Caches are told that it depends on that.
    pub fn answer(&self, request: &HttpRequest, mut response: HttpResponseBuilder) -> HttpResponse {
        response.insert_header((header::VARY, "accept-encoding"));
        let gzip = self.gzip.get_or_init(|| gzip(self.plain));
        match gzip {
            Some(gzip) if takes_gzip(request.headers()) => response
                .insert_header((header::CONTENT_ENCODING, "gzip"))
                .body(gzip.clone()),
            _ => response.body(self.plain),
        }
    }
}

/// None where packing gains nothing.
fn gzip(plain: &[u8]) -> Option<Bytes> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    packer.write_all(plain).ok()?;
    let packed = packer.finish().ok()?;
    (packed.len() < plain.len()).then(|| packed.into())
}

/// RFC 9110, section 12.5.3: what is named by itself counts before `*`, and a weight of 0 forbids.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let named = headers
        .get_all(header::ACCEPT_ENCODING)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    let mut any = false;
    for one in named {
        let (name, weight) = one.split_once(';').unwrap_or((one, ""));
        let weight = weight.trim().strip_prefix("q=").map_or(1.0, |weight| {
            weight.trim().parse::<f32>().unwrap_or_default()
        });
        let name = name.trim();
        if name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip") {
            return weight > 0.0;
        }
        any |= name == "*" && weight > 0.0;
    }
    any
}
