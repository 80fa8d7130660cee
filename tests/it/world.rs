//! Owns the imitated organisation that tests ask: in process without a socket, or by the binary over loopback.
//!
//! **Invariant:** the clock stands still, and nothing leaves the machine.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use apportion::arn::AccountId;
use apportion::aws::{Session, Settings, Static};
use apportion::charge;
use apportion::cli::clock::Clock;
use apportion::cli::collect::{Options, Progress, ask, collect, inventory::Place};
use apportion::cli::condition::{self, Condition};
use apportion::ledger::{self, Ledger};
use apportion::metric::Metric;
use apportion::money::Money;
use apportion::note::Note;
use apportion::notes;
use apportion::period::Month;
use apportion::report::Report;
use apportion::request::{Purpose, Quote};
use apportion::sandbox::scenario::Scenario;
use apportion::sandbox::world::{Shared, World};
use apportion::sandbox::{generate, http};
use apportion::snapshot::Snapshot;
use apportion::terms::Terms;
use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep, Sleep};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use jiff::Timestamp;
use tokio::sync::Notify;

/// The moment at which every test takes place: the twentieth day of an open month.
pub(crate) const NOW: &str = "2026-11-20T08:00:00Z";
/// The account of the payer in the embedded scenario.
pub(crate) const PAYER: &str = "111122223333";
/// The member account that works most in the embedded scenario.
pub(crate) const MEMBER: &str = "444455556666";

/// Returns the present.
pub(crate) fn now() -> Timestamp {
    NOW.parse().unwrap()
}

/// Returns a month.
pub(crate) fn month(text: &str) -> Month {
    Month::parse(text).unwrap()
}

/// Returns the embedded scenario with a few people in each domain.
pub(crate) fn small(users: u32) -> Scenario {
    Scenario { user_count: Some(users), ..Scenario::default() }
}

/// Makes a world of a scenario and a seed.
pub(crate) fn make(scenario: &Scenario, seed: u64) -> Shared {
    generate::world(scenario, seed, 1, now()).share()
}

/// Changes something in a world.
pub(crate) fn alter<T>(world: &Shared, change: impl FnOnce(&mut World) -> T) -> T {
    change(&mut world.lock().unwrap())
}

/// Returns how many pages the world charged for.
pub(crate) fn paid(world: &Shared) -> u64 {
    alter(world, |world| world.counts.paid)
}

/// Says nothing and accepts every quote.
struct Silent;

impl Progress for Silent {
    fn quote(&self, _quote: &Quote) -> bool {
        true
    }

    fn stage(&self, _name: &str, _count: usize) {}

    fn say(&self, _text: &str) {}

    fn on_page(&self) -> Arc<dyn Fn(&Purpose) + Send + Sync> {
        Arc::new(|_| {})
    }
}

/// A wire that goes dead after some requests, as for a program that is killed.
#[derive(Debug)]
pub(crate) struct Fuse {
    left: Mutex<u64>,
    /// Whether the last request still reaches the imitation, and only its answer does not come back.
    is_heard: bool,
    /// Tells that the wire is dead.
    pub(crate) blown: Notify,
}

impl Fuse {
    /// Makes a fuse that lets so many requests through.
    pub(crate) fn new(count: u64, is_heard: bool) -> Arc<Fuse> {
        Arc::new(Fuse { left: Mutex::new(count), is_heard, blown: Notify::new() })
    }

    /// Takes note of a request, and tells whether it is one too many.
    fn burn(&self) -> bool {
        let mut left = self.left.lock().unwrap();
        let is_over = *left == 0;
        *left = left.saturating_sub(1);
        is_over
    }
}

/// Answers requests of the SDK by the imitation, in process.
#[derive(Clone)]
struct Wire {
    world: Shared,
    /// Requests that hold this text get no answer.
    deaf_to: Option<&'static str>,
    fuse: Option<Arc<Fuse>>,
}

impl fmt::Debug for Wire {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Wire")
    }
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let world = self.world.clone();
        let blown = self.fuse.clone().filter(|fuse| fuse.burn());
        let body = std::str::from_utf8(request.body().bytes().unwrap_or_default()).unwrap();
        if self.deaf_to.is_some_and(|text| body.contains(text)) {
            return HttpConnectorFuture::ready(Err(ConnectorError::io("connection reset".into())));
        }
        HttpConnectorFuture::new(async move {
            if let Some(fuse) = blown.as_ref().filter(|fuse| !fuse.is_heard) {
                fuse.blown.notify_one();
                return std::future::pending().await;
            }
            let request = request.try_into_http1x().unwrap();
            let (parts, body) = request.into_parts();
            let asked = http::Request {
                method: parts.method.as_str().to_owned(),
                path: parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
                headers: parts.headers,
                body: body.bytes().unwrap_or_default().to_vec().into(),
            };
            let Some(reply) = http::respond(&world, &asked).await else {
                return Err(ConnectorError::io("connection reset".into()));
            };
            if let Some(fuse) = blown {
                fuse.blown.notify_one();
                return std::future::pending().await;
            }
            let status = reply.status.try_into().unwrap();
            let mut answer = HttpResponse::new(status, SdkBody::from(reply.body));
            for (name, value) in reply.headers {
                answer.headers_mut().insert(name, value);
            }
            Ok(answer)
        })
    }
}

/// A wait that takes no time.
#[derive(Debug)]
struct Instant;

impl AsyncSleep for Instant {
    fn sleep(&self, _duration: Duration) -> Sleep {
        Sleep::new(std::future::ready(()))
    }
}

/// Returns the settings of a session that is answered in process.
pub(crate) fn settings(world: &Shared, account: &str, deaf_to: Option<&'static str>) -> Settings {
    fused(world, account, deaf_to, None)
}

/// Returns the settings of a session whose wire may go dead.
pub(crate) fn fused(
    world: &Shared,
    account: &str,
    deaf_to: Option<&'static str>,
    fuse: Option<Arc<Fuse>>,
) -> Settings {
    let connector = SharedHttpConnector::new(Wire { world: world.clone(), deaf_to, fuse });
    Settings {
        attempt_count_max: 8,
        attempt_timeout_s: None,
        endpoint: Some(Static {
            url: "http://aws.test".to_owned(),
            access_key: format!("AKIASANDBOX{account}"),
        }),
        http: Some(http_client_fn(move |_, _| connector.clone())),
        sleep: Some(SharedAsyncSleep::new(Instant)),
        ..Settings::default()
    }
}

/// Returns what `apportion run` asks for by default, without an inventory.
pub(crate) fn options() -> Options {
    Options {
        month: month("2026-10"),
        month_count: 13,
        daily_month_count: 0,
        keys: Vec::new(),
        billing_view: None,
        places: Vec::new(),
        spend_max: None,
        concurrency: 2,
        forecast: None,
        is_fresh: false,
        clock: Clock::Fixed(now()),
    }
}

/// Returns the options with an inventory of every account of the embedded scenario.
pub(crate) fn with_inventory() -> Options {
    let place = |account: &str| Place {
        account: Some(AccountId::parse(account).unwrap()),
        role_arn: (account != PAYER).then(|| format!("arn:aws:iam::{account}:role/reader")),
        external_id: None,
        regions: Vec::new(),
    };
    Options { places: [PAYER, MEMBER, "777788889999"].map(place).to_vec(), ..options() }
}

/// Collects in process, on one thread.
pub(crate) fn ask_as(
    world: &Shared,
    account: &str,
    options: &Options,
    earlier: Option<&Snapshot>,
) -> Result<Snapshot, ask::Error> {
    run(&settings(world, account, None), options, earlier)
}

/// Collects in process as the payer; requests that hold a text are never answered.
pub(crate) fn ask_without(world: &Shared, options: &Options, text: &'static str) -> Snapshot {
    run(&settings(world, PAYER, Some(text)), options, None).unwrap()
}

fn run(
    settings: &Settings,
    options: &Options,
    earlier: Option<&Snapshot>,
) -> Result<Snapshot, ask::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let session = Session::open(settings).await.unwrap();
        let collected = Box::pin(collect(&session, options, earlier, &Silent)).await?;
        Ok(collected.expect("the quote was accepted"))
    })
}

/// Collects in process as the payer.
pub(crate) fn ask(world: &Shared, options: &Options, earlier: Option<&Snapshot>) -> Snapshot {
    ask_as(world, PAYER, options, earlier).unwrap()
}

/// A snapshot with what the program makes of it.
pub(crate) struct Judged {
    pub(crate) snapshot: Snapshot,
    pub(crate) ledger: Ledger,
    pub(crate) notes: Vec<Note>,
    pub(crate) conditions: Vec<Condition>,
}

impl Judged {
    /// Posts a snapshot.
    pub(crate) fn of(snapshot: Snapshot) -> Judged {
        let ledger = ledger::post(&snapshot);
        let (terms, metric) = (Terms::default(), Metric::NetAmortizedCost);
        let charges = charge::charge(&snapshot, &ledger, &terms, metric);
        let report = Report {
            snapshot: &snapshot,
            ledger: &ledger,
            charges: &charges,
            terms: &terms,
            month: month("2026-10"),
            metric,
        };
        let (notes, conditions) = (notes::of(&report), condition::of(&report));
        Judged { snapshot, ledger, notes, conditions }
    }

    /// Returns the exit code.
    pub(crate) fn code(&self) -> u8 {
        condition::code(&self.conditions)
    }

    /// Tells whether some note holds a text.
    pub(crate) fn says(&self, text: &str) -> bool {
        self.notes.iter().any(|note| note.text.contains(text))
    }

    /// Returns who bears what: by month, owner, service, record type and usage type.
    pub(crate) fn figures(&self) -> BTreeMap<(Month, String, String), [Option<Money>; 4]> {
        let mut figures = BTreeMap::new();
        for line in &self.ledger.lines {
            let name = |number: u32| self.ledger.names.text(number);
            let (service, record_type) = (name(line.service), name(line.record_type));
            let what = format!("{service}/{record_type}/{}", name(line.usage_type));
            let owner = format!("{} {:?}", self.ledger.bearer(line).owner, line.reason);
            let sums = figures.entry((line.month, owner, what)).or_insert([Some(Money::ZERO); 4]);
            for (sum, metric) in sums.iter_mut().zip(Metric::ALL) {
                *sum = sum.zip(line.amounts.get(metric)).map(|(sum, money)| sum + money);
            }
        }
        figures
    }
}

/// Collects in process and posts.
pub(crate) fn judge(world: &Shared, options: &Options) -> Judged {
    Judged::of(ask(world, options, None))
}

/// The imitation on loopback, for the binary.
pub(crate) struct Site {
    pub(crate) world: Shared,
    url: String,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Site {
    /// Opens a site in a thread of its own.
    pub(crate) fn open(world: Shared) -> Site {
        let (tell, told) = mpsc::channel();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let served = world.clone();
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let running = http::start(served, 0).await.unwrap();
                tell.send(running.url.clone()).unwrap();
                stopped.await.unwrap_or_default();
                drop(running);
            });
        });
        let url = told.recv().unwrap();
        Site { world, url, stop: Some(stop), thread: Some(thread) }
    }

    /// Runs the batch of the binary as an account, with reports and snapshots under a folder.
    pub(crate) fn run(&self, account: &str, folder: &Path, more: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_apportion"))
            .env_clear()
            .env("HOME", folder)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_ENDPOINT_URL", &self.url)
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", format!("AKIASANDBOX{account}"))
            .env("AWS_SECRET_ACCESS_KEY", "sandbox")
            .current_dir(folder)
            .args(["--now", NOW, "run", "--out", "out", "--snapshots", "kept", "--yes"])
            .args(more)
            .output()
            .unwrap()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            stop.send(()).unwrap_or_default();
        }
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap_or_default();
        }
    }
}

/// Returns what a program said, for a failing test.
pub(crate) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
