//! Owns what all budgets have in common: the `[budgets]` table of the configuration.
//!
//! **Invariant:** the program's own budgets in AWS are told from others by the beginning of their names, which is never short.

use serde::Deserialize;

use crate::bounds::{check_name, subscribers};

/// What all budgets have in common: the `[budgets]` table.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Common {
    /// The name in AWS, with `{name}` for the budget's; what stands before the brace marks the program's own.
    pub name: String,
    /// Whether AWS Budgets is trusted to take filters by the absence of a tag key.
    pub match_absent: bool,
    /// E-mail addresses that notifications tell which name nobody.
    pub emails: Vec<String>,
    /// The SNS topic that they tell.
    pub sns_topic_arn: Option<String>,
}

impl Default for Common {
    fn default() -> Common {
        Common {
            name: "apportion/{name}".to_owned(),
            match_absent: false,
            emails: Vec::new(),
            sns_topic_arn: None,
        }
    }
}

impl Common {
    /// Returns the beginning of the names of the program's own budgets in AWS.
    pub fn prefix(&self) -> &str {
        self.name.split('{').next().unwrap_or_default()
    }

    /// Returns a budget's name in AWS.
    pub fn aws_name(&self, name: &str) -> String {
        self.name.replace("{name}", name)
    }

    /// Says what is wrong with the table.
    pub fn check(&self) -> Result<(), String> {
        if self.name.matches("{name}").count() != 1 || self.name.matches(['{', '}']).count() != 2 {
            return Err("`budgets.name` has `{name}` in it once, and no other brace".to_owned());
        }
        if self.prefix().trim().len() < 3 {
            return Err("`budgets.name` begins with at least three characters before `{name}`: \
                        they mark the budgets that are this program's own"
                .to_owned());
        }
        check_name(&self.aws_name("x")).map_err(|why| format!("`budgets.name`: {why}"))?;
        subscribers(&self.emails, self.sns_topic_arn.as_ref()).map(drop)
    }
}
