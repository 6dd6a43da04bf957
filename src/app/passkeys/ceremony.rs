//! The two ceremonies of WebAuthn (W3C, Level 3, sections 7.1 and 7.2) over `webauthn_rp`: what is asked of a browser, and
//! whether its answer holds. Pure over bytes; what it is bound to (a session, once, five minutes) is the caller's.

use std::net::IpAddr;
use std::num::NonZeroU32;

use webauthn_rp::AuthenticatedCredential;
use webauthn_rp::bin::{Decode, Encode};
use webauthn_rp::request::auth::{
    AllowedCredentials, AuthenticationVerificationOptions,
    NonDiscoverableAuthenticationServerState, NonDiscoverableCredentialRequestOptions,
};
use webauthn_rp::request::register::{
    PublicKeyCredentialCreationOptions, PublicKeyCredentialUserEntity, RegistrationServerState,
    RegistrationVerificationOptions, UserHandle16, Username,
};
use webauthn_rp::request::{
    AsciiDomain, Credentials, PublicKeyCredentialDescriptor, RpId, UserVerificationRequirement,
};
use webauthn_rp::response::auth::NonDiscoverableAuthentication16;
use webauthn_rp::response::auth::error::AuthCeremonyErr;
use webauthn_rp::response::register::{CompressedPubKey, DynamicState, Registration, StaticState};
use webauthn_rp::response::{AuthTransports, CredentialId};

use crate::domain::ids::OperatorId;
use crate::store::passkeys::PasskeyRow;

/// How long a browser may take, in milliseconds. The server's own clock ends it as well.
const TIMEOUT: u32 = 300_000;

/// A public key as it is kept: Ed25519, P-256, P-384 or RSA.
type Key = CompressedPubKey<[u8; 32], [u8; 32], [u8; 48], Vec<u8>>;

/// Whom passkeys are made for: the relying party. Its name and origin come from the public address in the settings, never
/// from what a request says.
#[derive(Clone, Debug)]
pub struct Home {
    id: RpId,
    origin: String,
}

/// Why no browser would make a passkey for this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoHome {
    #[error(
        "Passkeys belong to a name, and the public address of this server (base_url) is a bare IP address. Give it a name, \
         or use http://localhost on this machine."
    )]
    Address,
    #[error(
        "Browsers make passkeys over https:// only, and the public address of this server (base_url) begins with http://."
    )]
    Plain,
    #[error(
        "The name in the public address of this server (base_url) is none that browsers make passkeys for."
    )]
    Name,
}

impl Home {
    pub fn of(base_url: &str) -> Result<Self, NoHome> {
        let (scheme, rest) = base_url.split_once("://").ok_or(NoHome::Name)?;
        let authority = rest.split('/').next().unwrap_or(rest).to_ascii_lowercase();
        let host = authority.split(':').next().unwrap_or("");
        if authority.starts_with('[') || host.parse::<IpAddr>().is_ok() {
            return Err(NoHome::Address);
        }
        let local = host == "localhost" || host.ends_with(".localhost");
        if scheme != "https" && !local {
            return Err(NoHome::Plain);
        }
        let domain = AsciiDomain::try_from(host.to_owned()).map_err(|_| NoHome::Name)?;
        // Browsers leave the port out of an origin where it is the scheme's own.
        let usual = if scheme == "https" { ":443" } else { ":80" };
        let authority = authority.strip_suffix(usual).unwrap_or(&authority);
        Ok(Self {
            id: RpId::Domain(domain),
            origin: format!("{scheme}://{authority}"),
        })
    }
}

/// Why an answer is not taken.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No answer of a browser, or what was kept for it cannot be read.
    #[error("the browser's answer could not be read")]
    Unreadable,
    /// A passkey that this operator does not have.
    #[error("this passkey is not one of the operator's")]
    Unknown,
    /// The authenticator counted less than before: there may be a copy of it.
    #[error("the counter of the passkey {0:?} went back")]
    CounterBack(String),
    /// Another origin, another challenge, another relying party, a signature that does not hold …
    #[error("{0}")]
    Wrong(String),
}

/// What is sent to the browser, and what is kept until it answers.
#[derive(Debug)]
pub struct Asked {
    /// The options for `navigator.credentials`, as JSON with binary values in base64url.
    pub json: String,
    pub state: Vec<u8>,
}

/// A passkey that was just made.
#[derive(Debug)]
pub struct Made {
    pub credential_id: Vec<u8>,
    pub transports: i64,
    pub fixed: Vec<u8>,
    pub moving: Vec<u8>,
}

fn wrong(problem: impl std::fmt::Display) -> Refusal {
    Refusal::Wrong(problem.to_string())
}

fn handle(operator: OperatorId) -> Result<UserHandle16, Refusal> {
    UserHandle16::decode(*operator.0.as_bytes()).map_err(|_| Refusal::Unreadable)
}

/// The kept passkeys as browsers are told of them. One that cannot be read is left out: it opens nothing.
fn descriptors(
    kept: &[PasskeyRow],
) -> impl Iterator<Item = PublicKeyCredentialDescriptor<Vec<u8>>> + '_ {
    kept.iter().filter_map(|row| {
        Some(PublicKeyCredentialDescriptor {
            id: CredentialId::<Vec<u8>>::decode(row.credential_id.clone()).ok()?,
            transports: AuthTransports::decode(u8::try_from(row.transports).ok()?).ok()?,
        })
    })
}

fn timeout() -> NonZeroU32 {
    NonZeroU32::new(TIMEOUT).unwrap_or(NonZeroU32::MAX)
}

/// Asks for a new passkey: none of those that the operator has, without attestation, with the person checked (a PIN, a
/// fingerprint) where the authenticator can.
pub fn ask_to_make(
    home: &Home,
    operator: OperatorId,
    name: &str,
    kept: &[PasskeyRow],
) -> Result<Asked, Refusal> {
    let id = handle(operator)?;
    let user = PublicKeyCredentialUserEntity {
        name: Username::try_from(name).map_err(|_| Refusal::Unreadable)?,
        id: &id,
        display_name: None,
    };
    let mut options = PublicKeyCredentialCreationOptions::second_factor(
        &home.id,
        user,
        descriptors(kept).collect(),
    );
    options.authenticator_selection.user_verification = UserVerificationRequirement::Preferred;
    options.timeout = timeout();
    let (state, told) = options.start_ceremony().map_err(|_| Refusal::Unreadable)?;
    Ok(Asked {
        json: serde_json::to_string(&told).map_err(|_| Refusal::Unreadable)?,
        state: state.encode().map_err(|_| Refusal::Unreadable)?,
    })
}

/// Reads what a browser made of it (section 7.1).
pub fn made(home: &Home, state: &[u8], answer: &str) -> Result<Made, Refusal> {
    let state = RegistrationServerState::<16>::decode(state).map_err(|_| Refusal::Unreadable)?;
    let registration =
        Registration::from_json_relaxed(answer.as_bytes()).map_err(|_| Refusal::Unreadable)?;
    let origins = [home.origin.as_str()];
    let options = RegistrationVerificationOptions::<&str, &str> {
        allowed_origins: &origins,
        error_on_unsolicited_extensions: false,
        ..RegistrationVerificationOptions::default()
    };
    let credential = state
        .verify(&home.id, &registration, &options)
        .map_err(wrong)?;
    let encoded = |problem: &dyn std::fmt::Debug| Refusal::Wrong(format!("{problem:?}"));
    Ok(Made {
        credential_id: credential.id().as_ref().to_vec(),
        transports: credential.transports().encode().map_or(0, i64::from),
        fixed: credential
            .static_state()
            .encode()
            .map_err(|problem| encoded(&problem))?,
        moving: credential
            .dynamic_state()
            .encode()
            .map_err(|problem| encoded(&problem))?
            .to_vec(),
    })
}

/// Asks for a signature by one of the operator's passkeys.
pub fn ask_to_sign(home: &Home, kept: &[PasskeyRow]) -> Result<Asked, Refusal> {
    let mut allowed = AllowedCredentials::with_capacity(kept.len());
    for one in descriptors(kept) {
        allowed.push(one.into());
    }
    let mut request = NonDiscoverableCredentialRequestOptions::second_factor(&home.id, allowed)
        .map_err(|_| Refusal::Unknown)?;
    let options = request.options();
    options.user_verification = UserVerificationRequirement::Preferred;
    options.timeout = timeout();
    let (state, told) = request.start_ceremony().map_err(|_| Refusal::Unreadable)?;
    Ok(Asked {
        json: serde_json::to_string(&told).map_err(|_| Refusal::Unreadable)?,
        state: state.encode().map_err(|_| Refusal::Unreadable)?,
    })
}

/// Reads what a browser answered (section 7.2): which of the kept passkeys signed, and what is to be kept of it from now on.
pub fn signed<'a>(
    home: &Home,
    operator: OperatorId,
    kept: &'a [PasskeyRow],
    state: &[u8],
    answer: &str,
) -> Result<(&'a PasskeyRow, Vec<u8>), Refusal> {
    let state =
        NonDiscoverableAuthenticationServerState::decode(state).map_err(|_| Refusal::Unreadable)?;
    let answer = NonDiscoverableAuthentication16::from_json_relaxed(answer.as_bytes())
        .map_err(|_| Refusal::Unreadable)?;
    let row = kept
        .iter()
        .find(|row| row.credential_id == answer.raw_id().as_ref())
        .ok_or(Refusal::Unknown)?;
    let fixed = StaticState::<Key>::decode(&row.fixed).map_err(|_| Refusal::Unreadable)?;
    let moving = row.moving.as_slice().try_into().ok();
    let moving = moving
        .and_then(|bytes| DynamicState::decode(bytes).ok())
        .ok_or(Refusal::Unreadable)?;
    let id = handle(operator)?;
    let mut credential =
        AuthenticatedCredential::new(answer.raw_id(), &id, fixed, moving).map_err(wrong)?;
    let origins = [home.origin.as_str()];
    let options = AuthenticationVerificationOptions::<&str, &str> {
        allowed_origins: &origins,
        error_on_unsolicited_extensions: false,
        ..AuthenticationVerificationOptions::default()
    };
    state
        .verify(&home.id, &answer, &mut credential, &options)
        .map_err(|problem| match problem {
            AuthCeremonyErr::SignatureCounter => Refusal::CounterBack(row.name.clone()),
            AuthCeremonyErr::NoMatchingAllowedCredential
            | AuthCeremonyErr::CredentialIdMismatch
            | AuthCeremonyErr::UserHandleMismatch => Refusal::Unknown,
            other => wrong(other),
        })?;
    let moving = credential
        .dynamic_state()
        .encode()
        .map_err(|_| Refusal::Unreadable)?;
    Ok((row, moving.to_vec()))
}

#[cfg(test)]
mod tests;
