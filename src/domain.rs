//! What the product means. Everything here is pure: no I/O, no clock, no randomness, no database.

pub mod booth;
pub mod brand;
pub mod breaker;
pub mod budget;
pub mod campaign;
pub mod circumstances;
pub mod email_address;
pub mod event;
pub mod figures;
pub mod form;
pub mod ids;
pub mod import;
pub mod keys;
pub mod operator;
pub mod permission;
pub mod policy;
pub mod scanner;
pub mod seal;
pub mod sentence;
pub mod standing;
pub mod time;
pub mod token;
