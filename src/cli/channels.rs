//! Owns the `[alerts]` table of the configuration: by which channels people are told of alerts.
//!
//! **Invariant:** a secret is never in the file: the table names the variable of the environment that holds it.

use serde::Deserialize;

use crate::bounds::subscribers;
use crate::sent::Channel;

/// By which channels people are told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Channels {
    /// The SNS topic.
    pub sns_topic_arn: Option<String>,
    /// The variable that holds the address of Slack's incoming webhook.
    pub slack_webhook_env: Option<String>,
    /// E-mail.
    pub mail: Option<Mail>,
}

/// How e-mail is sent.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    /// The variable that holds the URL of the SMTP server.
    pub smtp_url_env: String,
    /// The sender.
    pub from: String,
    /// Those who get it.
    pub to: Vec<String>,
}

impl Channels {
    /// Returns the channels that are configured.
    pub fn all(&self) -> Vec<Channel> {
        let configured = [
            (self.sns_topic_arn.is_some(), Channel::Sns),
            (self.slack_webhook_env.is_some(), Channel::Slack),
            (self.mail.is_some(), Channel::Mail),
        ];
        configured.into_iter().filter(|(is_there, _)| *is_there).map(|(_, it)| it).collect()
    }

    /// Says what is wrong with the table.
    pub fn check(&self) -> Result<(), String> {
        subscribers(&[], self.sns_topic_arn.as_ref())
            .map_err(|why| format!("`alerts.sns_topic_arn`: {why}"))?;
        if let Some(name) = &self.slack_webhook_env {
            check_variable("alerts.slack_webhook_env", name)?;
        }
        let Some(mail) = &self.mail else { return Ok(()) };
        check_variable("alerts.mail.smtp_url_env", &mail.smtp_url_env)?;
        if mail.to.is_empty() {
            return Err("`alerts.mail.to` names nobody".to_owned());
        }
        for address in std::iter::once(&mail.from).chain(&mail.to) {
            subscribers(std::slice::from_ref(address), None)
                .map_err(|why| format!("`alerts.mail`: {why}"))?;
        }
        Ok(())
    }
}

/// What stands there may be the secret itself, so it is not repeated.
fn check_variable(key: &str, name: &str) -> Result<(), String> {
    let is_name = name.starts_with(|it: char| it.is_ascii_alphabetic() || it == '_')
        && name.chars().all(|it| it.is_ascii_alphanumeric() || it == '_');
    if is_name {
        return Ok(());
    }
    Err(format!(
        "`{key}` is the name of an environment variable, of letters, digits and underscores; the secret itself is never in the file"
    ))
}

/// Leaves out what stands behind `://`: an error shows the line, and the secret may have been written there.
pub(super) fn without_addresses(text: &str) -> String {
    let is_over = |it: char| it.is_whitespace() || it == '"' || it == '\'';
    let mut parts = text.split("://");
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        shown.push_str("://(hidden)");
        shown.push_str(part.find(is_over).map_or("", |at| &part[at..]));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_in_the_wrong_place_is_not_shown() {
        for (text, expected) in [
            ("hook = \"https://hooks/geheim\"\n^^^", "hook = \"https://(hidden)\"\n^^^"),
            ("smtp://ana:geheim@host", "smtp://(hidden)"),
            ("unknown field `a`", "unknown field `a`"),
        ] {
            assert_eq!(without_addresses(text), expected);
        }
        let text = "[alerts]\nslack_webhook = \"https://hooks.example.com/geheim\"\n";
        let error = crate::cli::config::parse(text).unwrap_err();
        assert!(error.contains("unknown field `slack_webhook`"), "{error}");
        assert!(!error.contains("geheim"), "{error}");
    }

    #[test]
    fn a_table_says_who_is_told_and_no_secret() {
        let mail = "[mail]\nfrom = 'a@b.c'\nto = ['x@y.z']\nsmtp_url_env = ";
        for (text, expected) in [
            (String::new(), Ok(vec![])),
            (
                "sns_topic_arn = 'arn:aws:sns:us-east-1:111122223333:t'".to_owned(),
                Ok(vec![Channel::Sns]),
            ),
            ("slack_webhook_env = 'HOOK'".to_owned(), Ok(vec![Channel::Slack])),
            (format!("{mail}'SMTP_URL'"), Ok(vec![Channel::Mail])),
            ("sns_topic_arn = 'x'".to_owned(), Err("not the ARN of an SNS topic")),
            (
                "slack_webhook_env = 'https://hooks/geheim'".to_owned(),
                Err("is the name of an environment"),
            ),
            (format!("{mail}'smtp://ana:geheim@host'"), Err("is the name of an environment")),
            (format!("{mail}'S'").replace("'x@y.z'", ""), Err("names nobody")),
            (format!("{mail}'S'").replace("x@y.z", "ana"), Err("not an e-mail address: `ana`")),
        ] {
            let table: Channels = toml::from_str(&text).unwrap();
            match (table.check(), expected) {
                (Ok(()), Ok(channels)) => assert_eq!(table.all(), channels, "{text}"),
                (Err(why), Err(words)) => {
                    assert!(why.contains(words) && !why.contains("geheim"), "{why}");
                }
                (told, _) => panic!("{text}: {told:?}"),
            }
        }
    }
}
