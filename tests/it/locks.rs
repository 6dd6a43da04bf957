//! The locks by which one process decides about one thing at a time.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use countersign::store::locks::{LockTable, Locks};

fn locks(keys: &[&str]) -> Locks {
    let mut locks = Locks::default();
    keys.iter().for_each(|key| locks.rate(key));
    locks
}

/// What one look at a future finds.
fn look<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn what_shares_a_lock_waits_and_what_shares_none_does_not() {
    let table = LockTable::default();
    let Poll::Ready(first) = look(pin!(table.take(locks(&["a", "b"])))) else {
        panic!("nobody holds it")
    };
    let mut second = pin!(table.take(locks(&["b", "c"])));
    assert!(look(second.as_mut()).is_pending());
    assert!(look(pin!(table.take(locks(&["d"])))).is_ready());
    drop(first);
    assert!(look(second.as_mut()).is_ready());
}

#[test]
fn whoever_came_first_gets_it_first_even_before_one_who_wants_less() {
    let table = LockTable::default();
    let Poll::Ready(held) = look(pin!(table.take(locks(&["a"])))) else {
        panic!("nobody holds it")
    };
    let mut early = pin!(table.take(locks(&["a", "b"])));
    assert!(look(early.as_mut()).is_pending());
    let mut late = pin!(table.take(locks(&["b"])));
    assert!(
        look(late.as_mut()).is_pending(),
        "b is free, but somebody waits for it"
    );
    drop(held);
    let Poll::Ready(guard) = look(early.as_mut()) else {
        panic!("it came first")
    };
    assert!(look(late.as_mut()).is_pending());
    drop(guard);
    assert!(look(late.as_mut()).is_ready());
}

#[test]
fn a_waiter_that_leaves_keeps_nobody_waiting() {
    let table = LockTable::default();
    let Poll::Ready(held) = look(pin!(table.take(locks(&["a"])))) else {
        panic!("nobody holds it")
    };
    {
        let mut leaving = pin!(table.take(locks(&["a"])));
        assert!(look(leaving.as_mut()).is_pending());
    }
    let mut next = pin!(table.take(locks(&["a"])));
    assert!(look(next.as_mut()).is_pending());
    drop(held);
    assert!(look(next.as_mut()).is_ready());
}
