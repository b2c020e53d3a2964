//! `knik question`: whether a text asks something, and which words decided.

use super::findings::harmless;
use super::texts::{Source, TEXT_LINE, TextArguments, TextLine, bar, each_line};
use super::{embedded, print};
use crate::decide::{Answer, QuestionDetector, Verdict};
use anyhow::Result;
use clap::Args;
use serde::Serialize;
use serde_json::value::RawValue;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// What can be typed.
#[derive(Args)]
pub(super) struct QuestionArguments {
    #[command(flatten)]
    texts: TextArguments,
    /// Say which rules spoke, on which words, and how sure the answer is.
    #[arg(long)]
    explain: bool,
    /// Folder of policies to use instead of those that come with the program.
    #[arg(long)]
    policies: Option<PathBuf>,
}

/// Examples under the help text.
pub(super) const EXAMPLES: &str = "Example: knik question 'weet iemand of het loket morgen open is'
         knik question --jsonl reactions.jsonl > answers.jsonl
         knik question --explain --json < reaction.txt

yes: it asks something; no: it does not; unsure: a person must say.";

/// One rule that spoke.
#[derive(Serialize)]
struct ClueOut<'a> {
    rule: &'a str,
    /// The words, in the text that was given.
    words: &'a str,
}

/// Why, with `--explain`.
#[derive(Serialize)]
struct WhyOut<'a> {
    confidence: f32,
    because: Vec<ClueOut<'a>>,
}

/// The answer to a line.
#[derive(Serialize)]
struct LineOut<'a> {
    id: &'a RawValue,
    question: Answer,
    #[serde(flatten)]
    why: Option<WhyOut<'a>>,
}

/// The answer to a text, with `--json`.
#[derive(Serialize)]
struct TextOut<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    question: Answer,
    #[serde(flatten)]
    why: Option<WhyOut<'a>>,
}

/// Reads, answers, writes.
///
/// # Errors
/// The first source or line that cannot be read; everything before it is answered.
pub(super) fn run(asked: &QuestionArguments, as_json: bool) -> Result<ExitCode> {
    let sources = asked.texts.sources()?;
    let detector = embedded::questions(asked.policies.as_deref())?;
    let mut out = print::out();
    let done = if asked.texts.jsonl {
        asked.lines(&sources, &detector, &mut out)
    } else {
        asked.texts(&sources, &detector, as_json, &mut out)
    };
    print::ended(done.and_then(|()| Ok(out.flush()?)))
}

impl QuestionArguments {
    fn lines(&self, sources: &[Source], detector: &QuestionDetector, out: &mut impl Write) -> Result<()> {
        let bar = bar(sources, false);
        each_line(sources, &bar, out, |line, out| {
            let TextLine { id, text } = line.parse(TEXT_LINE)?;
            let verdict = detector.answer(&text);
            let why = self.why(&verdict, &text);
            serde_json::to_writer(&mut *out, &LineOut { id, question: verdict.answer, why })?;
            Ok(out.write_all(b"\n")?)
        })?;
        bar.finish_and_clear();
        Ok(())
    }

    fn texts(
        &self,
        sources: &[Source],
        detector: &QuestionDetector,
        as_json: bool,
        out: &mut impl Write,
    ) -> Result<()> {
        let bar = bar(sources, false);
        for source in sources {
            let text = source.read(&bar)?;
            let verdict = detector.answer(&text);
            if as_json {
                let why = self.why(&verdict, &text);
                let answer = TextOut { file: source.file(), question: verdict.answer, why };
                writeln!(out, "{}", serde_json::to_string(&answer)?)?;
            } else {
                self.people(source, &verdict, &text, out)?;
            }
        }
        bar.finish_and_clear();
        Ok(())
    }

    fn people(&self, source: &Source, verdict: &Verdict, text: &str, out: &mut impl Write) -> Result<()> {
        let file = source.file().map(|file| format!("{file}: ")).unwrap_or_default();
        writeln!(out, "{file}{}", verdict.answer.as_str())?;
        if let Some(why) = self.why(verdict, text) {
            writeln!(out, "  confidence {:.2}", why.confidence)?;
            for clue in why.because {
                writeln!(out, "  {}: {}", clue.rule, harmless(clue.words))?;
            }
        }
        Ok(())
    }

    fn why<'a>(&self, verdict: &'a Verdict, text: &'a str) -> Option<WhyOut<'a>> {
        let clue = |clue: &'a crate::decide::Clue| ClueOut {
            rule: clue.rule.as_str(),
            words: clue.span.of(text).unwrap_or_default(),
        };
        self.explain.then(|| WhyOut {
            confidence: verdict.confidence,
            because: verdict.evidence.iter().map(clue).collect(),
        })
    }
}
