//! Owns the value axis of a chart: its bounds, ticks, tick labels and exact way to pixels.
//!
//! **Invariant:** amounts reach pixels by integers only, so a chart needs no float of its own.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

use crate::render::text;

/// Far beyond any bill, and far enough below the range of `i128` to round up to a tick.
const VALUE_MAX: i128 = 10_i128.pow(37);
const PLACES: u32 = 12;

/// A scale of equal steps from `low` to `high`, both of them ticks, with zero in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Axis {
    pub(super) low: i128,
    pub(super) high: i128,
    pub(super) step: i128,
}

impl Axis {
    /// Returns the scale that holds zero and all values in about `step_count` round steps.
    pub(super) fn around(values: impl Iterator<Item = i128>, step_count: i128) -> Axis {
        let (low, high) = values.fold((0, 0), |(low, high): (i128, i128), value| {
            let value = value.clamp(-VALUE_MAX, VALUE_MAX);
            (low.min(value), high.max(value))
        });
        let high = if low == high { 10_i128.pow(PLACES) } else { high };
        let step = round_step((high - low).div_ceil_by(step_count));
        Axis { low: low.div_euclid(step) * step, high: high.div_ceil_by(step) * step, step }
    }

    /// Returns the values that get a line and a label.
    pub(super) fn ticks(&self) -> Vec<i128> {
        let mut ticks = Vec::new();
        let mut tick = self.low;
        while tick <= self.high {
            ticks.push(tick);
            tick += self.step;
        }
        ticks
    }

    /// Returns the label of an amount in 10⁻¹² units, with no more places than the steps need.
    pub(super) fn amount_label(&self, units: i128) -> String {
        let places = (0..=PLACES)
            .find(|places| self.step % 10_i128.pow(PLACES - places) == 0)
            .expect("a step is a whole number of units");
        // Half dollars read as 0.50, like money does everywhere else.
        let places = if places == 1 { 2 } else { places };
        text::grouped(units / 10_i128.pow(PLACES - places), places)
    }
}

/// Rounds up to 1, 2, 2.5 or 5 times a power of ten.
fn round_step(step: i128) -> i128 {
    let power = 10_i128.pow(step.ilog10());
    // A quarter of ten units is no whole number, so the smallest scale does without.
    let quarter = if power == 1 { 5 } else { power * 5 / 2 };
    [power, power * 2, quarter, power * 5, power * 10]
        .into_iter()
        .find(|round| *round >= step)
        .expect("ten times its power of ten is above any number")
}

/// Division towards positive infinity, which `i128` lacks.
trait DivCeil {
    fn div_ceil_by(self, divisor: i128) -> i128;
}

impl DivCeil for i128 {
    fn div_ceil_by(self, divisor: i128) -> i128 {
        -(-self).div_euclid(divisor)
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = i128;

    fn map(&self, value: &i128, limit: (i32, i32)) -> i32 {
        // A millionth of the scale is far below a pixel, and keeps the product within range.
        let grain = ((self.high - self.low) / 1_000_000).max(1);
        let part = (*value.clamp(&self.low, &self.high) - self.low) / grain;
        let whole = (self.high - self.low) / grain;
        let length = i128::from(limit.1 - limit.0);
        let pixels = (part * length * 2 + whole).div_euclid(whole * 2);
        limit.0 + i32::try_from(pixels).expect("a part of a picture fits the picture")
    }

    fn key_points<Hint: KeyPointHint>(&self, _hint: Hint) -> Vec<i128> {
        self.ticks()
    }

    fn range(&self) -> Range<i128> {
        self.low..self.high
    }
}

impl ValueFormatter<i128> for Axis {
    fn format_ext(&self, value: &i128) -> String {
        self.amount_label(*value)
    }
}

/// The other axis: months or names, whose places are reckoned in pixels and labelled apart.
pub(super) struct Plain;

impl Ranged for Plain {
    type FormatOption = NoDefaultFormatting;
    type ValueType = ();

    fn map(&self, (): &(), limit: (i32, i32)) -> i32 {
        limit.0
    }

    fn key_points<Hint: KeyPointHint>(&self, _hint: Hint) -> Vec<()> {
        Vec::new()
    }

    fn range(&self) -> Range<()> {
        ()..()
    }
}

impl ValueFormatter<()> for Plain {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Money;

    fn labels(amounts: &[&str]) -> String {
        let units = amounts.iter().map(|amount| Money::parse(amount).unwrap().units());
        let axis = Axis::around(units, 5);
        axis.ticks().iter().map(|tick| axis.amount_label(*tick)).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn ticks_are_round_and_hold_all_values() {
        for (amounts, expected) in [
            (&[][..], "0.00 0.20 0.40 0.60 0.80 1.00"),
            (&["0"], "0.00 0.20 0.40 0.60 0.80 1.00"),
            (&["1234.5"], "0 250 500 750 1,000 1,250"),
            (&["48000", "-1"], "-10,000 0 10,000 20,000 30,000 40,000 50,000"),
            (&["-12", "-3"], "-12.50 -10.00 -7.50 -5.00 -2.50 0.00"),
            (&["0.07"], "0.00 0.02 0.04 0.06 0.08"),
            (&["0.000000000001"], "0.000000000000 0.000000000001"),
            (
                &["98765432101.5"],
                "0 20,000,000,000 40,000,000,000 60,000,000,000 80,000,000,000 100,000,000,000",
            ),
        ] {
            assert_eq!(labels(amounts), expected, "{amounts:?}");
        }
    }

    #[test]
    fn the_ends_of_the_scale_are_the_ends_of_the_picture() {
        for high in [1, 7, 10_i128.pow(12), VALUE_MAX, i128::MAX] {
            let axis = Axis::around([high, -high].into_iter(), 5);
            assert_eq!(axis.map(&axis.low, (400, 100)), 400);
            assert_eq!(axis.map(&axis.high, (400, 100)), 100);
            assert_eq!(axis.map(&0, (400, 100)), 250);
            assert_eq!(axis.map(&i128::MAX, (0, 100)), 100);
        }
    }
}
