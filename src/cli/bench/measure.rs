//! The parts of a run, each measured in turns with the others.

use std::path::Path;
use std::time::Duration;

use super::Bench;
use super::confirms::last_request;
use super::figures::{Figures, ratio, resident_mb};
use super::load::{self, Load, Tally};
use super::stand::{Stand, fill, set_up};
use crate::cli::Ended;
use crate::clock::Random;
use crate::domain::ids::RequestId;
use crate::store::temporary;

/// Each part is measured in so many turns with the others, so that a noisy moment touches all alike.
const ROUNDS: u32 = 4;
/// A short turn of each first: connections, caches and prepared statements are made then.
const WARM: Duration = Duration::from_millis(300);

const CEILING: &str = "/ceiling/newsletter";
const FORM: &str = "/f/newsletter";

/// What the parts on the web side came to.
#[derive(Default)]
struct Tallies {
    ceiling: Tally,
    signups: Tally,
    confirms: Tally,
}

impl Tallies {
    /// A part that was refused something measured nothing.
    fn check(&self) -> Result<(), Ended> {
        for (what, tally) in [
            ("ceiling", &self.ceiling),
            ("signup", &self.signups),
            ("confirm", &self.confirms),
        ] {
            if let Some(refusal) = &tally.first_refusal {
                return Err(Ended::Refused(format!("a {what} was refused: {refusal}")));
            }
        }
        Ok(())
    }
}

impl Bench {
    pub(super) async fn measure(
        &self,
        folder: &Path,
        url: &str,
        random: &Random,
    ) -> Result<Figures, Ended> {
        let stand = set_up(folder, url, random).await?;
        if self.contacts > 0 {
            eprintln!("filling the store with {} contacts…", self.contacts);
            fill(&stand, "filled", u64::from(self.contacts)).await?;
            temporary::settle(&stand.app.store).await?;
        }
        let mut last = last_request(&stand);
        self.warm_up(&stand, &mut last).await?;
        let mut tallies = Tallies::default();
        for round in 0..ROUNDS {
            self.round(&stand, &mut last, &mut tallies).await?;
            eprintln!("round {} of {ROUNDS} done", round + 1);
        }
        tallies.check()?;
        let rss_mb = resident_mb();
        let mails = self.mails(&stand, tallies.signups.rps()).await?;
        stand.server.stop(false).await;
        stand.app.store.close().await;
        stand.sink.stop();
        Ok(self.figures(&tallies, mails, rss_mb))
    }

    async fn warm_up(&self, stand: &Stand, last: &mut RequestId) -> Result<(), Ended> {
        self.turn(stand, CEILING, "warm", 0, WARM).await?;
        self.turn(stand, FORM, "warm", 0, WARM).await?;
        self.confirm(stand, last, WARM).await?;
        Ok(())
    }

    async fn round(
        &self,
        stand: &Stand,
        last: &mut RequestId,
        tallies: &mut Tallies,
    ) -> Result<(), Ended> {
        let for_ = Duration::from_secs(self.seconds) / ROUNDS;
        let from = tallies.signups.done + tallies.signups.refused;
        let ceiling = self.turn(stand, CEILING, "c", 0, for_).await?;
        tallies.ceiling.merge(ceiling);
        let signups = self.turn(stand, FORM, "s", from, for_).await?;
        tallies.signups.merge(signups);
        let confirms = self.confirm(stand, last, for_).await?;
        tallies.confirms.merge(confirms);
        Ok(())
    }

    fn figures(&self, tallies: &Tallies, mails: (f64, f64), rss_mb: f64) -> Figures {
        let (mail_rps, smtp_ceiling_rps) = mails;
        let ceiling_rps = tallies.ceiling.rps();
        let signup_rps = tallies.signups.rps();
        let confirm_rps = tallies.confirms.rps();
        Figures {
            engine: self.engine.name(),
            connections: self.connections,
            contacts: self.contacts,
            ceiling_rps,
            signup_rps,
            signup_ratio: ratio(signup_rps, ceiling_rps),
            confirm_rps,
            confirm_ratio: ratio(confirm_rps, ceiling_rps),
            p50_ms: tallies.signups.p50_ms(),
            p99_ms: tallies.signups.p99_ms(),
            mail_rps,
            smtp_ceiling_rps,
            mail_ratio: ratio(mail_rps, smtp_ceiling_rps),
            rss_mb,
        }
    }

    pub(super) fn load(&self, for_: Duration) -> Load {
        Load::new(self.connections as usize, for_)
    }

    /// One turn of posts of the same form, to the store or past it.
    async fn turn(
        &self,
        stand: &Stand,
        path: &'static str,
        name: &'static str,
        from: u64,
        for_: Duration,
    ) -> Result<Tally, Ended> {
        let host = stand.address.to_string();
        load::run(stand.address, &self.load(for_), move |number, out| {
            let number = number + from;
            let body = format!("email={name}{number}%40example.org&purpose=newsletter&lang=en");
            load::form_post(path, &host, &body, out);
        })
        .await
        .map_err(Ended::Refused)
    }
}
