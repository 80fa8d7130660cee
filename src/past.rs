//! Owns what is remembered of things that exist no more: when they were last listed, and by when they were gone.
//!
//! **Invariant:** what was ever listed keeps its name, and nothing ends before a complete listing lacks it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::arn::DomainId;
use crate::inventory::{Domain, Gap, Inventory, Space, Tags, UserProfile, Whereabouts};

/// Something that can end.
trait Mortal: Clone {
    fn last_seen_at(&self) -> Timestamp;
    fn gone_by(&mut self) -> &mut Option<Timestamp>;
    fn tags(&mut self) -> &mut Tags;
    fn sso_value(&mut self) -> Option<&mut Option<String>> {
        None
    }
}

macro_rules! mortal {
    ($($name:ident $(, $sso:ident)?;)*) => {$(
        impl Mortal for $name {
            fn last_seen_at(&self) -> Timestamp {
                self.last_seen_at
            }
            fn gone_by(&mut self) -> &mut Option<Timestamp> {
                &mut self.gone_by
            }
            fn tags(&mut self) -> &mut Tags {
                &mut self.tags
            }
            $(fn sso_value(&mut self) -> Option<&mut Option<String>> {
                Some(&mut self.$sso)
            })?
        }
    )*};
}

mortal! {
    Domain;
    Space;
    UserProfile, sso_value;
}

/// Where a listing was whole, and what of it could not be read.
struct Look {
    at: Timestamp,
    listed: BTreeSet<Whereabouts>,
    untagged: BTreeSet<(String, String)>,
    undescribed: BTreeSet<(String, String)>,
}

impl Look {
    /// Looks at an inventory that was begun at a time.
    fn new(inventory: &Inventory, at: Timestamp) -> Look {
        let lacking = |operations: &[&str]| {
            let is_lacking = |gap: &&Gap| operations.contains(&gap.operation.as_str());
            let gaps = inventory.gaps.iter().filter(is_lacking);
            gaps.map(|gap| (gap.account.clone(), gap.region.clone())).collect()
        };
        Look {
            at,
            listed: inventory.listed.clone(),
            untagged: lacking(&["GetResources", "ListTags", "*"]),
            undescribed: lacking(&["DescribeUserProfile", "*"]),
        }
    }
}

impl Inventory {
    /// Takes in what an earlier inventory knew and this one, of the time `at`, lacks.
    ///
    /// Several may be taken in, in any order.
    pub fn carry_forward(&mut self, earlier: &Inventory, at: Timestamp) {
        for (id, name) in &earlier.accounts {
            self.accounts.entry(id.clone()).or_insert_with(|| name.clone());
        }
        let look = Look::new(self, at);
        let home = |domain: &Domain| Whereabouts {
            account: domain.key.account.clone(),
            region: domain.key.region.clone(),
        };
        remember(
            &mut self.domains,
            &earlier.domains,
            |it| it.key.clone(),
            |it| Some(home(it)),
            &look,
        );
        let homes: BTreeMap<DomainId, Whereabouts> =
            self.domains.iter().map(|domain| (domain.key.id.clone(), home(domain))).collect();
        let profile = |it: &UserProfile| (it.domain.clone(), it.name.clone());
        let place = |it: &UserProfile| homes.get(&it.domain).cloned();
        remember(&mut self.user_profiles, &earlier.user_profiles, profile, place, &look);
        let space = |it: &Space| (it.domain.clone(), it.name.clone());
        let place = |it: &Space| homes.get(&it.domain).cloned();
        remember(&mut self.spaces, &earlier.spaces, space, place, &look);
        let known: BTreeSet<String> = self.file_systems.iter().map(|it| it.id.clone()).collect();
        let gone = earlier.file_systems.iter().filter(|it| !known.contains(&it.id));
        self.file_systems.extend(gone.cloned());
        self.sort();
    }
}

fn remember<T: Mortal, K: Ord>(
    current: &mut Vec<T>,
    earlier: &[T],
    key: impl Fn(&T) -> K,
    home: impl Fn(&T) -> Option<Whereabouts>,
    look: &Look,
) {
    let places: BTreeMap<K, usize> =
        current.iter().enumerate().map(|(place, item)| (key(item), place)).collect();
    for item in earlier {
        match places.get(&key(item)) {
            None => current.push(item.clone()),
            Some(place) if current[*place].last_seen_at() < look.at => {
                current[*place] = later(&current[*place], item);
            }
            Some(place) => {
                let home = home(item).map(|it| (it.account.to_string(), it.region));
                let lacks =
                    |places: &BTreeSet<_>| home.as_ref().is_some_and(|it| places.contains(it));
                fill(&mut current[*place], item, lacks(&look.untagged), lacks(&look.undescribed));
            }
        }
    }
    for item in current.iter_mut().filter(|item| item.last_seen_at() < look.at) {
        let is_looked_for = home(item).is_some_and(|home| look.listed.contains(&home));
        let gone_by = item.gone_by();
        if gone_by.is_none() && is_looked_for {
            *gone_by = Some(look.at);
        }
    }
}

/// Joins what two earlier inventories knew: the later sight, and the first look after it that found nothing.
fn later<T: Mortal>(one: &T, other: &T) -> T {
    let (mut one, mut other) = (one.clone(), other.clone());
    let ends = [*one.gone_by(), *other.gone_by()];
    let mut last = if other.last_seen_at() > one.last_seen_at() { other } else { one };
    let seen = last.last_seen_at();
    *last.gone_by() = ends.into_iter().flatten().filter(|end| *end > seen).min();
    last
}

/// Keeps what could be read earlier and not this time.
fn fill<T: Mortal>(item: &mut T, earlier: &T, is_untagged: bool, is_undescribed: bool) {
    let mut earlier = earlier.clone();
    if is_untagged && item.tags().is_empty() {
        item.tags().append(earlier.tags());
    }
    if let (true, Some(sso), Some(known)) = (is_undescribed, item.sso_value(), earlier.sso_value())
        && sso.is_none()
    {
        *sso = known.take();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::arn::{AccountId, DomainKey, SpaceName, UserProfileName};

    const MAY: &str = "2026-05-20T00:00:00Z";
    const JUNE: &str = "2026-06-20T00:00:00Z";
    const JULY: &str = "2026-07-20T00:00:00Z";
    const AUGUST: &str = "2026-08-20T00:00:00Z";

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// An inventory of a time, with a domain and in it these user profiles and a space of each.
    fn listed(when: &str, names: &[&str]) -> Inventory {
        let home = Whereabouts {
            account: AccountId::parse("111122223333").unwrap(),
            region: "us-east-1".to_owned(),
        };
        let domain = DomainId::parse("d-a").unwrap();
        let (last_seen_at, gone_by) = (at(when), None);
        let key = DomainKey {
            account: home.account.clone(),
            region: home.region.clone(),
            id: domain.clone(),
        };
        let profile = |name: &&str| UserProfile {
            domain: domain.clone(),
            name: UserProfileName::parse(name).unwrap(),
            sso_value: Some(format!("{name}@x")),
            execution_role: None,
            tags: Tags::from([("team".to_owned(), "ml".to_owned())]),
            last_seen_at,
            gone_by,
        };
        let space = |name: &&str| Space {
            domain: domain.clone(),
            name: SpaceName::parse(name).unwrap(),
            owner: Some(UserProfileName::parse(name).unwrap()),
            shared: Some(false),
            volume_gib: None,
            tags: Tags::new(),
            last_seen_at,
            gone_by,
        };
        Inventory {
            user_profiles: names.iter().map(profile).collect(),
            spaces: names.iter().map(space).collect(),
            domains: vec![Domain {
                key,
                arn: String::new(),
                name: "research".to_owned(),
                execution_role: None,
                space_role: None,
                tag_propagation: None,
                home_efs: None,
                tags: Tags::new(),
                last_seen_at,
                gone_by,
            }],
            listed: BTreeSet::from([home]),
            ..Inventory::default()
        }
    }

    /// When each user profile was last seen, and by when it was gone.
    fn days(inventory: &Inventory) -> String {
        for (profile, space) in inventory.user_profiles.iter().zip(&inventory.spaces) {
            assert_eq!(
                (profile.last_seen_at, profile.gone_by),
                (space.last_seen_at, space.gone_by)
            );
        }
        let day = |time: Timestamp| time.strftime("%m-%d").to_string();
        let profiles = inventory.user_profiles.iter().map(|it| {
            let gone = it.gone_by.map_or("-".to_owned(), day);
            format!("{} {} {gone}", it.name, day(it.last_seen_at))
        });
        profiles.collect::<Vec<_>>().join(", ")
    }

    /// What is known at a time after each earlier inventory was taken in.
    fn after(mut now: Inventory, when: &str, earlier: &[&Inventory]) -> Inventory {
        for earlier in earlier {
            now.carry_forward(earlier, at(when));
        }
        now
    }

    #[test]
    fn an_end_lies_between_the_last_sight_and_the_first_look_that_found_nothing() {
        let may = listed(MAY, &["ana", "ben"]);
        let june = after(listed(JUNE, &["ben"]), JUNE, &[&may]);
        assert_eq!(days(&june), "ana 05-20 06-20, ben 06-20 -");
        let july = after(listed(JULY, &["ben"]), JULY, &[&june]);
        assert_eq!(days(&july), "ana 05-20 06-20, ben 07-20 -");
        // The same from the oldest, and in any order: what was skipped is made up for.
        let july = || listed(JULY, &["ben"]);
        assert_eq!(days(&after(july(), JULY, &[&may])), "ana 05-20 07-20, ben 07-20 -");
        for order in [[&may, &june], [&june, &may]] {
            assert_eq!(days(&after(july(), JULY, &order)), "ana 05-20 06-20, ben 07-20 -");
        }
        // What exists again has no end.
        let august =
            after(listed(AUGUST, &["ana", "ben"]), AUGUST, &[&after(july(), JULY, &[&june])]);
        assert_eq!(days(&august), "ana 08-20 -, ben 08-20 -");
    }

    #[test]
    fn where_nobody_looked_nothing_ends_and_nothing_is_lost() {
        let may = listed(MAY, &["ana"]);
        let nowhere = || Inventory { listed: BTreeSet::new(), ..listed(JUNE, &[]) };
        let elsewhere = || Inventory::default();
        for june in [nowhere(), elsewhere()] {
            let june = after(june, JUNE, &[&may]);
            assert_eq!(days(&june), "ana 05-20 -");
            assert_eq!(days(&after(listed(JULY, &[]), JULY, &[&june])), "ana 05-20 07-20");
        }
        // A domain that is gone takes its people with it.
        let without = Inventory { domains: Vec::new(), ..listed(JUNE, &[]) };
        let june = after(without, JUNE, &[&may]);
        assert_eq!(days(&june), "ana 05-20 06-20");
        assert_eq!(june.domains[0].gone_by, Some(at(JUNE)));
        // Two that never knew of each other: seen again in June, and looked for in vain in August.
        let august = after(listed(AUGUST, &[]), AUGUST, &[&may]);
        let known = after(elsewhere(), AUGUST, &[&august, &listed(JUNE, &["ana"])]);
        assert_eq!(days(&known), "ana 06-20 08-20");
    }

    #[test]
    fn what_could_not_be_read_again_is_as_it_was() {
        let may = listed(MAY, &["ana"]);
        for (operation, tags, sso) in [
            ("GetResources", 1, None),
            ("DescribeUserProfile", 0, Some("ana@x")),
            ("*", 1, Some("ana@x")),
            ("ListApps", 0, None),
        ] {
            let mut june = listed(JUNE, &["ana"]);
            june.user_profiles[0].tags.clear();
            june.user_profiles[0].sso_value = None;
            june.gaps.push(Gap {
                account: "111122223333".to_owned(),
                region: "us-east-1".to_owned(),
                operation: operation.to_owned(),
                code: String::new(),
                message: String::new(),
            });
            let june = after(june, JUNE, &[&may]);
            let profile = &june.user_profiles[0];
            assert_eq!(
                (profile.tags.len(), profile.sso_value.as_deref()),
                (tags, sso),
                "{operation}"
            );
            assert_eq!(days(&june), "ana 06-20 -");
        }
    }
}
