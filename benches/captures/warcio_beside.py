#!/usr/bin/env python3
"""Dense WARC files read by Knik and by warcio in turn, in the same run.

warcio_beside.py KNIK FOLDER: writes a WARC of answers with posts, compressed and plain. warcio reads each payload
(`read`), and parses it with the json module as well (`parse`), which is less than Knik does with it.
"""
import io
import json
import os
import subprocess
import sys
import time

from warcio.archiveiterator import ArchiveIterator

import files


def warcio(content, parse):
    start = time.process_time()
    for record in ArchiveIterator(io.BytesIO(content)):
        payload = record.content_stream().read()
        if parse:
            json.loads(payload)
    return time.process_time() - start


def main():
    knik, folder = sys.argv[1:]
    print("| file | bytes | Knik MB/s | warcio, read | warcio, parse | Knik : read | Knik : parse |")
    print("|---|---|---|---|---|---|---|")
    for name, pack in [("posts.warc.gz", None), ("posts.warc", lambda whole: whole)]:
        path = os.path.join(folder, name)
        try:
            files.warc(path, 20_000_000, *([pack] if pack else []))
            content = open(path, "rb").read()
            size = len(content) / 1e6
            times = {"knik": [], "read": [], "parse": []}
            for _ in range(3):
                told = subprocess.run([knik, "bench", "captures", "--json", "--milliseconds", "300", path],
                                      check=True, capture_output=True, text=True).stdout
                times["knik"].append(size / json.loads(told)["warc"]["mbPerS"])
                times["read"].append(warcio(content, False))
                times["parse"].append(warcio(content, True))
            speed = {what: size / sorted(taken)[1] for what, taken in times.items()}
            print(f"| {name} | {len(content):,} | {speed['knik']:.0f} | {speed['read']:.0f} | {speed['parse']:.0f} "
                  f"| {speed['knik'] / speed['read']:.2f} | {speed['knik'] / speed['parse']:.2f} |", flush=True)
        finally:
            if os.path.exists(path):
                os.remove(path)


main()
