//! Owns how isolation policies are to be: the table `[isolation]` of the configuration.

use serde::Deserialize;

/// How isolation policies are to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Wish {
    /// Which form.
    pub form: Form,
    /// What becomes of resources without a domain tag, in the form that denies.
    pub untagged: Untagged,
    /// Whether the form that denies grants the use of the domain's own resources as well.
    pub grant: bool,
    /// How the tag itself is protected.
    pub tag_protection: Protection,
    /// Whether executions of pipelines are told apart by their tags: AWS's documents say both.
    pub pipeline_executions: bool,
    /// ARNs, with wildcards, of what bears a domain's tag and is for all domains all the same, in the form that denies.
    pub shared: Vec<String>,
}

/// The forms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Denies what bears another domain's tag, so that it isolates beside broader grants.
    #[default]
    Deny,
    /// The one of AWS's page: allows what bears the domain's own tag.
    Current,
    /// The one of the page's earlier edition: creating requires the tag as well.
    Earlier,
}

/// What becomes of resources without a domain tag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Untagged {
    /// They stay everybody's.
    #[default]
    Allow,
    /// They are nobody's.
    Deny,
}

/// How the tag itself is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protection {
    /// Nobody puts it on or takes it off but in creating, which `sagemaker:TaggingAction` tells.
    #[default]
    Action,
    /// Nobody takes it off or puts on another domain's; for where AWS does not tell `sagemaker:TaggingAction`.
    Value,
}

impl Wish {
    /// Says what cannot be.
    pub fn check(&self) -> Result<(), String> {
        let is_arn = |it: &&String| {
            let parts: Vec<&str> = it.splitn(6, ':').collect();
            parts.len() == 6 && parts[0] == "arn" && parts[2] == "sagemaker" && !parts[5].is_empty()
        };
        match self.shared.iter().find(|it| !is_arn(it)) {
            Some(other) => {
                Err(format!("`[isolation] shared` names what is no ARN of SageMaker: `{other}`"))
            }
            None => Ok(()),
        }
    }
}
