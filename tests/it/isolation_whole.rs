//! Owns the proof that the demonstration's roles are isolated by what `isolate` applies, as its matrix says before and after.

use std::collections::{BTreeMap, BTreeSet};

use apportion::isolation::PREFIX;
use serde_json::Value;

use crate::isolation::{Desk, domains, ours};
use crate::run::{Sandbox, apportion, write};
use crate::world::{NOW, alter, make, small};

/// A row of the matrix by the names of its columns.
type Row = BTreeMap<String, String>;

fn is_tagging(row: &Row) -> bool {
    ["AddTags", "DeleteTags"].contains(&row["action"].as_str())
}

#[test]
fn the_matrix_says_before_what_is_so_after() {
    let (desk, world) = (Desk::new(), make(&small(1), 21));
    let sandbox = Sandbox::serve(world.clone());
    write(&desk.folder.path().join("apportion.toml"), desk.configuration().as_bytes());
    let run = |words: &[&str]| {
        let words = [&["--now", NOW, "isolate"], words].concat();
        let output = apportion(desk.folder.path(), &words).against(&sandbox).run();
        assert_eq!(output.code, 0, "{}", output.stderr);
        output.stdout
    };
    let matrix = || -> Vec<Row> {
        let text = run(&["matrix", "--format", "json"]);
        let rows: Vec<BTreeMap<String, Option<String>>> = serde_json::from_str(&text).unwrap();
        let filled = |row: BTreeMap<String, Option<String>>| {
            row.into_iter().map(|(name, cell)| (name, cell.unwrap_or_default())).collect()
        };
        rows.into_iter().map(filled).collect()
    };
    let before = matrix();
    let seen: BTreeSet<String> = before.iter().map(|it| it["domain"].clone()).collect();
    assert_eq!(seen, domains(&world).into_keys().collect(), "of both accounts");
    let mut closed = BTreeSet::new();
    for row in &before {
        let (now, planned) = (row["now"].as_str(), row["planned"].as_str());
        match row["relation"].as_str() {
            "own" if !is_tagging(row) && now == "allowed" => {
                assert_eq!(planned, "allowed", "{row:?}");
            }
            "other" => {
                assert!(["explicitly_denied", "implicitly_denied"].contains(&planned), "{row:?}");
                if now == "allowed" {
                    closed.insert(row["domain"].clone());
                }
            }
            "untold" => {
                assert_eq!(now, planned, "{row:?}");
            }
            _ => {}
        }
    }
    assert_eq!(closed, seen, "each could reach another one's");
    let exported: Value = serde_json::from_str(&run(&["export", "--format", "json"])).unwrap();
    run(&["apply", "--yes"]);
    let after = matrix();
    assert_eq!(before.len(), after.len());
    for (before, after) in before.iter().zip(&after) {
        let told = |row: &Row, state: &str| {
            (row["role"].clone(), row["action"].clone(), row["type"].clone(), row[state].clone())
        };
        assert_eq!(told(before, "planned"), told(after, "now"));
        assert_eq!(told(after, "planned"), told(after, "now"));
    }
    // What is exported for other tools is what is applied.
    let exported = exported.to_string();
    for policy in ours(&world) {
        let document: Value = serde_json::from_str(&policy.versions[0].document).unwrap();
        assert!(exported.contains(&document.to_string()), "{}", policy.name);
        assert!(exported.contains(&format!("{PREFIX}{}", &policy.name[PREFIX.len()..])));
    }
}

#[test]
fn a_role_is_one_for_all_regions() {
    let world = make(&small(1), 21);
    let account = "444455556666";
    alter(&world, |world| {
        let organisation = &mut world.organisation;
        let at = organisation.domains.iter().position(|it| it.account == account).unwrap();
        let mut twin = organisation.domains[at].clone();
        (twin.region, twin.id) = ("eu-west-1".to_owned(), "d-twin00000000".to_owned());
        organisation.domains.push(twin);
    });
    let sandbox = Sandbox::serve(world);
    let folder = tempfile::tempdir().unwrap();
    let regions = |names: &str| {
        let text = format!("[[account]]\nid = \"{account}\"\nregions = [{names}]\n");
        write(&folder.path().join("apportion.toml"), text.as_bytes());
    };
    let run = |words: &[&str]| {
        let words = [&["--now", NOW, "isolate", "plan"], words].concat();
        let key = format!("AKIASANDBOX{account}");
        apportion(folder.path(), &words).against(&sandbox).env("AWS_ACCESS_KEY_ID", &key).run()
    };
    // Nothing tells where else SageMaker is used, and that is said.
    let output = run(&[]);
    assert_eq!(output.code, 5, "{}", output.stderr);
    assert!(output.stdout.contains("nothing tells where else"), "{}", output.stdout);
    // What is named is looked at.
    let both = ["--region", "us-east-1", "--region", "eu-west-1"];
    for (known, words) in [("", &both[..]), ("\"us-east-1\", \"eu-west-1\"", &both[..2])] {
        if !known.is_empty() {
            regions(known);
        }
        let output = run(words);
        assert_eq!(output.code, 5, "{}", output.stderr);
        assert!(output.stdout.contains("shared_role (1)"), "{}", output.stdout);
        assert!(!output.stdout.contains("nothing tells"), "{}", output.stdout);
        assert!(output.stdout.contains("+ arn"), "{}", output.stdout);
    }
}
