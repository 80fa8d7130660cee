//! Owns patterns: what the configuration writes where one name, or many at once, are meant.
//!
//! **Invariant:** case counts, and a pattern is matched against one whole name.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A pattern of a name: `*` stands for any text, `?` for one character, `[ab]` for one of those, `[!ab]` for one of none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern {
    glob: glob::Pattern,
    /// The bytes before the first character that stands for others: most names differ there.
    plain: usize,
}

/// A text that is not a pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a pattern: `{text}`: {why}")]
pub struct NotPattern {
    /// The text as it came.
    pub text: String,
    /// What is wrong with it.
    pub why: &'static str,
}

impl Pattern {
    /// Parses a pattern.
    pub fn parse(text: &str) -> Result<Pattern, NotPattern> {
        let glob = glob::Pattern::new(text)
            .map_err(|error| NotPattern { text: text.to_owned(), why: error.msg })?;
        Ok(Pattern { glob, plain: text.find(['*', '?', '[']).unwrap_or(text.len()) })
    }

    /// Tells whether a name matches.
    pub fn matches(&self, name: &str) -> bool {
        let text = self.as_str();
        if self.plain == text.len() {
            return text == name;
        }
        name.starts_with(&text[..self.plain]) && self.glob.matches(name)
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        self.glob.as_str()
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl TryFrom<String> for Pattern {
    type Error = NotPattern;
    fn try_from(text: String) -> Result<Pattern, NotPattern> {
        Pattern::parse(&text)
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> String {
        pattern.as_str().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_matched_against_one_whole_name() {
        for (pattern, name, is_match) in [
            ("research", "research", true),
            ("research", "Research", false),
            ("research", "research-2", false),
            ("research*", "research-2", true),
            ("*-2", "research-2", true),
            ("r*h-?", "research-2", true),
            ("d-[ab]", "d-b", true),
            ("d-[!ab]", "d-b", false),
            ("[0-9]*", "111122223333", true),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("m?nchen", "münchen", true),
            ("*/ml", "eu/teams/ml", true),
            (".*", ".a", true),
            ("*", ".a", true),
        ] {
            assert_eq!(
                Pattern::parse(pattern).unwrap().matches(name),
                is_match,
                "{pattern} {name}"
            );
        }
    }

    #[test]
    fn what_is_no_pattern_says_so() {
        for text in ["a[b", "a***", "a**b", "[]"] {
            let error = Pattern::parse(text).unwrap_err().to_string();
            assert!(error.starts_with(&format!("not a pattern: `{text}`: ")), "{error}");
        }
    }

    #[test]
    fn a_configuration_says_on_which_line_a_pattern_is_wrong() {
        #[derive(Debug, Deserialize)]
        struct Table {
            #[expect(dead_code, reason = "only its error is looked at")]
            domain: Pattern,
        }
        let error = toml::from_str::<Table>("\n\ndomain = \"d-[\"\n").unwrap_err().to_string();
        assert!(error.contains("at line 3") && error.contains("not a pattern: `d-[`"), "{error}");
    }
}
