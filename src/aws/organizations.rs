//! Owns what the organization tells: its payer and the names of its accounts.

use crate::arn::AccountId;

use super::error::Error;
use super::pages;
use super::session::Session;

const SERVICE: &str = "Organizations";

/// Returns the account that pays the bill, absent for an account in no organization.
pub async fn payer(session: &Session) -> Result<Option<AccountId>, Error> {
    let operation = "DescribeOrganization";
    let answer = session.organizations().describe_organization().send().await;
    let output = match answer.map_err(|error| Error::of(SERVICE, operation, &error)) {
        Ok(output) => output,
        Err(error) if error.is_organization_absent() => return Ok(None),
        Err(error) => return Err(error),
    };
    let id = output.organization.and_then(|organization| organization.master_account_id);
    AccountId::parse(&id.unwrap_or_default())
        .map(Some)
        .map_err(|error| Error::unreadable(SERVICE, operation, error.to_string()))
}

/// Returns the organization's accounts with their names; only the payer or a delegate may ask.
pub async fn accounts(session: &Session) -> Result<Vec<(AccountId, String)>, Error> {
    let operation = "ListAccounts";
    let stream = session.organizations().list_accounts().into_paginator().send();
    let listed = pages::list(SERVICE, operation, stream, |page| (page.next_token, page.accounts));
    let mut accounts = Vec::new();
    for account in listed.await.whole()? {
        let id = AccountId::parse(&account.id.unwrap_or_default())
            .map_err(|error| Error::unreadable(SERVICE, operation, error.to_string()))?;
        accounts.push((id, account.name.unwrap_or_default()));
    }
    accounts.sort();
    Ok(accounts)
}
