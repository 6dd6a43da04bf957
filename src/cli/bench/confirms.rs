//! Presses of the button, each on a link that was not used before.

use std::time::Duration;

use super::Bench;
use super::load::{self, Tally};
use super::stand::Stand;
use crate::cli::Ended;
use crate::clock::Random;
use crate::domain::ids::RequestId;
use crate::domain::time::Timestamp;
use crate::domain::token::Purpose;
use crate::store::temporary;
use crate::web::public::opened;

/// Links that are made ready for one turn at most.
const LINKS_AT_MOST: i64 = 200_000;

/// The newest request that is there already; confirmations begin behind it.
pub(super) fn last_request(stand: &Stand) -> RequestId {
    let now = stand.app.clock.now();
    let before = Timestamp::from_micros(now.micros() - 1_000);
    RequestId(Random::seeded(0).uuid_v7(before))
}

/// How long before its press each page was served, as its mark says: longer than a person needs, for a press at once is a program's.
const READ_FOR: Duration = Duration::from_secs(60);

/// Tokens of the open requests behind `last`, which moves on, each with the mark of its page: every link is pressed once.
async fn tokens(stand: &Stand, last: &mut RequestId) -> Result<Vec<(String, String)>, Ended> {
    let brand = stand.brand()?;
    let app = &stand.app;
    let now = app.clock.now();
    let until = now.plus(Duration::from_secs(86_400));
    let mut conn = app.store.read().await?;
    let open = temporary::list_open(&mut conn, *last, LINKS_AT_MOST).await?;
    drop(conn);
    if let Some((_, id)) = open.last() {
        *last = *id;
    }
    let served_at = now.minus(READ_FOR);
    let token = |id: &RequestId| {
        let token = app.keys.sign(Purpose::Confirm, brand.number, id.0, until);
        let mark = opened::served_at(&app.keys, brand.number, *id, served_at);
        (token, format!("{}={mark}", opened::FIELD))
    };
    Ok(open.iter().map(|(_, id)| token(id)).collect())
}

impl Bench {
    /// One turn of presses of the button.
    pub(super) async fn confirm(
        &self,
        stand: &Stand,
        last: &mut RequestId,
        for_: Duration,
    ) -> Result<Tally, Ended> {
        let tokens = tokens(stand, last).await?;
        let mut load = self.load(for_);
        load.up_to = Some(tokens.len() as u64);
        let host = stand.address.to_string();
        load::run(stand.address, &load, move |number, out| {
            if let Some((token, fields)) =
                usize::try_from(number).ok().and_then(|at| tokens.get(at))
            {
                load::form_post(&format!("/c/{token}"), &host, fields, out);
            }
        })
        .await
        .map_err(Ended::Refused)
    }
}
