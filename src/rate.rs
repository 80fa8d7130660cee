//! Owns exchange rates: what a converted column beside the ledger is made with.
//!
//! **Invariant:** a month has its own rate or none: no rate of another month stands in for it.
//! **Invariant:** what is converted is printed, and never added to the ledger.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::money::Money;
use crate::period::Month;
use crate::sheet::{Head, NotSheet, Oddity, Remark, Row, Sheet};

const HEADS: [Head; 4] = [
    Head::required("month"),
    Head::required("currency"),
    Head::required("rate"),
    Head::optional("source"),
];

/// The code of a currency: three capital letters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency(String);

/// A text that is not the code of a currency.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the code of a currency: three letters, as in `EUR`")]
pub struct NotCurrency(String);

/// Rates of one currency by month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rates {
    currency: Currency,
    by_month: BTreeMap<Month, Rate>,
    remarks: Vec<Remark>,
}

/// What one unit of the ledger's currency is worth in a month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Units of the rate's currency for one of the ledger's; positive.
    pub rate: Money,
    /// Who says so; `""` where the file does not tell.
    pub source: String,
    /// The line of the file, from 1.
    pub line: u64,
}

impl Currency {
    /// Parses three letters, whatever their case.
    pub fn parse(text: &str) -> Result<Currency, NotCurrency> {
        let is_code = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
        let code = is_code.then(|| Currency(text.to_ascii_uppercase()));
        code.ok_or_else(|| NotCurrency(text.to_owned()))
    }

    /// Returns the code.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Rates {
    /// Parses a CSV file of `month,currency,rate` and perhaps `source`, and keeps the rates of one currency.
    ///
    /// Every row is checked. A row without a rate is a month whose rate is not known yet.
    /// A file without any row of the currency is refused; `file` is only for texts.
    pub fn parse(file: &str, bytes: &[u8], currency: &Currency) -> Result<Rates, NotSheet> {
        let sheet = Sheet::parse(file, bytes, &HEADS)?;
        let mut all: BTreeMap<(Currency, Month), Rate> = BTreeMap::new();
        let mut remarks = sheet.remarks().to_vec();
        let mut is_there = false;
        for row in sheet.rows() {
            let (key, rate) = read(row)?;
            is_there |= key.0 == *currency;
            let Some(rate) = rate else { continue };
            match all.get(&key) {
                Some(first) if first.rate == rate.rate => {
                    let oddity = Oddity::SameAs(first.line);
                    remarks.push(Remark { file: file.to_owned(), line: rate.line, oddity });
                }
                Some(first) => {
                    return Err(row.wrong(format!(
                        "a unit is {} {} in {}, and {} on line {}",
                        rate.rate, key.0, key.1, first.rate, first.line
                    )));
                }
                None => {
                    all.insert(key, rate);
                }
            }
        }
        if !is_there {
            return Err(sheet.wrong(1, format!("no row is about the currency `{currency}`")));
        }
        let of_it = all.into_iter().filter(|((other, _), _)| other == currency);
        let by_month = of_it.map(|((_, month), rate)| (month, rate)).collect();
        Ok(Rates { currency: currency.clone(), by_month, remarks })
    }

    /// Returns the currency that is converted to.
    pub fn currency(&self) -> &Currency {
        &self.currency
    }

    /// Returns the rate of a month, absent where the file has none for that very month.
    pub fn rate(&self, month: Month) -> Option<&Rate> {
        self.by_month.get(&month)
    }

    /// Returns an amount of a month in the currency, rounded half to even at 10⁻¹².
    ///
    /// It is absent where the month has no rate, or where it is beyond the range of amounts.
    pub fn convert(&self, money: Money, month: Month) -> Option<Money> {
        money.at_rate(self.rate(month)?.rate)
    }

    /// Returns those of the months that have no rate.
    pub fn lacking(&self, months: impl IntoIterator<Item = Month>) -> Vec<Month> {
        months.into_iter().filter(|month| self.rate(*month).is_none()).collect()
    }

    /// Returns what is odd about the file.
    pub fn remarks(&self) -> &[Remark] {
        &self.remarks
    }
}

fn read(row: Row<'_>) -> Result<((Currency, Month), Option<Rate>), NotSheet> {
    row.filled("month")?;
    let month = row.month("month")?.expect("what is filled is not blank");
    let currency = Currency::parse(row.filled("currency")?)
        .map_err(|error| row.wrong(format!("in `currency`, {error}")))?;
    let Some(rate) = row.money("rate")? else { return Ok(((currency, month), None)) };
    if rate <= Money::ZERO {
        return Err(row.wrong(format!("in `rate`, `{rate}` is not more than zero")));
    }
    let rate = Rate { rate, source: row.get("source").to_owned(), line: row.line() };
    Ok(((currency, month), Some(rate)))
}

impl fmt::Display for Currency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl TryFrom<String> for Currency {
    type Error = NotCurrency;
    fn try_from(text: String) -> Result<Currency, NotCurrency> {
        Currency::parse(&text)
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> String {
        currency.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Rates, NotSheet> {
        Rates::parse("rates.csv", text.as_bytes(), &Currency::parse("eur").unwrap())
    }

    #[test]
    fn a_month_has_its_own_rate_or_none() {
        let rates = read(
            "month;currency;rate;source\n2026-09;EUR;0.85;ECB\n2026-10;eur;0.9;\n2026-10;GBP;0.7;BoE\n\
             2026-11;EUR;;\n2026-09;EUR;0.850;desk\n",
        )
        .unwrap();
        for (month, expected) in [
            ("2026-08", None),
            ("2026-09", Some("85.000000000001")),
            ("2026-10", Some("90.000000000001")),
            ("2026-11", None),
        ] {
            let money = Money::parse("100.000000000001").unwrap();
            let converted = rates.convert(money, Month::parse(month).unwrap());
            assert_eq!(converted.map(|it| it.to_string()).as_deref(), expected, "{month}");
        }
        let september = Month::parse("2026-09").unwrap();
        assert_eq!(rates.rate(september).unwrap().source, "ECB");
        let lacking = rates.lacking(september.plus(-1).through(september.plus(2)));
        assert_eq!(lacking, [september.plus(-1), september.plus(2)]);
        let remarks: Vec<String> = rates.remarks().iter().map(Remark::to_string).collect();
        assert_eq!(remarks, ["`rates.csv`, line 6: it says the same as line 2, and counts once"]);
        assert_eq!(rates.currency().as_str(), "EUR");
    }

    #[test]
    fn what_cannot_be_followed_is_refused_with_its_line() {
        for (rows, expected) in [
            ("", "line 1: no row is about the currency `EUR`"),
            ("2026-10,GBP,0.7\n", "line 1: no row is about the currency `EUR`"),
            (
                "2026-10,EUR,0.9\n2026-09,EUR,0.9\n2026-10,EUR,0.91\n",
                "line 4: a unit is 0.91 EUR in 2026-10, and 0.9 on line 2",
            ),
            ("2026-10,EUR,0\n", "line 2: in `rate`, `0` is not more than zero"),
            ("2026-10,EUR,-1\n", "line 2: in `rate`, `-1` is not more than zero"),
            (
                "2026-10,Euro,0.9\n",
                "line 2: in `currency`, `Euro` is not the code of a currency: three letters, as in `EUR`",
            ),
            (
                "Oct 26,EUR,0.9\n",
                "line 2: in `month`, `Oct 26` is not a month as in `2026-10` (year, month)",
            ),
            (",EUR,0.9\n", "line 2: `month` is blank"),
        ] {
            let error = read(&format!("month,currency,rate\n{rows}")).unwrap_err();
            assert_eq!(error.to_string(), format!("`rates.csv`, {expected}"));
        }
    }
}
