//! Mergers and acquisitions (O4): implicit consent moves to the new brand at most as it stood at the old one.

use super::proof::{Gap, Reader};
use super::weigh::{Outcome, Weighed, german_card};
use super::{Claim, Overlay, Rule, Source, Terms, Verdict};
use crate::domain::time::Timestamp;

/// Weighs a claim of a merger by what stood at the old brand. There the proof is the document of the transfer: it names the
/// original source and its date, not the order or the contract itself.
pub(super) fn weigh(claim: &Claim, terms: &Terms, as_of: Timestamp) -> Weighed {
    let mut weighed = Weighed::of(claim.source.row());
    let mut reader = Reader::open(claim, terms, as_of);
    let original = reader.original();
    let act = reader.day("original_date");
    if let (Some(moved), Some(act)) = (reader.obtained(), act)
        && act > moved
    {
        let after = "the original date lies after the transfer";
        reader.gaps.push(Gap::Contradiction(after));
    }
    let share_deal = reader.share_deal();
    let kind = reader.kind("original_kind");
    // That a notice was sent by other means is the operator's word: kept, and no notice of ours.
    weighed.outcome.notice_due = true;
    weighed.gaps = reader.gaps;
    weighed.act = act;
    weighed.original = original;
    // What was refused at the old brand stays refused, whatever is missing besides.
    if let Some(refused) = original.filter(|source| source.row().verdict == Verdict::Refuse) {
        weighed.fired.push(refused.row().rule);
        weighed.outcome = Outcome::of(refused.row()).from(claim.source);
        return weighed;
    }
    let proven = original.zip(act).filter(|_| weighed.gaps.is_empty());
    let Some((original, act)) = proven else {
        weighed.confirm_first(Rule::D4);
        return weighed;
    };
    carry_over(&mut weighed, original);
    weighed.run_window(original, act, terms, as_of);
    let stricter_in_germany =
        !share_deal && terms.overlays.contains(&Overlay::De) || german_card(original, kind, terms);
    if weighed.outcome.verdict == Verdict::Accept && stricter_in_germany {
        weighed.confirm_first(Rule::De);
    }
    weighed
}

/// At most as it stood: explicit consent to the old brand is implicit here, and what had to be confirmed there has to be here.
fn carry_over(weighed: &mut Weighed, original: Source) {
    let row = original.row();
    weighed.fired.push(row.rule);
    if row.verdict == Verdict::ConfirmFirst {
        weighed.outcome.confirm_first(row.rule);
        weighed.outcome.outreach = weighed.outcome.outreach.max(row.outreach);
    }
}
