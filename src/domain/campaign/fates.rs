//! What became of the people whom a campaign asked, and when that stops it.

use super::Plan;

/// A campaign stops by itself only once so many mails had a fate.
const FATES_AT_LEAST: i64 = 20;

/// And for complaints only once so many people complained: the first two stop nothing, however few were asked.
const COMPLAINTS_AT_LEAST: i64 = 3;

/// 0.3 %: from there on large providers stop taking a sender's mail (Google's and Yahoo's guidelines for senders).
pub const fn complaints_by_default() -> u16 {
    3
}

/// What became of the people of a campaign, each counted once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fates {
    /// Whose mail a server took or refused.
    pub mails: i64,
    /// Whose mail was refused, or came back.
    pub failed: i64,
    pub complained: i64,
}

impl Fates {
    /// The numbers in the reason for which a campaign stopped before; none in an operator's words.
    pub fn seen(why: Option<&str>) -> Self {
        let words = why.unwrap_or_default().split([' ', ',']);
        let mut numbers = words.filter_map(|word| word.parse().ok());
        let mut next = || numbers.next().unwrap_or(0);
        Self {
            failed: next(),
            mails: next(),
            complained: next(),
        }
    }

    /// Why the campaign stops now, if it does. What an operator has seen and resumed is not counted again; what came since is.
    pub fn stop(self, plan: &Plan, seen: Self) -> Option<String> {
        let mails = self.mails - seen.mails;
        let failed = self.failed - seen.failed;
        let complained = self.complained - seen.complained;
        let (most, most_complain) = (
            i64::from(plan.stop_at_failed_percent),
            i64::from(plan.stop_at_complaints_permille),
        );
        // People complain late, of what they got before the campaign was resumed as well: their share is that of all mails.
        let too_many_complain = complained >= COMPLAINTS_AT_LEAST
            && self.mails >= FATES_AT_LEAST
            && self.complained * 1_000 >= self.mails * most_complain;
        let too_many_fail = mails >= FATES_AT_LEAST && failed * 100 >= mails * most;
        (too_many_fail || too_many_complain).then(|| {
            let failed = format!("{} of {} mails failed", self.failed, self.mails);
            match self.complained {
                0 => failed,
                1 => format!("{failed}, 1 person complained"),
                more => format!("{failed}, {more} people complained"),
            }
        })
    }
}
