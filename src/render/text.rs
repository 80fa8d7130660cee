//! Owns how amounts, shares and cells read for people, and tables on a terminal.
//!
//! **Invariant:** rounding for people happens here and nowhere else; exact decimals are never rounded.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::Serialize;

use crate::money::Money;
use crate::table::{Cell, Column, Kind, Table};

const UNITS_PER_WHOLE: u128 = 1_000_000_000_000;

/// The side that a column's cells are aligned to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// The heading of a column for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Heading {
    /// The words.
    pub text: String,
    /// The side that the column is aligned to.
    pub align: Align,
}

impl Heading {
    /// Returns the heading of a column of words.
    pub fn left(text: impl Into<String>) -> Heading {
        Heading { text: text.into(), align: Align::Left }
    }

    /// Returns the heading of a column of numbers.
    pub fn right(text: impl Into<String>) -> Heading {
        Heading { text: text.into(), align: Align::Right }
    }

    /// Returns the heading that people see for a typed column.
    pub fn of(column: &Column) -> Heading {
        match column.kind {
            Kind::Money | Kind::Quantity | Kind::Percent => Heading::right(column.heading),
            Kind::Text | Kind::Month | Kind::Day | Kind::Flag => Heading::left(column.heading),
        }
    }
}

/// Returns the amount in whole cents with thousands separators: `-1,234.56`.
pub fn dollars(money: Money) -> String {
    grouped(money.cents(), 2)
}

/// Returns the amount in whole units of currency, half to even, for where cents would be noise.
pub fn whole_dollars(money: Money) -> String {
    let unit = UNITS_PER_WHOLE.cast_signed();
    let (whole, rest) = (money.units().div_euclid(unit), money.units().rem_euclid(unit));
    let is_up = rest > unit - rest || (rest == unit - rest && whole.rem_euclid(2) == 1);
    grouped(whole + i128::from(is_up), 0)
}

/// Returns the share with its sign of percent: `12.34 %`.
pub fn percent(basis_points: i128) -> String {
    format!("{} %", grouped(basis_points, 2))
}

/// Names rows that are added up because they do not fit.
pub fn others(count: usize) -> String {
    if count == 1 { "1 other".to_owned() } else { format!("{count} others") }
}

/// Returns a count of 10^-`places` as a decimal with thousands separators and that many places.
pub fn grouped(count: i128, places: u32) -> String {
    let unit = 10_u128.pow(places);
    let (whole, fraction) = (count.unsigned_abs() / unit, count.unsigned_abs() % unit);
    let digits = whole.to_string();
    let mut text = String::with_capacity(digits.len() * 2);
    if count < 0 {
        text.push('-');
    }
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if places > 0 {
        let width = usize::try_from(places).expect("places fit a machine word");
        return format!("{text}.{fraction:0width$}");
    }
    text
}

/// Returns the cell as people read it; blank stays empty.
pub fn cell(cell: &Cell<'_>) -> String {
    match cell {
        Cell::Text(text) => text.to_string(),
        Cell::Money(money) => dollars(*money),
        Cell::Quantity(units) => exact(*units),
        Cell::Percent(basis_points) => percent(*basis_points),
        Cell::Month(month) => month.to_string(),
        Cell::Day(day) => day.to_string(),
        Cell::Flag(flag) => String::from(if *flag { "yes" } else { "no" }),
        Cell::Blank => String::new(),
    }
}

/// The first rows of a table as people read them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// The headings.
    pub headings: Vec<Heading>,
    /// The rows; each has one cell a column.
    pub rows: Vec<Vec<String>>,
    /// How many rows follow that are not here.
    pub left_out: usize,
}

/// Returns the first rows of a table as people read them.
pub fn excerpt(table: Table<'_>, row_count_max: usize) -> Excerpt {
    let headings = table.columns.iter().map(Heading::of).collect();
    let mut source = table.rows;
    let rows = source.by_ref().take(row_count_max);
    let rows = rows.map(|row| row.iter().map(cell).collect()).collect();
    Excerpt { headings, rows, left_out: source.count() }
}

/// Returns the text with what could steer a terminal, a reader's eye or XML replaced.
///
/// Those are control characters, marks that reverse the direction of writing, and non-characters.
pub fn clean(text: &str) -> Cow<'_, str> {
    let steers = |character: char| {
        character.is_control()
            || matches!(character,
                '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
                | '\u{fffe}' | '\u{ffff}')
    };
    if text.contains(steers) {
        Cow::Owned(text.replace(steers, "\u{fffd}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// Returns a count of 10⁻¹² as an exact decimal without trailing zeros.
pub fn exact(units: i128) -> String {
    let mut bytes = Vec::with_capacity(24);
    push_exact(units, &mut bytes);
    String::from_utf8(bytes).expect("a decimal is ASCII")
}

/// Appends a count of 10⁻¹² as an exact decimal, like [`Money`] prints, but without allocating.
pub(super) fn push_exact(units: i128, out: &mut Vec<u8>) {
    let magnitude = units.unsigned_abs();
    if units < 0 {
        out.push(b'-');
    }
    let (whole, mut fraction) = (magnitude / UNITS_PER_WHOLE, magnitude % UNITS_PER_WHOLE);
    write!(out, "{whole}").expect("a vector takes all bytes");
    if fraction == 0 {
        return;
    }
    let mut digits = [b'0'; 12];
    for digit in digits.iter_mut().rev() {
        *digit += u8::try_from(fraction % 10).expect("a digit fits a byte");
        fraction /= 10;
    }
    let kept = digits.iter().rposition(|digit| *digit != b'0').expect("the fraction is not zero");
    out.push(b'.');
    out.extend_from_slice(&digits[..=kept]);
}

/// Appends a share for programs: `12.34`.
pub(super) fn push_hundredths(basis_points: i128, out: &mut Vec<u8>) {
    let sign = if basis_points < 0 { "-" } else { "" };
    let magnitude = basis_points.unsigned_abs();
    write!(out, "{sign}{}.{:02}", magnitude / 100, magnitude % 100)
        .expect("a vector takes all bytes");
}

/// Writes an aligned table for a terminal, with a rule above the total where there is one.
pub fn table(
    headings: &[Heading],
    rows: &[Vec<String>],
    total: Option<&[String]>,
    out: &mut impl Write,
) -> io::Result<()> {
    let names: Vec<String> = headings.iter().map(|heading| heading.text.clone()).collect();
    let mut widths = vec![0; headings.len()];
    for row in rows.iter().map(Vec::as_slice).chain(total).chain([names.as_slice()]) {
        assert!(row.len() == headings.len(), "a row has one cell a column");
        for (width, text) in widths.iter_mut().zip(row) {
            *width = text.chars().count().max(*width);
        }
    }
    let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
    line(headings, &widths, &names, out)?;
    line(headings, &widths, &rule, out)?;
    for row in rows {
        line(headings, &widths, row, out)?;
    }
    if let Some(total) = total {
        line(headings, &widths, &rule, out)?;
        line(headings, &widths, total, out)?;
    }
    Ok(())
}

fn line(
    headings: &[Heading],
    widths: &[usize],
    row: &[String],
    out: &mut impl Write,
) -> io::Result<()> {
    let mut text = String::new();
    for ((heading, width), word) in headings.iter().zip(widths).zip(row) {
        let padding = " ".repeat(width - word.chars().count());
        let word = clean(word);
        match heading.align {
            Align::Left => text.extend([&word, padding.as_str()]),
            Align::Right => text.extend([padding.as_str(), &word]),
        }
        text.push_str("  ");
    }
    writeln!(out, "{}", text.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn amounts_read_with_separators_and_cents() {
        for (amount, text) in [
            ("0", "0.00"),
            ("-0.001", "0.00"),
            ("0.005", "0.00"),
            ("0.015", "0.02"),
            ("-0.015", "-0.02"),
            ("999.995", "1,000.00"),
            ("1234.56", "1,234.56"),
            ("-1234567.891", "-1,234,567.89"),
            ("100000000000", "100,000,000,000.00"),
        ] {
            assert_eq!(dollars(Money::parse(amount).unwrap()), text, "{amount}");
        }
    }

    #[test]
    fn whole_amounts_round_half_to_even() {
        for (amount, text) in [
            ("0.5", "0"),
            ("1.5", "2"),
            ("-0.5", "0"),
            ("-1.5", "-2"),
            ("2.500000000001", "3"),
            ("-1234.49", "-1,234"),
        ] {
            assert_eq!(whole_dollars(Money::parse(amount).unwrap()), text, "{amount}");
        }
    }

    #[test]
    fn shares_read_in_hundredths() {
        for (basis_points, text) in
            [(0, "0.00 %"), (-5, "-0.05 %"), (1234, "12.34 %"), (10_000, "100.00 %")]
        {
            assert_eq!(percent(basis_points), text);
        }
        assert_eq!(percent(12_345_678), "123,456.78 %");
    }

    #[test]
    fn a_table_is_aligned_and_cannot_steer_the_terminal() {
        let headings = [Heading::left("owner"), Heading::right("USD"), Heading::left("state")];
        let rows = [["alice", "1.00", "ok"], ["\u{1b}[2Jzoë", "-1,234.00", ""]]
            .map(|row| row.map(String::from).to_vec());
        let total = ["total", "-1,233.00", ""].map(String::from);
        let mut out = Vec::new();
        table(&headings, &rows, Some(&total), &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "owner          USD  state\n\
             -------  ---------  -----\n\
             alice         1.00  ok\n\
             \u{fffd}[2Jzoë  -1,234.00\n\
             -------  ---------  -----\n\
             total    -1,233.00\n"
        );
    }

    #[test]
    fn an_excerpt_counts_what_it_leaves_out() {
        let column = |heading, kind| Column { name: "", heading, kind };
        let columns = vec![column("Owner", Kind::Text), column("USD", Kind::Money)];
        let rows = (1..=3).map(|cents| vec![Cell::Blank, Cell::Money(Money::from_cents(cents))]);
        let excerpt = excerpt(Table { columns, rows: Box::new(rows) }, 1);
        assert_eq!(excerpt.headings, [Heading::left("Owner"), Heading::right("USD")]);
        assert_eq!(excerpt.rows, [["", "0.01"]]);
        assert_eq!(excerpt.left_out, 2);
    }

    #[test]
    fn what_steers_is_replaced() {
        assert_eq!(clean("a\tb\u{202e}c\u{ffff}d"), "a\u{fffd}b\u{fffd}c\u{fffd}d");
        assert!(matches!(clean("Zoë – 山田"), Cow::Borrowed(_)));
    }

    proptest! {
        #[test]
        fn exact_prints_what_money_prints(units in any::<i128>()) {
            for units in [units, units >> 64, units >> 100, units / UNITS_PER_WHOLE.cast_signed()] {
                prop_assert_eq!(exact(units), Money::from_units(units).to_string());
            }
        }
    }
}
