//! The posts to measure on, from a file.

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::path::Path;

/// A line of a JSONL file; other fields are passed over.
#[derive(Deserialize)]
struct Line {
    text: String,
}

/// Reads posts: JSONL with a `text` a line when the first line is such, else a post a line. Blank lines are no posts.
///
/// # Errors
/// When the file cannot be read as UTF-8, holds no text, or a line of a JSONL file is none. Lines are named by number.
pub(super) fn read(path: &Path) -> Result<Vec<String>> {
    let text = super::super::read_text(path)?;
    posts(&text).with_context(|| format!("cannot use `{}`", path.display()))
}

fn posts(text: &str) -> Result<Vec<String>> {
    let mut lines = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty()).peekable();
    let jsonl = lines.peek().is_some_and(|(line, _)| serde_json::from_str::<Line>(line).is_ok());
    let read: Result<Vec<String>> = lines
        .map(|(line, number)| match jsonl {
            // What the parser says may quote the line: only its place is told.
            true => serde_json::from_str::<Line>(line).map(|l| l.text).ok().with_context(|| {
                format!("line {number} is no JSON object with a `text`, as the first line is")
            }),
            false => Ok(line.to_owned()),
        })
        .collect();
    let read = read?;
    if read.iter().all(String::is_empty) {
        bail!("it holds no text; give a post a line, or JSONL such as {{\"id\": \"1\", \"text\": \"…\"}}");
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn posts_come_as_json_or_a_line_each() {
        let json = "\n{\"id\":\"1\",\"text\":\"een\\nregel\"}\n\n{\"text\":\"\",\"id\":2}\n";
        assert_eq!(posts(json).unwrap(), ["een\nregel", ""]);
        assert_eq!(posts("een\r\n{twee\n").unwrap(), ["een", "{twee"]);
    }

    #[test]
    fn what_cannot_be_used_is_told_by_line_and_without_content() {
        let told = posts("{\"text\":\"een\"}\n{\"text\":\"geheim\"\n").unwrap_err().to_string();
        assert!(told.contains("line 2") && !told.contains("geheim"), "{told}");
        assert!(posts(" \n{\"text\":\"\"}").unwrap_err().to_string().contains("no text"));
    }
}
