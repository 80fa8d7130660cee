//! Owns CSV files that a person made, perhaps with a spreadsheet: their columns, rows and typed fields.
//!
//! **Invariant:** a row that cannot be followed is refused with its line, never passed over.
//! **Invariant:** what is blank is blank, never zero.

use std::collections::BTreeMap;
use std::fmt;

use jiff::civil::Date;

use crate::encoding::decode;
use crate::field::{self, NotField};
use crate::grid::{self, GridRow};
use crate::money::Money;
use crate::period::Month;

/// A column that a sheet may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its name in small letters: an interface.
    pub name: &'static str,
    /// Whether every sheet has to have it.
    pub is_required: bool,
}

/// A file of rows under known columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    file: String,
    /// Every known column, and its place where the file has it.
    places: BTreeMap<&'static str, Option<usize>>,
    rows: Vec<GridRow>,
    remarks: Vec<Remark>,
}

/// One row of a sheet.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    sheet: &'a Sheet,
    row: &'a GridRow,
}

/// What is odd about a file that can be read all the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("`{file}`, line {line}: {oddity}")]
pub struct Remark {
    /// The file as the user named it.
    pub file: String,
    /// The line, from 1.
    pub line: u64,
    /// What is odd.
    pub oddity: Oddity,
}

/// What may be odd about a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Oddity {
    /// It is the first that is not UTF-8.
    Windows1252,
    /// It says the same as that earlier line.
    SameAs(u64),
}

/// A file that does not hold what it should.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{file}`, line {line}: {why}")]
pub struct NotSheet {
    /// The file as the user named it.
    pub file: String,
    /// The line, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub why: String,
}

impl Head {
    /// Returns a column that every sheet has to have.
    pub const fn required(name: &'static str) -> Head {
        Head { name, is_required: true }
    }

    /// Returns a column that a sheet may lack, which leaves it blank in every row.
    pub const fn optional(name: &'static str) -> Head {
        Head { name, is_required: false }
    }
}

impl Sheet {
    /// Parses a CSV file under the columns given, or tells the first thing that is wrong.
    ///
    /// The order of columns is free, case in their names does not matter, and lines without any field are passed over.
    /// `file` is only for texts.
    pub fn parse(file: &str, bytes: &[u8], heads: &[Head]) -> Result<Sheet, NotSheet> {
        let not_sheet = |line, why| NotSheet { file: file.to_owned(), line, why };
        let decoded = decode(bytes).map_err(|error| not_sheet(error.line, error.why))?;
        let is_known = |name: &str| heads.iter().any(|head| head.name.eq_ignore_ascii_case(name));
        let grid = grid::read(&decoded.text, is_known)
            .map_err(|error| not_sheet(error.line, error.why.to_owned()))?;
        let mut rows = grid.into_iter();
        let Some(header) = rows.next() else {
            let why = format!("the file is empty; {}", described(heads));
            return Err(not_sheet(1, why));
        };
        let names = header.fields.iter().rposition(|name| !name.is_empty());
        let count = names.map_or(0, |last| last + 1);
        let places =
            places(&header.fields[..count], heads).map_err(|why| not_sheet(header.line, why))?;
        let mut sheet =
            Sheet { file: file.to_owned(), places, rows: Vec::new(), remarks: Vec::new() };
        if let Some(line) = decoded.foreign_line {
            sheet.remark(line, Oddity::Windows1252);
        }
        let mut seen: BTreeMap<Vec<String>, u64> = BTreeMap::new();
        for mut row in rows {
            // Spreadsheets write blank fields for columns that once held something.
            let has_more = row.fields.iter().skip(count).any(|field| !field.is_empty());
            if has_more || row.fields.len() < count {
                return Err(not_sheet(row.line, misfit(&row.fields, count)));
            }
            row.fields.truncate(count);
            if let Some(first) = seen.get(&row.fields) {
                sheet.remark(row.line, Oddity::SameAs(*first));
                continue;
            }
            seen.insert(row.fields.clone(), row.line);
            sheet.rows.push(row);
        }
        Ok(sheet)
    }

    /// Returns the rows in the order of their lines.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|row| Row { sheet: self, row })
    }

    /// Tells whether the file has the column.
    pub fn has(&self, name: &str) -> bool {
        self.place(name).is_some()
    }

    /// Returns what is odd about the file, in the order of its lines but the encoding first.
    pub fn remarks(&self) -> &[Remark] {
        &self.remarks
    }

    /// Returns the error that tells what is wrong with a line.
    pub fn wrong(&self, line: u64, why: impl Into<String>) -> NotSheet {
        NotSheet { file: self.file.clone(), line, why: why.into() }
    }

    fn place(&self, name: &str) -> Option<usize> {
        *self.places.get(name).expect("only columns that the sheet was parsed with are read")
    }

    fn remark(&mut self, line: u64, oddity: Oddity) {
        self.remarks.push(Remark { file: self.file.clone(), line, oddity });
    }
}

impl<'a> Row<'a> {
    /// Returns the line on which the row begins, from 1.
    pub fn line(self) -> u64 {
        self.row.line
    }

    /// Returns the field, `""` where it is blank or the file lacks the column.
    pub fn get(self, name: &str) -> &'a str {
        self.sheet.place(name).map_or("", |index| &self.row.fields[index])
    }

    /// Returns the field, which must not be blank.
    pub fn filled(self, name: &str) -> Result<&'a str, NotSheet> {
        match self.get(name) {
            "" => Err(self.wrong(format!("`{name}` is blank"))),
            field => Ok(field),
        }
    }

    /// Returns the day of the field, absent where it is blank.
    pub fn day(self, name: &str) -> Result<Option<Date>, NotSheet> {
        self.read(name, field::day)
    }

    /// Returns the month of the field, absent where it is blank.
    pub fn month(self, name: &str) -> Result<Option<Month>, NotSheet> {
        self.read(name, field::month)
    }

    /// Returns the decimal of the field exactly as it is written, absent where it is blank.
    pub fn money(self, name: &str) -> Result<Option<Money>, NotSheet> {
        self.read(name, field::decimal)
    }

    /// Returns the error that tells what is wrong with the row.
    pub fn wrong(self, why: impl Into<String>) -> NotSheet {
        self.sheet.wrong(self.row.line, why)
    }

    fn read<T>(
        self,
        name: &str,
        parse: fn(&str) -> Result<T, NotField>,
    ) -> Result<Option<T>, NotSheet> {
        match self.get(name) {
            "" => Ok(None),
            field => match parse(field) {
                Ok(value) => Ok(Some(value)),
                Err(error) => Err(self.wrong(format!("in `{name}`, {error}"))),
            },
        }
    }
}

impl fmt::Display for Oddity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Oddity::Windows1252 => write!(
                formatter,
                "it is not UTF-8, so the file is read as Windows-1252; look at its names, or save it as UTF-8"
            ),
            Oddity::SameAs(line) => {
                write!(formatter, "it says the same as line {line}, and counts once")
            }
        }
    }
}

fn places(
    names: &[String],
    heads: &[Head],
) -> Result<BTreeMap<&'static str, Option<usize>>, String> {
    let mut places: BTreeMap<_, _> = heads.iter().map(|head| (head.name, None)).collect();
    for (index, name) in names.iter().enumerate() {
        let name = name.to_ascii_lowercase();
        if name.is_empty() {
            return Err(format!("column {} has no name; {}", index + 1, described(heads)));
        }
        let Some(place) = places.get_mut(name.as_str()) else {
            let near = heads.iter().map(|head| (distance(head.name, &name), head.name)).min();
            let meant = near.filter(|(distance, near)| *distance <= near.len().div_ceil(2).min(2));
            let meant = meant.map_or(String::new(), |(_, near)| format!(", perhaps `{near}`"));
            return Err(format!("`{name}` is not a column{meant}; {}", described(heads)));
        };
        if place.replace(index).is_some() {
            return Err(format!("the column `{name}` is there twice"));
        }
    }
    match heads.iter().find(|head| head.is_required && places[head.name].is_none()) {
        Some(head) => Err(format!("there is no column `{}`; {}", head.name, described(heads))),
        None => Ok(places),
    }
}

fn described(heads: &[Head]) -> String {
    let names = |is_required: bool| {
        let names = heads.iter().filter(move |head| head.is_required == is_required);
        names.map(|head| format!("`{}`", head.name)).collect::<Vec<_>>().join(", ")
    };
    match (names(true), names(false)) {
        (required, optional) if optional.is_empty() => {
            format!("its first line names the columns {required}")
        }
        (required, optional) if required.is_empty() => {
            format!("its first line names any of the columns {optional}")
        }
        (required, optional) => {
            format!("its first line names the columns {required}, and perhaps {optional}")
        }
    }
}

fn misfit(fields: &[String], expected: usize) -> String {
    let fields_of =
        |count: usize| if count == 1 { "1 field".to_owned() } else { format!("{count} fields") };
    format!("it has {}, and should have {expected}", fields_of(fields.len()))
}

/// The number of letters to put in, take out or change to make one word the other.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (index, letter) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], index + 1);
        for (place, against) in other.chars().enumerate() {
            let changed = diagonal + usize::from(letter != against);
            diagonal = row[place + 1];
            row[place + 1] = changed.min(diagonal + 1).min(row[place] + 1);
        }
    }
    row[other.chars().count()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADS: [Head; 3] =
        [Head::required("team"), Head::required("owner"), Head::optional("valid_from")];

    fn read(text: &str) -> String {
        let sheet = match Sheet::parse("teams.csv", text.as_bytes(), &HEADS) {
            Ok(sheet) => sheet,
            Err(error) => return error.to_string(),
        };
        let rows = sheet.rows().map(|row| match row.day("valid_from") {
            Ok(day) => {
                let day = day.map_or("ever".to_owned(), |day| day.to_string());
                format!("{} {} {} {day}", row.line(), row.get("team"), row.get("owner"))
            }
            Err(error) => error.to_string(),
        });
        rows.chain(sheet.remarks().iter().map(Remark::to_string)).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn columns_may_stand_in_any_order() {
        for (text, expected) in [
            ("team,owner\n", ""),
            ("team,owner\na,b\n", "2 a b ever"),
            (
                "\u{feff}Owner;VALID_FROM;Team\r\nb;2026-10-14;a\r\nb;;a\r\n",
                "2 a b 2026-10-14\n3 a b ever",
            ),
            ("team,owner,,\na,b\nc,d,,,\n", "2 a b ever\n3 c d ever"),
            (
                "team,owner\na,b\n\nc,d\n a,b\n",
                "2 a b ever\n4 c d ever\n`teams.csv`, line 5: it says the same as line 2, and counts once",
            ),
            (
                "team,owner,valid_from\na,b,14.10.2026\n",
                "`teams.csv`, line 2: in `valid_from`, `14.10.2026` is not a day as in `2026-10-14` (year, month, day)",
            ),
        ] {
            assert_eq!(read(text), expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let columns = "its first line names the columns `team`, `owner`, and perhaps `valid_from`";
        for (text, expected) in [
            ("", format!("line 1: the file is empty; {columns}")),
            (" \n,,\n", format!("line 1: the file is empty; {columns}")),
            ("team\n", format!("line 1: there is no column `owner`; {columns}")),
            (
                "\nTaem,owner\n",
                format!("line 2: `taem` is not a column, perhaps `team`; {columns}"),
            ),
            (
                "team,owner,validfrom\n",
                format!("line 1: `validfrom` is not a column, perhaps `valid_from`; {columns}"),
            ),
            ("team,owner,cost\n", format!("line 1: `cost` is not a column; {columns}")),
            ("team,,owner\n", format!("line 1: column 2 has no name; {columns}")),
            ("team,owner,Team\n", "line 1: the column `team` is there twice".to_owned()),
            ("team,owner\na\n", "line 2: it has 1 field, and should have 2".to_owned()),
            ("team,owner\na,b,,c\n", "line 2: it has 4 fields, and should have 2".to_owned()),
            ("team,owner\n\na,\"b\n", "line 3: a quote is opened and never closed".to_owned()),
        ] {
            assert_eq!(read(text), format!("`teams.csv`, {expected}"), "{text:?}");
        }
    }

    #[test]
    fn a_file_in_another_encoding_is_read_and_remarked() {
        let sheet = Sheet::parse("t.csv", b"team,owner\nM\xfcller,b\n", &HEADS).unwrap();
        let row = sheet.rows().next().unwrap();
        assert_eq!((row.filled("team").unwrap(), sheet.has("valid_from")), ("Müller", false));
        assert_eq!(sheet.remarks()[0].line, 2);
        assert_eq!(sheet.remarks()[0].oddity, Oddity::Windows1252);
        let sheet = Sheet::parse("t.csv", b"team,owner\na,\n", &HEADS).unwrap();
        let blank = sheet.rows().next().unwrap().filled("owner").unwrap_err();
        assert_eq!(blank.to_string(), "`t.csv`, line 2: `owner` is blank");
    }
}
