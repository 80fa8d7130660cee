//! Owns the suggestion of a budget: a limit, the thresholds that tell something, and why.
//!
//! **Invariant:** a threshold is left out for what it did in the back-test, and 100 % of actual spend never is.

use crate::backtest::{BackTest, Tested, Watch, backtest};
use crate::budget::NotificationKind;
use crate::median::part;
use crate::money::Money;
use crate::outlook::{Basis, NoSuggestion, Options, estimate};
use crate::period::Month;
use crate::rhythm::History;
use crate::trend::Behaviour;

/// The months within or over their limits that a threshold is judged by at least.
const JUDGED_MONTHS_MIN: usize = 3;
/// The thresholds of actual spend that warn before the limit.
const WARNINGS: [Watch; 3] = [Watch::actual(50), Watch::actual(80), Watch::actual(90)];
const FORECAST: Watch = Watch::forecast(100);

/// A budget that is proposed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// The limit of the month.
    pub limit: Money,
    /// Percentages of the limit at which actual spend alerts, in order.
    pub thresholds: Vec<u32>,
    /// The same for forecast spend.
    pub forecast_thresholds: Vec<u32>,
    /// What the limit rests on.
    pub basis: Basis,
    /// What these thresholds would have told in past months.
    pub back_test: BackTest,
    /// The reasons, in sentences.
    pub why: Vec<String>,
}

impl Suggestion {
    /// Returns the thresholds, those of actual spend first.
    pub fn watches(&self) -> Vec<Watch> {
        let actual = self.thresholds.iter().map(|percent| Watch::actual(*percent));
        actual.chain(self.forecast_thresholds.iter().map(|it| Watch::forecast(*it))).collect()
    }
}

/// Proposes a budget for the month after the open one, from everything known by now.
///
/// A forecast of that month from outside is one more estimate; it cannot be tested, since none is kept of the past.
pub fn suggest(
    history: &History,
    open: Month,
    forecast: Option<Money>,
    options: Options,
) -> Result<Suggestion, NoSuggestion> {
    let month = open.plus(1);
    let outlook = estimate(history, month, forecast, options)?;
    let back_test = backtest(history, options);
    let (watches, said) = choose(&back_test.months);
    let percents = |kind: NotificationKind| {
        watches.iter().filter(|it| it.kind == kind).map(|it| it.percent).collect()
    };
    let mut why = reasons(month, &outlook.basis, outlook.limit);
    why.extend(said);
    why.extend(results(&back_test, &watches));
    Ok(Suggestion {
        limit: outlook.limit,
        thresholds: percents(NotificationKind::Actual),
        forecast_thresholds: percents(NotificationKind::Forecast),
        basis: outlook.basis,
        back_test,
        why,
    })
}

/// Chooses thresholds by what each did in the months that were tested.
fn choose(months: &[Tested]) -> (Vec<Watch>, Vec<String>) {
    let limit = Watch::actual(100);
    if months.len() < JUDGED_MONTHS_MIN {
        let said = format!(
            "Thresholds are the usual ones: {} could be tested, and {JUDGED_MONTHS_MIN} are needed to judge them.",
            months_of(months.len()),
        );
        return (vec![WARNINGS[1], limit, FORECAST], vec![said]);
    }
    let (over, within): (Vec<&Tested>, Vec<&Tested>) = months.iter().partition(|it| it.is_over());
    let fired = |watch: Watch| within.iter().filter(|it| it.fired_on(watch).is_some()).count();
    let (mut watches, mut said) = (Vec::new(), Vec::new());
    for watch in WARNINGS {
        let count = fired(watch);
        if count * 2 > within.len() {
            said.push(format!(
                "{} % of actual spend is left out: it would have alerted in {count} of {} that ended within the limit.",
                watch.percent,
                months_of(within.len()),
            ));
        } else {
            watches.push(watch);
        }
    }
    watches.push(limit);
    let is_early = |tested: &&&Tested| {
        tested.fired_on(FORECAST).zip(tested.passed_on).is_some_and(|(told, passed)| told <= passed)
    };
    let (wrong, right) = (fired(FORECAST), over.iter().filter(is_early).count());
    // One alert for nothing is a price that a warning may have; in a quarter of the quiet months it is noise.
    if wrong > 1 && (wrong * 4 > within.len() || wrong > right) {
        said.push(format!(
            "100 % of forecast spend is left out: it would have alerted in {wrong} of {} that ended within the limit, and warned of {right} of {} that did not.",
            months_of(within.len()),
            over.len(),
        ));
    } else {
        watches.push(FORECAST);
    }
    (watches, said)
}

fn reasons(month: Month, basis: &Basis, limit: Money) -> Vec<String> {
    let mut why = vec![format!(
        "{} {}.",
        behaviour(basis),
        match basis.month_count {
            0 => format!("by the last four weeks, a week costs about {}", cents(basis.level)),
            count => format!("by {}, a week costs about {}", months_of(count), cents(basis.level)),
        },
    )];
    if !basis.trend.is_zero() {
        let more = if basis.trend > Money::ZERO { "more" } else { "less" };
        why.push(format!(
            "A week costs {} {more} from month to month, and this goes on in {month}.",
            cents(basis.trend.abs()),
        ));
    }
    let estimates = [
        ("months before", basis.by_months),
        ("last four weeks", basis.by_weeks),
        ("forecast given", basis.by_forecast),
    ];
    let estimates: Vec<String> = estimates
        .iter()
        .filter_map(|(by, amount)| amount.map(|it| format!("{} by the {by}", cents(it))))
        .collect();
    let expected = cents(basis.expected);
    let limit = format!("with {} of headroom the limit is {limit}", cents(basis.headroom));
    why.push(format!(
        "{month} is expected to come to {expected} ({}); {limit}.",
        estimates.join(", ")
    ));
    let doubled = basis.expected + basis.expected;
    if basis.by_forecast.is_some_and(|it| it > doubled || it < part(basis.expected, 2)) {
        why.push("The forecast given is far from what the past shows: look into it.".to_owned());
    }
    why
}

fn behaviour(basis: &Basis) -> &'static str {
    match basis.behaviour {
        Behaviour::Steady => "Cost is steady:",
        Behaviour::Growing => "Cost grows:",
        Behaviour::Shrinking => "Cost shrinks:",
        Behaviour::Weekly => "Cost is steady and falls on the same days of each week:",
        Behaviour::Spiky => "Cost is uneven, and a month of bursts is meant to pass the limit:",
        Behaviour::New => "The owner is new, so a quarter is added:",
    }
}

/// Says what the chosen thresholds would have told, and what was not tested.
fn results(back_test: &BackTest, watches: &[Watch]) -> Vec<String> {
    let tally = back_test.tally(watches);
    let mut said = Vec::new();
    if tally.tested_count > 0 {
        said.push(format!(
            "Tested on {}: {} ended over the limit, {} told in time, {} missed, {} for nothing.",
            months_of(tally.tested_count),
            tally.over_count,
            tally.in_time_count,
            tally.missed_count,
            match tally.false_count {
                1 => "1 alert".to_owned(),
                count => format!("{count} alerts"),
            },
        ));
    } else {
        said.extend(back_test.lacking());
    }
    if let Some(overshoot) = back_test.overshoot {
        said.push(format!(
            "On a day like {} another {} to {} is spent between two updates of AWS Budgets.",
            overshoot.day,
            cents(overshoot.in_8_hours),
            cents(overshoot.in_12_hours),
        ));
    }
    said
}

fn months_of(count: usize) -> String {
    if count == 1 { "1 month".to_owned() } else { format!("{count} months") }
}

/// An amount in whole cents, for sentences only.
fn cents(amount: Money) -> Money {
    Money::from_cents(amount.cents())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// A month of the 100 % of a limit, over it or not, with the thresholds that alerted.
    fn tested(is_over: bool, fired: &[Watch]) -> Tested {
        let month = Month::parse("2026-07").expect("a month");
        let day = month.start();
        let alerts: BTreeMap<Watch, _> = fired.iter().map(|watch| (*watch, day)).collect();
        Tested {
            month,
            limit: Money::from_cents(100),
            actual: Money::from_cents(if is_over { 101 } else { 99 }),
            passed_on: is_over.then(|| month.period().last()),
            alerts,
        }
    }

    #[test]
    fn a_threshold_that_would_be_noise_is_left_out_and_said() {
        let [at_50, at_80, at_90] = WARNINGS;
        let quiet = || tested(false, &[]);
        let warned = || tested(true, &[FORECAST]);
        let wrong = || tested(false, &[FORECAST]);
        for (what, months, expected, said) in [
            ("too few", vec![tested(false, &WARNINGS); 2], "80 100 / 100", 1),
            ("most", vec![tested(false, &[at_50]); 3], "80 90 100 / 100", 1),
            ("all", vec![tested(false, &WARNINGS); 3], "100 / 100", 3),
            (
                "half",
                vec![quiet(), quiet(), tested(false, &[at_80]), tested(false, &[at_80, at_90])],
                "50 80 90 100 / 100",
                0,
            ),
            ("over", vec![tested(true, &WARNINGS); 3], "50 80 90 100 / 100", 0),
            ("wrong once", vec![quiet(), quiet(), wrong()], "50 80 90 100 / 100", 0),
            ("wrong twice", [vec![quiet(); 8], vec![wrong(); 2]].concat(), "50 80 90 100 / ", 1),
            (
                "right too",
                [vec![quiet(); 8], vec![wrong(); 2], vec![warned(); 2]].concat(),
                "50 80 90 100 / 100",
                0,
            ),
            (
                "wrong often",
                [vec![quiet(); 4], vec![wrong(); 2], vec![warned(); 9]].concat(),
                "50 80 90 100 / ",
                1,
            ),
        ] {
            let (watches, reasons) = choose(&months);
            let of = |kind: NotificationKind| {
                let of_kind = watches.iter().filter(|watch| watch.kind == kind);
                of_kind.map(|watch| watch.percent.to_string()).collect::<Vec<String>>().join(" ")
            };
            let chosen = [NotificationKind::Actual, NotificationKind::Forecast].map(of).join(" / ");
            assert_eq!((chosen.as_str(), reasons.len()), (expected, said), "{what}: {reasons:?}");
        }
    }
}
