//! Owns the way to AWS: credentials, region, retries and timeouts, and the clients made of them.
//!
//! Endpoints come from `AWS_ENDPOINT_URL` or the profile, since one set in code is not passed on to chains of roles.
//! **Invariant:** every client carries the session's meter.

use std::error::Error as _;
use std::time::Duration;

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sts::config::retry::{RetryPartition, TokenBucket};
use aws_sdk_sts::config::{
    Credentials, IdentityCache, ProvideCredentials, SharedAsyncSleep, SharedCredentialsProvider,
    SharedHttpClient,
};

use super::error::{Error, Kind};
use super::meter::Meter;

/// The region of what is asked once for all regions, where the configuration names none.
const REGION_DEFAULT: &str = "us-east-1";
/// Attempts for each request of a patient session; with waits of up to 20 seconds, some two minutes.
const PATIENT_ATTEMPT_COUNT_MAX: u32 = 12;
/// The name that a role's sessions have in the audit log.
const SESSION_NAME: &str = "apportion";

/// How to reach AWS.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The profile of the AWS configuration; its default when absent.
    pub profile: Option<String>,
    /// The region; the AWS configuration's when absent.
    pub region: Option<String>,
    /// The longest wait before a retry; the SDK's own when absent.
    pub retry_backoff_ms_max: Option<u64>,
    /// Attempts for each request, the first included.
    pub attempt_count_max: u32,
    /// The longest wait for one answer; none for a simulation, whose sleep takes no time.
    pub attempt_timeout_s: Option<u64>,
    /// A fixed endpoint and key: the embedded demonstration only.
    pub endpoint: Option<Static>,
    /// An HTTP client in place of the network.
    pub http: Option<SharedHttpClient>,
    /// A sleep in place of the clock's.
    pub sleep: Option<SharedAsyncSleep>,
}

/// A fixed endpoint and a key that need no AWS configuration.
#[derive(Clone, Debug)]
pub struct Static {
    /// The endpoint of every service.
    pub url: String,
    /// The id of the access key.
    pub access_key: String,
}

/// A way to AWS, as one identity, in one region.
#[derive(Clone, Debug)]
pub struct Session {
    config: SdkConfig,
    partition: RetryPartition,
    meter: Meter,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            profile: None,
            region: None,
            retry_backoff_ms_max: None,
            attempt_count_max: 5,
            attempt_timeout_s: Some(60),
            endpoint: None,
            http: None,
            sleep: None,
        }
    }
}

impl Session {
    /// Reads the AWS configuration; credentials are asked for by the first call, those of a named profile at once.
    ///
    /// A profile that was named wins over credentials in the environment: another account's bill would be wrong.
    pub async fn open(settings: &Settings) -> Result<Session, Error> {
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .retry_config(retry(settings))
            .timeout_config(timeout(settings))
            // An attempt has its own limit, and a sleep that takes no time would trip this one.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        if let Some(profile) = &settings.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(region) = &settings.region {
            loader = loader.region(checked_region(region)?);
        }
        if let Some(http) = &settings.http {
            loader = loader.http_client(http.clone());
        }
        if let Some(sleep) = &settings.sleep {
            loader = loader.sleep_impl(sleep.clone());
        }
        if let Some(Static { url, access_key }) = &settings.endpoint {
            let credentials = Credentials::new(access_key, access_key, None, None, "demonstration");
            loader = loader.endpoint_url(url).credentials_provider(credentials);
            if settings.region.is_none() {
                loader = loader.region(Region::from_static(REGION_DEFAULT));
            }
        }
        let mut config = loader.load().await;
        if let (Some(profile), None) = (&settings.profile, &settings.endpoint) {
            let credentials = credentials_of(profile, settings, &config).await?;
            config = config
                .to_builder()
                .credentials_provider(credentials)
                .identity_cache(IdentityCache::lazy().build())
                .build();
        }
        Ok(Session { config, partition: partition(), meter: Meter::default() })
    }

    /// Takes on a role, for an account that is read through one; the meter is shared.
    pub async fn assume(
        &self,
        role_arn: &str,
        external_id: Option<&str>,
    ) -> Result<Session, Error> {
        // Asked for once here, so that a role that cannot be taken on is named before any work begins.
        let request = self.sts().assume_role().role_arn(role_arn).role_session_name(SESSION_NAME);
        let answer = request.set_external_id(external_id.map(str::to_owned)).send().await;
        answer.map_err(|error| Error::of("STS", "AssumeRole", &error))?;
        let mut builder = AssumeRoleProvider::builder(role_arn)
            .session_name(SESSION_NAME)
            .configure(&self.anywhere());
        if let Some(external_id) = external_id {
            builder = builder.external_id(external_id);
        }
        let provider = builder.build().await;
        let config = self
            .config
            .to_builder()
            .credentials_provider(SharedCredentialsProvider::new(provider))
            .identity_cache(IdentityCache::lazy().build())
            .build();
        Ok(Session { config, partition: self.partition.clone(), meter: self.meter.clone() })
    }

    /// Returns the same session in another region; regions may come out of tags, so the name is checked.
    pub fn in_region(&self, region: &str) -> Result<Session, Error> {
        let config = self.config.to_builder().region(checked_region(region)?).build();
        Ok(Session { config, partition: self.partition.clone(), meter: self.meter.clone() })
    }

    /// Returns the same session with more attempts, for changes: one given up halfway is left to a person.
    ///
    /// The SDK's adaptive mode is not used: it counts on the system's clock, which a simulation does not move.
    #[must_use]
    pub fn patient(&self) -> Session {
        let retry = self.config.retry_config().cloned().unwrap_or_else(RetryConfig::standard);
        let retry = retry.with_max_attempts(PATIENT_ATTEMPT_COUNT_MAX);
        let config = self.config.to_builder().retry_config(retry).build();
        Session { config, partition: self.partition.clone(), meter: self.meter.clone() }
    }

    /// Returns the region, absent when neither the settings nor the AWS configuration name one.
    pub fn region(&self) -> Option<&str> {
        self.config.region().map(Region::as_ref)
    }

    /// Returns the count of what was sent.
    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    /// Returns the configuration with a region, whatever it is.
    fn anywhere(&self) -> SdkConfig {
        match self.config.region() {
            Some(_) => self.config.clone(),
            None => self.config.to_builder().region(Region::from_static(REGION_DEFAULT)).build(),
        }
    }
}

macro_rules! client {
    ($(#[$doc:meta])* $name:ident, $sdk:ident) => {
        impl Session {
            $(#[$doc])*
            pub(super) fn $name(&self) -> $sdk::Client {
                let config = $sdk::config::Builder::from(&self.anywhere())
                    .retry_partition(self.partition.clone())
                    .interceptor(self.meter.clone())
                    .build();
                $sdk::Client::from_conf(config)
            }
        }
    };
}

client!(
    /// Returns a client of Cost Explorer; its endpoint is one for all regions of a partition.
    cost_explorer, aws_sdk_costexplorer
);
client!(
    /// Returns a client of the Security Token Service.
    sts, aws_sdk_sts
);
client!(
    /// Returns a client of Organizations.
    organizations, aws_sdk_organizations
);
client!(
    /// Returns a client of Budgets.
    budgets, aws_sdk_budgets
);
client!(
    /// Returns a client of Simple Notification Service in the session's region.
    sns, aws_sdk_sns
);
client!(
    /// Returns a client of Identity and Access Management; its endpoint is one for all regions of a partition.
    iam, aws_sdk_iam
);
client!(
    /// Returns a client of SageMaker in the session's region.
    sagemaker, aws_sdk_sagemaker
);
client!(
    /// Returns a client of the Resource Groups Tagging API in the session's region.
    tagging, aws_sdk_resourcegroupstagging
);
client!(
    /// Returns a client of Elastic File System in the session's region.
    efs, aws_sdk_efs
);

/// Returns the credentials of a profile, asked for once so that one without any is named before any work begins.
async fn credentials_of(
    profile: &str,
    settings: &Settings,
    config: &SdkConfig,
) -> Result<SharedCredentialsProvider, Error> {
    let mut place = ProviderConfig::without_region().with_region(config.region().cloned());
    if let Some(http) = &settings.http {
        place = place.with_http_client(http.clone());
    }
    if let Some(sleep) = &settings.sleep {
        place = place.with_sleep_impl(sleep.clone());
    }
    let provider =
        ProfileFileCredentialsProvider::builder().configure(&place).profile_name(profile).build();
    match provider.provide_credentials().await {
        Ok(_) => Ok(SharedCredentialsProvider::new(provider)),
        Err(error) => {
            let why = error.source().map_or_else(|| error.to_string(), ToString::to_string);
            let text = format!("the profile `{profile}` gives no credentials: {why}");
            Err(Error::new(
                "AWS configuration",
                "profile",
                Kind::Credentials,
                "NoCredentials",
                text,
            ))
        }
    }
}

fn retry(settings: &Settings) -> RetryConfig {
    let retry = RetryConfig::standard().with_max_attempts(settings.attempt_count_max);
    match settings.retry_backoff_ms_max.map(Duration::from_millis) {
        Some(longest) => retry
            .with_initial_backoff(longest.min(Duration::from_secs(1)))
            .with_max_backoff(longest),
        None => retry,
    }
}

fn timeout(settings: &Settings) -> TimeoutConfig {
    let builder = TimeoutConfig::builder();
    match settings.attempt_timeout_s.map(Duration::from_secs) {
        Some(longest) => builder
            .connect_timeout(longest.min(Duration::from_secs(10)))
            .operation_attempt_timeout(longest)
            .build(),
        None => builder.disable_connect_timeout().build(),
    }
}

/// Gives retries no common quota: each request has its own number of attempts, whatever others met with.
fn partition() -> RetryPartition {
    RetryPartition::custom("apportion").token_bucket(TokenBucket::unlimited()).build()
}

/// Tells whether a text can be the name of a region.
pub fn is_region(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// A region becomes part of a host's name, so only what can be a region is let through.
fn checked_region(region: &str) -> Result<Region, Error> {
    if is_region(region) {
        return Ok(Region::new(region.to_owned()));
    }
    let text = format!("a region is letters, digits and hyphens: `{region}`");
    Err(Error::new("AWS configuration", "region", Kind::Other, "NotRegion", text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::testing::{Answer, session};

    #[tokio::test]
    async fn a_region_cannot_lead_to_another_host() {
        let settings = Settings { region: Some("evil.test/".to_owned()), ..Settings::default() };
        let error = Session::open(&settings).await.unwrap_err();
        assert_eq!(error.message, "a region is letters, digits and hyphens: `evil.test/`");
        let session = session(|_, _| Answer::Refused).await;
        assert_eq!(session.in_region("evil.test/").unwrap_err().code, "NotRegion");
        assert_eq!(session.in_region("eu-west-1").unwrap().region(), Some("eu-west-1"));
    }

    /// The client's words for a connection that was never made are not promised, so the real ones are asked for.
    #[tokio::test]
    async fn nothing_is_sent_where_nobody_listens() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let settings = Settings {
            attempt_count_max: 2,
            retry_backoff_ms_max: Some(1),
            endpoint: Some(Static { url, access_key: "AKIATEST".to_owned() }),
            ..Settings::default()
        };
        let session = Session::open(&settings).await.unwrap();
        let error = crate::aws::sts::caller(&session).await.unwrap_err();
        assert_eq!((error.kind, error.charge_unknown), (Kind::Network, false), "{error:?}");
    }

    #[tokio::test]
    async fn a_role_that_cannot_be_taken_on_is_an_error_at_once() {
        let denied = |_: &str, body: &str| {
            assert!(body.ends_with("ExternalId=x"), "{body}");
            let body = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no trust</Message>\
                </Error></ErrorResponse>";
            Answer::Body(403, body.to_owned())
        };
        let role = "arn:aws:iam::111122223333:role/reader";
        let error = session(denied).await.assume(role, Some("x")).await.unwrap_err();
        assert_eq!((error.kind, error.message.as_str()), (Kind::AccessDenied, "no trust"));
    }
}
