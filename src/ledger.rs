//! Evidence that does not rest on trust in whoever keeps it: commitments, the Merkle log with its tiles, checkpoints and
//! receipts, timestamps, the bundle and its check. Pure over bytes: no clock, no database, no network.
//!
//! Formats: RFC 6962 (tree), C2SP tlog-tiles, tlog-checkpoint, signed-note, tlog-cosignature and tlog-proof, RFC 3161
//! (timestamps), RFC 8785 (canonical JSON). The bundle is described in `docs/evidence-bundle.md`.

pub mod archive;
pub mod bundle;
pub mod canonical;
pub mod checkpoint;
pub mod commitment;
pub mod merkle;
pub mod note;
pub mod receipt;
pub mod stamps;
pub mod tile;
pub mod timestamp;
pub mod tree;
