//! Owns the charts of a report: what goes in, and the picture that comes out.
//!
//! **Invariant:** the same input gives the same bytes, and no word overlaps another or leaves the sheet.

mod axis;
mod bars;
mod canvas;
mod frame;
mod stack;

use crate::money::Money;
use crate::period::Month;

pub use bars::bars;
pub use stack::{coverage, trend};

/// A picture in both forms, made from the same tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawing {
    /// SVG without scripts, fonts or links: all words are paths.
    pub svg: String,
    /// PNG at twice the size.
    pub png: Vec<u8>,
}

/// What stands above a chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caption {
    /// What is shown.
    pub title: String,
    /// The metric, the accounts and whether anything is an estimate.
    pub subtitle: String,
    /// What the value axis counts: the currency, or `share of cost`.
    pub unit: String,
}

/// A month on the time axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The month.
    pub month: Month,
    /// Whether its amounts may still move; such a month is hatched.
    pub estimated: bool,
    /// Whether owners do not compare with the month before; such a month begins at a dashed line.
    pub breaks: bool,
}

/// Amounts by month, stacked by series.
///
/// The largest eight series are shown, the others are added up as "other".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trend {
    /// What stands above the chart.
    pub caption: Caption,
    /// The months, in order.
    pub months: Vec<Slot>,
    /// The name of each series and its amount in each month.
    pub series: Vec<(String, Vec<Money>)>,
}

/// Amounts by name, as horizontal bars in the order given.
///
/// The first few are shown, the amount of the others is a row without a bar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bars {
    /// What stands above the chart.
    pub caption: Caption,
    /// The name and the amount of each bar.
    pub bars: Vec<(String, Money)>,
    /// How many of them get a bar.
    pub limit: usize,
}

/// How much of each month's cost has an owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// What stands above the chart.
    pub caption: Caption,
    /// The months, in order.
    pub months: Vec<Covered>,
}

/// One month's cost by how well it is explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Covered {
    /// The month.
    pub slot: Slot,
    /// Cost with an owner of its own.
    pub attributed: Money,
    /// Cost moved to owners by a rule.
    pub shared: Money,
    /// Cost without an owner.
    pub unattributed: Money,
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;

    const LONG: &str = "0f8fad5b-d9cb-469f-a165-70867728950e/platform-engineering-and-<b>&\u{1}";

    fn caption() -> Caption {
        let subtitle = "Net amortized cost in USD, the last month is estimated. ".repeat(9);
        Caption { title: LONG.repeat(3), subtitle, unit: "USD".into() }
    }

    fn slots(count: i32) -> Vec<Slot> {
        let first = Month::parse("2025-10").unwrap();
        (0..count)
            .map(|index| Slot {
                month: first.plus(index),
                estimated: index > 10 || count < 3,
                breaks: index == 4,
            })
            .collect()
    }

    fn sample_trend(month_count: i32, series_count: i128, unit: i128) -> Trend {
        let months = slots(month_count);
        let amounts = |series: i128| {
            (0..i128::from(month_count))
                .map(|month| {
                    let sign = if (series + month) % 4 == 3 { -1 } else { 1 };
                    Money::from_units(sign * unit * (100 + (series * 7 + month * 5) % 41))
                })
                .collect()
        };
        let series = (0..series_count).map(|index| (format!("{index}{LONG}"), amounts(index)));
        Trend { caption: caption(), months, series: series.collect() }
    }

    fn sample_bars(count: i128, unit: i128) -> Bars {
        let amount = |index| Money::from_units(unit * (count - index - 2));
        let bars = (0..count).map(|index| (format!("{index}{LONG}"), amount(index))).collect();
        Bars { caption: caption(), bars, limit: 20 }
    }

    fn sample_coverage(month_count: i32, parts: [i128; 3]) -> Coverage {
        let [attributed, shared, unattributed] = parts.map(Money::from_cents);
        let months = slots(month_count)
            .into_iter()
            .map(|slot| Covered { slot, attributed, shared, unattributed })
            .collect();
        Coverage { caption: caption(), months }
    }

    const DOLLAR: i128 = 1_000_000_000_000;

    /// Drawn once for all tests: drawing is slow without optimisation.
    static SAMPLES: LazyLock<Vec<(&str, Drawing)>> = LazyLock::new(|| {
        vec![
            ("trend", trend(&sample_trend(13, 3, 77 * DOLLAR))),
            ("trend with other", trend(&sample_trend(13, 12, 123_456 * DOLLAR))),
            ("trend of two months", trend(&sample_trend(2, 2, DOLLAR / 100))),
            ("trend of three years", trend(&sample_trend(36, 2, DOLLAR))),
            ("trend of nothing", trend(&sample_trend(13, 2, 0))),
            ("trend of the smallest", trend(&sample_trend(1, 1, 1))),
            ("trend of the largest", trend(&sample_trend(13, 2, DOLLAR * DOLLAR))),
            ("trend without months", trend(&sample_trend(0, 0, 0))),
            ("bars", bars(&sample_bars(8, 1234 * DOLLAR))),
            ("bars with others", bars(&sample_bars(40, DOLLAR / 7))),
            ("bars of the largest", bars(&sample_bars(4, DOLLAR * DOLLAR))),
            ("bars of the smallest", bars(&sample_bars(2, 1))),
            ("bars of nothing", bars(&sample_bars(3, 0))),
            ("no bars", bars(&sample_bars(0, 0))),
            ("coverage", coverage(&sample_coverage(13, [1, 1, 1]))),
            ("coverage with credits", coverage(&sample_coverage(2, [120, -30, 10]))),
            ("coverage far from whole", coverage(&sample_coverage(13, [100_000, -99_990, 1]))),
            ("coverage of nothing", coverage(&sample_coverage(24, [0, 0, 0]))),
            ("coverage without months", coverage(&sample_coverage(0, [0, 0, 0]))),
        ]
    });

    /// Left, right, top and bottom of the coordinates in a path, in 10⁻¹² pixels.
    fn bounds(path: &str) -> [i128; 4] {
        let (_, data) = path.split_once(" d=\"").unwrap();
        let numbers: Vec<i128> = data[..data.find('"').unwrap()]
            .split([' ', 'M', 'L', 'Q', 'C', 'Z'])
            .filter(|word| !word.is_empty())
            .map(|word| Money::parse(word).unwrap().units())
            .collect();
        let (xs, ys) = (numbers.iter().step_by(2), numbers.iter().skip(1).step_by(2));
        let ends =
            |values: Vec<&i128>| (**values.iter().min().unwrap(), **values.iter().max().unwrap());
        let ((left, right), (top, bottom)) = (ends(xs.collect()), ends(ys.collect()));
        [left, right, top, bottom]
    }

    #[test]
    fn no_word_overlaps_another_or_leaves_the_sheet() {
        for (name, drawing) in SAMPLES.iter() {
            let height: i128 =
                drawing.svg.split('"').nth(1).unwrap().split(' ').nth(3).unwrap().parse().unwrap();
            let words: Vec<[i128; 4]> = drawing.svg.split("<g>").skip(1).map(bounds).collect();
            assert!(words.len() >= 3, "{name}: words are groups of one path");
            for (index, one) in words.iter().enumerate() {
                let [left, right, top, bottom] = *one;
                assert!(left >= 10 * DOLLAR && right <= 990 * DOLLAR, "{name}: {one:?}");
                assert!(top >= 10 * DOLLAR && bottom <= (height - 5) * DOLLAR, "{name}: {one:?}");
                for other in &words[..index] {
                    let apart =
                        left > other[1] || right < other[0] || top > other[3] || bottom < other[2];
                    assert!(apart, "{name}: {one:?} and {other:?}");
                }
            }
        }
    }

    #[test]
    fn words_are_paths_and_nothing_is_referred_to() {
        for (name, drawing) in SAMPLES.iter() {
            for part in ["<text", "<style", "<script", "<image", "href", "id=", "font-family"] {
                assert!(!drawing.svg.contains(part), "{name} has {part}");
            }
            assert!(drawing.svg.starts_with("<svg viewBox=\"0 0 1000 "), "{name}");
        }
    }

    #[test]
    fn the_png_is_twice_the_size_of_the_svg() {
        let drawing = bars(&sample_bars(3, DOLLAR));
        assert_eq!(&drawing.png[..8], b"\x89PNG\r\n\x1a\n");
        let number = |at: usize| u32::from_be_bytes(drawing.png[at..at + 4].try_into().unwrap());
        let view = format!("viewBox=\"0 0 {} {}\"", number(16) / 2, number(20) / 2);
        assert!(drawing.svg.contains(&view), "{view}");
    }

    #[test]
    fn the_same_input_gives_the_same_bytes() {
        assert!(trend(&sample_trend(13, 9, DOLLAR)) == trend(&sample_trend(13, 9, DOLLAR)));
    }
}
