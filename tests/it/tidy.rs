//! What the compiler does not check: the order of layers, who may name whom, and how files look.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail their test")]

use std::path::{Path, PathBuf};

use crate::run::{files, read};

const EDGES: [&str; 5] = ["aws", "store", "render", "deliver", "sandbox"];
const LINES_MAX: usize = 400;
/// Files that may be longer, and why.
const LONGER: [(&str, &str); 1] = [(
    "records.rs",
    "the only file that names the frame's columns, so there is no other place for a part of it",
)];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files under a folder of the project that end so, by their paths within it, with their text.
fn texts(folder: &str, end: &str) -> Vec<(PathBuf, String)> {
    let folder = root().join(folder);
    let ends = |path: &PathBuf| path.to_string_lossy().ends_with(end);
    let read = |path: PathBuf| {
        let text = String::from_utf8(read(&folder.join(&path))).unwrap();
        (path, text)
    };
    files(&folder).into_iter().filter(ends).map(read).collect()
}

/// The module of the library that a file of `src/` belongs to.
fn module(path: &Path) -> String {
    let first = path.components().next().unwrap().as_os_str().to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

/// The modules that a text names by `crate::…`.
fn named(text: &str) -> Vec<&str> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let after = code.flat_map(|line| line.split("crate::").skip(1));
    after
        .map(|rest| rest.split(|it: char| !it.is_alphanumeric() && it != '_').next().unwrap())
        .collect()
}

#[test]
fn a_module_names_only_what_stands_above_it() {
    let library = String::from_utf8(read(&root().join("src/lib.rs"))).unwrap();
    let order: Vec<&str> = library
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .collect();
    let rank = |name: &str| order.iter().position(|it| *it == name);
    let mut wrong = Vec::new();
    for (path, text) in texts("src", ".rs") {
        let home = module(&path);
        let Some(place) = rank(&home) else {
            assert!(["lib", "main"].contains(&home.as_str()), "{home} is not in lib.rs");
            continue;
        };
        for name in named(&text) {
            let Some(other) = rank(name) else {
                wrong.push(format!("{}: crate::{name} is no module", path.display()));
                continue;
            };
            let is_edge = |it: &str| EDGES.contains(&it);
            let is_sideways = is_edge(&home) && is_edge(name) && home != name;
            let is_sealed = home == "sandbox" && !["money", "period", "sandbox"].contains(&name);
            if other > place || is_sideways || is_sealed {
                wrong.push(format!("{} names {name}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn only_the_edge_to_aws_names_its_crates_and_only_records_the_frame() {
    for (path, text) in texts("src", ".rs") {
        let names = |start: &str| {
            text.lines().any(|line| {
                let word = line.find(start).filter(|at| {
                    !line[..*at].ends_with(|it: char| it.is_alphanumeric() || "_/`\"".contains(it))
                });
                word.is_some() && !line.trim_start().starts_with("//")
            })
        };
        let is_aws = path.starts_with("aws");
        for start in ["aws_sdk_", "aws_smithy_", "aws_config::", "aws_types::"] {
            assert!(is_aws || !names(start), "{} names {start}", path.display());
        }
        assert!(path == Path::new("records.rs") || !names("polars::"), "{}", path.display());
    }
}

#[test]
fn files_are_short_and_say_what_they_own() {
    let mut wrong = Vec::new();
    for (folder, texts) in [("src", texts("src", ".rs")), ("tests", texts("tests", ".rs"))] {
        for (path, text) in texts {
            let place = format!("{folder}/{}", path.display());
            let count = text.lines().count();
            let is_long = count > LINES_MAX && !LONGER.iter().any(|it| path == Path::new(it.0));
            if is_long {
                wrong.push(format!("{place} has {count} lines"));
            }
            if !text.starts_with("//! ") {
                wrong.push(format!("{place} does not begin with what it owns"));
            }
            for word in [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")] {
                if text.contains(word) {
                    wrong.push(format!("{place} has a {word}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn documents_name_no_machine() {
    let mut documents = texts("docs", ".md");
    for name in ["ARCHITECTURE.md", "STYLE.md", "README.md", "CHANGELOG.md", "benches/README.md"] {
        if root().join(name).exists() {
            documents.push((name.into(), String::from_utf8(read(&root().join(name))).unwrap()));
        }
    }
    assert!(documents.len() > 4, "{documents:?}");
    for (path, text) in documents {
        for line in text.lines() {
            let machine = ["/work/", "/root/", "/home/", "/Users/", "C:\\"];
            let found = machine.iter().find(|it| line.contains(**it));
            assert_eq!(found, None, "{}: {line}", path.display());
        }
    }
}
