//! One test binary. Names of tests are sentences; engines, sockets and programs are real.

mod addresses;
mod apply;
mod architecture;
mod budgets;
mod confirm;
mod delivery;
mod harness;
mod inbox;
mod process;
mod same_answer;
mod scanners;
mod settings;
mod sign_up;
mod smtp;
mod store;
mod texts;
