#!/usr/bin/env python3
"""Dense WARC files read by Knik and by warcio in turn, in the same run.

warcio_beside.py KNIK FOLDER [SAMPLE...]: writes a WARC of answers with posts, compressed and plain, and measures it and the
samples. warcio reads each payload (`read`), and parses it with the json module as well (`parse`), which is less than Knik
does with it: it checks digests, cuts, and reads the posts.
"""
import contextlib
import io
import json
import os
import subprocess
import sys
import time

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed

import files


def warcio(content, parse):
    """Processor time of reading it once; small ones are read often enough to be measured."""
    start, times = time.process_time(), 0
    while times == 0 or time.process_time() - start < 0.05:
        for record in ArchiveIterator(io.BytesIO(content)):
            payload = record.content_stream().read()
            if parse:
                with contextlib.suppress(ValueError):
                    json.loads(payload)
        times += 1
    return (time.process_time() - start) / times


def row(knik, name, path):
    """One file, in turn three times, the best of each; nothing of what warcio does not read."""
    content = open(path, "rb").read()
    size = len(content) / 1e6
    times = {"knik": [], "read": [], "parse": []}
    for _ in range(3):
        told = subprocess.run([knik, "bench", "captures", "--json", "--milliseconds", "300", path],
                              check=True, capture_output=True, text=True).stdout
        times["knik"].append(size / json.loads(told)["warc"]["mbPerS"])
        try:
            with contextlib.redirect_stderr(io.StringIO()):
                times["read"].append(warcio(content, False))
                times["parse"].append(warcio(content, True))
        except ArchiveLoadFailed:
            print(f"| {name} | {len(content):,} | {size / times['knik'][0]:.0f} | refused | refused | - | - |", flush=True)
            return
    speed = {what: size / min(taken) for what, taken in times.items()}
    print(f"| {name} | {len(content):,} | {speed['knik']:.0f} | {speed['read']:.0f} | {speed['parse']:.0f} "
          f"| {speed['knik'] / speed['read']:.2f} | {speed['knik'] / speed['parse']:.2f} |", flush=True)


def main():
    knik, folder, *samples = sys.argv[1:]
    print("| file | bytes | Knik MB/s | warcio, read | warcio, parse | Knik : read | Knik : parse |")
    print("|---|---|---|---|---|---|---|")
    for name, pack in [("posts.warc.gz", None), ("posts.warc", lambda whole: whole)]:
        path = os.path.join(folder, name)
        try:
            files.warc(path, 20_000_000, *([pack] if pack else []))
            row(knik, name, path)
        finally:
            if os.path.exists(path):
                os.remove(path)
    for path in samples:
        row(knik, os.path.basename(path)[:40], path)


main()
