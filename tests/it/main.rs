//! One test binary. Names of tests are sentences; engines, sockets and programs are real.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods
)]

mod acts;
mod addresses;
mod admin;
mod api;
mod apply;
mod architecture;
mod audit;
mod backup;
mod bench;
mod booth;
mod breaker;
mod budgets;
mod bundle;
mod campaign;
mod chromium;
mod circumstances;
mod clocks;
mod confirm;
mod correcting;
mod delivery;
mod doctor;
mod embed;
mod erasure;
mod evidence;
mod faults;
mod figures;
mod floods;
mod fuzz;
mod harness;
mod import;
mod inbox;
mod jobs;
mod killed;
mod leaving;
mod locks;
mod log;
mod log_formats;
mod log_stops;
mod machines;
mod notes;
mod observability;
mod outgoing;
mod permission;
mod plans;
mod policy;
mod process;
mod providers;
mod qr;
mod recipe;
mod rounds;
mod same_answer;
mod samples;
mod scanners;
mod settings;
mod sign_up;
mod slow;
mod smtp;
mod stamping;
mod store;
mod texts;
mod timestamp_command;
mod timestamps;
mod traces;
mod verify;
mod verify_page;
mod ways;
mod webhooks;
mod weight;
mod witnessing;
