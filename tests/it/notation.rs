//! A notation for inventories and verdicts: one thing a line.

use apportion::arn::{AccountId, DomainId, DomainKey, SpaceName, UserProfileName};
use apportion::evidence::Verdict;
use apportion::inventory::{
    App, Domain, FileSystem, Gap, Inventory, Origin, Resource, Space, Tags, UserProfile,
    Whereabouts,
};
use jiff::Timestamp;

const REGION: &str = "eu-west-1";
const ACCOUNT: &str = "111122223333";

fn arn(region: &str, path: &str) -> String {
    format!("arn:aws:sagemaker:{region}:{ACCOUNT}:{path}")
}

fn role(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/{name}")
}

/// Reads an inventory, one thing a line: a kind, a name (`@region` for another one), and words `key=value`.
///
/// `domain=`, `user=` and `space=` are tags; `by`, `parent`, `uses` and `role` say where it comes from.
pub(crate) fn inventory(text: &str) -> Inventory {
    let mut inventory = Inventory::default();
    for region in [REGION, "us-east-1"] {
        let account = AccountId::parse(ACCOUNT).unwrap();
        inventory.listed.insert(Whereabouts { account, region: region.to_owned() });
    }
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let Some(kind) = words.next() else { continue };
        let name = words.next().unwrap_or_default();
        let pairs: Vec<(&str, &str)> = words.filter_map(|word| word.split_once('=')).collect();
        thing(&mut inventory, kind, name, &pairs);
    }
    inventory
}

fn thing(inventory: &mut Inventory, kind: &str, name: &str, pairs: &[(&str, &str)]) {
    let get = |key: &str| pairs.iter().find(|pair| pair.0 == key).map(|pair| pair.1);
    let (name, region) = name.split_once('@').unwrap_or((name, REGION));
    let account = AccountId::parse(ACCOUNT).unwrap();
    let last_seen_at = Timestamp::UNIX_EPOCH;
    let within = || {
        let (domain, name) = name.split_once('/').unwrap();
        (DomainId::parse(domain).unwrap(), name)
    };
    match kind {
        "unlisted" => inventory.listed.clear(),
        "gap" => inventory.gaps.push(Gap {
            account: ACCOUNT.to_owned(),
            region: region.to_owned(),
            operation: name.to_owned(),
            code: "AccessDeniedException".to_owned(),
            message: String::new(),
        }),
        "domain" => inventory.domains.push(Domain {
            key: DomainKey {
                account,
                region: region.to_owned(),
                id: DomainId::parse(name).unwrap(),
            },
            arn: arn(region, &format!("domain/{name}")),
            name: name.replace("d-", "team-"),
            execution_role: get("role").map(role),
            space_role: None,
            tag_propagation: None,
            home_efs: get("home").map(str::to_owned),
            tags: Tags::new(),
            last_seen_at,
            gone_by: None,
        }),
        "profile" => inventory.user_profiles.push(UserProfile {
            domain: within().0,
            name: UserProfileName::parse(within().1).unwrap(),
            sso_value: None,
            execution_role: get("role").map(role),
            tags: tags(pairs),
            last_seen_at,
            gone_by: None,
        }),
        "space" => inventory.spaces.push(Space {
            domain: within().0,
            name: SpaceName::parse(within().1).unwrap(),
            owner: None,
            shared: None,
            volume_gib: None,
            tags: tags(pairs),
            last_seen_at,
            gone_by: None,
        }),
        "app" => inventory.apps.push(app(within().0, within().1, pairs)),
        "file-system" => inventory.file_systems.push(FileSystem {
            account,
            region: region.to_owned(),
            id: name.to_owned(),
            managed_by: get("managed").map(|domain| arn(region, &format!("domain/{domain}"))),
            tags: tags(pairs),
            size_bytes: 1,
            last_seen_at,
        }),
        kind => inventory.resources.push(resource(kind, name, region, pairs)),
    }
}

fn app(domain: DomainId, name: &str, pairs: &[(&str, &str)]) -> App {
    let get = |key: &str| pairs.iter().find(|pair| pair.0 == key).map(|pair| pair.1);
    App {
        domain,
        user_profile: Some("ana".to_owned()),
        space: None,
        app_type: get("type").unwrap_or("KernelGateway").to_owned(),
        name: name.to_owned(),
        instance_type: get("on").map(str::to_owned),
        status: get("status").unwrap_or("InService").to_owned(),
        tags: tags(pairs),
        last_seen_at: Timestamp::UNIX_EPOCH,
    }
}

fn resource(kind: &str, name: &str, region: &str, pairs: &[(&str, &str)]) -> Resource {
    let get = |key: &str| pairs.iter().find(|pair| pair.0 == key).map(|pair| pair.1);
    Resource {
        account: AccountId::parse(ACCOUNT).unwrap(),
        region: region.to_owned(),
        kind: kind.to_owned(),
        name: name.to_owned(),
        arn: arn(region, &format!("{kind}/{name}")),
        status: get("status").map(str::to_owned),
        tags: (!tags(pairs).is_empty()).then(|| tags(pairs)),
        created_at: None,
        origin: Origin {
            role: get("role").map(role),
            created_by: get("by").map(|id| DomainId::parse(id).unwrap()),
            parents: arns(pairs, "parent", region),
            uses: arns(pairs, "uses", region),
        },
        last_seen_at: Timestamp::UNIX_EPOCH,
    }
}

fn arns(pairs: &[(&str, &str)], key: &str, region: &str) -> Vec<String> {
    let of_key = pairs.iter().filter(|pair| pair.0 == key);
    of_key.map(|pair| arn(region, pair.1)).collect()
}

fn tags(pairs: &[(&str, &str)]) -> Tags {
    let mut tags = Tags::new();
    for (key, value) in pairs {
        let (value, region) = value.split_once('@').unwrap_or((value, REGION));
        let (key, path) = match *key {
            "domain" => ("sagemaker:domain-arn", "domain"),
            "user" => ("sagemaker:user-profile-arn", "user-profile"),
            "space" => ("sagemaker:space-arn", "space"),
            "shared" => ("sagemaker:shared-space-arn", "space"),
            "more" => {
                let count: usize = value.parse().unwrap();
                tags.extend((0..count).map(|index| (format!("k{index}"), String::new())));
                continue;
            }
            _ => continue,
        };
        let value = value
            .strip_prefix("raw:")
            .map_or_else(|| arn(region, &format!("{path}/{value}")), str::to_owned);
        tags.insert(key.to_owned(), value);
    }
    tags
}

/// Tells a verdict in a few words.
pub(crate) fn told(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Tagged(domain) => format!("tagged {}", domain.id),
        Verdict::Proposed { domain, confidence } => format!("{} {}", domain.id, confidence.name()),
        Verdict::Idle { domain, confidence } => format!("idle {} {}", domain.id, confidence.name()),
        Verdict::Contradiction { to: Some(to) } => format!("contradiction {}", to.id),
        Verdict::Tie(candidates) => {
            let ids: Vec<&str> = candidates.iter().map(|domain| domain.id.as_str()).collect();
            format!("tie {}", ids.join(" "))
        }
        other => other.name().to_owned(),
    }
}
