//! What handlers take out of a request.

pub mod body;
pub mod client;
pub mod fields;
pub mod paced;
pub mod token;
