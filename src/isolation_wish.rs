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
    /// Returns every wish that shares the same: what can be typed, and what another configuration may have said.
    pub fn variants(&self) -> Vec<Wish> {
        let mut variants: Vec<Wish> = Vec::new();
        for form in [Form::Deny, Form::Current, Form::Earlier] {
            for untagged in [Untagged::Allow, Untagged::Deny] {
                for tag_protection in [Protection::Action, Protection::Value] {
                    for grant in [false, true] {
                        let shared =
                            if form == Form::Deny { self.shared.clone() } else { Vec::new() };
                        variants.push(Wish {
                            form,
                            untagged,
                            grant,
                            tag_protection,
                            shared,
                            ..self.clone()
                        });
                    }
                }
            }
        }
        variants.retain(|it| it.check().is_ok());
        variants
    }

    /// Says what cannot be.
    pub fn check(&self) -> Result<(), String> {
        let is_arn = |it: &&String| {
            let parts: Vec<&str> = it.splitn(6, ':').collect();
            parts.len() == 6 && parts[0] == "arn" && parts[2] == "sagemaker" && !parts[5].is_empty()
        };
        if self.form != Form::Deny {
            let idle = [
                (self.untagged == Untagged::Deny, "untagged = \"deny\""),
                (self.grant, "grant = true"),
                (!self.shared.is_empty(), "shared"),
            ];
            if let Some((_, what)) = idle.iter().find(|it| it.0) {
                return Err(format!("`[isolation] {what}` is of the form `deny` alone"));
            }
        }
        if self.grant && self.untagged == Untagged::Deny {
            // Both would not fit into one policy.
            let text = "`[isolation] grant = true` grants nothing untagged, so it goes without `untagged = \"deny\"`";
            return Err(text.to_owned());
        }
        match self.shared.iter().find(|it| !is_arn(it)) {
            Some(other) => {
                Err(format!("`[isolation] shared` names what is no ARN of SageMaker: `{other}`"))
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shared_is_named_by_arns_of_sagemaker() {
        for (shared, is_right) in [
            ("arn:aws:sagemaker:*:*:image/base-*", true),
            ("arn:aws-cn:sagemaker:cn-north-1:111122223333:model-package-group/shared", true),
            ("arn:*:sagemaker:*:*:*", true),
            ("arn:aws:s3:::bucket", false),
            ("arn:aws:sagemaker:*:*:", false),
            ("arn:aws:sagemaker:*:image/base", false),
            ("image/base-*", false),
            ("*", false),
            ("", false),
        ] {
            let wish = Wish { shared: vec![shared.to_owned()], ..Wish::default() };
            assert_eq!(wish.check().is_ok(), is_right, "{shared}");
        }
        let shared = vec!["arn:aws:sagemaker:*:*:image/base".to_owned(), "x".to_owned()];
        let told = Wish { shared, ..Wish::default() }.check().unwrap_err();
        assert_eq!(told, "`[isolation] shared` names what is no ARN of SageMaker: `x`");
    }

    #[test]
    fn words_of_the_configuration_are_read_and_others_refused() {
        let read = |text: &str| serde_json::from_str::<Wish>(&text.replace('\'', "\""));
        for (text, expected) in [
            ("{}", Wish::default()),
            ("{'form': 'earlier'}", Wish { form: Form::Earlier, ..Wish::default() }),
            ("{'untagged': 'deny'}", Wish { untagged: Untagged::Deny, ..Wish::default() }),
            (
                "{'form': 'deny', 'grant': true, 'tag_protection': 'value'}",
                Wish { grant: true, tag_protection: Protection::Value, ..Wish::default() },
            ),
        ] {
            assert_eq!(read(text).unwrap(), expected, "{text}");
        }
        for text in ["{'form': 'Deny'}", "{'untaged': 'deny'}", "{'grant': 'yes'}"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
