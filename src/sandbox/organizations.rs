//! Owns the imitation of AWS Organizations: who pays, and which accounts there are.
//!
//! **Invariant:** members learn who pays, and nothing of each other.

use serde_json::{Value, json};

use super::organisation::Account;
use super::page::{Paging, cut, listed, seconds, unknown};
use super::wire::{Body, Caller, Refusal};
use super::world::World;

const PAGING: Paging = Paging {
    size_key: "MaxResults",
    token_key: "NextToken",
    least: 1,
    most: 20,
    usual: 20,
    bad_size: "InvalidInputException",
    bad_token: "InvalidInputException",
};

/// Answers one operation of AWS Organizations.
pub fn answer(
    world: &mut World,
    caller: &Caller,
    operation: &str,
    body: &Value,
) -> Result<Body, Refusal> {
    match operation {
        "DescribeOrganization" => Ok(Body::Json(describe_organization(world))),
        "ListAccounts" => list_accounts(world, caller, body).map(Body::Json),
        other => Err(unknown(other)),
    }
}

fn describe_organization(world: &World) -> Value {
    let organisation = &world.organisation;
    let (payer, id) = (&organisation.payer, &organisation.organization_id);
    let email = organisation.accounts.iter().find(|account| account.id == *payer);
    json!({
        "Organization": {
            "Id": id,
            "Arn": format!("arn:aws:organizations::{payer}:organization/{id}"),
            "FeatureSet": "ALL",
            "MasterAccountArn": account_arn(world, payer),
            "MasterAccountId": payer,
            "MasterAccountEmail": email.map_or("", |account| account.email.as_str()),
            "AvailablePolicyTypes": [{ "Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED" }],
        }
    })
}

fn list_accounts(world: &World, caller: &Caller, body: &Value) -> Result<Value, Refusal> {
    if caller.account != world.organisation.payer {
        return Err(Refusal::denied("You don't have permissions to access this resource."));
    }
    let (page, next) = cut(&PAGING, "ListAccounts", body, &world.organisation.accounts)?;
    let items = page.iter().map(|account| shown(world, account)).collect();
    Ok(listed("Accounts", items, "NextToken", next))
}

fn shown(world: &World, account: &Account) -> Value {
    let payer = account.id == world.organisation.payer;
    json!({
        "Id": account.id,
        "Arn": account_arn(world, &account.id),
        "Email": account.email,
        "Name": account.name,
        "Status": "ACTIVE",
        "State": "ACTIVE",
        "JoinedMethod": if payer { "INVITED" } else { "CREATED" },
        "JoinedTimestamp": seconds(account.joined_at),
    })
}

fn account_arn(world: &World, account: &str) -> String {
    let organisation = &world.organisation;
    let (payer, id) = (&organisation.payer, &organisation.organization_id);
    format!("arn:aws:organizations::{payer}:account/{id}/{account}")
}

#[cfg(test)]
mod tests {
    use super::super::sample::{PAYER, member, payer, world};
    use super::*;

    fn ask(caller: &Caller, operation: &str, body: &Value) -> Result<Value, Refusal> {
        let answer = answer(&mut world(), caller, operation, body)?;
        let Body::Json(answer) = answer else { panic!("Organizations speaks JSON") };
        Ok(answer)
    }

    #[test]
    fn members_learn_who_pays_and_no_more() {
        let organization = ask(&member(), "DescribeOrganization", &json!({})).unwrap();
        assert_eq!(organization["Organization"]["MasterAccountId"], PAYER);
        let refusal = ask(&member(), "ListAccounts", &json!({})).unwrap_err();
        assert_eq!(refusal.code, "AccessDeniedException");
    }

    #[test]
    fn accounts_come_in_pages_of_twenty() {
        let first = ask(&payer(), "ListAccounts", &json!({})).unwrap();
        assert_eq!(first["Accounts"].as_array().unwrap().len(), 20);
        assert_eq!(
            first["Accounts"][1]["Arn"],
            "arn:aws:organizations::111122223333:account/o-sample12345/444455556666"
        );
        let body = json!({ "NextToken": first["NextToken"] });
        let last = ask(&payer(), "ListAccounts", &body).unwrap();
        assert_eq!(last["Accounts"].as_array().unwrap().len(), 4);
        let refusal = ask(&payer(), "ListAccounts", &json!({ "MaxResults": 21 })).unwrap_err();
        assert_eq!(refusal.code, "InvalidInputException");
    }
}
