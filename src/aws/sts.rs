//! Owns who is asking: the Security Token Service.

use crate::arn::{AccountId, Arn};

use super::error::Error;
use super::session::Session;

const SERVICE: &str = "STS";

/// Who is asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The account.
    pub account: AccountId,
    /// The user's or the assumed role's ARN.
    pub arn: String,
    /// The partition that the account lies in: `aws`, `aws-cn` …
    pub partition: String,
}

/// Asks who is asking, which needs no permission.
pub async fn caller(session: &Session) -> Result<Caller, Error> {
    let operation = "GetCallerIdentity";
    let output = session
        .sts()
        .get_caller_identity()
        .send()
        .await
        .map_err(|error| Error::of(SERVICE, operation, &error))?;
    let unreadable = |text: String| Error::unreadable(SERVICE, operation, text);
    let arn = output.arn.unwrap_or_default();
    let partition = Arn::parse(&arn).map(|arn| arn.partition);
    Ok(Caller {
        account: AccountId::parse(&output.account.unwrap_or_default())
            .map_err(|error| unreadable(error.to_string()))?,
        partition: partition.ok_or_else(|| unreadable(format!("not an ARN: `{arn}`")))?,
        arn,
    })
}
