//! The rules of evidence, each with what it tells and with what it must not be taken for.

use std::collections::BTreeSet;

use apportion::evidence::{Confidence, Evidence, Finding, Mapping, Verdict, weigh};
use proptest::prelude::*;

use crate::notation::{inventory, told};

/// Two domains, each with a role of its own and one that both use, and one in another region.
const BASE: &str = "
    domain d-a role=a
    domain d-b role=b
    domain d-far@us-east-1 role=far
    profile d-a/ana role=both
    profile d-b/bob role=both
    space d-b/lab";

/// The verdict on the thing named `x`.
fn verdict(text: &str, mapping: &str) -> String {
    let mapping = if mapping.is_empty() {
        Mapping::default()
    } else {
        Mapping::parse("of.csv", format!("resource,domain\n{mapping}").as_bytes()).unwrap()
    };
    let findings = weigh(&inventory(&format!("{BASE}\n{text}")), &mapping);
    let finding = findings.iter().find(|it| it.name == "x").expect("the table names `x`");
    told(&finding.verdict)
}

#[test]
fn each_rule_tells_what_it_can_and_no_more() {
    for (text, expected) in [
        // R1: what lies in a domain is that domain's, whatever else it bears.
        ("space d-a/x", "d-a certain"),
        ("space d-a/x user=d-b/bob", "d-a certain"),
        ("space d-a/x domain=d-b", "contradiction d-a"),
        // R3: a tag of a user profile or a space.
        ("training-job x user=d-a/ana", "d-a certain"),
        ("training-job x space=d-b/lab", "d-b certain"),
        ("training-job x shared=d-b/lab", "d-b certain"),
        ("training-job x user=d-a/ana space=d-b/lab", "tie d-a d-b"),
        ("training-job x user=d-gone/ana", "stale"),
        ("training-job x user=d-gone/ana role=a", "stale"),
        ("training-job x user=d-gone/ana by=d-a", "stale"),
        ("training-job x user=d-far/zoe@us-east-1", "elsewhere"),
        ("training-job x user=raw:ana", "undetermined"),
        ("training-job x user=d-a/ana\nunlisted -", "d-a certain"),
        ("training-job x user=d-gone/ana\nunlisted -", "unknown_domain"),
        // R4: the domain in which a person created it.
        ("pipeline x by=d-a", "idle d-a certain"),
        ("notebook-instance x by=d-a", "d-a certain"),
        ("notebook-instance x by=d-gone", "stale"),
        ("notebook-instance x by=d-far", "elsewhere"),
        ("notebook-instance x by=d-a role=both", "d-a certain"),
        ("notebook-instance x by=d-a role=b", "tie d-a d-b"),
        ("notebook-instance x by=d-a role=laptop", "d-a certain"),
        // R6: home file systems.
        ("file-system x managed=d-a", "d-a certain"),
        ("file-system x managed=d-gone", "stale"),
        ("domain d-c home=x\nfile-system x", "d-c certain"),
        ("domain d-c home=x\nfile-system x managed=d-a", "tie d-a d-c"),
        ("file-system x", "undetermined"),
        // R8: a role alone is a hint.
        ("training-job x role=a", "d-a review"),
        ("training-job x role=both", "tie d-a d-b"),
        ("training-job x role=laptop", "undetermined"),
        ("training-job x", "undetermined"),
    ] {
        assert_eq!(verdict(text, ""), expected, "{text}");
    }
}

#[test]
fn lineage_carries_what_is_certain_and_nothing_else() {
    for (text, expected) in [
        // R5: what the service made for another thing.
        ("training-job x parent=automl-job/p\nautoml-job p domain=d-a", "d-a certain"),
        ("training-job x parent=automl-job/p\nautoml-job p by=d-a", "d-a certain"),
        ("training-job x parent=automl-job/P\nautoml-job p by=d-a", "d-a certain"),
        ("training-job x parent=automl-job/p\nautoml-job p role=a", "undetermined"),
        ("training-job x role=a parent=automl-job/gone", "d-a review"),
        ("training-job x role=b parent=automl-job/p\nautoml-job p domain=d-a", "tie d-a d-b"),
        ("training-job x user=d-b/bob parent=automl-job/p\nautoml-job p domain=d-a", "tie d-a d-b"),
        ("training-job x parent=automl-job/p\nautoml-job p domain=d-a by=d-b", "tie d-a d-b"),
        ("training-job x parent=automl-job/p\nautoml-job p domain=d-gone", "stale"),
        (
            "training-job x parent=automl-job/p\nautoml-job p parent=pipeline-execution/e\n\
             pipeline-execution e by=d-b uses=pipeline/q\npipeline q",
            "d-b certain",
        ),
        (
            "training-job x parent=pipeline-execution/e\npipeline-execution e by=d-b uses=pipeline/q\n\
             pipeline q by=d-a",
            "tie d-a d-b",
        ),
        // A circle proves nothing, whoever is in it; what stands beside it does.
        ("automl-job x parent=automl-job/x role=a", "d-a review"),
        (
            "automl-job x parent=automl-job/p\nautoml-job p parent=automl-job/x domain=d-a",
            "undetermined",
        ),
        (
            "automl-job x by=d-b parent=automl-job/p\nautoml-job p parent=automl-job/x domain=d-a",
            "d-b certain",
        ),
        // R7: what it uses, which others may use too.
        ("endpoint x uses=model/m\nmodel m domain=d-a", "d-a review"),
        ("endpoint x uses=model/m\nmodel m domain=d-a role=a", "d-a likely"),
        ("endpoint x uses=model/m\nmodel m domain=d-a role=both", "d-a review"),
        ("endpoint x uses=model/m\nmodel m domain=d-a role=b", "d-a review"),
        ("endpoint x uses=model/m\nmodel m domain=d-a role=laptop", "d-a review"),
        ("endpoint x uses=model/m\nmodel m domain=d-a role=a\ngap DescribeDomain", "d-a review"),
        ("endpoint x uses=model/m\nmodel m domain=d-a role=a\ngap DescribeModel", "d-a review"),
        ("endpoint x uses=model/m\nmodel m domain=d-a role=a\ngap ListModels", "d-a review"),
        ("endpoint x uses=model/m\nmodel m domain=d-a role=a\ngap ListJobs", "d-a likely"),
        ("endpoint x uses=model/m\nmodel m role=a", "undetermined"),
        ("transform-job x role=a uses=model/m\nmodel m domain=d-a", "d-a likely"),
        ("transform-job x role=b uses=model/m\nmodel m domain=d-a", "tie d-a d-b"),
        (
            "endpoint x uses=endpoint-config/c\nendpoint-config c uses=model/m uses=model/n\n\
             model m domain=d-a role=a\nmodel n role=a",
            "d-a likely",
        ),
        (
            "endpoint x uses=endpoint-config/c\nendpoint-config c uses=model/m uses=model/n\n\
             model m domain=d-a role=a\nmodel n domain=d-b role=a",
            "tie d-a d-b",
        ),
        ("endpoint x by=d-b uses=model/m\nmodel m domain=d-a role=a", "tie d-a d-b"),
        ("endpoint x uses=model/m\nmodel m domain=d-gone role=a", "stale"),
    ] {
        assert_eq!(verdict(text, ""), expected, "{text}");
    }
}

#[test]
fn what_is_tagged_is_kept_unless_something_certain_says_otherwise() {
    let long = "x".repeat(250);
    for (text, expected) in [
        ("training-job x domain=d-a", "tagged d-a"),
        ("training-job x domain=d-a role=b", "tagged d-a"),
        ("endpoint x domain=d-a uses=model/m\nmodel m domain=d-b role=b", "tagged d-a"),
        ("training-job x domain=d-a by=d-b", "contradiction d-b"),
        ("training-job x domain=d-a by=d-b role=a", "contradiction"),
        ("training-job x domain=d-a by=d-b user=d-a/ana", "contradiction"),
        ("training-job x domain=d-gone", "contradiction"),
        ("training-job x domain=d-gone role=a", "contradiction"),
        ("training-job x domain=d-gone by=d-a", "contradiction d-a"),
        ("training-job x domain=raw:analysts", "contradiction"),
        ("training-job x domain=d-far@us-east-1", "contradiction"),
        ("training-job x domain=d-gone\nunlisted -", "unknown_domain"),
        ("inference-experiment x domain=d-gone by=d-a", "contradiction"),
        // Known beforehand.
        ("inference-experiment x by=d-a", "untaggable"),
        ("training-job x user=d-a/ana more=49", "full_of_tags"),
        ("training-job x user=d-a/ana more=48", "d-a certain"),
        ("training-job x by=d-a\ngap GetResources", "unread"),
        ("training-job x by=d-a\ngap GetResources@us-east-1", "d-a certain"),
        ("training-job x by=d-a\ngap ListTags", "d-a certain"),
        ("partner-app x by=d-a\ngap ListTags", "unread"),
        ("partner-app x by=d-a\ngap *", "unread"),
        ("partner-app x by=d-a\ngap GetResources", "d-a certain"),
        // What costs nothing any more.
        ("training-job x by=d-a status=Completed", "idle d-a certain"),
        ("training-job x by=d-a status=InProgress", "d-a certain"),
        ("app d-a/x on=ml.t3.medium", "d-a certain"),
        ("app d-a/x on=system", "d-a certain"),
        ("app d-a/x type=Canvas on=system", "d-a certain"),
        ("app d-a/x type=JupyterServer", "d-a certain"),
        ("app d-a/x type=JupyterServer on=system", "idle d-a certain"),
        ("app d-a/x status=Failed", "idle d-a certain"),
    ] {
        assert_eq!(verdict(text, ""), expected, "{text}");
    }
    let findings = weigh(
        &inventory(&format!("{BASE}\npipeline {long} by=d-a\nhuman-loop y by=d-a")),
        &Mapping::default(),
    );
    let finding = findings.iter().find(|it| it.name == long).unwrap();
    assert_eq!(finding.verdict, Verdict::LongArn);
    assert!(findings.iter().all(|it| it.name != "y"), "a type that cannot be tagged is no finding");
}

#[test]
fn a_mapping_is_final_and_its_problems_are_named() {
    let job = "training-job x role=b user=d-gone/ana";
    for (text, mapping, expected) in [
        (job, "x,d-a", "d-a certain"),
        (job, "*,d-a", "d-a certain"),
        (job, "arn:aws:sagemaker:eu-west-1:111122223333:training-job/x,d-a", "d-a certain"),
        (
            job,
            "arn:*:training-job/*,arn:aws:sagemaker:eu-west-1:111122223333:domain/d-a",
            "d-a certain",
        ),
        (job, "y,d-a", "stale"),
        (job, "x,d-far", "stale"),
        (job, "x,d-a\n*,d-b", "tie d-a d-b"),
        ("training-job x domain=d-b", "x,d-a", "contradiction d-a"),
        ("space d-b/x", "x,d-a", "tie d-a d-b"),
    ] {
        assert_eq!(verdict(text, mapping), expected, "{text} with {mapping}");
    }
    let rows = "resource,domain\nx,d-a\nx,d-b\nnothing-*,d-a\nx,d-none\nx,d-far\n";
    let problems = Mapping::parse("of.csv", rows.as_bytes())
        .unwrap()
        .check(&inventory(&format!("{BASE}\n{job}")));
    assert_eq!(
        problems.join("\n"),
        "line 4: nothing in eu-west-1 of 111122223333 matches `nothing-*`\n\
         line 5: no domain `d-none` was listed\n\
         line 6: nothing in us-east-1 of 111122223333 matches `x`\n\
         several rows match arn:aws:sagemaker:eu-west-1:111122223333:training-job/x: d-a (line 2), d-b (line 3)"
    );
}

/// A line of an inventory that holds together or does not.
fn line() -> impl Strategy<Value = String> {
    let pick = |words: &[&str]| {
        prop::sample::select(words.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>())
    };
    let kind = pick(&["training-job", "automl-job", "model", "endpoint", "pipeline-execution"]);
    let words = pick(&[
        "",
        "",
        "role=a",
        "role=b",
        "role=both",
        "by=d-a",
        "by=d-b",
        "by=d-gone",
        "user=d-a/ana",
        "space=d-b/lab",
        "domain=d-a",
        "domain=d-gone",
        "uses=model/0",
        "uses=model/1",
        "uses=endpoint/2",
        "parent=automl-job/0",
        "parent=pipeline-execution/1",
        "parent=training-job/2",
    ]);
    (kind, 0..3_u8, prop::collection::vec(words, 0..4))
        .prop_map(|(kind, name, words)| format!("{kind} {name} {}", words.join(" ")))
}

/// Lines of different things: the first of each name.
fn lines() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(line(), 1..12).prop_map(|lines| {
        let mut seen = BTreeSet::new();
        let name = |line: &String| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
        lines.into_iter().filter(|line| seen.insert(name(line))).collect()
    })
}

fn weighed(lines: &[String]) -> Vec<Finding> {
    weigh(&inventory(&format!("{BASE}\n{}", lines.join("\n"))), &Mapping::default())
}

proptest! {
    #[test]
    fn the_order_of_the_inventory_does_not_matter(lines in lines(), turn in 0..12_usize) {
        let mut turned = lines.clone();
        turned.reverse();
        let middle = turn % turned.len();
        turned.rotate_left(middle);
        prop_assert_eq!(format!("{:?}", weighed(&lines)), format!("{:?}", weighed(&turned)));
    }

    #[test]
    fn nothing_is_concluded_where_evidence_disagrees(lines in lines()) {
        for finding in weighed(&lines) {
            let (Verdict::Proposed { domain, confidence } | Verdict::Idle { domain, confidence }) =
                &finding.verdict else { continue };
            let speaking: Vec<&Evidence> =
                finding.evidence.iter().filter(|it| !it.domains.is_empty()).collect();
            let is_final = speaking.iter().any(|it| it.kind.is_final());
            prop_assert!(is_final || speaking.iter().all(|it| it.domains.contains(domain)), "{finding:?}");
            let sure = speaking.iter().filter(|it| it.domain() == Some(domain)).map(|it| it.confidence);
            prop_assert_eq!(sure.max(), Some(*confidence));
            prop_assert!(*confidence > Confidence::Review || !is_final);
            prop_assert!(["d-a", "d-b"].contains(&domain.id.as_str()), "it exists");
        }
    }
}
