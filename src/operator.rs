//! Owns the operators of IAM conditions: how a value of the request is compared with those of a policy.
//!
//! IAM User Guide, "IAM JSON policy elements: Condition operators" and "Set operators for multi-valued context keys".
//! **Invariant:** a value that is not of the operator's type compares as not equal, and no number passes through a float.

use std::cmp::Ordering;
use std::net::IpAddr;

use jiff::Timestamp;

use crate::wildcard::{self, Token};

/// An operator as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operator {
    /// How one value is compared with another.
    pub comparison: Comparison,
    /// Whether it holds when no value compares so.
    pub is_negated: bool,
    /// Whether an absent key is no obstacle.
    pub if_exists: bool,
    /// How many of the request's values must do.
    pub quantity: Quantity,
}

/// How many values of a key in the request must do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// The key has one value.
    Single,
    /// All, of which there may be none.
    All,
    /// At least one.
    Any,
}

/// How one value is compared with another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// Texts are the same.
    Text,
    /// Texts are the same but for upper and lower case.
    TextIgnoringCase,
    /// A text fits a pattern.
    Like,
    /// Numbers stand so.
    Number(Order),
    /// Instants stand so.
    Date(Order),
    /// Both are true, or both are false.
    Bool,
    /// Bytes are the same.
    Binary,
    /// An address is in a range.
    Address,
    /// An ARN fits a pattern, part by part.
    Arn,
    /// The key is absent: `true`; or there: `false`.
    Null,
}

/// How a value stands to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Equal.
    Equal,
    /// Less.
    Less,
    /// Less or equal.
    AtMost,
    /// Greater.
    Greater,
    /// Greater or equal.
    AtLeast,
}

/// Names in lower case, since IAM does not tell cases apart.
const NAMES: [(&str, Comparison, bool); 27] = {
    use Comparison::{
        Address, Arn, Binary, Bool, Date, Like, Null, Number, Text, TextIgnoringCase,
    };
    use Order::{AtLeast, AtMost, Equal, Greater, Less};
    [
        ("stringequals", Text, false),
        ("stringnotequals", Text, true),
        ("stringequalsignorecase", TextIgnoringCase, false),
        ("stringnotequalsignorecase", TextIgnoringCase, true),
        ("stringlike", Like, false),
        ("stringnotlike", Like, true),
        ("numericequals", Number(Equal), false),
        ("numericnotequals", Number(Equal), true),
        ("numericlessthan", Number(Less), false),
        ("numericlessthanequals", Number(AtMost), false),
        ("numericgreaterthan", Number(Greater), false),
        ("numericgreaterthanequals", Number(AtLeast), false),
        ("dateequals", Date(Equal), false),
        ("datenotequals", Date(Equal), true),
        ("datelessthan", Date(Less), false),
        ("datelessthanequals", Date(AtMost), false),
        ("dategreaterthan", Date(Greater), false),
        ("dategreaterthanequals", Date(AtLeast), false),
        ("bool", Bool, false),
        ("binaryequals", Binary, false),
        ("ipaddress", Address, false),
        ("notipaddress", Address, true),
        ("arnequals", Arn, false),
        ("arnlike", Arn, false),
        ("arnnotequals", Arn, true),
        ("arnnotlike", Arn, true),
        ("null", Null, false),
    ]
};

impl Operator {
    /// Parses an operator's name; absent for what is none.
    pub fn parse(name: &str) -> Option<Operator> {
        let name = name.to_lowercase();
        let (quantity, name) = match name.split_once(':') {
            Some(("forallvalues", rest)) => (Quantity::All, rest),
            Some(("foranyvalue", rest)) => (Quantity::Any, rest),
            Some(_) => return None,
            None => (Quantity::Single, name.as_str()),
        };
        let (if_exists, name) = match name.strip_suffix("ifexists") {
            Some(rest) => (true, rest),
            None => (false, name),
        };
        let (_, comparison, is_negated) = NAMES.iter().find(|it| it.0 == name)?;
        let is_null = *comparison == Comparison::Null;
        // Whether a key is absent asks for no value, so it has neither ending nor quantity.
        if is_null && (if_exists || quantity != Quantity::Single) {
            return None;
        }
        Some(Operator { comparison: *comparison, is_negated: *is_negated, if_exists, quantity })
    }
}

impl Comparison {
    /// Tells whether patterns stand for values here; elsewhere `*` and `?` stand for themselves.
    pub fn has_wildcards(self) -> bool {
        matches!(self, Comparison::Like | Comparison::Arn)
    }

    /// Tells whether `${…}` stands for a value of the request here (IAM User Guide, "Where you can use policy variables").
    pub fn has_variables(self) -> bool {
        use Comparison::{Arn, Like, Text, TextIgnoringCase};
        matches!(self, Text | TextIgnoringCase | Like | Arn)
    }

    /// Tells whether a value of the request compares so with one of a policy, whose variables were replaced.
    pub fn holds(self, value: &str, pattern: &[Token]) -> bool {
        if self == Comparison::Like {
            return wildcard::fits(pattern, value);
        }
        if self == Comparison::Arn {
            return fits_arn(value, pattern);
        }
        let of = |token: &Token| match token {
            Token::Is(sign) => *sign,
            Token::Any => '*',
            Token::One => '?',
        };
        let wanted: String = pattern.iter().map(of).collect();
        match self {
            Comparison::Text | Comparison::Binary => value == wanted,
            Comparison::TextIgnoringCase => value.to_lowercase() == wanted.to_lowercase(),
            Comparison::Number(order) => decimal(value)
                .zip(decimal(&wanted))
                .is_some_and(|(left, right)| order.holds(left.cmp(&right))),
            Comparison::Date(order) => instant(value)
                .zip(instant(&wanted))
                .is_some_and(|(left, right)| order.holds(left.cmp(&right))),
            Comparison::Bool => truth(value).is_some_and(|it| truth(&wanted) == Some(it)),
            Comparison::Address => is_in(value, &wanted).unwrap_or(false),
            Comparison::Like | Comparison::Arn | Comparison::Null => {
                unreachable!("patterns were compared above, and no value is compared with Null")
            }
        }
    }
}

impl Order {
    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Order::Equal => ordering.is_eq(),
            Order::Less => ordering.is_lt(),
            Order::AtMost => ordering.is_le(),
            Order::Greater => ordering.is_gt(),
            Order::AtLeast => ordering.is_ge(),
        }
    }
}

/// Reads `true` or `false`, in any case.
pub fn truth(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// Tells whether an ARN fits a pattern: each of the five parts before the resource by itself, then the resource.
pub fn fits_arn(arn: &str, pattern: &[Token]) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let wanted: Vec<&[Token]> = pattern.splitn(6, |token| *token == Token::Is(':')).collect();
    parts.len() == 6
        && wanted.len() == 6
        && parts.iter().zip(&wanted).all(|(part, wanted)| wildcard::fits(wanted, part))
}

/// A decimal number: whether it is negative, its whole digits and its fraction, without idle zeros.
fn decimal(text: &str) -> Option<Decimal> {
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_digits = |it: &str| it.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole) || !is_digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    let is_zero = whole.is_empty() && fraction.is_empty();
    Some(Decimal {
        is_negative: is_negative && !is_zero,
        whole: whole.to_owned(),
        fraction: fraction.to_owned(),
    })
}

#[derive(Debug, PartialEq, Eq)]
struct Decimal {
    is_negative: bool,
    whole: String,
    fraction: String,
}

impl Decimal {
    fn cmp(&self, other: &Decimal) -> Ordering {
        let size = |left: &Decimal, right: &Decimal| {
            (left.whole.len(), &left.whole, &left.fraction).cmp(&(
                right.whole.len(),
                &right.whole,
                &right.fraction,
            ))
        };
        match (self.is_negative, other.is_negative) {
            (false, false) => size(self, other),
            (true, true) => size(other, self),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

/// Reads an instant: ISO 8601 with a zone, a day, or seconds since 1970.
fn instant(text: &str) -> Option<Timestamp> {
    if let Ok(seconds) = text.parse::<i64>() {
        return Timestamp::from_second(seconds).ok();
    }
    let day = || text.parse::<jiff::civil::Date>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok();
    text.parse().ok().or_else(|| day().map(|it| it.timestamp()))
}

/// Tells whether an address is in a range; absent where either cannot be read.
fn is_in(address: &str, range: &str) -> Option<bool> {
    let (start, length) = match range.split_once('/') {
        Some((start, length)) => (start, Some(length.parse::<u32>().ok()?)),
        None => (range, None),
    };
    let (address, start): (IpAddr, IpAddr) = (address.parse().ok()?, start.parse().ok()?);
    let bits = |it: IpAddr| match it {
        IpAddr::V4(it) => (u128::from(u32::from(it)) << 96, 32),
        IpAddr::V6(it) => (u128::from(it), 128),
    };
    if address.is_ipv4() != start.is_ipv4() {
        return Some(false);
    }
    let ((address, width), (start, _)) = (bits(address), bits(start));
    let length = length.unwrap_or(width);
    if length > width {
        return None;
    }
    let differing = (address ^ start).checked_shr(128 - length).unwrap_or(0);
    Some(differing == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_an_operator_in_any_case_or_none() {
        for (name, expected) in [
            ("StringEquals", "Text false false Single"),
            ("stringNotEqualsIfExists", "Text true true Single"),
            ("ForAllValues:StringLike", "Like false false All"),
            ("ForAnyValue:ArnNotLikeIfExists", "Arn true true Any"),
            ("Null", "Null false false Single"),
            ("NullIfExists", "-"),
            ("String", "-"),
            ("ForSome:StringEquals", "-"),
        ] {
            let told = Operator::parse(name).map_or_else(
                || "-".to_owned(),
                |it| {
                    format!(
                        "{:?} {} {} {:?}",
                        it.comparison, it.is_negated, it.if_exists, it.quantity
                    )
                },
            );
            assert_eq!(told, expected, "{name}");
        }
    }

    #[test]
    fn values_compare_as_their_type_says() {
        for (operator, value, wanted, expected) in [
            ("StringEquals", "a", "a", true),
            ("StringEquals", "a", "A", false),
            ("StringEquals", "ab", "a*", false),
            ("StringEqualsIgnoreCase", "a", "A", true),
            ("StringLike", "ab", "a*", true),
            ("NumericEquals", "7", "07.0", true),
            ("NumericLessThan", "-2", "-1.5", true),
            ("NumericLessThan", "9", "10", true),
            ("NumericGreaterThanEquals", "0.10", "0.1", true),
            ("NumericGreaterThan", "0.09", "0.1", false),
            ("NumericEquals", "x", "x", false),
            ("DateGreaterThan", "2026-11-02T00:00:00Z", "2026-11-01", true),
            ("DateEquals", "1700000000", "2023-11-14T22:13:20Z", true),
            ("Bool", "True", "true", true),
            ("Bool", "yes", "yes", false),
            ("IpAddress", "10.1.2.3", "10.0.0.0/8", true),
            ("IpAddress", "11.1.2.3", "10.0.0.0/8", false),
            ("IpAddress", "10.1.2.3", "0.0.0.0/0", true),
            ("IpAddress", "2001:db8::1", "2001:db8::/32", true),
            ("IpAddress", "10.1.2.3", "2001:db8::/32", false),
            ("ArnLike", "arn:aws:s:r:a:b/c:d", "arn:aws:s:*:a:b/*", true),
            ("ArnLike", "arn:aws:s:r:a:b/c", "arn:aws:*:b/c", false),
            ("ArnEquals", "arn:aws:s:r:a:b/c", "arn:aws:s:r:a:b/?", true),
        ] {
            let operator = Operator::parse(operator).unwrap();
            let pattern = if operator.comparison.has_wildcards() {
                wildcard::tokens(wanted)
            } else {
                wildcard::literal(wanted)
            };
            assert_eq!(operator.comparison.holds(value, &pattern), expected, "{value} {wanted}");
        }
    }
}
