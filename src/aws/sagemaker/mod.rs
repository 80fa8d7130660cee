//! Owns the calls to SageMaker's control plane.
//!
//! **Invariant:** it lists and describes, and changes nothing.

pub(super) mod identity;
pub(super) mod resource;
pub(super) mod taggable;

use aws_smithy_types::DateTime;
use jiff::Timestamp;

const SERVICE: &str = "SageMaker";

/// The largest page that SageMaker's lists give.
const PAGE_SIZE: i32 = 100;

/// Reads a moment; one outside of jiff's range of years is unknown.
fn timestamp(time: &DateTime) -> Option<Timestamp> {
    let nanos = i32::try_from(time.subsec_nanos()).ok()?;
    Timestamp::new(time.secs(), nanos).ok()
}
