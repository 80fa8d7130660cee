//! Owns a small organisation on which the services are tested.
//!
//! **Invariant:** each trap that a test asks about is in it once.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::{Weekday, date};

use super::bill::{Bill, Charge, Meter, Rates};
use super::organisation::{
    Account, App, Budget, BudgetFilter, BudgetLimit, Domain, FileSystem, Notification,
    Organisation, Policy, Resource, Role, Space, TagKey, Tags, Topic, UserProfile,
};
use super::policy::FULL_ACCESS;
use super::wire::Caller;
use super::world::{Variants, World};
use crate::money::Money;
use crate::period::Period;

pub(super) const PAYER: &str = "111122223333";
pub(super) const MEMBER: &str = "444455556666";
pub(super) const REGION: &str = "eu-west-1";
pub(super) const DOMAIN: &str = "d-abcdefghijkl";
pub(super) const DOMAIN_ARN: &str =
    "arn:aws:sagemaker:eu-west-1:444455556666:domain/d-abcdefghijkl";

/// Returns the member in the region where everything is.
pub(super) fn member() -> Caller {
    Caller { account: MEMBER.to_owned(), region: REGION.to_owned() }
}

/// Returns the payer.
pub(super) fn payer() -> Caller {
    Caller { account: PAYER.to_owned(), region: "us-east-1".to_owned() }
}

/// Returns the world on 22 November 2026, a Sunday.
pub(super) fn world() -> World {
    let organisation = Organisation {
        payer: PAYER.to_owned(),
        organization_id: "o-sample12345".to_owned(),
        accounts: (0..24).map(account).collect(),
        domains: vec![domain(DOMAIN, None), domain("d-gonegonegone", Some("2026-10-01T00:00:00Z"))],
        user_profiles: ["Alice", "bob"].map(user_profile).into(),
        spaces: vec![space("Private1", false), space("team", true)],
        apps: vec![
            app(Some("Alice"), None, "Canvas", "InService"),
            app(None, Some("Private1"), "JupyterLab", "Deleted"),
            app(None, Some("Private1"), "JupyterLab", "InService"),
        ],
        resources: resources(),
        file_systems: (0..3).map(file_system).collect(),
        budgets: Vec::new(),
        topics: vec![
            Topic::new(MEMBER, REGION, "cost", true),
            Topic::new(MEMBER, REGION, "private", false),
            Topic { encrypted: true, ..Topic::new(PAYER, "us-east-1", "sealed", true) },
        ],
        roles: vec![
            role("/service-role/", "Execution"),
            role("/", "Plain"),
            Role::new(PAYER, "/", "Plain", at("2025-01-01T00:00:00Z")),
        ],
        policies: Policy::managed(),
        tag_keys: vec![TagKey {
            key: "sagemaker:domain-arn".to_owned(),
            changes: vec![(date(2026, 1, 1), true)],
            ..TagKey::default()
        }],
        backfills: Vec::new(),
        traces: Vec::new(),
    };
    World::new(at("2026-11-22T16:00:00Z"), organisation, bill(), Variants::default())
}

/// Reads an instant.
pub(super) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Returns one tag.
pub(super) fn tagged(key: &str, value: &str) -> Tags {
    Tags::from([(key.to_owned(), value.to_owned())])
}

/// Returns a budget of the member with a notification at 100 percent.
pub(super) fn budget(name: &str, filter: Option<serde_json::Value>) -> Budget {
    Budget {
        account: MEMBER.to_owned(),
        name: name.to_owned(),
        limit: BudgetLimit::Fixed(Money::from_cents(3000)),
        filter: BudgetFilter::Expression { filter, metric: Some("NetAmortizedCost".to_owned()) },
        notifications: vec![Notification {
            kind: "FORECASTED".to_owned(),
            operator: "GREATER_THAN".to_owned(),
            threshold: Money::from_cents(10_000),
            threshold_type: "PERCENTAGE".to_owned(),
            subscribers: vec![("EMAIL".to_owned(), "finance@example.com".to_owned())],
        }],
        updated_at: at("2026-08-01T00:00:00Z"),
        ..Budget::default()
    }
}

/// Returns a role of the member that has full access to SageMaker.
fn role(path: &str, name: &str) -> Role {
    let mut role = Role::new(MEMBER, path, name, at("2025-01-01T00:00:00Z"));
    role.attached.insert(FULL_ACCESS.to_owned());
    role
}

fn account(index: u32) -> Account {
    let id = match index {
        0 => PAYER.to_owned(),
        1 => MEMBER.to_owned(),
        other => format!("9000000000{other:02}"),
    };
    Account {
        name: format!("account {index}"),
        email: format!("account-{index}@example.com"),
        id,
        joined_at: at("2020-01-01T00:00:00Z"),
    }
}

fn domain(id: &str, deleted_at: Option<&str>) -> Domain {
    Domain {
        account: MEMBER.to_owned(),
        region: REGION.to_owned(),
        id: id.to_owned(),
        name: "research".to_owned(),
        auth_mode: "IAM".to_owned(),
        execution_role: format!("arn:aws:iam::{MEMBER}:role/service-role/Execution"),
        space_role: None,
        tag_propagation: None,
        home_efs: Some("fs-00000000".to_owned()),
        tags: tagged("team", "research"),
        created_at: at("2025-01-01T00:00:00.5Z"),
        deleted_at: deleted_at.map(at),
    }
}

fn user_profile(name: &str) -> UserProfile {
    UserProfile {
        domain: DOMAIN.to_owned(),
        name: name.to_owned(),
        sso_value: None,
        execution_role: None,
        tags: Tags::new(),
        created_at: at("2025-01-02T00:00:00Z"),
        deleted_at: None,
    }
}

fn space(name: &str, shared: bool) -> Space {
    Space {
        domain: DOMAIN.to_owned(),
        name: name.to_owned(),
        owner: "Alice".to_owned(),
        shared,
        volume_gib: 5,
        tags: tagged("sagemaker:domain-arn", DOMAIN_ARN),
        created_at: at("2025-01-03T00:00:00Z"),
        deleted_at: None,
    }
}

fn app(user_profile: Option<&str>, space: Option<&str>, app_type: &str, status: &str) -> App {
    App {
        domain: DOMAIN.to_owned(),
        user_profile: user_profile.map(str::to_owned),
        space: space.map(str::to_owned),
        app_type: app_type.to_owned(),
        name: "default".to_owned(),
        instance_type: "ml.t3.medium".to_owned(),
        status: status.to_owned(),
        tags: tagged("sagemaker:domain-arn", DOMAIN_ARN),
        created_at: at("2026-11-20T00:00:00Z"),
    }
}

fn resources() -> Vec<Resource> {
    let mut resources = vec![
        resource("hyper-parameter-tuning-job", "Tune-A", "Completed"),
        resource("endpoint", "Live-B", "InService"),
        resource("model", "model-c", ""),
    ];
    resources.extend((0..12).map(|n| resource("processing-job", &format!("p{n:02}"), "Completed")));
    let mut elsewhere = resource("model", "elsewhere", "");
    elsewhere.region = "us-east-1".to_owned();
    resources.push(elsewhere);
    let mut gone = resource("endpoint", "gone", "InService");
    gone.deleted_at = Some(at("2026-06-01T00:00:00Z"));
    resources.push(gone);
    resources
}

/// Returns a resource of the member.
pub(super) fn resource(kind: &str, name: &str, status: &str) -> Resource {
    Resource {
        account: MEMBER.to_owned(),
        region: REGION.to_owned(),
        kind: kind.to_owned(),
        name: name.to_owned(),
        arn: format!("arn:aws:sagemaker:{REGION}:{MEMBER}:{kind}/{name}"),
        status: status.to_owned(),
        details: serde_json::Value::Null,
        truth: None,
        tags: if kind == "model" { Tags::new() } else { tagged("cost-center", name) },
        created_at: at("2026-01-01T00:00:00Z"),
        deleted_at: None,
    }
}

fn file_system(index: u32) -> FileSystem {
    FileSystem {
        account: MEMBER.to_owned(),
        region: REGION.to_owned(),
        id: format!("fs-{index:08}"),
        creation_token: if index == 0 { DOMAIN.to_owned() } else { format!("other-{index}") },
        size_bytes: 6144,
        tags: tagged("ManagedByAmazonSageMakerResource", DOMAIN_ARN),
        created_at: at("2025-01-01T00:00:00Z"),
    }
}

/// One dollar a day for the domain since June, two on Sundays.
fn bill() -> Bill {
    let meter = Meter {
        account: MEMBER.into(),
        region: REGION.into(),
        service: "Amazon SageMaker".into(),
        usage_type: "EU-Studio:JupyterLab-ml.t3.medium".into(),
        operation: "RunInstance".into(),
        record_type: "Usage".into(),
        unit: "Hrs".into(),
        tags: Arc::new(tagged("sagemaker:domain-arn", DOMAIN_ARN)),
        truth: format!("domain/{DOMAIN}").as_str().into(),
    };
    let days = Period { start: date(2026, 6, 1), end: date(2026, 12, 1) }.days();
    let quantities = days
        .map(|day| if day.weekday() == Weekday::Sunday { 2_000_000 } else { 1_000_000 })
        .collect();
    let mut bill = Bill::default();
    bill.add_charge(Charge::daily(meter, Rates::flat(10_000), date(2026, 6, 1), quantities));
    bill
}
