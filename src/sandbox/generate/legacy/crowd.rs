//! Owns resources by number: those of drawn kinds and signs, and the plain ones of a large world.
//!
//! **Invariant:** what can be told of a drawn resource follows from the signs that were drawn, before any rule sees them.

use rand::RngExt;
use serde_json::json;

use super::{Ground, Made, Place, told};
use crate::sandbox::organisation::{Clue, Tags};

/// Kinds that a person starts, with a role.
const KINDS: [&str; 8] = [
    "training-job",
    "processing-job",
    "automl-job",
    "labeling-job",
    "compilation-job",
    "notebook-instance",
    "feature-group",
    "hyper-parameter-tuning-job",
];

/// Draws a resource: its kind, whether it is over, its tags and its role.
pub(super) fn draw(ground: &mut Ground<'_>, place: &Place, neighbour: Option<&Place>) {
    let kind = KINDS[ground.rng.random_range(0..KINDS.len())];
    let (role, is_lent) = match (ground.rng.random_range(0..4_u8), neighbour) {
        (0, _) => (place.automation(), false),
        (1, Some(neighbour)) => (neighbour.role.clone(), true),
        _ => (place.role.clone(), false),
    };
    let is_own = role == place.role;
    let (tags, clue) = match ground.rng.random_range(0..6_u8) {
        0 | 1 => (place.by_user(), if is_lent { Clue::Contested } else { Clue::Told }),
        2 => (place.by_space(), if is_lent { Clue::Contested } else { Clue::Told }),
        3 => {
            let mut tags = place.by_user();
            tags.extend(place.by_space());
            (tags, if is_lent { Clue::Contested } else { Clue::Told })
        }
        4 => (place.by_domain(), Clue::Tagged),
        _ if is_own || is_lent => (Tags::new(), Clue::Hinted),
        _ => (Tags::new(), Clue::Silent),
    };
    let made = Made::new(place, kind, "drawn", clue).tagged(tags).run_as(role);
    let is_over = ground.rng.random_ratio(1, 4);
    ground.put(place, if is_over { made.over() } else { made });
}

/// Makes many untagged resources that cost something, in turn in every domain.
pub(super) fn make(ground: &mut Ground<'_>, count: u32) {
    let places = ground.places.clone();
    if count == 0 || places.is_empty() {
        return;
    }
    let configs: Vec<String> = places
        .iter()
        .map(|place| {
            let model = told::model(ground, place);
            let made = Made::new(place, "endpoint-config", "tagged", Clue::Tagged);
            told::configure(ground, place, made.tagged(place.by_domain()), &[&model])
        })
        .collect();
    for (at, (place, config)) in (0..count).zip(places.iter().zip(&configs).cycle()) {
        let made = |kind, clue| Made::new(place, kind, "crowd", clue);
        let made = match at / u32::try_from(places.len()).expect("few domains") % 10 {
            0..=4 => made("training-job", Clue::Told).tagged(place.by_user()),
            5 | 6 => made("processing-job", Clue::Told).tagged(place.by_space()),
            7 => made("endpoint", Clue::Told).with("EndpointConfigName", json!(config)),
            8 => made("notebook-instance", Clue::Told).tagged(place.by_user()),
            _ => made("notebook-instance", Clue::Hinted),
        };
        ground.put(place, made.named(format!("old-{at:06}")));
    }
}
