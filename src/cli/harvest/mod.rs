//! `knik harvest`: takes in every capture that is laid in a folder or under a prefix of an S3 bucket, and moves it
//! aside with a report.
//!
//! What it promises: a capture is moved to `done/` only after all of it was taken in, and to `failed/` only when it is
//! refused for what it is; trouble of another kind leaves it where it is, for the next round. Nothing is overwritten
//! and nothing removed. Killed at any moment and started again, it ends as one run would: the same capture again adds
//! nothing.

mod bucket;
mod folder;
mod names;
mod source;

use super::arguments::HarvestArguments;
use super::control::delivery::Door;
use super::control::{Intake, Taken};
use super::{commands, print};
use crate::vault::Sources;
use anyhow::Result;
use serde_json::{Value, json};
use source::{Found, Source, State, StillChanges};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// Harvests until it is told to stop, or once.
///
/// # Errors
/// When the source cannot be opened; in a single round also when it cannot be listed or nothing can be brought. A
/// capture that is refused or waits is told, and the exit code of a single round says whether one was.
pub(super) async fn run(dir: &Path, asked: HarvestArguments) -> Result<ExitCode> {
    let mut source = Source::open(&asked)?;
    let harvest = Harvest {
        dir,
        intake: Intake { channel: asked.channel, format: asked.format, strict: asked.strict },
        json: asked.json,
    };
    if asked.once {
        let sound = harvest.round(&mut source, true).await?;
        return Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let (mut stop, mut end) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    loop {
        if let Err(error) = harvest.round(&mut source, false).await {
            print::waits(None, &error, asked.json);
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(asked.every_seconds)) => {}
            _ = stop.recv() => return Ok(ExitCode::SUCCESS),
            _ = end.recv() => return Ok(ExitCode::SUCCESS),
        }
    }
}

struct Harvest<'a> {
    dir: &'a Path,
    intake: Intake,
    json: bool,
}

impl Harvest<'_> {
    /// Takes in what is ready, in the order of the names. False when something was refused or left for trouble.
    async fn round(&self, source: &mut Source, once: bool) -> Result<bool> {
        let (mut door, mut sound) = (None, true);
        for found in source.ready(once).await? {
            let opened = match door.take() {
                Some(opened) => opened,
                None => Door::find(self.dir).await?,
            };
            match self.one(source, &found, &opened).await {
                Ok(state) => {
                    sound &= state == State::Done;
                    door = Some(opened);
                }
                Err(error) => {
                    sound &= error.is::<StillChanges>();
                    // A service may have stopped; a folder that was opened here stays open.
                    door = Some(opened).filter(|opened| matches!(opened, Door::Here(_)));
                    print::waits(Some(&found.shown), &error, self.json);
                }
            }
        }
        if let Some(door) = door {
            door.settle().await?;
        }
        Ok(sound)
    }

    /// Takes one capture in and moves it aside.
    async fn one(&self, source: &Source, found: &Found, door: &Door) -> Result<State> {
        if let Some((state, place)) = source.finish_broken_off(found).await? {
            print::moved(&found.shown, &place, None, self.json);
            return Ok(state);
        }
        let taken = match &found.refused {
            Some(why) => Taken::Refused { why: (*why).to_owned(), skipped: Vec::new() },
            None => {
                let bar = commands::bar(self.json);
                bar.set_message(found.shown.clone());
                let brought = source.bring(found).await?;
                let mut progress = |done, all| {
                    bar.set_length(all);
                    bar.set_position(done);
                };
                let taken = door.deliver(self.intake.clone(), brought, &mut progress).await;
                bar.finish_and_clear();
                taken?
            }
        };
        let (state, report) = self.report(found, &taken);
        let place = source.set_aside(found, state, &report).await?;
        if !self.json
            && let Taken::In(report) = &taken
        {
            print::ingested(Path::new(&found.shown), report, false)?;
        }
        print::moved(&found.shown, &place, Some(&report), self.json);
        Ok(state)
    }

    /// What lies beside a capture that was moved aside.
    fn report(&self, found: &Found, taken: &Taken) -> (State, Value) {
        let now = Sources::system().now();
        let mut report = json!({ "file": found.shown, "channel": self.intake.channel, "at": now, "strict": self.intake.strict, "sizeBytes": found.size_bytes });
        let (state, reason, rest) = match taken {
            Taken::In(did) => (State::Done, in_words(did), json!({ "report": did })),
            Taken::Refused { why, skipped } => (State::Failed, why.clone(), json!({ "skipped": skipped })),
        };
        if let (Value::Object(fields), Value::Object(rest)) = (&mut report, rest) {
            fields.insert("state".to_owned(), json!(state.folder()));
            fields.insert("reason".to_owned(), json!(reason));
            fields.insert("source".to_owned(), json!(found.stamp));
            fields.extend(rest);
        }
        (state, report)
    }
}

fn in_words(report: &Value) -> String {
    if report.get("sameCapture").and_then(Value::as_bool) == Some(true) {
        return "the same file came in before; nothing was added".to_owned();
    }
    match report.get("refused").and_then(Value::as_array).map_or(0, Vec::len) {
        0 => "taken in".to_owned(),
        1 => "taken in but for 1 piece that was skipped; `refused` names it".to_owned(),
        skipped => format!("taken in but for {skipped} pieces that were skipped; `refused` names them"),
    }
}
