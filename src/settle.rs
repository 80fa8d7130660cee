//! Owns settlement: how final a month is, and the rule that says so.
//!
//! **Invariant:** no clock; a settlement is a function of a manifest and of what was closed.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::books::{Closing, Objection};
use crate::metric::Amounts;
use crate::period::Month;
use crate::snapshot::{Control, Manifest};

/// Days after a month's end for which late cost is expected; AI services arrive last.
pub const SETTLING_DAYS: i32 = 15;

/// Days for which a settled month's bill has not changed.
pub const QUIET_DAYS: i32 = 5;

/// How final a month is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// It is not over.
    Open,
    /// AWS calls its figures estimated.
    Estimated,
    /// It is over; late cost still arrives.
    Settling,
    /// Late cost is not expected.
    Settled,
    /// It was closed, and in spite of what.
    Closed(Option<Objection>),
    /// It was closed with other figures than these.
    Restated,
}

/// A settlement with the rule that moved it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// How final the month is.
    pub settlement: Settlement,
    /// Why, as the end of a sentence.
    pub because: String,
}

impl Settlement {
    /// Returns the word for files.
    pub fn name(self) -> &'static str {
        match self {
            Settlement::Open => "open",
            Settlement::Estimated => "estimated",
            Settlement::Settling => "settling",
            Settlement::Settled => "settled",
            Settlement::Closed(None) => "closed",
            Settlement::Closed(Some(Objection::Open)) => "closed_while_open",
            Settlement::Closed(Some(Objection::Estimated)) => "closed_while_estimated",
            Settlement::Closed(Some(Objection::Partial)) => "closed_while_partial",
            Settlement::Closed(Some(Objection::Moving)) => "closed_while_moving",
            Settlement::Restated => "restated",
        }
    }

    /// Returns the words for people.
    pub fn title(self) -> String {
        self.name().replace('_', " ")
    }

    /// Tells whether no other figures are expected under this name.
    pub fn is_final(self) -> bool {
        matches!(self, Settlement::Settled | Settlement::Closed(None))
    }

    /// Tells whether the month was over and not estimated, so that it compares with another.
    pub fn is_full(self) -> bool {
        let doubtful = [Objection::Open, Objection::Estimated];
        match self {
            Settlement::Open | Settlement::Estimated => false,
            Settlement::Closed(Some(objection)) => !doubtful.contains(&objection),
            Settlement::Settling
            | Settlement::Settled
            | Settlement::Closed(None)
            | Settlement::Restated => true,
        }
    }
}

fn day(at: Timestamp) -> Date {
    TimeZone::UTC.to_datetime(at).date()
}

/// Tells how final a month is, as of the snapshot and of what was closed.
pub fn judge(manifest: &Manifest, month: Month, closing: Option<&Closing>) -> Judgement {
    if let Some(closing) = closing {
        let because = closing.text();
        if closing.is_restated {
            let because = format!("{because}; this is what would be charged now");
            return Judgement { settlement: Settlement::Restated, because };
        }
        let settlement = Settlement::Closed(closing.despite.first().copied());
        return Judgement { settlement, because };
    }
    let (taken, end) = (day(manifest.taken_at), month.plus(1).start());
    let over = (taken - end).get_days();
    let estimated = manifest.bill.iter().filter(|it| it.month == month && it.estimated).count();
    let changed = manifest.changed.get(&month).map(|at| day(*at));
    let (settlement, because) = if taken < end {
        (Settlement::Open, format!("it ends with {}", end - 1.day()))
    } else if estimated > 0 {
        let text = format!("AWS still calls {estimated} of its figures estimated");
        (Settlement::Estimated, text)
    } else if over < SETTLING_DAYS {
        (Settlement::Settling, format!("over for {over} of {SETTLING_DAYS} days"))
    } else {
        match changed {
            Some(changed) if taken < changed + QUIET_DAYS.days() => {
                let text = format!(
                    "changed last on {changed}; settled {QUIET_DAYS} days after the last change"
                );
                (Settlement::Settling, text)
            }
            Some(changed) => {
                let text = format!("over for {over} days, and changed last on {changed}");
                (Settlement::Settled, text)
            }
            None => {
                let text = format!("over for {over} days, and never seen to change since");
                (Settlement::Settled, text)
            }
        }
    };
    Judgement { settlement, because }
}

/// Tells when the bill of each month was last seen to change after the month was over.
///
/// What a month grew by before its end is no change, and what changed before the first snapshot cannot be known.
pub fn changes(
    earlier: &Manifest,
    bill: &[Control],
    taken_at: Timestamp,
) -> BTreeMap<Month, Timestamp> {
    let mut changed = BTreeMap::new();
    for month in earlier.months() {
        let was_over = day(earlier.taken_at) >= month.plus(1).start();
        if was_over && figures(&earlier.bill, month) != figures(bill, month) {
            changed.insert(month, taken_at);
        } else if let Some(at) = earlier.changed.get(&month) {
            changed.insert(month, *at);
        }
    }
    changed
}

/// The figures of a month's bill; one of zero is as good as none.
fn figures(bill: &[Control], month: Month) -> BTreeMap<(&str, &str), Amounts> {
    let of_month = bill.iter().filter(|it| it.month == month && !it.amounts.is_zero());
    of_month.map(|it| ((it.service.as_str(), it.record_type.as_str()), it.amounts)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::Metric;
    use crate::money::Money;

    #[test]
    fn only_what_cannot_change_is_final_and_only_what_is_whole_compares() {
        let closed = |objection| Settlement::Closed(Some(objection));
        for (settlement, name, is_final, is_full) in [
            (Settlement::Open, "open", false, false),
            (Settlement::Estimated, "estimated", false, false),
            (Settlement::Settling, "settling", false, true),
            (Settlement::Settled, "settled", true, true),
            (Settlement::Closed(None), "closed", true, true),
            (closed(Objection::Open), "closed_while_open", false, false),
            (closed(Objection::Estimated), "closed_while_estimated", false, false),
            (closed(Objection::Partial), "closed_while_partial", false, true),
            (closed(Objection::Moving), "closed_while_moving", false, true),
            (Settlement::Restated, "restated", false, true),
        ] {
            assert_eq!(settlement.name(), name);
            assert_eq!(
                (settlement.is_final(), settlement.is_full()),
                (is_final, is_full),
                "{name}"
            );
        }
    }

    #[test]
    fn a_bill_changes_by_its_amounts_and_not_by_figures_of_nothing() {
        let month = Month::parse("2026-10").unwrap();
        let bill = |rows: &[(&str, &str, i128)]| -> Vec<Control> {
            let control = |(service, record_type, cents): &(&str, &str, i128)| {
                let mut amounts = Amounts::ABSENT;
                amounts.put(Metric::UnblendedCost, Some(Money::from_cents(*cents)));
                let (service, record_type) = ((*service).to_owned(), (*record_type).to_owned());
                let (slice, estimated, request) = (String::new(), false, 0);
                Control { slice, month, service, record_type, amounts, estimated, request }
            };
            rows.iter().map(control).collect()
        };
        let then = bill(&[("SageMaker", "Usage", 100), ("SageMaker", "Credit", -5)]);
        for (now, is_same) in [
            (&[("SageMaker", "Credit", -5), ("SageMaker", "Usage", 100)][..], true),
            (&[("SageMaker", "Usage", 100), ("SageMaker", "Credit", -5), ("S3", "Tax", 0)], true),
            (&[("SageMaker", "Usage", 101), ("SageMaker", "Credit", -5)], false),
            // The total is the same, and it is another bill.
            (&[("SageMaker", "Usage", 95)], false),
            (&[("SageMaker", "Usage", 100), ("S3", "Credit", -5)], false),
        ] {
            let now = bill(now);
            assert_eq!(figures(&then, month) == figures(&now, month), is_same, "{now:?}");
            assert_eq!(figures(&now, month.plus(1)), BTreeMap::new());
        }
    }
}
