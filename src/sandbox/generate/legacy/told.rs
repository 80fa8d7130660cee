//! Owns resources without their domain tag whose domain is told: by their ARN, by a tag, by their maker, by their lineage.
//!
//! **Invariant:** what is put here as told has one sign or several that agree, and the truth is what they say.

use rand::RngExt;
use serde_json::json;

use super::{DOMAIN, EXECUTION, Ground, KINDS, MANAGED_BY, Made, Place, instant};
use crate::sandbox::generate::name::id;
use crate::sandbox::organisation::Clue::{Barred, Tagged, Told};
use crate::sandbox::organisation::{App, Space, Tags, UserProfile};

/// Kinds whose descriptions tell who made them.
const SIGNED: [&str; 7] = [
    "pipeline",
    "experiment",
    "experiment-trial",
    "experiment-trial-component",
    "model-package-group",
    "mlflow-tracking-server",
    "project",
];

/// Notes what the world has without its domain tag already: default apps and home file systems.
pub(super) fn found(ground: &mut Ground<'_>) {
    let mut notes = Vec::new();
    for place in &ground.places {
        let lacks = |tags: &Tags| !tags.contains_key(DOMAIN);
        let apps = ground.organisation.apps.iter();
        for app in apps.filter(|app| app.domain == place.domain && lacks(&app.tags)) {
            let costs = app.instance_type != "system";
            notes.push((app_arn(place, app), "default app", place.domain.clone(), costs));
        }
        let home = place.domain_arn();
        let systems = ground.organisation.file_systems.iter();
        for system in systems.filter(|system| system.tags.get(MANAGED_BY) == Some(&home)) {
            let arn = format!(
                "arn:aws:elasticfilesystem:{}:{}:file-system/{}",
                system.region, system.account, system.id
            );
            notes.push((arn, "home file system", place.domain.clone(), true));
        }
    }
    for (arn, case, truth, costs) in notes {
        ground.note(arn, case, Told, &truth, costs);
    }
}

/// Makes one of each.
pub(super) fn make(ground: &mut Ground<'_>, place: &Place) {
    identities(ground, place);
    every_kind(ground, place);
    gone_person(ground, place);
    signed(ground, place);
    sweep(ground, place);
    autopilot(ground, place);
    pipeline(ground, place);
    serving(ground, place);
    tagged(ground, place);
}

fn app_arn(place: &Place, app: &App) -> String {
    let of = app.user_profile.as_ref().or(app.space.as_ref()).expect("an app is of one of them");
    let kind = app.app_type.to_lowercase();
    place.arn("app", &format!("{}/{of}/{kind}/{}", app.domain, app.name))
}

/// Makes a user profile, spaces and apps whose own ARNs tell.
fn identities(ground: &mut Ground<'_>, place: &Place) {
    let profile = format!("old-{}", id(&mut ground.rng, 5));
    ground.organisation.user_profiles.push(UserProfile {
        domain: place.domain.clone(),
        name: profile.clone(),
        sso_value: None,
        execution_role: None,
        tags: Tags::new(),
        created_at: place.founded_at,
        deleted_at: None,
    });
    let arn = place.arn("user-profile", &format!("{}/{profile}", place.domain));
    ground.note(arn, "user profile", Told, &place.domain, true);
    if place.space.is_some() {
        for shared in [false, true] {
            let name = format!("{profile}-{}", if shared { "shared" } else { "lab" });
            open(ground, place, &name, shared, Tags::new());
            ground.note(place.space_arn(&name), "space", Told, &place.domain, true);
            start(ground, place, Some(&name), "default");
        }
    }
    let kernel = format!("kernel-{}", id(&mut ground.rng, 5));
    start(ground, place, None, &kernel);
}

/// Opens a space of the person of the place.
pub(super) fn open(ground: &mut Ground<'_>, place: &Place, name: &str, shared: bool, tags: Tags) {
    ground.organisation.spaces.push(Space {
        domain: place.domain.clone(),
        name: name.to_owned(),
        owner: place.user.clone(),
        shared,
        volume_gib: 20,
        tags,
        created_at: place.founded_at,
        deleted_at: None,
    });
}

/// Starts an app that runs, and one more that was deleted and cannot be tagged any more.
fn start(ground: &mut Ground<'_>, place: &Place, space: Option<&str>, name: &str) {
    for (name, status) in [(name.to_owned(), "InService"), (format!("{name}-old"), "Deleted")] {
        let is_there = status == "InService";
        let app = App {
            domain: place.domain.clone(),
            user_profile: space.is_none().then(|| place.user.clone()),
            space: space.map(str::to_owned),
            app_type: if space.is_some() { "JupyterLab" } else { "KernelGateway" }.to_owned(),
            name,
            instance_type: "ml.t3.medium".to_owned(),
            status: status.to_owned(),
            tags: Tags::new(),
            created_at: instant(ground.day(3)),
        };
        let (case, clue) = if is_there { ("app", Told) } else { ("deleted app", Barred) };
        ground.note(app_arn(place, &app), case, clue, &place.domain, is_there);
        ground.organisation.apps.push(app);
    }
}

/// Makes one of every kind, at work and over, with the tag of a person or of a space.
fn every_kind(ground: &mut Ground<'_>, place: &Place) {
    let kinds = KINDS.map(|row| row.0).into_iter().filter(|kind| {
        !matches!(
            *kind,
            "endpoint" | "endpoint-config" | "inference-experiment" | "pipeline-execution"
        )
    });
    let mut group = String::new();
    for kind in kinds {
        let case = if ground.rng.random() { "user tag" } else { "space tag" };
        let tags = if case == "user tag" { place.by_user() } else { place.by_space() };
        let mut made = Made::new(place, kind, case, Told).tagged(tags);
        made = match kind {
            "model-package" => {
                let made = made.with("ModelPackageGroupName", json!(group));
                made.with("ModelPackageVersion", json!(1)).named(format!("{group}/1"))
            }
            "job" => made.with("JobCategory", json!("AgentRFT")),
            "inference-component" => made.with("EndpointName", json!("an-endpoint-of-old")),
            "transform-job" => made.with("ModelName", json!("a-model-of-old")),
            _ => made,
        };
        let over = Made { case: "over", ..made.clone() }.over();
        let name = ground.put(place, made);
        if kind == "model-package-group" {
            group = name;
        }
        if kind.ends_with("job") {
            ground.put(place, over);
        }
    }
}

/// Makes a job of a person whose profile is gone from a domain that is still there.
fn gone_person(ground: &mut Ground<'_>, place: &Place) {
    let gone = Place { user: format!("gone-{}", id(&mut ground.rng, 4)), ..place.clone() };
    let made = Made::new(place, "processing-job", "gone person", Told).tagged(gone.by_user());
    ground.put(place, made);
}

/// Makes what tells its maker in its description and bears no tag at all.
fn signed(ground: &mut Ground<'_>, place: &Place) {
    for kind in SIGNED {
        let made = Made::new(place, kind, "created by", Told);
        ground.put(place, made.with("CreatedBy", place.created_by()));
    }
}

/// Makes a tuning job, with either tag, and training jobs that it started.
fn sweep(ground: &mut Ground<'_>, place: &Place) {
    let kind = "hyper-parameter-tuning-job";
    let made = if ground.rng.random() {
        Made::new(place, kind, "user tag", Told).tagged(place.by_user())
    } else {
        Made::new(place, kind, "tagged", Tagged).tagged(place.by_domain())
    };
    let name = ground.put(place, made);
    for _ in 0..2 {
        let made = Made::new(place, "training-job", "tuning lineage", Told);
        ground.put(place, made.with("TuningJobArn", json!(place.arn(kind, &name))));
    }
}

/// Makes an `AutoML` job and the jobs that it started.
fn autopilot(ground: &mut Ground<'_>, place: &Place) {
    let made = Made::new(place, "automl-job", "user tag", Told).tagged(place.by_user());
    let name = ground.put(place, made);
    for kind in ["training-job", "processing-job", "transform-job"] {
        let made = Made::new(place, kind, "automl lineage", Told).run_as(place.automation());
        ground.put(place, made.with("AutoMLJobArn", json!(place.arn("automl-job", &name))));
    }
}

/// Makes a pipeline, a run of it, and the jobs of the run.
fn pipeline(ground: &mut Ground<'_>, place: &Place) {
    let made = Made::new(place, "pipeline", "created by", Told);
    let name = ground.put(place, made.with("CreatedBy", place.created_by()));
    let run = ground.put_execution(place, &name, &place.created_by());
    for kind in ["training-job", "processing-job"] {
        let made = Made::new(place, kind, "pipeline lineage", Told);
        ground.put(place, made.tagged(super::one(EXECUTION, run.clone())));
    }
}

/// Puts a model, tagged with its domain unless told otherwise.
pub(super) fn model(ground: &mut Ground<'_>, place: &Place) -> String {
    let made = Made::new(place, "model", "tagged", Tagged).tagged(place.by_domain());
    ground.put(place, made)
}

/// Puts an endpoint's configuration over models, and returns its name.
pub(super) fn configure(
    ground: &mut Ground<'_>,
    place: &Place,
    made: Made,
    models: &[&str],
) -> String {
    let variant = |(at, name): (usize, &&str)| json!({ "VariantName": format!("variant-{at}"), "ModelName": name, "InitialInstanceCount": 1 });
    let variants: Vec<_> = models.iter().enumerate().map(variant).collect();
    ground.put(place, made.with("ProductionVariants", json!(variants)))
}

/// Puts an endpoint over models with its configuration, both known by the same signs, and returns its name.
pub(super) fn serve(ground: &mut Ground<'_>, place: &Place, made: Made, models: &[&str]) -> String {
    let config = Made { kind: "endpoint-config", ..made.clone() };
    let config = configure(ground, place, config, models);
    ground.put(place, made.with("EndpointConfigName", json!(config)))
}

/// Makes endpoints that serve and that failed, and an inference component.
fn serving(ground: &mut Ground<'_>, place: &Place) {
    let model = model(ground, place);
    let made = Made::new(place, "endpoint", "endpoint lineage", Told);
    let endpoint = serve(ground, place, made.clone(), &[&model]);
    serve(ground, place, made.over(), &[&model]);
    let made = Made::new(place, "inference-component", "component lineage", Told)
        .with("EndpointName", json!(endpoint))
        .with("Specification", json!({ "ModelName": model }));
    ground.put(place, made);
    let made = Made::new(place, "transform-job", "transform lineage", Told);
    ground.put(place, made.with("ModelName", json!(model)));
}

/// Makes what bears its right tag already.
fn tagged(ground: &mut Ground<'_>, place: &Place) {
    for kind in ["training-job", "notebook-instance", "feature-group", "pipeline"] {
        let made = Made::new(place, kind, "tagged", Tagged).tagged(place.by_domain());
        ground.put(place, made.with("CreatedBy", place.created_by()));
    }
}
