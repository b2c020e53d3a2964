"""Measures one peer on posts: peer.py NAME POSTS FINDINGS ROUNDS.

One thread, one call a post, warm: a first round is not counted. Time is processor time of the process, the middle of ROUNDS
rounds, as `knik bench detect` counts it. Writes the findings of the last round to FINDINGS, a line a post with offsets in code
points, and prints one line of JSON."""

import json
import logging
import resource
import statistics
import sys
import time
import warnings


def presidio():
    """The analyzer for Dutch with its own pattern recognisers, on a blank spaCy pipeline: no statistical model."""
    import spacy
    import tldextract
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.nlp_engine import SpacyNlpEngine

    # The list of public suffixes that comes with the package, instead of a look for a newer one on the network.
    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=())

    class Blank(SpacyNlpEngine):
        def load(self):
            self.nlp = {"nl": spacy.blank("nl")}

    engine = Blank(models=[{"lang_code": "nl", "model_name": "blank"}])
    engine.load()
    registry = RecognizerRegistry(supported_languages=["nl"])
    registry.load_predefined_recognizers(languages=["nl"], nlp_engine=engine)
    analyzer = AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=["nl"])

    def find(text):
        return [(r.start, r.end, r.entity_type, r.score) for r in analyzer.analyze(text, language="nl")]

    return find


def deduce():
    from deduce import Deduce

    types = {
        "persoon": "PERSON", "patient": "PERSON", "telefoonnummer": "PHONE_NUMBER", "emailadres": "EMAIL_ADDRESS",
        "bsn": "NL_BSN", "locatie": "ADDRESS", "datum": "DATE_TIME", "url": "URL",
    }
    engine = Deduce()

    def find(text):
        found = engine.deidentify(text).annotations
        return [(a.start_char, a.end_char, types.get(a.tag, a.tag.upper()), 1.0) for a in found]

    return find


def scrubadub():
    import scrubadub

    types = {"phone": "PHONE_NUMBER", "email": "EMAIL_ADDRESS", "url": "URL", "credit_card": "CREDIT_CARD", "twitter": "USERNAME"}
    scrubber = scrubadub.Scrubber(locale="nl_NL")

    def find(text):
        return [(f.beg, f.end, types.get(f.type, f.type.upper()), 1.0) for f in scrubber.iter_filth(text)]

    return find


PEERS = {"presidio": presidio, "deduce": deduce, "scrubadub": scrubadub}


def main(name, posts, findings, rounds):
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    with open(posts, encoding="utf-8") as lines:
        read = [json.loads(line) for line in lines if line.strip()]
    texts = [post["text"] for post in read]
    size = sum(len(text.encode()) for text in texts)
    start = time.perf_counter()
    find = PEERS[name]()
    load = time.perf_counter() - start
    took = []
    for _ in range(int(rounds) + 1):
        start = time.process_time()
        found = [find(text) for text in texts]
        took.append(time.process_time() - start)
    with open(findings, "w", encoding="utf-8") as out:
        for post, spans in zip(read, found):
            spans = [{"start": int(a), "end": int(b), "type": t, "score": float(s)} for a, b, t, s in spans]
            out.write(json.dumps({"id": post["id"], "findings": spans}) + "\n")
    print(json.dumps({
        "name": name,
        "mbPerS": size / statistics.median(took[1:]) / 1e6,
        "peakMb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6,
        "loadMs": load * 1e3,
        "texts": len(texts),
        "findings": sum(map(len, found)),
    }))


if __name__ == "__main__":
    main(*sys.argv[1:])
