//! What handlers take out of a request.

pub mod client;
pub mod fields;
pub mod token;
