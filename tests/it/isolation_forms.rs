//! Owns the proof of what the forms that grant do alone, and of what they leave open beside a broad grant.

use std::collections::BTreeSet;

use apportion::access::Decision;
use apportion::isolation_wish::{Form, Protection, Wish};
use apportion::matrix::{Cell, is_tagging};
use apportion::parties::Relation;
use apportion::weakness::Kind;

use crate::isolation_matrix::{
    Case, full_access, inventory, named, open, set, tampering, untaggable, wishes,
};

/// What people do who administer domains, and nobody from within one.
const ADMINISTRATION: &str = "
    CreateDomain domain (new)
    CreateUserProfile user-profile (new)
    DeleteDomain domain
    DeleteUserProfile user-profile
    StartSession space
    UpdateDomain domain
    UpdateUserProfile user-profile
";

/// Verbs that no form grants, whosever the thing is.
const UNGRANTED: &str = "
    CreatePresignedDomainUrl user-profile
    ImportHubContent hub-content (new)
    RegisterDevices device (new)
";

/// What exists already and is another domain's, and may be used in creating something: the forms of AWS's pages allow it.
const CREATED_FROM: &str = "
    CreateCluster reserved-capacity
    CreateCluster training-plan
    CreateClusterSchedulerConfig cluster
    CreateComputeQuota cluster
    CreateEndpoint endpoint-config
    CreateHubContentReference hub
    CreateInferenceComponent endpoint
    CreateTrainingJob reserved-capacity
    CreateTrainingJob training-plan
    CreateTrial experiment
";

/// What the form of the current page opens beside that: creating that takes no tags, and an action that the page names.
const CURRENT_ONLY: &str = "
    CreateHubContentPresignedUrls hub
    CreateHubContentPresignedUrls hub-content
    CreateImageVersion image
    CreateModelCardExportJob model-card
    CreatePartnerAppPresignedUrl partner-app
    CreatePresignedMlflowAppUrl mlflow-app
    CreatePresignedNotebookInstanceUrl notebook-instance
    DescribeAction action
";

/// What is not allowed of the domain's own.
fn closed(cells: &[Cell]) -> BTreeSet<String> {
    named(cells.iter().filter(|it| {
        it.relation == Relation::Own
            && !is_tagging(&it.action)
            && it.answer.decision != Decision::Allowed
    }))
}

/// The forms that grant, with every switch, and what stays open of another domain's when nothing else is granted.
fn granting() -> Vec<(Wish, BTreeSet<String>)> {
    let current = || set(CREATED_FROM).union(&set(CURRENT_ONLY)).cloned().collect();
    let mut all = Vec::new();
    for (form, open) in
        [(Form::Deny, set("")), (Form::Current, current()), (Form::Earlier, set(CREATED_FROM))]
    {
        let grant = form == Form::Deny;
        let wishes =
            wishes(form).into_iter().map(|it| Wish { grant, ..it }).filter(|it| it.check().is_ok());
        all.extend(wishes.map(|it| (it, open.clone())));
    }
    all
}

#[test]
fn alone_they_let_a_domain_work_with_its_own_and_nothing_else() {
    for (index, domain) in inventory().domains.iter().enumerate() {
        for (wish, expected) in granting() {
            // Every switch in one domain, and every form in every domain.
            if index > 0 && wish != (Wish { form: wish.form, grant: wish.grant, ..Wish::default() })
            {
                continue;
            }
            let case = Case::new(domain, &wish, &[]);
            let planned = case.cells().1;
            let at = format!("{} with {wish:?}", domain.name);
            let rest: BTreeSet<String> =
                closed(&planned).difference(&set(ADMINISTRATION)).cloned().collect();
            assert_eq!(rest, set(UNGRANTED), "{at}");
            assert_eq!(untaggable(&case, &planned), BTreeSet::new(), "{at}");
            // What lists is allowed everywhere, and said so.
            let is_listing = |it: &&String| !it.starts_with("List");
            let other = open(&planned, Relation::Other);
            let other: BTreeSet<String> = other.iter().filter(is_listing).cloned().collect();
            let is_denying = wish.form == Form::Deny;
            let listed = open(&planned, Relation::Other).len() - other.len();
            assert_eq!(listed == 0, is_denying, "{at}: {listed}");
            assert_eq!(other, expected, "{at}");
            let claimed = match wish.tag_protection {
                Protection::Action => "",
                Protection::Value => "AddTags untagged",
            };
            assert_eq!(tampering(&planned), set(claimed), "{at}");
            let kinds = case.kinds();
            assert_eq!(kinds.contains(&Kind::DefeatsIsolation), !is_denying, "{at}: {kinds:?}");
            for not in
                [Kind::MissingAddTags, Kind::DeniesStudioTags, Kind::DeniesOwn, Kind::Tampering]
            {
                assert!(!kinds.contains(&not), "{at}: {not:?}");
            }
        }
    }
}

#[test]
fn beside_full_access_they_leak_and_the_linter_says_so() {
    for domain in &inventory().domains {
        for form in [Form::Current, Form::Earlier] {
            let wish = Wish { form, ..Wish::default() };
            let case = Case::new(domain, &wish, &[full_access()]);
            let (now, planned) = case.cells();
            let at = format!("{} in {form:?}", domain.name);
            let (before, after) = (open(&now, Relation::Other), open(&planned, Relation::Other));
            assert!(
                before.len() > 300 && after.len() > 300,
                "{at}: {} {}",
                before.len(),
                after.len()
            );
            assert!(after.contains("DeleteEndpoint endpoint"), "{at}");
            assert!(case.kinds().contains(&Kind::DefeatsIsolation), "{at}");
            let deny = Case::new(domain, &Wish::default(), &[full_access()]);
            assert!(!deny.kinds().contains(&Kind::DefeatsIsolation), "{at}");
        }
    }
}
