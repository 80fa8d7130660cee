//! Owns tables as JSON: an array with one object a row, for programs that read stdout.
//!
//! **Invariant:** an amount, a quantity and a share are decimal strings, and blank is `null`.

use std::io::{self, Write};

use crate::render::text;
use crate::table::{Cell, Table};

/// Writes the table, one row a line, and returns the number of rows.
pub fn write(table: Table<'_>, out: &mut impl Write) -> io::Result<u64> {
    let mut row_count = 0;
    out.write_all(b"[")?;
    for row in table.rows {
        assert!(row.len() == table.columns.len(), "a row has one cell a column");
        out.write_all(if row_count == 0 { b"\n" } else { b",\n" })?;
        for (index, (column, cell)) in table.columns.iter().zip(&row).enumerate() {
            out.write_all(if index == 0 { b"{" } else { b"," })?;
            serde_json::to_writer(&mut *out, column.name)?;
            out.write_all(b":")?;
            value(cell, out)?;
        }
        out.write_all(b"}")?;
        row_count += 1;
    }
    out.write_all(if row_count == 0 { b"]\n" } else { b"\n]\n" })?;
    Ok(row_count)
}

fn value(cell: &Cell<'_>, out: &mut impl Write) -> io::Result<()> {
    match cell {
        Cell::Text(text) => serde_json::to_writer(out, text)?,
        Cell::Money(money) => write!(out, "\"{money}\"")?,
        Cell::Quantity(units) => write!(out, "\"{}\"", text::exact(*units))?,
        Cell::Percent(basis_points) => {
            let mut share = Vec::new();
            text::push_hundredths(*basis_points, &mut share);
            out.write_all(b"\"")?;
            out.write_all(&share)?;
            out.write_all(b"\"")?;
        }
        Cell::Month(month) => write!(out, "\"{month}\"")?,
        Cell::Day(day) => write!(out, "\"{day}\"")?,
        Cell::Flag(flag) => write!(out, "{flag}")?,
        Cell::Blank => out.write_all(b"null")?,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Money;
    use crate::table::{Column, Kind};

    #[test]
    fn a_row_is_an_object_with_exact_strings() {
        let column = |name, kind| Column { name, heading: name, kind };
        let columns = vec![
            column("owner", Kind::Text),
            column("total", Kind::Money),
            column("share", Kind::Percent),
            column("estimated", Kind::Flag),
        ];
        let rows = vec![
            vec![
                Cell::text("a\"\n</b>"),
                Cell::Money(Money::parse("12.30").unwrap()),
                Cell::Percent(-7),
                Cell::Flag(true),
            ],
            vec![Cell::Blank, Cell::Blank, Cell::Blank, Cell::Flag(false)],
        ];
        let mut out = Vec::new();
        let table = Table { columns, rows: Box::new(rows.into_iter()) };
        assert_eq!(write(table, &mut out).unwrap(), 2);
        assert_eq!(
            String::from_utf8(out.clone()).unwrap(),
            "[\n{\"owner\":\"a\\\"\\n</b>\",\"total\":\"12.3\",\"share\":\"-0.07\",\"estimated\":true},\n\
             {\"owner\":null,\"total\":null,\"share\":null,\"estimated\":false}\n]\n"
        );
        assert!(serde_json::from_slice::<serde_json::Value>(&out).is_ok());
    }

    #[test]
    fn an_empty_table_is_an_empty_array() {
        let mut out = Vec::new();
        let table = Table { columns: Vec::new(), rows: Box::new(std::iter::empty()) };
        assert_eq!(write(table, &mut out).unwrap(), 0);
        assert_eq!(out, b"[]\n");
    }
}
