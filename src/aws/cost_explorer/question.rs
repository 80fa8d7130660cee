//! Owns the body of a question to Cost Explorer, in the SDK's types.
//!
//! **Invariant:** every page of a query is asked for with the same body but for the token.

use aws_sdk_costexplorer::operation::get_cost_and_usage::builders::GetCostAndUsageInputBuilder;
use aws_sdk_costexplorer::types;

use crate::metric::Metric;
use crate::period::Period;
use crate::query::{Filter, Granularity, Group, Query};

use super::page::USAGE_QUANTITY;

/// Builds the body of a query: the same for every page but for the token.
pub(super) fn input(
    query: &Query,
    billing_view_arn: Option<&str>,
    token: Option<&str>,
) -> GetCostAndUsageInputBuilder {
    let granularity = match query.granularity {
        Granularity::Monthly => types::Granularity::Monthly,
        Granularity::Daily => types::Granularity::Daily,
    };
    let metrics = Metric::ALL.iter().map(|metric| metric.aws_name()).chain([USAGE_QUANTITY]);
    let groups: Vec<types::GroupDefinition> = query.group_by.iter().map(group).collect();
    GetCostAndUsageInputBuilder::default()
        .time_period(interval(query.period))
        .granularity(granularity)
        .set_filter(query.filter.as_ref().map(expression))
        .set_metrics(Some(metrics.map(str::to_owned).collect()))
        .set_group_by((!groups.is_empty()).then_some(groups))
        .set_billing_view_arn(billing_view_arn.map(str::to_owned))
        .set_next_page_token(token.map(str::to_owned))
}

pub(super) fn interval(period: Period) -> types::DateInterval {
    types::DateInterval::builder()
        .start(period.start.to_string())
        .end(period.end.to_string())
        .build()
        .expect("a period has a start and an end")
}

fn group(group: &Group) -> types::GroupDefinition {
    let r#type = match group {
        Group::Dimension(_) => types::GroupDefinitionType::Dimension,
        Group::Tag(_) => types::GroupDefinitionType::Tag,
    };
    types::GroupDefinition::builder().r#type(r#type).key(group.key()).build()
}

pub(super) fn forecast_metric(metric: Metric) -> types::Metric {
    match metric {
        Metric::UnblendedCost => types::Metric::UnblendedCost,
        Metric::AmortizedCost => types::Metric::AmortizedCost,
        Metric::NetAmortizedCost => types::Metric::NetAmortizedCost,
        Metric::NetUnblendedCost => types::Metric::NetUnblendedCost,
    }
}

pub(super) fn expression(filter: &Filter) -> types::Expression {
    let list = |filters: &[Filter]| Some(filters.iter().map(expression).collect());
    let builder = types::Expression::builder();
    match filter {
        Filter::And(filters) => builder.set_and(list(filters)),
        Filter::Or(filters) => builder.set_or(list(filters)),
        Filter::Not(filter) => builder.not(expression(filter)),
        Filter::Dimension { key, values } => builder.dimensions(
            types::DimensionValues::builder()
                .key(types::Dimension::from(key.as_str()))
                .set_values(Some(values.clone()))
                .build(),
        ),
        Filter::Tag { key, values } => builder
            .tags(types::TagValues::builder().key(key).set_values(Some(values.clone())).build()),
        Filter::TagAbsent { key } => builder.tags(
            types::TagValues::builder().key(key).match_options(types::MatchOption::Absent).build(),
        ),
    }
    .build()
}
