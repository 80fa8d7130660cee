//! Owns the frame of what the bill said: the only file that names its columns.
//!
//! Amounts are `Decimal(38, 12)`, the storage of [`Money`]; polars stores, sorts, joins by equality and group-sums them.
//! **Invariant:** every frame that leaves here is sorted on its full key, and an absent metric is null, never zero.

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
pub struct Builder {
    start: Vec<i32>,
    text: [StringChunkedBuilder; 7],
    metric: [Vec<Option<i128>>; 4],
    usage: Vec<Option<i128>>,
    estimated: Vec<bool>,
    request: Vec<u32>,
    page: Vec<u32>,
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
const KEY: [&str; 7] =
    ["start", "slice", "value", "account", "service", "record_type", "usage_type"];

fn epoch() -> jiff::civil::Date {
    jiff::civil::date(1970, 1, 1)
}

fn to_day(date: jiff::civil::Date) -> i32 {
    (date - epoch()).get_days()
}

fn from_day(day: i32) -> jiff::civil::Date {
    epoch() + jiff::ToSpan::days(day)
}

fn decimal(name: &str, units: Vec<Option<i128>>) -> Column {
    let scale = usize::try_from(SCALE).expect("12 is a usize");
    Int128Chunked::from_iter_options(name.into(), units.into_iter())
        .into_decimal_unchecked(38, scale)
        .into_series()
        .into()
}

impl Default for Builder {
    fn default() -> Builder {
        Builder {
            start: Vec::new(),
            text: TEXTS.map(|name| StringChunkedBuilder::new(name.into(), 0)),
            metric: Default::default(),
            usage: Vec::new(),
            estimated: Vec::new(),
            request: Vec::new(),
            page: Vec::new(),
        }
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
            column.append_option(text);
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
        for texts in self.text {
            columns.push(texts.finish().into_series().into());
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
        let mut by: Vec<&str> = KEY.to_vec();
        by.extend(["request", "page"]);
        let options = SortMultipleOptions::default().with_maintain_order(true);
        Records(self.0.sort(by, options).expect("the key's columns exist and can be sorted"))
    }

    /// Joins several frames to one.
    #[must_use]
    pub fn concat(parts: &[Records]) -> Records {
        let mut all = Records::empty().0;
        for part in parts {
            all.vstack_mut(&part.0).expect("every frame of records has the same columns");
        }
        all.rechunk_mut();
        Records(all).sorted()
    }

    /// Returns the records of one month.
    #[must_use]
    pub fn of_month(&self, month: Month) -> Records {
        let period = month.period();
        let days = self.0.column("start").expect("records have a start").clone();
        let days = days.date().expect("the start is a date").physical().clone();
        let (first, end) = (to_day(period.start), to_day(period.end));
        let mask: BooleanChunked =
            days.iter().map(|day| day.is_some_and(|day| first <= day && day < end)).collect();
        Records(self.0.filter(&mask).expect("the mask is as long as the frame"))
    }

    /// Returns the months that have records, in order.
    pub fn months(&self) -> Vec<Month> {
        let starts = self.0.column("start").expect("records have a start");
        let days: std::collections::BTreeSet<i32> =
            starts.date().expect("the start is a date").physical().iter().flatten().collect();
        let months: std::collections::BTreeSet<Month> =
            days.into_iter().map(|day| Month::of(from_day(day))).collect();
        months.into_iter().collect()
    }

    /// Returns the numbers of the requests that the records came from.
    pub fn requests(&self) -> std::collections::BTreeSet<u32> {
        self.numbers("request").into_iter().collect()
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

    fn texts(&self, name: &str) -> &StringChunked {
        self.0.column(name).expect("records have this column").str().expect("it holds text")
    }

    fn units(&self, name: &str) -> Vec<Option<i128>> {
        let column = self.0.column(name).expect("records have this column");
        column.decimal().expect("it holds decimals").physical().iter().collect()
    }

    fn numbers(&self, name: &str) -> Vec<u32> {
        let column = self.0.column(name).expect("records have this column");
        column.u32().expect("it holds counts").iter().map(Option::unwrap_or_default).collect()
    }

    /// Returns the records one by one, in the frame's order.
    pub fn iter(&self) -> impl Iterator<Item = Record> + '_ {
        let starts = self.0.column("start").expect("records have a start");
        let starts: Vec<Option<i32>> =
            starts.date().expect("the start is a date").physical().iter().collect();
        let texts = TEXTS.map(|name| self.texts(name));
        let metrics = Metric::ALL.map(|metric| self.units(metric.name()));
        let usage = self.units("usage_quantity");
        let estimated = self.0.column("estimated").expect("records have this column");
        let estimated = estimated.bool().expect("it holds yes or no").clone();
        let (request, page) = (self.numbers("request"), self.numbers("page"));
        (0..self.count()).map(move |row| {
            let text = |column: usize| texts[column].get(row).map(str::to_owned);
            let mut amounts = Amounts::ABSENT;
            for (metric, units) in Metric::ALL.iter().zip(&metrics) {
                amounts.put(*metric, units[row].map(Money::from_units));
            }
            Record {
                start: from_day(starts[row].expect("every record has a start")),
                slice: text(0).unwrap_or_default(),
                value: text(1).unwrap_or_default(),
                account: text(2),
                service: text(3).unwrap_or_default(),
                record_type: text(4).unwrap_or_default(),
                usage_type: text(5).unwrap_or_default(),
                usage_unit: text(6),
                amounts,
                usage: usage[row],
                estimated: estimated.get(row).unwrap_or_default(),
                request: request[row],
                page: page[row],
            }
        })
    }

    /// Joins an owner's number to each record by (slice, value) and sums what is alike but for the tag's spelling.
    ///
    /// The sum of a metric that one of the summed records lacks is absent.
    /// The request and page kept are those of the first record.
    #[must_use]
    pub fn owned(&self, owners: &[((String, String), u32)]) -> Vec<(u32, Record)> {
        let slices: Vec<&str> = owners.iter().map(|((slice, _), _)| slice.as_str()).collect();
        let values: Vec<&str> = owners.iter().map(|((_, value), _)| value.as_str()).collect();
        let numbers: Vec<u32> = owners.iter().map(|(_, owner)| *owner).collect();
        let owners = DataFrame::new(
            owners.len(),
            vec![
                Column::new("slice".into(), slices),
                Column::new("value".into(), values),
                Column::new("owner".into(), numbers),
            ],
        )
        .expect("the columns are of one length");
        let on = [col("slice"), col("value")];
        // The order of records decides which request and page stand for a sum.
        let join =
            JoinArgs { maintain_order: MaintainOrderJoin::Left, ..JoinArgs::new(JoinType::Inner) };
        let by = ["owner", "start", "slice", "account", "service", "record_type", "usage_type"];
        let mut sums: Vec<Expr> = vec![col("usage_unit").n_unique().alias("unit_count")];
        for name in Metric::ALL.iter().map(|metric| metric.name()).chain(["usage_quantity"]) {
            sums.push(col(name).sum());
            sums.push(col(name).null_count().alias(format!("{name}_absent")));
        }
        for name in ["value", "usage_unit", "request", "page"] {
            sums.push(col(name).first());
        }
        sums.push(col("estimated").any(true));
        let frame = self
            .0
            .clone()
            .lazy()
            .join(owners.lazy(), on.clone(), on, join)
            .group_by_stable(by.map(col))
            .agg(sums)
            .sort(by, SortMultipleOptions::default().with_maintain_order(true))
            .collect()
            .expect("the plan names columns that exist");
        read_owned(frame)
    }
}

/// Blanks the sums that lack a part, and reads the frame row by row.
fn read_owned(frame: DataFrame) -> Vec<(u32, Record)> {
    let absent = |name: &str| -> Vec<u32> {
        let column = frame.column(&format!("{name}_absent")).expect("the count was asked for");
        let counts = column.cast(&DataType::UInt32).expect("a count is a number");
        counts.u32().expect("it was cast").iter().map(Option::unwrap_or_default).collect()
    };
    let lacking = Metric::ALL.map(|metric| absent(metric.name()));
    let usage_lacking = absent("usage_quantity");
    let units = frame.column("unit_count").expect("the count was asked for");
    let units = units.cast(&DataType::UInt32).expect("a count is a number");
    let units: Vec<u32> =
        units.u32().expect("it was cast").iter().map(Option::unwrap_or_default).collect();
    let records = Records(frame);
    let owners = records.numbers("owner");
    let read: Vec<(u32, Record)> = records
        .iter()
        .enumerate()
        .map(|(row, mut record)| {
            for (metric, lacking) in Metric::ALL.iter().zip(&lacking) {
                if lacking[row] > 0 {
                    record.amounts.put(*metric, None);
                }
            }
            if usage_lacking[row] > 0 || units[row] != 1 {
                (record.usage, record.usage_unit) = (None, None);
            }
            (owners[row], record)
        })
        .collect();
    read
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
        let owned = records.owned(&[owner("a", 1), owner("A", 1), owner("b", 2), owner("B", 2)]);
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
