//! Owns the making of a domain: its people, its spaces, its file system.
//!
//! **Invariant:** what is made here exists; what it costs is made in `work.rs`.

use jiff::ToSpan;
use jiff::civil::{Date, date};
use rand::RngExt;

use super::name::{id, person, uuid};
use super::{Making, instant, work};
use crate::sandbox::organisation::{App, Domain, FileSystem, Space, Tags, UserProfile};
use crate::sandbox::scenario::{self, Studio};

/// A domain in the making.
pub(super) struct Home<'a> {
    pub(super) template: &'a scenario::Domain,
    pub(super) id: String,
    /// `arn:aws:sagemaker:<region>:<account>`.
    pub(super) root: String,
    /// Tags that propagate to whatever is made in it.
    pub(super) custom: Tags,
    pub(super) created: Date,
    /// The ARN of its execution role.
    pub(super) role: String,
}

/// A user profile or a space in the making.
pub(super) struct Life {
    pub(super) name: String,
    pub(super) from: Date,
    /// The day of deletion, or the end of time.
    pub(super) to: Date,
}

impl Home<'_> {
    /// Returns the domain's ARN.
    pub(super) fn domain_arn(&self) -> String {
        format!("{}:domain/{}", self.root, self.id)
    }

    /// Returns a user profile's ARN.
    pub(super) fn user_arn(&self, name: &str) -> String {
        format!("{}:user-profile/{}/{name}", self.root, self.id)
    }

    /// Returns a space's ARN.
    pub(super) fn space_arn(&self, name: &str) -> String {
        format!("{}:space/{}/{name}", self.root, self.id)
    }
}

/// Makes a domain and all that lives in it.
pub(super) fn make(
    making: &mut Making<'_>,
    template: &scenario::Domain,
    nth: u32,
    scale: u32,
    templates: u32,
) {
    let home = found(making, template, nth, templates);
    let count = making.scenario.user_count.unwrap_or(template.users) * scale;
    let mut people: Vec<Life> = Vec::new();
    for at in 0..count {
        // A quarter of the people also work in the next domain, under a profile of its own.
        let nth = u64::from(nth) * u64::from(count - count / 4) + u64::from(at);
        let life = settle(making, &home, nth, at);
        let space = match template.studio {
            Studio::Classic => None,
            Studio::Spaces => Some(format!("{}-lab", life.name)),
            Studio::Unified => Some(format!("default-{}", uuid(&mut making.rng))),
        };
        if let Some(name) = &space {
            open_space(making, &home, name, &life, false);
        } else {
            open_classic(making, &home, &life);
        }
        work::person(making, &home, &life, space.as_deref(), at);
        people.push(life);
    }
    for at in 0..template.shared_spaces * scale {
        let owner = &people[usize::try_from(at * 3 % count).expect("few people")];
        let name = format!("{}-shared-{}", template.team, at + 1);
        let life = Life { name: owner.name.clone(), from: home.created, to: Date::MAX };
        open_space(making, &home, &name, &life, true);
        work::shared_space(making, &home, &name, &people, at);
    }
    work::domain(making, &home, &people);
    if template.home_efs {
        open_file_system(making, &home);
    }
}

fn found<'a>(
    making: &mut Making<'_>,
    template: &'a scenario::Domain,
    nth: u32,
    templates: u32,
) -> Home<'a> {
    let domain = format!("d-{}", id(&mut making.rng, 12));
    let account = &template.account;
    let region = &template.region;
    let classic = template.studio == Studio::Classic;
    let created = if classic {
        date(2022, 3, 14)
    } else {
        making.span.start - i64::from(making.rng.random_range(100..600_u32)).days()
    };
    let mut tags = Tags::from([("team".to_owned(), template.team.clone())]);
    if template.studio == Studio::Unified {
        for (key, prefix) in [("Domain", "dzd-"), ("Project", ""), ("Environment", "")] {
            let value = format!("{prefix}{}", id(&mut making.rng, 14));
            tags.insert(format!("AmazonDataZone{key}"), value);
        }
    }
    let name =
        if nth < templates { template.name.clone() } else { format!("{}-{nth}", template.name) };
    let propagates = template.tag_propagation || template.studio == Studio::Unified;
    let role = role(making, template);
    making.organisation.domains.push(Domain {
        account: account.clone(),
        region: region.clone(),
        id: domain.clone(),
        name,
        auth_mode: if classic { "IAM" } else { "SSO" }.to_owned(),
        execution_role: role.clone(),
        space_role: None,
        tag_propagation: template.tag_propagation.then(|| "ENABLED".to_owned()),
        home_efs: None,
        tags: tags.clone(),
        created_at: instant(created),
        deleted_at: None,
    });
    Home {
        template,
        root: format!("arn:aws:sagemaker:{region}:{account}"),
        id: domain,
        custom: if propagates { tags } else { Tags::new() },
        created,
        role,
    }
}

fn role(making: &Making<'_>, template: &scenario::Domain) -> String {
    let place = |it: &scenario::Domain| (it.account.clone(), it.region.clone());
    let mut near = making.scenario.domains.iter().filter(|it| place(it) == place(template));
    let team = match (near.next(), near.next()) {
        (Some(first), Some(second))
            if making.variants.shared_role && second.name == template.name =>
        {
            &first.team
        }
        _ => &template.team,
    };
    format!("arn:aws:iam::{}:role/service-role/SageMaker-{team}", template.account)
}

/// Makes a user profile; one in twelve is deleted by now.
fn settle(making: &mut Making<'_>, home: &Home<'_>, nth: u64, at: u32) -> Life {
    let human = person(nth);
    let unified = home.template.studio == Studio::Unified;
    let name = if unified { uuid(&mut making.rng) } else { human.clone() };
    let start = making.span.start;
    let late = making.rng.random_ratio(3, 10);
    let from = if late {
        start + i64::from(making.rng.random_range(20..300_u32)).days()
    } else {
        home.created + i64::from(making.rng.random_range(1..60_u32)).days()
    };
    let to = if at % 12 == 7 {
        making.today - i64::from(making.rng.random_range(25..110_u32)).days()
    } else {
        Date::MAX
    };
    let mut tags = home.custom.clone();
    tags.insert("sagemaker:domain-arn".to_owned(), home.domain_arn());
    let sso = home.template.studio == Studio::Spaces;
    making.organisation.user_profiles.push(UserProfile {
        domain: home.id.clone(),
        name: name.clone(),
        sso_value: sso.then(|| format!("{}@example.com", human.replace('-', "."))),
        execution_role: None,
        tags,
        created_at: instant(from),
        deleted_at: gone(making, to),
    });
    Life { name, from, to }
}

fn gone(making: &Making<'_>, to: Date) -> Option<jiff::Timestamp> {
    (to <= making.today).then(|| instant(to))
}

fn open_space(making: &mut Making<'_>, home: &Home<'_>, name: &str, owner: &Life, shared: bool) {
    let mut tags = home.custom.clone();
    tags.insert("sagemaker:domain-arn".to_owned(), home.domain_arn());
    if !shared {
        tags.insert("sagemaker:user-profile-arn".to_owned(), home.user_arn(&owner.name));
    }
    let deleted_at = gone(making, owner.to);
    making.organisation.spaces.push(Space {
        domain: home.id.clone(),
        name: name.to_owned(),
        owner: owner.name.clone(),
        shared,
        volume_gib: if shared { 100 } else { 5 * making.rng.random_range(1..11_u32) },
        tags: tags.clone(),
        created_at: instant(owner.from),
        deleted_at,
    });
    if deleted_at.is_none() && making.rng.random_ratio(1, 2) {
        tags.insert("sagemaker:space-arn".to_owned(), home.space_arn(name));
        making.organisation.apps.push(App {
            domain: home.id.clone(),
            user_profile: None,
            space: Some(name.to_owned()),
            app_type: "JupyterLab".to_owned(),
            name: "default".to_owned(),
            instance_type: home.template.instances[0].clone(),
            status: "InService".to_owned(),
            tags,
            created_at: instant(making.today - 1.day()),
        });
    }
}

fn open_classic(making: &mut Making<'_>, home: &Home<'_>, life: &Life) {
    if life.to <= making.today {
        return;
    }
    let mut tags = home.custom.clone();
    tags.insert("sagemaker:domain-arn".to_owned(), home.domain_arn());
    tags.insert("sagemaker:user-profile-arn".to_owned(), home.user_arn(&life.name));
    // The default app that shows the Studio interface is not tagged and costs nothing.
    let apps = [("JupyterServer", "system", Tags::new()), ("KernelGateway", "ml.t3.medium", tags)];
    for (app_type, instance_type, tags) in apps {
        let name = if app_type == "JupyterServer" { "default" } else { "datascience-kernel" };
        making.organisation.apps.push(App {
            domain: home.id.clone(),
            user_profile: Some(life.name.clone()),
            space: None,
            app_type: app_type.to_owned(),
            name: name.to_owned(),
            instance_type: instance_type.to_owned(),
            status: "InService".to_owned(),
            tags,
            created_at: instant(making.today - 2.days()),
        });
    }
}

fn open_file_system(making: &mut Making<'_>, home: &Home<'_>) {
    let file_system = format!("fs-0{}", &uuid(&mut making.rng).replace('-', "")[..16]);
    let gib = making.rng.random_range(200..900_i64);
    let tags = Tags::from([("ManagedByAmazonSageMakerResource".to_owned(), home.domain_arn())]);
    making.organisation.file_systems.push(FileSystem {
        account: home.template.account.clone(),
        region: home.template.region.clone(),
        id: file_system.clone(),
        creation_token: home.id.clone(),
        size_bytes: u64::try_from(gib).expect("sizes are positive") << 30,
        tags: tags.clone(),
        created_at: instant(home.created),
    });
    if let Some(domain) = making.organisation.domains.last_mut() {
        domain.home_efs = Some(file_system);
    }
    work::home_storage(making, home, tags, gib);
}
