//! The command line: the only place where concrete backends are built.
//!
//! Commands beside a running service talk to it over a socket in the data folder (0600, own user); they open the
//! folder themselves only when none runs, and then nobody else can.

mod api;
mod appointments;
mod arguments;
mod backup;
mod bench;
pub mod certificates;
mod commands;
mod compare;
mod confine;
mod control;
mod declare;
pub mod demo;
mod detect;
mod detector;
pub mod embedded;
mod export;
mod findings;
mod folder;
mod formal;
mod harvest;
mod incident;
mod issuers;
mod keys;
mod ledger;
mod letter;
mod new_file;
mod open;
mod operator_key;
mod oversight;
mod parse_process;
mod parser;
mod patterns;
mod periodic;
mod policy;
mod print;
mod publications;
mod question;
mod queue;
mod receipt;
mod redact;
mod register;
mod report;
mod requests;
mod restore;
mod review;
mod reviewing;
mod revoke;
mod room_process;
mod selection;
mod serve;
mod status;
mod story;
mod subject;
mod texts;
mod tls_files;
mod tree;
mod verify;

use arguments::Arguments;
pub use folder::{DataFolder, FolderError};
pub use serve::{Running, Where};

use anyhow::{Context, Result, bail};
use arguments::Command;
use control::Order;
use declare::{ChannelCommand, GrantCommand, OrganisationCommand};
use keys::KeysCommand;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::path::Path;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

/// The whole program: sets up logging, reads the command line, carries it out.
///
/// What went wrong stands on standard error, in one line for people; the exit code is then not 0.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::of_process();
    // No threads, no log, nothing but its two pipes.
    if let Command::ParseCapture(asked) = &arguments.command {
        return parse_process::run(asked);
    }
    // The reading room has no environment: it is told what to log with everything else.
    if !matches!(arguments.command, Command::ReadingRoom) {
        log_to_stderr(&log_wanted());
    }
    tell_panics_by_place();
    set_limits();
    let _already = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let done = runtime.map_err(anyhow::Error::from).and_then(|runtime| runtime.block_on(run(arguments)));
    done.unwrap_or_else(|error| {
        eprintln!("knik: {error:#}");
        ExitCode::FAILURE
    })
}

/// Has panics tell their place only: a panic's message may quote what was being worked on.
pub fn tell_panics_by_place() {
    std::panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(%at, "panic");
    }));
}

/// Lets this process and its children have as many connections at once as the system allows them, and write no core
/// dumps: memory holds keys, originals and names.
fn set_limits() {
    let files = getrlimit(Resource::Nofile);
    let set = [
        (Resource::Nofile, Rlimit { current: files.maximum, ..files }),
        (Resource::Core, Rlimit { current: Some(0), ..getrlimit(Resource::Core) }),
    ];
    for (of, limit) in set {
        if let Err(error) = setrlimit(of, limit) {
            tracing::warn!(%error, resource = ?of, "a limit stays as it was");
        }
    }
}

/// What is to be logged, as whoever started the program wants it.
fn log_wanted() -> String {
    std::env::var("KNIK_LOG").unwrap_or_default()
}

/// Logs what is wanted; warnings when that is nothing, or cannot be read.
fn log_to_stderr(wanted: &str) {
    let wanted = Some(wanted).filter(|wanted| !wanted.trim().is_empty());
    let filter = wanted.and_then(|wanted| EnvFilter::try_new(wanted).ok());
    let filter = filter.unwrap_or_else(|| EnvFilter::new("warn,actix_web=error"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).json().init();
}

/// Carries one command line out.
async fn run(arguments: Arguments) -> Result<ExitCode> {
    let dir = arguments.dir.clone();
    match arguments.command {
        Command::Demo(asked) => return demo::run(&dir, &asked).await,
        Command::Serve => serve::serve(&dir).await?,
        Command::ReadingRoom => room_process::run().await?,
        Command::ParseCapture(asked) => return Ok(parse_process::run(&asked)),
        Command::Detector(asked) => detector::serve(&asked).await?,
        Command::Ingest(asked) if asked.dry_run => return print::dry_run(&asked),
        Command::Ingest(asked) => return commands::ingest(&dir, asked).await,
        Command::Harvest(asked) => return harvest::run(&dir, asked).await,
        Command::Verify(asked) => return verify::run(&dir, asked).await,
        Command::Backup(asked) => return backup::run(&dir, asked, arguments.json).await,
        Command::Restore(asked) => return restore::run(&dir, asked, arguments.json).await,
        Command::Scrub { sweep } => return commands::scrub(&dir, sweep, arguments.json).await,
        Command::Detect(asked) => return detect::run(&asked, arguments.json),
        Command::Redact(asked) => return redact::run(&asked, arguments.json),
        Command::Compare(asked) => return compare::run(&dir, asked, arguments.json).await,
        Command::Queue(asked) => order(&dir, asked.order()?, arguments.json).await?,
        Command::Formal(asked) => order(&dir, asked.order(), arguments.json).await?,
        Command::Letter(asked) => order(&dir, asked.order()?, arguments.json).await?,
        Command::Receipt(asked) => order(&dir, asked.order(), arguments.json).await?,
        Command::Figures(asked) => order(&dir, asked.order(), arguments.json).await?,
        Command::Register(asked) => order(&dir, asked.order(), arguments.json).await?,
        Command::Notice(asked) => order(&dir, asked.order(), arguments.json).await?,
        Command::Question(asked) => return question::run(&asked, arguments.json),
        Command::Tree(asked) => return tree::run(&asked, arguments.json),
        Command::Patterns(asked) => return patterns::run(&asked, arguments.json),
        Command::Policy(asked) => return policy::run(&asked, arguments.json),
        Command::Openapi { plane } => print::openapi(plane),
        Command::Bench(asked) => return bench::run(&asked, arguments.json).await,
        Command::Token(asked) => print::line(&demo::token(&dir, &asked)?),
        Command::Organisation(OrganisationCommand::Add { id, name }) => {
            order(&dir, Order::AddOrganisation { id, name }, arguments.json).await?;
        }
        Command::Channel(ChannelCommand::Add(asked)) => {
            order(&dir, asked.order()?, arguments.json).await?;
        }
        Command::Channel(ChannelCommand::Declare(asked)) => {
            order(&dir, asked.order(), arguments.json).await?;
        }
        Command::Channel(ChannelCommand::List) => order(&dir, Order::ListChannels, arguments.json).await?,
        Command::Publication(asked) => order(&dir, asked.order(), arguments.json).await?,
        Command::Grant(GrantCommand::Add(asked)) => order(&dir, asked.order()?, arguments.json).await?,
        Command::Grant(GrantCommand::List) => order(&dir, Order::ListGrants, arguments.json).await?,
        Command::Grant(GrantCommand::Revoke { id }) => {
            order(&dir, Order::RevokeGrant { id }, arguments.json).await?;
        }
        Command::Mandate(asked) => order(&dir, asked.order(), arguments.json).await?,
        Command::Reviewer(asked) => order(&dir, asked.order(), arguments.json).await?,
        Command::Decisions(asked) => {
            let order_ = Order::Decisions { organisation: asked.organisation, outcome: asked.outcome };
            order(&dir, order_, arguments.json).await?;
        }
        Command::Ledger(asked) => order(&dir, asked.order()?, arguments.json).await?,
        Command::Keys(KeysCommand::Recover(asked)) => return keys::recover(&dir, &asked, arguments.json),
        Command::Keys(asked) => {
            if let Some(asked) = asked.order()? {
                order(&dir, asked, arguments.json).await?;
            }
        }
        Command::Open(asked) => return open::run(&dir, *asked, arguments.json).await,
        Command::Export(asked) => return export::run(&dir, *asked, arguments.json).await,
        Command::Subject(asked) => subject::run(&dir, *asked, arguments.json).await?,
        Command::Oversight(asked) => oversight::run(&dir, *asked, arguments.json).await?,
        Command::Review(asked) => order(&dir, asked.order(), arguments.json).await?,
        Command::Request(asked) => order(&dir, asked.order()?, arguments.json).await?,
        Command::Revoke(asked) => order(&dir, asked.order()?, arguments.json).await?,
        Command::Report(asked) => order(&dir, asked.order(), arguments.json).await?,
        Command::Incident(asked) => order(&dir, asked.order()?, arguments.json).await?,
        Command::Story(asked) => story::run(&dir, asked, arguments.json).await?,
        Command::Status => order(&dir, Order::Status, arguments.json).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Has an order carried out, by the running service or here, and prints the answer.
async fn order(dir: &Path, order: Order, json: bool) -> Result<()> {
    let answer = control::carry_out(dir, order.clone(), &mut |_, _| {}).await?;
    print::answer(&order, &answer, json)
}

/// Fails unless the data folder has been made.
fn must_exist(dir: &Path) -> Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    bail!(
        "data folder `{}` is not there; make one with `knik demo` or `knik organisation add`",
        dir.display()
    )
}

/// Reads a small text file, naming it when that fails.
fn read_text(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))
}
