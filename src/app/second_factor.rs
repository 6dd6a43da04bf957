//! The second factor: one-time codes (RFC 6238) and recovery codes; `passkeys.rs` has the other one.

use sha2::{Digest, Sha256};
use totp_rs::{Builder, Secret, Totp};

use super::App;
use super::acted::Acting;
use super::sign_in::{Admitted, SignInProblem, TRIES_AT_MOST, Tries, session_hash};
use crate::domain::circumstances::Circumstances;
use crate::domain::hex::hex;
use crate::domain::ids::OperatorId;
use crate::domain::operator::Deed;
use crate::domain::time::Timestamp;
use crate::store::held::HeldTransaction;
use crate::store::locks::Locks;
use crate::store::operators::OperatorRow;
use crate::store::sessions::{self, Found, Stage};
use crate::store::set::Writes;
use crate::store::{StoreError, events, operators, passkeys};

const RECOVERY_CODES: usize = 10;
/// Letters and digits that nobody mixes up (Crockford's base 32).
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// One-time codes that are being set up.
#[derive(Clone, Debug)]
pub struct Offered {
    /// What the secret comes from; the form brings it back.
    pub number: String,
    /// For typing into an app, in base 32.
    pub secret: String,
    /// `otpauth://…`, for a QR code.
    pub url: String,
}

/// How an operator proves who they are.
#[derive(Clone, Debug)]
pub struct Factors {
    pub has_codes: bool,
    pub recovery_codes: i64,
}

/// What opens the pages behind a right password, besides recovery codes.
#[derive(Clone, Copy, Debug)]
pub struct Awaited {
    pub codes: bool,
    pub passkeys: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum FactorProblem {
    #[error(
        "this code does not fit; look at the clock of your phone, and type the code that it shows now"
    )]
    WrongCode,
    #[error("begin again: this page is too old")]
    Stale,
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn number_of(text: &str) -> Option<[u8; 16]> {
    u128::from_str_radix(text, 16)
        .ok()
        .filter(|_| text.len() == 32)
        .map(u128::to_be_bytes)
}

/// Six digits, 30 seconds, SHA-1: what every app can do. A code of the step before or behind is taken as well.
fn totp(secret: [u8; 20], name: &str, issuer: &str) -> Option<Totp> {
    let issuer: String = issuer.chars().filter(|c| *c != ':').collect();
    Builder::new()
        .with_secret(Secret::new_stack(secret))
        .with_skew(1)
        .with_account_name(name)
        .with_issuer(Some(issuer))
        .build()
        .ok()
}

impl App {
    fn codes_of(&self, operator: OperatorId, name: &str, from: (u8, [u8; 16])) -> Option<Totp> {
        let secret = self.keys.totp_secret(from.0, operator.0, &from.1)?;
        let host = self.config.base_url.split("://").nth(1).unwrap_or("");
        totp(
            secret,
            name,
            &format!("countersign {}", host.replace(':', " ")),
        )
    }

    /// The step that a code belongs to; none if it is wrong.
    fn step_of(&self, codes: &Totp, code: &str) -> Option<i64> {
        let digits: String = code.chars().filter(char::is_ascii_digit).collect();
        if digits.len() != 6 {
            return None;
        }
        let seconds = u64::try_from(self.clock.now().unix_seconds()).ok()?;
        codes
            .check(&digits, seconds)
            .and_then(|step| i64::try_from(step).ok())
    }

    pub async fn factors(&self, operator: OperatorId) -> Result<Factors, StoreError> {
        let mut conn = self.store.read().await?;
        let row = operators::find_by_id(&mut conn, operator).await?;
        Ok(Factors {
            has_codes: row.is_some_and(|row| row.totp().is_some()),
            recovery_codes: operators::count_recovery_codes(&mut conn, operator).await?,
        })
    }

    /// Begins to set up one-time codes: nothing is kept until a first code proves that the app has them.
    pub fn offer_codes(&self, acting: &Acting) -> Option<Offered> {
        self.offered(acting, self.random.bytes::<16>())
    }

    /// The same offer again, as the form brings it back.
    pub fn offer_again(&self, acting: &Acting, number: &str) -> Option<Offered> {
        self.offered(acting, number_of(number)?)
    }

    fn offered(&self, acting: &Acting, number: [u8; 16]) -> Option<Offered> {
        let from = (self.keys.current_id(), number);
        let codes = self.codes_of(acting.operator.id, &acting.operator.name, from)?;
        Some(Offered {
            number: hex(&number),
            secret: codes.secret().to_base32(),
            url: codes.to_url().ok()?,
        })
    }

    /// Sets the codes up with the first of them; answers with recovery codes, which are shown this once. All sessions of the
    /// operator end but this one.
    pub async fn set_up_codes(
        &self,
        acting: &Acting,
        session: &str,
        number: &str,
        code: &str,
    ) -> Result<Vec<String>, FactorProblem> {
        let from = (
            self.keys.current_id(),
            number_of(number).ok_or(FactorProblem::Stale)?,
        );
        let id = acting.operator.id;
        let codes = self
            .codes_of(id, &acting.operator.name, from)
            .ok_or(FactorProblem::Stale)?;
        let step = self.step_of(&codes, code).ok_or(FactorProblem::WrongCode)?;
        let fresh = self.recovery_codes();
        let event = self.deed(acting, Deed::CodesSetUp, None)?;
        let mut held = self.store.hold_to_write(Locks::operators()).await?;
        operators::set_totp(held.conn(), id, Some(from), step).await?;
        operators::put_recovery_codes(held.conn(), id, &hashes(&fresh)).await?;
        sessions::end_others(held.conn(), id, &session_hash(session)).await?;
        let mut writes = Writes::default();
        events::append(&mut writes, &[event]);
        held.finish_with(writes).await?;
        Ok(fresh)
    }

    /// Takes the codes away again; the recovery codes too, where they were the only second factor.
    /// Answers whether there is another. All sessions of the operator end but this one.
    pub async fn remove_codes(&self, acting: &Acting, session: &str) -> Result<bool, StoreError> {
        let event = self.deed(acting, Deed::CodesRemoved, None)?;
        let mut held = self.store.hold_to_write(Locks::operators()).await?;
        operators::set_totp(held.conn(), acting.operator.id, None, 0).await?;
        let others = passkeys::count(held.conn(), acting.operator.id).await? > 0;
        if !others {
            operators::put_recovery_codes(held.conn(), acting.operator.id, &[]).await?;
        }
        sessions::end_others(held.conn(), acting.operator.id, &session_hash(session)).await?;
        let mut writes = Writes::default();
        events::append(&mut writes, &[event]);
        held.finish_with(writes).await?;
        Ok(others)
    }

    /// Takes all second factors of another operator away, passkeys among them: for one who lost phone and recovery codes.
    /// `by` is nobody on the command line. False if there is no such operator.
    pub async fn reset_factors(&self, by: Option<&Acting>, name: &str) -> Result<bool, StoreError> {
        let event = self.deed_by(by, Deed::FactorsReset, name.to_owned())?;
        let mut held = self.store.hold_to_write(Locks::operators()).await?;
        let Some(row) = operators::find(held.conn(), name).await? else {
            return Ok(false);
        };
        operators::set_totp(held.conn(), row.id, None, 0).await?;
        operators::put_recovery_codes(held.conn(), row.id, &[]).await?;
        passkeys::delete_all(held.conn(), row.id).await?;
        sessions::end_others(held.conn(), row.id, &[]).await?;
        let mut writes = Writes::default();
        events::append(&mut writes, &[event]);
        held.finish_with(writes).await?;
        Ok(true)
    }

    pub(super) fn recovery_codes(&self) -> Vec<String> {
        (0..RECOVERY_CODES)
            .map(|_| {
                let letters: String = self
                    .random
                    .bytes::<16>()
                    .iter()
                    .map(|byte| char::from(ALPHABET[usize::from(byte % 32)]))
                    .collect();
                format!(
                    "{}-{}-{}-{}",
                    &letters[..4],
                    &letters[4..8],
                    &letters[8..12],
                    &letters[12..]
                )
            })
            .collect()
    }

    /// Whose second factor is awaited behind this cookie; none if it was too long ago or tried too often.
    pub(super) async fn awaited(&self, secret: &str) -> Result<Option<Found>, StoreError> {
        if secret.len() != 64 {
            return Ok(None);
        }
        let now = self.clock.now();
        let mut conn = self.store.read().await?;
        let hash = session_hash(secret);
        let found = sessions::find(
            &mut conn,
            &hash,
            Stage::Password,
            now,
            Timestamp::from_micros(0),
        )
        .await?;
        Ok(found.filter(|found| found.tries < TRIES_AT_MOST))
    }

    /// Which second factors are awaited behind this cookie; none if it opens no such page.
    pub async fn awaits(&self, secret: &str) -> Result<Option<Awaited>, StoreError> {
        let Some(found) = self.awaited(secret).await? else {
            return Ok(None);
        };
        let mut conn = self.store.read().await?;
        let passkeys = passkeys::count(&mut conn, found.operator.id).await? > 0;
        Ok(Some(Awaited {
            codes: found.operator.totp().is_some(),
            passkeys: passkeys && self.no_passkeys().is_none(),
        }))
    }

    /// Counts a try at the second factor before it is looked at, so that tries at once count too. What is behind the cookie
    /// is read anew in the transaction, which is given back to be finished, or to be handed to `refuse_factor`.
    pub(super) async fn hold_try(
        &self,
        secret: &str,
        device: Option<&str>,
        from: &Circumstances,
    ) -> Result<(HeldTransaction, Found, Tries), SignInProblem> {
        if self.awaited(secret).await?.is_none() {
            return Err(SignInProblem::Over);
        }
        let hash = session_hash(secret);
        let mut held = self.store.hold_to_write(Locks::operators()).await?;
        let now = self.clock.now();
        let long_ago = Timestamp::from_micros(0);
        let found = sessions::find(held.conn(), &hash, Stage::Password, now, long_ago).await?;
        let Some(found) = found.filter(|found| found.tries < TRIES_AT_MOST) else {
            return Err(SignInProblem::Over);
        };
        let id = found.operator.id;
        let tries = Tries::at_factor(id, self.is_device_of(device, id), from);
        tries.check_in(held.conn(), now).await?;
        sessions::tried(held.conn(), &hash).await?;
        Ok((held, found, tries))
    }

    /// Ends a try that was wrong: it counts against the operator and where it came from, and stands in the log.
    pub(super) async fn refuse_factor(
        &self,
        held: HeldTransaction,
        acting: &Acting,
        tries: &Tries,
        (deed, on): (Deed, Option<String>),
    ) -> Result<(), StoreError> {
        let mut writes = Writes::default();
        tries.count_in(&mut writes, self.clock.now());
        events::append(&mut writes, &[self.deed(acting, deed, on)?]);
        held.finish_with(writes).await
    }

    /// Checks a one-time code or a recovery code behind a right password.
    pub async fn second_factor(
        &self,
        secret: &str,
        code: &str,
        device: Option<&str>,
        from: &Circumstances,
    ) -> Result<Admitted, SignInProblem> {
        let (mut held, found, tries) = self.hold_try(secret, device, from).await?;
        let hash = session_hash(secret);
        let acting = Acting {
            operator: found.operator.read()?,
            circumstances: from.clone(),
        };
        let Some(deed) = self.used(&mut held, &found.operator, code).await? else {
            let wrong = (Deed::FactorRefused, None);
            self.refuse_factor(held, &acting, &tries, wrong).await?;
            return Err(SignInProblem::WrongCode);
        };
        held.finish().await?;
        self.admit(&acting, Stage::Whole, Some((deed, None)), Some(&hash))
            .await
    }

    /// Uses a code up; what it was, if it was right.
    async fn used(
        &self,
        held: &mut HeldTransaction,
        row: &OperatorRow,
        code: &str,
    ) -> Result<Option<Deed>, StoreError> {
        let step = row
            .totp()
            .and_then(|from| self.codes_of(row.id, &row.name, from))
            .and_then(|codes| self.step_of(&codes, code));
        if let Some(step) = step {
            let fresh = operators::take_step(held.conn(), row.id, step).await?;
            return Ok(fresh.then_some(Deed::SignedIn));
        }
        let used = operators::use_recovery_code(held.conn(), row.id, &hash_of(code)).await?;
        Ok(used.then_some(Deed::RecoveryCodeUsed))
    }
}

/// A recovery code as it is kept: case and hyphens do not matter, and what looks like another letter is read as it.
fn hash_of(code: &str) -> [u8; 32] {
    let plain: String = code
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(64)
        .map(|c| match c.to_ascii_lowercase() {
            'o' => '0',
            'i' | 'l' => '1',
            c => c,
        })
        .collect();
    Sha256::digest(plain.as_bytes()).into()
}

pub(super) fn hashes(codes: &[String]) -> Vec<[u8; 32]> {
    codes.iter().map(|code| hash_of(code)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recovery_code_is_the_same_in_capitals_without_hyphens_and_with_an_o_for_a_zero() {
        assert_eq!(hash_of("0abc-1def"), hash_of("OABC IDEF"));
        assert_ne!(hash_of("0abc-1def"), hash_of("0abc-1deg"));
    }
}
