//! Owns the dimensions of the bill.
//!
//! **Invariant:** every charge has exactly one value of each.

use crate::sandbox::bill::Charge;

/// A dimension that can be grouped or filtered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dimension {
    /// The account that was billed.
    LinkedAccount,
    /// The service's name.
    Service,
    /// The charge type.
    RecordType,
    /// The usage type.
    UsageType,
    /// The region.
    Region,
    /// The operation.
    Operation,
    /// The `ml.…` in the usage type.
    InstanceType,
    /// The seller.
    LegalEntity,
    /// On demand or Savings Plans.
    PurchaseType,
    /// A dimension in which all charges here are alike.
    Other(&'static str),
}

impl Dimension {
    /// Reads the API's name.
    pub(super) fn parse(text: &str) -> Option<Dimension> {
        Some(match text {
            "LINKED_ACCOUNT" => Dimension::LinkedAccount,
            "SERVICE" => Dimension::Service,
            "RECORD_TYPE" => Dimension::RecordType,
            "USAGE_TYPE" => Dimension::UsageType,
            "REGION" => Dimension::Region,
            "OPERATION" => Dimension::Operation,
            "INSTANCE_TYPE" => Dimension::InstanceType,
            "LEGAL_ENTITY_NAME" => Dimension::LegalEntity,
            "PURCHASE_TYPE" => Dimension::PurchaseType,
            "AZ" => Dimension::Other("NoAZ"),
            "PLATFORM" => Dimension::Other("NoPlatform"),
            "TENANCY" => Dimension::Other("NoTenancy"),
            "INVOICING_ENTITY" => Dimension::Other("Amazon Web Services, Inc."),
            _ => return None,
        })
    }

    /// Returns the value that a charge has.
    pub(super) fn value(self, charge: &Charge) -> &str {
        let meter = &charge.meter;
        match self {
            Dimension::LinkedAccount => &meter.account,
            Dimension::Service => &meter.service,
            Dimension::RecordType => &meter.record_type,
            Dimension::UsageType => &meter.usage_type,
            Dimension::Region => &meter.region,
            Dimension::Operation => &meter.operation,
            Dimension::InstanceType => {
                meter.usage_type.find("ml.").map_or("NoInstanceType", |at| &meter.usage_type[at..])
            }
            Dimension::LegalEntity => "Amazon Web Services, Inc.",
            Dimension::PurchaseType => {
                if meter.record_type.starts_with("SavingsPlan") {
                    "Savings Plans"
                } else {
                    "On Demand Instances"
                }
            }
            Dimension::Other(value) => value,
        }
    }
}
