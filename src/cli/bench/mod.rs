//! Measures the detector, the readers of captures and the deciding that ship, in this process and on one thread: `docs/benchmarks.md` says what each figure means.

mod captures;
mod clock;
mod decide;
mod detect;
mod grown;
mod hostile;
mod length;
mod memory;
mod people;
mod plot;
mod texts;
mod union;

use anyhow::Result;
use clap::Subcommand;
use std::process::ExitCode;

/// What can be measured.
#[derive(Subcommand)]
pub(super) enum BenchCommand {
    /// How fast posts are read for personal data, beside a bare scan for candidates in the same run.
    #[command(after_help = "Example: knik bench detect posts.jsonl --json")]
    Detect(detect::DetectArguments),
    /// How fast captures are read, by format, beside a plain parser of JSON or of tables; what they hold.
    #[command(
        after_help = "Example: knik bench captures harvest/\n         knik bench captures --grow 1000000 benches/captures/samples"
    )]
    Captures(captures::CapturesArguments),
    /// How fast reactions are decided, on their texts and on stored answers, and compared under several trees.
    #[command(after_help = "Example: knik bench decide --count 1000000 --json")]
    Decide(decide::DecideArguments),
    /// How time grows with the length of hostile texts.
    #[command(after_help = "Example: knik bench length --svg length.svg")]
    Length(length::LengthArguments),
}

/// Measures what is asked and prints it.
pub(super) async fn run(asked: &BenchCommand, json: bool) -> Result<ExitCode> {
    match asked {
        BenchCommand::Detect(asked) => detect::run(asked, json)?,
        BenchCommand::Captures(asked) => captures::run(asked, json)?,
        BenchCommand::Decide(asked) => decide::run(asked, json).await?,
        BenchCommand::Length(asked) => length::run(asked, json)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// A figure with so many digits after the point, for machines that show it as it is.
fn rounded(value: f64, digits: i32) -> f64 {
    let scale = 10_f64.powi(digits);
    (value * scale).round() / scale
}
