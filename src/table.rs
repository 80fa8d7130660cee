//! Owns tables: typed columns and a source of rows, before anything is printed.
//!
//! **Invariant:** no text is made from a number here; writers pull rows, so a million lines are never held as cells.

use std::borrow::Cow;

use jiff::civil::Date;

use crate::money::Money;
use crate::period::Month;

/// A column of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// The name in files: snake case, an interface.
    pub name: &'static str,
    /// The heading for people.
    pub heading: &'static str,
    /// What its cells hold.
    pub kind: Kind,
}

/// What the cells of a column hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Words.
    Text,
    /// An amount of the ledger's currency.
    Money,
    /// A usage quantity, exact, in the unit of another column.
    Quantity,
    /// A share in hundredths of a percent.
    Percent,
    /// A month.
    Month,
    /// A day.
    Day,
    /// Yes or no.
    Flag,
}

/// One cell; its variant is that of its column, or blank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell<'a> {
    /// Words.
    Text(Cow<'a, str>),
    /// An amount.
    Money(Money),
    /// A usage quantity in 10⁻¹² of its unit, printed like an exact decimal.
    Quantity(i128),
    /// Hundredths of a percent.
    Percent(i128),
    /// A month.
    Month(Month),
    /// A day.
    Day(Date),
    /// Yes or no.
    Flag(bool),
    /// Nothing is known: never the same as zero.
    Blank,
}

/// Columns and a source of rows.
pub struct Table<'a> {
    /// The columns, in order.
    pub columns: Vec<Column>,
    /// The rows; each has one cell a column.
    pub rows: Box<dyn Iterator<Item = Vec<Cell<'a>>> + 'a>,
}

impl Table<'_> {
    /// Returns the table with the named columns only, in their order.
    #[must_use]
    pub fn only(self, names: &[&str]) -> Self {
        let columns = self.columns.iter().enumerate();
        let kept: Vec<(usize, Column)> = columns
            .filter(|(_, column)| names.contains(&column.name))
            .map(|(index, column)| (index, *column))
            .collect();
        let columns = kept.iter().map(|(_, column)| *column).collect();
        let rows =
            self.rows.map(move |row| kept.iter().map(|(index, _)| row[*index].clone()).collect());
        Table { columns, rows: Box::new(rows) }
    }
}

impl<'a> Cell<'a> {
    /// Returns a text cell, blank when there is no text.
    pub fn text(text: impl Into<Cow<'a, str>>) -> Cell<'a> {
        let text = text.into();
        if text.is_empty() { Cell::Blank } else { Cell::Text(text) }
    }

    /// Returns a money cell, blank when the amount was not delivered.
    pub fn money(money: Option<Money>) -> Cell<'a> {
        money.map_or(Cell::Blank, Cell::Money)
    }
}
