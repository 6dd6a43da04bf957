//! Now and randomness. Every other module is handed one of these, so that a test can fix both.

#![allow(clippy::disallowed_methods)] // the one place for them

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicI64, Ordering},
};
use std::time::{SystemTime, UNIX_EPOCH};

use rand::{Rng, SeedableRng, rngs::StdRng};
use uuid::Uuid;

use crate::domain::event::ClockReading;
use crate::domain::time::Timestamp;

/// Tells the time: the machine's, or one that a test moves by hand.
#[derive(Clone, Debug)]
pub enum Clock {
    System,
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    pub fn fixed(at: Timestamp) -> Self {
        Self::Fixed(Arc::new(AtomicI64::new(at.micros())))
    }

    /// The present instant in microseconds since 1970, UTC. A clock set before 1970 reads as 1970.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => {
                let since = SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .unwrap_or_default();
                Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
            }
            Self::Fixed(at) => Timestamp::from_micros(at.load(Ordering::SeqCst)),
        }
    }

    /// How far the clock can be relied on at this moment.
    pub fn reading(&self) -> ClockReading {
        ClockReading::default()
    }

    /// Moves a fixed clock; the machine's clock is left alone.
    pub fn advance(&self, by: std::time::Duration) {
        if let Self::Fixed(at) = self {
            let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
            at.fetch_add(micros, Ordering::SeqCst);
        }
    }
}

/// Gives random bytes: the operating system's generator, or a seeded one for tests.
#[derive(Clone)]
pub enum Random {
    /// A per-thread ChaCha generator that the operating system seeds and reseeds.
    Os,
    Seeded(Arc<Mutex<StdRng>>),
}

impl Random {
    pub fn seeded(seed: u64) -> Self {
        Self::Seeded(Arc::new(Mutex::new(StdRng::seed_from_u64(seed))))
    }

    pub fn fill(&self, bytes: &mut [u8]) {
        match self {
            Self::Os => rand::rng().fill_bytes(bytes),
            Self::Seeded(generator) => generator
                .lock()
                .unwrap_or_else(|poisoned| poisoned.into_inner())
                .fill_bytes(bytes),
        }
    }

    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// A UUID version 7 (RFC 9562, section 5.7) of the given instant.
    pub fn uuid_v7(&self, now: Timestamp) -> Uuid {
        let millis = u64::try_from(now.micros() / 1_000).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &self.bytes()).into_uuid()
    }

    /// A whole number in `0..below`, for jitter; the slight bias of the remainder does not matter there.
    pub fn below(&self, below: u64) -> u64 {
        u64::from_le_bytes(self.bytes()) % below.max(1)
    }
}
