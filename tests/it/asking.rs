//! Owns the proof that asking ends, stays within the spending limit, and is done as whom it was told.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use apportion::aws::cost_explorer::CostExplorer;
use apportion::aws::{Session, Settings, Static};
use apportion::cli::clock::Clock;
use apportion::cli::collect::Options;
use apportion::cli::collect::ask::{Asker, Error};
use apportion::metric::Metric;
use apportion::money::Money;
use apportion::period::Month;
use apportion::query::Filter;
use apportion::request::{self, Purpose, Request};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use serde_json::json;

use crate::run::{Sandbox, apportion, write};
use crate::world::{PAYER, alter, ask, ask_as, make, month, now, options, small};

/// Answers every page after a while with the next token of a list, again and again.
#[derive(Clone)]
struct Slow {
    tokens: Arc<Mutex<Vec<&'static str>>>,
    answered: Arc<AtomicU64>,
}

impl fmt::Debug for Slow {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Slow")
    }
}

impl HttpConnector for Slow {
    fn call(&self, _request: HttpRequest) -> HttpConnectorFuture {
        let this = self.clone();
        HttpConnectorFuture::new(async move {
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            this.answered.fetch_add(1, Ordering::SeqCst);
            let mut body = json!({ "ResultsByTime": [{
                "TimePeriod": { "Start": "2026-10-01", "End": "2026-11-01" },
                "Groups": [], "Estimated": false }] });
            if let Some(token) = this.tokens.lock().unwrap().pop() {
                body["NextPageToken"] = token.into();
            }
            Ok(HttpResponse::new(200.try_into().unwrap(), SdkBody::from(body.to_string())))
        })
    }
}

/// Asks so many requests at once of one month each; returns the answers and how many pages were paid.
fn ask_slowly(
    count: usize,
    cents_max: i128,
    tokens: &[&'static str],
) -> (Vec<Result<u32, Error>>, u64) {
    let slow = Slow { tokens: Arc::new(Mutex::new(tokens.to_vec())), answered: Arc::default() };
    let connector = SharedHttpConnector::new(slow.clone());
    let settings = Settings {
        attempt_timeout_s: None,
        endpoint: Some(Static {
            url: "http://aws.test".to_owned(),
            access_key: "AKIATEST".to_owned(),
        }),
        http: Some(http_client_fn(move |_, _| connector.clone())),
        ..Settings::default()
    };
    let requests: Vec<Request> =
        (0..count).map(|_| request::bill(month("2026-10"), month("2026-10"))).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let answers = runtime.block_on(async {
        let session = Session::open(&settings).await.unwrap();
        let asker = Asker::new(
            CostExplorer::new(&session, None),
            session.meter().clone(),
            Some(Money::from_cents(cents_max)),
            4,
            Clock::Fixed(now()),
            Arc::new(|_| {}),
        );
        asker.ask_all(&requests, 1).await
    });
    let pages = |answer: Result<_, _>| {
        answer.map(|it: apportion::cli::collect::ask::Answer| it.asked.pages)
    };
    (answers.into_iter().map(pages).collect(), slow.answered.load(Ordering::SeqCst))
}

#[test]
fn several_at_once_never_pass_the_limit_together() {
    for (cents, paid) in [(0, 0), (1, 1), (3, 3), (7, 7), (8, 8), (20, 8)] {
        let (answers, answered) = ask_slowly(8, cents, &[]);
        assert_eq!(answered, paid, "at most {cents} cents");
        for answer in answers.iter().filter(|answer| answer.is_err()) {
            assert!(matches!(answer, Err(Error::Spend { .. })), "{answer:?}");
        }
    }
}

#[test]
fn pages_that_go_round_in_a_circle_are_an_error() {
    let (answers, paid) = ask_slowly(1, 100, &["b", "a"]);
    assert!(matches!(answers[..], [Ok(3)]), "{answers:?}");
    assert_eq!(paid, 3);
    let (answers, paid) = ask_slowly(1, 100, &["a", "b", "a", "b", "a"]);
    let [Err(Error::Aws(error))] = &answers[..] else { panic!("{answers:?}") };
    assert_eq!((error.code.as_str(), paid), ("RepeatedToken", 3));
}

#[test]
fn a_forecast_is_asked_for_the_whole_scope_and_within_the_limit() {
    let world = make(&small(2), 91);
    let forecast = Options { forecast: Some(Metric::UnblendedCost), ..options() };
    let plain = ask(&world, &options(), None).manifest;
    let pages = i128::from(plain.receipt.pages);
    for (cents, count) in [(pages, 0), (pages + 1, 1)] {
        let limited = Options { spend_max: Some(Money::from_cents(cents)), ..forecast.clone() };
        let manifest = ask_as(&world, PAYER, &limited, None).unwrap().manifest;
        assert_eq!(manifest.forecasts.len(), count, "{cents}");
        assert!(i128::from(manifest.receipt.pages) <= cents);
        let lacks = manifest.missing.iter().any(|it| it.purpose == Purpose::Forecast);
        assert_eq!(lacks, count == 0, "{:?}", manifest.missing);
    }
    let whole = request::whole(&plain.scope).as_ref().map(Filter::to_json);
    let accounts = plain.asked.iter().find(|it| it.purpose == Purpose::BilledAccounts).unwrap();
    assert_eq!(whole, accounts.query.filter.as_ref().map(Filter::to_json));
}

#[test]
fn without_a_service_nothing_is_forecast() {
    let world = make(&small(1), 92);
    alter(&world, |world| world.bill = apportion::sandbox::bill::Bill::default());
    let forecast = Options { forecast: Some(Metric::UnblendedCost), ..options() };
    match ask_as(&world, PAYER, &forecast, None) {
        Ok(snapshot) => {
            let manifest = snapshot.manifest;
            assert!(manifest.forecasts.is_empty() && manifest.scope.services.is_empty());
            let lacking: BTreeSet<_> = manifest.missing.iter().map(|it| &it.purpose).collect();
            assert!(lacking.contains(&Purpose::Forecast), "{lacking:?}");
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a_named_profile_wins_over_the_environment() {
    let sandbox = Sandbox::start();
    let here = tempfile::tempdir().unwrap();
    let keys = |account: &str| {
        format!("aws_access_key_id = AKIASANDBOX{account}\naws_secret_access_key = sandbox\n")
    };
    let profiles = format!("[member]\n{}[payer]\n{}", keys("444455556666"), keys(PAYER));
    write(&here.path().join("home/.aws/credentials"), profiles.as_bytes());
    let check = |profile: &[&str]| {
        let arguments: Vec<&str> = ["check"].iter().chain(profile).copied().collect();
        apportion(here.path(), &arguments).against(&sandbox).run()
    };
    assert!(check(&[]).stderr.contains(PAYER));
    let member = check(&["--profile", "member"]);
    assert!(member.stderr.contains("444455556666"), "{}", member.stderr);
    let unknown = check(&["--profile", "nobody"]);
    assert_eq!(unknown.code, 1, "{}", unknown.stderr);
    assert!(unknown.stderr.contains("the profile `nobody`"), "{}", unknown.stderr);
    assert_eq!(sandbox.paid(), 0);
}

#[test]
fn a_check_of_alerts_ends_with_what_is_gravest() {
    let sandbox = Sandbox::start();
    let tamper = json!({ "page": 1, "request_contains": "\"USAGE_TYPE\"", "delta": "1.00" });
    let table = [
        (json!({}), 3, ""),
        (json!({ "denied": [{ "service": "budgets" }] }), 5, "budgets of 111122223333"),
        (json!({ "tamper": tamper }), 4, "does not reconcile"),
    ];
    for (faults, code, words) in table {
        sandbox.set_faults(faults.clone());
        let here = tempfile::tempdir().unwrap();
        let budget = "[[budget]]\nname = \"a\"\nall = true\nlimit = \"0.01\"\n";
        write(&here.path().join("apportion.toml"), budget.as_bytes());
        let collect = ["collect", "--now", crate::run::NOW];
        apportion(here.path(), &collect).against(&sandbox).run();
        let plain = apportion(here.path(), &["budgets", "alerts"]).run();
        assert_eq!(plain.code, 0, "{}", plain.stderr);
        let checked = apportion(here.path(), &["budgets", "alerts", "--check"]).run();
        assert_eq!(checked.code, code, "{faults}: {}", checked.stderr);
        assert!(checked.stderr.contains(words), "{faults}: {}", checked.stderr);
        assert_eq!(checked.stderr.is_empty(), code == 3, "{}", checked.stderr);
    }
}

#[test]
fn a_budget_of_nobody_is_unknown() {
    let sandbox = Sandbox::start();
    let here = tempfile::tempdir().unwrap();
    let budgets = [
        "[[budget]]\nname = \"u\"\ndomain = \"d-nowhere\"\nuser_profile = \"ana\"\nlimit = \"5\"\n",
        "[[budget]]\nname = \"d\"\ndomain = \"d-nowhere\"\nlimit = \"5\"\n",
    ];
    write(&here.path().join("apportion.toml"), budgets.concat().as_bytes());
    let collect = ["collect", "--now", crate::run::NOW];
    apportion(here.path(), &collect).against(&sandbox).run();
    let rows = apportion(here.path(), &["budgets", "alerts", "--format", "json"]).run().stdout;
    let rows: Vec<serde_json::Value> = serde_json::from_str(&rows).unwrap();
    for (name, remark) in
        [("u", "no such user profile in d-nowhere"), ("d", "no such domain as d-nowhere")]
    {
        let mine: Vec<_> = rows.iter().filter(|row| row["budget"] == name).collect();
        assert_eq!(mine.len(), 2);
        for row in mine {
            assert_eq!(row["state"], "unknown", "{row}");
            assert!(row["remark"].as_str().unwrap().contains(remark), "{row}");
        }
    }
    let month: Month = month("2026-11");
    assert!(rows.iter().all(|row| row["month"] == month.to_string()));
}
