//! Owns CSV: one header, one line a row, exact decimals.
//!
//! **Invariant:** a number is printed exactly, and no text cell can become a formula in a spreadsheet.

use std::io::{self, Write};

use csv::{QuoteStyle, Terminator, WriterBuilder};

use crate::render::text;
use crate::table::{Cell, Table};

/// Writes the table and returns the number of rows below the header.
pub fn write(table: Table<'_>, out: &mut impl Write) -> io::Result<u64> {
    let mut writer = WriterBuilder::new()
        .terminator(Terminator::Any(b'\n'))
        .quote_style(QuoteStyle::Necessary)
        .from_writer(out);
    writer.write_record(table.columns.iter().map(|column| column.name))?;
    let mut row_count = 0;
    let mut field = Vec::with_capacity(64);
    for row in table.rows {
        assert!(row.len() == table.columns.len(), "a row has one cell a column");
        for cell in &row {
            field.clear();
            push(cell, &mut field)?;
            writer.write_field(&field)?;
        }
        // An empty record ends the line; its fields were written one by one.
        writer.write_record(None::<&[u8]>)?;
        row_count += 1;
    }
    writer.flush()?;
    Ok(row_count)
}

fn push(cell: &Cell<'_>, field: &mut Vec<u8>) -> io::Result<()> {
    match cell {
        Cell::Text(text) => {
            if is_formula(text) {
                field.push(b'\'');
            }
            field.extend_from_slice(text.as_bytes());
        }
        Cell::Money(money) => text::push_exact(money.units(), field),
        Cell::Quantity(units) => text::push_exact(*units, field),
        Cell::Percent(basis_points) => text::push_hundredths(*basis_points, field),
        Cell::Month(month) => write!(field, "{month}")?,
        Cell::Day(day) => write!(field, "{day}")?,
        Cell::Flag(flag) => field.extend_from_slice(if *flag { b"true" } else { b"false" }),
        Cell::Blank => {}
    }
    Ok(())
}

/// Tells whether a spreadsheet would evaluate the text instead of showing it.
fn is_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Money;
    use crate::period::Month;
    use crate::table::{Column, Kind};

    fn column(name: &'static str, kind: Kind) -> Column {
        Column { name, heading: name, kind }
    }

    fn written(columns: Vec<Column>, rows: Vec<Vec<Cell<'_>>>) -> (u64, String) {
        let mut out = Vec::new();
        let count = write(Table { columns, rows: Box::new(rows.into_iter()) }, &mut out).unwrap();
        (count, String::from_utf8(out).unwrap())
    }

    #[test]
    fn every_kind_of_cell_has_its_form() {
        let columns = vec![
            column("owner", Kind::Text),
            column("total", Kind::Money),
            column("used", Kind::Quantity),
            column("share_percent", Kind::Percent),
            column("month", Kind::Month),
            column("day", Kind::Day),
            column("estimated", Kind::Flag),
        ];
        let month = Month::parse("2026-10").unwrap();
        let rows = vec![
            vec![
                Cell::text("a, \"b\""),
                Cell::Money(Money::parse("-0.000000000001").unwrap()),
                Cell::Quantity(1_500_000_000_000),
                Cell::Percent(-5),
                Cell::Month(month),
                Cell::Day(month.start()),
                Cell::Flag(true),
            ],
            vec![
                Cell::text(""),
                Cell::money(None),
                Cell::Blank,
                Cell::Percent(1234),
                Cell::Blank,
                Cell::Blank,
                Cell::Flag(false),
            ],
        ];
        let (count, text) = written(columns, rows);
        assert_eq!(count, 2);
        assert_eq!(
            text,
            "owner,total,used,share_percent,month,day,estimated\n\
             \"a, \"\"b\"\"\",-0.000000000001,1.5,-0.05,2026-10,2026-10-01,true\n\
             ,,,12.34,,,false\n"
        );
    }

    #[test]
    fn a_formula_is_neutralised_and_a_number_is_not() {
        for (text, expected) in [
            ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\tx", "'\tx"),
            ("\rx", "\"'\rx\""),
            ("a=b", "a=b"),
            ("team-a", "team-a"),
        ] {
            let (_, csv) = written(vec![column("c", Kind::Text)], vec![vec![Cell::text(text)]]);
            assert_eq!(csv, format!("c\n{expected}\n"), "{text:?}");
        }
        let minus = Cell::Money(Money::from_cents(-250));
        let (_, csv) = written(vec![column("c", Kind::Money)], vec![vec![minus]]);
        assert_eq!(csv, "c\n-2.5\n");
    }

    #[test]
    fn another_reader_gets_the_same_cells_and_the_same_sum() {
        let rows: Vec<Vec<Cell<'_>>> = (1..=1000_i128)
            .map(|index| {
                let name = format!("line\n{index};\"x\"");
                vec![Cell::text(name), Cell::Money(Money::from_units(index * 10_000_001))]
            })
            .collect();
        let columns = vec![column("name", Kind::Text), column("amount", Kind::Money)];
        let (_, text) = written(columns, rows);
        let mut sum = Money::ZERO;
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        for (index, record) in (1..).zip(reader.records()) {
            let record = record.unwrap();
            assert_eq!(record[0], format!("line\n{index};\"x\""));
            sum += Money::parse(&record[1]).unwrap();
        }
        assert_eq!(sum, Money::from_units(500_500 * 10_000_001));
    }
}
