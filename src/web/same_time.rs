//! Answers that take the same time, whatever is known of an address (T19).

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// What is decided and written for one state of an address and not for another takes a tenth of a millisecond, where nothing else
/// is going on. A server that is busy, or whose disk is slow, takes longer than this by itself, and differs by more.
const AT_LEAST: Duration = Duration::from_millis(5);
/// Where many sign up at once, each is committed with others and answered with them.
const AT_LEAST_AMONG_MANY: Duration = Duration::from_millis(2);
const MANY: usize = 16;

/// Signups that are under way in this process.
static SIGNUPS: AtomicUsize = AtomicUsize::new(0);

struct Signup;

impl Drop for Signup {
    fn drop(&mut self) {
        SIGNUPS.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Does it, and is done no sooner than five milliseconds after it began.
pub async fn in_the_same_time<T>(work: impl Future<Output = T>) -> T {
    no_sooner_than(AT_LEAST, work).await
}

/// The same of a signup; two milliseconds if fifteen others were under way when it began. That rests on how many come, and on nothing
/// that is known of anybody.
pub async fn signed_up_in_the_same_time<T>(work: impl Future<Output = T>) -> T {
    let others = SIGNUPS.fetch_add(1, Ordering::Relaxed);
    let _signup = Signup;
    let least = if others + 1 < MANY {
        AT_LEAST
    } else {
        AT_LEAST_AMONG_MANY
    };
    no_sooner_than(least, work).await
}

async fn no_sooner_than<T>(least: Duration, work: impl Future<Output = T>) -> T {
    let least = tokio::time::sleep(least);
    let done = work.await;
    least.await;
    done
}

#[cfg(test)]
mod tests {
    use std::future::ready;

    use futures_util::future::join_all;
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_signup_takes_five_milliseconds_and_the_sixteenth_of_many_two() {
        let begun = Instant::now();
        signed_up_in_the_same_time(ready(())).await;
        assert!(begun.elapsed() >= AT_LEAST);
        let begun = Instant::now();
        let took = join_all((0..MANY).map(async |_| {
            signed_up_in_the_same_time(ready(())).await;
            begun.elapsed()
        }))
        .await;
        assert!(took[..MANY - 1].iter().all(|one| *one >= AT_LEAST));
        assert!(took[MANY - 1] >= AT_LEAST_AMONG_MANY && took[MANY - 1] < AT_LEAST);
        assert_eq!(SIGNUPS.load(Ordering::Relaxed), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_committed_alone_takes_five_milliseconds_however_many_come() {
        let begun = Instant::now();
        let took = join_all((0..2 * MANY).map(async |_| {
            in_the_same_time(ready(())).await;
            begun.elapsed()
        }))
        .await;
        assert!(took.iter().all(|one| *one >= AT_LEAST));
    }
}
