//! countersign: a double opt-in confirmation server.
//!
//! The layers, in reading order; each names only those above it (see `ARCHITECTURE.md`).

/// Files and environment, read once, checked, typed.
pub mod config;

/// The words of pages and mails, in each language.
pub mod texts;

/// Now and randomness: the only place that asks the machine for either.
pub mod clock;

/// Logs and metrics, their field names in one place.
pub mod telemetry;

/// What the product means: pure, no I/O.
pub mod domain;

/// Proof that does not rest on trust in the operator: pure over bytes.
pub mod ledger;

/// HTTP to servers that the operator named, and to no others.
pub mod outgoing;

/// Files that people bring: rows, columns, whom they name.
pub mod intake;

/// The database: one SQL text for SQLite and PostgreSQL.
pub mod store;

/// Mail: composing it and handing it to an SMTP server.
pub mod mail;

/// The verbs, one file each.
pub mod app;

/// HTTP: routes, pages, errors.
pub mod web;

/// The command line, one file per command.
pub mod cli;
