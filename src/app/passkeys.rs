//! Passkeys (WebAuthn) as a second factor: made under one's own name, used behind a right password.

use std::time::Duration;

use uuid::Uuid;

use super::App;
use super::acted::Acting;
use super::second_factor::hashes;
use super::sign_in::{Admitted, SignInProblem, session_hash};
use crate::domain::circumstances::Circumstances;
use crate::domain::ids::OperatorId;
use crate::domain::operator::Deed;
use crate::domain::time::Timestamp;
use crate::store::locks::Locks;
use crate::store::passkeys::{self, AT_MOST, PasskeyRow};
use crate::store::sessions::{self, Stage};
use crate::store::set::Writes;
use crate::store::{StoreError, events, operators};
use ceremony::{Home, NoHome, Refusal};

pub mod ceremony;

/// How long a browser and its authenticator may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(300);
/// Characters of what an operator calls a passkey.
pub const NAME_AT_MOST: usize = 60;

/// A passkey as its owner sees it.
#[derive(Clone, Debug)]
pub struct Passkey {
    pub id: Uuid,
    pub name: String,
    pub added_at: Timestamp,
    pub used_at: Option<Timestamp>,
}

#[derive(Debug, thiserror::Error)]
pub enum PasskeyProblem {
    #[error("{0}")]
    NoHome(#[from] NoHome),
    #[error("give the passkey a name of 1 to {NAME_AT_MOST} characters, so that you know it again")]
    Name,
    #[error("you have {AT_MOST} passkeys already; remove one that you no longer use")]
    TooMany,
    #[error("this took longer than five minutes, or the page was sent twice; begin again")]
    Stale,
    #[error("this passkey is set up already, here or for somebody else")]
    Taken,
    #[error("what the browser sent does not hold; begin again, on this server's own pages")]
    Refused,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Refusal> for PasskeyProblem {
    fn from(refusal: Refusal) -> Self {
        tracing::debug!(%refusal, "a new passkey is not taken");
        Self::Refused
    }
}

fn named(text: &str) -> Option<&str> {
    let name = text.trim();
    let fits =
        (1..=NAME_AT_MOST).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    fits.then_some(name)
}

impl App {
    /// Why this server's public address cannot carry passkeys; none where it can.
    pub fn no_passkeys(&self) -> Option<NoHome> {
        Home::of(&self.config.base_url).err()
    }

    fn home(&self) -> Result<Home, NoHome> {
        Home::of(&self.config.base_url)
    }

    /// The operator's passkeys, the oldest first.
    pub async fn passkeys(&self, operator: OperatorId) -> Result<Vec<Passkey>, StoreError> {
        let mut conn = self.store.read().await?;
        let rows = passkeys::list(&mut conn, operator).await?;
        let rows = rows.into_iter().map(|row| Passkey {
            id: row.id,
            name: row.name,
            added_at: row.created_at,
            used_at: row.used_at,
        });
        Ok(rows.collect())
    }

    async fn keep_challenge(&self, session: &str, state: &[u8]) -> Result<(), StoreError> {
        let until = self.clock.now().plus(ANSWER_WITHIN);
        let mut held = self.store.hold_to_write(Locks::operators()).await?;
        sessions::put_challenge(held.conn(), &session_hash(session), state, until).await?;
        held.finish().await
    }

    /// Asks the browser of this session for a new passkey: the options for it, as JSON.
    pub async fn ask_for_passkey(
        &self,
        acting: &Acting,
        session: &str,
    ) -> Result<String, PasskeyProblem> {
        let home = self.home()?;
        let operator = &acting.operator;
        let kept = passkeys::list(&mut self.store.read().await?, operator.id).await?;
        if i64::try_from(kept.len()).unwrap_or(AT_MOST) >= AT_MOST {
            return Err(PasskeyProblem::TooMany);
        }
        let asked = ceremony::ask_to_make(&home, operator.id, &operator.name, &kept)?;
        self.keep_challenge(session, &asked.state).await?;
        Ok(asked.json)
    }

    /// Adds the passkey that the browser made. Where it is the first second factor, answers with recovery codes, which are
    /// shown this once. All sessions of the operator end but this one.
    pub async fn add_passkey(
        &self,
        acting: &Acting,
        session: &str,
        name: &str,
        answer: &str,
    ) -> Result<Vec<String>, PasskeyProblem> {
        let home = self.home()?;
        let name = named(name).ok_or(PasskeyProblem::Name)?;
        let id = acting.operator.id;
        let now = self.clock.now();
        let event = self.deed(acting, Deed::PasskeyAdded, Some(name.to_owned()))?;
        let fresh = self.recovery_codes();
        let mut held = self.store.hold_to_write(Locks::operators()).await?;
        let challenge = sessions::take_challenge(held.conn(), &session_hash(session)).await?;
        let made = match challenge {
            Some((state, until)) if now <= until => {
                ceremony::made(&home, &state, answer).map_err(PasskeyProblem::from)
            }
            _ => Err(PasskeyProblem::Stale),
        };
        let made = match made {
            Ok(made) => made,
            Err(problem) => {
                // The challenge is used up all the same.
                held.finish().await?;
                return Err(problem);
            }
        };
        if passkeys::count(held.conn(), id).await? >= AT_MOST {
            return Err(PasskeyProblem::TooMany);
        }
        let row = PasskeyRow {
            credential_id: made.credential_id,
            id: self.random.uuid_v7(now),
            name: name.to_owned(),
            transports: made.transports,
            fixed: made.fixed,
            moving: made.moving,
            created_at: now,
            used_at: None,
        };
        if !passkeys::insert(held.conn(), id, &row).await? {
            return Err(PasskeyProblem::Taken);
        }
        let codes = if operators::count_recovery_codes(held.conn(), id).await? == 0 {
            operators::put_recovery_codes(held.conn(), id, &hashes(&fresh)).await?;
            fresh
        } else {
            Vec::new()
        };
        sessions::end_others(held.conn(), id, &session_hash(session)).await?;
        let mut writes = Writes::default();
        events::append(&mut writes, &[event]);
        held.finish_with(writes).await?;
        Ok(codes)
    }

    /// Removes a passkey of one's own; false if there is none such. With the last second factor go the recovery codes, and all
    /// sessions of the operator end but this one.
    pub async fn remove_passkey(
        &self,
        acting: &Acting,
        session: &str,
        id: Uuid,
    ) -> Result<bool, StoreError> {
        let operator = acting.operator.id;
        let mut held = self.store.hold_to_write(Locks::operators()).await?;
        let Some(name) = passkeys::delete(held.conn(), operator, id).await? else {
            return Ok(false);
        };
        let row = operators::find_by_id(held.conn(), operator).await?;
        let codes = row.is_some_and(|row| row.totp().is_some());
        if !codes && passkeys::count(held.conn(), operator).await? == 0 {
            operators::put_recovery_codes(held.conn(), operator, &[]).await?;
        }
        sessions::end_others(held.conn(), operator, &session_hash(session)).await?;
        let mut writes = Writes::default();
        let event = self.deed(acting, Deed::PasskeyRemoved, Some(name))?;
        events::append(&mut writes, &[event]);
        held.finish_with(writes).await?;
        Ok(true)
    }

    /// Asks the browser behind a right password for a signature: the options for it, as JSON.
    pub async fn ask_for_signature(&self, secret: &str) -> Result<String, SignInProblem> {
        let home = self.home().map_err(|_| SignInProblem::NoPasskey)?;
        let Some(found) = self.awaited(secret).await? else {
            return Err(SignInProblem::Over);
        };
        let kept = passkeys::list(&mut self.store.read().await?, found.operator.id).await?;
        let asked = ceremony::ask_to_sign(&home, &kept).map_err(|_| SignInProblem::NoPasskey)?;
        self.keep_challenge(secret, &asked.state).await?;
        Ok(asked.json)
    }

    /// Checks a passkey's signature behind a right password. It counts as a try, as a code does.
    pub async fn passkey_factor(
        &self,
        secret: &str,
        answer: &str,
        device: Option<&str>,
        from: &Circumstances,
    ) -> Result<Admitted, SignInProblem> {
        let home = self.home().map_err(|_| SignInProblem::NoPasskey)?;
        let (mut held, found, tries) = self.hold_try(secret, device, from).await?;
        let hash = session_hash(secret);
        let now = self.clock.now();
        let id = found.operator.id;
        let acting = Acting {
            operator: found.operator.read()?,
            circumstances: from.clone(),
        };
        let challenge = sessions::take_challenge(held.conn(), &hash).await?;
        let kept = passkeys::list(held.conn(), id).await?;
        let outcome = match &challenge {
            Some((state, until)) if now <= *until => {
                ceremony::signed(&home, id, &kept, state, answer)
            }
            _ => {
                held.finish().await?;
                return Err(SignInProblem::StalePasskey);
            }
        };
        match outcome {
            Ok((row, moving)) => {
                passkeys::used(held.conn(), id, &row.credential_id, &moving, now).await?;
                held.finish().await?;
                let deed = (Deed::SignedInWithPasskey, Some(row.name.clone()));
                self.admit(&acting, Stage::Whole, Some(deed), Some(&hash))
                    .await
            }
            Err(refusal) => {
                tracing::debug!(%refusal, "a passkey is refused");
                let (wrong, problem) = match refusal {
                    Refusal::CounterBack(name) => (
                        (Deed::PasskeyRefused, Some(name)),
                        SignInProblem::CopiedPasskey,
                    ),
                    _ => ((Deed::FactorRefused, None), SignInProblem::WrongPasskey),
                };
                self.refuse_factor(held, &acting, &tries, wrong).await?;
                Err(problem)
            }
        }
    }
}
