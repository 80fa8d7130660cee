//! Owns usage types: which component of SageMaker a usage type is about.
//!
//! A usage type reads `{REGION}-{Component}:{kind}-{instance}`; unknown ones are shown raw, never dropped.
//! The grouping follows what the public CUDOS dashboards group, by the parsed component instead of by substrings.

/// Tells whether a record type is a credit or a refund; a discount is neither.
pub fn is_credit(record_type: &str) -> bool {
    ["Credit", "Refund"].contains(&unspaced(record_type).as_str())
}

/// A component of SageMaker, as the chart by component shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Component {
    /// Studio apps: `JupyterLab`, Code Editor, kernels.
    StudioApps,
    /// Volumes of spaces, notebooks and endpoints.
    Storage,
    /// Home directories on EFS.
    HomeEfs,
    /// Notebook instances.
    Notebooks,
    /// Training, spot and warm pools included.
    Training,
    /// Processing jobs and Data Wrangler.
    Processing,
    /// Batch transform.
    BatchTransform,
    /// Real-time, serverless and asynchronous inference.
    Hosting,
    /// Canvas.
    Canvas,
    /// HyperPod clusters.
    Clusters,
    /// `RStudio`.
    RStudio,
    /// Feature Store.
    FeatureStore,
    /// Labeling and human review.
    Labeling,
    /// Managed MLflow.
    Mlflow,
    /// Data transfer.
    DataTransfer,
    /// The fee of a Savings Plan.
    SavingsPlanFee,
    /// The negation of usage that a Savings Plan covers.
    SavingsPlanNegation,
    /// Credits, refunds and discounts.
    CreditsAndDiscounts,
    /// Sessions of other services that carry a SageMaker tag.
    OtherServices,
    /// Tax, which lies outside the scope.
    Tax,
    /// Support, which lies outside the scope.
    Support,
    /// Anything else, shown raw.
    Other,
}

impl Component {
    /// Returns the word for files: snake case.
    pub fn name(self) -> &'static str {
        self.words().0
    }

    /// Returns the words for people.
    pub fn title(self) -> &'static str {
        self.words().1
    }

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Component::StudioApps => ("studio_apps", "Studio apps"),
            Component::Storage => ("storage", "Storage volumes"),
            Component::HomeEfs => ("home_efs", "Home directories (EFS)"),
            Component::Notebooks => ("notebooks", "Notebook instances"),
            Component::Training => ("training", "Training"),
            Component::Processing => ("processing", "Processing"),
            Component::BatchTransform => ("batch_transform", "Batch transform"),
            Component::Hosting => ("hosting", "Hosting"),
            Component::Canvas => ("canvas", "Canvas"),
            Component::Clusters => ("clusters", "HyperPod clusters"),
            Component::RStudio => ("rstudio", "RStudio"),
            Component::FeatureStore => ("feature_store", "Feature Store"),
            Component::Labeling => ("labeling", "Labeling"),
            Component::Mlflow => ("mlflow", "MLflow"),
            Component::DataTransfer => ("data_transfer", "Data transfer"),
            Component::SavingsPlanFee => ("savings_plan_fee", "Savings Plan fee"),
            Component::SavingsPlanNegation => ("savings_plan_negation", "Savings Plan negation"),
            Component::CreditsAndDiscounts => {
                ("credits_and_discounts", "Credits, refunds, discounts")
            }
            Component::OtherServices => ("other_services", "Other services"),
            Component::Tax => ("tax", "Tax"),
            Component::Support => ("support", "Support"),
            Component::Other => ("other", "Other"),
        }
    }

    /// Tells the component of a line from its service, record type and usage type.
    pub fn of(service: &str, record_type: &str, usage_type: &str) -> Component {
        let record_type = unspaced(record_type);
        match record_type.as_str() {
            "SavingsPlanNegation" => return Component::SavingsPlanNegation,
            "SavingsPlanRecurringFee" | "SavingsPlanUpfrontFee" => {
                return Component::SavingsPlanFee;
            }
            "Credit" | "Refund" => return Component::CreditsAndDiscounts,
            other if other.contains("Discount") && other != "DiscountedUsage" => {
                return Component::CreditsAndDiscounts;
            }
            _ => {}
        }
        if service.starts_with("Savings Plans") {
            return Component::SavingsPlanFee;
        }
        if service.contains("Elastic File System") {
            return Component::HomeEfs;
        }
        if !service.contains("SageMaker") {
            return Component::OtherServices;
        }
        of_usage_type(usage_type)
    }
}

fn of_usage_type(usage_type: &str) -> Component {
    let (component, rest) = split_region(usage_type);
    if rest.contains("VolumeUsage") || component == "StorageIOUsage" {
        return Component::Storage;
    }
    match component {
        "Studio" | "UnifiedStudio" => Component::StudioApps,
        "Notebk" => Component::Notebooks,
        "Train" | "TrSpt" | "TrainWarmPool" | "Autopilot" => Component::Training,
        "Processing" | "Processing_DW" | "DataWrangler" => Component::Processing,
        "Tsform" => Component::BatchTransform,
        "Host" | "AsyncInf" | "ServerlessInf" | "ProvisionedConcurrency" => Component::Hosting,
        "Hst" => Component::DataTransfer,
        "Canvas" => Component::Canvas,
        "Cluster" | "ReservedCluster" => Component::Clusters,
        "RStudio" => Component::RStudio,
        "FeatureStore" => Component::FeatureStore,
        "MLflow" => Component::Mlflow,
        "LabeledObject" | "TxtSpan" | "TxtClass" | "Custom" => Component::Labeling,
        other if other.starts_with("MLflow") => Component::Mlflow,
        other if other.starts_with("A2I") => Component::Labeling,
        other if other.contains("DataTransfer") || rest.contains("Data-Bytes") => {
            Component::DataTransfer
        }
        _ => Component::Other,
    }
}

/// Returns a record type without spaces: AWS spells `Savings Plan Covered Usage` with and without them.
pub fn unspaced(record_type: &str) -> String {
    record_type.chars().filter(|letter| !letter.is_whitespace()).collect()
}

/// Whether a record type recurs day by day; fees, credits and refunds fall on a day and are no run rate.
pub fn is_run(record_type: &str) -> bool {
    let record_type = unspaced(record_type);
    !(record_type.ends_with("Fee")
        || ["Credit", "Refund", "Tax", "Support"].contains(&record_type.as_str()))
}

/// The region codes of usage types (the page of region billing codes in AWS's billing guide).
const REGIONS: [(&str, &str); 40] = [
    ("USE1", "us-east-1"),
    ("USE2", "us-east-2"),
    ("USW1", "us-west-1"),
    ("USW2", "us-west-2"),
    ("CAN1", "ca-central-1"),
    ("CAN2", "ca-west-1"),
    ("MXC1", "mx-central-1"),
    ("SAE1", "sa-east-1"),
    ("EU", "eu-west-1"),
    ("EUW1", "eu-west-1"),
    ("EUW2", "eu-west-2"),
    ("EUW3", "eu-west-3"),
    ("EUC1", "eu-central-1"),
    ("EUC2", "eu-central-2"),
    ("EUN1", "eu-north-1"),
    ("EUS1", "eu-south-1"),
    ("EUS2", "eu-south-2"),
    ("APN1", "ap-northeast-1"),
    ("APN2", "ap-northeast-2"),
    ("APN3", "ap-northeast-3"),
    ("APS1", "ap-southeast-1"),
    ("APS2", "ap-southeast-2"),
    ("APS3", "ap-south-1"),
    ("APS4", "ap-southeast-3"),
    ("APS5", "ap-south-2"),
    ("APS6", "ap-southeast-4"),
    ("APS7", "ap-southeast-5"),
    ("APS8", "ap-southeast-6"),
    ("APS9", "ap-southeast-7"),
    ("APE1", "ap-east-1"),
    ("APE2", "ap-east-2"),
    ("AFS1", "af-south-1"),
    ("ILC1", "il-central-1"),
    ("MES1", "me-south-1"),
    ("MEC1", "me-central-1"),
    ("UGW1", "us-gov-west-1"),
    ("UGE1", "us-gov-east-1"),
    ("CNN1", "cn-north-1"),
    ("CNW1", "cn-northwest-1"),
    ("EUSCDE1", "eusc-de-east-1"),
];

/// Tells the region that a usage type's prefix names; absent where there is no known prefix.
pub fn region_of(usage_type: &str) -> Option<&'static str> {
    let (prefix, _) = usage_type.split_once('-')?;
    REGIONS.iter().find(|(code, _)| *code == prefix).map(|(_, region)| *region)
}

/// Tells whether a region is one that usage types name.
pub fn is_region(region: &str) -> bool {
    REGIONS.iter().any(|(_, known)| *known == region)
}

/// Splits `USE1-Studio:JupyterLab-ml.m5.xlarge` into (`Studio`, `JupyterLab-ml.m5.xlarge`).
///
/// The region prefix is upper case and digits; a usage type may come without one.
fn split_region(usage_type: &str) -> (&str, &str) {
    let (head, rest) = usage_type.split_once(':').unwrap_or((usage_type, ""));
    let component = match head.split_once('-') {
        Some((region, component))
            if region.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()) =>
        {
            component
        }
        _ => head,
    };
    (component, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_types_are_grouped_by_their_parsed_component() {
        let table = "
            USE1-Studio:JupyterLab-ml.m5.16xlarge    Usage                    studio_apps
            EU-Studio:VolumeUsage.gp3                Usage                    storage
            APN2-Studio:CodeEditor-ml.t3.medium      SavingsPlanCoveredUsage  studio_apps
            USE1-RStudio:RSession-ml.t3.medium       Usage                    rstudio
            USE1-TrainWarmPool:ml.m5.large           Usage                    training
            USE1-TrSpt:ml.g5.xlarge                  Usage                    training
            USE1-Train:ml.m5.large                   SavingsPlanNegation      savings_plan_negation
            USE1-Host:VolumeUsage.gp2                Usage                    storage
            USE1-Hst:Data-Bytes-Out                  Usage                    data_transfer
            Canvas:Session-Hrs                       Usage                    canvas
            USE1-Canvas:Session-Hrs                  Usage                    canvas
            USE1-Cluster:ml.p4d.24xlarge             Usage                    clusters
            ServerlessInf:Mem-4GB                    Usage                    hosting
            USE1-Train:ml.m5.large                   Credit                   credits_and_discounts
            USE1-SomethingNew:ml.z9.large            Usage                    other
        ";
        for row in table.lines().filter(|row| !row.trim().is_empty()) {
            let words: Vec<&str> = row.split_whitespace().collect();
            let component = Component::of("Amazon SageMaker", words[1], words[0]);
            assert_eq!(component.name(), words[2], "{row}");
        }
        assert_eq!(
            Component::of("Amazon Elastic File System", "Usage", "TimedStorage-ByteHrs"),
            Component::HomeEfs
        );
        assert_eq!(
            Component::of("AWS Glue", "Usage", "USE1-GlueInteractiveSession-DPU-Hour"),
            Component::OtherServices
        );
    }

    #[test]
    fn fees_and_credits_are_no_run_rate() {
        for (record_type, expected) in [
            ("Usage", true),
            ("SavingsPlanCoveredUsage", true),
            ("Savings Plan Recurring Fee", false),
            ("SavingsPlanUpfrontFee", false),
            ("Credit", false),
        ] {
            assert_eq!(is_run(record_type), expected, "{record_type}");
        }
    }
}
