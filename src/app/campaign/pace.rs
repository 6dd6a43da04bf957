//! How fast a campaign asks: by its hourly rate, the number of the day while it warms up, and what waits to leave.

use std::time::Duration;

use crate::app::App;
use crate::app::restored::HELD;
use crate::domain::brand::Brand;
use crate::domain::budget::Rate;
use crate::domain::campaign::Plan;
use crate::domain::time::Timestamp;
use crate::store::campaigns::{self, CampaignRow};
use crate::store::{Conn, StoreError, breaker, campaign_fates, settings};

/// Mails of one campaign that wait for their first try, at most: signups wait behind them.
const WAITING_AT_MOST: i64 = 500;

const DAY: Duration = Duration::from_secs(86_400);

/// How long somebody waits while mails that were asked for earlier have not left.
const SOON: Duration = Duration::from_secs(300);

/// A campaign whose lock is held, as the people who are asked move it on.
pub(super) struct Pace<'a> {
    pub row: CampaignRow,
    plan: &'a Plan,
    rate: Rate,
    /// How many more may be asked before others have left.
    room: i64,
    /// The rate as those leave it who wait for their turn.
    reserved: Option<i64>,
}

impl App {
    pub(super) async fn pace<'a>(
        &self,
        conn: &mut Conn,
        brand: &Brand,
        plan: &'a Plan,
        mut row: CampaignRow,
    ) -> Result<Pace<'a>, StoreError> {
        let held = settings::find(conn, HELD).await?.is_some() || breaker::is_open(conn).await?;
        let stuck = self.smtp_problem(conn).await?.is_some();
        let rate = Rate {
            an_hour: least(plan.an_hour, brand.declared.mails_per_hour),
        };
        let most = match rate.an_hour {
            // While nothing leaves, one mail tries the way.
            _ if stuck => 1,
            0 => WAITING_AT_MOST,
            an_hour => WAITING_AT_MOST.min(i64::from(an_hour)),
        };
        let waiting = waiting(conn, &row, most, stuck).await?;
        // What was given up while nothing left begins no day.
        if warms_up(plan, &row) && !stuck {
            let left = campaign_fates::count(conn, &row).await?.mails;
            move_day(&mut row, waiting, left, self.clock.now());
        }
        Ok(Pace {
            row,
            plan,
            rate,
            room: if held { 0 } else { most - waiting },
            reserved: None,
        })
    }
}

/// The lower of two rates; 0 is none.
fn least(one: u32, other: u32) -> u32 {
    match (one, other) {
        (0, rate) | (rate, 0) => rate,
        (one, other) => one.min(other),
    }
}

/// How many mails of a campaign wait in the outbox for their first try; or for any, where nothing leaves. Up to a bound.
async fn waiting(
    conn: &mut Conn,
    row: &CampaignRow,
    most: i64,
    stuck: bool,
) -> Result<i64, StoreError> {
    // Mostly none or few, and these are counted already.
    let fateless = campaigns::count_fateless(conn, row).await?;
    if fateless == 0 {
        return Ok(0);
    }
    let tries = if stuck { i64::MAX } else { 0 };
    campaigns::count_waiting(conn, row, tries, most).await
}

fn warms_up(plan: &Plan, row: &CampaignRow) -> bool {
    usize::try_from(row.day).is_ok_and(|day| day < plan.warm_up.len())
}

/// The day begins when the first of its mails has left, and is over 24 hours later: neither a pause nor a server that takes nothing
/// makes receivers know the sender. What has not left by then counts towards the next day.
fn move_day(row: &mut CampaignRow, waiting: i64, left: i64, now: Timestamp) {
    if row.day_began_at.is_none() && row.asked_on_day > 0 && left > row.left_before {
        row.day_began_at = Some(now);
    }
    if row
        .day_began_at
        .is_some_and(|began| now.since(began) >= DAY)
    {
        row.day += 1;
        row.asked_on_day = waiting;
        row.left_before = left;
        row.day_began_at = None;
    }
}

impl Pace<'_> {
    /// Whether one more may be asked now; else when to look again.
    pub fn may_mail(&self, now: Timestamp) -> Result<(), Timestamp> {
        if self.room <= 0 {
            return Err(now.plus(SOON));
        }
        let day = usize::try_from(self.row.day).unwrap_or(usize::MAX);
        let most = self.plan.on_day(day);
        if most.is_some_and(|most| self.row.asked_on_day >= i64::from(most)) {
            let over = self.row.day_began_at.map(|began| began.plus(DAY));
            return Err(over.map_or(now.plus(SOON), |over| over.max(now.plus(SOON))));
        }
        self.rate.take(Some(self.row.arrival), now).map(drop)
    }

    pub fn count(&mut self, now: Timestamp) {
        self.room -= 1;
        self.row.asked_on_day += 1;
        let arrival = self.row.arrival;
        self.row.arrival = self.rate.take(Some(arrival), now).unwrap_or(arrival);
    }

    /// When it is the turn of somebody who may not be asked now: of each one behind the other, so that each is looked at about once.
    pub fn turn(&mut self, now: Timestamp, from: Timestamp) -> Timestamp {
        let known = self.reserved.unwrap_or(self.row.arrival);
        let (next, at) = self.rate.reserve(Some(known), now);
        self.reserved = Some(next);
        at.max(from)
    }
}
