//! Owns the making of resources that lack their domain tag or bear an odd one, with the truth and with what tells it.
//!
//! Whoever makes a resource here also says what can be told of it; no rule of the program is asked.
//! **Invariant:** draws from a stream of its own and bills nothing, so the rest of a seed's world stays as it is.

mod crowd;
mod doubt;
mod made;
mod told;

use jiff::ToSpan;
use jiff::civil::Date;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use made::{KINDS, Made, Place, one, put_role};

use super::instant;
use super::name::id;
use crate::sandbox::organisation::{Clue, Organisation, Resource, Tags, Trace};
use crate::sandbox::scenario::Legacy;

const DOMAIN: &str = "sagemaker:domain-arn";
const USER: &str = "sagemaker:user-profile-arn";
const SPACE: &str = "sagemaker:space-arn";
const EXECUTION: &str = "sagemaker:pipeline-execution-arn";
const MANAGED_BY: &str = "ManagedByAmazonSageMakerResource";

/// The stream of the generator that nothing else draws from.
const STREAM: u64 = 1;

/// What is being made from.
struct Ground<'a> {
    organisation: &'a mut Organisation,
    rng: ChaCha8Rng,
    today: Date,
    places: Vec<Place>,
}

/// Makes all that the switches ask for.
pub(super) fn make(organisation: &mut Organisation, switches: &Legacy, seed: u64, today: Date) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(STREAM);
    let places = places(organisation);
    let mut ground = Ground { organisation, rng, today, places };
    told::found(&mut ground);
    for place in ground.places.clone() {
        let neighbour = ground.neighbour(&place);
        if switches.cases {
            told::make(&mut ground, &place);
            doubt::make(&mut ground, &place, neighbour.as_ref());
        }
        for _ in 0..switches.per_domain {
            crowd::draw(&mut ground, &place, neighbour.as_ref());
        }
        if let (true, Some(neighbour)) = (switches.blind, &neighbour) {
            doubt::blind(&mut ground, &place, neighbour);
        }
    }
    crowd::make(&mut ground, switches.count);
}

fn places(organisation: &Organisation) -> Vec<Place> {
    let place = |domain: &crate::sandbox::organisation::Domain| {
        let users = organisation.user_profiles.iter();
        let user = users.rev().find(|it| it.domain == domain.id && it.deleted_at.is_none())?;
        let mut spaces = organisation.spaces.iter();
        let space = spaces
            .find(|it| it.domain == domain.id && !it.shared && it.deleted_at.is_none())
            .map(|space| space.name.clone());
        Some(Place {
            account: domain.account.clone(),
            region: domain.region.clone(),
            domain: domain.id.clone(),
            role: domain.execution_role.clone(),
            user: user.name.clone(),
            space,
            founded_at: domain.created_at,
        })
    };
    organisation.domains.iter().filter_map(place).collect()
}

impl Ground<'_> {
    /// Returns another domain of the same account and region.
    fn neighbour(&self, place: &Place) -> Option<Place> {
        let is_near = |other: &&Place| {
            let is_here = (&other.account, &other.region) == (&place.account, &place.region);
            is_here && other.domain != place.domain
        };
        self.places.iter().find(is_near).cloned()
    }

    /// Draws a name such as people give; every fourth has capitals.
    fn name(&mut self) -> String {
        const WORDS: [&str; 8] =
            ["churn", "price", "fraud", "embed", "rank", "scan", "tabular", "demand"];
        let word = WORDS[self.rng.random_range(0..WORDS.len())];
        let tail = id(&mut self.rng, 6);
        if self.rng.random_ratio(1, 4) {
            format!("{}{}-{tail}", word[..1].to_uppercase(), &word[1..])
        } else {
            format!("{word}-{tail}")
        }
    }

    /// Draws a day before today.
    fn day(&mut self, most: u32) -> Date {
        self.today - i64::from(self.rng.random_range(1..=most)).days()
    }

    /// Draws the id of a domain that is gone.
    fn gone(&mut self, place: &Place) -> Place {
        Place { domain: format!("d-{}", id(&mut self.rng, 12)), ..place.clone() }
    }

    /// Puts a resource where the lists find it, notes what can be told of it, and returns its name.
    fn put(&mut self, place: &Place, made: Made) -> String {
        let row = KINDS.iter().find(|row| row.0 == made.kind).expect("every kind that is made");
        let (_, at_work, over, costs) = *row;
        let name = made.name.unwrap_or_else(|| self.name());
        let arn = match made.kind {
            "endpoint" => place.arn(made.kind, &name).to_lowercase(),
            // The category stands before the name.
            "job" => place.arn("job/agentrft", &name),
            kind => place.arn(kind, &name),
        };
        let mut details = made.details;
        if let Some(role) = &made.role {
            put_role(&mut details, made.kind, role);
        }
        // What is over is younger than fourteen months, and what is at work was begun a while ago.
        let created = self.day(if made.is_over { 400 } else { 20 });
        self.organisation.traces.push(Trace {
            arn: arn.clone(),
            case: made.case,
            clue: made.clue,
            truth: made.truth.clone(),
            costs: costs && !made.is_over,
        });
        self.organisation.resources.push(Resource {
            account: place.account.clone(),
            region: place.region.clone(),
            kind: made.kind.to_owned(),
            name: name.clone(),
            arn,
            status: if made.is_over { over } else { at_work }.to_owned(),
            details,
            truth: made.truth,
            tags: made.tags,
            created_at: instant(created),
            deleted_at: None,
        });
        name
    }

    /// Puts a run of a pipeline, which bears no tags itself, and returns its ARN.
    fn put_execution(&mut self, place: &Place, pipeline: &str, created_by: &Value) -> String {
        let run = id(&mut self.rng, 12);
        let parent = place.arn("pipeline", pipeline);
        let arn = format!("{parent}/execution/{run}");
        let created = self.day(10);
        self.organisation.resources.push(Resource {
            account: place.account.clone(),
            region: place.region.clone(),
            kind: "pipeline-execution".to_owned(),
            name: run,
            arn: arn.clone(),
            status: "Executing".to_owned(),
            details: json!({ "PipelineArn": parent, "CreatedBy": created_by }),
            truth: None,
            tags: Tags::new(),
            created_at: instant(created),
            deleted_at: None,
        });
        arn
    }

    /// Notes what can be told of a thing that is no `Resource`.
    fn note(&mut self, arn: String, case: &'static str, clue: Clue, truth: &str, costs: bool) {
        let truth = Some(truth.to_owned());
        self.organisation.traces.push(Trace { arn, case, clue, truth, costs });
    }
}

#[cfg(test)]
mod tests;
