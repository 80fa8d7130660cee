//! Owns an oracle for the methods: small cases whose parts are told by plain integers, not by the program.

use std::collections::BTreeMap;

use apportion::charge::Cause;
use apportion::metric::{Amounts, Metric};
use apportion::money::Money;
use apportion::owner::Owner;
use apportion::period::Month;

use super::organisation::terms;
use crate::specification::bill::{Entry, METRIC, MONTH, Posted, Setting, post};
use crate::specification::stock;

/// A bill of one row: a tag in short, the record type, and the amount in 10⁻¹² units by day.
type Row = (&'static str, &'static str, i128, i8);

fn entry((tag, record_type, units, day): &Row) -> Entry {
    let mut entry = Entry::new(Money::from_units(*units));
    (*record_type).clone_into(&mut entry.record_type);
    entry.day = Some(jiff::civil::date(2026, 10, *day));
    if let Some((key, value)) = tag.split_once('=') {
        let arn = format!("arn:aws:sagemaker:eu-west-1:111122223333:{value}");
        entry.tags.insert(key.to_owned(), arn);
    }
    entry
}

const ANA: &str = "sagemaker:user-profile-arn=user-profile/d-b/ana";
const BEN: &str = "sagemaker:user-profile-arn=user-profile/d-b/ben";
const LAB: &str = "sagemaker:space-arn=space/d-b/lab";
const DOMAIN: &str = "sagemaker:domain-arn=domain/d-b";
const OTHER: &str = "sagemaker:user-profile-arn=user-profile/d-a/ida";
const RELATION: &str = "sagemaker:user-profile-arn=user-profile/d-c/eve";

fn bill(rows: &[Row], pools: &str, weights: &str) -> Posted {
    let entries: Vec<Entry> = rows.iter().map(entry).collect();
    let roster = "domain,user_profile,team\nd-a,ida,red\n".to_owned();
    let files = [("roster.csv", roster), ("w.csv", weights.to_owned())];
    let files = files.map(|(name, text)| (name.to_owned(), text.into_bytes())).into();
    post(&entries, Setting { terms: terms(pools, &files), ..Setting::default() })
}

/// What each owner gets of a pool in one metric, by how the owner prints.
fn given(posted: &Posted, metric: Metric) -> BTreeMap<String, i128> {
    let charges = posted.charges();
    let mut given = BTreeMap::new();
    for charge in charges.of_month(Month::parse(MONTH).unwrap()) {
        if matches!(charge.cause, Cause::In { .. }) {
            let owner = charges.bearer(&charge).owner.to_string();
            *given.entry(owner).or_insert(0) += charge.amounts.get(metric).unwrap().units();
        }
    }
    given
}

/// Parts lie within one unit of the exact fraction and add up to the whole.
fn check(rows: &[Row], pools: &str, weights: &str, whole: i128, expected: &[(&str, i128)]) {
    let posted = bill(rows, pools, weights);
    let given = given(&posted, METRIC);
    let names: Vec<&str> = given.keys().map(String::as_str).collect();
    let mut stated: Vec<&str> = expected.iter().map(|(name, _)| *name).collect();
    stated.sort_unstable();
    assert_eq!(names, stated, "{pools}");
    let total: i128 = expected.iter().map(|(_, weight)| weight).sum();
    for (name, weight) in expected {
        let off = given[*name] * total - whole * weight;
        assert!(off.abs() < total, "{pools}: {name} gets {} of {whole}", given[*name]);
    }
    assert_eq!(given.values().sum::<i128>(), whole, "{pools}");
}

const USD: i128 = 1_000_000_000_000;

/// 10.000000000007 in the domain, and three who can bear it; all in team blue but the other domain's user in red.
const ROWS: [Row; 9] = [
    (DOMAIN, "Usage", 10 * USD + 7, 3),
    (ANA, "Usage", 3 * USD + 1, 1),
    (ANA, "Usage", 2 * USD, 2),
    (ANA, "Credit", -USD, 3),
    (BEN, "Usage", 5 * USD, 2),
    (LAB, "Usage", USD, 9),
    (LAB, "Refund", -3 * USD, 10),
    (OTHER, "Usage", 14 * USD, 1),
    ("", "Credit", -4 * USD + 3, 5),
];

#[test]
fn each_method_gives_the_exact_fraction_to_the_last_unit() {
    let of = |kind: &str, rest: &str| format!("[[pool]]\nname = \"p\"\nof = \"{kind}\"\n{rest}\n");
    let domain = 10 * USD + 7;
    let credit = -4 * USD + 3;
    let (ana, ben, lab) = ("user-profile/d-b/ana", "user-profile/d-b/ben", "space/d-b/lab");
    let ida = "user-profile/d-a/ida";
    let users = |method: &str| of("domain", &format!("method = \"{method}\""));
    check(&ROWS, &users("even"), "", domain, &[(ana, 1), (ben, 1), (lab, 1)]);
    // The space was billed less than nothing, so it weighs nothing.
    check(&ROWS, &users("proportional"), "", domain, &[(ana, 4 * USD + 1), (ben, 5 * USD)]);
    check(&ROWS, &users("active_days"), "", domain, &[(ana, 2), (ben, 1), (lab, 1)]);
    let by = users("proportional") + "by.record_type = \"Usage\"\n";
    check(&ROWS, &by, "", domain, &[(ana, 5 * USD + 1), (ben, 5 * USD), (lab, USD)]);
    let file = users("weights") + "file = \"w.csv\"\n";
    let weights = "domain,user_profile,space,weight\nd-b,ana,,3\nd-b,,lab,7\nd-b,ben,,0\n";
    check(&ROWS, &file, weights, domain, &[(ana, 3), (lab, 7)]);
    let owners = of("credit", "over = \"owners\"\nmethod = \"proportional\"");
    let by_cost = [(ana, 4 * USD + 1), (ben, 5 * USD), (ida, 14 * USD), ("domain/d-b", domain)];
    check(&ROWS, &owners, "", credit, &by_cost);
    let even = of("credit", "method = \"even\"");
    check(&ROWS, &even, "", credit, &[("team/blue", 1), ("team/red", 1)]);
    let blue = domain + 4 * USD + 1 + 5 * USD - 2 * USD;
    let teams = of("credit", "method = \"proportional\"");
    check(&ROWS, &teams, "", credit, &[("team/blue", blue), ("team/red", 14 * USD)]);
    let fixed = of("credit", "method = \"fixed\"\nshares = { blue = \"12.5\", new = \"87.5\" }");
    check(&ROWS, &fixed, "", credit, &[("team/blue", 1), ("team/new", 7)]);
    let days = of("credit", "method = \"active_days\"");
    check(&ROWS, &days, "", credit, &[("team/blue", 4), ("team/red", 1)]);
}

#[test]
fn what_nobody_weighs_stays_or_is_split_evenly_as_the_rule_says() {
    let pool = "[[pool]]\nname = \"p\"\nof = \"domain\"\nmethod = \"proportional\"\n";
    let rows: [Row; 3] =
        [(DOMAIN, "Usage", 7 * USD, 1), (ANA, "Credit", -USD, 1), (BEN, "Refund", -USD, 1)];
    let kept = bill(&rows, pool, "");
    assert_eq!(given(&kept, METRIC), BTreeMap::new());
    let note = kept.notes().into_iter().find(|it| it.text.contains("`p`")).unwrap();
    assert_eq!(note.amount, Some(Money::from_units(7 * USD)));
    assert!(
        note.text.ends_with("nobody has any weight, so it stays where it is."),
        "{}",
        note.text
    );
    let even = format!("{pool}without_weight = \"even\"\n");
    let (ana, ben) = ("user-profile/d-b/ana", "user-profile/d-b/ben");
    check(&rows, &even, "", 7 * USD, &[(ana, 1), (ben, 1)]);
}

/// A domain has two names, and who is weighed under both is weighed once.
#[test]
fn a_weight_under_the_domain_s_other_name_is_no_second_weight() {
    let file = "[[pool]]\nname = \"p\"\nof = \"domain\"\nmethod = \"weights\"\nfile = \"w.csv\"\n";
    let weights = "domain,user_profile,weight\nlab-b,ana,1\nd-b,ben,1\nd-b,ana,1\n";
    let entries: Vec<Entry> = ROWS.iter().map(entry).collect();
    let files = [("w.csv", weights), ("roster.csv", "domain,user_profile,team\n")];
    let files = files.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec())).into();
    let inventory = stock::inventory(&["inventory  domain d-b  \"lab-b\"".to_owned()]);
    let posted =
        post(&entries, Setting { terms: terms(file, &files), inventory, ..Setting::default() });
    let given = given(&posted, METRIC);
    let half = 5 * USD + 3;
    let units: Vec<i128> = given.values().map(|units| units - half).collect();
    assert!(units.iter().all(|off| (0..=1).contains(off)), "{given:?}");
    let text = "`w.csv`, line 4: an earlier line weighs the same under the domain's other name";
    assert!(posted.notes().iter().any(|it| it.text.starts_with(text)), "{:?}", posted.notes());
}

/// Tax and support go by the scope and the rest of the bill, and flow on to teams through another pool.
#[test]
fn a_share_of_tax_is_the_scope_s_part_of_the_bill_without_tax_and_support() {
    let mut entries: Vec<Entry> = ROWS.iter().map(entry).collect();
    for (service, record_type, money) in
        [("Tax", "Tax", 9), ("AWS Support (Business)", "Fee", 100), ("Amazon EC2", "Usage", 68)]
    {
        let mut entry = Entry::new(Money::from_units(money * USD));
        (entry.service, entry.record_type) = (service.to_owned(), record_type.to_owned());
        entries.push(entry);
    }
    let pools = "[[pool]]\nname = \"tax\"\nof = \"tax\"\ninto = \"all\"\n
        [[pool]]\nname = \"all\"\nof = \"pools\"\nmethod = \"fixed\"\nshares = { blue = \"100\" }\n";
    let files = [("roster.csv".to_owned(), b"domain,user_profile,team\n".to_vec())].into();
    let posted = post(&entries, Setting { terms: terms(pools, &files), ..Setting::default() });
    let charges = posted.charges();
    let scope: i128 = ROWS.iter().map(|row| row.2).sum();
    let [share] = charges.allocation.outside.as_slice() else { panic!("one share") };
    assert_eq!(share.weights.map(Money::units), [scope, 68 * USD]);
    let units = share.amounts.get(METRIC).unwrap().units();
    let off = units * (scope + 68 * USD) - 9 * USD * scope;
    assert!(off.abs() < scope + 68 * USD, "{units}");
    let given = given(&posted, METRIC);
    assert_eq!(
        given,
        BTreeMap::from([("pool/all".to_owned(), units), ("team/blue".to_owned(), units)])
    );
    let total = charges.total(posted.last()).get(METRIC).unwrap();
    assert_eq!(total.units(), scope + units);
    let left = charges
        .of_month(posted.last())
        .filter(|it| matches!(charges.bearer(it).owner, Owner::Pool(_)));
    assert_eq!(left.map(|it| it.amounts.get(METRIC).unwrap()).sum::<Money>(), Money::ZERO);
}

/// A source of 1,000.00 and three targets of 300.00, 150.00 and 50.00, as a split charge of one level.
#[test]
fn single_level_split_charges_come_out_to_the_cent() {
    let rows: [Row; 4] = [
        ("", "Usage", 1_000 * USD, 1),
        (OTHER, "Usage", 300 * USD, 1),
        (ANA, "Usage", 150 * USD, 1),
        (RELATION, "Usage", 50 * USD, 1),
    ];
    for (method, cents) in [
        ("method = \"even\"", [33_333, 33_333, 33_333]),
        ("method = \"proportional\"", [60_000, 30_000, 10_000]),
        (
            "method = \"fixed\"\nshares = { red = \"25\", blue = \"60.5\", green = \"14.5\" }",
            [25_000, 60_500, 14_500],
        ),
    ] {
        let pools = format!(
            "[[assignment]]\nteam = \"green\"\ndomain = \"d-c\"\n[[pool]]\nname = \"p\"\nof = \"unattributed\"\n{method}\n"
        );
        let given = given(&bill(&rows, &pools, ""), METRIC);
        let of = |team: &str| Money::from_units(given[&format!("team/{team}")]).cents();
        assert_eq!([of("red"), of("blue"), of("green")], cents, "{method}");
    }
}

#[test]
fn a_pool_of_nothing_in_the_metrics_that_were_delivered_is_still_whole() {
    let mut credit = entry(&("", "Credit", 0, 1));
    credit.amounts = Amounts::ABSENT;
    credit.amounts.put(METRIC, Some(Money::ZERO));
    let pools =
        "[[pool]]\nname = \"credits\"\nof = \"credit\"\nover = \"owners\"\nmethod = \"even\"\n";
    let roster = ("roster.csv".to_owned(), b"domain,user_profile,team\nd-a,ida,red\n".to_vec());
    let setting = Setting { terms: terms(pools, &[roster].into()), ..Setting::default() };
    let posted = post(&[entry(&(ANA, "Usage", 5, 1)), credit], setting);
    let charges = posted.charges();
    let month = Month::parse(MONTH).unwrap();
    let sum: Amounts =
        charges.of_month(month).map(|charge| charge.amounts).collect::<Vec<_>>().iter().sum();
    assert_eq!(sum, charges.total(month));
    assert_eq!(sum.get(METRIC), Some(Money::from_units(5)));
}
