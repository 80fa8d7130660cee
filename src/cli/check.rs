//! Owns `check`: credentials, payer, tag keys and configuration, without a paid request.

use crate::arn::AccountId;
use crate::aws::cost_explorer::CostExplorer;
use crate::aws::{self, Session, budgets, organizations, sts};
use crate::cli::args::AwsArgs;
use crate::cli::collect;
use crate::cli::commands::Context;
use crate::cli::error::{self, Failure};
use crate::key;

/// Looks at everything that a run needs and prints one line each; returns the exit code.
pub async fn check(
    context: &Context,
    settings: &aws::Settings,
    args: &AwsArgs,
) -> Result<u8, Failure> {
    let ui = &context.ui;
    let session = Session::open(settings).await?;
    let caller = sts::caller(&session).await?;
    ui.line(&format!("credentials: {} as {}", caller.account, caller.arn));
    let mut code = error::DONE;
    let payer = match organizations::payer(&session).await {
        Ok(payer) => payer,
        Err(error) => {
            code = error::PARTIAL;
            ui.line(&format!("organization: could not be read: {}: {}", error.code, error.message));
            None
        }
    };
    let is_member = payer.as_ref().is_some_and(|payer| *payer != caller.account);
    match &payer {
        Some(payer) if is_member => ui.line(&format!(
            "organization: member account of payer {payer}; tag keys and Savings Plans are the payer's to see"
        )),
        Some(_) => ui.line("organization: this is the payer account"),
        None => ui.line("organization: none, or not readable; a standalone account sees everything"),
    }
    let explorer = CostExplorer::new(&session, context.loaded.config.billing_view_arn.clone());
    let mut keys: Vec<&str> = key::PRECEDENCE.to_vec();
    keys.extend(context.loaded.config.keys.iter().map(String::as_str));
    match explorer.list_tag_keys(&keys).await {
        Ok(statuses) => {
            for key in keys {
                let status = statuses.iter().find(|status| status.key == key);
                let text = match status {
                    None => "not known to billing".to_owned(),
                    Some(status) => {
                        let active =
                            if status.active == Some(true) { "active" } else { "not active" };
                        let since = status.updated_on().map(|day| format!(", status of {day}"));
                        format!("{active}{}", since.unwrap_or_default())
                    }
                };
                ui.line(&format!("tag key {key}: {text}"));
            }
            if statuses.iter().any(|status| status.active == Some(false)) {
                ui.line("  `apportion tags apply` activates those that are not");
            }
        }
        Err(error) if is_member => {
            ui.line(&format!("tag keys: only the payer may look: {}", error.message));
        }
        Err(error) => {
            code = error::PARTIAL;
            ui.line(&format!("tag keys: could not be read: {}: {}", error.code, error.message));
        }
    }
    if !inventory(context, &session, &caller.account, args).await {
        code = error::PARTIAL;
    }
    match budgets::describe(&session, &caller.account).await {
        Ok(budgets) => ui.line(&format!("budgets: {} of AWS", budgets.len())),
        Err(error) => {
            code = error::PARTIAL;
            ui.line(&format!("budgets: could not be read: {}: {}", error.code, error.message));
        }
    }
    ui.line(&format!(
        "configuration: {} accounts, {} budgets, metric {}",
        context.loaded.config.account.len(),
        context.loaded.config.budget.len(),
        context.metric(None).name()
    ));
    Ok(code)
}

/// Reads the inventory of every named account and region; false when something could not be read.
async fn inventory(
    context: &Context,
    session: &Session,
    caller: &AccountId,
    args: &AwsArgs,
) -> bool {
    let ui = &context.ui;
    let mut is_whole = true;
    for place in context.places(args) {
        let account = place.account.as_ref().unwrap_or(caller);
        let assumed = match collect::inventory::enter(session, &place, caller).await {
            Ok(assumed) => assumed,
            Err(gap) => {
                is_whole = false;
                ui.line(&format!("account {account}: {}: {}", gap.code, gap.message));
                continue;
            }
        };
        let mut regions = place.regions.clone();
        if regions.is_empty() {
            regions.extend(session.region().map(str::to_owned));
        }
        for region in regions {
            let now = context.clock.now();
            let read = aws::inventory::read(&assumed, account, &region, now, &|_| {}).await;
            ui.line(&format!(
                "account {account} in {region}: {} domains, {} user profiles, {} spaces, {} other resources",
                read.domains.len(),
                read.user_profiles.len(),
                read.spaces.len(),
                read.resources.len()
            ));
            let unpropagated = read
                .domains
                .iter()
                .filter(|domain| domain.tag_propagation.as_deref() != Some("ENABLED"));
            for domain in unpropagated {
                ui.line(&format!(
                    "  domain {} ({}) does not propagate custom tags; SageMaker's own tags are not concerned",
                    domain.name, domain.key.id
                ));
            }
            for gap in &read.gaps {
                is_whole = false;
                ui.line(&format!("  {}: {}: {}", gap.operation, gap.code, gap.message));
            }
        }
    }
    is_whole
}
