//! Owns the proof that budgets of AWS watch the money that their filters and metrics name.
//!
//! A budget is compared with the bill under its own filter and metric, never with what teams are charged.
//! **Invariant:** what cannot be judged is said to be so, never taken for fine.

use std::collections::BTreeMap;

use jiff::{Timestamp, ToSpan};

use crate::allowance::{self, End, LAG_DAYS};
use crate::band::Band;
use crate::budget::{self, AwsBudget};
use crate::cause;
use crate::criterion::Criterion;
use crate::finding::{Finding, Kind, Said, Severity};
use crate::ground::Ground;
use crate::limit::Cycle;
use crate::metric::Metric;
use crate::money::Money;
use crate::period::day_of;
use crate::reading::Reading;
use crate::snapshot::Snapshot;

/// What to do where a budget shows nothing.
const COMPARE: &str = "compare its filter, key by key and value by value, with what the bill has; \
                       Cost Explorer shows both";

/// What parts the least and the most of a budget.
enum Parted {
    /// Lag and growth, and next to nothing else.
    ByLag,
    /// What records do not tell; if all of it counts, a budget that shows nothing is in the wrong, whatever lag hides.
    ByDoubt { is_due: bool },
}

/// A budget beside the bill.
struct Case<'a> {
    budget: &'a AwsBudget,
    snapshot: &'a Snapshot,
    ground: &'a Ground<'a>,
    filter: &'a Criterion,
    reading: Reading,
    cycle: Option<Cycle>,
    now: Timestamp,
}

/// Looks at every budget; `ours` has the metric that the configuration wants, by the name in AWS.
pub fn verify(
    budgets: &[AwsBudget],
    snapshot: &Snapshot,
    ours: &BTreeMap<String, Metric>,
    now: Timestamp,
) -> Vec<Finding> {
    let ground = Ground::new(snapshot);
    let known = cause::Known::of(snapshot);
    let mut findings = Vec::new();
    for budget in budgets {
        let filter = Criterion::parse(budget.filter.as_ref());
        let reading = ground.read(&filter);
        let cycle = Cycle::of_aws(&budget.time_unit);
        let case = Case { budget, snapshot, ground: &ground, filter: &filter, reading, cycle, now };
        if let Some(why) = &budget.unreadable {
            let fix = "look at it in the Billing console; it is not judged until it can be read";
            let text = format!("it could not be read: {why}");
            findings.push(
                case.finding(
                    Said::new(Kind::Unjudged, Severity::Warning, text, fix),
                    Band::default(),
                ),
            );
            continue;
        }
        let is_of_view = case.is_of_view();
        let own = budget.metric.filter(|_| is_of_view);
        let own = own.map_or_else(Band::default, |metric| case.allowed(metric));
        let mut of_budget = Vec::new();
        for said in cause::all(budget, &filter, ours.get(&budget.name).copied(), &known) {
            // What a budget would show with its prefixes is what it does not watch.
            let band = match (said.kind, budget.metric, cycle) {
                (Kind::MissingPrefix, Some(metric), Some(cycle)) if is_of_view => {
                    let mended = ground.read(&filter.mended());
                    allowance::allowed(&mended, &snapshot.manifest, metric, cycle, now)
                }
                _ => own.clone(),
            };
            of_budget.push(case.finding(said, band));
        }
        let is_explained = of_budget.iter().any(|it| it.severity == Severity::Error);
        let compared = case.compare(&own);
        let is_found = !of_budget.is_empty();
        if !(is_explained || is_found && compared.kind == Kind::Fine) {
            of_budget.push(case.finding(compared, own));
        }
        of_budget.sort_by_key(|it| (it.severity, it.kind));
        findings.extend(of_budget);
    }
    findings
}

impl Case<'_> {
    fn allowed(&self, metric: Metric) -> Band {
        self.allowed_of(&self.reading, metric)
    }

    fn allowed_of(&self, reading: &Reading, metric: Metric) -> Band {
        let Some(cycle) = self.cycle else { return Band::default() };
        allowance::allowed(reading, &self.snapshot.manifest, metric, cycle, self.now)
    }

    fn finding(&self, said: Said, band: Band) -> Finding {
        let Said { kind, severity, text, fix } = said;
        let budget = self.budget;
        let is_amiss = [Kind::ShowsNothing, Kind::Off, Kind::WrongMetric].contains(&kind);
        Finding {
            budget: budget.name.clone(),
            kind,
            severity,
            cycle: self.cycle.map_or_else(|| budget.time_unit.clone(), |it| it.name().to_owned()),
            metric: budget.metric,
            shown: budget.actual,
            off_by: budget.actual.filter(|_| is_amiss).and_then(|shown| beyond(shown, &band)),
            band,
            currency: budget.currency.clone(),
            text,
            fix,
        }
    }

    /// Tells whether it counts the same billing view as the snapshot.
    fn is_of_view(&self) -> bool {
        let taken = self.snapshot.manifest.billing_view.as_deref();
        let taken = taken.filter(|view| !budget::is_own_view(&self.budget.account, view));
        self.budget.billing_view.as_deref() == taken
    }

    /// Puts what AWS shows beside what the bill explains.
    fn compare(&self, own: &Band) -> Said {
        let budget = self.budget;
        if let Some(said) = self.too_early() {
            return said;
        }
        let unjudged = |severity, text: String| Said::new(Kind::Unjudged, severity, text, "");
        if !self.is_of_view() {
            let text = "it counts a billing view that is not the snapshot's";
            return unjudged(Severity::Warning, text.to_owned());
        }
        let Some(shown) = budget.actual else {
            return unjudged(Severity::Warning, "AWS tells no spend of it".to_owned());
        };
        if self.cycle.is_none() {
            let text = format!("a budget of the period `{}` does not begin anew", budget.time_unit);
            return unjudged(Severity::Warning, text);
        }
        if budget.currency != self.snapshot.manifest.currency {
            let text = format!("the bill is in {}", self.snapshot.manifest.currency);
            return unjudged(Severity::Warning, text);
        }
        let Some(metric) = budget.metric else {
            let text = "it counts in a metric that is not in the snapshot";
            return unjudged(Severity::Warning, text.to_owned());
        };
        if beyond(shown, own).is_some() {
            return self.amiss(metric, shown, own);
        }
        let doubts = told(own);
        if own.least.is_none() && own.most.is_none() {
            return unjudged(Severity::Warning, format!("the bill does not tell{doubts}"));
        }
        if own.least.is_none() || own.most.is_none() {
            let text = format!("the bill tells one bound alone, and the figure keeps it{doubts}");
            return unjudged(Severity::Info, text);
        }
        if doubts.is_empty() {
            return Said::new(Kind::Fine, Severity::Info, "the bill explains it", "");
        }
        let between = "it lies between what the bill is sure of and what it may have";
        match self.parted(metric, own) {
            Parted::ByLag => {
                Said::new(Kind::Fine, Severity::Info, format!("{between}{doubts}"), "")
            }
            Parted::ByDoubt { is_due: true } if shown.is_zero() => {
                let text = format!("it shows nothing, and the bill may have something{doubts}");
                Said::new(Kind::ShowsNothing, Severity::Warning, text, COMPARE)
            }
            Parted::ByDoubt { .. } => unjudged(Severity::Info, format!("{between}{doubts}")),
        }
    }

    /// Tells what parts the bounds of a budget.
    fn parted(&self, metric: Metric, own: &Band) -> Parted {
        let Some(cycle) = self.cycle else { return Parted::ByDoubt { is_due: false } };
        let manifest = &self.snapshot.manifest;
        let settled =
            |end| allowance::settled(&self.reading, manifest, metric, cycle, self.now, end);
        let width = |band: &Band| Some(band.most? - band.least?);
        let (least, most) = (settled(End::Least), settled(End::Most));
        let alone = width(&least).into_iter().chain(width(&most)).min();
        let cent = Money::from_cents(1);
        if width(own).zip(alone).is_some_and(|(own, alone)| own <= alone + cent) {
            return Parted::ByLag;
        }
        Parted::ByDoubt { is_due: most.least.is_some_and(|least| least > cent) }
    }

    /// Tells why it is too early to compare.
    fn too_early(&self) -> Option<Said> {
        let skipped = |text: &str| {
            let fix = "look again tomorrow";
            Some(Said::new(Kind::Skipped, Severity::Info, text, fix))
        };
        let is_fresh = |at: Timestamp| at > self.now - 24.hours();
        if self.budget.updated_at.is_some_and(is_fresh) {
            return skipped("it was changed within a day, and AWS resets its spend");
        }
        let today = day_of(self.now);
        let run = self.cycle.filter(|cycle| *cycle != Cycle::Daily)?.run(today);
        if run.start + LAG_DAYS.days() > today {
            return skipped("its run has just begun, and AWS may still show the one before");
        }
        None
    }

    /// Says what is wrong with a figure that the bill does not explain.
    fn amiss(&self, metric: Metric, shown: Money, own: &Band) -> Said {
        let error = Severity::Error;
        if shown.is_zero() {
            let text = "it shows nothing, and the bill under its filter has something";
            return Said::new(Kind::ShowsNothing, error, text, COMPARE);
        }
        let fits = |other: &Metric| {
            let band = self.allowed(*other);
            *other != metric
                && band.least.is_some()
                && band.most.is_some()
                && beyond(shown, &band).is_none()
        };
        let fitting: Vec<Metric> = Metric::ALL.into_iter().filter(fits).collect();
        if let [only] = fitting[..] {
            let text = format!("its figure is what the bill has as {}", only.title());
            let fix = format!("compare what `Metrics` has in AWS with `{}`", metric.aws_name());
            return Said::new(Kind::WrongMetric, error, text, fix);
        }
        let side = if own.least.is_some_and(|least| shown < least) { "less" } else { "more" };
        let doubting = self.allowed_of(&self.ground.read_doubting(self.filter), metric);
        if beyond(shown, &doubting).is_none() {
            let text = format!(
                "it shows {side} than the bill explains, unless tags of one record name different domains"
            );
            let fix =
                "look in Cost Explorer, under the same filter, for tags that contradict each other";
            return Said::new(Kind::Off, Severity::Warning, text, fix);
        }
        let text = format!("it shows {side} than the bill explains{}", told(own));
        let fix = "compare its filter with Cost Explorer's answer to the same filter";
        // A budget of the older make may leave record types out, and shows no sign of it where it has no filter.
        let is_whole = *self.filter == Criterion::parse(None);
        let severity = if is_whole { Severity::Warning } else { error };
        Said::new(Kind::Off, severity, text, fix)
    }
}

/// Tells the doubts of a band in a clause.
fn told(band: &Band) -> String {
    let doubts: Vec<String> = band.doubts.iter().map(ToString::to_string).collect();
    if doubts.is_empty() { String::new() } else { format!(": {}", doubts.join("; ")) }
}

/// Returns by how much an amount lies beyond a band; AWS rounds what it shows, so a cent is nothing.
fn beyond(shown: Money, band: &Band) -> Option<Money> {
    let under = band.least.map(|least| least - shown);
    let over = band.most.map(|most| shown - most);
    under.into_iter().chain(over).find(|it| *it > Money::from_cents(1))
}
