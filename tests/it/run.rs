//! Owns running the program as a person would: arguments in; stdout, stderr and exit code out.
//!
//! **Invariant:** nothing of the caller's environment reaches the program, and nothing it does leaves a folder of its own.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail their test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{OnceLock, mpsc};
use std::thread;

use apportion::sandbox::scenario::Scenario;
use apportion::sandbox::world::{Shared, World};
use apportion::sandbox::{generate, http};
use tempfile::TempDir;
use tokio::sync::oneshot;

/// The present of every test.
pub(crate) const NOW: &str = "2026-11-20T08:00:00Z";

/// A run that is being put together.
#[must_use]
pub(crate) struct Run {
    command: Command,
    folder: PathBuf,
}

/// What a run left.
pub(crate) struct Output {
    /// Data.
    pub(crate) stdout: String,
    /// Talk, with the folder's path as `[folder]`.
    pub(crate) stderr: String,
    /// The exit code.
    pub(crate) code: i32,
}

/// Begins a run in a folder.
pub(crate) fn apportion(folder: &Path, arguments: &[&str]) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_apportion"));
    command
        .args(arguments)
        .env_clear()
        .env("HOME", folder.join("home"))
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("COLUMNS", "100")
        .current_dir(folder)
        .stdin(Stdio::null());
    Run { command, folder: folder.to_owned() }
}

impl Run {
    /// Sets a variable of the environment.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Run {
        self.command.env(name, value);
        self
    }

    /// Lets the program meet a sandbox, with the payer's key.
    pub(crate) fn against(self, sandbox: &Sandbox) -> Run {
        self.env("AWS_ENDPOINT_URL", &sandbox.url)
            .env("AWS_ACCESS_KEY_ID", "AKIASANDBOX111122223333")
            .env("AWS_SECRET_ACCESS_KEY", "sandbox")
            .env("AWS_REGION", "us-east-1")
    }

    /// Runs to the end.
    pub(crate) fn run(mut self) -> Output {
        let output = self.command.output().unwrap();
        let text = |bytes: &[u8]| {
            let folder = self.folder.to_string_lossy().into_owned();
            String::from_utf8(bytes.to_vec()).unwrap().replace(&folder, "[folder]")
        };
        Output {
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
            code: output.status.code().expect("the program was not killed"),
        }
    }

    /// Runs and is killed after so many milliseconds, if it has not ended by then.
    pub(crate) fn run_killed_after(mut self, milliseconds: u64) {
        self.command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = self.command.spawn().unwrap();
        thread::sleep(std::time::Duration::from_millis(milliseconds));
        // One that has ended cannot be killed, and need not be.
        drop(child.kill());
        child.wait().unwrap();
    }

    /// Runs to the end while nobody reads its stdout and stderr; returns the exit code.
    pub(crate) fn run_unread(mut self) -> i32 {
        self.command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().unwrap();
        drop((child.stdout.take(), child.stderr.take()));
        child.wait().unwrap().code().expect("the program was not killed")
    }
}

/// A sandbox on loopback, in a thread of its own; it stops when dropped.
pub(crate) struct Sandbox {
    /// Where it listens.
    pub(crate) url: String,
    /// What it knows and counts.
    pub(crate) world: Shared,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Sandbox {
    /// Starts the embedded organisation.
    pub(crate) fn start() -> Sandbox {
        let now = NOW.parse().unwrap();
        Sandbox::start_with(generate::world(&Scenario::default(), 7, 1, now))
    }

    /// Starts a world.
    pub(crate) fn start_with(world: World) -> Sandbox {
        Sandbox::serve(world.share())
    }

    /// Serves a world that others share.
    pub(crate) fn serve(world: Shared) -> Sandbox {
        let shared = world.clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let (tell, told) = mpsc::channel();
        let thread = thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let server = http::start(shared, 0).await.unwrap();
                tell.send(server.url.clone()).unwrap();
                // A sender that is gone means the same as one that has sent.
                stopped.await.unwrap_or_default();
                server.stop().await;
            });
        });
        Sandbox { url: told.recv().unwrap(), world, stop: Some(stop), thread: Some(thread) }
    }

    /// Changes what goes wrong.
    pub(crate) fn set_faults(&self, faults: serde_json::Value) {
        self.world.lock().unwrap().faults = serde_json::from_value(faults).unwrap();
    }

    /// Returns how many answers AWS would have charged for.
    pub(crate) fn paid(&self) -> u64 {
        self.world.lock().unwrap().counts.paid
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A server that failed has failed its test already.
            drop(thread.join());
        }
    }
}

/// Returns the folder of one demonstration that all tests share; it must not be changed.
pub(crate) fn demo() -> &'static Path {
    static DEMO: OnceLock<TempDir> = OnceLock::new();
    let folder = DEMO.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let output = apportion(folder.path(), &["demo", "--seed", "7", "--out", "."]).run();
        assert_eq!(output.code, 0, "{}", output.stderr);
        folder
    });
    folder.path()
}

/// Copies the shared demonstration's snapshots into a folder, to be damaged there.
pub(crate) fn copy_snapshots(folder: &Path) {
    for path in files(&demo().join("snapshots")) {
        write(&folder.join(&path), &read(&demo().join("snapshots").join(&path)));
    }
}

/// Returns the files under a folder, sorted.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    apportion::store::disk::list(folder).unwrap()
}

/// Reads a file.
pub(crate) fn read(path: &Path) -> Vec<u8> {
    apportion::store::disk::read(path).unwrap()
}

/// Writes a file and the folders above it.
pub(crate) fn write(path: &Path, bytes: &[u8]) {
    apportion::store::disk::create_folder(path.parent().unwrap()).unwrap();
    apportion::store::disk::write(path, bytes).unwrap();
}

/// Returns the one file of a folder whose name ends so.
pub(crate) fn only(folder: &Path, end: &str) -> PathBuf {
    let found = files(folder);
    let path = found.iter().find(|path| path.to_string_lossy().ends_with(end)).unwrap();
    folder.join(path)
}

/// Returns the folder's path as text.
pub(crate) fn text(path: &Path) -> String {
    fs::canonicalize(path).unwrap().to_string_lossy().into_owned()
}
