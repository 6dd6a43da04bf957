//! Erasure against everything that can happen at the same moment.
