//! Owns organisations drawn by a seed: what they are billed, who is in which team, and how pools are moved.
//!
//! **Invariant:** one seed is one organisation, and everything is made in memory.

use std::fmt::Write;

use apportion::cli::config;
use apportion::key;
use apportion::metric::{Amounts, Metric};
use apportion::money::Money;
use apportion::period::Month;
use apportion::terms::{Files, Terms};

use crate::specification::bill::{Entry, Posted, Setting, post};

/// Numbers drawn one after another from a seed.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03)
    }

    /// A number below `count`.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % u64::try_from(count).unwrap()).unwrap()
    }

    pub(crate) fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// Tells one time in `count`.
    pub(crate) fn once_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for index in (1..items.len()).rev() {
            items.swap(index, self.below(index + 1));
        }
    }

    /// An amount of up to a thousand with up to twelve places.
    pub(crate) fn money(&mut self) -> Money {
        let scale = 10_i128.pow(u32::try_from(self.below(9)).unwrap());
        let units = i128::try_from(self.below(1_000_000_000_000_000)).unwrap();
        Money::from_units(units / scale * scale)
    }
}

/// Who is billed: a slice's key and the value's last part.
const OWNERS: [(&str, &str); 12] = [
    (key::USER_PROFILE, "user-profile/d-a/ana"),
    (key::USER_PROFILE, "user-profile/d-a/ben"),
    (key::USER_PROFILE, "user-profile/d-b/cem"),
    (key::USER_PROFILE, "user-profile/d-b/dan"),
    (key::SPACE, "space/d-a/lab"),
    (key::SPACE, "space/d-b/lab"),
    (key::SPACE, "space/d-c/far"),
    (key::DOMAIN, "domain/d-a"),
    (key::DOMAIN, "domain/d-b"),
    (key::MANAGED_BY, "domain/d-a"),
    (key::MANAGED_BY, "domain/d-z"),
    ("team", "red"),
];

fn amounts(dice: &mut Dice, is_credit: bool, lacks_one: bool) -> Amounts {
    let mut amounts = Amounts::ABSENT;
    for metric in Metric::ALL.into_iter().skip(usize::from(lacks_one)) {
        let money = dice.money();
        amounts.put(metric, Some(if is_credit { -money } else { money }));
    }
    amounts
}

/// What an organisation is billed in two months.
pub(crate) fn entries(dice: &mut Dice) -> Vec<Entry> {
    let mut entries = Vec::new();
    let (is_daily, lacks_one) = (dice.once_in(2), dice.once_in(4));
    for month in ["2026-09", "2026-10"] {
        let month = Month::parse(month).unwrap();
        for _ in 0..20 + dice.below(30) {
            let record_type =
                dice.one(&["Usage", "Usage", "Usage", "Credit", "Refund", "SavingsPlanNegation"]);
            let is_credit = record_type != "Usage";
            let mut entry = Entry::new(Money::ZERO);
            entry.month = month;
            record_type.clone_into(&mut entry.record_type);
            entry.amounts = amounts(dice, is_credit, lacks_one);
            if !dice.once_in(3) {
                let (key, value) = dice.one(&OWNERS);
                if key == key::MANAGED_BY {
                    "Amazon Elastic File System".clone_into(&mut entry.service);
                }
                let arn = format!("arn:aws:sagemaker:eu-west-1:111122223333:{value}");
                let value = if key == "team" { value.to_owned() } else { arn };
                entry.tags.insert(key.to_owned(), value);
            } else if dice.once_in(3) {
                "Savings Plans for AWS Machine Learning".clone_into(&mut entry.service);
            }
            if is_daily {
                let day = 1 + i8::try_from(dice.below(28)).unwrap();
                entry.day =
                    Some(jiff::civil::date(month.start().year(), month.start().month(), day));
            }
            entries.push(entry);
        }
        for (service, record_type) in [
            ("Tax", "Tax"),
            ("Amazon Elastic Compute Cloud - Compute", "Usage"),
            ("Amazon Elastic Compute Cloud - Compute", "Tax"),
            ("AWS Support (Business)", "Fee"),
        ] {
            let mut entry = Entry::new(Money::ZERO);
            entry.month = month;
            service.clone_into(&mut entry.service);
            record_type.clone_into(&mut entry.record_type);
            entry.amounts = amounts(dice, false, lacks_one);
            entries.push(entry);
        }
    }
    entries
}

/// The table of a pool that takes whatever kind.
fn pool(dice: &mut Dice, of: &str) -> String {
    let mut text = format!("[[pool]]\nname = \"the {of}\"\nof = \"{of}\"\n");
    let is_of_domain = ["domain", "home_efs"].contains(&of);
    if dice.once_in(4) && of != "pools" {
        return text + "into = \"the pools\"\n";
    }
    if dice.once_in(6) {
        return text + "method = \"keep\"\n";
    }
    let over = dice.one(&["teams", "owners", if is_of_domain { "users" } else { "teams" }]);
    writeln!(text, "over = \"{over}\"").unwrap();
    if dice.once_in(2) {
        text.push_str("without_weight = \"even\"\n");
    }
    if dice.once_in(4) && ["credit", "unattributed"].contains(&of) {
        text.push_str("only.record_type = \"[CU]*\"\n");
    }
    let method = match dice.below(5) {
        0 if over == "teams" => {
            "\"fixed\"\nshares = { blue = \"33.4\", green = \"0\", red = \"66.6\" }"
        }
        1 if over == "teams" => "\"weights\"\nfile = \"teams.csv\"",
        1 => "\"weights\"\nfile = \"users.csv\"",
        2 => "\"active_days\"",
        3 => "\"proportional\"\nby.record_type = \"Usage\"\nmetric = \"amortized_cost\"",
        4 => "\"proportional\"",
        _ => "\"even\"",
    };
    writeln!(text, "method = {method}").unwrap();
    text
}

const TEAM_WEIGHTS: [&str; 5] =
    ["2026-09,red,1.5", "2026-09,blue,0", ",red,1", ",blue,2.25", ",green,0.000001"];
const USER_WEIGHTS: [&str; 5] =
    [",d-a,ana,,1024", ",d-a,ben,,0", ",d-b,dan,,77.7", "2026-10,d-a,,lab,5", ",d-b,,nowhere,9"];
const ROSTER: [&str; 5] = [
    "d-a,ana,,red,2026-01-01,2026-10-11",
    "d-a,ana,,blue,2026-10-12,",
    "d-b,cem,,green,2026-09-05,2026-10-20",
    "d-b,,lab,blue,,",
    "d-a,ben,,blue,,",
];

fn csv(dice: &mut Dice, header: &str, rows: &[&str]) -> Vec<u8> {
    let mut rows = rows.to_vec();
    dice.shuffle(&mut rows);
    format!("{header}\n{}\n", rows.join("\n")).into_bytes()
}

/// The files that configurations name, their rows in the order that the dice say.
pub(crate) fn files(dice: &mut Dice) -> Files {
    let roster = "domain,user_profile,space,team,valid_from,valid_to";
    Files::from([
        ("teams.csv".to_owned(), csv(dice, "month,team,weight", &TEAM_WEIGHTS)),
        (
            "users.csv".to_owned(),
            csv(dice, "month,domain,user_profile,space,weight", &USER_WEIGHTS),
        ),
        ("roster.csv".to_owned(), csv(dice, roster, &ROSTER)),
    ])
}

/// Pools of a configuration, each kind at most once.
pub(crate) fn pools(dice: &mut Dice) -> String {
    let mut kinds = vec![
        "domain",
        "home_efs",
        "savings_plan",
        "credit",
        "refund",
        "unattributed",
        "tax",
        "support",
    ];
    dice.shuffle(&mut kinds);
    kinds.truncate(2 + dice.below(7));
    let mut text: String = kinds.iter().map(|kind| pool(dice, kind)).collect();
    if text.contains("into = \"the pools\"") {
        text.push_str(&pool(dice, "pools"));
    }
    text
}

/// What a configuration says beside its pools.
const TEAMS: &str = "
[teams]
file = \"roster.csv\"
[[team]]
name = \"yellow\"
[[assignment]]
team = \"blue\"
domain = \"d-b\"
";

/// Makes the terms of a configuration's pools.
pub(crate) fn terms(pools: &str, files: &Files) -> Terms {
    let text = format!("{TEAMS}{pools}");
    let config = config::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    Terms::make(config.tables(&text), files).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// Draws an organisation and bills it.
pub(crate) fn draw(seed: u64) -> Posted {
    let mut dice = Dice::new(seed);
    let entries = entries(&mut dice);
    let pools = pools(&mut dice);
    let terms = terms(&pools, &files(&mut dice));
    post(&entries, Setting { terms, ..Setting::default() })
}
