//! Owns the proof that every kind of weakness is found where it is, and not where it is not.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail their test")]

use std::collections::BTreeSet;

use apportion::access::Rights;
use apportion::arn::{AccountId, DomainId, DomainKey};
use apportion::lint::{self, Subject};
use apportion::parties::Parties;
use apportion::policy::Policy;
use apportion::sandbox::world::Shared;
use apportion::weakness::{KINDS, Kind};
use serde_json::{Value, json};

use crate::isolation::Desk;
use crate::run::{Output, Sandbox, apportion, write};
use crate::world::{NOW, alter, make, small};

const OWN: &str = "'aws:ResourceTag/sagemaker:domain-arn': 'arn:aws:sagemaker:us-east-1:111122223333:domain/d-domain000000'";

/// A kind, statements in which it is, and statements in which it is not; `OWN` stands for the condition on the domain's own tag.
const FIXTURES: [(Kind, &str, &str); 20] = [
    (
        Kind::NoEffect,
        "{'Sid': 'A', 'Action': 'sagemaker:DescribeModel', 'Resource': '*'}",
        "{'Sid': 'A', 'Effect': 'Deny', 'Action': 'sagemaker:DescribeModel', 'Resource': '*'}",
    ),
    (
        Kind::Malformed,
        "{'Effect': 'Allow', 'Action': 'sagemaker:DescribeModel', 'Resource': '*', 'Condition': {'String': {OWN}}}",
        "{'Effect': 'Allow', 'Action': 'sagemaker:DescribeModel', 'Resource': '*', 'Condition': {'StringEquals': {OWN}}}",
    ),
    (
        Kind::WrongPartition,
        "{'Effect': 'Allow', 'Action': 'sagemaker:DescribeModel', 'Resource': 'arn:aws-cn:sagemaker:*:*:model/*'}",
        "{'Effect': 'Allow', 'Action': 'sagemaker:DescribeModel', 'Resource': ['arn:aws:sagemaker:*:*:model/*', 'arn:*:sagemaker:*:*:model/*']}",
    ),
    (
        Kind::VacuousCondition,
        "{'Effect': 'Allow', 'Action': 'sagemaker:CreateModel', 'Resource': '*',
          'Condition': {'ForAllValues:StringEquals': {'aws:TagKeys': ['sagemaker:domain-arn']}}}",
        "{'Effect': 'Allow', 'Action': 'sagemaker:CreateModel', 'Resource': '*',
          'Condition': {'ForAllValues:StringEquals': {'aws:TagKeys': ['sagemaker:domain-arn']}, 'Null': {'aws:TagKeys': 'false'}}}",
    ),
    (
        Kind::DefeatsIsolation,
        "{'Effect': 'Allow', 'Action': 'sagemaker:DeleteEndpoint', 'Resource': '*'}",
        "{'Effect': 'Allow', 'Action': 'sagemaker:DeleteEndpoint', 'Resource': '*', 'Condition': {'StringEquals': {OWN}}}",
    ),
    (
        Kind::MayDefeatIsolation,
        "{'Effect': 'Allow', 'Action': 'sagemaker:DeleteEndpoint', 'Resource': '*', 'Condition': {'StringEquals': {'aws:PrincipalTag/team': 'a'}}}",
        "{'Effect': 'Allow', 'Action': 'sagemaker:DeleteEndpoint', 'Resource': '*', 'Condition': {'StringEquals': {'aws:PrincipalTag/team': 'a', OWN}}}",
    ),
    (
        Kind::MissingAddTags,
        "{'Effect': 'Allow', 'Action': 'sagemaker:CreateModel', 'Resource': '*'}",
        "{'Effect': 'Allow', 'Action': ['sagemaker:CreateModel', 'sagemaker:AddTags'], 'Resource': '*'}",
    ),
    (
        Kind::DeniesStudioTags,
        "{'Effect': 'Allow', 'Action': ['sagemaker:CreateModel', 'sagemaker:AddTags'], 'Resource': '*',
          'Condition': {'ForAllValues:StringEquals': {'aws:TagKeys': ['sagemaker:domain-arn']}}}",
        "{'Effect': 'Allow', 'Action': ['sagemaker:CreateModel', 'sagemaker:AddTags'], 'Resource': '*',
          'Condition': {'ForAllValues:StringLike': {'aws:TagKeys': ['sagemaker:*-arn']}}}",
    ),
    (
        Kind::DeniesOwn,
        "{'Effect': 'Deny', 'Action': 'sagemaker:DeleteModel', 'Resource': '*', 'Condition': {'StringEquals': {OWN}}}",
        "{'Effect': 'Deny', 'Action': 'sagemaker:DeleteModel', 'Resource': '*', 'Condition': {'StringNotEqualsIfExists': {OWN}}}",
    ),
    (
        Kind::Tampering,
        "{'Effect': 'Allow', 'Action': 'sagemaker:DeleteTags', 'Resource': '*'}",
        "[{'Effect': 'Allow', 'Action': 'sagemaker:DeleteTags', 'Resource': '*'},
          {'Effect': 'Deny', 'Action': 'sagemaker:DeleteTags', 'Resource': '*',
           'Condition': {'ForAnyValue:StringLike': {'aws:TagKeys': 'sagemaker:*-arn'}}}]",
    ),
    (
        Kind::MayTamper,
        "{'Effect': 'Allow', 'Action': 'sagemaker:DeleteTags', 'Resource': '*', 'Condition': {'StringEquals': {'aws:SourceVpc': 'v'}}}",
        "{'Effect': 'Allow', 'Action': 'sagemaker:DeleteTags', 'Resource': '*', 'Condition': {'StringEquals': {'aws:SourceVpc': 'v', 'sagemaker:TaggingAction': 'x'}}}",
    ),
    (
        Kind::Claiming,
        "{'Effect': 'Allow', 'Action': 'sagemaker:AddTags', 'Resource': 'arn:aws:sagemaker:*:*:model/*', 'Condition': {'Null': {OWN_KEY: 'true'}}}",
        "{'Effect': 'Allow', 'Action': 'sagemaker:AddTags', 'Resource': 'arn:aws:sagemaker:*:*:model/*', 'Condition': {'Null': {OWN_KEY: 'false'}}}",
    ),
    (
        Kind::PassRole,
        "{'Effect': 'Allow', 'Action': 'iam:PassRole', 'Resource': '*'}",
        "{'Effect': 'Allow', 'Action': 'iam:PassRole', 'Resource': 'arn:aws:iam::111122223333:role/own'}",
    ),
    (
        Kind::UnknownAction,
        "{'Effect': 'Deny', 'Action': 'sagemaker:DescribeModell', 'Resource': '*'}",
        "{'Effect': 'Deny', 'Action': ['SageMaker:describemodel', 'sagemaker:List*', 's3:Any'], 'Resource': '*'}",
    ),
    (
        Kind::StudioClassicOnly,
        "{'Effect': 'Allow', 'Action': 'sagemaker:DeleteApp', 'Resource': 'arn:aws:sagemaker:*:*:app/d-domain000000/*/jupyterserver/default'}",
        "{'Effect': 'Allow', 'Action': 'sagemaker:DeleteApp', 'Resource': 'arn:aws:sagemaker:*:*:app/d-domain000000/*'}",
    ),
    (
        Kind::ListActions,
        "{'Effect': 'Allow', 'Action': 'sagemaker:ListModels', 'Resource': '*'}",
        "{'Effect': 'Allow', 'Action': 'sagemaker:ListTags', 'Resource': '*', 'Condition': {'StringEquals': {OWN}}}",
    ),
    (
        Kind::NoResource,
        "{'Effect': 'Allow', 'Action': 'sagemaker:DescribeLineageGroup', 'Resource': '*'}",
        "{'Effect': 'Allow', 'Action': 'sagemaker:DescribeModel', 'Resource': '*'}",
    ),
    (
        Kind::PipelineExecutions,
        "{'Effect': 'Allow', 'Action': 'sagemaker:StopPipelineExecution', 'Resource': '*'}",
        "{'Effect': 'Allow', 'Action': 'sagemaker:StartPipelineExecution', 'Resource': '*'}",
    ),
    (
        Kind::MlflowServers,
        "{'Effect': 'Allow', 'Action': 'sagemaker:DescribeMlflowTrackingServer', 'Resource': '*'}",
        "{'Effect': 'Allow', 'Action': 'sagemaker:DescribeMlflowApp', 'Resource': '*'}",
    ),
    (
        Kind::UntoldTypes,
        "{'Effect': 'Allow', 'Action': 'sagemaker:DescribeImageVersion', 'Resource': '*'}",
        "{'Effect': 'Allow', 'Action': 'sagemaker:DescribeImage', 'Resource': '*'}",
    ),
];

/// Kinds that are about domains and roles, and not about documents.
const OF_DOMAINS: [Kind; 4] =
    [Kind::SharedRole, Kind::NoRole, Kind::NoPolicy, Kind::UntaggedResources];

fn parties() -> Parties {
    let own = DomainKey {
        account: AccountId::parse("111122223333").unwrap(),
        region: "us-east-1".to_owned(),
        id: DomainId::parse("d-domain000000").unwrap(),
    };
    Parties {
        other: Parties::made_up(&own),
        own,
        partition: "aws".to_owned(),
        pipeline_executions: false,
    }
}

/// Returns the kinds that are found about one document, with the statements that each names.
fn found(statements: &str) -> BTreeSet<Kind> {
    let statements = statements
        .replace("OWN_KEY", "'aws:ResourceTag/sagemaker:domain-arn'")
        .replace("OWN", OWN)
        .replace('\'', "\"");
    let text = format!("{{\"Version\": \"2012-10-17\", \"Statement\": {statements}}}");
    let document: Value = serde_json::from_str(&text).unwrap();
    let parties = parties();
    let subject = Subject { name: "role", parties: &parties };
    let rights = Rights {
        policies: vec![Policy { is_whole: true, ..Policy::read("p", &document).0 }],
        boundary: None,
    };
    let found = lint::document("p", &document, true, &subject).into_iter();
    found
        .chain(lint::rights(&rights, &subject))
        .map(|it| {
            let is_named = it.statements.iter().all(|it| it.starts_with("p/"));
            assert!(is_named && !it.text.is_empty() && !it.fix.is_empty(), "{it:?}");
            assert_eq!((it.domain.as_str(), it.subject.as_str()), ("d-domain000000", "role"));
            it.kind
        })
        .collect()
}

#[test]
fn what_is_wrong_with_a_document_is_found_and_nothing_else() {
    for (kind, with, without) in FIXTURES {
        assert!(found(with).contains(&kind), "{kind:?}: {:?}", found(with));
        assert!(!found(without).contains(&kind), "{kind:?}: {:?}", found(without));
    }
    let covered = FIXTURES.iter().map(|it| it.0).chain(OF_DOMAINS).collect::<BTreeSet<Kind>>();
    assert_eq!(covered, BTreeSet::from(KINDS), "every kind has both");
}

#[test]
fn a_boundary_narrows_what_is_found() {
    let read = |actions: &str| {
        let text = format!(
            "{{\"Version\": \"2012-10-17\", \"Statement\": {{\"Effect\": \"Allow\", \"Action\": \"{actions}\", \"Resource\": \"*\"}}}}"
        );
        Policy::read("p", &serde_json::from_str(&text).unwrap()).0
    };
    let parties = parties();
    let kinds = |boundary: Option<&str>| {
        let rights = Rights { policies: vec![read("sagemaker:*")], boundary: boundary.map(read) };
        let found = lint::rights(&rights, &Subject { name: "role", parties: &parties });
        found.into_iter().map(|it| it.kind).collect::<BTreeSet<Kind>>()
    };
    assert!(kinds(None).contains(&Kind::DefeatsIsolation));
    assert_eq!(kinds(Some("s3:*")), BTreeSet::new());
    assert_eq!(kinds(Some("sagemaker:ListModels")), BTreeSet::from([Kind::ListActions]));
}

/// Lints the domains of a world; returns the rows as severity, kind, domain and subject.
fn lint_all(world: &Shared, more: &[&str]) -> (Output, Vec<[String; 4]>) {
    let desk = Desk::new();
    let sandbox = Sandbox::serve(world.clone());
    write(&desk.folder.path().join("apportion.toml"), desk.configuration().as_bytes());
    let words = [&["--now", NOW, "isolate", "lint", "--format", "csv"], more].concat();
    let output = apportion(desk.folder.path(), &words).against(&sandbox).run();
    let rows = output.stdout.lines().skip(1).map(|line| {
        let mut cells = line.split(',').map(str::to_owned);
        std::array::from_fn(|_| cells.next().unwrap())
    });
    let rows = rows.collect();
    (output, rows)
}

fn subjects(rows: &[[String; 4]], kind: Kind) -> BTreeSet<String> {
    let of_kind = rows.iter().filter(|it| it[1] == kind.name());
    of_kind.map(|it| it[3].clone()).collect()
}

#[test]
fn what_is_wrong_with_domains_is_found_and_nothing_else() {
    let mut scenario = small(1);
    scenario.variants.shared_role = true;
    let world = make(&scenario, 21);
    let (output, rows) = lint_all(&world, &[]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    let shared = subjects(&rows, Kind::SharedRole);
    assert!(
        shared.contains("SageMaker-research") && shared.contains("SageMaker-risk"),
        "{shared:?}"
    );
    assert!(!subjects(&rows, Kind::NoPolicy).is_empty());
    assert_eq!(subjects(&rows, Kind::UntaggedResources).len(), 5, "of every domain");
    assert_eq!(subjects(&rows, Kind::NoRole), BTreeSet::new());
    // What cannot be read is no finding about policies, and yet it is said.
    alter(&world, |world| {
        let denied = json!([{ "operation": "DescribeDomain", "account": "777788889999" }]);
        world.faults = serde_json::from_value(json!({ "denied": denied })).unwrap();
    });
    let (output, rows) = lint_all(&world, &["--no-resources"]);
    assert_eq!(output.code, 5, "{}", output.stderr);
    assert!(output.stderr.contains("Could not be read: 777788889999"), "{}", output.stderr);
    let unread = ["marketing", "risk-classic"].map(str::to_owned);
    assert_eq!(subjects(&rows, Kind::NoRole), BTreeSet::from(unread));
    let (clean, world) = (Desk::new(), make(&small(1), 21));
    assert_eq!(clean.done(&world, "apply --yes"), 0);
    let (output, rows) = lint_all(&world, &["--check", "--no-resources"]);
    assert_eq!(output.code, 0, "{}", output.stdout);
    for kind in [Kind::SharedRole, Kind::NoRole, Kind::NoPolicy, Kind::UntaggedResources] {
        assert_eq!(subjects(&rows, kind), BTreeSet::new(), "{kind:?}");
    }
    // Isolation policies say nothing of IAM, and FullAccess passes any role.
    assert!(rows.iter().all(|it| it[0] == "info" || it[1] == "pass_role"), "{}", output.stdout);
    assert!(!subjects(&rows, Kind::ListActions).is_empty());
    let (_, rows) = lint_all(&make(&small(1), 21), &["--no-resources"]);
    assert_eq!(subjects(&rows, Kind::NoPolicy).len(), 5, "{rows:?}");
}
