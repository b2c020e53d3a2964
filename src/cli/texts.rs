//! Where `knik detect` and `knik redact` read texts: the command line, files, standard input; whole, or a line each.

use anyhow::{Context, Result, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Deserialize;
use serde_json::error::Category;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal, Read, Write};
use std::path::PathBuf;

/// What can be typed about where texts come from.
#[derive(Args)]
pub(super) struct TextArguments {
    /// The text; `-` or nothing reads standard input. With --jsonl: a file.
    text: Option<String>,
    /// Read these files instead.
    #[arg(long = "file", value_name = "FILE", num_args = 1.., conflicts_with = "text")]
    files: Vec<PathBuf>,
    /// Read a text a line, as {"id": …, "text": "…"}, and answer with a line for each.
    #[arg(long)]
    pub(super) jsonl: bool,
}

/// Longest text, and longest line, in bytes.
const TEXT_BYTES_MAX: u64 = 256 << 20;

/// One place that texts are read from.
pub(super) enum Source {
    /// The command line.
    Given(String),
    /// Standard input.
    Input,
    /// A file.
    File(PathBuf),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given(_) => f.write_str("the text given"),
            Self::Input => f.write_str("standard input"),
            Self::File(path) => write!(f, "`{}`", path.display()),
        }
    }
}

impl TextArguments {
    /// The places to read, in the order typed.
    ///
    /// # Errors
    /// When nothing was typed and nothing is piped in.
    pub(super) fn sources(&self) -> Result<Vec<Source>> {
        if !self.files.is_empty() {
            return Ok(self.files.iter().map(|path| Source::File(path.clone())).collect());
        }
        Ok(vec![match self.text.as_deref() {
            Some("-") => Source::Input,
            Some(path) if self.jsonl => Source::File(PathBuf::from(path)),
            Some(text) => Source::Given(text.to_owned()),
            None if io::stdin().is_terminal() => bail!("give a text, name a --file, or pipe one in"),
            None => Source::Input,
        }])
    }
}

impl Source {
    /// The name of the file, when it is one.
    pub(super) fn file(&self) -> Option<String> {
        match self {
            Self::File(path) => Some(path.display().to_string()),
            Self::Given(_) | Self::Input => None,
        }
    }

    /// The whole as one text.
    ///
    /// # Errors
    /// When it cannot be read, is too long, or is not UTF-8.
    pub(super) fn read(&self, bar: &ProgressBar) -> Result<String> {
        if let Self::Given(text) = self {
            return Ok(text.clone());
        }
        let mut bytes = Vec::new();
        let mut limited = self.open(bar)?.take(TEXT_BYTES_MAX + 1);
        limited.read_to_end(&mut bytes).with_context(|| format!("cannot read {self}"))?;
        if bytes.len() as u64 > TEXT_BYTES_MAX {
            bail!(
                "{self} is longer than {TEXT_BYTES_MAX} bytes; cut it up, or give a text a line with --jsonl"
            );
        }
        String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            anyhow::anyhow!("{self} is not UTF-8 at byte {at}; convert it first")
        })
    }

    fn open(&self, bar: &ProgressBar) -> Result<Box<dyn Read>> {
        Ok(match self {
            Self::Given(text) => Box::new(io::Cursor::new(text.clone().into_bytes())),
            Self::Input => Box::new(io::stdin()),
            Self::File(path) => {
                let file = File::open(path).with_context(|| format!("cannot read {self}"))?;
                Box::new(bar.wrap_read(file))
            }
        })
    }
}

/// A bar over the bytes of all files. Drawn only where it disturbs nothing: standard error is a terminal and the
/// answer goes elsewhere.
pub(super) fn bar(sources: &[Source], answer_elsewhere: bool) -> ProgressBar {
    let size = |source: &Source| match source {
        Source::File(path) => path.metadata().map(|about| about.len()).ok(),
        Source::Given(_) | Source::Input => None,
    };
    let bar = ProgressBar::new(sources.iter().filter_map(size).sum());
    let elsewhere = answer_elsewhere || !io::stdout().is_terminal();
    if !elsewhere || !sources.iter().any(|source| matches!(source, Source::File(_))) {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    match ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// A line that was read, and where it stood.
pub(super) struct Line<'l> {
    source: &'l Source,
    number: u64,
    bytes: &'l [u8],
}

/// A text with an id of the caller's, which comes back as it was written.
#[derive(Deserialize)]
pub(super) struct TextLine<'l> {
    /// Any JSON.
    #[serde(borrow)]
    pub(super) id: &'l RawValue,
    /// The text.
    #[serde(borrow)]
    pub(super) text: Cow<'l, str>,
}

impl<'l> Line<'l> {
    /// Reads the line as JSON of that shape.
    ///
    /// # Errors
    /// File, line and column, and what is expected; nothing of the line.
    pub(super) fn parse<T: Deserialize<'l>>(&self, expected: &str) -> Result<T> {
        if self.bytes.trim_ascii_start().starts_with(b"[") {
            bail!("{self} is JSON of another shape; expected {expected}");
        }
        serde_json::from_slice(self.bytes).map_err(|error| {
            let what = match error.classify() {
                Category::Data => "is JSON of another shape",
                Category::Syntax | Category::Eof | Category::Io => "is not JSON",
            };
            anyhow::anyhow!("{self} {what} (column {}); expected {expected}", error.column())
        })
    }
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {}", self.source, self.number)
    }
}

/// The shape of [`TextLine`], for errors.
pub(super) const TEXT_LINE: &str = r#"{"id": …, "text": "…"}"#;

/// Hands each line of each source to `take`, in order, and stops at the first that it refuses. Blank lines are
/// passed over. Answers are flushed before a read that may have to wait.
///
/// # Errors
/// What reading or `take` says.
pub(super) fn each_line<W: Write>(
    sources: &[Source],
    bar: &ProgressBar,
    out: &mut W,
    mut take: impl FnMut(&Line<'_>, &mut W) -> Result<()>,
) -> Result<()> {
    let mut bytes = Vec::new();
    for source in sources {
        let mut reader = BufReader::with_capacity(1 << 16, source.open(bar)?);
        for number in 1.. {
            if reader.buffer().is_empty() {
                out.flush()?;
            }
            bytes.clear();
            let mut limited = reader.by_ref().take(TEXT_BYTES_MAX + 1);
            limited.read_until(b'\n', &mut bytes).with_context(|| format!("cannot read {source}"))?;
            if bytes.len() as u64 > TEXT_BYTES_MAX {
                bail!("{source}, line {number} is longer than {TEXT_BYTES_MAX} bytes");
            }
            if bytes.is_empty() {
                break;
            }
            let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").filter(|_| number == 1).unwrap_or(&bytes);
            if !bytes.iter().all(u8::is_ascii_whitespace) {
                take(&Line { source, number, bytes }, out)?;
            }
        }
    }
    Ok(())
}
