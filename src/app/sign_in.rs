//! Signing in: the password, the second factor, sessions.
//!
//! Guessing is slowed down where it comes from, never by locking an account (OWASP, "Device Cookies"): failures count
//! against the network and, for browsers in which the operator never signed in before, against the name. The browser that the
//! operator uses carries a cookie of its own and is not held up by what strangers try. Wrong second factors count likewise, over
//! all sign-ins, and each stands in the log: whoever sends one has the password.

use std::time::Duration;

use sha2::{Digest, Sha256};

use super::App;
use super::acted::Acting;
use super::operators::is_right;
use crate::domain::budget::Rate;
use crate::domain::circumstances::Circumstances;
use crate::domain::hex::hex;
use crate::domain::ids::OperatorId;
use crate::domain::operator::{Deed, Operator};
use crate::domain::time::Timestamp;
use crate::domain::token::Purpose;
use crate::store::locks::Locks;
pub use crate::store::sessions::SessionRow as Session;
use crate::store::sessions::{self, NewSession, SessionRow, Stage};
use crate::store::set::Writes;
use crate::store::{Conn, StoreError, budgets, events, operators, passkeys};
use uuid::Uuid;

const SESSION_FOR: Duration = Duration::from_secs(12 * 3_600);
const IDLE_FOR: Duration = Duration::from_secs(3_600);
/// How long a right password waits for its second factor.
const FACTOR_WITHIN: Duration = Duration::from_secs(300);
/// Tries at the second factor of one right password.
pub(super) const TRIES_AT_MOST: i64 = 5;
/// How often a session is written down as seen.
const SEEN_EVERY: Duration = Duration::from_secs(60);
/// How long a browser is known as one in which the operator signed in.
pub const DEVICE_FOR: Duration = Duration::from_secs(180 * 86_400);

/// Failures an hour from one network, and with one name from browsers that are not known; after that one at a time.
const OF_NETWORK: Rate = Rate { an_hour: 30 };
const OF_NAME: Rate = Rate { an_hour: 20 };
/// Wrong second factors an hour, over all sign-ins: of an operator's own browsers, and of all others. Whoever gets this far has
/// the password, and of a million codes three open at any time.
const OF_FACTOR: Rate = Rate { an_hour: 5 };

#[derive(Debug, thiserror::Error)]
pub enum SignInProblem {
    #[error("name or password is wrong")]
    Wrong,
    #[error("this code is wrong, or was used before")]
    WrongCode,
    /// A signature that does not hold, or by a passkey that is not this operator's.
    #[error("this passkey does not fit")]
    WrongPasskey,
    /// The authenticator counts less than it did before.
    #[error("this passkey may have been copied, and is refused")]
    CopiedPasskey,
    /// The challenge was used up, or is older than five minutes.
    #[error("that took too long; ask for the passkey again")]
    StalePasskey,
    /// The operator has none, or the server's address cannot carry any.
    #[error("there is no passkey to sign in with")]
    NoPasskey,
    /// The password was too long ago, or the second factor was tried too often: begin anew.
    #[error("sign in again from the beginning")]
    Over,
    /// Too many sign-ins at once; try again in a moment.
    #[error("too many sign-ins at once")]
    Busy,
    #[error("too many tries; wait until {}", .0.to_the_minute())]
    TooOften(Timestamp),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a right password, or a right second factor, opens.
#[derive(Debug)]
pub struct Admitted {
    /// The cookie's value. Only its SHA-256 is kept.
    pub secret: String,
    /// Whether a second factor is still awaited.
    pub awaits_factor: bool,
    /// The cookie that tells this browser from a stranger's; none before the second factor.
    pub device: Option<String>,
}

/// Which rates a try falls under.
pub(super) struct Tries(Vec<(String, Rate)>);

impl Tries {
    /// At the second factor of an operator, from a browser of theirs or from another.
    pub(super) fn at_factor(operator: OperatorId, is_known: bool, from: &Circumstances) -> Self {
        if is_known {
            return Self(vec![(
                format!("sign-in/factor/device/{operator}"),
                OF_FACTOR,
            )]);
        }
        Self(vec![
            (format!("sign-in/factor/{operator}"), OF_FACTOR),
            (of_network(from), OF_NETWORK),
        ])
    }

    fn of(name: &str, known_device: Option<OperatorId>, from: &Circumstances) -> Self {
        // A name that somebody typed may be a password: only its hash is kept.
        let hash = hex(&Sha256::digest(name.as_bytes())[..12]);
        let by_name = match known_device {
            Some(operator) => format!("sign-in/device/{operator}/{hash}"),
            None => format!("sign-in/name/{hash}"),
        };
        let mut rates = vec![(by_name, OF_NAME)];
        if known_device.is_none() {
            rates.push((of_network(from), OF_NETWORK));
        }
        Self(rates)
    }

    async fn check(&self, app: &App) -> Result<(), SignInProblem> {
        let mut conn = app.store.read().await?;
        self.check_in(&mut conn, app.clock.now()).await
    }

    /// The same in a transaction that will count the failure too.
    pub(super) async fn check_in(
        &self,
        conn: &mut Conn,
        now: Timestamp,
    ) -> Result<(), SignInProblem> {
        let keys: Vec<String> = self.0.iter().map(|rate| rate.0.clone()).collect();
        let found = budgets::find_rates(conn, &keys).await?;
        for (key, rate) in &self.0 {
            let arrival = found.iter().find(|one| one.0 == *key).map(|one| one.1);
            rate.take(arrival, now).map_err(SignInProblem::TooOften)?;
        }
        Ok(())
    }

    async fn count_failure(&self, app: &App) -> Result<(), StoreError> {
        let mut writes = Writes::default();
        self.count_in(&mut writes, app.clock.now());
        app.store.write_now(writes).await
    }

    pub(super) fn count_in(&self, writes: &mut Writes, now: Timestamp) {
        let spent: Vec<(String, i64)> = self
            .0
            .iter()
            .map(|(key, rate)| (key.clone(), rate.spacing()))
            .collect();
        budgets::add_rates(writes, &spent, now);
    }
}

fn of_network(from: &Circumstances) -> String {
    format!("sign-in/network/{}", from.network())
}

impl App {
    /// The operator who signed in before in the browser that brings this cookie.
    fn owner_of_device(&self, device: Option<&str>) -> Option<OperatorId> {
        let token = self.keys.verify(Purpose::Device, device?, self.clock.now());
        token.ok().map(|token| OperatorId(token.subject))
    }

    /// Whether an operator signed in before in the browser that brings this cookie.
    pub(super) fn is_device_of(&self, device: Option<&str>, operator: OperatorId) -> bool {
        self.owner_of_device(device) == Some(operator)
    }

    /// Checks name and password. An unknown name takes the same time and gets the same answer as a wrong password.
    pub async fn sign_in(
        &self,
        name: &str,
        password: &str,
        device: Option<&str>,
        from: &Circumstances,
    ) -> Result<Admitted, SignInProblem> {
        let operator = operators::find(&mut self.store.read().await?, name)
            .await?
            .filter(|operator| operator.disabled_at.is_none());
        let known_device = self
            .owner_of_device(device)
            .filter(|id| operator.as_ref().is_some_and(|one| one.id == *id));
        let tries = Tries::of(name, known_device, from);
        tries.check(self).await?;
        let stored = operator.as_ref().map(|one| one.password_hash.as_str());
        let right = is_right(stored, password)
            .await
            .ok_or(SignInProblem::Busy)?;
        let Some(row) = operator.filter(|_| right) else {
            tries.count_failure(self).await?;
            return Err(SignInProblem::Wrong);
        };
        let has_factor = row.totp().is_some() || {
            let mut conn = self.store.read().await?;
            passkeys::count(&mut conn, row.id).await? > 0
        };
        let acting = Acting {
            operator: row.read()?,
            circumstances: from.clone(),
        };
        if has_factor {
            self.admit(&acting, Stage::Password, None, None).await
        } else {
            self.admit(&acting, Stage::Whole, Some((Deed::SignedIn, None)), None)
                .await
        }
    }

    /// Whether an operator who is signed in knows their password: asked before what a stolen session must not do. Wrong
    /// ones count as wrong sign-ins do.
    pub async fn is_own_password(
        &self,
        operator: &Operator,
        password: &str,
    ) -> Result<bool, SignInProblem> {
        let tries = Tries(vec![(format!("sign-in/own/{}", operator.id), OF_NAME)]);
        tries.check(self).await?;
        let row = operators::find_by_id(&mut self.store.read().await?, operator.id).await?;
        let stored = row.as_ref().map(|row| row.password_hash.as_str());
        let right = is_right(stored, password)
            .await
            .ok_or(SignInProblem::Busy)?;
        if !right {
            tries.count_failure(self).await?;
        }
        Ok(right)
    }

    /// Begins a session, in the place of the one with the hash `before`: what was known of an earlier cookie opens nothing.
    /// `deed` is what is kept of it, with what it was done with.
    pub(super) async fn admit(
        &self,
        acting: &Acting,
        stage: Stage,
        deed: Option<(Deed, Option<String>)>,
        before: Option<&[u8]>,
    ) -> Result<Admitted, SignInProblem> {
        let secret = hex(&self.random.bytes::<32>());
        let now = self.clock.now();
        let lasts = match stage {
            Stage::Password => FACTOR_WITHIN,
            Stage::Whole => SESSION_FOR,
        };
        let session = NewSession {
            hash: session_hash(&secret),
            id: self.random.uuid_v7(now),
            operator_id: acting.operator.id,
            stage,
            browser: acting
                .circumstances
                .user_agent
                .as_deref()
                .map_or_else(|| "unknown".to_owned(), browser_of),
            network: acting.circumstances.network(),
            created_at: now,
            expires_at: now.plus(lasts),
        };
        let mut writes = Writes::default();
        if let Some((deed, on)) = deed {
            events::append(&mut writes, &[self.deed(acting, deed, on)?]);
        }
        let mut held = self.store.hold_to_write(Locks::default()).await?;
        if let Some(before) = before {
            sessions::end(held.conn(), before).await?;
        }
        sessions::insert(held.conn(), &session).await?;
        held.finish_with(writes).await?;
        let device = (stage == Stage::Whole).then(|| {
            let until = now.plus(DEVICE_FOR);
            self.keys
                .sign(Purpose::Device, 0, acting.operator.id.0, until)
        });
        Ok(Admitted {
            secret,
            awaits_factor: stage == Stage::Password,
            device,
        })
    }

    /// The operator behind a cookie, if the session holds. Being seen keeps it from going idle.
    pub async fn operator_of(&self, secret: &str) -> Result<Option<Operator>, StoreError> {
        if secret.len() != 64 {
            return Ok(None);
        }
        let now = self.clock.now();
        let hash = session_hash(secret);
        let mut conn = self.store.read().await?;
        let found =
            sessions::find(&mut conn, &hash, Stage::Whole, now, now.minus(IDLE_FOR)).await?;
        drop(conn);
        let Some(found) = found else {
            return Ok(None);
        };
        if now.since(found.seen_at) >= SEEN_EVERY {
            let mut tx = self.store.write().await?;
            sessions::seen(&mut tx, &hash, now).await?;
            tx.commit().await?;
        }
        Ok(Some(found.operator.read()?))
    }

    pub async fn sign_out(&self, acting: &Acting, secret: &str) -> Result<(), StoreError> {
        let event = self.deed(acting, Deed::SignedOut, None)?;
        let mut held = self.store.hold_to_write(Locks::default()).await?;
        sessions::end(held.conn(), &session_hash(secret)).await?;
        let mut writes = Writes::default();
        events::append(&mut writes, &[event]);
        held.finish_with(writes).await
    }

    /// The operator's sessions that hold, each with whether it is the one of this cookie.
    pub async fn sessions(
        &self,
        operator: OperatorId,
        secret: &str,
    ) -> Result<Vec<(SessionRow, bool)>, StoreError> {
        let now = self.clock.now();
        let hash = session_hash(secret);
        let mut conn = self.store.read().await?;
        let found = sessions::list(&mut conn, operator, now, now.minus(IDLE_FOR)).await?;
        Ok(found
            .into_iter()
            .map(|row| {
                let this = row.hash == hash;
                (row, this)
            })
            .collect())
    }

    /// Ends one session of the operator; false if there is none such.
    pub async fn end_session(&self, acting: &Acting, id: Uuid) -> Result<bool, StoreError> {
        let event = self.deed(acting, Deed::SessionEnded, None)?;
        let mut held = self.store.hold_to_write(Locks::default()).await?;
        if !sessions::end_one(held.conn(), acting.operator.id, id).await? {
            return Ok(false);
        }
        let mut writes = Writes::default();
        events::append(&mut writes, &[event]);
        held.finish_with(writes).await?;
        Ok(true)
    }
}

/// A cookie's value as it is kept.
pub fn session_hash(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}

/// The browser and the system that a User-Agent names, as far as people tell them apart.
fn browser_of(agent: &str) -> String {
    let first = |of: &[(&'static str, &'static str)]| {
        of.iter()
            .find(|(mark, _)| agent.contains(mark))
            .map(|(_, name)| *name)
    };
    let browser = first(&[
        ("Edg/", "Edge"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ]);
    let system = first(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => "another browser".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_named_as_people_name_it() {
        let chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";
        assert_eq!(browser_of(chrome), "Chrome on Linux");
        assert_eq!(browser_of("something else"), "another browser");
    }
}
