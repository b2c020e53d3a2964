//! `knik detect`: what personal data a text holds.

use super::findings::{FindingOut, HEAD, Paint, converted, harmless, marked};
use super::print;
use super::selection::{Selection, SelectionArguments};
use super::texts::{Source, TEXT_LINE, TextArguments, TextLine, bar, each_line};
use crate::model::Finding;
use anyhow::Result;
use clap::Args;
use serde::Serialize;
use serde_json::value::RawValue;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

/// What can be typed.
#[derive(Args)]
pub(super) struct DetectArguments {
    #[command(flatten)]
    texts: TextArguments,
    #[command(flatten)]
    selection: SelectionArguments,
    /// Say what raised and lowered each score, and where it stands.
    #[arg(long)]
    explain: bool,
}

/// Examples under the help text.
pub(super) const EXAMPLES: &str = "Example: knik detect 'Bel Anouk de Vries op 06-12345678'
         knik detect --jsonl --explain < posts.jsonl > findings.jsonl
         knik detect --file brief.txt --types NL_BSN,IBAN_CODE --offsets utf16 --json";

/// The answer to a line.
#[derive(Serialize)]
struct LineOut<'a> {
    id: &'a RawValue,
    findings: Vec<FindingOut<'a>>,
}

/// The answer to a text, with `--json`.
#[derive(Serialize)]
struct TextOut<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    findings: Vec<FindingOut<'a>>,
}

/// Reads, detects, writes.
///
/// # Errors
/// The first source or line that cannot be read; everything before it is answered.
pub(super) fn run(asked: &DetectArguments, as_json: bool) -> Result<ExitCode> {
    let sources = asked.texts.sources()?;
    let selection = Selection::new(&asked.selection)?;
    let mut out = print::out();
    let done = match (asked.texts.jsonl, as_json) {
        (true, _) => asked.lines(&sources, &selection, &mut out),
        (false, true) => asked.json(&sources, &selection, &mut out),
        (false, false) => asked.people(&sources, &selection, &mut out),
    };
    print::ended(done.and_then(|()| Ok(out.flush()?)))
}

impl DetectArguments {
    fn lines(&self, sources: &[Source], selection: &Selection, out: &mut impl Write) -> Result<()> {
        let bar = bar(sources, false);
        let mut answer = Vec::new();
        each_line(sources, &bar, out, |line, out| {
            let TextLine { id, text } = line.parse(TEXT_LINE)?;
            let findings = selection.find(&text);
            let findings = converted(&text, &findings, self.selection.offsets, self.explain)?;
            answer.clear();
            serde_json::to_writer(&mut answer, &LineOut { id, findings })?;
            answer.push(b'\n');
            Ok(out.write_all(&answer)?)
        })?;
        bar.finish_and_clear();
        Ok(())
    }

    fn json(&self, sources: &[Source], selection: &Selection, out: &mut impl Write) -> Result<()> {
        let bar = bar(sources, false);
        for source in sources {
            let text = source.read(&bar)?;
            let findings = selection.find(&text);
            let findings = converted(&text, &findings, self.selection.offsets, self.explain)?;
            let answer = serde_json::to_string(&TextOut { file: source.file(), findings })?;
            writeln!(out, "{answer}")?;
        }
        bar.finish_and_clear();
        Ok(())
    }

    /// The lines with findings in colour, on a terminal; then a table.
    fn people(&self, sources: &[Source], selection: &Selection, out: &mut impl Write) -> Result<()> {
        let bar = bar(sources, false);
        let paint = paint();
        for (n, source) in sources.iter().enumerate() {
            let text = source.read(&bar)?;
            let findings = selection.find(&text);
            if sources.len() > 1 {
                let gap = if n > 0 { "\n" } else { "" };
                writeln!(out, "{gap}{}", source.file().unwrap_or_default())?;
            }
            if paint == Paint::Colour {
                marked(&text, &findings, paint).iter().try_for_each(|line| writeln!(out, "{line}"))?;
                writeln!(out)?;
            }
            self.table(&text, &findings, paint, out)?;
        }
        bar.finish_and_clear();
        Ok(())
    }

    fn table(&self, text: &str, findings: &[Finding], paint: Paint, out: &mut impl Write) -> Result<()> {
        if findings.is_empty() {
            return Ok(writeln!(out, "nothing found")?);
        }
        let shown = converted(text, findings, self.selection.offsets, self.explain)?;
        let mut rows = Vec::with_capacity(shown.len());
        for (finding, shown) in findings.iter().zip(&shown) {
            let value = harmless(finding.span.of(text).unwrap_or_default());
            rows.push([shown.cells().as_slice(), &[value]].concat());
        }
        let head = [HEAD.as_slice(), &["text"]].concat();
        let lines = print::columns(&head, &rows);
        let (heads, lines) = lines.split_at(lines.len().min(1));
        heads.iter().try_for_each(|head| writeln!(out, "{}", paint.faint(head)))?;
        for ((line, finding), shown) in lines.iter().zip(findings).zip(&shown) {
            writeln!(out, "{}", paint.of_type(finding.entity.as_str(), line))?;
            shown.reasons().try_for_each(|reason| writeln!(out, "{}", paint.faint(&reason)))?;
        }
        Ok(())
    }
}

/// Colour for this process's standard output.
fn paint() -> Paint {
    let set = |name: &str| std::env::var(name).ok();
    Paint::of(io::stdout().is_terminal(), set("NO_COLOR").as_deref(), set("TERM").as_deref())
}
