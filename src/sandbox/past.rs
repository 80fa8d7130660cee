//! Owns what tags were: what the tagging API still shows, and what it once saw.
//!
//! **Invariant:** tags change here and nowhere else, so nothing changes them unseen.

use std::collections::BTreeMap;

use jiff::{Timestamp, ToSpan};

use super::organisation::Tags;
use super::reach::{self, Place};
use super::world::World;

/// What is remembered of changed tags, by ARN.
pub(super) type Past = BTreeMap<String, Changes>;

/// What is remembered of one thing.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// Whether it had a tag before a change that the tagging API has seen.
    was_tagged: bool,
    /// What the tags were before each change that the tagging API may not have seen, oldest first.
    unseen: Vec<(Timestamp, Tags)>,
}

/// Gives a thing other tags and remembers what they were.
pub(super) fn change(world: &mut World, arn: &str, place: Place, next: Tags) {
    let (now, seen_until) = (world.now, seen_until(world));
    let tags = reach::tags_mut(&mut world.organisation, place);
    if *tags == next {
        return;
    }
    let before = std::mem::replace(tags, next);
    let late = seen_until < now;
    if !before.is_empty() || late {
        let changes = world.past.entry(arn.to_owned()).or_default();
        changes.unseen.push((now, before));
        let seen = changes.unseen.partition_point(|(changed_at, _)| *changed_at <= seen_until);
        changes.was_tagged |= changes.unseen.drain(..seen).any(|(_, tags)| !tags.is_empty());
    }
}

/// Returns the tags that the tagging API shows of a thing; nothing of what was never tagged.
pub(super) fn shown<'a>(world: &'a World, arn: &str, tags: &'a Tags) -> Option<&'a Tags> {
    let Some(changes) = world.past.get(arn) else {
        return (!tags.is_empty()).then_some(tags);
    };
    let seen_until = seen_until(world);
    let seen = changes.unseen.partition_point(|(changed_at, _)| *changed_at <= seen_until);
    let (seen, unseen) = changes.unseen.split_at(seen);
    let was_tagged = changes.was_tagged || seen.iter().any(|(_, before)| !before.is_empty());
    let tags = unseen.first().map_or(tags, |(_, before)| before);
    (was_tagged || !tags.is_empty()).then_some(tags)
}

/// Returns the instant until which the tagging API has seen all changes.
fn seen_until(world: &World) -> Timestamp {
    world.now - i64::from(world.variants.tag_lag_seconds).seconds()
}

#[cfg(test)]
mod tests {
    use super::super::sample::{tagged, world};
    use super::*;

    #[test]
    fn a_late_view_shows_what_was() {
        let mut world = world();
        world.variants.tag_lag_seconds = 60;
        // A model that was never tagged.
        let place = Place::Resource(2);
        let view = |world: &World| {
            let tags = reach::tags(&world.organisation, place);
            shown(world, "arn", tags).map(|tags| tags.get("team").cloned().unwrap_or_default())
        };
        let set = |world: &mut World, tags| change(world, "arn", place, tags);
        assert_eq!(view(&world), None);
        set(&mut world, tagged("team", "a"));
        assert_eq!(view(&world), None, "not seen yet");
        world.now += 59.seconds();
        set(&mut world, tagged("team", "b"));
        assert_eq!(view(&world), None);
        world.now += 1.second();
        assert_eq!(view(&world).as_deref(), Some("a"));
        world.now += 59.seconds();
        assert_eq!(view(&world).as_deref(), Some("b"));
        set(&mut world, Tags::new());
        assert_eq!(view(&world).as_deref(), Some("b"));
        world.now += 60.seconds();
        assert_eq!(view(&world).as_deref(), Some(""), "once tagged, always known");
    }
}
