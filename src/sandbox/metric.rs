//! Owns the metrics of Cost Explorer.
//!
//! **Invariant:** the order in `ALL` is the order of every array of amounts.

/// What a query can ask the amount of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    /// As billed.
    UnblendedCost,
    /// Commitments spread over the usage they cover.
    AmortizedCost,
    /// As billed, after discounts.
    NetUnblendedCost,
    /// Spread, after discounts.
    NetAmortizedCost,
    /// The organisation's average.
    BlendedCost,
    /// The metered quantity.
    UsageQuantity,
    /// Size-normalised usage, which SageMaker has not: always zero.
    NormalizedUsageAmount,
}

impl Metric {
    /// Every metric, in the order of a charge's amounts.
    pub const ALL: [Metric; 7] = [
        Metric::UnblendedCost,
        Metric::AmortizedCost,
        Metric::NetUnblendedCost,
        Metric::NetAmortizedCost,
        Metric::BlendedCost,
        Metric::UsageQuantity,
        Metric::NormalizedUsageAmount,
    ];

    /// Returns the name in Cost Explorer's answers.
    pub fn name(self) -> &'static str {
        match self {
            Metric::UnblendedCost => "UnblendedCost",
            Metric::AmortizedCost => "AmortizedCost",
            Metric::NetUnblendedCost => "NetUnblendedCost",
            Metric::NetAmortizedCost => "NetAmortizedCost",
            Metric::BlendedCost => "BlendedCost",
            Metric::UsageQuantity => "UsageQuantity",
            Metric::NormalizedUsageAmount => "NormalizedUsageAmount",
        }
    }

    /// Reads `NetAmortizedCost` and `NET_AMORTIZED_COST`, which the live service both accepts.
    pub fn parse(text: &str) -> Option<Metric> {
        let plain = |text: &str| text.replace('_', "").to_ascii_lowercase();
        Metric::ALL.into_iter().find(|metric| {
            metric.name() == text || (text.contains('_') && plain(metric.name()) == plain(text))
        })
    }

    /// Returns the position in [`Metric::ALL`].
    pub fn index(self) -> usize {
        Metric::ALL.iter().position(|metric| *metric == self).expect("every metric is listed")
    }

    /// Tells whether the metric is money.
    pub fn is_cost(self) -> bool {
        !matches!(self, Metric::UsageQuantity | Metric::NormalizedUsageAmount)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_read_in_both_spellings() {
        assert_eq!(Metric::parse("NET_AMORTIZED_COST"), Some(Metric::NetAmortizedCost));
        assert_eq!(Metric::parse("BlendedCost"), Some(Metric::BlendedCost));
        assert_eq!(Metric::parse("unblendedcost"), None);
    }
}
