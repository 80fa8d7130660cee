//! Owns the three answers to whether a filter takes a record, and doubts: why records do not tell.
//!
//! **Invariant:** a doubt is said beside the figure that it makes uncertain.

use std::fmt;

/// Whether a filter takes a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Truth {
    /// It does not.
    No,
    /// The records do not tell.
    Unknown,
    /// It does.
    Yes,
}

/// Why the records do not tell whether a filter takes them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Doubt {
    /// A tag key of lower precedence than the one that claims a record.
    Hidden(String),
    /// A dimension or another part of the filter that records do not have, as the filter names it.
    Untold(String),
    /// Tax shows where nothing but the account is filtered by, and perhaps nowhere else.
    Tax,
    /// A budget of the older make leaves record types out by switches that are not read.
    Switches,
    /// Some records were not read.
    Unread,
    /// Some days were not read, or services that are read by month only are counted.
    NoDays,
    /// The run began before the months of the snapshot.
    NoMonths,
    /// The bill moved while it was read.
    Moving,
    /// The metric was not delivered.
    NotDelivered,
}

impl fmt::Display for Doubt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Doubt::Hidden(key) => write!(
                formatter,
                "whether records that another key claims bear `{key}` too is not known"
            ),
            Doubt::Untold(part) => write!(formatter, "records do not tell `{part}`"),
            Doubt::Tax => formatter.write_str("tax may be counted or not"),
            Doubt::Switches => formatter.write_str(
                "a budget of the older make leaves record types out by switches, which are not read",
            ),
            Doubt::Unread => formatter.write_str("some records of the snapshot were not read"),
            Doubt::NoDays => {
                formatter.write_str("some of what it counts is not read by day in the snapshot")
            }
            Doubt::NoMonths => formatter.write_str("its run began before the snapshot's months"),
            Doubt::Moving => formatter.write_str("the bill moved while the snapshot was taken"),
            Doubt::NotDelivered => formatter.write_str("its metric was not delivered"),
        }
    }
}
