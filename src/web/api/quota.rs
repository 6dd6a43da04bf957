//! How many requests a key may make: so many in each minute, told with every answer by the header fields `RateLimit-Policy`
//! and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10). Counted in each process by itself: it holds off a program that
//! runs wild, and is no budget of mail, which the database keeps.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::domain::ids::ApiKeyId;
use crate::domain::time::Timestamp;

/// Seconds of one window.
const WINDOW: i64 = 60;

/// How a key stands after a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    pub in_all: u32,
    pub left: u32,
    /// Seconds until all are there again.
    pub resets_in: u64,
    /// Whether there was enough left for the request.
    pub is_kept: bool,
}

impl Quota {
    pub fn write(self, headers: &mut HeaderMap) {
        let policy = format!("\"key\";q={};w={WINDOW}", self.in_all);
        let state = format!("\"key\";r={};t={}", self.left, self.resets_in);
        for (name, value) in [("ratelimit-policy", policy), ("ratelimit", state)] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }
}

/// What each key used in the minute that runs. There are as many entries as keys.
#[derive(Debug, Default)]
pub struct Used(Mutex<HashMap<ApiKeyId, (i64, u32)>>);

impl Used {
    /// Takes so many from a key's quota, or nothing if there are not so many left.
    pub fn take(&self, key: ApiKeyId, units: u32, in_all: u32, now: Timestamp) -> Quota {
        let seconds = now.unix_seconds();
        let window = seconds.div_euclid(WINDOW);
        let mut used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = used.entry(key).or_insert((window, 0));
        if entry.0 != window {
            *entry = (window, 0);
        }
        // A request for more than there ever is would never get through.
        let units = units.min(in_all);
        let is_kept = entry.1.saturating_add(units) <= in_all;
        if is_kept {
            entry.1 += units;
        }
        Quota {
            in_all,
            left: in_all - entry.1.min(in_all),
            resets_in: u64::try_from((window + 1) * WINDOW - seconds).unwrap_or(0),
            is_kept,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_so_many_in_each_minute_and_another_key_its_own() {
        let used = Used::default();
        let (one, two) = (
            ApiKeyId(uuid::Uuid::from_u128(1)),
            ApiKeyId(uuid::Uuid::from_u128(2)),
        );
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        let quota = used.take(one, 2, 3, at(120));
        assert_eq!((quota.left, quota.resets_in, quota.is_kept), (1, 60, true));
        let quota = used.take(one, 2, 3, at(121));
        assert_eq!((quota.left, quota.resets_in, quota.is_kept), (1, 59, false));
        assert!(used.take(one, 1, 3, at(179)).is_kept);
        assert!(!used.take(one, 1, 3, at(179)).is_kept);
        assert!(used.take(two, 3, 3, at(179)).is_kept);
        assert!(used.take(one, 3, 3, at(180)).is_kept);
        assert!(
            used.take(two, 100, 3, at(240)).is_kept,
            "never more than all"
        );
    }
}
