//! Owns what is planned of isolation policies as tables: domains with their roles, and what IAM has.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail their test")]

use apportion::arn::{AccountId, DomainId, DomainKey};
use apportion::inventory::{Domain, Gap, Inventory, Tags, Whereabouts};
use apportion::isolation::{Found, Isolation, PREFIX};
use apportion::isolation_check::{check, check_fit, check_form};
use apportion::isolation_document::domain_arn;
use apportion::isolation_plan::{Present, Wanted, plan, way};
use apportion::plan::{Change, Item, Plan, PlanKind};
use apportion::role::role_name;
use jiff::Timestamp;
use serde_json::{Value, json};

const ACCOUNT: &str = "111122223333";

fn key(name: &str) -> DomainKey {
    let account = AccountId::parse(ACCOUNT).unwrap();
    let id = DomainId::parse(&format!("d-{name}")).unwrap();
    DomainKey { account, region: "eu-west-1".to_owned(), id }
}

/// A document that is about a domain, in an edition.
fn text(name: &str, edition: &str) -> Value {
    json!({ "Id": edition, "Statement": [{ "Resource": domain_arn(&key(name), "aws") }] })
}

/// Makes an inventory of `name:role role, …`, where a role may be `name@account`.
fn inventory(text: &str, words: &str) -> Inventory {
    let mut inventory = Inventory::default();
    for domain in text.split(", ").filter(|it| !it.is_empty()) {
        let (name, roles) = domain.split_once(':').unwrap();
        let mut roles = roles.split_whitespace().map(|role| {
            let (role, account) = role.split_once('@').unwrap_or((role, ACCOUNT));
            format!("arn:aws:iam::{account}:role/service-role/{role}")
        });
        inventory.domains.push(Domain {
            arn: domain_arn(&key(name), "aws"),
            key: key(name),
            name: name.to_owned(),
            execution_role: roles.next(),
            space_role: roles.next(),
            tag_propagation: None,
            home_efs: None,
            tags: Tags::new(),
            last_seen_at: Timestamp::UNIX_EPOCH,
            gone_by: None,
        });
    }
    if words.contains("unread") {
        let [account, region, operation, code, message] =
            [ACCOUNT, "eu-west-1", "DescribeDomain", "AccessDenied", ""].map(str::to_owned);
        inventory.gaps.push(Gap { account, region, operation, code, message });
    } else {
        let DomainKey { account, region, .. } = key("a");
        inventory.listed.insert(Whereabouts { account, region });
    }
    inventory
}

/// Makes what is there of `path/name=edition:role role+count, …`.
fn present(listing: &str) -> Present {
    let one = |found: &str| {
        let (name, rest) = found.split_once('=').unwrap();
        let (edition, rest) = rest.split_once(':').unwrap();
        let (roles, elsewhere) = rest.split_once('+').unwrap_or((rest, "0"));
        let (path, name) = name.rsplit_once('/').unwrap_or(("", name));
        let arn = format!("arn:aws:iam::{ACCOUNT}:policy{path}/{PREFIX}d-{name}");
        let roles = roles.split_whitespace().map(str::to_owned).collect();
        let isolation = Isolation::new(&text(name, edition), roles);
        (arn, Found { isolation, elsewhere: elsewhere.parse().unwrap() })
    };
    Present::new(listing.split(", ").filter(|it| !it.is_empty()).map(one).collect())
}

fn told(domains: &str, found: &str, words: &str) -> String {
    let inventory = inventory(domains, words);
    let of = |it: &Domain| (it.key.clone(), text(&it.key.id.as_str()[2..], "new"));
    let wanted = Wanted {
        inventory: &inventory,
        documents: &inventory.domains.iter().map(of).collect(),
        named: &words
            .split_whitespace()
            .filter(|it| it.starts_with("d-"))
            .map(str::to_owned)
            .collect(),
        regions: &words
            .split_whitespace()
            .filter(|it| it.starts_with("eu-") || it.starts_with("us-"))
            .map(str::to_owned)
            .collect(),
        is_pruning: words.contains("prune"),
    };
    let account = AccountId::parse(ACCOUNT).unwrap();
    let plan = plan(&wanted, &present(found), &account, Timestamp::UNIX_EPOCH);
    assert_eq!(check_form(&plan), Ok(()));
    let short = |id: &str| id.split(":policy").nth(1).unwrap_or(id).replace(PREFIX, "");
    let items = plan.items.iter().map(|it| {
        let roles = it.change.to().map(|it| it.roles.iter().cloned().collect::<Vec<_>>());
        format!("{}{}[{}]", it.change.sign(), short(&it.id), roles.unwrap_or_default().join(" "))
    });
    let left = plan
        .left
        .iter()
        .map(|it| format!("{} {}", it.verdict, role_name(&it.id).replace(PREFIX, "")));
    items.chain(left).collect::<Vec<String>>().join(", ")
}

#[test]
fn what_is_planned_follows_from_domains_roles_and_what_is_there() {
    for (domains, found, words, expected) in [
        ("a:r s, b:t", "", "", "+/d-a[r s], +/d-b[t]"),
        ("a:r, b:t", "a=new:r, b=new:t", "", "=/d-a[r], =/d-b[t]"),
        ("a:r", "/team/a=new:r", "", "=/team/d-a[r]"),
        ("a:r s", "a=old:r", "", "~/d-a[r s]"),
        ("a:r", "a=new:r x", "", "=/d-a[r x], attached d-a"),
        ("a:r", "a=new:r x", "prune", "~/d-a[r]"),
        ("a:r, b:r s", "", "", "+/d-b[s], no_role d-a, shared_role r"),
        ("a:r, b:r", "a=new:r", "prune", "~/d-a[], no_role d-b, shared_role r"),
        ("a:r@444455556666", "", "", "no_role d-a, other_account r"),
        ("a:", "", "", "no_role d-a"),
        ("a:r", "b=old:t", "", "+/d-a[r], domain_gone d-b"),
        ("a:r", "b=old:t", "prune", "+/d-a[r], -/d-b[]"),
        ("a:r", "b=old:t+2", "prune", "+/d-a[r], attached_elsewhere d-b"),
        ("a:r", "a=old:r, b=old:t", "prune unread", "unread d-a, unread d-b"),
        ("a:r, b:t", "", "d-b", "+/d-b[t]"),
        ("a:r", "a=old:r, b=old:t", "prune d-b", "-/d-b[]"),
        ("a:r", "b=old:t", "prune eu-west-1", "+/d-a[r], -/d-b[]"),
        ("a:r", "b=old:t", "prune us-east-1", ""),
        // With two domains' policies a role could use neither.
        ("a:r s, b:t", "b=new:t r", "", "+/d-a[s], =/d-b[r t], attached d-b, other_policy r"),
        ("a:r, b:t", "b=new:t r", "", "=/d-b[r t], attached d-b, other_policy r"),
        ("a:r, b:t", "b=new:t r", "prune", "+/d-a[r], ~/d-b[t]"),
        ("a:r", "b=old:r", "", "domain_gone d-b, other_policy r"),
    ] {
        assert_eq!(told(domains, found, words), expected, "{domains}; {found}; {words}");
    }
}

#[test]
fn on_the_way_nothing_is_stale_and_beside_it_everything() {
    let state = |it: &str| present(it).isolations.into_values().next();
    let (from, to) = (state("a=old:r x"), state("a=new:r s"));
    let way = way(from.as_ref(), to.as_ref());
    let expected = ["a=old:r x", "a=new:r x", "a=new:r", "a=new:r s"].map(state);
    assert_eq!(way, expected);
    let id = present("a=old:r").isolations.into_keys().next().unwrap();
    let change = Change::between(from, to).unwrap();
    let items = vec![Item::of(&id, change)];
    let account = AccountId::parse(ACCOUNT).unwrap();
    let mut plan = Plan::new(PlanKind::Isolation, account, Timestamp::UNIX_EPOCH, items);
    for (found, is_stale) in [
        ("a=old:r x", false),
        ("a=new:r x", false),
        ("a=new:r", false),
        ("a=new:r s", false),
        ("a=old:r", true),
        ("a=new:r s x", true),
        ("a=odd:r x", true),
        ("", true),
    ] {
        assert_eq!(!check(&plan, &present(found)).is_empty(), is_stale, "{found}");
    }
    for (id, is_right) in [
        ("arn:aws:iam::111122223333:policy/StudioDomainResourceIsolationPolicy-d-1", true),
        ("arn:aws:iam::111122223333:policy/StudioDomainResourceIsolationPolicy-", false),
        ("arn:aws:iam::111122223333:policy/other", false),
        ("arn:aws:iam::aws:policy/StudioDomainResourceIsolationPolicy-d-1", false),
        ("arn:aws:iam::111122223333:policy/StudioDomainResourceIsolationPolicy-evil", false),
        ("arn:aws:iam::111122223333:role/StudioDomainResourceIsolationPolicy-d-1", false),
    ] {
        id.clone_into(&mut plan.items[0].id);
        assert_eq!(check_form(&plan).is_ok(), is_right, "{id}");
    }
}

#[test]
fn a_file_is_executed_only_where_it_fits_what_exists() {
    let written = |it: &Domain| vec![text(&it.key.id.as_str()[2..], "new")];
    let told = |domains: &str, from: &str, to: &str| {
        let state = |it: &str| present(it).isolations.into_iter().next();
        let (from, to) = (state(from), state(to));
        let id = to.as_ref().or(from.as_ref()).map(|it| it.0.clone()).unwrap();
        let change = Change::between(from.map(|it| it.1), to.map(|it| it.1)).unwrap();
        let items = vec![Item::of(&id, change)];
        let account = AccountId::parse(ACCOUNT).unwrap();
        let plan = Plan::new(PlanKind::Isolation, account, Timestamp::UNIX_EPOCH, items);
        let why = check_fit(&plan, &inventory(domains, ""), &written).err().unwrap_or_default();
        why.replace("arn:aws:iam::111122223333:policy/StudioDomainResourceIsolationPolicy-", "")
    };
    for (domains, from, to, expected) in [
        ("a:r", "", "a=new:r", ""),
        ("a:r", "a=old:r", "a=new:r", ""),
        ("a:r", "a=old:r x", "a=new:r x", ""),
        ("b:r", "", "a=new:r", "the domain of `d-a` is not there where it was looked"),
        (
            "a:r",
            "",
            "a=evil:r",
            "the document of `d-a` is none that is written for its domain with this configuration",
        ),
        ("a:r", "", "a=new:r x", "role `x` of `d-a` is not its domain's alone"),
        ("a:r, b:r", "", "a=new:r", "role `r` of `d-a` is not its domain's alone"),
        ("a:r", "a=old:r", "", "the domain of `d-a` is there"),
        ("b:r", "a=old:r", "", ""),
    ] {
        assert_eq!(told(domains, from, to), expected, "{domains}: {from} to {to}");
    }
    let twice = present("a=new:r").isolations.into_iter().next().unwrap();
    let item = Item::of(&twice.0, Change::Create { to: twice.1 });
    let account = AccountId::parse(ACCOUNT).unwrap();
    let items = vec![item.clone(), item];
    let plan = Plan::new(PlanKind::Isolation, account, Timestamp::UNIX_EPOCH, items);
    assert!(check_form(&plan).unwrap_err().ends_with("is in it twice"));
}
