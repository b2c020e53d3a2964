"""Large captures of invented posts, written as a stream: lines, one JSON object, a ZIP archive, WARC records."""
import gzip
import json
import zipfile

WORDS = ("de sluis is al weken dicht en niemand zegt iets; wanneer gaat de brug weer open, en wie moet ik bellen voor "
         "een afspraak over het fietspad langs het kanaal").split()


def said(n):
    start = n * 7 % len(WORDS)
    return " ".join((WORDS + WORDS)[start:start + 12]) + f" ({n})"


def line(n):
    """A reaction in Knik's own lines."""
    return json.dumps({"knik": 1, "id": f"https://forum.example/topic/{n}", "kind": "reaction",
                       "author": {"handle": f"lezer{n % 5000}", "name": "Fenna V."}, "text": said(n),
                       "posted_at": "2026-05-04T11:30:00+02:00", "visibility": "public", "language": "nl"})


def activity(n):
    """A post in an ActivityPub outbox."""
    public = "https://www.w3.org/ns/activitystreams#Public"
    author = f"https://gem.example/users/u{n % 500}"
    note = {"id": f"{author}/statuses/{n}", "type": "Note", "attributedTo": author, "to": [public],
            "published": "2026-05-04T09:30:00Z", "content": f"<p>{said(n)}</p>"}
    return json.dumps({"id": f"{author}/statuses/{n}/activity", "type": "Create", "actor": author, "to": [public],
                       "published": "2026-05-04T09:30:00Z", "object": note})


def status(n):
    """A post as Mastodon's client interface answers it."""
    return {"id": str(10**17 + n), "uri": f"https://gem.example/s/{n}", "url": f"https://gem.example/@u/{n}",
            "created_at": "2026-05-04T09:30:00.000Z", "visibility": "public", "language": "nl", "spoiler_text": "",
            "content": f"<p>{said(n)}</p>", "replies_count": 0, "favourites_count": n % 9, "media_attachments": [],
            "mentions": [], "tags": [], "emojis": [], "poll": None,
            "account": {"id": str(n % 5000), "username": f"u{n % 5000}", "acct": f"u{n % 5000}",
                        "display_name": "Fenna V.", "note": "<p>Sneek</p>", "url": "https://gem.example/@u"}}


def until(size, write, text):
    """Writes texts until so many bytes were written; how many texts. They are made once and numbered anew block by block."""
    first = 1_000_000_000
    block = "".join(text(first + k) for k in range(500)).encode()
    mark, written, blocks = b"1000000", 0, 0
    while written < size:
        part = block.replace(mark, b"%d" % (1_000_000 + blocks))
        write(part)
        written, blocks = written + len(part), blocks + 1
    return blocks * 500


def jsonl(path, size):
    with open(path, "wb") as out:
        return until(size, out.write, lambda n: line(n) + "\n")


def outbox(path, size):
    with open(path, "wb") as out:
        out.write(b'{"@context":"https://www.w3.org/ns/activitystreams","type":"OrderedCollection","orderedItems":[')
        out.write(activity(0).encode())
        count = until(size, out.write, lambda n: "," + activity(n))
        out.write(b"]}")
        return count + 1


def zipped(path, size):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open("posts.jsonl", "w", force_zip64=True) as out:
            return until(size, out.write, lambda n: line(n) + "\n")


def record(n):
    """One answer with forty posts, as a gzip member of a WARC."""
    body = json.dumps([status(n * 40 + k) for k in range(40)]).encode()
    block = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + body
    head = (f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:{n:032x}>\r\nWARC-Date: 2026-05-04T09:30:00Z\r\n"
            f"WARC-Target-URI: https://gem.example/api/v1/timelines/public?page={n}\r\n"
            f"Content-Type: application/http; msgtype=response\r\nContent-Length: {len(block)}\r\n\r\n")
    return head.encode() + block + b"\r\n\r\n", len(body)


def warc(path, size, pack=lambda bytes: gzip.compress(bytes, 1)):
    """Until the bodies have so many bytes."""
    made, n = 0, 0
    with open(path, "wb") as out:
        while made < size:
            whole, length = record(n)
            out.write(pack(whole))
            made, n = made + length, n + 1
    return n * 40


KINDS = {"lines": ("posts.jsonl", jsonl), "one object": ("outbox.json", outbox), "zip": ("posts.zip", zipped),
         "warc.gz": ("posts.warc.gz", warc)}
