//! Figures as lines for people.

use serde_json::Value;
use std::io::Write;

/// One line on standard output.
pub fn line(text: &str) {
    let _closed = writeln!(std::io::stdout(), "{text}");
}

/// What is being done, on standard error.
pub fn progress(text: &str) {
    let _closed = writeln!(std::io::stderr(), "… {text}");
}

/// Prints a report: a heading for each part, lists of like things as tables.
pub fn print(report: &Value) {
    let Some(parts) = report.as_object() else { return };
    for (name, figures) in parts {
        line(&format!("\n== {name}"));
        print_part(figures, 0);
    }
}

fn print_part(figures: &Value, indent: usize) {
    let Some(entries) = figures.as_object() else { return };
    let width = entries.keys().map(String::len).max().unwrap_or_default();
    for (name, value) in entries {
        match value {
            Value::Object(_) => {
                line(&format!("{:indent$}{name}", ""));
                print_part(value, indent + 2);
            }
            Value::Array(rows) if rows.iter().all(Value::is_object) => {
                line(&format!("{:indent$}{name}", ""));
                print_rows(rows, indent + 2);
            }
            plain => line(&format!("{:indent$}{name:width$}  {}", "", cell(plain))),
        }
    }
}

fn print_rows(rows: &[Value], indent: usize) {
    let Some(first) = rows.first().and_then(Value::as_object) else { return };
    let columns: Vec<&String> = first.keys().collect();
    let heads = columns.iter().map(|column| (*column).clone()).collect();
    let mut lines: Vec<Vec<String>> = vec![heads];
    lines.extend(
        rows.iter()
            .map(|row| columns.iter().map(|c| row.get(c.as_str()).map_or_else(String::new, cell)).collect()),
    );
    let width =
        |n: usize| lines.iter().filter_map(|l| l.get(n)).map(|text| text.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    for cells in &lines {
        let padded: Vec<String> =
            cells.iter().zip(&widths).map(|(text, width)| format!("{text:>width$}")).collect();
        line(&format!("{:indent$}{}", "", padded.join("  ")));
    }
}

fn cell(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => match number.as_f64() {
            Some(float) if !number.is_u64() && !number.is_i64() => format!("{float:.2}"),
            _ => number.to_string(),
        },
        Value::Array(several) => several.iter().map(cell).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}
