//! Owns `demo` and `sandbox`: the embedded organisation, asked by the batch, or left open for others to ask.

use std::path::Path;

use jiff::Timestamp;

use crate::aws;
use crate::cli::args::{Asking, AwsArgs, DemoArgs, Organisation, Place, SandboxArgs, Writing};
use crate::cli::clock::Clock;
use crate::cli::commands::{self, Context, Memory};
use crate::cli::config::Loaded;
use crate::cli::error::{Failure, Kind};
use crate::cli::ui::Ui;
use crate::sandbox::scenario::Scenario;
use crate::sandbox::world::World;
use crate::sandbox::{generate, http};
use crate::store::disk;

/// The moment at which the demonstration takes place.
pub const DEMO_NOW: &str = "2026-11-20T08:00:00Z";

/// The configuration that the demonstration runs with.
const DEMO_CONFIGURATION: &str = include_str!("demo.toml");

/// The files that it names.
const DEMO_FILES: [(&str, &str); 1] = [("roster.csv", include_str!("roster.csv"))];

/// The prefix of access keys that the sandbox knows; the account's id follows.
const KEY_PREFIX: &str = "AKIASANDBOX";

fn world(organisation: &Organisation, now: Timestamp) -> Result<World, Failure> {
    let scenario =
        organisation.scenario.as_deref().map_or_else(|| Ok(Scenario::default()), read)?;
    Ok(generate::world(&scenario, organisation.seed, organisation.scale, now))
}

/// Reads a scenario: an embedded one by its name, or a file.
fn read(path: &Path) -> Result<Scenario, Failure> {
    if let Some(scenario) = path.to_str().and_then(Scenario::named) {
        return Ok(scenario);
    }
    let text = String::from_utf8_lossy(&disk::read(path)?).into_owned();
    Scenario::parse(&text).map_err(|error| Failure {
        kind: Kind::Failed,
        message: format!("`{}` is not a scenario", path.display()),
        causes: vec![error.to_string().trim_end().to_owned()],
        hints: vec!["`src/sandbox/scenario.toml` in the sources is the embedded one".to_owned()],
    })
}

fn not_started(error: &std::io::Error) -> Failure {
    Failure {
        kind: Kind::Failed,
        message: "could not start the sandbox on loopback".to_owned(),
        causes: vec![error.to_string()],
        hints: vec!["name another port, or 0 for any free one".to_owned()],
    }
}

/// Runs the whole batch against the embedded organisation, program and sandbox on one fixed clock.
pub async fn demo(ui: Ui, args: &DemoArgs) -> Result<u8, Failure> {
    let now: Timestamp = DEMO_NOW.parse().expect("the demonstration's moment is a timestamp");
    disk::prove_writable(&args.out)?;
    let world = world(&args.organisation, now)?;
    let access_key = format!("{KEY_PREFIX}{}", world.organisation.payer);
    let shared = world.share();
    let server = http::start(shared, 0).await.map_err(|error| not_started(&error))?;
    let files = DEMO_FILES.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()));
    let loaded = Loaded::with(DEMO_CONFIGURATION, files.into())
        .expect("the demonstration's configuration is valid");
    // Beside the report, so that its figures can be explained and its terms be tried out.
    disk::write(&args.out.join("apportion.toml"), DEMO_CONFIGURATION.as_bytes())?;
    for (name, bytes) in &loaded.files {
        disk::write(&args.out.join(name), bytes)?;
    }
    let context = Context { loaded, clock: Clock::Fixed(now), ui };
    context
        .ui
        .line("An embedded organisation stands in for AWS, on loopback; no account is needed.");
    let settings = aws::Settings {
        endpoint: Some(aws::Static { url: server.url.clone(), access_key }),
        ..aws::Settings::default()
    };
    let place = Place { snapshots: args.out.join("snapshots"), month: None };
    let asking = Asking {
        aws: AwsArgs::default(),
        months: 13,
        daily_months: 0,
        max_spend: None,
        yes: true,
        concurrency: 2,
        aws_forecast: false,
        fresh: true,
    };
    let writing =
        Writing { out: args.out.clone(), metric: None, definition: Vec::new(), history: false };
    let code =
        match commands::collect(&context, &settings, &asking, &place, Memory::Nothing).await? {
            Some(snapshot) => {
                let month = context.month(None)?;
                commands::report(&context, &place.snapshots, &snapshot, month, &writing)?
            }
            None => crate::cli::error::DONE,
        };
    server.stop().await;
    Ok(code)
}

/// Leaves the sandbox open until it is interrupted.
pub async fn sandbox(context: &Context, args: &SandboxArgs) -> Result<u8, Failure> {
    let now = context.clock.now();
    let world = match args.groups {
        Some(groups) => generate::grouped(14, groups, now),
        None => world(&args.organisation, now)?,
    };
    let payer = world.organisation.payer.clone();
    let server =
        http::start(world.share(), args.port).await.map_err(|error| not_started(&error))?;
    let text = format!(
        "export AWS_ENDPOINT_URL={}\nexport AWS_ACCESS_KEY_ID={KEY_PREFIX}{payer}\n\
         export AWS_SECRET_ACCESS_KEY=sandbox\nexport AWS_REGION=us-east-1\n\
         export AWS_DEFAULT_REGION=us-east-1\n",
        server.url
    );
    crate::cli::print(&text);
    context.ui.line("The sandbox answers until it is interrupted (Ctrl-C).");
    // An interrupt that cannot be waited for leaves the server running until the process is ended.
    drop(tokio::signal::ctrl_c().await);
    server.stop().await;
    Ok(crate::cli::error::DONE)
}
