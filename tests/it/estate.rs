//! The estate: what is read of the embedded organisation is what exists there, with its tags and where it comes from.

use std::collections::{BTreeMap, BTreeSet};

use apportion::arn::AccountId;
use apportion::aws::{Session, estate};
use apportion::inventory::{Inventory, Tags};
use apportion::sandbox::organisation::{Organisation, Resource};
use apportion::sandbox::scenario::Scenario;
use apportion::sandbox::world::Shared;
use serde_json::{Value, json};

use crate::world::{MEMBER, alter, make, now, settings};

fn read(world: &Shared, account: &str, region: &str, wide: bool) -> Inventory {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let session = Session::open(&settings(world, account, None)).await.unwrap();
        let account = AccountId::parse(account).unwrap();
        Box::pin(estate::read(&session, &account, region, now(), wide, &|_| {})).await
    })
}

/// Resources by kind and name, with the tags of what has any.
type Listed = BTreeSet<(String, String, Tags)>;

fn existing(organisation: &Organisation, account: &str, region: &str) -> Listed {
    let here = |resource: &&Resource| {
        resource.account == account && resource.region == region && resource.deleted_at.is_none()
    };
    let there = organisation.resources.iter().filter(here);
    there.map(|it| (it.kind.clone(), it.name.clone(), it.tags.clone())).collect()
}

fn listed(inventory: &Inventory) -> Listed {
    let tags = |tags: &Option<Tags>| tags.clone().unwrap_or_default();
    let resources = inventory.resources.iter();
    resources.map(|it| (it.kind.clone(), it.name.clone(), tags(&it.tags))).collect()
}

#[test]
fn everything_that_exists_is_read_with_its_tags() {
    let world = make(&Scenario::default(), 1);
    let organisation = alter(&world, |world| world.organisation.clone());
    let places: BTreeSet<(&str, &str)> = organisation
        .domains
        .iter()
        .map(|domain| (domain.account.as_str(), domain.region.as_str()))
        .collect();
    let mut count = 0;
    for (account, region) in places {
        let inventory = read(&world, account, region, true);
        assert_eq!(inventory.gaps, [], "{account} {region}");
        assert_eq!(listed(&inventory), existing(&organisation, account, region));
        count += inventory.resources.len() + inventory.user_profiles.len();
        for domain in &inventory.domains {
            let mut domains = organisation.domains.iter();
            let known = domains.find(|known| known.id == domain.key.id.as_str()).unwrap();
            assert_eq!(domain.execution_role.as_ref(), Some(&known.execution_role));
            assert_eq!(domain.tags, known.tags);
            assert!(domain.arn.ends_with(&format!("domain/{}", known.id)), "{}", domain.arn);
        }
        let roles: BTreeMap<(&str, &str), Option<&String>> = organisation
            .user_profiles
            .iter()
            .filter(|known| known.deleted_at.is_none())
            .map(|it| ((it.domain.as_str(), it.name.as_str()), it.execution_role.as_ref()))
            .collect();
        for profile in &inventory.user_profiles {
            let role = roles[&(profile.domain.as_str(), profile.name.as_str())];
            assert_eq!(profile.execution_role.as_ref(), role, "{}", profile.name);
        }
        // Jobs that are over are left out, and nothing else.
        let running = listed(&read(&world, account, region, false));
        let over: Vec<_> = listed(&inventory).difference(&running).cloned().collect();
        assert!(running.is_subset(&listed(&inventory)));
        assert!(over.iter().all(|it| it.0.ends_with("job")), "{over:?}");
    }
    assert!(count > 100, "{count}");
}

/// Adds a resource without tags, like another one but for what is given.
fn add(organisation: &mut Organisation, kind: &str, name: &str, path: &str, details: Value) {
    let mut like =
        organisation.resources.iter().find(|it| it.account == MEMBER).expect("one").clone();
    like.arn = format!("arn:aws:sagemaker:{}:{MEMBER}:{path}", like.region);
    (like.kind, like.name) = (kind.to_owned(), name.to_owned());
    (like.details, like.tags) = (details, Tags::new());
    (like.status, like.deleted_at) = ("InProgress".to_owned(), None);
    organisation.resources.push(like);
}

#[test]
fn lineage_is_followed_over_names_and_arns_of_another_case() {
    let world = make(&Scenario::default(), 1);
    let (region, domain) = alter(&world, |world| {
        let organisation = &mut world.organisation;
        let job = organisation.resources.iter().find(|it| it.account == MEMBER).unwrap();
        let region = job.region.clone();
        let domain = organisation.domains.iter().find(|it| it.account == MEMBER).unwrap();
        let domain = domain.id.clone();
        let root = format!("arn:aws:sagemaker:{region}:{MEMBER}");
        let mut add = |kind: &str, name: &str, path: &str, details: Value| {
            add(organisation, kind, name, path, details);
        };
        add("endpoint", "Served", "endpoint/Served", json!({ "EndpointConfigName": "Config" }));
        let variants = json!([{ "VariantName": "one", "ModelName": "Model" }]);
        let config = json!({ "ProductionVariants": variants });
        add("endpoint-config", "Config", "endpoint-config/config", config);
        let model = json!({ "ExecutionRoleArn": "arn:aws:iam::444455556666:role/model" });
        add("model", "Model", "model/model", model);
        let sweep = "hyper-parameter-tuning-job/Sweep";
        add("hyper-parameter-tuning-job", "Sweep", sweep, json!({}));
        let parent = json!({ "TuningJobArn": format!("{root}:{}", sweep.to_lowercase()) });
        add("training-job", "Child", "training-job/Child", parent);
        let run = json!({ "CreatedBy": { "DomainId": domain },
            "PipelineArn": format!("{root}:pipeline/pipe") });
        let path = "pipeline/pipe/execution/run1";
        add("pipeline-execution", "run1", path, run);
        add("processing-job", "Step", "processing-job/Step", json!({}));
        let step = organisation.resources.last_mut().unwrap();
        step.tags.insert("sagemaker:pipeline-execution-arn".to_owned(), format!("{root}:{path}"));
        (region, domain)
    });
    let inventory = read(&world, MEMBER, &region, false);
    assert_eq!(inventory.gaps, []);
    let origin = |kind: &str, name: &str| {
        let mut resources = inventory.resources.iter();
        let found = resources.find(|it| it.kind == kind && it.name.ends_with(name));
        found.unwrap_or_else(|| panic!("{kind} {name}")).origin.clone()
    };
    let names = |arns: &[String]| -> Vec<String> {
        arns.iter().map(|arn| arn.rsplit(':').next().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&origin("endpoint", "Served").uses), ["endpoint-config/config"]);
    assert_eq!(names(&origin("endpoint-config", "Config").uses), ["model/model"]);
    let role = origin("model", "Model").role;
    assert_eq!(role.as_deref(), Some("arn:aws:iam::444455556666:role/model"));
    let parents = names(&origin("training-job", "Child").parents);
    assert_eq!(parents, ["hyper-parameter-tuning-job/Sweep"]);
    let parents = names(&origin("processing-job", "Step").parents);
    assert_eq!(parents, ["pipeline/pipe/execution/run1"]);
    let run = origin("pipeline-execution", "run1");
    assert_eq!(run.created_by.map(|it| it.to_string()), Some(domain));
    assert_eq!(names(&run.uses), ["pipeline/pipe"]);
}
