//! Owns `isolate export`: the policies for those who apply them by other means.

use std::collections::{BTreeMap, BTreeSet};

use crate::arn::AccountId;
use crate::aws::{Session, sts};
use crate::cli;
use crate::cli::args::isolate::IsolateExportArgs;
use crate::cli::commands::Context;
use crate::cli::error::{self, Failure};
use crate::isolation::Isolation;
use crate::isolation_plan::{self, Present, Wanted};
use crate::render::isolation::{isolation_cloudformation, isolation_json, isolation_terraform};

use super::ground::{self, Extent};

/// Prints the policies in the form that was asked for; returns the exit code.
pub(super) async fn print(
    context: &Context,
    session: &Session,
    args: &IsolateExportArgs,
) -> Result<u8, Failure> {
    let caller = sts::caller(session).await?.account;
    let wish = ground::wish(context, &args.forming)?;
    let ground =
        ground::read(context, session, &caller, &args.looking, Extent::Identities, false).await?;
    let documents = ground::documents(&ground.inventory, &wish)?;
    let named: BTreeSet<String> = args.looking.domain.iter().map(ToString::to_string).collect();
    let wanted = Wanted {
        inventory: &ground.inventory,
        documents: &documents,
        named: &named,
        regions: &ground.regions,
        is_pruning: true,
    };
    // What IAM has is not looked at: another tool is to have all of it.
    let plan = isolation_plan::plan(&wanted, &Present::default(), &caller, context.clock.now());
    let is_of = |arn: &str, account: &AccountId| arn.split(':').nth(4) == Some(account.as_str());
    let items =
        plan.items.iter().filter_map(|item| Some((item.id.clone(), item.change.to()?.clone())));
    let items: BTreeMap<String, Isolation> =
        items.filter(|(arn, _)| args.account.as_ref().is_none_or(|it| is_of(arn, it))).collect();
    let text = match args.format.as_str() {
        "terraform" => isolation_terraform(&items),
        "cloudformation" => isolation_cloudformation(&items),
        _ => Ok(isolation_json(&items)),
    };
    let text = text.map_err(|why| {
        let hint = "name an account with `--account ID`, or use `apportion isolate apply`";
        Failure::refused(format!("the policies cannot be written so: {why}"), hint)
    })?;
    for left in &plan.left {
        let why: Vec<&str> = left.because.iter().map(|it| it.text.as_str()).collect();
        context.ui.grave(&format!("left out: {}: {}", left.id, why.join("; ")));
    }
    for gap in &ground.gaps {
        context.ui.grave(&format!("could not be read: {gap}"));
    }
    cli::print(&text);
    let is_partial = !ground.gaps.is_empty() || items.is_empty();
    Ok(if is_partial { error::PARTIAL } else { super::plan::whole(&plan) })
}
