//! Owns how weaknesses of policies read on a terminal: what it is, what is wrong, where, what to do.

use std::fmt::Write as _;

use super::text::clean;
use crate::finding::Severity;
use crate::weakness::Weakness;

/// Writes what was found, a few lines each, and how much of it there is.
pub fn text(found: &[Weakness]) -> String {
    let mut text = String::new();
    let mut line = |words: &str| {
        writeln!(text, "{}", clean(words)).expect("writing to a string does not fail");
    };
    // What is the same of several roles is said once.
    let mut told: Vec<(&Weakness, Vec<String>)> = Vec::new();
    for it in found {
        let whose = if it.domain.is_empty() {
            it.subject.clone()
        } else {
            format!("{} of {}", it.subject, it.domain)
        };
        let is_same = |other: &Weakness| {
            (other.kind, &other.text, &other.statements, &other.fix)
                == (it.kind, &it.text, &it.statements, &it.fix)
        };
        match told.iter_mut().find(|(other, _)| is_same(other)) {
            Some((_, all)) => all.push(whose),
            None => told.push((it, vec![whose])),
        }
    }
    for (it, whose) in told {
        line(&format!("{}: {} ({})", it.kind.severity().name(), it.kind.name(), whose.join(", ")));
        line(&format!("  {}", it.text));
        if !it.statements.is_empty() {
            line(&format!("  by: {}", it.statements.join(", ")));
        }
        if !it.fix.is_empty() {
            line(&format!("  fix: {}", it.fix));
        }
    }
    let count = |severity| found.iter().filter(|it| it.kind.severity() == severity).count();
    line(&format!(
        "Errors: {}; warnings: {}; infos: {}.",
        count(Severity::Error),
        count(Severity::Warning),
        count(Severity::Info)
    ));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weakness::Kind;

    #[test]
    fn a_weakness_says_what_is_wrong_and_what_to_do() {
        let found = |domain: &str| Weakness {
            kind: Kind::DefeatsIsolation,
            domain: domain.to_owned(),
            subject: "role\u{1b}[31m".to_owned(),
            statements: vec!["p/All".to_owned()],
            text: "it may use".to_owned(),
            fix: "do something".to_owned(),
        };
        assert_eq!(
            text(&[found("d-visionlab123"), found("d-another00000")]),
            "error: defeats_isolation (role\u{fffd}[31m of d-visionlab123, role\u{fffd}[31m of d-another00000)\n  \
             it may use\n  by: p/All\n  fix: do something\nErrors: 2; warnings: 0; infos: 0.\n"
        );
    }
}
