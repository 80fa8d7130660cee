//! Owns the timing program of one grouped request: Cost Explorer by user profile and usage type, into files.
//!
//! It asks what `peer/single_request.py` asks and writes what that writes; `run` times the two in turn.
//! **Invariant:** everything goes through the library's own modules; nothing here is faster than the program is.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use apportion::arn::{Identity, UserProfileName};
use apportion::aws::cost_explorer::{CostExplorer, GroupRow};
use apportion::aws::{Session, Settings};
use apportion::metric::{Amounts, Metric};
use apportion::money::Money;
use apportion::period::{Month, Period};
use apportion::query::{Filter, Granularity, Group, Query};
use apportion::records::{Builder, Record, Records};
use apportion::render::chart::{self, Caption, Slot, Trend};
use apportion::render::csv;
use apportion::store::disk;
use apportion::table::{Cell, Column, Kind, Table};

const TAG: &str = "sagemaker:user-profile-arn";
const SERVICE: &str = "Amazon SageMaker";

type Failure = Box<dyn std::error::Error>;

/// A month, a domain and a user profile.
type Key = (Month, String, String);

fn main() -> Result<(), Failure> {
    // Started by a test runner without arguments, it has nothing to time.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|it| it != "--bench").collect();
    let [first, last, out] = arguments.as_slice() else { return Ok(()) };
    let period = Period::of_months(Month::parse(first)?, Month::parse(last)?);
    let out = Path::new(out);
    disk::create_folder(out)?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let (records, page_count) = runtime.block_on(fetch(period))?;
    write(&out.join("report.csv"), rows(&records))?;
    let sums = sums(&records);
    write(&out.join("summary.csv"), summary(&sums))?;
    disk::write(&out.join("report.png"), &picture(&sums))?;
    let total: Money =
        sums.values().filter_map(|(amounts, _)| amounts.get(Metric::UnblendedCost)).sum();
    let mut stdout = std::io::stdout();
    writeln!(stdout, "pages {page_count} rows {} total {total}", records.count())?;
    Ok(())
}

async fn fetch(period: Period) -> Result<(Records, u32), Failure> {
    let query = Query {
        period,
        granularity: Granularity::Monthly,
        filter: Filter::dimension("SERVICE", &[SERVICE.to_owned()]),
        group_by: vec![Group::Tag(TAG.to_owned()), Group::dimension("USAGE_TYPE")],
    };
    let session = Session::open(&Settings::default()).await?;
    let explorer = CostExplorer::new(&session, None);
    let mut builder = Builder::default();
    let mut page_count = 0;
    let mut page = explorer.page(&query, None).await?;
    loop {
        page_count += 1;
        let next = page.next.take();
        // As in `collect`: the next page is on its way while this one is taken in.
        let following = async {
            match &next {
                Some(token) => explorer.page(&query, Some(token)).await.map(Some),
                None => Ok(None),
            }
        };
        let taken = async {
            for result in page.results {
                for row in result.groups {
                    builder.push(&record(result.start, result.estimated, row, page_count));
                }
            }
        };
        match tokio::join!(following, taken).0? {
            Some(following) => page = following,
            None => return Ok((builder.finish(), page_count)),
        }
    }
}

fn record(start: jiff::civil::Date, estimated: bool, row: GroupRow, page: u32) -> Record {
    let mut keys = row.keys.into_iter();
    Record {
        start,
        slice: TAG.to_owned(),
        value: keys.next().unwrap_or_default(),
        account: None,
        service: SERVICE.to_owned(),
        record_type: String::new(),
        usage_type: keys.next().unwrap_or_default(),
        amounts: row.amounts,
        usage: row.usage,
        usage_unit: row.usage_unit,
        estimated,
        request: 1,
        page,
    }
}

fn column(name: &'static str, kind: Kind) -> Column {
    Column { name, heading: name, kind }
}

fn amount_columns() -> impl Iterator<Item = Column> {
    let metrics = Metric::ALL.map(|metric| column(metric.name(), Kind::Money));
    metrics.into_iter().chain([column("usage_quantity", Kind::Quantity)])
}

fn amount_cells<'a>(amounts: &Amounts, usage: Option<i128>) -> impl Iterator<Item = Cell<'a>> {
    let cells = Metric::ALL.map(|metric| Cell::money(amounts.get(metric)));
    cells.into_iter().chain([usage.map_or(Cell::Blank, Cell::Quantity)])
}

/// Splits the tag's value into domain and user profile.
fn owner(value: &str) -> (String, String) {
    let identity = Identity::parse(value);
    let domain = identity.as_ref().map(|identity| identity.domain().id.as_str().to_owned());
    let user = match &identity {
        Some(Identity::UserProfile(_, user)) => Some(UserProfileName::as_str(user).to_owned()),
        _ => None,
    };
    (domain.unwrap_or_default(), user.unwrap_or_default())
}

fn rows(records: &Records) -> Table<'_> {
    let mut columns = vec![column("month", Kind::Month), column("estimated", Kind::Flag)];
    columns.extend(["tag", "usage_type"].map(|name| column(name, Kind::Text)));
    columns.extend(amount_columns());
    columns.extend(["domain", "user"].map(|name| column(name, Kind::Text)));
    let rows = records.iter().map(|record| {
        let (domain, user) = owner(&record.value);
        let mut cells = vec![Cell::Month(Month::of(record.start)), Cell::Flag(record.estimated)];
        cells.extend([Cell::text(record.value), Cell::text(record.usage_type)]);
        cells.extend(amount_cells(&record.amounts, record.usage));
        cells.extend([Cell::text(domain), Cell::text(user)]);
        cells
    });
    Table { columns, rows: Box::new(rows) }
}

fn sums(records: &Records) -> BTreeMap<Key, (Amounts, i128)> {
    // Records are sorted, so those of a month and tag stand together.
    let mut runs: Vec<(Month, String, Amounts, i128)> = Vec::new();
    for record in records.iter() {
        let month = Month::of(record.start);
        let usage = record.usage.unwrap_or_default();
        match runs.last_mut() {
            Some(run) if run.0 == month && run.1 == record.value => {
                run.2.add(&record.amounts);
                run.3 += usage;
            }
            _ => runs.push((month, record.value, record.amounts, usage)),
        }
    }
    let mut sums = BTreeMap::new();
    for (month, value, amounts, usage) in runs {
        let (domain, user) = owner(&value);
        let sum = sums.entry((month, domain, user)).or_insert((Amounts::ZERO, 0));
        sum.0.add(&amounts);
        sum.1 += usage;
    }
    sums
}

fn summary(sums: &BTreeMap<Key, (Amounts, i128)>) -> Table<'_> {
    let mut columns = vec![column("month", Kind::Month)];
    columns.extend(["domain", "user"].map(|name| column(name, Kind::Text)));
    columns.extend(amount_columns());
    let rows = sums.iter().map(|((month, domain, user), (amounts, usage))| {
        let mut cells =
            vec![Cell::Month(*month), Cell::text(domain.as_str()), Cell::text(user.as_str())];
        cells.extend(amount_cells(amounts, Some(*usage)));
        cells
    });
    Table { columns, rows: Box::new(rows) }
}

/// Draws each domain's cost by month, stacked.
fn picture(sums: &BTreeMap<Key, (Amounts, i128)>) -> Vec<u8> {
    let mut months: Vec<Month> = sums.keys().map(|(month, ..)| *month).collect();
    months.dedup();
    let mut series: BTreeMap<&str, Vec<Money>> = BTreeMap::new();
    for ((month, domain, _), (amounts, _)) in sums {
        let at =
            months.iter().position(|it| it == month).expect("the months are those of the sums");
        let values = series.entry(domain).or_insert_with(|| vec![Money::ZERO; months.len()]);
        values[at] += amounts.get(Metric::UnblendedCost).unwrap_or_default();
    }
    let trend = Trend {
        caption: Caption {
            title: "Cost by domain".to_owned(),
            subtitle: "Unblended cost".to_owned(),
            unit: "USD".to_owned(),
        },
        months: months
            .iter()
            .map(|month| Slot { month: *month, estimated: false, breaks: false })
            .collect(),
        series: series.into_iter().map(|(name, values)| (name.to_owned(), values)).collect(),
    };
    chart::trend(&trend).png
}

fn write(path: &Path, table: Table<'_>) -> Result<(), disk::Error> {
    disk::write_with(path, |out| csv::write(table, &mut { out }).map(drop))
}
