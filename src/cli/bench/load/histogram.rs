//! Latencies in a fixed number of buckets.

use std::time::Duration;

/// Counts microseconds in buckets whose width grows with the value: exact below 32, then 32 buckets to each
/// doubling, which keeps a quantile within 2 %.
#[derive(Clone, Debug)]
pub(super) struct Histogram(Vec<u64>);

/// Values from 2^32 microseconds, 71 minutes, share the last bucket.
const BUCKETS: usize = 28 * 32;

impl Default for Histogram {
    fn default() -> Self {
        Self(vec![0; BUCKETS])
    }
}

impl Histogram {
    pub(super) fn record(&mut self, latency: Duration) {
        let micros = u32::try_from(latency.as_micros()).unwrap_or(u32::MAX);
        let bucket = match micros.checked_ilog2() {
            Some(power @ 5..) => (power - 4) * 32 + ((micros >> (power - 5)) & 31),
            _ => micros,
        };
        self.0[bucket as usize] += 1;
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (count, more) in self.0.iter_mut().zip(&other.0) {
            *count += more;
        }
    }

    /// The middle of the bucket that holds the given share of the values; 0 when there are none.
    pub(super) fn quantile_micros(&self, share: f64) -> f64 {
        let total: u64 = self.0.iter().sum();
        let rank = ((total as f64 * share).ceil() as u64).max(1);
        let mut below = 0;
        let reached = self.0.iter().position(|count| {
            below += count;
            below >= rank
        });
        match reached {
            None => 0.0,
            Some(bucket) if bucket < 32 => bucket as f64,
            Some(bucket) => {
                let width = (1_u64 << (bucket / 32 - 1)) as f64;
                ((bucket % 32 + 32) as f64 + 0.5) * width
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_stay_within_two_percent() {
        let mut histogram = Histogram::default();
        for micros in 1..=100_000 {
            histogram.record(Duration::from_micros(micros));
        }
        for (share, exact) in [(0.5, 50_000.0), (0.99, 99_000.0), (0.0001, 10.0)] {
            let found = histogram.quantile_micros(share);
            assert!(
                (found / exact - 1.0_f64).abs() < 0.02,
                "{found} for {exact}"
            );
        }
        histogram.record(Duration::MAX);
        assert_eq!(Histogram::default().quantile_micros(0.5), 0.0);
    }
}
