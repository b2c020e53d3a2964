//! Whole repositories of the AT Protocol (Bluesky): CAR, version 1 (ipld.io/specs/transport/car/carv1), as
//! `com.atproto.sync.getRepo` gives them. Blocks in DAG-CBOR, each behind its name, which is its SHA-256; the address of a
//! record stands in the tree of the repository only, whose nodes are blocks too.
//!
//! Read forward. A record that comes before the node that names it waits, with all behind it, in no more memory than one
//! unit may have; a repository whose tree comes later than that is refused. What no way from the root leads to is kept and
//! not read, and so is a block that does not hash to its name.

use super::car_tree::{Node, Tree};
use super::digest::Hash;
use super::fault::ContainerFault;
use super::{Input, Units, refusal};
use crate::capture::bluesky_blocks;
use crate::capture::unit::{Act, ActKind, Cut, CutKind, RefusalReason, Unit};
use crate::capture::{CaptureError, Format, Limits};
use crate::model::{ByteRange, PrivateText};
use ipld_core::cid::Cid;
use ipld_core::ipld::Ipld;
use std::collections::{HashSet, VecDeque};
use std::io::{BufRead, Read};
use std::ops::Range;
use zeroize::Zeroizing;

/// What the tree may take, in units.
const TREE_UNITS_MAX: usize = 4;
/// Codes of multicodec: DAG-CBOR, SHA-256.
const DAG_CBOR: u64 = 0x71;
const SHA2_256: u64 = 0x12;

/// Whether a stream that begins so is a CAR: a length, and a map of `roots` and `version`.
pub(super) fn begins(head: &[u8]) -> bool {
    [1, 2].iter().any(|at| head.get(*at..).is_some_and(|map| map.starts_with(b"\xA2\x65roots")))
}

/// Reads a repository.
pub(super) struct Car<'a> {
    input: Input<'a>,
    limits: Limits,
    /// Bytes read so far.
    offset: u64,
    number: u64,
    roots: Vec<Cid>,
    /// Whose repository it is, once its commit was read.
    did: Option<String>,
    tree: Tree,
    waiting: VecDeque<Block>,
    /// Bytes of the blocks that wait.
    held: usize,
    /// Beginnings of the names of records that were read: a second copy of a block is nothing new.
    read: HashSet<u64>,
    ended: bool,
}

/// One section of the file: a length, a name, and the data.
struct Block {
    unit: Unit,
    data: Range<usize>,
    /// The record in it, which waits for its key.
    record: Option<Cid>,
}

impl<'a> Car<'a> {
    pub(super) fn new(input: Input<'a>, limits: Limits) -> Self {
        Self {
            input,
            limits,
            offset: 0,
            number: 0,
            roots: Vec::new(),
            did: None,
            tree: Tree::default(),
            waiting: VecDeque::new(),
            held: 0,
            read: HashSet::new(),
            ended: false,
        }
    }

    fn unit(&mut self) -> Result<Option<Unit>, CaptureError> {
        loop {
            let named = |block: &Block| block.record.as_ref().is_none_or(|cid| self.tree.names(cid));
            if self.waiting.front().is_some_and(|block| self.ended || (named(block) && self.known(block))) {
                let Some(block) = self.waiting.pop_front() else { return Ok(None) };
                self.held -= block.unit.bytes.len();
                return Ok(Some(self.finished(block)));
            }
            if self.ended {
                return Ok(None);
            }
            self.section()?;
        }
    }

    /// Whether what is needed to name a record is known.
    fn known(&self, block: &Block) -> bool {
        block.record.is_none() || self.did.is_some()
    }

    /// Reads one section, and puts it behind what waits.
    fn section(&mut self) -> Result<(), CaptureError> {
        let offset = self.offset;
        let mut bytes = Zeroizing::new(Vec::new());
        let Some(length) = self.length(&mut bytes)? else {
            self.ended = true;
            return Ok(());
        };
        let truncated = || CaptureError::Refused(refusal(None, offset, ContainerFault::CarTruncated));
        let limit = self.limits.unit_bytes_max;
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length.saturating_add(bytes.len()) > limit {
            let mut refused = refusal(None, offset, ContainerFault::CarTruncated);
            refused.reason = RefusalReason::TooLong { limit };
            return Err(CaptureError::Refused(refused));
        }
        let prefix = bytes.len();
        if self.input.by_ref().take(length as u64).read_to_end(&mut bytes)? < length {
            return Err(truncated());
        }
        self.offset += bytes.len() as u64;
        let first = self.number == 0;
        self.number += 1;
        let block =
            if first { self.header(offset, prefix, bytes)? } else { self.block(offset, prefix, bytes) };
        self.held += block.unit.bytes.len();
        self.waiting.push_back(block);
        if self.held > limit || self.tree.held() > limit.saturating_mul(TREE_UNITS_MAX) {
            return Err(CaptureError::Refused(refusal(None, offset, ContainerFault::CarOrder)));
        }
        Ok(())
    }

    /// A number in LEB128, with its bytes; none at the end of the file.
    fn length(&mut self, bytes: &mut Vec<u8>) -> Result<Option<u64>, CaptureError> {
        let mut number = 0_u64;
        for place in 0..9 {
            let Some(byte) = self.input.fill_buf()?.first().copied() else {
                let fault = refusal(None, self.offset, ContainerFault::CarTruncated);
                return if place == 0 { Ok(None) } else { Err(CaptureError::Refused(fault)) };
            };
            self.input.consume(1);
            bytes.push(byte);
            number |= u64::from(byte & 0x7F) << (7 * place);
            if byte & 0x80 == 0 {
                return Ok(Some(number));
            }
        }
        Err(CaptureError::Refused(refusal(None, self.offset, ContainerFault::CarBlock)))
    }

    fn header(
        &mut self,
        offset: u64,
        prefix: usize,
        bytes: Zeroizing<Vec<u8>>,
    ) -> Result<Block, CaptureError> {
        let header = serde_ipld_dagcbor::from_slice::<Ipld>(bytes.get(prefix..).unwrap_or_default());
        let Some(roots) = header.ok().as_ref().and_then(roots_of) else {
            return Err(CaptureError::Refused(refusal(None, offset, ContainerFault::CarHeader)));
        };
        self.roots = roots;
        Ok(Block { data: prefix..bytes.len(), unit: Unit::bare(offset, bytes), record: None })
    }

    /// A block: part of the tree, a record, or something else.
    fn block(&mut self, offset: u64, prefix: usize, bytes: Zeroizing<Vec<u8>>) -> Block {
        let mut rest = bytes.get(prefix..).unwrap_or_default();
        let cid = Cid::read_bytes(&mut rest);
        let data = bytes.len() - rest.len()..bytes.len();
        let outcome = match cid {
            Ok(cid) => self.take(cid, rest),
            Err(_) => Err(ContainerFault::CarBlock),
        };
        let mut unit = Unit::bare(offset, bytes);
        let record = outcome.unwrap_or_else(|fault| {
            unit.refused.push(refusal(None, offset, fault));
            None
        });
        Block { unit, data, record }
    }

    /// Looks at the data of a block; gives its name back when it is a record that is to be read.
    fn take(&mut self, cid: Cid, data: &[u8]) -> Result<Option<Cid>, ContainerFault> {
        if cid.hash().code() != SHA2_256 {
            return Err(ContainerFault::CarHash);
        }
        let mut hash = Hash::named("sha256").ok_or(ContainerFault::CarHash)?;
        hash.update(data);
        if hash.finish() != cid.hash().digest() {
            return Err(ContainerFault::CarName);
        }
        if cid.codec() != DAG_CBOR {
            return Ok(None);
        }
        let block: Ipld = serde_ipld_dagcbor::from_slice(data).map_err(|_| ContainerFault::CarBlock)?;
        if self.roots.contains(&cid) {
            let (did, root) = commit_of(&block).ok_or(ContainerFault::CarBlock)?;
            self.did.get_or_insert(did);
            self.tree.root(root);
            return Ok(None);
        }
        if Node::is_one(&block) {
            self.tree.node(cid, Node::of(&block).ok_or(ContainerFault::CarBlock)?);
            return Ok(None);
        }
        let told = text_of(&block, "$type").is_some_and(|kind| kind_of(kind).is_some());
        let again = self.read.contains(&fingerprint(&cid));
        Ok((told && !again).then_some(cid))
    }

    /// A block as a unit: what it holds is read now that its address is known, if it has one.
    fn finished(&mut self, block: Block) -> Unit {
        let Block { mut unit, data, record } = block;
        let whole = ByteRange { start: unit.offset, end: unit.offset + unit.bytes.len() as u64 };
        unit.cuts = vec![Cut { kind: CutKind::Residue, ranges: vec![whole] }];
        let Some(cid) = record else { return unit };
        let keys = self.tree.take(&cid).filter(|_| self.did.is_some());
        let Some(keys) = keys else {
            if !self.read.contains(&fingerprint(&cid)) {
                unit.refused.push(refusal(None, unit.offset, ContainerFault::CarUnplaced));
            }
            return unit;
        };
        self.read.insert(fingerprint(&cid));
        let did = self.did.as_deref().unwrap_or_default();
        let mut addresses = keys.iter().map(|key| format!("at://{did}/{key}"));
        unit.format = Some(Format::Bluesky);
        if let Some(kind) = keys.first().and_then(|key| kind_of(key.split('/').next()?).flatten()) {
            unit.acts.extend(addresses.map(|name| Act { kind, name: PrivateText::new(name) }));
            return unit;
        }
        let address = addresses.next().unwrap_or_default();
        let item =
            bluesky_blocks::reread(address.as_bytes(), unit.bytes.get(data.clone()).unwrap_or_default());
        let Some(mut item) = item else {
            unit.refused.push(refusal(None, unit.offset, ContainerFault::CarBlock));
            return unit;
        };
        item.names.extend(addresses.map(PrivateText::new));
        item.range = ByteRange { start: whole.start + data.start as u64, end: whole.end };
        let own = Cut { kind: CutKind::Own { item: 0 }, ranges: vec![item.range] };
        let before = ByteRange { start: whole.start, end: item.range.start };
        unit.cuts = vec![own, Cut { kind: CutKind::Residue, ranges: vec![before] }];
        unit.heading = Some(address.into_bytes().into());
        unit.items.push(item);
        unit
    }
}

impl Units for Car<'_> {
    fn next(&mut self) -> Result<Option<Unit>, CaptureError> {
        self.unit()
    }

    fn format(&self) -> Format {
        Format::Bluesky
    }

    fn forgives(&self) -> bool {
        false
    }
}

/// What records of a collection are: an act of a kind, or a post. None for other collections.
fn kind_of(collection: &str) -> Option<Option<ActKind>> {
    match collection {
        "app.bsky.feed.post" => Some(None),
        "app.bsky.feed.like" => Some(Some(ActKind::Like)),
        "app.bsky.feed.repost" => Some(Some(ActKind::Boost)),
        _ => None,
    }
}

fn fingerprint(cid: &Cid) -> u64 {
    cid.hash().digest().first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

fn text_of<'b>(block: &'b Ipld, name: &str) -> Option<&'b str> {
    let Ipld::Map(members) = block else { return None };
    match members.get(name)? {
        Ipld::String(text) => Some(text),
        _ => None,
    }
}

fn roots_of(header: &Ipld) -> Option<Vec<Cid>> {
    let Ipld::Map(members) = header else { return None };
    let (Ipld::List(roots), Ipld::Integer(1)) = (members.get("roots")?, members.get("version")?) else {
        return None;
    };
    roots.iter().map(|root| if let Ipld::Link(cid) = root { Some(*cid) } else { None }).collect()
}

/// Whose repository a commit is of, and where its tree begins.
fn commit_of(block: &Ipld) -> Option<(String, Cid)> {
    let did = text_of(block, "did").filter(|did| did.starts_with("did:"))?;
    let Ipld::Map(members) = block else { return None };
    match members.get("data")? {
        Ipld::Link(root) => Some((did.to_owned(), *root)),
        _ => None,
    }
}

#[cfg(test)]
#[path = "car_tests.rs"]
pub(in crate::capture) mod tests;
