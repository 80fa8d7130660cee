//! Owns reconciliation: every sum against the control total that was fetched beside it.
//!
//! **Invariant:** a residual is never dropped; within the tolerance it is a line of its own, beyond it a failure.

use std::collections::BTreeMap;
use std::fmt;

use crate::metric::{Amounts, Metric};
use crate::money::Money;
use crate::period::Month;
use crate::records::Record;
use crate::request::is_in_scope;
use crate::snapshot::{Control, Manifest};

/// The name under which a difference between the bill and its slices is shown.
pub const WHOLE_SCOPE: &str = "scope";
/// The record type of tax.
pub const TAX: &str = "Tax";

/// What is compared: a month, a slice, a service and a record type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The month.
    pub month: Month,
    /// The slice, or [`WHOLE_SCOPE`].
    pub slice: String,
    /// The service.
    pub service: String,
    /// The record type.
    pub record_type: String,
}

/// A control less what was summed, where that is not zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Residual {
    /// Where.
    pub place: Place,
    /// Control less sum.
    pub amounts: Amounts,
    /// Whether the figures are estimated.
    pub estimated: bool,
    /// Whether it is there because a request stayed unanswered.
    pub is_missing: bool,
}

/// A residual that rounding does not explain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// Where.
    pub place: Place,
    /// The metric.
    pub metric: Metric,
    /// The control total.
    pub control: Money,
    /// What the parts sum to.
    pub sum: Money,
    /// What rounding can add up to.
    pub tolerance: Money,
}

/// What a comparison found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Every difference that is not zero.
    pub residuals: Vec<Residual>,
    /// Those that rounding does not explain.
    pub mismatches: Vec<Mismatch>,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { month, slice, service, record_type } = &self.place;
        write!(
            formatter,
            "{month}, slice `{slice}`, {service}, {record_type}: {} is {} by its control and {} by its parts, difference {}",
            self.metric.title(),
            self.control,
            self.sum,
            self.control - self.sum
        )
    }
}

/// The rounding that one amount of an answer can hide: half a unit at the finest scale seen, at most 10⁻⁸.
fn rounding(scale: Option<u32>) -> Money {
    let units = match scale {
        None => 0,
        Some(scale) if scale >= 12 => 1,
        Some(scale) => (10_i128.pow(12 - scale) / 2).min(10_000),
    };
    Money::from_units(units)
}

/// A sum under way: amounts and the rounding that they can hide.
#[derive(Clone)]
struct Sum {
    amounts: Amounts,
    tolerance: [Money; 4],
}

impl Sum {
    const EMPTY: Sum = Sum { amounts: Amounts::ZERO, tolerance: [Money::ZERO; 4] };

    fn add(&mut self, amounts: &Amounts, scales: &[Option<u32>; 4]) {
        self.amounts.add(amounts);
        for (tolerance, scale) in self.tolerance.iter_mut().zip(scales) {
            *tolerance += rounding(*scale);
        }
    }
}

/// Tells whether a control of the bill is tax.
pub fn is_tax(control: &Control) -> bool {
    control.record_type == TAX || control.service == TAX
}

/// Tells whether a control of the bill is support, and not the tax on it.
pub fn is_support(control: &Control) -> bool {
    !is_tax(control) && control.service.contains("Support")
}

/// Whether a control belongs to the scope by its service alone; tax is never asked for within it.
pub fn is_scope_control(control: &Control) -> bool {
    is_in_scope(&control.service) && control.record_type != TAX
}

/// Compares the bill with its slices, and each slice's control with its cells.
pub fn reconcile(manifest: &Manifest, records: impl Iterator<Item = Record>) -> Findings {
    let scales: BTreeMap<u32, [Option<u32>; 4]> =
        manifest.asked.iter().map(|asked| (asked.number, asked.scales)).collect();
    let scales_of = |request: u32| scales.get(&request).copied().unwrap_or_default();
    let mut cells: BTreeMap<Place, Sum> = BTreeMap::new();
    for record in records {
        let place = Place {
            month: Month::of(record.start),
            slice: record.slice,
            service: record.service,
            record_type: record.record_type,
        };
        let sum = cells.entry(place).or_insert(Sum::EMPTY);
        sum.add(&record.amounts, &scales_of(record.request));
    }
    let mut slices: BTreeMap<Place, Sum> = BTreeMap::new();
    let mut findings = Findings::default();
    for control in &manifest.controls {
        let place = place_of(control, &control.slice);
        let scales = scales_of(control.request);
        if is_scope_control(control) {
            let whole = place_of(control, WHOLE_SCOPE);
            slices.entry(whole).or_insert(Sum::EMPTY).add(&control.amounts, &scales);
        }
        let sum = cells.remove(&place).unwrap_or(Sum::EMPTY);
        let Place { month, slice, service, record_type } = &place;
        if manifest.is_missing(*month, slice, service, record_type) {
            findings.lack(place, control, &sum);
        } else {
            findings.compare(place, control, sum, &scales);
        }
    }
    for control in manifest.bill.iter().filter(|control| is_scope_control(control)) {
        let place = place_of(control, WHOLE_SCOPE);
        let sum = slices.remove(&place).unwrap_or(Sum::EMPTY);
        findings.compare(place, control, sum, &scales_of(control.request));
    }
    // What has parts and no control at all is compared with zero.
    for (place, sum) in cells.into_iter().chain(slices) {
        let control = Control {
            slice: place.slice.clone(),
            month: place.month,
            service: place.service.clone(),
            record_type: place.record_type.clone(),
            amounts: Amounts::ZERO,
            estimated: manifest.is_estimated(place.month),
            request: 0,
        };
        findings.compare(place, &control, sum, &[None; 4]);
    }
    findings
}

fn place_of(control: &Control, slice: &str) -> Place {
    Place {
        month: control.month,
        slice: slice.to_owned(),
        service: control.service.clone(),
        record_type: control.record_type.clone(),
    }
}

impl Findings {
    fn compare(
        &mut self,
        place: Place,
        control: &Control,
        mut sum: Sum,
        scales: &[Option<u32>; 4],
    ) {
        let mut residual = control.amounts;
        residual.subtract(&sum.amounts);
        if residual.is_zero() {
            return;
        }
        sum.add(&Amounts::ZERO, scales);
        for metric in Metric::ALL {
            let (Some(difference), Some(whole)) =
                (residual.get(metric), control.amounts.get(metric))
            else {
                continue;
            };
            let tolerance = sum.tolerance[metric.index()];
            if difference.abs() > tolerance {
                self.mismatches.push(Mismatch {
                    place: place.clone(),
                    metric,
                    control: whole,
                    sum: whole - difference,
                    tolerance,
                });
            }
        }
        self.residuals.push(Residual {
            place,
            amounts: residual,
            estimated: control.estimated,
            is_missing: false,
        });
    }

    /// Takes the whole control as a residual, since its parts were never answered.
    fn lack(&mut self, place: Place, control: &Control, sum: &Sum) {
        let mut amounts = control.amounts;
        amounts.subtract(&sum.amounts);
        if !amounts.is_zero() {
            let estimated = control.estimated;
            self.residuals.push(Residual { place, amounts, estimated, is_missing: true });
        }
    }
}

/// The control total of the scope in a month: the bill's own services without tax, and of other services what a key claims.
pub fn scope_total(manifest: &Manifest, month: Month) -> Amounts {
    let own = manifest.bill.iter().filter(|control| is_scope_control(control));
    let claimed = manifest.controls.iter().filter(|control| !is_in_scope(&control.service));
    own.chain(claimed)
        .filter(|control| control.month == month)
        .map(|control| &control.amounts)
        .sum()
}

/// One step from the whole bill to the scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What is shown.
    pub what: String,
    /// Its amounts; what is taken away is negative.
    pub amounts: Amounts,
}

/// The bridge of a month: the bill, less other services, less tax, less support, is the scope.
///
/// A service of which a key claims a part is other but for that part.
pub fn bridge(manifest: &Manifest, month: Month) -> Vec<Step> {
    let mut bill = Amounts::ZERO;
    let (mut tax, mut support, mut others) = (Amounts::ZERO, Amounts::ZERO, Amounts::ZERO);
    for control in manifest.bill.iter().filter(|control| control.month == month) {
        bill.add(&control.amounts);
        if is_tax(control) {
            tax.subtract(&control.amounts);
        } else if is_support(control) {
            support.subtract(&control.amounts);
        } else if !is_in_scope(&control.service) {
            others.subtract(&control.amounts);
        }
    }
    for control in manifest.controls.iter().filter(|control| control.month == month) {
        if !is_in_scope(&control.service) {
            others.add(&control.amounts);
        }
    }
    let steps = [
        ("The whole bill", bill),
        ("Other services", others),
        ("Tax", tax),
        ("Support", support),
        ("SageMaker and what carries its tags (control total)", scope_total(manifest, month)),
    ];
    steps.into_iter().map(|(what, amounts)| Step { what: what.to_owned(), amounts }).collect()
}

/// Tells by how much the bridge fails to foot, a metric; zero where it foots.
pub fn bridge_gap(steps: &[Step]) -> Amounts {
    let (last, parts) = steps.split_last().expect("a bridge has steps");
    let mut gap: Amounts = parts.iter().map(|step| &step.amounts).sum();
    gap.subtract(&last.amounts);
    gap
}
