//! Answers that take the same time, whatever is known of an address (T19).

use std::future::Future;
use std::time::Duration;

/// What is decided and written for one state of an address and not for another takes a tenth of a millisecond, where nothing else
/// is going on. A server that is busy, or whose disk is slow, takes longer than this by itself, and differs by more.
const AT_LEAST: Duration = Duration::from_millis(5);

/// Does it, and is done no sooner than five milliseconds after it began.
pub async fn in_the_same_time<T>(work: impl Future<Output = T>) -> T {
    let least = tokio::time::sleep(AT_LEAST);
    let done = work.await;
    least.await;
    done
}
