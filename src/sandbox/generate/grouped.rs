//! Owns a plain bill of a chosen size, for measuring speed.
//!
//! **Invariant:** every group is billed on the first of every month, and never with zero.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::name::{hourly, person};
use super::{instant, role, tags};
use crate::period::Month;
use crate::sandbox::bill::{Bill, Charge, Meter, Rates, Text};
use crate::sandbox::faults::mix;
use crate::sandbox::organisation::{Account, Domain, Organisation, TagKey, Tags, UserProfile};
use crate::sandbox::world::{Variants, World};

const ACCOUNT: &str = "111122223333";
const DOMAIN_COUNT: usize = 12;
const TYPES: [&str; 6] = [
    "ml.t3.medium",
    "ml.m5.xlarge",
    "ml.m5.4xlarge",
    "ml.g4dn.xlarge",
    "ml.g5.xlarge",
    "ml.g5.2xlarge",
];

/// Makes a world with so many pairs of user profile and usage type, each billed in so many months.
pub fn grouped(months: u32, groups: u32, now: Timestamp) -> World {
    let open = Month::of(TimeZone::UTC.to_datetime(now).date());
    let count = i32::try_from(months.max(1)).expect("a few months");
    let months = open.plus(1 - count).through(open);
    let start = instant(months[0].start());
    let mut organisation = Organisation {
        payer: ACCOUNT.to_owned(),
        organization_id: "o-a1b2c3d4e5".to_owned(),
        accounts: vec![Account {
            id: ACCOUNT.to_owned(),
            name: "Management".to_owned(),
            email: "aws@example.com".to_owned(),
            joined_at: start,
        }],
        tag_keys: ["sagemaker:domain-arn", "sagemaker:user-profile-arn", "sagemaker:space-arn"]
            .map(|key| TagKey {
                key: key.to_owned(),
                changes: vec![(jiff::civil::date(2023, 1, 1), true)],
                last_used: Some(open.start()),
                ..TagKey::default()
            })
            .to_vec(),
        ..Organisation::default()
    };
    organisation.domains = (0..DOMAIN_COUNT).map(|nth| domain(nth, start)).collect();
    let charges = charges(&mut organisation, &months, groups, start);
    role::make(&mut organisation);
    World::new(now, organisation, Bill { charges }, Variants::default())
}

fn domain(nth: usize, created_at: Timestamp) -> Domain {
    Domain {
        account: ACCOUNT.to_owned(),
        region: "us-east-1".to_owned(),
        id: format!("d-bench{nth:07}"),
        name: format!("bench-{nth}"),
        auth_mode: "SSO".to_owned(),
        execution_role: format!("arn:aws:iam::{ACCOUNT}:role/bench"),
        space_role: None,
        tag_propagation: None,
        home_efs: None,
        tags: Tags::new(),
        created_at,
        deleted_at: None,
    }
}

fn charges(
    organisation: &mut Organisation,
    months: &[Month],
    groups: u32,
    created_at: Timestamp,
) -> Vec<Charge> {
    let types: Vec<(Text, i64)> = TYPES
        .iter()
        .map(|it| (format!("USE1-Studio:JupyterLab-{it}").into(), hourly(it)))
        .collect();
    let shared = |text: &str| -> Text { text.into() };
    let (account, region) = (shared(ACCOUNT), shared("us-east-1"));
    let (service, operation) = (shared("Amazon SageMaker"), shared("RunInstance"));
    let (record_type, unit) = (shared("Usage"), shared("Hrs"));
    let mut charges = Vec::new();
    let mut bearer: (Arc<Tags>, Text) = (Arc::default(), "none/bench".into());
    for (nth, at) in (0..u64::from(groups)).zip((0..types.len()).cycle()) {
        if at == 0 {
            let user = nth / 6;
            let domain = usize::try_from(user).expect("fewer than four billion") % DOMAIN_COUNT;
            let (domain, name) = (format!("d-bench{domain:07}"), person(user));
            let root = format!("arn:aws:sagemaker:us-east-1:{ACCOUNT}");
            bearer = (
                tags(&[
                    ("sagemaker:domain-arn", &format!("{root}:domain/{domain}")),
                    ("sagemaker:user-profile-arn", &format!("{root}:user-profile/{domain}/{name}")),
                ]),
                format!("user/{domain}/{name}").into(),
            );
            organisation.user_profiles.push(UserProfile {
                domain,
                name,
                sso_value: None,
                execution_role: None,
                tags: Tags::new(),
                created_at,
                deleted_at: None,
            });
        }
        let (usage_type, price) = &types[at];
        let hours = |month: &Month| {
            let noise = mix(nth ^ u64::from(month.start().month().unsigned_abs()) << 40);
            (month.start(), i64::try_from(noise % 160_000_000).expect("below 160 hours") + 1)
        };
        let days: Vec<(Date, i64)> = months.iter().map(hours).collect();
        let meter = Meter {
            account: account.clone(),
            region: region.clone(),
            service: service.clone(),
            usage_type: usage_type.clone(),
            operation: operation.clone(),
            record_type: record_type.clone(),
            unit: unit.clone(),
            tags: bearer.0.clone(),
            truth: bearer.1.clone(),
        };
        charges.push(Charge::on(meter, Rates::flat(*price), &days));
    }
    charges
}
