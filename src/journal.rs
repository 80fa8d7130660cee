//! Owns the double-entry journal: what is charged, as rows that a ledger of accounts can take in.
//!
//! **Invariant:** the debits add up to the credits, in whole cents.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::money::Money;
use crate::period::Month;
use crate::table::{Cell, Column, Kind, Table};

/// Which accounts a journal books on: `[journal]` of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Accounts")]
pub struct JournalTerms {
    #[serde(rename = "debit_account")]
    debit: String,
    #[serde(rename = "credit_account")]
    credit: String,
    #[serde(rename = "tax_account")]
    tax: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Accounts {
    #[serde(rename = "debit_account")]
    debit: String,
    #[serde(rename = "credit_account")]
    credit: String,
    #[serde(rename = "tax_account")]
    tax: Option<String>,
}

/// Accounts that nothing can be booked on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotJournalTerms {
    /// An account without a name.
    #[error("`{0}` is blank")]
    Blank(&'static str),
    /// What is charged would be taken off the account that it is put on.
    #[error("`{0}` and `credit_account` are both `{1}`, so nothing would be booked")]
    Same(&'static str, String),
}

/// One charge to be booked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The month that it is about; its last day is the date.
    pub month: Month,
    /// The account that a positive amount is put on.
    pub debit_account: String,
    /// The account that a positive amount is taken off.
    pub credit_account: String,
    /// What is booked, in whole cents; below zero the two accounts swap sides.
    pub cents: i128,
    /// What it is for.
    pub description: String,
    /// Who is charged.
    pub team: String,
}

/// One side of an entry.
struct Side<'a> {
    number: usize,
    entry: &'a Entry,
    account: &'a str,
    debit: Option<Money>,
    credit: Option<Money>,
}

impl JournalTerms {
    /// Returns the account on which a charge is put: a team's own one, if it has one, else the common one.
    pub fn debit_account<'a>(&'a self, team_account: Option<&'a str>) -> &'a str {
        team_account.unwrap_or(&self.debit)
    }

    /// Returns the account on which tax is put: the one for tax, if there is one, else that of any other charge.
    pub fn tax_account<'a>(&'a self, team_account: Option<&'a str>) -> &'a str {
        self.tax.as_deref().unwrap_or_else(|| self.debit_account(team_account))
    }

    /// Returns the account that every charge is taken off.
    pub fn credit_account(&self) -> &str {
        &self.credit
    }
}

impl TryFrom<Accounts> for JournalTerms {
    type Error = NotJournalTerms;
    fn try_from(accounts: Accounts) -> Result<JournalTerms, NotJournalTerms> {
        let credit = accounts.credit.trim();
        let tax = accounts.tax.as_deref();
        let debits = [("debit_account", Some(accounts.debit.as_str())), ("tax_account", tax)];
        for (key, account) in debits {
            if account.is_some_and(|account| account.trim().is_empty()) {
                return Err(NotJournalTerms::Blank(key));
            }
            if account.is_some_and(|account| account.trim() == credit) {
                return Err(NotJournalTerms::Same(key, credit.to_owned()));
            }
        }
        if credit.is_empty() {
            return Err(NotJournalTerms::Blank("credit_account"));
        }
        let trimmed = |account: &str| account.trim().to_owned();
        Ok(JournalTerms {
            debit: trimmed(&accounts.debit),
            credit: credit.to_owned(),
            tax: tax.map(trimmed),
        })
    }
}

/// Returns the journal: two rows an entry, the debit first; an entry of no cents has none.
///
/// Entries are numbered within their month in the order given, with those of no cents left out (`2026-10-0001`).
pub fn tabulate<'a>(entries: &'a [Entry], currency: &'a str) -> Table<'a> {
    let sides = sides(entries);
    let debits: Money = sides.iter().filter_map(|side| side.debit).sum();
    let credits: Money = sides.iter().filter_map(|side| side.credit).sum();
    assert!(debits == credits, "the debits of a journal add up to its credits");
    let rows = sides.into_iter().map(move |side| {
        let month = side.entry.month;
        vec![
            Cell::Day(last_day(month)),
            Cell::text(format!("{month}-{:04}", side.number)),
            Cell::text(side.account),
            Cell::text(side.entry.description.as_str()),
            Cell::text(side.entry.team.as_str()),
            Cell::money(side.debit),
            Cell::money(side.credit),
            Cell::text(currency),
        ]
    });
    Table { columns: columns(), rows: Box::new(rows) }
}

fn columns() -> Vec<Column> {
    let column = |(name, heading, kind)| Column { name, heading, kind };
    [
        ("date", "Date", Kind::Day),
        ("entry", "Entry", Kind::Text),
        ("account", "Account", Kind::Text),
        ("description", "Description", Kind::Text),
        ("team", "Team", Kind::Text),
        ("debit", "Debit", Kind::Money),
        ("credit", "Credit", Kind::Money),
        ("currency", "Currency", Kind::Text),
    ]
    .map(column)
    .into()
}

fn sides(entries: &[Entry]) -> Vec<Side<'_>> {
    let mut numbers = BTreeMap::<Month, usize>::new();
    let mut sides = Vec::with_capacity(entries.len() * 2);
    for entry in entries.iter().filter(|entry| entry.cents != 0) {
        let number = numbers.entry(entry.month).and_modify(|number| *number += 1).or_insert(1);
        let number = *number;
        let amount = Some(Money::from_cents(entry.cents).abs());
        let (mut on, mut off) = (entry.debit_account.as_str(), entry.credit_account.as_str());
        if entry.cents < 0 {
            (on, off) = (off, on);
        }
        sides.push(Side { number, entry, account: on, debit: amount, credit: None });
        sides.push(Side { number, entry, account: off, debit: None, credit: amount });
    }
    sides
}

fn last_day(month: Month) -> Date {
    month.start().last_of_month()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn terms(text: &str) -> Result<JournalTerms, String> {
        toml::from_str(text).map_err(|error: toml::de::Error| error.message().to_owned())
    }

    fn entry(month: &str, cents: i128) -> Entry {
        Entry {
            month: Month::parse(month).unwrap(),
            debit_account: "6200".to_owned(),
            credit_account: "2100".to_owned(),
            cents,
            description: format!("SageMaker {month}"),
            team: "vision".to_owned(),
        }
    }

    fn shown(cell: &Cell<'_>) -> String {
        match cell {
            Cell::Text(text) => text.to_string(),
            Cell::Money(money) => money.to_string(),
            Cell::Day(day) => day.to_string(),
            Cell::Blank => String::new(),
            _ => "?".to_owned(),
        }
    }

    #[test]
    fn a_charge_is_two_rows_and_a_negative_one_swaps_sides() {
        let entries = [
            entry("2026-10", 12_345),
            entry("2026-10", 0),
            entry("2026-10", -250),
            entry("2026-02", 1),
        ];
        let table = tabulate(&entries, "USD");
        let names: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
        assert_eq!(names.join(","), "date,entry,account,description,team,debit,credit,currency");
        let rows: Vec<String> =
            table.rows.map(|row| row.iter().map(shown).collect::<Vec<_>>().join(",")).collect();
        assert_eq!(
            rows.join("\n"),
            "2026-10-31,2026-10-0001,6200,SageMaker 2026-10,vision,123.45,,USD\n\
             2026-10-31,2026-10-0001,2100,SageMaker 2026-10,vision,,123.45,USD\n\
             2026-10-31,2026-10-0002,2100,SageMaker 2026-10,vision,2.5,,USD\n\
             2026-10-31,2026-10-0002,6200,SageMaker 2026-10,vision,,2.5,USD\n\
             2026-02-28,2026-02-0001,6200,SageMaker 2026-02,vision,0.01,,USD\n\
             2026-02-28,2026-02-0001,2100,SageMaker 2026-02,vision,,0.01,USD"
        );
    }

    #[test]
    fn accounts_are_chosen_by_team_and_tax() {
        let both = "debit_account = \"6200\"\ncredit_account = \" 2100 \"\n";
        let terms_of = |text: &str| terms(text).unwrap();
        let plain = terms_of(both);
        assert_eq!((plain.debit_account(None), plain.debit_account(Some("77"))), ("6200", "77"));
        assert_eq!((plain.tax_account(None), plain.tax_account(Some("77"))), ("6200", "77"));
        assert_eq!(plain.credit_account(), "2100");
        let taxed = terms_of(&format!("{both}tax_account = \"1400\""));
        assert_eq!((taxed.debit_account(None), taxed.tax_account(Some("77"))), ("6200", "1400"));
        for (text, expected) in [
            ("debit_account = \"1\"", "missing field `credit_account`"),
            ("debit_account = \" \"\ncredit_account = \"1\"", "`debit_account` is blank"),
            ("debit_account = \"1\"\ncredit_account = \"\"", "`credit_account` is blank"),
            (
                "debit_account = \"1\"\ncredit_account = \"1\"",
                "`debit_account` and `credit_account` are both `1`, so nothing would be booked",
            ),
            (
                "debit_account = \"2\"\ncredit_account = \"1\"\ntax_account = \"1\"",
                "`tax_account` and `credit_account` are both `1`, so nothing would be booked",
            ),
        ] {
            assert_eq!(terms(text).unwrap_err(), expected, "{text}");
        }
        assert!(
            terms(&format!("{both}debt = \"1\"")).unwrap_err().contains("unknown field `debt`")
        );
    }

    proptest! {
        #[test]
        fn accounts_hold_what_was_charged(cents in prop::collection::vec(-9_999_i128..9_999, 0..20)) {
            let entries: Vec<Entry> = cents.iter().map(|cents| entry("2026-10", *cents)).collect();
            let mut balance = Money::ZERO;
            for row in tabulate(&entries, "USD").rows.filter(|row| row[2] == Cell::text("6200")) {
                match (&row[5], &row[6]) {
                    (Cell::Money(debit), Cell::Blank) => balance += *debit,
                    (Cell::Blank, Cell::Money(credit)) => balance -= *credit,
                    sides => panic!("a row has one side: {sides:?}"),
                }
            }
            prop_assert_eq!(balance, Money::from_cents(cents.iter().sum()));
        }
    }
}
