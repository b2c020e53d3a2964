//! Containers made for tests.

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use std::io::Write;

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// One way to pack an entry.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Pack {
    Stored,
    Deflated,
    StoredThenDescribed,
    DeflatedThenDescribed,
}

pub(super) const PACKS: [Pack; 4] =
    [Pack::Stored, Pack::Deflated, Pack::StoredThenDescribed, Pack::DeflatedThenDescribed];

/// A ZIP archive, as APPNOTE.TXT says.
pub(super) fn zip(entries: &[(&str, &[u8], Pack)]) -> Vec<u8> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes, pack) in entries {
        let deflated = matches!(pack, Pack::Deflated | Pack::DeflatedThenDescribed);
        let after = matches!(pack, Pack::StoredThenDescribed | Pack::DeflatedThenDescribed);
        let data = if deflated { deflate(bytes) } else { bytes.to_vec() };
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        let fixed = |sums: [u32; 3]| {
            let words = [20_u16, if after { 8 } else { 0 }, if deflated { 8 } else { 0 }, 0, 0];
            let mut fixed: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            fixed.extend(sums.iter().flat_map(|sum| sum.to_le_bytes()));
            fixed.extend((name.len() as u16).to_le_bytes());
            fixed.extend([0, 0]);
            fixed
        };
        let sums = [crc.sum(), data.len() as u32, bytes.len() as u32];
        let offset = archive.len() as u32;
        archive.extend(b"PK\x03\x04");
        archive.extend(fixed(if after { [0; 3] } else { sums }));
        archive.extend(name.as_bytes());
        archive.extend(&data);
        if after {
            archive.extend(b"PK\x07\x08");
            archive.extend(sums.iter().flat_map(|sum| sum.to_le_bytes()));
        }
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(fixed(sums));
        directory.extend([0; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let (at, length, count) = (archive.len() as u32, directory.len() as u32, entries.len() as u16);
    archive.extend(directory);
    archive.extend(b"PK\x05\x06\0\0\0\0");
    archive.extend([count.to_le_bytes(), count.to_le_bytes()].concat());
    archive.extend([length.to_le_bytes(), at.to_le_bytes()].concat());
    archive.extend([0, 0]);
    archive
}

/// A WARC record.
pub(super) fn record(kind: &str, fields: &str, block: &[u8]) -> Vec<u8> {
    let head = format!(
        "WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Record-ID: <urn:uuid:0>\r\n{fields}Content-Length: {}\r\n\r\n",
        block.len()
    );
    [head.as_bytes(), block, b"\r\n\r\n"].concat()
}

/// An answer of an HTTP server in a record.
pub(super) fn answer(headers: &str, body: &[u8]) -> Vec<u8> {
    let block = [b"HTTP/1.1 200 OK\r\n", headers.as_bytes(), b"\r\n", body].concat();
    record("response", "Content-Type: application/http; msgtype=response\r\n", &block)
}

pub(super) fn chunked(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for chunk in body.chunks(7) {
        out.extend(format!("{:x};x=y\r\n", chunk.len()).bytes());
        out.extend(chunk);
        out.extend(b"\r\n");
    }
    out.extend(b"0\r\nA: b\r\n\r\n");
    out
}

/// RFC 7932, 9.2: one block that is not compressed, and an empty last one.
pub(super) fn stored_brotli(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for block in bytes.chunks(1 << 15) {
        let head = (block.len() as u32 - 1) << 4 | 1 << 20;
        // Only the first block has the window's bit.
        let head = if out.is_empty() { head } else { head >> 1 };
        out.extend(&head.to_le_bytes()[..3]);
        out.extend(block);
    }
    out.push(3);
    out
}
