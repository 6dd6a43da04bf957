//! The SMTP transport and DKIM against real servers and against peers that misbehave.

mod attempts;
mod dkim;
mod leases;
mod misbehaving;
mod packaged;
pub mod peers;
mod pool;
mod refused;
mod rows;
mod smuggling;
mod starttls_and_auth;
mod through_the_outbox;
mod xoauth2;
