//! Owns telling people outside AWS: e-mail by SMTP, and incoming webhooks.
//!
//! **Invariant:** a secret is given, used and never told: no error has an address that was secret, or a password.

pub mod mail;
pub mod webhook;

/// Leaves secrets out of what others say.
fn without<T: AsRef<str>>(text: &str, secrets: &[T]) -> String {
    let secrets = secrets.iter().map(AsRef::as_ref).filter(|it| !it.is_empty());
    secrets.fold(text.to_owned(), |text, secret| text.replace(secret, "(hidden)"))
}

/// What happened, without any secret.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Cause(pub String);
