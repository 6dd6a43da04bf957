//! Proof that outlives an erasure.
