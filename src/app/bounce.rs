//! bounce placeholder
