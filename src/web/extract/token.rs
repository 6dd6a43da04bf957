//! Tokens of paths and cookies, verified before any database work.

use std::sync::Arc;

use actix_web::HttpRequest;

use crate::domain::brand::Brand;
use crate::domain::hex::hex;
use crate::domain::ids::RequestId;
use crate::domain::time::Timestamp;
use crate::domain::token::{Purpose, Refused, Token};
use crate::web::Web;

/// A genuine token with the brand that it belongs to.
#[derive(Clone, Debug)]
pub struct Known {
    pub brand: Arc<Brand>,
    pub request: RequestId,
    pub expires_at: Timestamp,
}

/// Why a token does not open its page.
#[derive(Debug)]
pub enum Unknown {
    Forged,
    Expired(Known),
}

/// Verifies a token of a path.
pub fn verify(shared: &Web, purpose: Purpose, text: &str) -> Result<Known, Unknown> {
    let catalog = shared.app.catalog();
    let known = |token: Token| {
        catalog.brand_by_number(token.brand).map(|brand| Known {
            brand: brand.clone(),
            request: RequestId(token.subject),
            expires_at: token.expires_at,
        })
    };
    match shared
        .app
        .keys
        .verify(purpose, text, shared.app.clock.now())
    {
        Ok(token) => known(token).ok_or(Unknown::Forged),
        Err(Refused::Expired(token)) => Err(known(token).map_or(Unknown::Forged, Unknown::Expired)),
        Err(Refused::Forged) => Err(Unknown::Forged),
    }
}

/// The name of the cookie that marks the browser that made a request. One cookie per request: two signups of one
/// browser, for two brands say, do not disturb each other.
pub fn cookie_name(request: RequestId) -> String {
    format!("cs-{}", hex(&request.0.as_bytes()[10..]))
}

/// Whether this browser is the one that made a request: it brings the cookie that our page set there.
pub fn is_same_browser(http: &HttpRequest, shared: &Web, request: RequestId) -> bool {
    let Some(cookie) = http.cookie(&cookie_name(request)) else {
        return false;
    };
    shared
        .app
        .keys
        .verify(Purpose::Browser, cookie.value(), shared.app.clock.now())
        .is_ok_and(|token| token.subject == request.0)
}
