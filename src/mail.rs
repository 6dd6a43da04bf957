//! Mail: composing it, signing it, handing it to an SMTP server. The only layer that names `lettre`.

pub mod bounce;
pub mod compose;
pub mod dkim;
pub mod inbound;
pub mod lint;
pub mod notice;
pub mod pack;
pub mod provider;
pub mod records;
pub mod transport;
