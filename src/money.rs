//! Owns amounts of money: exact decimals, their parsing, printing, rounding.
//!
//! **Invariant:** no float touches an amount, and the only division into parts is `split` of `split.rs`.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

use ethnum::I256;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The number of decimal places that an amount keeps.
pub const SCALE: u32 = 12;
const UNITS_PER_WHOLE: i128 = 1_000_000_000_000;
/// The number of 10⁻¹² units in a cent.
pub(crate) const UNITS_PER_CENT: i128 = 10_000_000_000;

/// An exact amount in one currency: a count of 10⁻¹² currency units.
///
/// The range is ±1.7 × 10²⁶ units of currency; leaving it is a bug and panics.
/// The currency itself is a fact of the ledger, not of the amount.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(i128);

/// A text that is not a decimal amount.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a decimal amount: `{text}`")]
pub struct NotMoney {
    /// The text as it came.
    pub text: String,
}

/// A parsed amount and the number of decimal places that its text had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// The amount, rounded half to even at 12 places where the text had more.
    pub money: Money,
    /// Decimal places in the text after its exponent was applied.
    pub scale: u32,
}

impl Money {
    /// No money.
    pub const ZERO: Money = Money(0);

    /// Parses a decimal text as AWS sends it: sign, digits, fraction, exponent (`-1.2E-7`).
    pub fn parse(text: &str) -> Result<Money, NotMoney> {
        parse(text).map(|parsed| parsed.money)
    }

    /// Parses like [`Money::parse`] and tells the decimal places seen.
    pub fn parse_with_scale(text: &str) -> Result<Parsed, NotMoney> {
        parse(text)
    }

    /// Returns the amount of that many 10⁻¹² units: the storage shared with a decimal column.
    pub const fn from_units(units: i128) -> Money {
        Money(units)
    }

    /// Returns the count of 10⁻¹² units: the storage shared with a decimal column.
    pub const fn units(self) -> i128 {
        self.0
    }

    /// Returns the amount of whole cents.
    pub const fn from_cents(cents: i128) -> Money {
        Money(cents * UNITS_PER_CENT)
    }

    /// Returns the amount in whole cents, rounded half to even.
    pub fn cents(self) -> i128 {
        round_half_even(self.0, UNITS_PER_CENT)
    }

    /// Returns the magnitude.
    #[must_use]
    pub const fn abs(self) -> Money {
        Money(self.0.abs())
    }

    /// Tells whether there is no money at all.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Returns that many hundredths of a percent of the amount, rounded half to even at 10⁻¹².
    ///
    /// Returns `None` where that lies beyond the range of amounts.
    pub fn of_basis_points(self, points: i64) -> Option<Money> {
        ratio(I256::from(self.0) * I256::from(points), I256::from(10_000))
    }

    /// Returns the amount in another currency, of which `rate` buy one of this, rounded half to even at 10⁻¹².
    ///
    /// This is the one product of two decimals: it fills a converted column that stands beside the ledger.
    /// A converted amount is not fed back, since converted parts need not add up to their converted whole.
    /// Returns `None` where it lies beyond the range of amounts.
    pub fn at_rate(self, rate: Money) -> Option<Money> {
        ratio(I256::from(self.0) * I256::from(rate.0), I256::from(UNITS_PER_WHOLE))
    }

    /// Returns the share of `whole` in hundredths of a percent, rounded half to even, for printing.
    ///
    /// Returns `None` when there is no whole.
    pub fn basis_points_of(self, whole: Money) -> Option<i128> {
        if whole.0 == 0 {
            return None;
        }
        let (part, whole) = if whole.0 < 0 { (-self.0, -whole.0) } else { (self.0, whole.0) };
        Some(wide_round_half_even(I256::from(part) * I256::from(10_000), I256::from(whole)))
    }
}

fn parse(text: &str) -> Result<Parsed, NotMoney> {
    parse_digits(text).ok_or_else(|| NotMoney { text: text.to_owned() })
}

fn parse_digits(text: &str) -> Option<Parsed> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (negative, digits) = match mantissa.as_bytes().first()? {
        b'-' => (true, &mantissa[1..]),
        b'+' => (false, &mantissa[1..]),
        _ => (false, mantissa),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut value: i128 = 0;
    for byte in whole.bytes().chain(fraction.bytes()) {
        if !byte.is_ascii_digit() {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(i128::from(byte - b'0'))?;
    }
    let places = i32::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
    let units = if places <= 12 {
        let power = u32::try_from(12_i32.checked_sub(places)?).ok()?;
        if value == 0 { 0 } else { value.checked_mul(10_i128.checked_pow(power)?)? }
    } else {
        let power = u32::try_from(places - 12).ok()?;
        // Beyond 10³⁸ the divisor is larger than any value, so the result rounds to nothing.
        10_i128.checked_pow(power).map_or(0, |divisor| round_half_even(value, divisor))
    };
    let scale = u32::try_from(places.max(0)).ok()?;
    Some(Parsed { money: Money(if negative { -units } else { units }), scale })
}

/// Divides with rounding half to even; the divisor is positive.
pub(crate) fn round_half_even(value: i128, divisor: i128) -> i128 {
    // One division, not two: those of 128 bits are what a split takes its time with.
    let mut quotient = value / divisor;
    let mut remainder = value - quotient * divisor;
    if remainder < 0 {
        quotient -= 1;
        remainder += divisor;
    }
    let odd = quotient & 1 == 1;
    let rest = divisor - remainder;
    if remainder > rest || (remainder == rest && odd) { quotient + 1 } else { quotient }
}

fn ratio(product: I256, divisor: I256) -> Option<Money> {
    // Half a unit may still be rounded up, so the last unit of the range is left out.
    let is_within = product.abs() / divisor < I256::from(i128::MAX);
    is_within.then(|| Money(wide_round_half_even(product, divisor)))
}

/// Divides like [`round_half_even`] where the product needs 256 bits.
pub(crate) fn wide_round_half_even(value: I256, divisor: I256) -> i128 {
    let (quotient, remainder) = (value.div_euclid(divisor), value.rem_euclid(divisor));
    let odd = quotient.rem_euclid(I256::from(2)) == I256::ONE;
    let rest = divisor - remainder;
    let rounded = if remainder > rest || (remainder == rest && odd) {
        quotient + I256::ONE
    } else {
        quotient
    };
    i128::try_from(rounded).expect("a part of an amount lies within the range of amounts")
}

impl fmt::Display for Money {
    /// Prints the exact decimal without trailing zeros, never with an exponent.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let magnitude = self.0.unsigned_abs();
        let unit = UNITS_PER_WHOLE.unsigned_abs();
        let (whole, fraction) = (magnitude / unit, magnitude % unit);
        if fraction == 0 {
            return write!(formatter, "{sign}{whole}");
        }
        let digits = format!("{fraction:012}");
        write!(formatter, "{sign}{whole}.{}", digits.trim_end_matches('0'))
    }
}

impl Add for Money {
    type Output = Money;
    fn add(self, other: Money) -> Money {
        Money(self.0.checked_add(other.0).expect("amounts stay within ±1.7e26"))
    }
}

impl Sub for Money {
    type Output = Money;
    fn sub(self, other: Money) -> Money {
        Money(self.0.checked_sub(other.0).expect("amounts stay within ±1.7e26"))
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, other: Money) {
        *self = *self + other;
    }
}

impl SubAssign for Money {
    fn sub_assign(&mut self, other: Money) {
        *self = *self - other;
    }
}

impl Neg for Money {
    type Output = Money;
    fn neg(self) -> Money {
        Money(-self.0)
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Money>>(amounts: I) -> Money {
        amounts.fold(Money::ZERO, Add::add)
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Money, D::Error> {
        let text = String::deserialize(deserializer)?;
        Money::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(table: &str) {
        for row in table.lines().map(str::trim).filter(|row| !row.is_empty()) {
            let (text, expected) = row.split_once("=>").unwrap();
            let actual = match Money::parse_with_scale(text.trim()) {
                Ok(parsed) => format!("{} scale {}", parsed.money, parsed.scale),
                Err(error) => error.to_string(),
            };
            assert_eq!(actual, expected.trim(), "parsing {text}");
        }
    }

    #[test]
    fn parses_what_cost_explorer_sends() {
        check(
            "
            0                 => 0 scale 0
            40.3527508453     => 40.3527508453 scale 10
            -0.0000012        => -0.0000012 scale 7
            1.2E-7            => 0.00000012 scale 8
            1e3               => 1000 scale 0
            -0                => 0 scale 0
            0E-20             => 0 scale 20
            +.5               => 0.5 scale 1
            5.                => 5 scale 0
            0.0000000000005   => 0 scale 13
            0.0000000000015   => 0.000000000002 scale 13
            -0.0000000000015  => -0.000000000002 scale 13
            0.00000000000051  => 0.000000000001 scale 14
            1e-60             => 0 scale 60
            12,5              => not a decimal amount: `12,5`
            1.2.3             => not a decimal amount: `1.2.3`
            --1               => not a decimal amount: `--1`
            .                 => not a decimal amount: `.`
            NaN               => not a decimal amount: `NaN`
            1e99              => not a decimal amount: `1e99`
        ",
        );
        assert!(Money::parse("").is_err());
    }

    #[test]
    fn cents_round_half_to_even() {
        for (text, cents) in
            [("0.005", 0), ("0.015", 2), ("-0.005", 0), ("-0.015", -2), ("1.0251", 103)]
        {
            assert_eq!(Money::parse(text).unwrap().cents(), cents, "{text}");
        }
    }

    #[test]
    fn a_share_of_an_amount_rounds_half_to_even_and_never_overflows() {
        for (units, points, expected) in [
            (10_000, 8_000, Some(8_000)),
            (5, 5_000, Some(2)),
            (15, 5_000, Some(8)),
            (-5, 5_000, Some(-2)),
            (7, 5_001, Some(4)),
            (i128::MAX, 5_000, Some(i128::MAX / 2 + 1)),
            (i128::MAX, 10_001, None),
            (i128::MAX, i64::MAX, None),
        ] {
            let share = Money::from_units(units).of_basis_points(points);
            assert_eq!(share.map(Money::units), expected, "{points} of {units}");
        }
    }

    #[test]
    fn a_conversion_rounds_half_to_even_and_never_overflows() {
        for (amount, rate, expected) in [
            ("100", "0.925", Some("92.5")),
            ("-100", "0.925", Some("-92.5")),
            ("0.000000000001", "0.5", Some("0")),
            ("0.000000000003", "0.5", Some("0.000000000002")),
            ("-0.000000000003", "0.5", Some("-0.000000000002")),
            ("40.3527508453", "1.0831", Some("43.706064440544")),
            ("1000000000", "1000000000", Some("1000000000000000000")),
            ("100000000000000", "1000000000000", Some("100000000000000000000000000")),
            ("100000000000000", "10000000000000", None),
            ("-100000000000000", "10000000000000", None),
        ] {
            let money = Money::parse(amount).unwrap().at_rate(Money::parse(rate).unwrap());
            let expected = expected.map(str::to_owned);
            assert_eq!(money.map(|it| it.to_string()), expected, "{amount} at {rate}");
        }
        let most = Money::from_units(i128::MAX);
        assert_eq!((most.at_rate(most), most.at_rate(-most)), (None, None));
    }

    proptest! {
        #[test]
        fn printing_and_parsing_are_inverse(units in any::<i64>()) {
            let money = Money::from_units(i128::from(units) * 1_000_003);
            prop_assert_eq!(Money::parse(&money.to_string()).unwrap(), money);
        }

        #[test]
        fn rounding_is_one_for_both_widths(value in any::<i128>(), divisor in 1_i128..1_000_000) {
            let wide = wide_round_half_even(I256::from(value), I256::from(divisor));
            prop_assert_eq!(round_half_even(value, divisor), wide);
        }
    }
}
