//! Owns incoming webhooks: a text in the JSON that Slack takes, posted once.
//!
//! Slack API, "Sending messages using incoming webhooks" and "Formatting text for app surfaces".
//! **Invariant:** the address is a secret, and goes over TLS unless it is this machine's own.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use serde_json::json;

use crate::chain::chain;

use super::{Cause, without};

/// The longest wait for an answer, in seconds.
const TIMEOUT_S: u64 = 30;
/// Characters of a part of the address that may be secret at least; `x` in one is in many words.
const PART_LENGTH_MIN: usize = 5;
/// Characters of a refusal that are told at most.
const REFUSAL_LENGTH_MAX: usize = 200;

/// A webhook that was not told.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What was given is no address that a secret may be sent to.
    #[error("the address of the webhook cannot be used: {why}")]
    NotAddress {
        /// What is wrong with it, without any of it.
        why: &'static str,
    },
    /// There was no answer.
    #[error("no answer from the webhook")]
    NoAnswer {
        /// What happened on the way.
        source: Cause,
    },
    /// It was refused.
    #[error("the webhook refused the message")]
    Refused {
        /// What was answered.
        source: Cause,
    },
}

/// Returns the payload: Slack takes `&`, `<` and `>` for its own unless they are escaped.
pub fn payload(text: &str) -> serde_json::Value {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    json!({ "text": text })
}

/// Posts a text.
pub async fn post(address: &str, text: &str) -> Result<(), Error> {
    let url = parse(address)?;
    // Whoever knows the path may post, so no part of it is told, whoever repeats it.
    let parts = url.path().split('/').filter(|part| part.len() >= PART_LENGTH_MIN);
    let secrets: Vec<&str> =
        [address.trim(), url.path().trim_matches('/')].into_iter().chain(parts).collect();
    let cause = |error: reqwest::Error| Cause(without(&chain(&error.without_url()), &secrets));
    // A redirect would carry the message elsewhere, and its address is nobody's choice.
    let client = Client::builder().redirect(Policy::none()).timeout(Duration::from_secs(TIMEOUT_S));
    let client = client.build().map_err(|error| Error::NoAnswer { source: cause(error) })?;
    let sent = client.post(url.clone()).json(&payload(text)).send().await;
    let answer = sent.map_err(|error| Error::NoAnswer { source: cause(error) })?;
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    let body = answer.text().await.unwrap_or_default();
    let body: String = without(&body, &secrets).chars().take(REFUSAL_LENGTH_MAX).collect();
    let body = body.split_whitespace().collect::<Vec<&str>>().join(" ");
    Err(Error::Refused { source: Cause(format!("HTTP {}: {body}", status.as_u16())) })
}

fn parse(address: &str) -> Result<Url, Error> {
    let not = |why| Error::NotAddress { why };
    let url = Url::parse(address.trim()).map_err(|_| not("it is no URL"))?;
    let is_here = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_here => Ok(url),
        _ => Err(not("it does not begin with `https://`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_slack_takes_for_its_own_is_escaped() {
        let text = payload("a < b & \"c\" > <!channel>\nd")["text"].as_str().unwrap().to_owned();
        assert_eq!(text, "a &lt; b &amp; \"c\" &gt; &lt;!channel&gt;\nd");
    }

    #[test]
    fn an_address_that_cannot_be_used_is_not_told() {
        for (address, expected) in [
            ("https://hooks.example.com/services/secret", ""),
            ("http://127.0.0.1:9/secret", ""),
            ("http://hooks.example.com/secret", "does not begin with `https://`"),
            ("secret", "it is no URL"),
            ("file:///secret", "does not begin with `https://`"),
        ] {
            let why = parse(address).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(why.contains(expected) && why.is_empty() == expected.is_empty(), "{why}");
            assert!(!why.contains("secret"), "{why}");
        }
    }

    #[tokio::test]
    async fn a_webhook_that_is_away_is_told_without_its_address() {
        // A listener that is dropped leaves a port at which nobody answers.
        let port = {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            listener.local_addr().unwrap().port()
        };
        let address = format!("http://127.0.0.1:{port}/services/secret");
        let error = post(&address, "text").await.unwrap_err();
        let Error::NoAnswer { source } = &error else { panic!("{error}") };
        assert!(!source.0.contains("secret") && !source.0.is_empty(), "{source}");
    }
}
