//! `knik redact`: a text with its personal data replaced, and back.

use super::new_file::NewFile;
use super::selection::{Selection, SelectionArguments, known};
use super::texts::{Source, TEXT_LINE, TextArguments, TextLine, bar, each_line};
use super::{embedded, operator_key, print};
use crate::model::Span;
use crate::redact::{Applied, OperatorName, Operators, Placed, Secrets, rewrite};
use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// What can be typed.
#[derive(Args)]
pub(super) struct RedactArguments {
    #[command(flatten)]
    texts: TextArguments,
    #[command(flatten)]
    selection: SelectionArguments,
    /// What is written for each type; without it <TYPE>, with office-holders left readable.
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// The key to hash, encrypt and draw pseudonyms with: 32 bytes in base64, in a file that only you may read.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Put back what was encrypted.
    #[arg(long, requires = "key_file", conflicts_with_all = ["plan", "types", "threshold", "allow", "patterns"])]
    undo: bool,
    /// Write to this new file, whole or not at all, instead of standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Examples under the help text.
pub(super) const EXAMPLES: &str = "Example: knik redact 'Bel Anouk de Vries op 06-12345678'
         knik redact --jsonl --plan plan.yaml --key-file redact.key < posts.jsonl > redacted.jsonl
         knik redact --undo --jsonl --key-file redact.key < redacted.jsonl
A key:   (umask 077; openssl rand -base64 32 > redact.key)";

/// The answer to a line.
#[derive(Serialize)]
struct LineOut<'a> {
    id: &'a RawValue,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    items: Option<Vec<ItemOut<'a>>>,
}

/// The answer to a text, with `--json`.
#[derive(Serialize)]
struct TextOut<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    items: Option<Vec<ItemOut<'a>>>,
}

/// A replacement, where it stands in the new text.
#[derive(Serialize)]
struct ItemOut<'a> {
    start: usize,
    end: usize,
    #[serde(rename = "type")]
    entity: &'a str,
    operator: &'a str,
}

/// A line to put back.
#[derive(Deserialize)]
struct SealedLine<'l> {
    #[serde(borrow)]
    id: &'l RawValue,
    #[serde(borrow)]
    text: Cow<'l, str>,
    /// When given, only these are opened: what a stranger wrote cannot pass for a sealed value.
    items: Option<Vec<ItemIn>>,
}

#[derive(Deserialize)]
struct ItemIn {
    start: usize,
    end: usize,
    operator: OperatorName,
}

const SEALED_LINE: &str = r#"{"id": …, "text": "…", "items": [{"start": 0, "end": 1, "operator": "…"}]}"#;

/// Reads, rewrites, writes.
///
/// # Errors
/// A plan, key or pattern file with faults, before anything is written; then the first text or line that cannot
/// be read or rewritten. Everything before it is answered on standard output; with `--out` no file is made.
pub(super) fn run(asked: &RedactArguments, as_json: bool) -> Result<ExitCode> {
    let sources = asked.texts.sources()?;
    if sources.len() > 1 && !asked.texts.jsonl && !as_json {
        bail!("several files would run together into one text; use --json, or give one file at a time");
    }
    let mut work = Work::new(asked)?;
    let Some(path) = &asked.out else {
        let mut out = print::out();
        let done = asked.write(&sources, &mut work, as_json, &mut out);
        return print::ended(done.and_then(|()| Ok(out.flush()?)));
    };
    let mut out = NewFile::beside(path)?;
    asked.write(&sources, &mut work, as_json, &mut out)?;
    out.finish()?;
    Ok(ExitCode::SUCCESS)
}

impl RedactArguments {
    fn write(&self, sources: &[Source], work: &mut Work, as_json: bool, out: &mut impl Write) -> Result<()> {
        let bar = bar(sources, self.out.is_some());
        if self.texts.jsonl {
            self.lines(sources, work, &bar, out)?;
        } else {
            for source in sources {
                self.whole(source, work, &bar, as_json, out)?;
            }
        }
        bar.finish_and_clear();
        Ok(())
    }

    fn lines(
        &self,
        sources: &[Source],
        work: &mut Work,
        bar: &ProgressBar,
        out: &mut impl Write,
    ) -> Result<()> {
        let mut answer = Vec::new();
        each_line(sources, bar, out, |line, out| {
            let (id, done) = match work {
                Work::Redact(redaction) => {
                    let TextLine { id, text } = line.parse(TEXT_LINE)?;
                    (id, redaction.redact(&text))
                }
                Work::Undo(secrets) => {
                    let SealedLine { id, text, items } = line.parse(SEALED_LINE)?;
                    (id, self.put_back(&text, items.as_deref(), secrets))
                }
            };
            let done = done.with_context(|| line.to_string())?;
            let items = self.items(&done)?;
            answer.clear();
            serde_json::to_writer(&mut answer, &LineOut { id, text: &done.text, items })?;
            answer.push(b'\n');
            Ok(out.write_all(&answer)?)
        })
    }

    fn whole(
        &self,
        source: &Source,
        work: &mut Work,
        bar: &ProgressBar,
        as_json: bool,
        out: &mut impl Write,
    ) -> Result<()> {
        let text = source.read(bar)?;
        let done = match work {
            Work::Redact(redaction) => redaction.redact(&text),
            Work::Undo(secrets) => self.put_back(&text, None, secrets),
        };
        let done = done.with_context(|| source.to_string())?;
        if as_json {
            let answer = TextOut { file: source.file(), text: &done.text, items: self.items(&done)? };
            writeln!(out, "{}", serde_json::to_string(&answer)?)?;
        } else {
            // A file comes out byte for byte; what was typed had no line end of its own.
            let end = if matches!(source, Source::Given(_)) { "\n" } else { "" };
            write!(out, "{}{end}", done.text)?;
        }
        Ok(())
    }

    /// Opens the items that were encrypted, or without items every sealed value.
    fn put_back(&self, text: &str, items: Option<&[ItemIn]>, secrets: &Secrets) -> Result<Done> {
        let Some(items) = items else { return Ok(Done { text: secrets.undo(text)?, items: None }) };
        let sealed = items.iter().filter(|item| item.operator == OperatorName::Encrypt);
        let offsets: Vec<usize> = sealed.flat_map(|item| [item.start, item.end]).collect();
        let bytes = self.selection.offsets.to_bytes(text, &offsets).context("items")?;
        let spans = bytes
            .as_chunks::<2>()
            .0
            .iter()
            .map(|[start, end]| Span::new(*start, *end).map(|span| (span, ())));
        let spans: Option<Vec<(Span, ())>> = spans.collect();
        let spans = spans.context("items: an encrypted one is empty")?;
        let rewritten = rewrite(text, spans, |(), token| secrets.open(token))?;
        Ok(Done { text: rewritten.text, items: None })
    }

    fn items<'d>(&self, done: &'d Done) -> Result<Option<Vec<ItemOut<'d>>>> {
        let Some(items) = &done.items else { return Ok(None) };
        let bytes: Vec<usize> = items.iter().flat_map(|item| [item.range.start, item.range.end]).collect();
        let offsets = self.selection.offsets.of_bytes(&done.text, &bytes)?;
        let places = offsets.as_chunks::<2>().0.iter().zip(items);
        let items = places.map(|([start, end], placed)| ItemOut {
            start: *start,
            end: *end,
            entity: placed.item.entity.as_str(),
            operator: placed.item.operator.as_str(),
        });
        Ok(Some(items.collect()))
    }
}

/// What is done with each text.
enum Work {
    Redact(Box<Redaction>),
    Undo(Box<Secrets>),
}

/// A text after that; items when something was replaced, not when it was put back.
struct Done {
    text: String,
    items: Option<Vec<Placed<Applied>>>,
}

impl Work {
    fn new(asked: &RedactArguments) -> Result<Self> {
        let secrets = asked.key_file.as_deref().map(operator_key::secrets).transpose()?;
        if asked.undo {
            let secrets = secrets.context("name the key that sealed with --key-file FILE")?;
            return Ok(Self::Undo(Box::new(secrets)));
        }
        let plan = embedded::operator_plan(asked.plan.as_deref())?;
        let selection = Selection::new(&asked.selection)?;
        if let Some(path) = &asked.plan {
            let types = plan.iter().filter_map(|(entity, _)| entity);
            known(&selection.ruleset, types).with_context(|| format!("`{}`", path.display()))?;
        }
        let operators = Operators::new(plan, secrets).map_err(|error| anyhow!("{error}: --key-file FILE"))?;
        Ok(Self::Redact(Box::new(Redaction { selection, operators })))
    }
}

/// The detector and a run of the plan.
struct Redaction {
    selection: Selection,
    operators: Operators,
}

impl Redaction {
    fn redact(&mut self, text: &str) -> Result<Done> {
        let findings = self.selection.find(text);
        let rewritten = self.operators.rewrite(text, &findings, &mut operator_key::draw)?;
        Ok(Done { text: rewritten.text, items: Some(rewritten.items) })
    }
}
