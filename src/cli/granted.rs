//! Owns reading what roles are granted, each as its own account.

use std::collections::{BTreeMap, BTreeSet};

use crate::arn::{AccountId, Arn};
use crate::aws::{Session, iam};
use crate::grant::{Grants, Held};

/// What roles are granted, each read once.
#[derive(Debug, Default)]
pub struct Granted {
    /// By the role's ARN.
    pub roles: BTreeMap<String, Grants>,
    /// Why some could not be read, by the role's ARN.
    pub unread: BTreeMap<String, String>,
    cache: BTreeMap<String, Held>,
}

impl Granted {
    /// Reads what roles are granted, each as its own account.
    pub async fn read(
        roles: &BTreeSet<String>,
        sessions: &BTreeMap<AccountId, Session>,
    ) -> Granted {
        let mut granted = Granted::default();
        for role in roles {
            let account = Arn::parse(role).and_then(|it| AccountId::parse(&it.account).ok());
            let Some(session) = account.as_ref().and_then(|it| sessions.get(it)) else {
                granted
                    .unread
                    .insert(role.clone(), "it is of an account that was not entered".to_owned());
                continue;
            };
            match iam::grants(session, role, &mut granted.cache).await {
                Ok(grants) => drop(granted.roles.insert(role.clone(), grants)),
                Err(error) => {
                    let why = format!("{}: {}: {}", error.operation, error.code, error.message);
                    granted.unread.insert(role.clone(), why);
                }
            }
        }
        granted
    }

    /// Returns what could not be read, as gaps of a plan.
    pub fn gaps(&self) -> Vec<String> {
        self.unread
            .iter()
            .map(|(role, why)| format!("what role {role} is granted: {why}"))
            .collect()
    }
}
