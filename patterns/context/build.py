#!/usr/bin/env python3
"""Write the word lists beside this script, from the pinned package below (pip, no other source).

    python3 patterns/context/build.py

They say how the words before a match are counted off for context, as Presidio counts them: `stop-words-*.txt` do not
count; `exceptions-*.txt` are not cut by the rules, but as they stand there (`do n't` is `don't` in two words, `nr.` is
one). One a line, with source and licence at the head of each file.
"""
import json, pathlib, subprocess, sys, tempfile

HERE = pathlib.Path(__file__).parent
SPACY = "spacy==3.8.18"
HEAD = f"# Source: PyPI {SPACY}, {{}} of lang/{{}}. Licence: MIT, copyright ExplosionAI GmbH, Matthew Honnibal and contributors."
ASK = """
import importlib, json, sys
lang = importlib.import_module(f"spacy.lang.{sys.argv[1]}")
rules = next(v for v in vars(lang).values() if isinstance(v, type) and v.__name__.endswith("Defaults") and v.__name__ != "BaseDefaults")
pieces = [[piece[65] for piece in case] for case in rules.tokenizer_exceptions.values()]
print(json.dumps({"stop": sorted({w.lower() for w in rules.stop_words}), "exceptions": sorted(pieces)}))
"""


def main():
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--target", folder, SPACY], check=True)
        for language in ("en", "nl"):
            said = subprocess.run([sys.executable, "-c", ASK, language], env={"PYTHONPATH": folder}, check=True, capture_output=True)
            found = json.loads(said.stdout)
            write(f"stop-words-{language}.txt", found["stop"], "stop words", language)
            plain = [" ".join(pieces) for pieces in found["exceptions"] if not any(c.isspace() for p in pieces for c in p)]
            write(f"exceptions-{language}.txt", plain, "exceptions of the tokeniser", language)


def write(name, lines, what, language):
    (HERE / name).write_text("\n".join([HEAD.format(what, language), *lines]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
