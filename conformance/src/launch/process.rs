//! The acquirer's process: start, output, death, stop.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use secrecy::ExposeSecret;
use tokio::io::BufReader;
use tokio::process::{Child, Command};
use tokio_util::task::TaskTracker;
use url::Url;

use super::log::{Log, next_line};
use super::{LaunchContext, LaunchError, ready};
use crate::adapter::{Adapter, ProcessPlan, Ready, RunVariables, StopSignal};
use crate::builtin;

/// How long a process may take to stop when it is asked to.
const GRACE: Duration = Duration::from_secs(5);

/// A started process and whatever it started in turn; killed when dropped.
#[derive(Debug)]
pub(super) struct Process {
    child: Mutex<Child>,
    group: Group,
    stop: StopSignal,
    readers: TaskTracker,
}

/// Starts the process and waits until it is ready.
pub(super) async fn start(
    adapter: &Adapter,
    context: &LaunchContext,
    variables: &RunVariables,
    plan: ProcessPlan,
    log: &Log,
) -> Result<(Process, Url), LaunchError> {
    let (mut command, program) = command(adapter, context, variables, &plan)?;
    let mut child = command.spawn().map_err(|error| LaunchError::NotStarted {
        program: program.clone(),
        reason: error.to_string(),
        hint: format!("launch.command and launch.cwd name it; try it by hand: {program}"),
    })?;
    let group = Group::of(&child);
    let readers = TaskTracker::new();
    if let Some(stderr) = child.stderr.take() {
        readers.spawn(log.clone().follow(BufReader::new(stderr)));
    }
    let mut stdout = child.stdout.take().map(BufReader::new);
    let base_url = {
        let ready = async {
            match &plan.ready {
                Ready::StdoutJson(key) => {
                    let line = match &mut stdout {
                        Some(stdout) => next_line(stdout).await,
                        None => None,
                    };
                    let line = line.ok_or_else(|| "it ended before it told where it listens".to_owned())?;
                    log.keep(&line);
                    ready::from_line(&line, key)
                }
                Ready::Http(url) => {
                    // Its output must be read while it starts, or a full pipe stops it.
                    if let Some(stdout) = stdout.take() {
                        readers.spawn(log.clone().follow(stdout));
                    }
                    tokio::select! {
                        answered = ready::until_answers(url) => answered?,
                        status = child.wait() => return Err(how(status.ok())),
                    }
                    let base = variables.acquirer_base_url.as_deref().unwrap_or(url);
                    Url::parse(base).map_err(|error| format!("{base} is no URL: {error}"))
                }
            }
        };
        tokio::time::timeout(plan.within, ready).await
    };
    if let Some(stdout) = stdout {
        readers.spawn(log.clone().follow(stdout));
    }
    readers.close();
    let waited = plan.within.as_millis();
    let reason = match base_url {
        Ok(Ok(base_url)) => {
            let process = Process { child: Mutex::new(child), group, stop: plan.stop, readers };
            return Ok((process, base_url));
        }
        Ok(Err(reason)) => reason,
        Err(_) => format!("it was not ready within {waited} ms"),
    };
    Err(not_ready(child, group, readers, reason, &plan.ready, log).await)
}

async fn not_ready(
    mut child: Child,
    group: Group,
    readers: TaskTracker,
    mut reason: String,
    ready: &Ready,
    log: &Log,
) -> LaunchError {
    // A process that failed is about to end by itself; its status and last words are worth a moment.
    if let Ok(Ok(status)) = tokio::time::timeout(Duration::from_millis(500), child.wait()).await {
        reason = format!("{reason} ({})", how(Some(status)));
    } else {
        let _gone_already = child.kill().await;
    }
    drop(group);
    let _held_open_by_a_stranger = tokio::time::timeout(Duration::from_secs(1), readers.wait()).await;
    let hint = match ready {
        Ready::StdoutJson(key) => format!(
            "its first line on standard output must be {{\"{key}\":\"http://127.0.0.1:41234\"}}, and its log goes to standard error; or use ready: {{http: URL}}"
        ),
        Ready::Http(url) => format!(
            "{url} must answer with a status below 500; the acquirer must listen on $ACQUIRER_LISTEN; ready.within_ms gives it longer"
        ),
    };
    LaunchError::NotReady { reason, hint, log: log.tail(20) }
}

/// The command with everything that a launched acquirer is given, and its name for complaints.
fn command(
    adapter: &Adapter,
    context: &LaunchContext,
    variables: &RunVariables,
    plan: &ProcessPlan,
) -> Result<(Command, String), LaunchError> {
    let folder = folder(adapter, context, plan);
    let (mut command, program) = if let Some(program) = &plan.program {
        // Whether `./acquirer` is looked for before or after the change of folder is up to the
        // system; here it is always below the folder that it starts in.
        let named_by_path = Path::new(program).components().count() > 1 || program.starts_with('.');
        let path = if named_by_path { folder.join(program) } else { PathBuf::from(program) };
        (Command::new(path), program.clone())
    } else {
        let program = builtin_program(context)?;
        let mut command = Command::new(&program);
        command.arg(builtin::SUBCOMMAND);
        (command, program.display().to_string())
    };
    if !folder.is_dir() {
        // Starting would fail all the same, with a message about the program.
        return Err(LaunchError::NotStarted {
            program,
            reason: format!("there is no folder {} to start it in", folder.display()),
            hint: "launch.cwd names it, relative to the adapter's own folder".to_owned(),
        });
    }
    let mut args = plan.args.clone();
    let database = context.builtin.database.as_ref().filter(|_| plan.program.is_none());
    if database.is_some() {
        builtin::forget_database(&mut args);
    }
    command.args(args).current_dir(folder);
    let partner = variables.partner_base_url.trim_end_matches('/');
    command
        .env("KLARNA_BASE_URL", &variables.klarna_base_url)
        .env("KLARNA_API_KEY", variables.klarna_api_key.expose_secret())
        .env("PARTNER_NOTIFICATION_URL", format!("{partner}/notifications"))
        .env("PARTNER_RETURN_URL", format!("{partner}/shop/return"))
        .env("ACQUIRER_LISTEN", &variables.acquirer_listen);
    match &context.klarna_ca_file {
        Some(path) => command.env("KLARNA_CA_FILE", path),
        None => command.env_remove("KLARNA_CA_FILE"),
    };
    command.envs(plan.env.iter().map(|(name, value)| (name, value)));
    if let Some(database) = database {
        command.env(builtin::DATABASE_VARIABLE, database.expose_secret());
    }
    if let Some(url) = context.builtin.public_url.as_ref().filter(|_| plan.program.is_none()) {
        command.env(builtin::PUBLIC_URL_VARIABLE, url.as_str());
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    // A group of its own: a wrapper script and the server that it starts get the same signals.
    #[cfg(unix)]
    command.process_group(0);
    Ok((command, program))
}

/// The program that becomes the built-in acquirer when it is started again.
fn builtin_program(context: &LaunchContext) -> Result<PathBuf, LaunchError> {
    if let Some(program) = &context.builtin.program {
        return Ok(program.clone());
    }
    std::env::current_exe().map_err(|error| LaunchError::NotStarted {
        program: "the built-in acquirer".to_owned(),
        reason: format!("this program does not know its own path: {error}"),
        hint: "use launch.command with an acquirer of your own".to_owned(),
    })
}

/// Relative folders begin at the adapter's own; an embedded adapter begins at the work directory.
fn folder(adapter: &Adapter, context: &LaunchContext, plan: &ProcessPlan) -> PathBuf {
    let base = adapter.folder().unwrap_or(&context.work_dir);
    let folder = plan.cwd.as_ref().map_or_else(|| base.to_path_buf(), |cwd| base.join(cwd));
    std::path::absolute(&folder).unwrap_or(folder)
}

impl Process {
    /// Its number, if it still runs.
    pub(super) fn id(&self) -> Option<u32> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner).id()
    }

    /// How it ended, if it has.
    pub(super) fn ended(&self) -> Option<String> {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        child.try_wait().ok().flatten().map(|status| how(Some(status)))
    }

    /// Asks it to stop, then kills it.
    pub(super) async fn stop(self) {
        let mut child = self.child.into_inner().unwrap_or_else(PoisonError::into_inner);
        if !matches!(child.try_wait(), Ok(Some(_))) {
            self.group.ask(self.stop);
        }
        if tokio::time::timeout(GRACE, child.wait()).await.is_err() {
            tracing::warn!(grace_ms = GRACE.as_millis(), "the acquirer did not stop and is killed");
            let _gone_already = child.kill().await;
        }
        drop(self.group);
        let _held_open_by_a_stranger = tokio::time::timeout(GRACE, self.readers.wait()).await;
    }
}

/// The process group of a child; what is left of it is killed when this is dropped.
#[derive(Debug)]
struct Group {
    #[cfg(unix)]
    id: Option<rustix::process::Pid>,
}

#[cfg(unix)]
impl Group {
    /// The group of a child that was started in a group of its own, and not waited for yet.
    fn of(child: &Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Self { id: id.and_then(rustix::process::Pid::from_raw) }
    }

    /// Asks all of it to stop.
    fn ask(&self, stop: StopSignal) {
        self.signal(match stop {
            StopSignal::Terminate => rustix::process::Signal::TERM,
            StopSignal::Interrupt => rustix::process::Signal::INT,
        });
    }

    fn signal(&self, signal: rustix::process::Signal) {
        if let Some(id) = self.id {
            // An error says that nobody is left.
            let _gone_already = rustix::process::kill_process_group(id, signal);
        }
    }
}

#[cfg(unix)]
impl Drop for Group {
    fn drop(&mut self) {
        self.signal(rustix::process::Signal::KILL);
    }
}

/// Without signals the kill after the grace has to do.
#[cfg(not(unix))]
impl Group {
    fn of(_child: &Child) -> Self {
        Self {}
    }

    fn ask(&self, _stop: StopSignal) {}
}

fn how(status: Option<ExitStatus>) -> String {
    status.map_or_else(|| "it ended".to_owned(), |status| format!("it ended with {status}"))
}
