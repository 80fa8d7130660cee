//! Owns how the text of a CSV file falls into rows of fields.
//!
//! **Invariant:** a row knows the line on which it begins, whatever line ends and quotes came before.
//! **Invariant:** a quote that is never closed is refused, since it would swallow every row after it.

use crate::encoding::line_at;

/// What may stand between two fields; a comma where nothing tells them apart.
const DELIMITERS: [char; 3] = [',', ';', '\t'];

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

struct Reader<'a> {
    rest: &'a str,
    line: u64,
    delimiter: char,
}

/// Returns the rows of a text; its delimiter is the one that shows most names known to be in the first row.
pub fn read(text: &str, is_known: impl Fn(&str) -> bool) -> Result<Vec<GridRow>, NotGrid> {
    // Some spreadsheets give the delimiter a line of its own.
    let (first, after) = text.split_at(text.find(['\n', '\r']).unwrap_or(text.len()));
    let is_said = first.get(..4).is_some_and(|it| it.eq_ignore_ascii_case("sep="));
    let said = first.chars().nth(4).filter(|it| is_said && DELIMITERS.contains(it));
    let text = if is_said { after } else { text };
    let start = |delimiter| Reader { rest: text, line: 1, delimiter };
    let delimiter = said.unwrap_or_else(|| {
        let names = |delimiter: char| match start(delimiter).next() {
            Some(Ok(row)) => {
                (row.fields.iter().filter(|field| is_known(field)).count(), row.fields.len())
            }
            // What has nothing but delimiters is empty, and not a word of delimiters.
            None => (0, usize::MAX),
            Some(Err(_)) => (0, 0),
        };
        // Of equal ones the last is taken, so the comma comes last.
        DELIMITERS.into_iter().rev().max_by_key(|it| names(*it)).expect("there are delimiters")
    });
    start(delimiter).collect()
}

impl Iterator for Reader<'_> {
    type Item = Result<GridRow, NotGrid>;

    fn next(&mut self) -> Option<Result<GridRow, NotGrid>> {
        while !self.rest.is_empty() {
            let line = self.line;
            match self.fields() {
                Ok(fields) if fields.iter().all(String::is_empty) => {}
                Ok(fields) => return Some(Ok(GridRow { line, fields })),
                Err(why) => {
                    self.rest = "";
                    return Some(Err(NotGrid { line, why }));
                }
            }
        }
        None
    }
}

impl Reader<'_> {
    /// Takes the fields up to the end of the row.
    fn fields(&mut self) -> Result<Vec<String>, &'static str> {
        let mut fields = vec![self.field()?];
        while let Some(rest) = self.rest.strip_prefix(self.delimiter) {
            self.rest = rest;
            fields.push(self.field()?);
        }
        let end = if self.rest.starts_with("\r\n") { 2 } else { self.rest.len().min(1) };
        self.line += 1;
        self.rest = &self.rest[end..];
        Ok(fields)
    }

    /// Takes a field up to the delimiter or the end of the row.
    fn field(&mut self) -> Result<String, &'static str> {
        let delimiter = self.delimiter;
        let is_end = |it: char| it == delimiter || it == '\n' || it == '\r';
        let is_blank = |it: char| it.is_whitespace() && !is_end(it);
        if let Some(rest) = self.rest.trim_start_matches(is_blank).strip_prefix('"') {
            let (value, rest) = quoted(rest).ok_or("a quote is opened and never closed")?;
            self.rest = rest.trim_start_matches(is_blank);
            if !self.rest.is_empty() && !self.rest.starts_with(is_end) {
                return Err("text follows a closing quote; a quote inside quotes is written twice");
            }
            self.line += line_at(value.as_bytes()) - 1;
            return Ok(value.trim().to_owned());
        }
        let (value, rest) = self.rest.split_at(self.rest.find(is_end).unwrap_or(self.rest.len()));
        self.rest = rest;
        Ok(value.trim().to_owned())
    }
}

/// Returns the text up to the closing quote, and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let (mut value, mut rest) = (String::new(), text);
    loop {
        let (part, after) = rest.split_once('"')?;
        value.push_str(part);
        let Some(after) = after.strip_prefix('"').inspect(|_| value.push('"')) else {
            return Some((value, after));
        };
        rest = after;
    }
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
            ("team,day\n \" a \"\"b\"\", c \" , d \n", "1 team|day\n2 a \"b\", c|d"),
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
            (
                "team,day\na,b\n\"a\"b,c\n",
                "line 3: text follows a closing quote; a quote inside quotes is written twice",
            ),
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
