//! Owns the clock: read here and nowhere else.

use jiff::Timestamp;

/// Where the present comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// The system's clock.
    System,
    /// One fixed moment: the demonstration, and replays.
    Fixed(Timestamp),
}

impl Clock {
    /// Returns the present, to the second.
    pub fn now(self) -> Timestamp {
        match self {
            #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
            Clock::System => Timestamp::from_second(Timestamp::now().as_second())
                .expect("the system's clock is within the range of timestamps"),
            Clock::Fixed(at) => at,
        }
    }
}
