//! The slice of a repository that a frame of the firehose carries: CAR, version 1, in base64, with records in
//! DAG-CBOR (ipld.io/specs/transport/car/carv1). A record is given as JSON in the form the protocol writes it,
//! so that it is read as any other.
//!
//! The CBOR itself is read by `serde_ipld_dagcbor`, which the IPLD project keeps; what stands around it is two
//! lengths. Whether a block hashes to its name is not checked here: the frame as a whole is what was captured.

use super::Limits;
use super::bluesky_post as post;
use super::item::Item;
use super::json::{Json, Value};
use crate::model::PrivateText;
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use ipld_core::cid::Cid;
use ipld_core::ipld::Ipld;
use std::collections::HashMap;
use std::ops::Range;
use zeroize::Zeroizing;

/// A record is never longer than this (the protocol allows 1 MiB).
const RECORD_BYTES_MAX: usize = 2 << 20;
/// The protocol writes no padding; some tools do.
const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Blocks by their name.
pub(super) struct Blocks {
    bytes: Zeroizing<Vec<u8>>,
    places: HashMap<Cid, Range<usize>>,
}

impl Blocks {
    /// Reads `{"$bytes": "…"}`; as far as it is sound.
    pub(super) fn read(value: Option<Value<'_>>) -> Option<Self> {
        let text = value?.field("$bytes")?.text()?;
        let bytes = Zeroizing::new(ENGINE.decode(text.as_bytes()).ok()?);
        let mut places = HashMap::new();
        let (header, mut at) = length(&bytes, 0)?;
        at = at.checked_add(header)?;
        while let Some((section, start)) = length(&bytes, at) {
            let end = start.checked_add(section).filter(|end| *end <= bytes.len());
            let Some((end, mut rest)) = end.and_then(|end| Some((end, bytes.get(start..end)?))) else {
                break;
            };
            if let Ok(cid) = Cid::read_bytes(&mut rest) {
                places.insert(cid, end - rest.len()..end);
            }
            at = end;
        }
        Some(Self { bytes, places })
    }

    /// The record with this name, as JSON.
    pub(super) fn record(&self, cid: &str) -> Option<Zeroizing<String>> {
        let place = self.places.get(&Cid::try_from(cid).ok()?)?;
        json_of(self.bytes.get(place.clone())?)
    }
}

/// Reads the block of a post once more, of which the address is known.
pub(super) fn reread(address: &[u8], block: &[u8]) -> Option<Item> {
    let json = json_of(block)?;
    let record = Json::parse(&json, Limits::default().depth_max).ok()?;
    let name = PrivateText::from(std::str::from_utf8(address).ok()?);
    Some(post::of_record(name, Some(record.root())))
}

/// A record as JSON.
fn json_of(block: &[u8]) -> Option<Zeroizing<String>> {
    if block.len() > RECORD_BYTES_MAX {
        return None;
    }
    let record: Ipld = serde_ipld_dagcbor::from_slice(block).ok()?;
    let mut json = Zeroizing::new(String::with_capacity(block.len() * 2));
    write(&record, &mut json)?;
    Some(json)
}

/// A number in LEB128 at a place, and where it ends.
fn length(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    let mut number = 0_u64;
    for (n, byte) in bytes.get(at..)?.iter().take(9).enumerate() {
        number |= u64::from(byte & 0x7F) << (7 * n);
        if byte & 0x80 == 0 {
            return Some((usize::try_from(number).ok()?, at + n + 1));
        }
    }
    None
}

/// Depth is bounded by the CBOR reader.
fn write(value: &Ipld, json: &mut String) -> Option<()> {
    match value {
        Ipld::Null => json.push_str("null"),
        Ipld::Bool(is) => json.push_str(if *is { "true" } else { "false" }),
        Ipld::Integer(number) => json.push_str(&number.to_string()),
        Ipld::Float(number) => json.push_str(&serde_json::to_string(number).ok()?),
        Ipld::String(text) => json.push_str(&serde_json::to_string(text).ok()?),
        Ipld::Bytes(bytes) => {
            json.push_str("{\"$bytes\":\"");
            json.push_str(&ENGINE.encode(bytes));
            json.push_str("\"}");
        }
        Ipld::Link(cid) => {
            json.push_str("{\"$link\":\"");
            json.push_str(&cid.to_string());
            json.push_str("\"}");
        }
        Ipld::List(values) => {
            json.push('[');
            for (n, value) in values.iter().enumerate() {
                json.push_str(if n == 0 { "" } else { "," });
                write(value, json)?;
            }
            json.push(']');
        }
        Ipld::Map(members) => {
            json.push('{');
            for (n, (name, value)) in members.iter().enumerate() {
                json.push_str(if n == 0 { "" } else { "," });
                json.push_str(&serde_json::to_string(name).ok()?);
                json.push(':');
                write(value, json)?;
            }
            json.push('}');
        }
    }
    Some(())
}
