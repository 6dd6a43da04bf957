//! One test binary. Names of tests are sentences; engines, sockets and programs are real.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods
)]

mod addresses;
mod admin;
mod apply;
mod architecture;
mod budgets;
mod chromium;
mod confirm;
mod delivery;
mod erasure;
mod evidence;
mod harness;
mod inbox;
mod locks;
mod log_formats;
mod process;
mod recipe;
mod same_answer;
mod samples;
mod scanners;
mod settings;
mod sign_up;
mod smtp;
mod store;
mod texts;
mod timestamps;
mod verify;
mod verify_page;
mod weight;
