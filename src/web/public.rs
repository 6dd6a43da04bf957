//! Pages for everybody: forms, the "check your inbox" page, the links of the mail.

pub mod about;
pub mod confirm;
pub mod decline;
pub mod embed;
pub mod form;
pub mod inbox;
pub mod kiosk;
pub mod log;
pub mod message;
pub mod opened;
pub mod prefer;
pub mod qr;
pub mod receipt;
pub mod unsubscribe;
pub mod verify;
