//! Answers that take the same time, whatever is known of an address (T19).

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// What is decided and written for one state of an address and not for another takes a tenth of a millisecond, where nothing else
/// is going on. A server that is busy, or whose disk is slow, takes longer than this by itself, and differs by more.
const AT_LEAST: Duration = Duration::from_millis(5);
/// Where many are answered at once, each is committed with others and answered with them.
const AT_LEAST_AMONG_MANY: Duration = Duration::from_millis(2);
const MANY: usize = 16;

/// Those that are under way in this process.
static UNDER_WAY: AtomicUsize = AtomicUsize::new(0);

struct OneOfThem;

impl Drop for OneOfThem {
    fn drop(&mut self) {
        UNDER_WAY.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Does it, and is done no sooner than five milliseconds after it began; two if fifteen others were under way then.
pub async fn in_the_same_time<T>(work: impl Future<Output = T>) -> T {
    let others = UNDER_WAY.fetch_add(1, Ordering::Relaxed);
    let _one = OneOfThem;
    let least = tokio::time::sleep(at_least(others));
    let done = work.await;
    least.await;
    done
}

/// It rests on how many come, and on nothing that is known of anybody.
const fn at_least(others: usize) -> Duration {
    if others + 1 < MANY {
        AT_LEAST
    } else {
        AT_LEAST_AMONG_MANY
    }
}

#[cfg(test)]
mod tests {
    use std::future::ready;

    use futures_util::future::join_all;
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_alone_takes_five_milliseconds_and_the_sixteenth_of_many_two() {
        let begun = Instant::now();
        in_the_same_time(ready(())).await;
        assert!(begun.elapsed() >= AT_LEAST);
        let begun = Instant::now();
        let took = join_all((0..MANY).map(async |_| {
            in_the_same_time(ready(())).await;
            begun.elapsed()
        }))
        .await;
        assert!(took[..MANY - 1].iter().all(|one| *one >= AT_LEAST));
        assert!(took[MANY - 1] >= AT_LEAST_AMONG_MANY && took[MANY - 1] < AT_LEAST);
        assert_eq!(UNDER_WAY.load(Ordering::Relaxed), 0);
    }
}
