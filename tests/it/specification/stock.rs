//! Owns the inventories of examples: what exists, and what an earlier snapshot knew.

use std::collections::BTreeMap;

use apportion::arn::{AccountId, DomainId, DomainKey, SpaceName, UserProfileName};
use apportion::inventory::{Domain, Inventory, Space, UserProfile, Whereabouts};
use jiff::Timestamp;

use super::bill::TAKEN_AT;
use super::document::cells;
use super::notation::{ACCOUNT, REGION};

/// When an earlier snapshot saw what a row gives no day for.
const EARLIER: &str = "2026-08-31T00:00:00Z";

/// Reads the rows `inventory …` and `earlier …`; without any, no account and region was read.
pub(crate) fn inventory(rows: &[String]) -> Inventory {
    let (mut now, mut earlier) = (Inventory::default(), Inventory::default());
    for row in rows {
        let cells = cells(row);
        let words: Vec<&str> = cells[1].split(' ').collect();
        match cells[0] {
            "inventory" => put(&mut now, &words, &cells[2..], TAKEN_AT.parse().unwrap()),
            "earlier" => {
                let seen = cells.iter().find_map(|cell| cell.strip_prefix("last seen "));
                let at = seen.map_or(EARLIER.to_owned(), |day| format!("{day}T00:00:00Z"));
                put(&mut earlier, &words, &cells[2..], at.parse().unwrap());
            }
            _ => continue,
        }
        let account = AccountId::parse(ACCOUNT).unwrap();
        now.listed.insert(Whereabouts { account, region: REGION.to_owned() });
    }
    now.carry_forward(&earlier, TAKEN_AT.parse().unwrap());
    now
}

fn put(inventory: &mut Inventory, words: &[&str], more: &[&str], last_seen_at: Timestamp) {
    let [kind, path] = words else { return };
    let (domain, name) = path.split_once('/').unwrap_or((path, ""));
    let domain = DomainId::parse(domain).unwrap();
    let tags: BTreeMap<String, String> = more
        .iter()
        .filter_map(|cell| cell.strip_prefix("tag ")?.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    let sso_value = more.iter().find_map(|cell| cell.strip_prefix("sso ")).map(str::to_owned);
    let details = more.first().copied().unwrap_or_default();
    match *kind {
        "domain" => inventory.domains.push(Domain {
            key: DomainKey {
                account: AccountId::parse(ACCOUNT).unwrap(),
                region: REGION.to_owned(),
                id: domain,
            },
            arn: String::new(),
            name: details.trim_matches('"').to_owned(),
            execution_role: None,
            space_role: None,
            tag_propagation: None,
            home_efs: None,
            tags,
            last_seen_at,
            gone_by: None,
        }),
        "user-profile" => inventory.user_profiles.push(UserProfile {
            domain,
            name: UserProfileName::parse(name).unwrap(),
            sso_value,
            execution_role: None,
            tags,
            last_seen_at,
            gone_by: None,
        }),
        "space" => {
            let owner = details.strip_prefix("private, owner ");
            inventory.spaces.push(Space {
                domain,
                name: SpaceName::parse(name).unwrap(),
                owner: owner.map(|name| UserProfileName::parse(name).unwrap()),
                shared: match (owner, details) {
                    (Some(_), _) => Some(false),
                    (None, "shared") => Some(true),
                    (None, other) => panic!("a space is private or shared, not `{other}`"),
                },
                volume_gib: None,
                tags,
                last_seen_at,
                gone_by: None,
            });
        }
        other => panic!("no example lists a {other}"),
    }
}
