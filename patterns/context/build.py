#!/usr/bin/env python3
"""Write the stop words beside this script, from the pinned package below (pip, no other source).

    python3 patterns/context/build.py

They are the words that do not count when the words before a match are counted off for context, as Presidio counts
them. One a line, lower case, with source and licence at the head of each file.
"""
import pathlib, runpy, subprocess, sys, tempfile, zipfile

HERE = pathlib.Path(__file__).parent
SPACY = "spacy==3.8.18"
HEAD = f"# Source: PyPI {SPACY}, lang/{{}}/stop_words.py. Licence: MIT, copyright ExplosionAI GmbH, Matthew Honnibal and contributors."


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder), SPACY], check=True)
        wheel = zipfile.ZipFile(next(folder.glob("*.whl")))
        for language in ("en", "nl"):
            source = wheel.extract(f"spacy/lang/{language}/stop_words.py", folder)
            words = sorted({word.lower() for word in runpy.run_path(source)["STOP_WORDS"]})
            text = "\n".join([HEAD.format(language), *words]) + "\n"
            (HERE / f"stop-words-{language}.txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
