//! Owns the two changes: activating keys, and asking for a backfill.
//!
//! An answer may be lost after AWS has done what was asked, so what counts is what AWS says when it is read again.
//! **Invariant:** nothing AWS said against a key is lost.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan;

use crate::aws;
use crate::aws::cost_explorer::{Activation, CostExplorer};
use crate::backfill::{HOURS, Known, Past, Radius};
use crate::cli::error::{Failure, Kind};
use crate::money::Money;
use crate::period::Month;
use crate::plan::Stake;
use crate::render::text::dollars;

use super::read;

/// What came of asking for a backfill.
pub(super) enum Started {
    /// It was begun.
    New(Past),
    /// AWS answered with one that it had done before.
    Earlier(Past),
}

/// Keys that AWS was asked to activate and whose status could not be read again.
pub(super) struct Unread {
    outcome: Vec<Activation>,
    error: aws::Error,
}

impl Unread {
    /// Returns why they could not be read.
    pub(super) fn into_error(self) -> aws::Error {
        self.error
    }

    /// Tells what AWS said of each key, and whether it took any.
    pub(super) fn told(self) -> (Failure, bool) {
        let is_any_taken = self.outcome.iter().any(|it| it.refused.is_none());
        let message = "AWS was asked to activate keys, and their status could not be read again";
        let mut failure = Failure { message: message.to_owned(), ..Failure::from(self.error) };
        let of_keys = self.outcome.iter().map(|it| {
            let said = it.refused.as_deref().unwrap_or("AWS took it");
            cause(&it.key, said)
        });
        failure.causes.extend(of_keys);
        failure.hints.push("run it again: what is active is kept".to_owned());
        (failure, is_any_taken)
    }
}

/// Says what AWS said of a key, or of none that it named.
pub(super) fn cause(key: &str, said: &str) -> String {
    if key.is_empty() { said.to_owned() } else { format!("`{key}`: {said}") }
}

/// Returns the keys that are active now; AWS may speak of keys besides them.
pub(super) fn taken<'a>(
    keys: &'a BTreeSet<String>,
    refused: &BTreeMap<String, String>,
) -> Vec<&'a str> {
    keys.iter().map(String::as_str).filter(|key| !refused.contains_key(*key)).collect()
}

/// Activates keys; returns what billing says then, and why some are still not active.
pub(super) async fn activate(
    explorer: &CostExplorer,
    keys: &BTreeSet<String>,
) -> Result<(Known, BTreeMap<String, String>), Unread> {
    let keys: Vec<String> = keys.iter().cloned().collect();
    let outcome = explorer.activate(&keys).await;
    let known = match read(explorer).await {
        Ok(known) => known,
        Err(error) => return Err(Unread { outcome, error }),
    };
    let is_active = |key: &str| known.status(key).is_some_and(|status| status.active == Some(true));
    let mut refused: BTreeMap<String, String> = outcome
        .into_iter()
        .filter(|it| !is_active(&it.key))
        .filter_map(|it| Some((it.key, it.refused?)))
        .collect();
    for key in keys.into_iter().filter(|key| !is_active(key)) {
        refused.entry(key).or_insert_with(|| "AWS took it, and lists it as inactive".to_owned());
    }
    Ok((known, refused))
}

/// Asks for a backfill; `known` is what was read just before.
pub(super) async fn start(
    explorer: &CostExplorer,
    from: Month,
    known: &Known,
) -> Result<Started, aws::Error> {
    let is_old = |past: &Past| known.history.iter().any(|it| it.requested_at == past.requested_at);
    match explorer.start_backfill(from).await {
        Ok(answer) => {
            let past = super::past(&answer)?;
            Ok(if is_old(&past) { Started::Earlier(past) } else { Started::New(past) })
        }
        Err(error) => {
            // A first attempt may have begun it, and then the second one is refused as one too many.
            let again = read(explorer).await.unwrap_or_default();
            let ours = again.history.into_iter().find(|past| past.from == from && !is_old(past));
            ours.map(Started::New).ok_or(error)
        }
    }
}

/// Tells of a backfill that AWS did not take; the one refusal that time mends says when.
pub(super) fn refused(error: aws::Error, known: &Known) -> Failure {
    let last = known.history.iter().map(|past| past.requested_at).max();
    if error.charge_unknown {
        // The answer was lost, and so may be the one to the question whether it began.
        let mut failure = Failure::from(error);
        let hint = "whether AWS began it is not known: `apportion tags status` shows what it has";
        failure.hints.insert(0, hint.to_owned());
        return failure;
    }
    let (true, Some(last)) = (error.code == "BackfillLimitExceededException", last) else {
        return error.into();
    };
    let mut failure = Failure::from(error);
    failure.hints = vec![format!(
        "AWS takes one a day, and may count one that failed: run it again after {}, or stay with `--wait`",
        last + HOURS.hours()
    )];
    failure
}

/// Refuses the answer with an earlier backfill that does not reach as far back as the one that was asked for.
pub(super) fn check_reached(past: &Past, from: Month) -> Result<(), Failure> {
    if past.from <= from {
        return Ok(());
    }
    Err(Failure {
        kind: Kind::Failed,
        message: format!("AWS began no billing backfill from {from}"),
        causes: vec![format!(
            "no key changed its status since the one from {} that was asked for at {} ({}), and AWS answered with \
             that one, which does not reach as far back",
            past.from, past.requested_at, past.status
        )],
        hints: vec!["ask for it again once the status of any key has changed".to_owned()],
    })
}

/// Refuses a backfill as long as a key that loses its history has not been named.
pub(super) fn check_acknowledged(
    radius: &Radius,
    acknowledged: &[String],
    from: Month,
    stakes: &[Stake],
) -> Result<(), Failure> {
    let missing: Vec<&String> =
        radius.at_risk.keys().filter(|key| !acknowledged.contains(key)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let causes = missing.iter().map(|key| {
        let stake = stakes.iter().find(|stake| stake.what == at_risk(key, from));
        let usd = stake.and_then(|stake| stake.amount).map_or_else(
            || "an unknown amount".to_owned(),
            |it: Money| format!("${}", dollars(it)),
        );
        let since = radius.at_risk[*key].map(|at| format!(" since {at}")).unwrap_or_default();
        format!(
            "`{key}` is inactive{since} and would lose {usd} of attributed history from {from} on"
        )
    });
    let flags: Vec<String> = missing
        .iter()
        .map(|key| format!("--acknowledge {}", super::handover::quoted(key)))
        .collect();
    Err(Failure {
        kind: Kind::Failed,
        message: "nothing was changed: the billing backfill would take history away".to_owned(),
        causes: causes.collect(),
        hints: vec![
            format!("if that is meant, say so by name: `{}`", flags.join(" ")),
            "to keep the history, activate those keys before the backfill".to_owned(),
        ],
    })
}

/// Makes the refusal of a loss out of that, where keys were activated before.
pub(super) fn held_back(failure: Failure) -> Failure {
    let message = "the billing backfill was not asked for: it would take history away";
    Failure { message: message.to_owned(), ..failure }
}

/// Returns the name of what a key has to lose.
pub(super) fn at_risk(key: &str, from: Month) -> String {
    format!("history of `{key}` from {from} on")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_aws_says_of_no_key_is_told_and_counts_for_none() {
        let keys = BTreeSet::from(["a".to_owned()]);
        let said = |key: &str| (key.to_owned(), "Odd: no".to_owned());
        let refused = BTreeMap::from([said(""), said("a"), said("another")]);
        assert!(taken(&keys, &refused).is_empty());
        let failure = super::super::apply::not_all(&keys, &refused, false);
        assert_eq!(failure.message, "1 of 1 keys could not be activated");
        assert_eq!(failure.causes, ["Odd: no", "`a`: Odd: no", "`another`: Odd: no"]);
    }

    #[test]
    fn what_aws_said_is_told_though_the_keys_cannot_be_read_again() {
        let unread = |refused: [Option<&str>; 2]| {
            let names = ["a", "b"].into_iter().zip(refused);
            let outcome = names
                .map(|(key, why)| Activation {
                    key: key.to_owned(),
                    refused: why.map(str::to_owned),
                })
                .collect();
            let kind = aws::Kind::Throttled;
            let error = aws::Error::new("Cost Explorer", "List", kind, "Throttling", "slow");
            Unread { outcome, error }.told()
        };
        let (failure, is_any_taken) = unread([None, Some("Odd: no")]);
        assert!(is_any_taken);
        assert_eq!(failure.causes, ["Throttling: slow", "`a`: AWS took it", "`b`: Odd: no"]);
        assert!(!unread([Some("Odd"), Some("Odd")]).1);
    }

    #[test]
    fn a_backfill_that_was_not_taken_is_told_with_what_helps() {
        let past = Past {
            from: Month::parse("2026-01").unwrap(),
            requested_at: "2026-11-19T08:00:00Z".parse().unwrap(),
            status: "FAILED".to_owned(),
        };
        let known = Known { statuses: Vec::new(), history: vec![past] };
        let error = |code: &str| {
            let kind = aws::Kind::Other;
            aws::Error::new("Cost Explorer", "StartCostAllocationTagBackfill", kind, code, "no")
        };
        let hint = |error| refused(error, &known).hints.remove(0);
        let limit = hint(error("BackfillLimitExceededException"));
        assert!(limit.contains("run it again after 2026-11-20T08:00:00Z"), "{limit}");
        let mut unheard = error("NoAnswer");
        unheard.charge_unknown = true;
        let lost = hint(unheard);
        assert!(lost.contains("`apportion tags status`"), "{lost}");
        assert!(!hint(error("ValidationException")).contains("tags status"));
    }
}
