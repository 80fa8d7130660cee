//! Owns the counter-examples: for each kind of evidence something that it would get wrong, or that nobody can tell.
//!
//! **Invariant:** the truth is who started the thing, whatever it looks like.

use serde_json::json;

use super::{EXECUTION, Ground, MANAGED_BY, Made, Place, SPACE, USER, instant, one, told};
use crate::sandbox::generate::name::{id, uuid};
use crate::sandbox::organisation::Clue::{
    self, Barred, Blind, Contested, Contradicted, Hinted, Silent, Stale, Tagged, Tied,
};
use crate::sandbox::organisation::{FileSystem, Tags, UserProfile};

/// Makes one of each; those that need another domain where there is one.
pub(super) fn make(ground: &mut Ground<'_>, place: &Place, neighbour: Option<&Place>) {
    borrowed_role(ground, place, neighbour);
    outside_pipeline(ground, place);
    role_lineage(ground, place);
    gone_domain(ground, place);
    broken(ground, place);
    barred(ground, place);
    if let Some(neighbour) = neighbour {
        shared_role(ground, place, neighbour);
        two_models(ground, place, neighbour);
        crossed_lineage(ground, place, neighbour);
        copied_tag(ground, place, neighbour);
        twins(ground, place, neighbour);
    }
}

/// Runs with the role of the domain what was started elsewhere: from a laptop, or by somebody of another domain.
fn borrowed_role(ground: &mut Ground<'_>, place: &Place, neighbour: Option<&Place>) {
    for kind in ["training-job", "notebook-instance", "processing-job", "feature-group"] {
        let made = Made::new(place, kind, "laptop", Hinted);
        ground.put(place, made.truly(None));
        let made = Made::new(place, kind, "borrowed role", Hinted);
        ground.put(place, made.truly(neighbour));
        ground.put(place, Made::new(place, kind, "role alone", Hinted));
    }
    let made = Made::new(place, "training-job", "automation", Silent);
    ground.put(place, made.run_as(place.automation()).truly(None));
}

/// Runs a pipeline that a build server made and starts, with the domain's role.
fn outside_pipeline(ground: &mut Ground<'_>, place: &Place) {
    let case = "outside pipeline";
    let made = Made::new(place, "pipeline", case, Hinted).truly(None);
    let name = ground.put(place, made.with("CreatedBy", place.created_by_script()));
    let run = ground.put_execution(place, &name, &place.created_by_script());
    for kind in ["training-job", "processing-job"] {
        let made = Made::new(place, kind, case, Hinted).truly(None);
        ground.put(place, made.tagged(one(EXECUTION, run.clone())));
    }
}

/// Makes lineage that ends in nothing but a role, which a chain does not make any surer.
fn role_lineage(ground: &mut Ground<'_>, place: &Place) {
    let case = "role lineage";
    let model = ground.put(place, Made::new(place, "model", case, Hinted).truly(None));
    told::serve(ground, place, Made::new(place, "endpoint", case, Hinted).truly(None), &[&model]);
    let kind = "hyper-parameter-tuning-job";
    let sweep = ground.put(place, Made::new(place, kind, case, Hinted).truly(None));
    let made = Made::new(place, "training-job", case, Hinted).truly(None);
    ground.put(place, made.with("TuningJobArn", json!(place.arn(kind, &sweep))));
    // What it came from is gone and tells nothing any more.
    let lost = Made::new(place, "training-job", "lost parent", Hinted).truly(None);
    ground.put(place, lost.with("TuningJobArn", json!(place.arn(kind, "long-gone"))));
    let lost = Made::new(place, "endpoint", "lost parent", Silent).truly(None);
    ground.put(place, lost.with("EndpointConfigName", json!("long-gone")));
}

/// Leaves signs of a domain that was deleted long ago.
fn gone_domain(ground: &mut Ground<'_>, place: &Place) {
    let gone = Place { space: Some("a-space".to_owned()), ..ground.gone(place) };
    for (case, tags) in [
        ("stale user tag", gone.by_user()),
        ("stale space tag", gone.by_space()),
        ("stale domain tag", gone.by_domain()),
    ] {
        for kind in ["training-job", "notebook-instance"] {
            let made = Made::new(place, kind, case, Stale).tagged(tags.clone());
            ground.put(place, made.run_as(place.automation()).truly(None));
        }
    }
    let made = Made::new(place, "pipeline", "stale maker", Stale).run_as(place.automation());
    ground.put(place, made.with("CreatedBy", gone.created_by()).truly(None));
    let system = format!("fs-0{}", &uuid(&mut ground.rng).replace('-', "")[..16]);
    let arn = format!(
        "arn:aws:elasticfilesystem:{}:{}:file-system/{system}",
        place.region, place.account
    );
    ground.note(arn, "orphaned home", Stale, &gone.domain, true);
    ground.organisation.file_systems.push(FileSystem {
        account: place.account.clone(),
        region: place.region.clone(),
        id: system,
        creation_token: gone.domain.clone(),
        size_bytes: 7 << 30,
        tags: one(MANAGED_BY, gone.domain_arn()),
        created_at: place.founded_at,
    });
}

/// Makes tags that are no ARNs of what they should name.
fn broken(ground: &mut Ground<'_>, place: &Place) {
    for (key, value) in [
        (USER, place.user.clone()),
        (SPACE, place.arn("space", "")),
        (USER, format!("arn:aws:iam::{}:user/{}", place.account, place.user)),
    ] {
        let made = Made::new(place, "processing-job", "broken tag", Silent);
        ground.put(place, made.run_as(place.automation()).tagged(one(key, value)));
    }
}

/// Makes what cannot be tagged although its domain is told.
fn barred(ground: &mut Ground<'_>, place: &Place) {
    let made = Made::new(place, "inference-experiment", "untaggable", Barred);
    ground.put(place, made.tagged(place.by_user()));
    let made = Made::new(place, "pipeline", "long arn", Barred).tagged(place.by_user());
    let name = format!("{}-{}", ground.name(), "x".repeat(230));
    ground.put(place, made.with("CreatedBy", place.created_by()).named(name));
    let full: Tags = (1..50).map(|at| (format!("cost-{at:02}"), "taken".to_owned())).collect();
    let made = Made::new(place, "training-job", "fifty tags", Barred);
    ground.put(place, made.tagged(full).tagged(place.by_user()));
}

/// Lets two domains use one role, through profiles of their own.
fn shared_role(ground: &mut Ground<'_>, place: &Place, neighbour: &Place) {
    let role = format!("arn:aws:iam::{}:role/shared-{}", place.account, id(&mut ground.rng, 6));
    for home in [place, neighbour] {
        let name = format!("contractor-{}", id(&mut ground.rng, 6));
        let created = ground.day(90);
        ground.organisation.user_profiles.push(UserProfile {
            domain: home.domain.clone(),
            name,
            sso_value: None,
            execution_role: Some(role.clone()),
            tags: home.by_domain(),
            created_at: instant(created),
            deleted_at: None,
        });
    }
    for kind in ["training-job", "notebook-instance"] {
        ground.put(place, Made::new(place, kind, "shared role", Silent).run_as(role.clone()));
    }
}

/// Serves models of two domains behind one endpoint.
fn two_models(ground: &mut Ground<'_>, place: &Place, neighbour: &Place) {
    let (ours, theirs) = (told::model(ground, place), told::model(ground, neighbour));
    let made = Made::new(place, "endpoint", "two models", Tied);
    told::serve(ground, place, made.truly(Some(neighbour)), &[&ours, &theirs]);
    let mut tags = place.by_user();
    tags.extend(neighbour.space.as_ref().map(|_| neighbour.by_space()).unwrap_or_default());
    let clue = if tags.len() == 2 { Tied } else { Clue::Told };
    let made = Made::new(place, "training-job", "two tags", clue).tagged(tags);
    ground.put(place, made);
}

/// Makes lineage that crosses from one domain into another.
fn crossed_lineage(ground: &mut Ground<'_>, place: &Place, neighbour: &Place) {
    let model = told::model(ground, place);
    let case = "their endpoint, our model";
    let made = Made::new(place, "endpoint", case, Contested).tagged(neighbour.by_user());
    told::serve(ground, place, made.truly(Some(neighbour)), &[&model]);

    let case = "our model, their role";
    let made = Made::new(place, "model", case, Tagged).tagged(place.by_domain());
    let model = ground.put(place, made.run_as(neighbour.role.clone()));
    told::serve(ground, place, Made::new(place, "endpoint", case, Contested), &[&model]);

    let case = "our pipeline, their run";
    let made = Made::new(place, "pipeline", case, Clue::Told);
    let name = ground.put(place, made.with("CreatedBy", place.created_by()));
    let run = ground.put_execution(place, &name, &neighbour.created_by());
    let made = Made::new(place, "training-job", case, Contested).truly(Some(neighbour));
    ground.put(place, made.tagged(one(EXECUTION, run)));

    let case = "our tuning, their job";
    let kind = "hyper-parameter-tuning-job";
    let made = Made::new(place, kind, case, Tagged).tagged(place.by_domain());
    let name = ground.put(place, made);
    let made = Made::new(place, "training-job", case, Contested).truly(Some(neighbour));
    let made = made.with("TuningJobArn", json!(place.arn(kind, &name)));
    ground.put(place, made.tagged(neighbour.by_user()));
}

/// Bears the domain tag of a template that was written for another domain.
fn copied_tag(ground: &mut Ground<'_>, place: &Place, neighbour: &Place) {
    let case = "copied tag";
    let made = Made::new(place, "training-job", case, Contradicted).tagged(place.by_user());
    ground.put(place, made.tagged(neighbour.by_domain()));
    // Who asks for descriptions of what lacks its tag alone does not learn who made this one.
    let made = Made::new(place, "pipeline", "copied tag, described maker", Contested);
    let made = made.tagged(neighbour.by_domain());
    ground.put(place, made.with("CreatedBy", place.created_by()));
    if place.space.is_some() {
        let name = format!("template-{}", id(&mut ground.rng, 6));
        told::open(ground, place, &name, true, neighbour.by_domain());
        ground.note(place.space_arn(&name), case, Contradicted, &place.domain, true);
    }
    // A role that is another domain's is no contradiction: it is lent.
    let made = Made::new(place, "notebook-instance", "tagged, lent role", Tagged);
    ground.put(place, made.tagged(place.by_domain()).run_as(neighbour.role.clone()));
}

/// Makes tuning jobs and models whose names differ in case only, in two domains.
fn twins(ground: &mut Ground<'_>, place: &Place, neighbour: &Place) {
    let tail = id(&mut ground.rng, 5);
    let names = [(place, format!("Sweep-{tail}")), (neighbour, format!("sweep-{tail}"))];
    for (home, name) in &names {
        for kind in ["hyper-parameter-tuning-job", "model"] {
            let made = Made::new(home, kind, "twins", Tagged).named(name.clone());
            ground.put(home, made.tagged(home.by_domain()));
        }
    }
    for (home, name) in &names {
        let parent = home.arn("hyper-parameter-tuning-job", name);
        let made = Made::new(home, "training-job", "twins", Clue::Told);
        ground.put(home, made.with("TuningJobArn", json!(parent)));
        told::serve(ground, home, Made::new(home, "endpoint", "twins", Clue::Told), &[name]);
    }
}

/// Serves a whole model entity of the domain for somebody of another one who left no trace.
pub(super) fn blind(ground: &mut Ground<'_>, place: &Place, neighbour: &Place) {
    let model = told::model(ground, place);
    let made = Made::new(place, "endpoint", "blind", Blind).truly(Some(neighbour));
    told::serve(ground, place, made, &[&model]);
}
