//! Owns the check of rules: pools that can be followed, and the order in which they are moved.
//!
//! **Invariant:** no pool flows back into itself, and fixed shares are all of a pool.

use std::collections::BTreeMap;

use crate::money::Money;
use crate::owner;
use crate::pool::{Kind, Method, Over, Pool, WithoutWeight};
use crate::sheet::NotSheet;
use crate::weight::WeightTable;

/// A pool that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotPool {
    /// Its table is wrong.
    #[error("line {line}: {why}")]
    Table {
        /// The table's line in the configuration.
        line: u64,
        /// What is wrong.
        why: String,
    },
    /// Its file is wrong.
    #[error(transparent)]
    File(#[from] NotSheet),
}

/// Checks all pools of a configuration and reads their files, or tells the first thing that is wrong.
pub fn check(pools: &mut [Pool], files: &BTreeMap<String, Vec<u8>>) -> Result<(), NotPool> {
    let mut lines: BTreeMap<&str, u64> = BTreeMap::new();
    for pool in &*pools {
        let wrong = |why: String| NotPool::Table { line: pool.line, why };
        if let Some(line) = lines.insert(&pool.name, pool.line) {
            return Err(wrong(format!("the pool `{}` is on line {line} already", pool.name)));
        }
        check_one(pool).map_err(|why| wrong(format!("pool `{}`: {why}", pool.name)))?;
    }
    for pool in &*pools {
        check_flow(pool, pools).map_err(|why| NotPool::Table {
            line: pool.line,
            why: format!("pool `{}`: {why}", pool.name),
        })?;
    }
    for pool in pools {
        if let Some(name) = &pool.file {
            let bytes = files.get(name).expect("every file that the tables name was read");
            pool.weights = WeightTable::parse(name, bytes, pool.over() == Over::Teams)?;
        }
    }
    Ok(())
}

fn check_one(pool: &Pool) -> Result<(), String> {
    let built_in = [owner::Pool::SavingsPlan, owner::Pool::Tax, owner::Pool::Support];
    let is_taken = built_in.iter().any(|it| it.name() == pool.name);
    let over = pool.over();
    let wrong = [
        (
            pool.name.trim() != pool.name
                || pool.name.is_empty()
                || pool.name.chars().any(char::is_control),
            "its name must be a text without space at its ends",
        ),
        (
            is_taken && pool.of.built_in().is_none_or(|it| it.name() != pool.name),
            "the name is that of a pool of another kind",
        ),
        (pool.method.is_some() == pool.into.is_some(), "give one of `method` and `into`"),
        (
            !pool.is_split() && (pool.over.is_some() || pool.without_weight != WithoutWeight::Keep),
            "`over` and `without_weight` are for a pool that is split",
        ),
        (
            over == Over::Users && pool.is_split() && !pool.of.is_of_domain(),
            "only what is of a domain can be split over its users",
        ),
        (
            pool.of == Kind::Pools && !pool.only.is_empty(),
            "a pool of pools holds nothing of its own that `only` could narrow",
        ),
        (
            pool.of.is_outside() && pool.only.is_about_lines(),
            "tax and support can be narrowed by `service` and `record_type` only",
        ),
        (
            !pool.of.is_of_domain() && pool.only.domain.is_some(),
            "only what is of a domain can be narrowed by it",
        ),
        (
            pool.method != Some(Method::Proportional) && !pool.by.is_empty(),
            "`by` is for the method `proportional`",
        ),
        (
            pool.metric.is_some() && !pool.of.is_outside() && !is_by_cost(pool),
            "`metric` is for the methods `proportional` and `active_days`, and for tax and support",
        ),
        (
            (pool.method == Some(Method::Weights)) != pool.file.is_some(),
            "`file` is for the method `weights`, which needs it",
        ),
        (
            (pool.method == Some(Method::Fixed)) == pool.shares.is_empty(),
            "`shares` is for the method `fixed`, which needs it",
        ),
        (!pool.shares.is_empty() && over != Over::Teams, "fixed shares are those of teams"),
    ];
    if let Some((_, why)) = wrong.into_iter().find(|(is_wrong, _)| *is_wrong) {
        return Err(why.to_owned());
    }
    if let Some((team, share)) = pool.shares.iter().find(|(_, share)| **share < Money::ZERO) {
        return Err(format!("the share of `{team}` is negative: {share}"));
    }
    let all = Money::from_cents(10_000);
    if let Some((team, share)) = pool.shares.iter().find(|(_, share)| **share > all) {
        return Err(format!("the share of `{team}` is more than 100 percent: {share}"));
    }
    let sum: Money = pool.shares.values().copied().sum();
    if !pool.shares.is_empty() && sum != all {
        return Err(format!("the shares must add up to 100 percent, and add up to {sum}"));
    }
    Ok(())
}

fn is_by_cost(pool: &Pool) -> bool {
    matches!(pool.method, Some(Method::Proportional | Method::ActiveDays))
}

/// Checks what a pool flows into, and what flows into it.
fn check_flow(pool: &Pool, pools: &[Pool]) -> Result<(), String> {
    let find = |name: &str| pools.iter().find(|it| it.name == name);
    if let Some(name) = &pool.into {
        let into = find(name).ok_or_else(|| format!("there is no pool `{name}` to flow into"))?;
        if into.is_split() && into.over() == Over::Users {
            return Err(format!(
                "`{name}` is split over the users of each domain, and what flows into it has none"
            ));
        }
    }
    let is_fed = pools.iter().any(|it| it.into.as_deref() == Some(pool.name.as_str()));
    if pool.of == Kind::Pools && !is_fed {
        return Err("it holds what flows into it, and nothing does".to_owned());
    }
    let mut way = vec![pool.name.as_str()];
    let mut next = pool.into.as_deref();
    while let Some(name) = next {
        way.push(name);
        if name == pool.name {
            return Err(format!("it flows back into itself: {}", way.join(" → ")));
        }
        // A cycle further down is told of a pool that lies in it.
        next = find(name).filter(|_| way.len() <= pools.len()).and_then(|it| it.into.as_deref());
    }
    Ok(())
}

/// Returns the places of the pools so that each stands after all that flow into it, else in their order.
pub fn in_order(pools: &[Pool]) -> Vec<usize> {
    let mut order: Vec<usize> = Vec::with_capacity(pools.len());
    while order.len() < pools.len() {
        let is_ready = |index: &usize| {
            let feeds = |other: &usize| pools[*other].into.as_deref() == Some(&pools[*index].name);
            !order.contains(index) && (0..pools.len()).filter(feeds).all(|it| order.contains(&it))
        };
        let ready = (0..pools.len()).find(is_ready);
        order.push(ready.expect("no pool flows back into itself, or it would have been refused"));
    }
    order
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::owner::Owner;

    fn read(text: &str) -> Result<Vec<Pool>, String> {
        #[derive(Deserialize)]
        struct Tables {
            pool: Vec<Pool>,
        }
        let mut pools = toml::from_str::<Tables>(text).unwrap().pool;
        for (line, pool) in (1..).zip(&mut pools) {
            pool.line = line;
        }
        let files = BTreeMap::from([("w.csv".to_owned(), b"team,weight\nred,-1\n".to_vec())]);
        check(&mut pools, &files).map_err(|error| error.to_string())?;
        Ok(pools)
    }

    /// Pools, one a row: name, kind, and the rest of the table.
    fn pools(rows: &[(&str, &str, &str)]) -> Result<Vec<Pool>, String> {
        let table = |(name, of, rest): &(&str, &str, &str)| {
            format!("[[pool]]\nname = \"{name}\"\nof = \"{of}\"\n{rest}\n")
        };
        read(&rows.iter().map(table).collect::<String>())
    }

    const EVEN: &str = "method = \"even\"";

    #[test]
    fn what_cannot_be_followed_is_refused_with_its_line() {
        let fixed = |shares: &str| format!("method = \"fixed\"\nshares = {{ {shares} }}");
        for (rows, expected) in [
            (
                &[("a", "credit", EVEN), ("a", "refund", EVEN)][..],
                "line 2: the pool `a` is on line 1",
            ),
            (
                &[("tax", "credit", EVEN)],
                "line 1: pool `tax`: the name is that of a pool of another",
            ),
            (&[("a", "credit", "")], "give one of `method` and `into`"),
            (&[("a", "credit", "method = \"keep\"\ninto = \"a\"")], "give one of"),
            (&[("a", "credit", "into = \"b\"")], "there is no pool `b` to flow into"),
            (&[("a", "credit", "method = \"even\"\nover = \"users\"")], "only what is of a domain"),
            (&[("a", "credit", "method = \"keep\"\nover = \"teams\"")], "for a pool that is split"),
            (&[("a", "credit", "method = \"even\"\nfile = \"w.csv\"")], "`file` is for the method"),
            (&[("a", "credit", "method = \"weights\"")], "`file` is for the method `weights`"),
            (&[("a", "credit", "method = \"fixed\"")], "`shares` is for the method `fixed`, which"),
            (&[("a", "credit", "method = \"even\"\nby.service = \"x\"")], "`by` is for the method"),
            (
                &[("a", "credit", "method = \"even\"\nmetric = \"unblended_cost\"")],
                "`metric` is for",
            ),
            (
                &[("a", "tax", "method = \"even\"\nonly.usage_type = \"x\"")],
                "tax and support can be",
            ),
            (
                &[("a", "credit", "method = \"even\"\nonly.domain = \"x\"")],
                "only what is of a domain",
            ),
            (&[("a", "pools", EVEN)], "it holds what flows into it, and nothing does"),
            (&[("a ", "credit", EVEN)], "its name must be"),
            (
                &[("a", "domain", EVEN), ("b", "credit", "into = \"a\"")],
                "line 2: pool `b`: `a` is split over the users",
            ),
            (
                &[
                    ("c", "credit", "into = \"a\""),
                    ("a", "pools", "into = \"b\""),
                    ("b", "pools", "into = \"a\""),
                ],
                "line 2: pool `a`: it flows back into itself: a → b → a",
            ),
            (&[("a", "credit", "into = \"a\"")], "it flows back into itself: a → a"),
            (
                &[("a", "credit", "method = \"weights\"\nfile = \"w.csv\"")],
                "`w.csv`, line 2: the weight -1 is negative",
            ),
        ] {
            let error = pools(rows).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
        for (shares, expected) in [
            (
                "red = \"50\", blue = \"49.99\"",
                "the shares must add up to 100 percent, and add up to 99.99",
            ),
            ("red = \"150\", blue = \"-50\"", "the share of `blue` is negative: -50"),
        ] {
            let error = pools(&[("a", "credit", &fixed(shares))]).unwrap_err();
            assert_eq!(error, format!("line 1: pool `a`: {expected}"));
        }
        let over = format!("{}\nover = \"owners\"", fixed("red = \"100\""));
        assert!(pools(&[("a", "domain", &over)]).unwrap_err().contains("are those of teams"));
    }

    #[test]
    fn a_pool_moves_after_all_that_flow_into_it() {
        let rows = [
            ("all", "pools", EVEN),
            ("savings-plan", "savings_plan", "into = \"middle\""),
            ("middle", "pools", "into = \"all\""),
            ("tax", "tax", "into = \"middle\""),
            ("alone", "domain", EVEN),
        ];
        let pools = pools(&rows).unwrap();
        assert_eq!(in_order(&pools), [1, 3, 2, 0, 4]);
        assert_eq!(pools[1].owner(), Owner::Pool(owner::Pool::SavingsPlan));
        assert_eq!(pools[4].owner().to_string(), "pool/alone");
        assert_eq!((pools[4].over(), pools[0].over()), (Over::Users, Over::Teams));
    }
}
