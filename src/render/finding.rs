//! Owns how findings about budgets read on a terminal: what it is, what is wrong, what to do.

use std::fmt::Write as _;

use super::text::{clean, dollars};
use crate::finding::Finding;

/// Writes findings, a few lines each.
pub fn text(findings: &[Finding]) -> String {
    let mut text = String::new();
    let mut line = |words: &str| {
        writeln!(text, "{}", clean(words)).expect("writing to a string does not fail");
    };
    for it in findings {
        line(&format!("{}: {} ({})", it.severity.name(), it.budget, it.kind.name()));
        let figure = |name: &str, money| {
            let money: Option<crate::money::Money> = money;
            money.map(|money| format!("{name} {}", dollars(money)))
        };
        let figures = [
            figure("AWS shows", it.shown),
            figure("the bill explains at least", it.band.least),
            figure("at most", it.band.most),
            figure("off by", it.off_by),
        ];
        let figures: Vec<String> = figures.into_iter().flatten().collect();
        if !figures.is_empty() {
            line(&format!("  {} ({})", figures.join(", "), it.currency));
        }
        line(&format!("  {}", it.text));
        if !it.fix.is_empty() {
            line(&format!("  fix: {}", it.fix));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::band::Band;
    use crate::finding::{Kind, Severity};
    use crate::money::Money;

    #[test]
    fn a_finding_says_what_is_wrong_and_what_to_do() {
        let money = |cents| Some(Money::from_cents(cents));
        let finding = Finding {
            budget: "old\u{1b}[31m".to_owned(),
            kind: Kind::MissingPrefix,
            severity: Severity::Error,
            cycle: "monthly".to_owned(),
            metric: None,
            shown: money(0),
            band: Band { least: money(12_345), most: None, ..Band::default() },
            off_by: None,
            currency: "USD".to_owned(),
            text: "it lacks a prefix".to_owned(),
            fix: "put it there".to_owned(),
        };
        assert_eq!(
            text(&[finding]),
            "error: old\u{fffd}[31m (missing_prefix)\n  \
             AWS shows 0.00, the bill explains at least 123.45 (USD)\n  it lacks a prefix\n  fix: put it there\n"
        );
    }
}
