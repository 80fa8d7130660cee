//! Owns the report definitions of a run: those compiled in, and those that a user names.

use std::path::PathBuf;

use crate::cli::error::{Failure, Kind};
use crate::report::{self, Definition};
use crate::store::disk;

/// Loads the definitions that were named, after those that always belong to a report.
pub fn load(paths: &[PathBuf], is_charging: bool) -> Result<Vec<Definition>, Failure> {
    let mut definitions = report::definitions(is_charging);
    for path in paths {
        let text = String::from_utf8_lossy(&disk::read(path)?).into_owned();
        let definition: Definition = toml::from_str(&text).map_err(|error| Failure {
            kind: Kind::Failed,
            message: format!("`{}` is not a report definition", path.display()),
            causes: vec![error.to_string().trim_end().to_owned()],
            hints: vec!["`reports/` in the sources has examples".to_owned()],
        })?;
        let is_plain = definition.name.chars().all(|it| it.is_ascii_alphanumeric() || it == '_');
        if !is_plain || definition.name.is_empty() || definition.rows.is_empty() {
            return Err(Failure::usage(
                format!("`{}` needs a plain `name` and at least one of `rows`", path.display()),
                "letters, digits and underscores make a name",
            ));
        }
        if definitions.iter().any(|it| it.name == definition.name) {
            return Err(Failure::usage(
                format!("two definitions are called `{}`", definition.name),
                "give each its own name",
            ));
        }
        definitions.push(definition);
    }
    Ok(definitions)
}
