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
    for it in found {
        let domain = if it.domain.is_empty() { String::new() } else { format!("{}, ", it.domain) };
        line(&format!(
            "{}: {domain}{} ({})",
            it.kind.severity().name(),
            it.subject,
            it.kind.name()
        ));
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
        "{} errors, {} warnings, {} notes.",
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
        let found = Weakness {
            kind: Kind::DefeatsIsolation,
            domain: "d-visionlab123".to_owned(),
            subject: "role\u{1b}[31m".to_owned(),
            statements: vec!["p/All".to_owned()],
            text: "it may use".to_owned(),
            fix: "do something".to_owned(),
        };
        assert_eq!(
            text(&[found]),
            "error: d-visionlab123, role\u{fffd}[31m (defeats_isolation)\n  it may use\n  by: p/All\n  \
             fix: do something\n1 errors, 0 warnings, 0 notes.\n"
        );
    }
}
