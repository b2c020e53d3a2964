//! Reading a capture: pieces of the stream become units.

use super::cuts::{self, Claim};
use super::gather::{Context, Gathered};
use super::item::Item;
use super::json::{Json, Node};
use super::split::{Layout, Raw, Splitter};
use super::table::Heading;
use super::unit::{CutKind, PartRole, Place, Refusal, RefusalReason, Unit};
use super::{CaptureError, Format, Limits, attachment, bluesky_blocks, page, python_repr, sniff, streamed};
use crate::model::ByteRange;
use std::borrow::Cow;
use std::collections::VecDeque;
use std::io::BufRead;
use std::ops::Range;
use std::sync::Arc;

/// Reads a capture as a stream of units. Memory is bounded by the largest unit.
///
/// An error ends it: the file as a whole is not sound. What can be left out alone (a bad line, a bad event,
/// an element that is no item) is a [`Refusal`] in its unit, and reading goes on.
pub struct Reader<R> {
    splitter: Splitter<R>,
    format: Format,
    limits: Limits,
    context: Context,
    /// Pieces read ahead to recognise the format.
    ahead: VecDeque<Raw>,
    /// Memory of the piece before, for the next.
    spare: Vec<Node>,
    ended: bool,
}

impl<R: BufRead> Reader<R> {
    /// Begins to read. Without a `format` the first piece that can be recognised tells it.
    ///
    /// # Errors
    /// When the stream cannot be read, is empty or in UTF-16, or is recognised by no format.
    pub fn new(input: R, format: Option<Format>, limits: Limits) -> Result<Self, CaptureError> {
        let mut splitter = sniff::splitter(input, format, limits)?;
        let mut ahead = VecDeque::new();
        let heading = splitter.heading();
        let format = match format.or_else(|| heading.map(|heading| heading.format)) {
            Some(format) => format,
            None if splitter.layout() == Layout::Events => Format::MastodonApi,
            None if splitter.is_script() => Format::XArchive,
            None => detected(&mut splitter, &mut ahead, limits)?,
        };
        Ok(Self {
            splitter,
            format,
            limits,
            context: Context::default(),
            ahead,
            spare: Vec::new(),
            ended: false,
        })
    }

    /// The format given or recognised.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    fn unit(&mut self) -> Result<Option<Unit>, CaptureError> {
        let ahead = self.ahead.pop_front();
        let Some(mut raw) = ahead.map_or_else(|| self.splitter.next(), |raw| Ok(Some(raw)))? else {
            return Ok(None);
        };
        let mut gathered = Gathered::default();
        let mut refused = Vec::new();
        if raw.too_long {
            let reason = RefusalReason::TooLong { limit: self.limits.unit_bytes_max };
            refused.push(Refusal { place: raw.place(0), range: raw.whole(), reason });
        } else if !raw.value.is_empty() {
            match self.gather(&mut raw) {
                Ok(found) => gathered = found,
                Err(refusal) if sniff::concerns_one_piece(self.splitter.layout(), &refusal.reason) => {
                    refused.push(refusal);
                }
                Err(refusal) => return Err(refusal.into()),
            }
        }
        let heading = self.splitter.heading().filter(|_| !gathered.items.is_empty());
        let mut unit = unit(self.format, raw, gathered, refused);
        unit.heading = heading.map(|heading| Arc::clone(&heading.bytes));
        Ok(Some(unit))
    }

    /// Parses the value of a piece and reads it. Narrows `raw.value` to what was parsed.
    fn gather(&mut self, raw: &mut Raw) -> Result<Gathered, Refusal> {
        if self.splitter.layout() == Layout::Events {
            let event = Event::of(raw).ok_or_else(|| refusal(raw, 0, RefusalReason::NotUtf8))?;
            raw.value = event.data.clone();
            if event.deletes
                && let Some(deleted) = self.format.reading().event_of_deletion
            {
                let gone = event.gone.as_deref().map(deleted);
                return gone.ok_or_else(|| refusal(raw, raw.value.start, RefusalReason::NotRecognised));
            }
            if !event.json {
                raw.value = 0..0;
                return Ok(Gathered::default());
            }
        }
        if let Some(heading) = self.splitter.heading() {
            return self.row(raw, &heading);
        }
        let json = match raw.nodes.take() {
            Some(nodes) => Json::of(utf8(raw)?, nodes),
            None => parsed(raw, self.limits, std::mem::take(&mut self.spare))?,
        };
        self.context.element = raw.element.is_some();
        self.context.list = raw.list();
        self.context.more = !raw.last;
        let reading = self.format.reading();
        let gathered = (reading.gather)(&json, &mut self.context);
        if raw.last {
            self.context.history = None;
        }
        if gathered.excessive {
            return Err(refusal(raw, raw.value.start, RefusalReason::Excessive));
        }
        if let Some(reason) = gathered.fault {
            return Err(refusal(raw, raw.value.start, reason));
        }
        let nothing = gathered.items.is_empty() && gathered.acts.is_empty() && gathered.deletions.is_empty();
        // Stream events other than about statuses are named by the stream itself, and so are parts of an archive.
        // What stands in an object that is taken apart is what it would be in one that is not: read, or left alone.
        let named = self.splitter.layout() == Layout::Events
            || self.splitter.is_script()
            || self.splitter.is_large_object();
        if nothing && !named && !(reading.recognises)(json.root()) {
            return Err(refusal(raw, raw.value.start, RefusalReason::NotRecognised));
        }
        let nodes = json.into_nodes();
        self.spare = if nodes.capacity() > SPARE_NODES_MAX { Vec::new() } else { nodes };
        Ok(gathered)
    }

    /// Reads a row as the object its heading makes of it. What is found in it has the place of the whole row.
    fn row(&mut self, raw: &Raw, heading: &Heading) -> Result<Gathered, Refusal> {
        let text = utf8(raw)?;
        let mut row = heading.row(text).map_err(|reason| refusal(raw, raw.value.start, reason))?;
        let mut gathered = (self.format.reading().gather)(&row.json(), &mut self.context);
        gathered.items.iter_mut().for_each(|(_, range)| *range = 0..text.len());
        Ok(gathered)
    }
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = Result<Unit, CaptureError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let unit = self.unit().transpose();
        self.ended = !matches!(unit, Some(Ok(_)));
        unit
    }
}

/// Reads pieces until one is recognised. They are kept, within the limit of one unit.
fn detected<R: BufRead>(
    splitter: &mut Splitter<R>,
    ahead: &mut VecDeque<Raw>,
    limits: Limits,
) -> Result<Format, CaptureError> {
    let mut kept = 0_usize;
    let mut fault = None;
    let mut empty_array = false;
    while kept <= limits.unit_bytes_max
        && let Some(mut raw) = splitter.next()?
    {
        kept = kept.saturating_add(raw.bytes.len()).saturating_add(size_of::<Raw>());
        let (mut found, mut nodes) = (None, None);
        if raw.too_long {
            let reason = RefusalReason::TooLong { limit: limits.unit_bytes_max };
            fault = fault.or(Some(Refusal { place: raw.place(0), range: raw.whole(), reason }));
        } else if raw.value.is_empty() {
            empty_array |= splitter.layout() == Layout::Documents;
        } else if let Some(format) = raw.list().and_then(streamed::format_of) {
            found = Some(format);
        } else if raw.list().is_some() || !splitter.is_large_object() {
            match parsed(&raw, limits, Vec::new()) {
                Ok(json) => {
                    let knows = |format: &Format| (format.reading().recognises)(json.root());
                    found = Format::ALL.iter().copied().find(knows);
                    nodes = found.map(|_| json.into_nodes());
                }
                Err(refusal) if splitter.layout() == Layout::Lines => fault = fault.or(Some(refusal)),
                Err(refusal) => return Err(refusal.into()),
            }
        }
        raw.nodes = nodes;
        ahead.push_back(raw);
        if let Some(format) = found {
            return Ok(format);
        }
    }
    match fault {
        Some(refusal) => Err(refusal.into()),
        // An empty timeline or context: there is nothing in it to tell formats apart.
        None if empty_array && ahead.iter().all(|raw| raw.value.is_empty()) => Ok(Format::MastodonApi),
        None => Err(CaptureError::UnknownFormat),
    }
}

/// Refuses the value of a piece, or the whole piece when no value is in it.
fn refusal(raw: &Raw, at: usize, reason: RefusalReason) -> Refusal {
    let range = if raw.value.is_empty() { raw.whole() } else { raw.in_file(&raw.value) };
    Refusal { place: raw.place(at), range, reason }
}

/// The value of a piece as text.
fn utf8(raw: &Raw) -> Result<&str, Refusal> {
    let bytes = raw.bytes.get(raw.value.clone()).unwrap_or_default();
    std::str::from_utf8(bytes)
        .map_err(|fault| refusal(raw, raw.value.start + fault.valid_up_to(), RefusalReason::NotUtf8))
}

/// Memory for more nodes than this is not kept.
const SPARE_NODES_MAX: usize = 1 << 14;

fn parsed(raw: &Raw, limits: Limits, spare: Vec<Node>) -> Result<Json<'_>, Refusal> {
    let text = utf8(raw)?;
    Json::parse_into(text, limits.depth_max, spare)
        .map_err(|(at, fault)| refusal(raw, raw.value.start + at, fault.into()))
}

/// A server-sent event (WHATWG HTML, 9.2): the fields that matter.
struct Event {
    /// Whether it tells of a deleted item.
    deletes: bool,
    /// The data, when it is an id and nothing else.
    gone: Option<String>,
    /// Whether the data is JSON.
    json: bool,
    /// Where the data stands in the piece: the first data line, or empty.
    data: Range<usize>,
}

impl Event {
    /// None when the piece is not UTF-8. Data over several lines reads as broken JSON: no server sends it.
    fn of(raw: &Raw) -> Option<Self> {
        let text = std::str::from_utf8(&raw.bytes).ok()?;
        let (mut name, mut data, mut at) = ("", 0..0, 0);
        for line in text.split_inclusive('\n') {
            let field = line.trim_end_matches(['\r', '\n']);
            if let Some(value) = field.strip_prefix("event:") {
                name = value.trim();
            } else if let Some(value) = field.strip_prefix("data:")
                && data.is_empty()
            {
                let value = value.strip_prefix(' ').unwrap_or(value);
                data = at + field.len() - value.len()..at + field.len();
            }
            at += line.len();
        }
        let value = text.get(data.clone()).unwrap_or_default().trim();
        let bare = !value.is_empty() && value.len() <= 64 && value.bytes().all(|b| b.is_ascii_alphanumeric());
        Some(Self {
            deletes: name == "delete",
            gone: bare.then(|| value.to_owned()),
            json: value.starts_with(['{', '[']),
            data,
        })
    }
}

/// Puts a unit together: ranges become places in the file, and the bytes are shared out.
fn unit(format: Format, raw: Raw, gathered: Gathered, refused: Vec<Refusal>) -> Unit {
    let in_file =
        |range: &Range<usize>| raw.in_file(&(raw.value.start + range.start..raw.value.start + range.end));
    let own = gathered.items.len();
    let cuts = match (gathered.items.as_slice(), gathered.parts.as_slice(), refused.as_slice()) {
        ([(_, range)], [], []) => cuts::around(raw.whole(), in_file(range)),
        (items, parts, _) => {
            let mut kinds: Vec<CutKind> = (0..own).map(|item| CutKind::Own { item }).collect();
            kinds.extend(parts.iter().map(|(role, _)| CutKind::Shared(*role)));
            let left_out = refused.iter().map(|refusal| Claim { range: refusal.range, owner: None });
            let ranges = items.iter().map(|(_, range)| range).chain(parts.iter().map(|(_, range)| range));
            let owned =
                ranges.enumerate().map(|(owner, range)| Claim { range: in_file(range), owner: Some(owner) });
            cuts::cut(raw.whole(), kinds, left_out.chain(owned).collect())
        }
    };
    let items = gathered.items.into_iter().map(|(mut item, range)| {
        item.range = in_file(&range);
        item.shared.iter_mut().for_each(|part| *part += own);
        item
    });
    let items = items.collect();
    Unit {
        format: Some(format),
        within: None,
        offset: raw.offset,
        bytes: raw.bytes,
        items,
        acts: gathered.acts,
        deletions: gathered.deletions,
        stubs: gathered.stubs,
        heading: None,
        cuts,
        refused,
    }
}

/// Reads one sealed original again: the item's whole object (embedded items in their places) and its shared
/// parts, in any order.
///
/// Gives the same [`Item`] as reading the file did, except `range` and `shared`, which are empty, and except
/// that a version out of an edit history is named as if it were the first, and a page of the web, whose address and date
/// are not in its bytes, has neither.
///
/// # Errors
/// [`CaptureError::Refused`] when the bytes are no item of this format.
pub fn reread(format: Format, item: &[u8], shared: &[(PartRole, &[u8])]) -> Result<Item, CaptureError> {
    let depth = Limits::default().depth_max;
    let whole = |bytes: &[u8]| ByteRange { start: 0, end: bytes.len() as u64 };
    let fail = |bytes: &[u8], at: usize, reason| {
        let place = Place { within: None, line: 1, offset: at as u64, pointer: None };
        CaptureError::Refused(Refusal { place, range: whole(bytes), reason })
    };
    let text = |bytes| {
        let text = std::str::from_utf8(bytes)
            .map_err(|fault| fail(bytes, fault.valid_up_to(), RefusalReason::NotUtf8))?;
        let literal = (format == Format::InstagramDyi && Json::parse(text, depth).is_err())
            .then(|| python_repr::json_of(text));
        Ok::<_, CaptureError>(literal.flatten().map_or(Cow::Borrowed(text), |plain| Cow::Owned(plain.text)))
    };
    match format {
        Format::WebPage => return Ok(page::reread(item)),
        Format::File => return Ok(attachment::reread(item)),
        _ => {}
    }
    let heading = shared.iter().find(|(role, _)| *role == PartRole::Heading);
    if let (Format::Bluesky, Some((_, address))) = (format, heading) {
        let found = bluesky_blocks::reread(address, item);
        return found.ok_or_else(|| fail(item, 0, RefusalReason::NotRecognised));
    }
    if let Some((heading, _)) = heading.and_then(|(_, bytes)| Heading::at(bytes, Some(format))) {
        let row = std::str::from_utf8(item)
            .map_err(|fault| fail(item, fault.valid_up_to(), RefusalReason::NotUtf8))?;
        let mut row = heading.row(row).map_err(|reason| fail(item, 0, reason))?;
        let found = (format.reading().reread)(&row.json(), &[]);
        return found.ok_or_else(|| fail(item, 0, RefusalReason::NotRecognised));
    }
    let texts = shared.iter().map(|(role, bytes)| Ok((*role, text(bytes)?)));
    let texts = texts.collect::<Result<Vec<_>, CaptureError>>()?;
    let own = text(item)?;
    let parse = |text| Json::parse(text, depth).map_err(|(at, fault)| fail(item, at, fault.into()));
    let json = parse(&own)?;
    let parts = texts.iter().map(|(role, text)| Ok((*role, parse(text)?)));
    let parts = parts.collect::<Result<Vec<_>, CaptureError>>()?;
    let parts: Vec<_> = parts.iter().map(|(role, json)| (*role, json.root())).collect();
    let found = (format.reading().reread)(&json, &parts);
    let mut found = found.ok_or_else(|| fail(item, 0, RefusalReason::NotRecognised))?;
    found.range = ByteRange { start: 0, end: 0 };
    found.shared = Vec::new();
    Ok(found)
}
