//! Owns how the text of a CSV file falls into rows of fields.
//!
//! **Invariant:** a row knows the line on which it begins, whatever line ends and quotes came before.
//! **Invariant:** a quote that is never closed is refused, since it would swallow every row after it.

use crate::encoding::line_at;

/// What may stand between two fields; a comma where nothing tells them apart.
const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];

/// A row that has at least one field that is not blank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GridRow {
    /// The line on which it begins, from 1.
    pub line: u64,
    /// The fields without quotes and without spaces around them.
    pub fields: Vec<String>,
}

/// A text that does not fall into fields.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct NotGrid {
    /// The line, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub why: &'static str,
}

/// Stands in a row of its own after the last one; a quote that is never closed takes it in.
const END: &str = "\u{1}";

/// Returns the rows of a text; its delimiter is the one that shows most names known to be in the first row.
pub fn read(text: &str, is_known: impl Fn(&str) -> bool) -> Result<Vec<GridRow>, NotGrid> {
    // Some spreadsheets give the delimiter a line of its own.
    let (first, after) = text.split_at(text.find(['\n', '\r']).unwrap_or(text.len()));
    let is_said = first.get(..4).is_some_and(|it| it.eq_ignore_ascii_case("sep="));
    let said = first.as_bytes().get(4).copied().filter(|it| is_said && DELIMITERS.contains(it));
    let text = format!("{}\n{END}", if is_said { after } else { text });
    let delimiter = said.unwrap_or_else(|| {
        let names = |delimiter: u8| match rows(&text, delimiter).next() {
            Some(row) => {
                (row.fields.iter().filter(|field| is_known(field)).count(), row.fields.len())
            }
            None => (0, 0),
        };
        // Of equal ones the last is taken, so the comma comes last.
        DELIMITERS.into_iter().rev().max_by_key(|it| names(*it)).expect("there are delimiters")
    });
    let mut rows: Vec<GridRow> = rows(&text, delimiter).collect();
    match rows.pop() {
        Some(last) if last.fields == [END] => Ok(rows),
        last => {
            let line = last.map_or(1, |row| row.line);
            Err(NotGrid { line, why: "a quote is opened and never closed" })
        }
    }
}

/// Returns the rows that have a field which is not blank, each with the line on which it begins.
fn rows(text: &str, delimiter: u8) -> impl Iterator<Item = GridRow> {
    let mut reader = csv::ReaderBuilder::new();
    reader.delimiter(delimiter).has_headers(false).flexible(true);
    let records = reader.from_reader(text.as_bytes()).into_records();
    let (mut line, mut counted) = (1, 0);
    records.filter_map(move |record| {
        let record = record.expect("a text in memory can be read, and rows may have any length");
        // Its position is before the blank lines that precede it.
        let start = record.position().map_or(0, csv::Position::byte);
        let start = usize::try_from(start).expect("a place in memory");
        let blank = text[start..].len() - text[start..].trim_start_matches(['\n', '\r']).len();
        line += line_at(&text.as_bytes()[counted..start + blank]) - 1;
        counted = start + blank;
        let fields: Vec<String> = record.iter().map(|field| field.trim().to_owned()).collect();
        (!fields.iter().all(String::is_empty)).then_some(GridRow { line, fields })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str) -> String {
        match read(text, |name| ["team", "day"].contains(&name)) {
            Ok(rows) => rows
                .iter()
                .map(|row| format!("{} {}", row.line, row.fields.join("|")))
                .collect::<Vec<_>>()
                .join("\n"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn rows_know_their_lines() {
        for (text, expected) in [
            ("", ""),
            ("\n\r\n", ""),
            ("team,day\na,b", "1 team|day\n2 a|b"),
            ("team;day\r\na,b;c\r\n", "1 team|day\n2 a,b|c"),
            ("team\tday\na;b\tc\n", "1 team|day\n2 a;b|c"),
            ("team\n", "1 team"),
            ("\n;;\n\nteam;day\n;\na;b\n", "4 team|day\n6 a|b"),
            ("team,day\n\"a\r\nb\n\",c\nd,e\n", "1 team|day\n2 a\r\nb|c\n5 d|e"),
            ("team,day\n\" a \"\"b\"\", c \", d \n", "1 team|day\n2 a \"b\", c|d"),
            ("team,day\nthe \"A\" team,b\n", "1 team|day\n2 the \"A\" team|b"),
            ("team,day\rx,y\rz,\r", "1 team|day\n2 x|y\n3 z|"),
            ("SEP=;\r\nteam;day\r\na;b\r\n", "2 team|day\n3 a|b"),
            ("\"team\";\"day\"\n\u{a0}a;b\u{a0}\n", "1 team|day\n2 a|b"),
            ("some,other;names\n", "1 some|other;names"),
            ("a;b;c,d\n", "1 a|b|c,d"),
        ] {
            assert_eq!(shown(text), expected, "{text:?}");
        }
    }

    #[test]
    fn broken_quotes_are_refused() {
        for (text, expected) in [
            ("team,day\na,\"b\nc,d\n", "line 2: a quote is opened and never closed"),
            ("team,day\na,\"b\"\"\n", "line 2: a quote is opened and never closed"),
        ] {
            assert_eq!(shown(text), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(
            fields in prop::collection::vec(prop::collection::vec("[a\",;\n\r\t é]{0,5}", 3), 0..8),
            delimiter in prop::sample::select(vec![',', ';', '\t']),
        ) {
            let mut text = ["team", "day", "x\n"].join(&delimiter.to_string());
            for row in &fields {
                let row = row.iter().map(|field| format!("\"{}\"", field.replace('"', "\"\"")));
                text += &(row.collect::<Vec<_>>().join(&delimiter.to_string()) + "\r\n");
            }
            let trimmed = fields.iter().map(|row| row.iter().map(|it| it.trim().to_owned()).collect());
            let expected: Vec<Vec<String>> =
                trimmed.filter(|row: &Vec<String>| row.iter().any(|it| !it.is_empty())).collect();
            let rows = read(&text, |name| ["team", "day"].contains(&name)).unwrap();
            let actual: Vec<Vec<String>> = rows.into_iter().skip(1).map(|row| row.fields).collect();
            prop_assert_eq!(actual, expected);
        }
    }
}
