"""Prints figures as a table: report.py FILE..., each a line of JSON; the first is Knik's. Scores stand in FILE.score when
they were made."""

import json
import os
import sys


def read(path):
    with open(path, encoding="utf-8") as file:
        figures = json.load(file)
    score = path.removesuffix(".json") + ".score"
    if os.path.exists(score) and os.path.getsize(score):
        with open(score, encoding="utf-8") as file:
            figures["score"] = json.load(file)
    return figures


def main(paths):
    all_figures = [read(path) for path in paths]
    knik = all_figures[0]
    head = ["detector", "MB/s", "Knik is faster", "memory MB", "load ms", "findings", "covered", "clean touched", "PERSON F1"]
    rows = [head]
    for figures in all_figures:
        score = figures.get("score", {})
        person = score.get("types", {}).get("PERSON", {})
        of = lambda value, form="{:.3f}": "-" if value is None else form.format(value)
        rows.append([
            figures.get("name", "knik"),
            f"{figures['mbPerS']:.2f}",
            f"{knik['mbPerS'] / figures['mbPerS']:.1f} x",
            of(figures.get("peakMb"), "{:.0f}"),
            of(figures.get("loadMs"), "{:.0f}"),
            str(figures["findings"]),
            of(score.get("covered")),
            of(score.get("clean_texts_touched")),
            of(person.get("f1")),
        ])
    widths = [max(len(row[n]) for row in rows) for n in range(len(head))]
    for row in rows:
        print("  ".join(cell.ljust(width) if n == 0 else cell.rjust(width) for n, (cell, width) in enumerate(zip(row, widths))))
    print(f"\nOne thread each, {knik['texts']} posts, one call a post; the bare scan reads {knik['scanMbPerS']:.0f} MB/s.")


if __name__ == "__main__":
    main(sys.argv[1:])
