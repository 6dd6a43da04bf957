//! Long bodies (lists, files of proof) as they come, with a pace that they have to keep: how long one may take follows from how long
//! it is, so that nobody holds a connection and a file open by sending next to nothing.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_web::error::PayloadError;
use actix_web::web::{Bytes, Payload};
use futures_util::Stream;
use tokio::time::{Instant, Sleep, sleep_until};

/// What a sender has to keep to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// So long may pass without a byte, and so long beyond what its length allows.
    pub grace: Duration,
    /// Bytes a second on average, once that has passed.
    pub least: u32,
}

/// As slow as a poor mobile connection: a list of 100 MB has less than two hours.
pub const LEAST: Pace = Pace {
    grace: Duration::from_secs(15),
    least: 16 << 10,
};

impl Pace {
    /// How long a body may have taken by the time that so many bytes are there.
    fn allows(self, bytes: u64) -> Duration {
        self.grace
            + Duration::from_millis(bytes.saturating_mul(1_000) / u64::from(self.least.max(1)))
    }
}

/// Whether a body was too slow, once its reading has ended with an error.
#[derive(Clone, Debug, Default)]
pub struct TooSlow(Rc<Cell<bool>>);

impl TooSlow {
    pub fn is_it(&self) -> bool {
        self.0.get()
    }
}

/// A body that is cut when it does not keep the pace.
pub struct Paced {
    inner: Payload,
    pace: Pace,
    begun: Instant,
    bytes: u64,
    end: Pin<Box<Sleep>>,
    too_slow: TooSlow,
}

impl Paced {
    pub fn new(inner: Payload, pace: Pace) -> Self {
        let begun = Instant::now();
        Self {
            inner,
            pace,
            begun,
            bytes: 0,
            end: Box::pin(sleep_until(begun + pace.grace)),
            too_slow: TooSlow::default(),
        }
    }

    /// Tells after an error whether it was the pace.
    pub fn too_slow(&self) -> TooSlow {
        self.too_slow.clone()
    }

    fn cut(&self) -> PayloadError {
        self.too_slow.0.set(true);
        PayloadError::Io(io::ErrorKind::TimedOut.into())
    }
}

impl Stream for Paced {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match Pin::new(&mut self.inner).poll_next(context) {
            Poll::Ready(Some(Ok(part))) => {
                self.bytes += part.len() as u64;
                let (now, last) = (Instant::now(), self.begun + self.pace.allows(self.bytes));
                if now > last {
                    return Poll::Ready(Some(Err(self.cut())));
                }
                let end = last.min(now + self.pace.grace);
                self.end.as_mut().reset(end);
                Poll::Ready(Some(Ok(part)))
            }
            Poll::Pending => {
                ready!(self.end.as_mut().poll(context));
                Poll::Ready(Some(Err(self.cut())))
            }
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_that_a_body_may_take_grows_with_what_came_of_it() {
        assert_eq!(LEAST.allows(0), Duration::from_secs(15));
        assert_eq!(LEAST.allows(16 << 10), Duration::from_secs(16));
        let long = LEAST.allows(100 << 20);
        assert_eq!(long, Duration::from_secs(15 + 6_400));
    }
}
