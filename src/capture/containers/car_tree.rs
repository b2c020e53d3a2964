//! The tree of a repository of the AT Protocol (a Merkle search tree, atproto.com/specs/repository): it alone says
//! under which address a record stands.

use ipld_core::cid::Cid;
use ipld_core::ipld::Ipld;
use std::collections::{HashMap, HashSet};

/// Collections whose records are posts or acts; of others the address is not kept.
const COLLECTIONS: [&str; 3] = ["app.bsky.feed.post/", "app.bsky.feed.like/", "app.bsky.feed.repost/"];
/// No key of a repository is longer (atproto.com/specs/repository).
const KEY_BYTES_MAX: usize = 1024;
/// What a name and its place in the tables take beside the key itself.
const ENTRY_BYTES: usize = 96;

/// One node: nodes below it, and records with their keys.
pub(super) struct Node {
    below: Vec<Cid>,
    leaves: Vec<(Cid, Box<str>)>,
}

impl Node {
    /// Whether a block has the shape of a node.
    pub(super) fn is_one(block: &Ipld) -> bool {
        let Ipld::Map(members) = block else { return false };
        members.len() == 2 && matches!(members.get("e"), Some(Ipld::List(_))) && members.contains_key("l")
    }

    /// Reads a node. Each key begins with so many bytes of the key before it; none when one does not.
    pub(super) fn of(block: &Ipld) -> Option<Self> {
        let Ipld::Map(members) = block else { return None };
        let Ipld::List(entries) = members.get("e")? else { return None };
        let mut node = Self { below: Vec::new(), leaves: Vec::new() };
        node.below.extend(link(members.get("l")?)?);
        let mut key: Vec<u8> = Vec::new();
        for entry in entries {
            let Ipld::Map(entry) = entry else { return None };
            let (Ipld::Integer(kept), Ipld::Bytes(rest)) = (entry.get("p")?, entry.get("k")?) else {
                return None;
            };
            let kept = usize::try_from(*kept).ok().filter(|kept| *kept <= key.len())?;
            key.truncate(kept);
            key.extend_from_slice(rest);
            let text = std::str::from_utf8(&key).ok().filter(|text| text.len() <= KEY_BYTES_MAX)?;
            if COLLECTIONS.iter().any(|collection| text.starts_with(collection)) {
                node.leaves.push((link(entry.get("v")?)??, text.into()));
            }
            node.below.extend(link(entry.get("t")?)?);
        }
        Some(node)
    }

    fn size(&self) -> usize {
        let keys: usize = self.leaves.iter().map(|(_, key)| key.len() + ENTRY_BYTES).sum();
        keys + self.below.len() * ENTRY_BYTES
    }
}

/// A link, or none where there is `null`; no answer where there is something else.
fn link(value: &Ipld) -> Option<Option<Cid>> {
    match value {
        Ipld::Link(cid) => Some(Some(*cid)),
        Ipld::Null => Some(None),
        _ => None,
    }
}

/// What is known of the tree so far. Nodes may come in any order; one counts only once a way from the root leads to it.
#[derive(Default)]
pub(super) struct Tree {
    wanted: HashSet<Cid>,
    early: HashMap<Cid, Node>,
    keys: HashMap<Cid, Vec<Box<str>>>,
    held: usize,
}

impl Tree {
    /// Where the tree begins.
    pub(super) fn root(&mut self, root: Cid) {
        self.want(vec![root]);
    }

    /// Takes a node that was met.
    pub(super) fn node(&mut self, cid: Cid, node: Node) {
        self.held += node.size();
        self.early.insert(cid, node);
        if self.wanted.remove(&cid) {
            self.want(vec![cid]);
        }
    }

    /// The keys under which a record stands, once; none when no node that was reached names it.
    pub(super) fn take(&mut self, cid: &Cid) -> Option<Vec<Box<str>>> {
        let keys = self.keys.remove(cid)?;
        self.held = self.held.saturating_sub(keys.iter().map(|key| key.len() + ENTRY_BYTES).sum());
        Some(keys)
    }

    /// Whether a record was named.
    pub(super) fn names(&self, cid: &Cid) -> bool {
        self.keys.contains_key(cid)
    }

    /// About how many bytes of memory it takes.
    pub(super) const fn held(&self) -> usize {
        self.held
    }

    fn want(&mut self, mut below: Vec<Cid>) {
        while let Some(cid) = below.pop() {
            match self.early.remove(&cid) {
                Some(node) => {
                    self.held = self.held.saturating_sub(node.below.len() * ENTRY_BYTES);
                    for (cid, key) in node.leaves {
                        self.keys.entry(cid).or_default().push(key);
                    }
                    below.extend(node.below);
                }
                None => drop(self.wanted.insert(cid)),
            }
        }
    }
}
