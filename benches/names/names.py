"""Sentences with names from elsewhere, and how many of those names are covered.

    names.py write SEED TEXTS            # JSONL: id, text, kind, names (places in characters)
    names.py score TEXTS FINDINGS        # FINDINGS as `knik detect --jsonl --offsets chars` writes them
"""
import json, random, re, sys

# {F} and {G} are first names, {L} a surname, {I} and {J} initials; small letters and `!` for capitals.
FRAMES = {
    "full name": ["Mijn buurvrouw {F} {L} wacht al twee maanden op antwoord.", "Met vriendelijke groet, {F} {L}",
                  "@gemeente kan {F} {L} van de afdeling mij terugbellen?", "{F} {L} heeft het formulier nooit ontvangen",
                  "Gisteren sprak ik {F} {L} nog bij de balie, erg vriendelijk!", "Beste {F} {L}, waarom krijg ik geen reactie",
                  "volgens {F} {L} is de brug volgende week weer open", "Dit is echt schandalig 😡 {F} {L}"],
    "small letters": ["hoi ik ben {f} {l} en ik heb een vraag over de afvalpas", "mijn zus {f} {l} woont daar ook",
                      "groetjes {f} {l}", "vraag maar aan {f} {l} die weet het wel", "{f} {l} zegt dat het morgen dicht is"],
    "capitals": ["IK HEB HET AAN {F!} {L!} GEVRAAGD MAAR NIKS GEHOORD"],
    "first name": ["Hoi {F}, kun jij dit even nakijken?", "Groetjes, {F}", "Mijn dochter {F} zit daar op school.",
                   "Bedankt {F} voor de snelle hulp", "Ik heb {F} al drie keer gebeld.", "^{F}", "{F}, {G} en ik zijn erbij"],
    "first, small": ["hoi {f}, hoe zit dat nou", "mijn zoontje {f} is gevallen op dat pleintje", "groetjes {f}", "dankjewel {f}!",
                     "ik sprak {f} gisteren nog"],
    "surname": ["Meneer {L} heeft dit vorige week al toegezegd", "mevrouw {L} van de helpdesk was erg onvriendelijk",
                "Familie {L} is er helemaal klaar mee", "dhr. {L} belde niet terug"],
    "initials": ["Was getekend, {I}. {L}", "t.n.v. {I}.{J}. {L}", "de heer {I}. {L} wil weten hoe het zit"],
}
EACH = 150


def first_names():
    """Names that are in use in the Netherlands."""
    import gender_guesser.detector as guesser, os
    place = 30 + guesser.Detector.COUNTRIES.index("the_netherlands")
    path = os.path.join(os.path.dirname(guesser.__file__), "data/nam_dict.txt")
    with open(path, encoding="utf-8") as lines:
        kept = [line for line in lines if line[0] not in "#=" and line[place] not in " $\n"]
    names = {line[2:29].strip() for line in kept}
    return sorted(name for name in names if name.isalpha() and len(name) > 2)


def surnames():
    import mimesis, os
    path = os.path.join(os.path.dirname(mimesis.__file__), "datasets/nl/person.json")
    with open(path, encoding="utf-8") as file:
        found = json.load(file)["surnames"]
    groups = found.values() if isinstance(found, dict) else [found]
    return sorted({name for group in groups for name in group})


def write(seed, path):
    draw = random.Random(int(seed))
    first, last = first_names(), surnames()
    slot = re.compile(r"\{(\w)(!?)\}")
    with open(path, "w", encoding="utf-8") as out:
        number = 0
        for kind, frames in FRAMES.items():
            for frame in frames * EACH:
                f, g, l = draw.choice(first), draw.choice(first), draw.choice(last)
                words = {"F": f, "G": g, "L": l, "I": f[0], "J": g[0], "f": f.lower(), "l": l.lower()}
                text, names, at = "", [], 0
                # Slots beside one another are one name.
                for run in re.finditer(r"\{\w!?\}(?:\.? ?\{\w!?\})*", frame):
                    value = slot.sub(lambda m: words[m[1]].upper() if m[2] else words[m[1]], run[0])
                    text += frame[at:run.start()]
                    names.append([len(text), len(text) + len(value)])
                    text, at = text + value, run.end()
                text += frame[at:]
                out.write(json.dumps({"id": str(number), "text": text, "kind": kind, "names": names}, ensure_ascii=False) + "\n")
                number += 1


def score(texts, findings):
    with open(findings, encoding="utf-8") as lines:
        found = {one["id"]: one["findings"] for one in map(json.loads, lines)}
    rows = {}
    with open(texts, encoding="utf-8") as lines:
        for one in map(json.loads, lines):
            text, row = one["text"], rows.setdefault(one["kind"], [0, 0, 0, 0, 0])
            covered = {at for f in found[one["id"]] for at in range(f["start"], f["end"])}
            inside = {at for start, end in one["names"] for at in range(start, end)}
            for start, end in one["names"]:
                missed = [at for at in range(start, end) if at not in covered and text[at].isalnum()]
                row[1] += 1
                row[2] += not missed
                row[3] += len(missed) * 2 <= end - start
            handles = {at for m in re.finditer(r"@\w+", text) for at in range(*m.span())}
            row[0] += 1
            row[4] += any(text[at].isalnum() for at in covered - inside - handles)
    print(f"{'written as':<14} {'texts':>6} {'names':>6} {'whole':>6} {'half':>6} {'more covered':>13}")
    rows["all"] = [sum(column) for column in zip(*rows.values())]
    for kind, (texts, names, whole, half, more) in rows.items():
        print(f"{kind:<14} {texts:>6} {names:>6} {whole / names:>6.3f} {half / names:>6.3f} {more / texts:>13.3f}")


if __name__ == "__main__":
    {"write": write, "score": score}[sys.argv[1]](*sys.argv[2:])
