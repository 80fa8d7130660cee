//! Owns the index of what exists: every taggable thing by its ARN, and resources by where and of what kind they are.
//!
//! **Invariant:** tells where a thing stands in the organisation and nothing that a request may change.

use std::collections::BTreeMap;
use std::ops::Range;

use super::organisation::Organisation;
use super::reach::{self, Place};
use super::wire::Caller;
use super::world::World;

/// Where everything stands.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// How many things of each sort there were when it was made.
    counts: [usize; 6],
    /// In order of the ARN; a deleted thing and its successor may share theirs.
    arns: Vec<(String, Place)>,
    /// Accounts' and regions' resources by kind, in order of creation.
    kinds: BTreeMap<[String; 3], Vec<usize>>,
    /// Domains by their ids.
    domains: BTreeMap<String, usize>,
}

/// Makes the index anew if something came or went since it was made.
pub(super) fn refresh(world: &mut World) {
    if world.index.counts != counts(&world.organisation) {
        world.index = Index::of(&world.organisation);
    }
}

impl Index {
    fn of(organisation: &Organisation) -> Index {
        let mut index = Index { counts: counts(organisation), ..Index::default() };
        let mut homes: BTreeMap<&str, Caller> = BTreeMap::new();
        for (at, domain) in organisation.domains.iter().enumerate() {
            let (account, region) = (domain.account.clone(), domain.region.clone());
            let home = homes.entry(&domain.id).or_insert(Caller { account, region });
            index.arns.push((reach::domain_arn(home, &domain.id), Place::Domain(at)));
            index.domains.insert(domain.id.clone(), at);
        }
        let arns = &mut index.arns;
        for (at, profile) in organisation.user_profiles.iter().enumerate() {
            if let Some(home) = homes.get(profile.domain.as_str()) {
                arns.push((reach::user_profile_arn(home, profile), Place::UserProfile(at)));
            }
        }
        for (at, space) in organisation.spaces.iter().enumerate() {
            if let Some(home) = homes.get(space.domain.as_str()) {
                arns.push((reach::space_arn(home, space), Place::Space(at)));
            }
        }
        for (at, app) in organisation.apps.iter().enumerate() {
            if let Some(home) = homes.get(app.domain.as_str()) {
                arns.push((reach::app_arn(home, app), Place::App(at)));
            }
        }
        for (at, resource) in organisation.resources.iter().enumerate() {
            arns.push((reach::resource_arn(resource).into_owned(), Place::Resource(at)));
            let key = [&resource.account, &resource.region, &resource.kind].map(String::clone);
            index.kinds.entry(key).or_default().push(at);
        }
        for (at, system) in organisation.file_systems.iter().enumerate() {
            arns.push((reach::file_system_arn(system), Place::FileSystem(at)));
        }
        arns.sort();
        for places in index.kinds.values_mut() {
            let key = |at: &usize| {
                let resource = &organisation.resources[*at];
                (resource.created_at, &resource.name)
            };
            places.sort_by(|one, other| key(one).cmp(&key(other)));
        }
        index
    }

    /// Returns the positions of an account's and region's resources of one kind.
    pub(super) fn of_kind(&self, caller: &Caller, kind: &str) -> &[usize] {
        let key = [caller.account.clone(), caller.region.clone(), kind.to_owned()];
        self.kinds.get(&key).map_or(&[], Vec::as_slice)
    }

    /// Returns the position of a domain.
    pub(super) fn domain(&self, id: &str) -> Option<usize> {
        self.domains.get(id).copied()
    }

    /// Returns everything whose ARN that is; more than one when a deleted thing has a successor.
    pub(super) fn at(&self, arn: &str) -> impl Iterator<Item = Place> {
        let start = self.arns.partition_point(|(known, _)| known.as_str() < arn);
        self.arns[start..].iter().take_while(move |(known, _)| known == arn).map(|it| it.1)
    }

    /// Returns the positions of what has an ARN that starts so.
    pub(super) fn range(&self, start: &str) -> Range<usize> {
        let first = self.arns.partition_point(|(arn, _)| arn.as_str() < start);
        let count = self.arns[first..].partition_point(|(arn, _)| arn.starts_with(start));
        first..first + count
    }

    /// Returns what stands at a position.
    pub(super) fn entry(&self, at: usize) -> (&str, Place) {
        let (arn, place) = &self.arns[at];
        (arn, *place)
    }
}

fn counts(organisation: &Organisation) -> [usize; 6] {
    let Organisation { domains, user_profiles, spaces, apps, resources, file_systems, .. } =
        organisation;
    [
        domains.len(),
        user_profiles.len(),
        spaces.len(),
        apps.len(),
        resources.len(),
        file_systems.len(),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::sample::{DOMAIN_ARN, member, resource, world};
    use super::*;

    #[test]
    fn what_comes_and_goes_is_found_and_lost() {
        let mut world = world();
        refresh(&mut world);
        assert_eq!(world.index.at(DOMAIN_ARN).collect::<Vec<_>>(), [Place::Domain(0)]);
        let jobs = |world: &World| world.index.of_kind(&member(), "training-job").len();
        assert_eq!(jobs(&world), 0);
        world.organisation.resources.push(resource("training-job", "one", "Completed"));
        refresh(&mut world);
        assert_eq!(jobs(&world), 1);
        let arn = world.organisation.resources.pop().unwrap().arn;
        assert_eq!(world.index.at(&arn).count(), 1);
        refresh(&mut world);
        assert_eq!(world.index.at(&arn).count(), 0);
    }

    #[test]
    fn a_range_has_what_starts_so_in_order() {
        let mut world = world();
        refresh(&mut world);
        let range = world.index.range("arn:aws:sagemaker:eu-west-1:444455556666:processing-job/");
        let names: Vec<&str> = range.map(|at| world.index.entry(at).0).collect();
        assert_eq!(names.len(), 12);
        assert!(names.is_sorted() && names[11].ends_with("/p11"), "{names:?}");
        assert!(world.index.range("arn:aws:s3:").is_empty());
    }
}
