//! Owns isolation policies for those who apply them by other means: as CloudFormation, as Terraform and as plain JSON.
//!
//! CloudFormation Template Reference, `AWS::IAM::ManagedPolicy`; Terraform Registry, provider `hashicorp/aws`, resources
//! `aws_iam_policy` and `aws_iam_role_policy_attachment`.
//! **Invariant:** a document for a tool is of one account, and a variable of IAM such as `${aws:userid}` stays one.

use std::collections::{BTreeMap, BTreeSet};

use super::stack::{Inexpressible, Node};
use super::{cloudformation, terraform};
use crate::arn::Arn;
use crate::isolation::{DESCRIPTION, Isolation};

/// Writes policies of one account, by their ARNs, as a template in JSON.
pub fn isolation_cloudformation(
    items: &BTreeMap<String, Isolation>,
) -> Result<String, Inexpressible> {
    let mut resources = Vec::new();
    for Named { path, name, isolation } in named("the template", items)? {
        let mut members = vec![("ManagedPolicyName", Node::text(&name))];
        if path != "/" {
            members.push(("Path", Node::text(&path)));
        }
        members.push(("Description", Node::text(DESCRIPTION)));
        members.push(("PolicyDocument", Node::of(isolation.document())));
        if !isolation.roles.is_empty() {
            members.push(("Roles", Node::texts(&isolation.roles)));
        }
        let resource = cloudformation::typed("AWS::IAM::ManagedPolicy", map(members));
        let resource = resource.map_err(|why| policy(&name, why))?;
        resources.push((cloudformation::id(&name), resource));
    }
    let description = "Isolation policies of SageMaker domains, written by apportion";
    cloudformation::template(["policy", "policies"], description, resources)
}

/// Writes policies of one account, by their ARNs, as a configuration in JSON.
///
/// Each role is an attachment of its own, so that other attachments of a policy or a role are left alone.
pub fn isolation_terraform(items: &BTreeMap<String, Isolation>) -> Result<String, Inexpressible> {
    let (mut policies, mut attachments) = (Vec::new(), Vec::new());
    for Named { path, name, isolation } in named("the configuration", items)? {
        let literal = |text: &str| terraform::literal(text).map_err(|why| policy(&name, why));
        let id = terraform::id(&name);
        for role in &isolation.roles {
            let attachment = Node::map([
                ("role", literal(role)?),
                ("policy_arn", Node::Text(format!("${{aws_iam_policy.{id}.arn}}"))),
            ]);
            // No name has a space in it, so no two pairs are alike.
            attachments.push((terraform::id(&format!("{name} {role}")), attachment));
        }
        let members = Node::map([
            ("name", literal(&name)?),
            ("path", literal(&path)?),
            ("description", literal(DESCRIPTION)?),
            ("policy", literal(&isolation.document().to_string())?),
        ]);
        policies.push((id, members));
    }
    let mut resources = vec![("aws_iam_policy", Node::Map(policies))];
    if !attachments.is_empty() {
        resources.push(("aws_iam_role_policy_attachment", Node::Map(attachments)));
    }
    Ok(Node::map([("resource", map(resources))]).print())
}

/// Writes policies, by their ARNs, as an object with the document and the names of the roles of each.
pub fn isolation_json(items: &BTreeMap<String, Isolation>) -> String {
    let members = items.iter().map(|(arn, isolation)| {
        let policy = Node::map([
            ("document", Node::of(isolation.document())),
            ("roles", Node::texts(&isolation.roles)),
        ]);
        (arn.clone(), policy)
    });
    Node::Map(members.collect()).print()
}

/// A policy with what its ARN says.
struct Named<'a> {
    path: String,
    name: String,
    isolation: &'a Isolation,
}

/// Reads the ARNs of policies, which are to be of one account.
fn named<'a>(
    what: &str,
    items: &'a BTreeMap<String, Isolation>,
) -> Result<Vec<Named<'a>>, Inexpressible> {
    let (mut accounts, mut names, mut policies) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    for (text, isolation) in items {
        let parsed = Arn::parse(text);
        let place = parsed.as_ref().and_then(|arn| arn.path_and_name("policy"));
        let (Some(arn), Some((path, name))) = (parsed, place) else {
            return Err(policy(text, "its ARN is none of a policy".to_owned()));
        };
        // Letter case does not tell names apart (IAM API Reference, `CreatePolicy`), and neither does the path.
        let is_new = names.insert((arn.account.clone(), name.to_ascii_lowercase()));
        if !is_new {
            return Err(policy(&name, "IAM takes a name once in an account".to_owned()));
        }
        accounts.insert(arn.account);
        policies.push(Named { path, name, isolation });
    }
    if accounts.len() > 1 {
        let accounts: Vec<String> = accounts.into_iter().collect();
        let why = format!("it is for one account, and the policies are of {}", accounts.join(", "));
        return Err(Inexpressible { what: what.to_owned(), why });
    }
    Ok(policies)
}

fn policy(name: &str, why: String) -> Inexpressible {
    Inexpressible { what: format!("policy `{name}`"), why }
}

fn map(members: Vec<(&str, Node)>) -> Node {
    Node::Map(members.into_iter().map(|(name, node)| (name.to_owned(), node)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const ARN: &str = "arn:aws:iam::111122223333:policy/Studio-d-1";

    fn isolation(id: &str, roles: &[&str]) -> Isolation {
        let document = json!({"Id": id, "Statement": [{"Effect": "Deny", "Action": "sagemaker:*",
            "Resource": "*", "Condition": {"Bool": {"a:b": true}}}]});
        Isolation::new(&document, roles.iter().map(|it| (*it).to_owned()).collect())
    }

    fn one(arn: &str, isolation: Isolation) -> BTreeMap<String, Isolation> {
        BTreeMap::from([(arn.to_owned(), isolation)])
    }

    fn read(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_template_has_a_policy_with_its_roles() {
        let items = one(ARN, isolation("${aws:userid}", &["r", "a"]));
        let template = read(&isolation_cloudformation(&items).unwrap());
        let id = cloudformation::id("Studio-d-1");
        assert!(id.starts_with("StudioD1"), "{id}");
        let policy = &template["Resources"][&id];
        assert_eq!(
            *policy,
            json!({"Type": "AWS::IAM::ManagedPolicy", "Properties": {
                "ManagedPolicyName": "Studio-d-1",
                "Description": DESCRIPTION,
                "PolicyDocument": items[ARN].document(),
                "Roles": ["a", "r"],
            }})
        );
        assert_eq!(policy["Properties"]["PolicyDocument"]["Id"], "${aws:userid}");
        let items = one("arn:aws:iam::111122223333:policy/a/b/p", isolation("x", &[]));
        let template = read(&isolation_cloudformation(&items).unwrap());
        let properties = &template["Resources"][cloudformation::id("p")]["Properties"];
        assert_eq!(properties["Path"], "/a/b/");
        assert!(properties.get("Roles").is_none());
    }

    #[test]
    fn a_configuration_has_a_policy_and_an_attachment_a_role() {
        let mut items = one(ARN, isolation("${aws:userid} \"%{x}\"", &["r", "a"]));
        items.extend(one("arn:aws:iam::111122223333:policy/a/b/p", isolation("x", &[])));
        let resources = read(&isolation_terraform(&items).unwrap())["resource"].clone();
        let id = terraform::id("Studio-d-1");
        let policy = &resources["aws_iam_policy"][&id];
        let text = policy["policy"].as_str().unwrap();
        assert!(text.starts_with(r#"{"Id":"$${aws:userid} \"%%{x}\"","Statement":[{"#), "{text}");
        assert_eq!(read(&text.replace("$$", "$").replace("%%", "%")), *items[ARN].document());
        for (role, attachment) in ["a", "r"].into_iter().map(|role| {
            let id = terraform::id(&format!("Studio-d-1 {role}"));
            (role, &resources["aws_iam_role_policy_attachment"][id])
        }) {
            let arn = format!("${{aws_iam_policy.{id}.arn}}");
            assert_eq!(*attachment, json!({"role": role, "policy_arn": arn}));
        }
        assert_eq!(policy["path"], "/");
        assert_eq!(resources["aws_iam_policy"][terraform::id("p")]["path"], "/a/b/");
        let none = read(&isolation_terraform(&one(ARN, isolation("x", &[]))).unwrap());
        assert_eq!(none["resource"].as_object().unwrap().len(), 1);
    }

    #[test]
    fn plain_json_has_documents_and_roles_of_every_account() {
        let mut items = one(ARN, isolation("x", &["r"]));
        items.extend(one("arn:aws:iam::444455556666:policy/p", isolation("y", &[])));
        let document = |id: &str| isolation(id, &[]).document().clone();
        assert_eq!(
            read(&isolation_json(&items)),
            json!({
                ARN: {"document": document("x"), "roles": ["r"]},
                "arn:aws:iam::444455556666:policy/p": {"document": document("y"), "roles": []},
            })
        );
        assert_eq!(isolation_json(&BTreeMap::new()), "{}\n");
    }

    #[test]
    fn what_a_tool_would_not_take_is_refused() {
        let fine = || isolation("x", &[]);
        let mut two = one(ARN, fine());
        two.extend(one("arn:aws:iam::444455556666:policy/p", fine()));
        let why = "it is for one account, and the policies are of 111122223333, 444455556666";
        let no_policy = "policy `arn:aws:iam::1:role/r`: its ARN is none of a policy";
        let role = one("arn:aws:iam::1:role/r", fine());
        let mut twice = one(ARN, fine());
        twice.extend(one("arn:aws:iam::111122223333:policy/a/studio-D-1", fine()));
        let once = "policy `studio-D-1`: IAM takes a name once in an account";
        for (items, template, configuration) in [
            (two, format!("the template: {why}"), format!("the configuration: {why}")),
            (twice, once.to_owned(), once.to_owned()),
            (role, no_policy.to_owned(), no_policy.to_owned()),
            (
                one(ARN, isolation("{{resolve:ssm:x}}", &[])),
                "policy `Studio-d-1`: CloudFormation would replace a text".to_owned(),
                String::new(),
            ),
            (
                one(ARN, isolation("$${x}", &[])),
                String::new(),
                "policy `Studio-d-1`: Terraform has no way to write `$${`".to_owned(),
            ),
            (
                BTreeMap::new(),
                "the template: CloudFormation takes no template without a policy".to_owned(),
                String::new(),
            ),
        ] {
            for (written, expected) in [
                (isolation_cloudformation(&items), template),
                (isolation_terraform(&items), configuration),
            ] {
                let told = written.map_or_else(|why| why.to_string(), |_| String::new());
                assert_eq!(told.is_empty(), expected.is_empty(), "{told}");
                assert!(told.starts_with(&expected), "{expected}: {told}");
            }
        }
    }
}
