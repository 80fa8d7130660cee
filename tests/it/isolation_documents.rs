//! What is found about the isolation policies of AWS's own pages, and the documents that the program writes, byte by byte.
//!
//! A golden file changes only on purpose: run the tests with `UPDATE_GOLDEN=1`, and read the difference before
//! committing it.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail their test")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use apportion::arn::{AccountId, DomainId, DomainKey};
use apportion::inventory::Domain;
use apportion::isolation_document::{document, domain_arn};
use apportion::isolation_wish::{Form, Untagged, Wish};
use jiff::Timestamp;

use crate::run::{apportion, read, write};

/// The documents of AWS's pages, and the kinds that are found about them.
const DOCUMENTED: [(&str, &str); 5] = [
    (
        "current-page",
        "defeats_isolation missing_add_tags tampering studio_classic_only no_resource mlflow_servers untold_types",
    ),
    (
        "earlier-page",
        "vacuous_condition defeats_isolation missing_add_tags denies_studio_tags tampering no_resource pipeline_executions \
         mlflow_servers untold_types",
    ),
    (
        "multiple-domains-page",
        "malformed vacuous_condition defeats_isolation missing_add_tags denies_studio_tags tampering no_resource \
         pipeline_executions mlflow_servers untold_types",
    ),
    ("policy-examples-search", "malformed"),
    ("policy-examples-tagging", "malformed missing_add_tags denies_own"),
];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/isolation").join(name)
}

/// Compares a text with a golden file, which it becomes where that is asked for.
fn golden(path: &Path, is: &str) {
    #[expect(clippy::disallowed_methods, reason = "a switch for whoever runs the tests")]
    let is_update = std::env::var("UPDATE_GOLDEN").is_ok();
    if is_update {
        write(path, is.as_bytes());
    }
    let was = String::from_utf8(read(path)).unwrap();
    assert_eq!(was, is, "{} changed; see the head of this file", path.display());
}

#[test]
fn what_is_found_about_documented_policies_is_what_it_was() {
    let folder = folder("documented");
    for (name, expected) in DOCUMENTED {
        let file = format!("{name}.json");
        let words = ["isolate", "lint", "--format", "csv", "--policy", &file];
        let output = apportion(&folder, &words).run();
        assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{name}");
        golden(&folder.join(format!("{name}.csv")), &output.stdout);
        let kinds = output.stdout.lines().skip(1).map(|line| line.split(',').nth(1).unwrap());
        let mut kinds: Vec<&str> = kinds.collect();
        kinds.dedup();
        assert_eq!(kinds.join(" "), expected, "{name}");
        // Whoever checks by exit code is told of errors, and each of these has one.
        let checked = apportion(&folder, &[&words[..], &["--check"]].concat()).run();
        assert_eq!(checked.code, 3, "{name}");
    }
}

fn domain(partition: &str) -> Domain {
    let key = DomainKey {
        account: AccountId::parse("111122223333").unwrap(),
        region: "us-east-1".to_owned(),
        id: DomainId::parse("d-domain000000").unwrap(),
    };
    Domain {
        arn: domain_arn(&key, partition),
        key,
        name: "golden".to_owned(),
        execution_role: None,
        space_role: None,
        tag_propagation: None,
        home_efs: None,
        tags: BTreeMap::new(),
        last_seen_at: Timestamp::UNIX_EPOCH,
        gone_by: None,
    }
}

fn generated() -> [(&'static str, Wish); 4] {
    let form = |form| Wish { form, ..Wish::default() };
    [
        ("deny", form(Form::Deny)),
        ("deny-untagged", Wish { untagged: Untagged::Deny, ..form(Form::Deny) }),
        ("current", form(Form::Current)),
        ("earlier", form(Form::Earlier)),
    ]
}

fn written(partition: &str, wish: &Wish) -> String {
    format!("{:#}\n", document(&domain(partition), wish).unwrap())
}

#[test]
fn what_is_written_is_what_it_was() {
    for (name, wish) in generated() {
        golden(&folder("generated").join(format!("{name}.json")), &written("aws", &wish));
    }
}

#[test]
fn another_partition_changes_arns_and_nothing_else() {
    for partition in ["aws-cn", "aws-us-gov"] {
        for (name, wish) in generated() {
            let (here, there) = (written("aws", &wish), written(partition, &wish));
            let moved = here.replace("arn:aws:sagemaker:", &format!("arn:{partition}:sagemaker:"));
            assert_eq!(moved, there, "{name} in {partition}");
            assert_ne!(here, there, "{name} in {partition}");
            assert!(!there.contains("arn:aws:"), "{name} in {partition}");
        }
    }
}
