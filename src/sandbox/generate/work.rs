//! Owns what people do, and the mix of tags that it bears.
//!
//! **Invariant:** the truth of a charge is who caused it, whatever its tags say.

use std::sync::Arc;

use jiff::ToSpan;
use jiff::civil::Date;
use rand::RngExt;

use super::domain::{Home, Life};
use super::meter::{Rhythm, SAGEMAKER, Use, bill};
use super::name::hourly;
use super::{Making, instant};
use crate::sandbox::organisation::{Resource, Tags};
use crate::sandbox::scenario::Studio;

const HOUR: i64 = 1_000_000;

/// Which of the three tags a line bears.
#[derive(Clone, Copy, Default)]
struct Marks<'a> {
    domain: bool,
    user: Option<&'a str>,
    space: Option<&'a str>,
}

fn marked(home: &Home<'_>, marks: Marks<'_>) -> Arc<Tags> {
    let mut tags = home.custom.clone();
    let mut put = |key: &str, value: String| tags.insert(key.to_owned(), value);
    if marks.domain {
        put("sagemaker:domain-arn", home.domain_arn());
    }
    if let Some(user) = marks.user {
        put("sagemaker:user-profile-arn", home.user_arn(user));
    }
    if let Some(space) = marks.space {
        put("sagemaker:space-arn", home.space_arn(space));
    }
    Arc::new(tags)
}

/// A use of SageMaker instances in the domain's account and region.
fn hours<'a>(
    home: &'a Home<'_>,
    component: &str,
    instance: &str,
    rhythm: Rhythm,
    life: &Life,
    (tags, truth): (Arc<Tags>, String),
) -> Use<'a> {
    Use {
        account: &home.template.account,
        region: &home.template.region,
        service: SAGEMAKER,
        usage: format!("{component}{instance}"),
        price: hourly(instance),
        unit: "Hrs",
        operation: "RunInstance",
        tags,
        truth,
        rhythm,
        from: life.from,
        to: life.to,
        covered: false,
    }
}

fn pick<'a>(making: &mut Making<'_>, list: &'a [String]) -> &'a str {
    // The first ones are the most usual.
    let at = making.rng.random_range(0..list.len()).min(making.rng.random_range(0..list.len()));
    &list[at]
}

/// Bills what one person does.
pub(super) fn person(
    making: &mut Making<'_>,
    home: &Home<'_>,
    life: &Life,
    space: Option<&str>,
    at: u32,
) {
    let user = Some(life.name.as_str());
    let of_user = format!("user/{}/{}", home.id, life.name);
    let of_space = space.map(|name| format!("space/{}/{name}", home.id));
    // Studio marks what a private space starts in three ways; nobody has documented when which.
    let marks = match at % 4 {
        0 | 1 => Marks { domain: true, user, space },
        2 => Marks { domain: true, user, space: None },
        _ if space.is_some() => Marks { domain: true, user: None, space },
        _ => Marks { domain: true, user, space: None },
    };
    let instance = pick(making, &home.template.instances);
    let a_day = making.rng.random_range(4 * HOUR..10 * HOUR);
    let component = match home.template.studio {
        Studio::Classic => "Studio:KernelGateway-",
        _ if at % 5 == 3 => "Studio:CodeEditor-",
        _ => "Studio:JupyterLab-",
    };
    let what = (marked(home, marks), of_space.clone().unwrap_or_else(|| of_user.clone()));
    let mut app = hours(home, component, instance, Rhythm::Work { a_day }, life, what);
    app.covered = home.template.covered && marks.user.is_some();
    bill(making, app);
    if let (Some(name), Some(truth)) = (space, of_space) {
        let marks = if at.is_multiple_of(2) {
            Marks { domain: true, user, space: None }
        } else {
            Marks { domain: true, user: None, space: Some(name) }
        };
        let gib = i64::from(making.organisation.spaces.last().map_or(5, |space| space.volume_gib));
        volume(making, home, life, gib, (marked(home, marks), truth));
    }
    jobs(making, home, life, &of_user, at);
    if home.template.canvas && at.is_multiple_of(3) {
        let what = (marked(home, Marks { domain: true, user, space: None }), of_user);
        let rhythm = Rhythm::Jobs { a_day: 3 * HOUR, percent: 30 };
        bill(
            making,
            Use { price: 19_000, ..hours(home, "Canvas:Session-Hrs", "", rhythm, life, what) },
        );
    }
}

fn jobs(making: &mut Making<'_>, home: &Home<'_>, life: &Life, truth: &str, at: u32) {
    let marks = Marks { domain: true, user: Some(&life.name), space: None };
    let tags = marked(home, marks);
    for (every, phase, component, kind, percent) in [
        (5, 0, "Train:", "training-job", 22),
        (7, 2, "TrSpt:", "training-job", 15),
        (4, 1, "Processing:", "processing-job", 30),
        (9, 4, "Tsform:", "transform-job", 12),
    ] {
        if at % every != phase {
            continue;
        }
        let instance = pick(making, &home.template.training);
        // Spot is sold at about a third.
        let price = hourly(instance) * if component == "TrSpt:" { 35 } else { 100 } / 100;
        let a_day = making.rng.random_range(12 * HOUR..48 * HOUR);
        let rhythm = Rhythm::Jobs { a_day, percent };
        let what = (tags.clone(), truth.to_owned());
        bill(making, Use { price, ..hours(home, component, instance, rhythm, life, what) });
        let date = making.today - i64::from(making.rng.random_range(1..80_u32)).days();
        if date >= life.from && date < life.to {
            list(
                making,
                home,
                kind,
                &format!("{}-{}-{date}", home.template.team, life.name),
                &tags,
                date,
            );
        }
    }
}

fn volume(
    making: &mut Making<'_>,
    home: &Home<'_>,
    life: &Life,
    gib: i64,
    what: (Arc<Tags>, String),
) {
    let stored = hours(home, "Studio:VolumeUsage.gp3", "", Rhythm::Stored { gib }, life, what);
    bill(making, Use { price: 1120, unit: "GB-Mo", operation: "CreateVolume-Gp3", ..stored });
}

/// Bills what happens in a shared space.
pub(super) fn shared_space(
    making: &mut Making<'_>,
    home: &Home<'_>,
    name: &str,
    people: &[Life],
    at: u32,
) {
    let truth = format!("space/{}/{name}", home.id);
    let always = Life { name: String::new(), from: home.created, to: Date::MAX };
    let marks = Marks { domain: true, user: None, space: Some(name) };
    let instance = pick(making, &home.template.instances);
    let what = (marked(home, marks), truth.clone());
    let rhythm = Rhythm::Work { a_day: 9 * HOUR };
    bill(making, hours(home, "Studio:JupyterLab-", instance, rhythm, &always, what));
    if at == 0 {
        // A guest, who does not own the space, left a user tag on what ran there.
        let guest = people.last().map(|life| life.name.as_str());
        let what = (marked(home, Marks { user: guest, ..marks }), truth.clone());
        let rhythm = Rhythm::Jobs { a_day: 2 * HOUR, percent: 40 };
        bill(making, hours(home, "Studio:CodeEditor-", "ml.m5.xlarge", rhythm, &always, what));
    }
    let tags =
        if making.variants.shared_volumes_tagged { marked(home, marks) } else { Arc::default() };
    volume(making, home, &always, 100, (tags, truth.clone()));
    if home.template.glue {
        let mut tags = home.custom.clone();
        tags.insert("sagemaker:domain-arn".to_owned(), home.domain_arn());
        tags.insert("sagemaker:shared-space-arn".to_owned(), home.space_arn(name));
        let rhythm = Rhythm::Jobs { a_day: 12 * HOUR, percent: 45 };
        let session = hours(
            home,
            "GlueInteractiveSession-DPU-Hour",
            "",
            rhythm,
            &always,
            (Arc::new(tags), truth),
        );
        bill(
            making,
            Use {
                service: "AWS Glue",
                price: 4400,
                unit: "DPU-Hour",
                operation: "GlueInteractiveSession",
                ..session
            },
        );
    }
}

/// Bills what belongs to the domain rather than to one person, and what is marked oddly.
pub(super) fn domain(making: &mut Making<'_>, home: &Home<'_>, people: &[Life]) {
    let always = Life { name: String::new(), from: home.created, to: Date::MAX };
    let of_domain = format!("domain/{}", home.id);
    let domain_only = marked(home, Marks { domain: true, ..Marks::default() });
    let rhythm = Rhythm::Jobs { a_day: HOUR, percent: 95 };
    let what = (domain_only, of_domain);
    bill(making, hours(home, "Processing:", "ml.m5.xlarge", rhythm, &always, what));
    for at in 0..home.template.endpoints {
        let nth = usize::try_from(at).expect("few endpoints") * 7 % people.len();
        endpoint(making, home, &people[nth], at);
    }
    let Some(first) = people.first() else { return };
    let odd = [
        // The user's tag without the domain's.
        (Marks { user: Some(&first.name), ..Marks::default() }, "Train:"),
        // The space's tag without the domain's; Classic has no spaces.
        (Marks { space: Some("forgotten-space"), ..Marks::default() }, "Processing:"),
    ];
    let count = if home.template.studio == Studio::Classic { 1 } else { 2 };
    for (marks, component) in odd.into_iter().take(count) {
        let truth = match marks.space {
            // A space that was deleted long before the inventory was first read.
            Some(name) => format!("space/{}/{name}", home.id),
            None => format!("user/{}/{}", home.id, first.name),
        };
        let rhythm = Rhythm::Jobs { a_day: 2 * HOUR, percent: 20 };
        let what = (marked(home, marks), truth);
        bill(making, hours(home, component, "ml.m5.xlarge", rhythm, first, what));
    }
    contradict(making, home, first);
    if let Some(guest) = people.get(1) {
        visit(making, home, guest);
    }
}

/// Bills work in somebody's private space whose user tag names another person.
fn visit(making: &mut Making<'_>, home: &Home<'_>, guest: &Life) {
    let host = making.organisation.spaces.iter().find(|space| {
        let is_here = space.domain == home.id && !space.shared && space.deleted_at.is_none();
        is_here && space.owner != guest.name
    });
    let Some(space) = host.map(|space| space.name.clone()) else { return };
    let marks = Marks { domain: true, user: Some(&guest.name), space: Some(&space) };
    let rhythm = Rhythm::Jobs { a_day: 2 * HOUR, percent: 25 };
    let what = (marked(home, marks), format!("space/{}/{space}", home.id));
    bill(making, hours(home, "Processing:", "ml.m5.xlarge", rhythm, guest, what));
}

/// Bills work whose domain tag names another domain than its user's ARN.
fn contradict(making: &mut Making<'_>, home: &Home<'_>, life: &Life) {
    let Some(other) = making
        .organisation
        .domains
        .iter()
        .find(|domain| domain.account == home.template.account && domain.id != home.id)
    else {
        return;
    };
    let arn = format!("arn:aws:sagemaker:{}:{}:domain/{}", other.region, other.account, other.id);
    let mut tags = home.custom.clone();
    tags.insert("sagemaker:domain-arn".to_owned(), arn);
    tags.insert("sagemaker:user-profile-arn".to_owned(), home.user_arn(&life.name));
    let rhythm = Rhythm::Jobs { a_day: 3 * HOUR, percent: 15 };
    let what = (Arc::new(tags), format!("user/{}/{}", home.id, life.name));
    bill(making, hours(home, "Processing:", "ml.m5.4xlarge", rhythm, life, what));
}

/// Bills an endpoint; it outlives whoever made it.
fn endpoint(making: &mut Making<'_>, home: &Home<'_>, maker: &Life, at: u32) {
    let instance = if at == 0 { "ml.g5.2xlarge" } else { "ml.m5.xlarge" };
    let life = Life { name: String::new(), from: maker.from, to: Date::MAX };
    let tags = marked(home, Marks { domain: true, user: Some(&maker.name), space: None });
    let what = (tags.clone(), format!("user/{}/{}", home.id, maker.name));
    let rhythm = Rhythm::Always { a_day: 24 * HOUR };
    let mut host = hours(home, "Host:", instance, rhythm, &life, what.clone());
    host.covered = home.template.covered && at < 2;
    bill(making, host);
    let data =
        hours(home, "Hst:Data-Bytes-Out", "", Rhythm::Work { a_day: HOUR / 50 }, &life, what);
    bill(making, Use { price: 160, unit: "GB", operation: "Invoke-Endpoint", ..data });
    let name = format!("{}-endpoint-{}", home.template.team, at + 1);
    list(making, home, "endpoint", &name, &tags, maker.from);
}

/// Bills a home file system.
pub(super) fn home_storage(making: &mut Making<'_>, home: &Home<'_>, tags: Tags, gib: i64) {
    let life = Life { name: String::new(), from: home.created, to: Date::MAX };
    let what = (Arc::new(tags), format!("domain/{}", home.id));
    let stored = hours(home, "TimedStorage-ByteHrs", "", Rhythm::Stored { gib }, &life, what);
    bill(
        making,
        Use {
            service: "Amazon Elastic File System",
            price: 3000,
            unit: "GB-Mo",
            operation: "",
            ..stored
        },
    );
}

/// Puts a job or an endpoint where the list operations find it.
fn list(making: &mut Making<'_>, home: &Home<'_>, kind: &str, name: &str, tags: &Tags, on: Date) {
    making.organisation.resources.push(Resource {
        account: home.template.account.clone(),
        region: home.template.region.clone(),
        kind: kind.to_owned(),
        name: name.to_owned(),
        arn: format!("{}:{kind}/{}", home.root, name.to_lowercase()),
        status: if kind == "endpoint" { "InService" } else { "Completed" }.to_owned(),
        details: serde_json::json!({ "RoleArn": home.role }),
        truth: Some(home.id.clone()),
        tags: tags.clone(),
        created_at: instant(on),
        deleted_at: None,
    });
}
