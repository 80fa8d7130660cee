//! Owns the tests of IAM.
//!
//! **Invariant:** requests and answers only, as a client would see them.

mod page;
mod policy;
mod refusal;
mod role;

use serde_json::{Value, json};

use super::super::sample::{MEMBER, PAYER, at, member, payer, world};
use super::super::wire::{Body, Caller, Refusal};
use super::super::world::World;

const FULL_ACCESS: &str = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess";

fn ask_as(
    world: &mut World,
    caller: &Caller,
    operation: &str,
    body: &Value,
) -> Result<String, Refusal> {
    super::answer(world, caller, operation, body).map(|answer| match answer {
        Body::Xml(xml) => xml,
        other => panic!("{operation}: {other:?}"),
    })
}

fn ask(world: &mut World, operation: &str, body: &Value) -> Result<String, Refusal> {
    ask_as(world, &member(), operation, body)
}

/// Asks for what has to be answered.
fn get(world: &mut World, operation: &str, body: &Value) -> String {
    ask(world, operation, body).unwrap_or_else(|refusal| panic!("{operation}: {refusal:?}"))
}

/// Asks for what has to be refused, and returns status, code and text.
fn refused(world: &mut World, operation: &str, body: &Value) -> (u16, String, String) {
    let refusal = ask(world, operation, body).expect_err(operation);
    (refusal.status, refusal.code, refusal.message)
}

/// Returns the texts of all elements of a name, in their order.
fn all<'a>(xml: &'a str, name: &str) -> Vec<&'a str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    xml.split(&open).skip(1).map(|rest| rest.split(&close).next().unwrap()).collect()
}

/// Returns the text of the only element of a name.
fn one<'a>(xml: &'a str, name: &str) -> &'a str {
    let found = all(xml, name);
    assert_eq!(found.len(), 1, "{name} in {xml}");
    found[0]
}

fn arn(name: &str) -> String {
    format!("arn:aws:iam::{MEMBER}:policy/{name}")
}

fn document(action: &str) -> String {
    json!({ "Version": "2012-10-17",
        "Statement": { "Effect": "Allow", "Action": action, "Resource": "*" } })
    .to_string()
}

/// Makes a policy and returns its ARN.
fn create(world: &mut World, name: &str) -> String {
    let body = json!({ "PolicyName": name, "PolicyDocument": document("s3:Get*") });
    one(&get(world, "CreatePolicy", &body), "Arn").to_owned()
}

/// Adds a version and returns its id.
fn add_version(world: &mut World, arn: &str, in_force: bool) -> String {
    let body = json!({ "PolicyArn": arn, "PolicyDocument": document("s3:Put*"),
        "SetAsDefault": in_force.to_string() });
    one(&get(world, "CreatePolicyVersion", &body), "VersionId").to_owned()
}

fn attach(world: &mut World, role: &str, arn: &str) {
    get(world, "AttachRolePolicy", &json!({ "RoleName": role, "PolicyArn": arn }));
}

/// Returns operation, policy and role of all that was changed.
fn changes(world: &World) -> Vec<String> {
    let print = |it: &super::IamChange| {
        let policy = it.policy.rsplit('/').next().unwrap();
        let role = it.role.as_deref().map(|role| format!(" {role}"));
        format!("{} {policy}{}", it.operation, role.unwrap_or_default())
    };
    world.iam_changes.iter().map(print).collect()
}
