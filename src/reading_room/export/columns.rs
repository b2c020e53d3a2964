//! A part in its three forms: lines of JSON, a table, columns (Parquet). Memory holds one group of rows.

use super::job::{new_file, settle};
use crate::redact::copy::{COLUMNS, Cell, ColumnKind, CopyRow, FORMS, ManifestFile, part_name};
use aws_lc_rs::digest::{Context, SHA256};
use parquet::basic::Compression;
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Rows of a group of columns.
const GROUP_ROWS: usize = 5_000;

/// A file that knows the digest and length of what was written to it.
pub(super) struct Counted {
    file: BufWriter<File>,
    digest: Context,
    size_bytes: u64,
}

impl Counted {
    pub(super) fn new(path: &Path) -> io::Result<Self> {
        Ok(Self { file: BufWriter::new(new_file(path)?), digest: Context::new(&SHA256), size_bytes: 0 })
    }

    /// Makes it durable under its name.
    pub(super) fn finish(self, folder: &Path, name: &str, rows: Option<u64>) -> io::Result<ManifestFile> {
        let file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        settle(file, &at(folder, name), &folder.join(name))?;
        let sha256 = hex::encode(self.digest.finish());
        Ok(ManifestFile { name: name.to_owned(), size_bytes: self.size_bytes, sha256, rows })
    }
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        let now = bytes.get(..written).unwrap_or_default();
        self.digest.update(now);
        self.size_bytes += now.len() as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Where a file stands until it is whole.
pub(super) fn at(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.new"))
}

/// A part that is being written.
pub(super) struct Part {
    folder: PathBuf,
    number: u64,
    lines: Counted,
    table: csv::Writer<Counted>,
    columns: SerializedFileWriter<Counted>,
    group: Vec<CopyRow>,
    rows: u64,
}

impl Part {
    pub(super) fn begin(folder: &Path, number: u64) -> io::Result<Self> {
        let file = |form: &str| Counted::new(&at(folder, &part_name(number, form)));
        let mut table = csv::Writer::from_writer(file("csv")?);
        table.write_record(COLUMNS.iter().map(|column| column.name))?;
        // Without statistics and compression: what stands in it stands there once, as it is.
        let properties = WriterProperties::builder()
            .set_created_by("knik".to_owned())
            .set_compression(Compression::UNCOMPRESSED)
            .set_statistics_enabled(EnabledStatistics::None)
            .build();
        let schema = Arc::new(parse_message_type(&schema()).map_err(failed)?);
        let columns =
            SerializedFileWriter::new(file("parquet")?, schema, Arc::new(properties)).map_err(failed)?;
        Ok(Self {
            folder: folder.to_owned(),
            number,
            lines: file("jsonl")?,
            table,
            columns,
            group: Vec::with_capacity(GROUP_ROWS),
            rows: 0,
        })
    }

    pub(super) const fn rows(&self) -> u64 {
        self.rows
    }

    pub(super) fn write(&mut self, row: CopyRow) -> io::Result<()> {
        serde_json::to_writer(&mut self.lines, &row)?;
        self.lines.write_all(b"\n")?;
        self.table.write_record(row.cells().iter().map(|cell| match cell {
            Cell::Text(text) => text.unwrap_or_default().to_owned(),
            Cell::Number(number) => number.to_string(),
            Cell::Flag(flag) => flag.to_string(),
        }))?;
        self.group.push(row);
        self.rows += 1;
        if self.group.len() >= GROUP_ROWS { self.write_group() } else { Ok(()) }
    }

    fn write_group(&mut self) -> io::Result<()> {
        if self.group.is_empty() {
            return Ok(());
        }
        let mut rows = self.columns.next_row_group().map_err(failed)?;
        let cells: Vec<_> = self.group.iter().map(CopyRow::cells).collect();
        let mut number = 0;
        while let Some(mut column) = rows.next_column().map_err(failed)? {
            let of = || cells.iter().filter_map(|row| row.get(number));
            match column.untyped() {
                ColumnWriter::ByteArrayColumnWriter(writer) => {
                    let told = |cell: &Cell<'_>| matches!(cell, Cell::Text(Some(_)));
                    let levels: Vec<i16> = of().map(|cell| i16::from(told(cell))).collect();
                    let values: Vec<ByteArray> = of()
                        .filter_map(|cell| match cell {
                            Cell::Text(Some(text)) => Some(ByteArray::from(*text)),
                            _ => None,
                        })
                        .collect();
                    writer.write_batch(&values, Some(&levels), None)
                }
                ColumnWriter::Int64ColumnWriter(writer) => {
                    let number = |cell: &Cell<'_>| if let Cell::Number(number) = cell { *number } else { 0 };
                    writer.write_batch(&of().map(number).collect::<Vec<i64>>(), None, None)
                }
                ColumnWriter::BoolColumnWriter(writer) => {
                    let flag = |cell: &Cell<'_>| matches!(cell, Cell::Flag(true));
                    writer.write_batch(&of().map(flag).collect::<Vec<bool>>(), None, None)
                }
                _ => return Err(io::Error::other("a column of another kind")),
            }
            .map_err(failed)?;
            column.close().map_err(failed)?;
            number += 1;
        }
        rows.close().map_err(failed)?;
        drop(cells);
        self.group.clear();
        Ok(())
    }

    /// Makes its files durable under their names.
    pub(super) fn finish(mut self) -> io::Result<Vec<ManifestFile>> {
        self.write_group()?;
        let table = self.table.into_inner().map_err(|error| io::Error::from(error.error().kind()))?;
        let columns = self.columns.into_inner().map_err(failed)?;
        let files = [self.lines, table, columns];
        let named = FORMS.iter().zip(files);
        named
            .map(|(form, file)| file.finish(&self.folder, &part_name(self.number, form), Some(self.rows)))
            .collect()
    }
}

fn schema() -> String {
    let mut text = "message knik {\n".to_owned();
    for column in COLUMNS {
        text.push_str(&match column.kind {
            ColumnKind::Text => format!("  OPTIONAL BYTE_ARRAY {} (UTF8);\n", column.name),
            ColumnKind::Number => format!("  REQUIRED INT64 {};\n", column.name),
            ColumnKind::Flag => format!("  REQUIRED BOOLEAN {};\n", column.name),
        });
    }
    text.push('}');
    text
}

fn failed(error: ParquetError) -> io::Error {
    // Its message may quote what was written.
    drop(error);
    io::Error::other("the columns of a part cannot be written")
}
