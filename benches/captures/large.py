#!/usr/bin/env python3
"""Peak memory and time of reading captures of a size, through the process that reads them and without it.

large.py KNIK BYTES FOLDER [KIND...]: writes each file, has `knik ingest --dry-run` read it (a process of its own, as in
production), prints one row, and deletes the file. Up to 300 MB it is read in one process as well, for the ratio.
"""
import json
import os
import shutil
import subprocess
import sys
import time

import files


def run(command):
    """What a command printed, its time on the wall, and the most memory any of its processes took, in MB."""
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    printed = process.stdout.read()
    _, state, used = os.wait4(process.pid, 0)
    if state != 0:
        sys.exit(f"failed: {' '.join(command)}")
    return printed, time.monotonic() - start, used.ru_maxrss * 1024 / 1e6


def main():
    knik, size, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    free = shutil.disk_usage(folder).free
    if free < size + 2_000_000_000:
        sys.exit(f"{free:,} bytes are free in {folder}: too few for a file of {size:,} beside others; set TMPDIR")
    print("| file | bytes | records | seconds | MB/s | most memory | without the process | ratio |")
    print("|---|---|---|---|---|---|---|---|")
    for kind in sys.argv[4:] or files.KINDS:
        name, write = files.KINDS[kind]
        path = os.path.join(folder, name)
        try:
            count = write(path, size)
            length = os.path.getsize(path)
            printed, seconds, memory = run([knik, "ingest", "--dry-run", "--json", path])
            held = json.loads(printed)
            assert held["records"] == count and not held["refused"], f"{held['records']} of {count} records"
            alone = "-", "-"
            if length <= 300_000_000:
                row = next(iter(json.loads(run([knik, "bench", "captures", "--json", path])[0]).values()))
                alone = f"{row['mbPerS']:.0f} MB/s", f"{length / 1e6 / seconds / row['mbPerS']:.2f}"
            print(f"| {kind} | {length:,} | {count:,} | {seconds:.1f} | {length / 1e6 / seconds:.0f} | {memory:.0f} MB "
                  f"| {alone[0]} | {alone[1]} |", flush=True)
        finally:
            if os.path.exists(path):
                os.remove(path)


main()
