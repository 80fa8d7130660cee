//! Owns files of weights: a CSV that says what each team, user profile or space weighs, in a month or in every month.
//!
//! **Invariant:** whoever is named is weighed once in a month; a second weight is refused with both lines.

use std::collections::BTreeMap;

use crate::arn::{SpaceName, UserProfileName};
use crate::money::Money;
use crate::period::Month;
use crate::sheet::{Head, NotSheet, Row, Sheet};
use crate::team::TeamName;

/// The columns of a file of weights.
const HEADS: [Head; 6] = [
    Head::optional("month"),
    Head::optional("team"),
    Head::optional("domain"),
    Head::optional("user_profile"),
    Head::optional("space"),
    Head::required("weight"),
];

/// The largest weight: a petabyte in bytes, of which a hundred milliards add up within the range of amounts.
const WEIGHT_MAX: Money = Money::from_cents(100_000_000_000_000_000);

/// What a file of weights says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WeightTable {
    /// By month; the rows without a month under none.
    months: BTreeMap<Option<Month>, BTreeMap<Named, Entry>>,
    /// What is odd about the file.
    pub remarks: Vec<String>,
}

/// Whom a row names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Named {
    /// A team.
    Team(TeamName),
    /// A user profile of a domain, which is named by id or name.
    UserProfile(String, UserProfileName),
    /// A space of a domain, which is named by id or name.
    Space(String, SpaceName),
}

/// What a row says of whom it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The weight, never negative, in whatever unit the file has.
    pub weight: Money,
    /// The line, from 1.
    pub line: u64,
}

impl WeightTable {
    /// Parses a file; its rows name teams, or the user profiles and spaces of domains.
    pub fn parse(file: &str, bytes: &[u8], is_of_teams: bool) -> Result<WeightTable, NotSheet> {
        let sheet = Sheet::parse(file, bytes, &HEADS)?;
        let is_fit = if is_of_teams {
            sheet.has("team")
        } else {
            sheet.has("domain") && (sheet.has("user_profile") || sheet.has("space"))
        };
        if !is_fit {
            let lacks = if is_of_teams {
                "the pool is split over teams, and there is no column `team`"
            } else {
                "the pool is split over users or owners, and there are no columns `domain` and `user_profile` or `space`"
            };
            return Err(sheet.wrong(1, lacks));
        }
        let mut months: BTreeMap<Option<Month>, BTreeMap<Named, Entry>> = BTreeMap::new();
        for row in sheet.rows() {
            let named = if is_of_teams { team(row)? } else { owner(row)? };
            let weight = row.money("weight")?.ok_or_else(|| row.wrong("`weight` is blank"))?;
            if weight < Money::ZERO {
                return Err(row.wrong(format!("the weight {weight} is negative")));
            }
            if weight > WEIGHT_MAX {
                return Err(row.wrong(format!("the weight {weight} is more than {WEIGHT_MAX}")));
            }
            let entry = Entry { weight, line: row.line() };
            let of_month = months.entry(row.month("month")?).or_default();
            if let Some(first) = of_month.insert(named, entry) {
                let why = format!("it weighs again what line {} weighs", first.line);
                return Err(row.wrong(why));
            }
        }
        let remarks = sheet.remarks().iter().map(ToString::to_string).collect();
        Ok(WeightTable { months, remarks })
    }

    /// Returns the rows of a month; where it has none, those without a month.
    pub fn of(&self, month: Month) -> impl Iterator<Item = (&Named, Entry)> {
        let rows = self.months.get(&Some(month)).or_else(|| self.months.get(&None));
        rows.into_iter().flatten().map(|(named, entry)| (named, *entry))
    }

    /// Returns the teams that it names in whatever month.
    pub fn teams(&self) -> impl Iterator<Item = &TeamName> {
        self.months.values().flat_map(BTreeMap::keys).filter_map(|named| match named {
            Named::Team(team) => Some(team),
            _ => None,
        })
    }
}

fn team(row: Row<'_>) -> Result<Named, NotSheet> {
    let is_more = ["domain", "user_profile", "space"].into_iter().any(|it| !row.get(it).is_empty());
    if is_more {
        return Err(row.wrong("the pool is split over teams, and the row names an owner"));
    }
    let team = TeamName::parse(row.filled("team")?).map_err(|it| row.wrong(it.to_string()))?;
    Ok(Named::Team(team))
}

fn owner(row: Row<'_>) -> Result<Named, NotSheet> {
    if !row.get("team").is_empty() {
        return Err(row.wrong("the pool is not split over teams, and the row names one"));
    }
    let domain = row.filled("domain")?.to_owned();
    match (row.get("user_profile"), row.get("space")) {
        (name, "") if !name.is_empty() => {
            let name = UserProfileName::parse(name).map_err(|it| row.wrong(it.to_string()))?;
            Ok(Named::UserProfile(domain, name))
        }
        ("", name) if !name.is_empty() => {
            let name = SpaceName::parse(name).map_err(|it| row.wrong(it.to_string()))?;
            Ok(Named::Space(domain, name))
        }
        _ => Err(row.wrong("it must have one of `user_profile` and `space`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, is_of_teams: bool) -> Result<WeightTable, String> {
        WeightTable::parse("w.csv", text.as_bytes(), is_of_teams).map_err(|it| it.to_string())
    }

    fn said(text: &str, is_of_teams: bool, month: &str) -> String {
        let table = read(text, is_of_teams).unwrap();
        let rows = table.of(Month::parse(month).unwrap());
        rows.map(|(named, entry)| format!("{named:?} {} {}", entry.weight, entry.line))
            .collect::<Vec<_>>()
            .join("; ")
    }

    #[test]
    fn a_month_without_rows_has_those_without_a_month() {
        let text = "month,team,weight\n,red,1\n2026-10,blue,2.5\n,blue,3\n";
        assert_eq!(said(text, true, "2026-10"), r#"Team(TeamName("blue")) 2.5 3"#);
        assert_eq!(
            said(text, true, "2026-09"),
            r#"Team(TeamName("blue")) 3 4; Team(TeamName("red")) 1 2"#
        );
        assert_eq!(said("month,team,weight\n2026-10,blue,2\n", true, "2026-09"), "");
        let bytes = "domain;user_profile;space;weight\nd-a;ana;;1024\nlab;;s-1;0\n";
        assert_eq!(
            said(bytes, false, "2026-09"),
            r#"UserProfile("d-a", UserProfileName("ana")) 1024 2; Space("lab", SpaceName("s-1")) 0 3"#
        );
    }

    #[test]
    fn what_cannot_be_followed_is_refused_with_its_line() {
        for (text, is_of_teams, expected) in [
            ("team,weight\nred,1\nred,2\n", true, "line 3: it weighs again what line 2 weighs"),
            ("team,weight\nred,-1\n", true, "line 2: the weight -1 is negative"),
            (
                "team,weight\nred,1000000000000001\n",
                true,
                "line 2: the weight 1000000000000001 is more than 1000000000000000",
            ),
            ("team,weight\nred,\n", true, "line 2: `weight` is blank"),
            ("team,weight\n,1\n", true, "line 2: `team` is blank"),
            ("team,weight\nred,1\n", false, "there are no columns `domain`"),
            ("domain,space,weight\nd-a,s,1\n", true, "there is no column `team`"),
            ("domain,space,user_profile,weight\nd-a,s,u,1\n", false, "line 2: it must have one of"),
            ("domain,user_profile,weight\nd-a,-u,1\n", false, "line 2: not a user profile name"),
        ] {
            let error = read(text, is_of_teams).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
        let twice = read("team,weight\nred,1\nred,1\n", true).unwrap();
        assert_eq!(twice.remarks, ["`w.csv`, line 3: it says the same as line 2, and counts once"]);
    }
}
