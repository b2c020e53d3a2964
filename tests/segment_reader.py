#!/usr/bin/env python3
"""Opens a segment that Knik made, from docs/segment-format.md alone: Python's standard library and `cryptography`.

    segment_reader.py SEGMENT KEYTABLE KEYS [FRAGMENT...]

SEGMENT is a segment file, KEYTABLE a JSON dump of its rows of the key table:
{"organisation": "bzk", "capture": "<hex>", "wrappedKey": "<hex>", "root": "<hex>", "fragments": {"<id hex>": "<wrapped key hex>"}},
KEYS a folder with the master key file and the epoch key files. Prints one JSON object: the root, how many envelopes the
segment holds, and for each fragment with a key its plaintext in hex, or `null` when it does not open.

    segment_reader.py --original OUT SEGMENT KEYTABLE KEYS

writes the item of one original, whose layout stands in KEYTABLE as "layout": "<hex>", to the file OUT: one fragment after
another, so that no more than one of them is in memory beside the segment. Prints how many there were.

Exit status 0 when everything with a key opens, 1 when something does not, 2 when the segment is not sound.
"""

import base64
import hashlib
import json
import pathlib
import struct
import sys

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

HEADER, ENVELOPE_HEADER, ENTRY, TRAILER = 28, 24, 64, 24


class Unsound(Exception):
    """The segment breaks a rule of the format."""


def need(condition, what):
    if not condition:
        raise Unsound(what)


def parts(*given):
    """Authenticated data: each part behind its length as 8 bytes."""
    return b"".join(struct.pack(">Q", len(part)) + part for part in given)


def merkle_root(leaves):
    """RFC 6962 section 2.1, over leaf hashes."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    left, right = merkle_root(leaves[:split]), merkle_root(leaves[split:])
    return hashlib.sha256(b"\x01" + left + right).digest()


def read_segment(data):
    """The segment's id, its root, and the sealed fragments by id."""
    need(len(data) >= HEADER + 64 + TRAILER, "too short")
    magic, version, reserved, segment = struct.unpack(">8sHH16s", data[:HEADER])
    need(magic == b"KNIKSEG1", "header magic")
    need(version == 1, "version %d" % version)
    need(reserved == 0, "reserved bytes")
    index_at, index_length, magic = struct.unpack(">QQ8s", data[-TRAILER:])
    need(magic == b"KNIKEND1", "trailer magic")
    need(index_at + index_length + TRAILER == len(data), "trailer does not end the segment")
    index = data[index_at : index_at + index_length]
    magic, same, count = struct.unpack(">8s16sQ", index[:32])
    need(magic == b"KNIKIDX1" and same == segment, "index header")
    need(index_length == 64 + ENTRY * count, "index length")
    at, leaves, sealed = HEADER, [], {}
    for n in range(count):
        start = 32 + ENTRY * n
        fragment, offset, length, digest = struct.unpack(">16sQQ32s", index[start : start + ENTRY])
        need(offset == at and length >= ENVELOPE_HEADER, "entry %d: offset or length" % n)
        need(fragment not in sealed, "entry %d: fragment stands twice" % n)
        envelope = data[offset : offset + length]
        need(hashlib.sha256(b"\x00" + envelope).digest() == digest, "envelope %d is damaged" % n)
        need(envelope[:16] == fragment, "envelope %d: id" % n)
        need(struct.unpack(">Q", envelope[16:24])[0] == length - ENVELOPE_HEADER, "envelope %d: length" % n)
        sealed[fragment] = envelope[ENVELOPE_HEADER:]
        leaves.append(digest)
        at = offset + length
    need(at == index_at, "index and envelopes do not meet")
    root = merkle_root(leaves)
    need(index[-32:] == root, "root")
    return segment, root, sealed


def unwrap(key, wrapped, aad):
    """A wrapped key of 61 bytes."""
    need(len(wrapped) == 61 and wrapped[0] == 1, "form of a wrapped key")
    return AESGCM(key).decrypt(wrapped[1:13], wrapped[13:], aad)


def epoch_key(keys, organisation, epoch):
    words = (keys / ("epoch-%s.%d.key" % (organisation, epoch))).read_text().split()
    need(words[:3] == ["knik-epoch-1", organisation, str(epoch)], "epoch key file")
    version = int(words[3])
    name = organisation if version == 1 else "%s.%d" % (organisation, version)
    master = (keys / ("master-%s.key" % name)).read_text().split()
    need(master[:3] == ["knik-key-1", "master", name], "master key file")
    numbers = struct.pack(">I", version), struct.pack(">I", epoch)
    aad = parts(b"knik/epoch-key", organisation.encode(), *numbers)
    return unwrap(base64.b64decode(master[3]), base64.b64decode(words[4]), aad)


def segment_key(keys, organisation, segment, wrapped):
    need(len(wrapped) == 65 and wrapped[0] == 2, "form of a wrapped segment key")
    epoch = struct.unpack(">I", wrapped[1:5])[0]
    aad = parts(b"knik/segment-key-2", organisation.encode(), wrapped[1:5], segment)
    return AESGCM(epoch_key(keys, organisation, epoch)).decrypt(wrapped[5:17], wrapped[17:], aad)


def open_fragment(table, segment, above, fragment, wrapped, sealed):
    organisation = table["organisation"].encode()
    key = unwrap(above, wrapped, parts(b"knik/fragment-key", organisation, segment, fragment))
    need(sealed[:2] == b"\x00\x01", "version of a sealed fragment")
    aad = parts(b"knik/fragment", organisation, bytes.fromhex(table["capture"]), fragment, sealed[:2])
    return AESGCM(key).decrypt(sealed[2:14], sealed[14:], aad)


def number(data, at):
    """A LEB128 number, and where the next thing begins."""
    value, shift = 0, 0
    while True:
        need(at < len(data), "layout is cut short")
        value |= (data[at] & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if data[at - 1] & 0x80 == 0:
            return value, at


def item_of(layout):
    """The fragments of a layout, and the pieces of its item: fragment, first byte, count of bytes."""
    form, at = layout[0], 1
    need(form in (1, 2, 3), "form of a layout")
    if form != 1:
        length, at = number(layout, at)
        at += length
    count, at = number(layout, at)
    fragments = [layout[at + 16 * n : at + 16 * (n + 1)] for n in range(count)]
    count, at = number(layout, at + 16 * count)
    need(count > 0, "a layout without parts")
    role, at = number(layout, at)
    need(role == 0, "the first part is the item")
    count, at = number(layout, at)
    pieces = []
    for _ in range(count):
        piece = []
        for _ in range(3):
            value, at = number(layout, at)
            piece.append(value)
        pieces.append(piece)
    return fragments, pieces


def original(out, segment_file, table_file, keys):
    table = json.loads(pathlib.Path(table_file).read_text())
    segment, root, sealed = read_segment(pathlib.Path(segment_file).read_bytes())
    need(root.hex() == table["root"], "not the segment that the catalogue knows")
    above = segment_key(pathlib.Path(keys), table["organisation"], segment, bytes.fromhex(table["wrappedKey"]))
    fragments, pieces = item_of(bytes.fromhex(table["layout"]))
    with open(out, "wb") as to:
        for place, start, count in pieces:
            fragment = fragments[place]
            wrapped = bytes.fromhex(table["fragments"][fragment.hex()])
            plain = open_fragment(table, segment, above, fragment, wrapped, sealed[fragment])
            need(start + count <= len(plain), "a piece beyond its fragment")
            to.write(plain[start : start + count])
    print(json.dumps({"fragments": len(fragments)}))
    return 0


def main(segment_file, table_file, keys, *wanted):
    table = json.loads(pathlib.Path(table_file).read_text())
    segment, root, sealed = read_segment(pathlib.Path(segment_file).read_bytes())
    need(root.hex() == table["root"], "not the segment that the catalogue knows")
    above = segment_key(pathlib.Path(keys), table["organisation"], segment, bytes.fromhex(table["wrappedKey"]))
    opened, refused = {}, False
    for name, wrapped in sorted(table["fragments"].items()):
        if wanted and name not in wanted:
            continue
        fragment = bytes.fromhex(name)
        need(fragment in sealed, "the segment has no fragment %s" % name)
        try:
            plain = open_fragment(table, segment, above, fragment, bytes.fromhex(wrapped), sealed[fragment])
            opened[name] = plain.hex()
        except InvalidTag:
            opened[name], refused = None, True
    print(json.dumps({"root": root.hex(), "envelopes": len(sealed), "opened": opened}))
    return 1 if refused else 0


if __name__ == "__main__":
    try:
        if sys.argv[1:2] == ["--original"]:
            sys.exit(original(*sys.argv[2:]))
        sys.exit(main(*sys.argv[1:]))
    except (Unsound, struct.error) as error:
        print("not sound: %s" % error, file=sys.stderr)
        sys.exit(2)
    except InvalidTag:
        print("the segment's key does not open", file=sys.stderr)
        sys.exit(1)
