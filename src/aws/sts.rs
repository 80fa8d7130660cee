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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::organizations;
    use crate::aws::testing::{Answer, session};

    #[tokio::test]
    async fn the_partition_comes_from_the_arn() {
        let answer = |_: &str, _: &str| {
            let body = "<GetCallerIdentityResponse><GetCallerIdentityResult>\
                <Arn>arn:aws-cn:iam::111122223333:user/ana</Arn><Account>111122223333</Account>\
                </GetCallerIdentityResult></GetCallerIdentityResponse>";
            Answer::Body(200, body.to_owned())
        };
        let caller = caller(&session(answer).await).await.unwrap();
        assert_eq!(
            (caller.account.as_str(), caller.partition.as_str()),
            ("111122223333", "aws-cn")
        );
    }

    #[tokio::test]
    async fn an_account_on_its_own_has_no_payer() {
        let answer = |_: &str, _: &str| {
            let body = r#"{"__type":"AWSOrganizationsNotInUseException","Message":"none"}"#;
            Answer::Body(400, body.to_owned())
        };
        assert_eq!(organizations::payer(&session(answer).await).await.unwrap(), None);
        let answer = |_: &str, _: &str| {
            let body = r#"{"Organization":{"MasterAccountId":"111122223333"}}"#;
            Answer::Body(200, body.to_owned())
        };
        let payer = organizations::payer(&session(answer).await).await.unwrap();
        assert_eq!(payer.unwrap().as_str(), "111122223333");
    }
}
