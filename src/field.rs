//! Owns how a person writes a day, a month and a decimal in a CSV file.
//!
//! **Invariant:** a form that may be read in two ways is refused, and a decimal is exactly what was written.

use jiff::civil::Date;

use crate::money::{Money, SCALE};
use crate::period::Month;

/// A field that is not of the form that its column has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotField(String);

/// Parses a day as in `2026-10-14`; German and American forms are refused.
pub fn day(field: &str) -> Result<Date, NotField> {
    if !is_shaped(field, "0000-00-00") {
        let why = format!("`{field}` is not a day as in `2026-10-14` (year, month, day)");
        return Err(NotField(why));
    }
    field.parse().map_err(|_| NotField(format!("there is no day `{field}`")))
}

/// Parses a month as in `2026-10`.
pub fn month(field: &str) -> Result<Month, NotField> {
    if !is_shaped(field, "0000-00") {
        return Err(NotField(format!("`{field}` is not a month as in `2026-10` (year, month)")));
    }
    Month::parse(field).map_err(|_| NotField(format!("there is no month `{field}`")))
}

/// Parses a decimal with a point and without exponent, as in `1234.56`.
///
/// A spreadsheet writes an exponent where it left digits out, and a decimal comma may be a thousands separator: both
/// are refused, and so is what has more places than an amount keeps.
pub fn decimal(field: &str) -> Result<Money, NotField> {
    let digits = field.strip_prefix(['-', '+']).unwrap_or(field);
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let Some(parsed) = Money::parse_with_scale(field).ok().filter(|_| is_plain) else {
        let why = if is_plain
            && digits.bytes().any(|byte| byte.is_ascii_digit())
            && digits.matches('.').count() < 2
        {
            format!("`{field}` is beyond the range of amounts")
        } else if field.contains(',') {
            format!(
                "`{field}` has a comma: write decimals with a point and thousands without anything, as in `1234.56`"
            )
        } else {
            format!("`{field}` is not a decimal as in `1234.56`: digits and a point, nothing else")
        };
        return Err(NotField(why));
    };
    if parsed.scale > SCALE {
        return Err(NotField(format!("`{field}` has more than {SCALE} decimal places: round it")));
    }
    Ok(parsed.money)
}

/// Tells whether a text has digits where the shape has zeros, and else the same characters.
fn is_shaped(text: &str, shape: &str) -> bool {
    let fits = |(byte, place): (u8, u8)| match place {
        b'0' => byte.is_ascii_digit(),
        _ => byte == place,
    };
    text.len() == shape.len() && text.bytes().zip(shape.bytes()).all(fits)
}

#[cfg(test)]
mod tests {
    use std::fmt::Display;

    use super::*;

    fn shown<T: Display>(parsed: Result<T, NotField>) -> String {
        parsed.map_or_else(|error| error.to_string(), |value| value.to_string())
    }

    #[test]
    fn days_and_months_have_one_form() {
        let form = "is not a day as in `2026-10-14` (year, month, day)";
        for (text, expected) in [
            ("2026-10-14", "2026-10-14".to_owned()),
            ("2028-02-29", "2028-02-29".to_owned()),
            ("2026-02-29", "there is no day `2026-02-29`".to_owned()),
            ("14.10.2026", format!("`14.10.2026` {form}")),
            ("10/14/2026", format!("`10/14/2026` {form}")),
            ("2026-10-4", format!("`2026-10-4` {form}")),
            ("20261014", format!("`20261014` {form}")),
            ("2026-10-14 00:00", format!("`2026-10-14 00:00` {form}")),
        ] {
            assert_eq!(shown(day(text)), expected);
        }
        for (text, expected) in [
            ("2026-10", "2026-10"),
            ("2026-13", "there is no month `2026-13`"),
            ("Oct 26", "`Oct 26` is not a month as in `2026-10` (year, month)"),
            ("2026-10-01", "`2026-10-01` is not a month as in `2026-10` (year, month)"),
        ] {
            assert_eq!(shown(month(text)), expected);
        }
    }

    #[test]
    fn decimals_have_a_point_and_nothing_else() {
        let comma = "has a comma: write decimals with a point and thousands without anything, as in `1234.56`";
        let other = "is not a decimal as in `1234.56`: digits and a point, nothing else";
        for (text, expected) in [
            ("1234.5", "1234.5".to_owned()),
            ("-0.25", "-0.25".to_owned()),
            ("+7", "7".to_owned()),
            ("0.000000000001", "0.000000000001".to_owned()),
            ("1.234,56", format!("`1.234,56` {comma}")),
            ("1,234.56", format!("`1,234.56` {comma}")),
            ("12,5", format!("`12,5` {comma}")),
            ("1.23457E+11", format!("`1.23457E+11` {other}")),
            ("1.234.567", format!("`1.234.567` {other}")),
            ("1 234", format!("`1 234` {other}")),
            ("50%", format!("`50%` {other}")),
            ("$5", format!("`$5` {other}")),
            ("-", format!("`-` {other}")),
            ("--1", format!("`--1` {other}")),
            (
                "0.3333333333333",
                "`0.3333333333333` has more than 12 decimal places: round it".to_owned(),
            ),
            (
                "1000000000000000000000000000",
                "`1000000000000000000000000000` is beyond the range of amounts".to_owned(),
            ),
        ] {
            assert_eq!(shown(decimal(text)), expected);
        }
    }
}
