//! Owns the frame of what the bill said: the only file that names its columns.
//!
//! Amounts are `Decimal(38, 12)`, the storage of [`Money`]; polars stores them, and sums are taken in [`Money`] itself.
//! **Invariant:** every frame that leaves here is sorted on its full key, and an absent metric is null, never zero.

use std::collections::BTreeMap;
use std::io::Cursor;

use polars::prelude::*;

use crate::metric::{Amounts, Metric};
use crate::money::{Money, SCALE};
use crate::period::Month;

/// One group of one answer, on its way into the frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The first day that the amounts are about: of a month, or the day itself.
    pub start: jiff::civil::Date,
    /// The slice that was asked.
    pub slice: String,
    /// The tag's value; empty in the rest.
    pub value: String,
    /// The account that was billed, where it was asked by account.
    pub account: Option<String>,
    /// The service.
    pub service: String,
    /// The record type.
    pub record_type: String,
    /// The usage type; empty in frames of days.
    pub usage_type: String,
    /// The amounts.
    pub amounts: Amounts,
    /// The usage in 10⁻¹² of its unit, where it was delivered.
    pub usage: Option<i128>,
    /// The usage's unit.
    pub usage_unit: Option<String>,
    /// Whether AWS called the figures estimated.
    pub estimated: bool,
    /// The request that it came from, by its number in the manifest.
    pub request: u32,
    /// The page of that request, from 1.
    pub page: u32,
}

/// Records in one sorted frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Records(DataFrame);

/// Collects records column by column.
#[derive(Default)]
pub struct Builder {
    start: Vec<i32>,
    text: [Texts; 7],
    metric: [Vec<Option<i128>>; 4],
    usage: Vec<Option<i128>>,
    estimated: Vec<bool>,
    request: Vec<u32>,
    page: Vec<u32>,
}

/// A column of texts, each kept once: a bill repeats its few names in every row.
#[derive(Default)]
struct Texts {
    numbers: BTreeMap<String, u32>,
    rows: Vec<Option<u32>>,
    last: String,
}

/// A file that is not a frame of records.
#[derive(Debug, thiserror::Error)]
#[error("not a frame of records: {why}")]
pub struct NotRecords {
    /// What is wrong with it.
    pub why: String,
}

const TEXTS: [&str; 7] =
    ["slice", "value", "account", "service", "record_type", "usage_type", "usage_unit"];
/// The texts of the key; the start comes before them.
const TEXT_KEY: [&str; 6] = ["slice", "value", "account", "service", "record_type", "usage_type"];

fn epoch() -> jiff::civil::Date {
    jiff::civil::date(1970, 1, 1)
}

fn to_day(date: jiff::civil::Date) -> i32 {
    (date - epoch()).get_days()
}

fn from_day(day: i32) -> jiff::civil::Date {
    epoch() + jiff::ToSpan::days(day)
}

/// Returns each row's place among the different texts in order; an absent text comes first.
fn ranks(texts: &StringChunked) -> Vec<u32> {
    let mut last = None;
    let mut numbers: BTreeMap<Option<&str>, u32> = BTreeMap::new();
    for text in texts.iter() {
        if last != Some(text) {
            numbers.insert(text, 0);
            last = Some(text);
        }
    }
    for (number, rank) in numbers.values_mut().zip(0..) {
        *number = rank;
    }
    let mut last = (None, 0);
    let ranks = texts.iter().map(|text| {
        if last.0 != Some(text) {
            last = (Some(text), numbers[&text]);
        }
        last.1
    });
    ranks.collect()
}

fn decimal(name: &str, units: Vec<Option<i128>>) -> Column {
    let scale = usize::try_from(SCALE).expect("12 is a usize");
    Int128Chunked::from_iter_options(name.into(), units.into_iter())
        .into_decimal_unchecked(38, scale)
        .into_series()
        .into()
}

impl Texts {
    fn push(&mut self, text: Option<&str>) {
        let number = text.map(|text| {
            // Most rows repeat the row before.
            if let (true, Some(Some(last))) = (text == self.last, self.rows.last()) {
                return *last;
            }
            text.clone_into(&mut self.last);
            if let Some(number) = self.numbers.get(text) {
                return *number;
            }
            let number = u32::try_from(self.numbers.len()).expect("fewer than 2³² texts");
            self.numbers.insert(text.to_owned(), number);
            number
        });
        self.rows.push(number);
    }

    fn finish(self, name: &str) -> StringChunked {
        let mut texts = vec![""; self.numbers.len()];
        for (text, number) in &self.numbers {
            texts[usize::try_from(*number).expect("a text's number is a place")] = text;
        }
        let rows = IdxCa::from_iter_options("".into(), self.rows.into_iter());
        let texts = StringChunked::from_slice(name.into(), &texts);
        texts.take(&rows).expect("every number is the place of a text")
    }
}

impl Builder {
    /// Takes one record.
    pub fn push(&mut self, record: &Record) {
        self.start.push(to_day(record.start));
        let texts = [
            Some(record.slice.as_str()),
            Some(record.value.as_str()),
            record.account.as_deref(),
            Some(record.service.as_str()),
            Some(record.record_type.as_str()),
            Some(record.usage_type.as_str()),
            record.usage_unit.as_deref(),
        ];
        for (column, text) in self.text.iter_mut().zip(texts) {
            column.push(text);
        }
        for (column, metric) in self.metric.iter_mut().zip(Metric::ALL) {
            column.push(record.amounts.get(metric).map(Money::units));
        }
        self.usage.push(record.usage);
        self.estimated.push(record.estimated);
        self.request.push(record.request);
        self.page.push(record.page);
    }

    /// Makes the sorted frame.
    pub fn finish(self) -> Records {
        let height = self.start.len();
        let days = Int32Chunked::from_vec("start".into(), self.start).into_date().into_series();
        let mut columns: Vec<Column> = vec![days.into()];
        for (name, texts) in TEXTS.iter().zip(self.text) {
            columns.push(texts.finish(name).into_series().into());
        }
        for (metric, units) in Metric::ALL.iter().zip(self.metric) {
            columns.push(decimal(metric.name(), units));
        }
        columns.push(decimal("usage_quantity", self.usage));
        columns.push(Column::new("estimated".into(), self.estimated));
        columns.push(Column::new("request".into(), self.request));
        columns.push(Column::new("page".into(), self.page));
        let frame = DataFrame::new(height, columns).expect("the columns are of one length");
        Records(frame).sorted()
    }
}

impl Records {
    /// Returns a frame without records.
    pub fn empty() -> Records {
        Builder::default().finish()
    }

    /// Tells how many records there are.
    pub fn count(&self) -> usize {
        self.0.height()
    }

    fn sorted(self) -> Records {
        let starts = self.starts();
        let ranks = TEXT_KEY.map(|name| ranks(self.texts(name)));
        let (request, page) = (self.numbers("request"), self.numbers("page"));
        let key = |row: usize| {
            (
                starts.get(row),
                ranks.each_ref().map(|ranks| ranks[row]),
                request.get(row),
                page.get(row),
            )
        };
        if (1..self.count()).all(|row| key(row - 1) <= key(row)) {
            return self;
        }
        let mut order: Vec<usize> = (0..self.count()).collect();
        order.sort_by_key(|row| key(*row));
        let order = order.into_iter().map(|row| IdxSize::try_from(row).expect("a row's number"));
        let order = IdxCa::from_vec("".into(), order.collect());
        Records(self.0.take(&order).expect("the order names rows that exist"))
    }

    /// Joins several frames to one.
    #[must_use]
    pub fn concat(parts: &[Records]) -> Records {
        let mut parts = parts.iter().filter(|part| part.count() > 0);
        let Some(first) = parts.next() else { return Records::empty() };
        let mut all = first.0.clone();
        let mut is_one = true;
        for part in parts {
            is_one = false;
            all.vstack_mut(&part.0).expect("every frame of records has the same columns");
        }
        if is_one {
            return Records(all);
        }
        all.rechunk_mut();
        Records(all).sorted()
    }

    /// Returns the records of one month.
    #[must_use]
    pub fn of_month(&self, month: Month) -> Records {
        let period = month.period();
        let days = self.starts();
        let (first, end) = (to_day(period.start), to_day(period.end));
        let mask: BooleanChunked =
            days.iter().map(|day| day.is_some_and(|day| first <= day && day < end)).collect();
        Records(self.0.filter(&mask).expect("the mask is as long as the frame"))
    }

    /// Returns the months that have records, in order.
    pub fn months(&self) -> Vec<Month> {
        let days: std::collections::BTreeSet<i32> = self.starts().iter().flatten().collect();
        let months: std::collections::BTreeSet<Month> =
            days.into_iter().map(|day| Month::of(from_day(day))).collect();
        months.into_iter().collect()
    }

    /// Returns the numbers of the requests that the records came from.
    pub fn requests(&self) -> std::collections::BTreeSet<u32> {
        self.numbers("request").iter().flatten().collect()
    }

    /// Returns the frame as Parquet bytes; the same records give the same bytes.
    pub fn to_parquet(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        ParquetWriter::new(&mut bytes)
            .with_compression(ParquetCompression::Zstd(None))
            .finish(&mut self.0.clone())
            .expect("writing to memory does not fail");
        bytes
    }

    /// Reads a frame from Parquet bytes.
    pub fn from_parquet(bytes: &[u8]) -> Result<Records, NotRecords> {
        let frame = ParquetReader::new(Cursor::new(bytes))
            .finish()
            .map_err(|error| NotRecords { why: error.to_string() })?;
        let expected = Records::empty().0;
        if frame.schema() != expected.schema() {
            return Err(NotRecords { why: "its columns are not those of records".to_owned() });
        }
        Ok(Records(frame))
    }

    /// Returns each different (slice, value) once, sorted.
    pub fn distinct_values(&self) -> Vec<(String, String)> {
        let (slices, values) = (self.texts("slice"), self.texts("value"));
        let pairs: std::collections::BTreeSet<(&str, &str)> = slices
            .iter()
            .zip(values.iter())
            .map(|(slice, value)| (slice.unwrap_or_default(), value.unwrap_or_default()))
            .collect();
        pairs.into_iter().map(|(slice, value)| (slice.to_owned(), value.to_owned())).collect()
    }

    /// Returns each different (billed account, usage type) of the records that tell the account.
    pub fn distinct_usage(&self) -> std::collections::BTreeSet<(String, String)> {
        let (accounts, usage_types) = (self.texts("account"), self.texts("usage_type"));
        let pairs: std::collections::BTreeSet<(&str, &str)> = accounts
            .iter()
            .zip(usage_types.iter())
            .filter_map(|(account, usage_type)| Some((account?, usage_type?)))
            .collect();
        pairs.into_iter().map(|(one, two)| (one.to_owned(), two.to_owned())).collect()
    }

    fn starts(&self) -> &Int32Chunked {
        let starts = self.0.column("start").expect("records have a start");
        starts.date().expect("the start is a date").physical()
    }

    fn texts(&self, name: &str) -> &StringChunked {
        self.0.column(name).expect("records have this column").str().expect("it holds text")
    }

    fn units(&self, name: &str) -> Int128Chunked {
        let column = self.0.column(name).expect("records have this column");
        column.decimal().expect("it holds decimals").physical().clone()
    }

    fn numbers(&self, name: &str) -> &UInt32Chunked {
        let column = self.0.column(name).expect("records have this column");
        column.u32().expect("it holds counts")
    }

    /// Returns the records one by one, in the frame's order; each is made when it is asked for.
    pub fn iter(&self) -> impl Iterator<Item = Record> + use<> {
        (0..self.count()).map(self.reader())
    }

    /// Returns what makes the record of a row.
    fn reader(&self) -> impl Fn(usize) -> Record + use<> {
        let starts = self.starts().clone();
        let texts = TEXTS.map(|name| self.texts(name).clone());
        let metrics = Metric::ALL.map(|metric| self.units(metric.name()));
        let usage = self.units("usage_quantity");
        let estimated = self.0.column("estimated").expect("records have this column");
        let estimated = estimated.bool().expect("it holds yes or no").clone();
        let (request, page) = (self.numbers("request").clone(), self.numbers("page").clone());
        move |row| {
            let text = |column: usize| texts[column].get(row).map(str::to_owned);
            let mut amounts = Amounts::ABSENT;
            for (metric, units) in Metric::ALL.iter().zip(&metrics) {
                amounts.put(*metric, units.get(row).map(Money::from_units));
            }
            Record {
                start: from_day(starts.get(row).expect("every record has a start")),
                slice: text(0).unwrap_or_default(),
                value: text(1).unwrap_or_default(),
                account: text(2),
                service: text(3).unwrap_or_default(),
                record_type: text(4).unwrap_or_default(),
                usage_type: text(5).unwrap_or_default(),
                usage_unit: text(6),
                amounts,
                usage: usage.get(row),
                estimated: estimated.get(row).unwrap_or_default(),
                request: request.get(row).unwrap_or_default(),
                page: page.get(row).unwrap_or_default(),
            }
        }
    }

    /// Gives each record its owner's number by (slice, value) and sums what is alike but for the tag's spelling.
    ///
    /// The sum of a metric that one of the summed records lacks is absent.
    /// The value, request and page kept are those of the first record.
    pub fn owned(
        &self,
        owners: &[((String, String), u32)],
    ) -> impl Iterator<Item = (u32, Record)> + use<> {
        let starts = self.starts().clone();
        let owners = self.owners(owners);
        let alike = ["slice", "account", "service", "record_type", "usage_type"];
        let ranks = alike.map(|name| ranks(self.texts(name)));
        let key = move |row: usize| {
            (owners[row], starts.get(row), ranks.each_ref().map(|ranks| ranks[row]))
        };
        let mut order: Vec<usize> = (0..self.count()).collect();
        order.sort_by_key(|row| key(*row));
        let mut order = order.into_iter().peekable();
        let read = self.reader();
        std::iter::from_fn(move || {
            let first = order.next()?;
            let mut record = read(first);
            while let Some(row) = order.next_if(|row| key(*row) == key(first)) {
                record.merge(&read(row));
            }
            if record.usage.is_none() {
                record.usage_unit = None;
            }
            Some((key(first).0, record))
        })
    }

    /// Returns the number of each row's owner.
    fn owners(&self, owners: &[((String, String), u32)]) -> Vec<u32> {
        let numbers: BTreeMap<(&str, &str), u32> = owners
            .iter()
            .map(|((slice, value), owner)| ((slice.as_str(), value.as_str()), *owner))
            .collect();
        let pairs = self.texts("slice").iter().zip(self.texts("value").iter());
        let mut last = (None, 0);
        pairs
            .map(|pair| {
                if last.0 != Some(pair) {
                    let known = (pair.0.unwrap_or_default(), pair.1.unwrap_or_default());
                    last = (Some(pair), *numbers.get(&known).expect("every value has an owner"));
                }
                last.1
            })
            .collect()
    }
}

impl Record {
    /// Adds what is alike; usage in another unit leaves none.
    fn merge(&mut self, other: &Record) {
        self.amounts.add(&other.amounts);
        let is_one_unit = self.usage_unit == other.usage_unit;
        self.usage =
            self.usage.zip(other.usage).filter(|_| is_one_unit).map(|(one, two)| one + two);
        self.estimated |= other.estimated;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(day: &str, value: &str, cents: Option<i128>) -> Record {
        let mut amounts = Amounts::ABSENT;
        amounts.put(Metric::UnblendedCost, cents.map(Money::from_cents));
        Record {
            start: day.parse().unwrap(),
            slice: "team".to_owned(),
            value: value.to_owned(),
            account: None,
            service: "Amazon SageMaker".to_owned(),
            record_type: "Usage".to_owned(),
            usage_type: "USE1-Train:ml.m5.large".to_owned(),
            amounts,
            usage: Some(5),
            usage_unit: Some("Hrs".to_owned()),
            estimated: false,
            request: 3,
            page: 1,
        }
    }

    fn frame(records: &[Record]) -> Records {
        let mut builder = Builder::default();
        for record in records {
            builder.push(record);
        }
        builder.finish()
    }

    fn owner(value: &str, owner: u32) -> ((String, String), u32) {
        (("team".to_owned(), value.to_owned()), owner)
    }

    #[test]
    fn a_frame_survives_parquet_and_order_of_input_does_not_matter() {
        let (a, b) = (record("2026-09-01", "a", Some(5)), record("2026-10-01", "b", None));
        let records = frame(&[b.clone(), a.clone()]);
        assert_eq!(records, frame(&[a.clone(), b.clone()]));
        let bytes = records.to_parquet();
        let read = Records::from_parquet(&bytes).unwrap();
        assert_eq!(read.iter().collect::<Vec<_>>(), [a, b.clone()]);
        assert_eq!(read.to_parquet(), bytes);
        let october = read.of_month(Month::parse("2026-10").unwrap());
        assert_eq!(october.iter().collect::<Vec<_>>(), [b]);
    }

    #[test]
    fn joined_frames_are_sorted_on_their_whole_key_with_the_absent_first() {
        let (mut a, mut b) =
            (record("2026-10-01", "a", Some(5)), record("2026-10-01", "a", Some(7)));
        a.account = Some("111122223333".to_owned());
        (b.usage_type, b.usage_unit) = ("A".to_owned(), None);
        let c = Record { page: 2, ..b.clone() };
        let d = record("2026-09-30", "b", None);
        let joined = Records::concat(&[
            frame(&[c.clone(), a.clone()]),
            Records::empty(),
            frame(std::slice::from_ref(&d)),
            frame(std::slice::from_ref(&b)),
        ]);
        assert_eq!(joined.iter().collect::<Vec<_>>(), [d, b, c, a]);
        assert_eq!(Records::concat(&[Records::empty(), joined.clone()]), joined);
        assert_eq!(Records::concat(&[]), Records::empty());
    }

    #[test]
    fn a_truncated_or_foreign_file_is_refused() {
        let bytes = frame(&[record("2026-09-01", "a", Some(5))]).to_parquet();
        assert!(Records::from_parquet(&bytes[..bytes.len() / 2]).is_err());
        assert!(Records::from_parquet(b"hello").is_err());
    }

    #[test]
    fn sums_by_owner_are_exact_and_absent_where_a_part_is_absent() {
        let records = frame(&[
            record("2026-10-01", "a", Some(5)),
            record("2026-10-01", "A", Some(7)),
            record("2026-10-01", "b", Some(1)),
            record("2026-10-01", "B", None),
        ]);
        let owners = [owner("a", 1), owner("A", 1), owner("b", 2), owner("B", 2)];
        let owned: Vec<(u32, Record)> = records.owned(&owners).collect();
        let text: Vec<String> = owned
            .iter()
            .map(|(owner, record)| {
                format!("{owner} {:?}", record.amounts.get(Metric::UnblendedCost).map(Money::cents))
            })
            .collect();
        assert_eq!(text, ["1 Some(12)", "2 None"]);
        assert_eq!(owned[0].1.usage, Some(10));
    }
}
