"""Walks both journeys as the people in them would, and writes down what was asked and answered. See make.sh."""

import json
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

KNIK, HERE = Path(sys.argv[1]), Path(sys.argv[2])
ISSUER = "https://knik.invalid/demo-issuer"
LINES_MOST, WIDTH_MOST = 30, 160
PATIENCE_SECONDS = 60

PEOPLE = {
    "researcher": ("researcher", "universiteit", "onderzoeker-9"),
    "approver": ("approver", "min-low", "besluitnemer-1"),
    "second approver": ("approver", "min-low", "besluitnemer-2"),
    "reviewer": ("reviewer", "min-low", "beoordelaar-1"),
    "official": ("official", "min-low", "ambtenaar-1"),
    "second official": ("official", "min-low", "ambtenaar-2"),
    "records manager": ("records-manager", "min-low", "informatiebeheerder-1"),
    "officer": ("data-protection-officer", "min-low", "fg-1"),
}


class Walk:
    """A demo of its own, and the page that tells of it."""

    def __init__(self, folder: Path):
        self.folder, self.page, self.tokens = folder, [], {}
        self.data = folder / "data"
        log = open(folder / "output", "w")
        command = [str(KNIK), "demo", "--port", "0", "--dir", str(self.data)]
        self.service = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self.at = {}
        until = time.monotonic() + PATIENCE_SECONDS
        while len(self.at) < 2:
            if time.monotonic() > until or self.service.poll() is not None:
                raise SystemExit("the demo did not start:\n" + (folder / "output").read_text())
            for name, plane in (("vault", "vault"), ("reading room", "room")):
                found = re.search(rf"^{name}\s.*?(https://\S+)", (folder / "output").read_text(), re.M)
                if found:
                    self.at[plane] = found.group(1)
            time.sleep(0.1)
        self.trust = ssl.create_default_context(cafile=str(self.data / "tls/authority.pem"))

    def say(self, text: str):
        self.page.append(text + "\n")

    def head(self, level: int, text: str):
        self.say("#" * level + " " + text)

    def told(self, nl: str, en: str):
        self.say(f"{nl}\n*{en}*")

    def shown(self, prompt: str, answer: str, status: str = ""):
        lines = [line.rstrip()[:WIDTH_MOST] for line in answer.rstrip().splitlines()]
        if len(lines) > LINES_MOST:
            lines = lines[:LINES_MOST] + [f"… {len(lines) - LINES_MOST} lines more"]
        body = "\n".join([prompt] + ([status] if status else []) + lines)
        for volatile, plain in ((str(self.data), "DATA"), (str(self.folder), "."), (self.at["vault"], "https://vault.example"),
                                (self.at["room"], "https://leeszaal.example")):
            body = body.replace(volatile, plain)
        self.say("```\n" + body + "\n```")

    def token(self, who: str) -> str:
        if who not in self.tokens:
            role, organisation, subject = PEOPLE[who]
            asked = ["token", "--role", role, "--organisation", organisation, "--subject", subject]
            self.tokens[who] = self.run(asked).strip()
            (self.folder / (who.replace(" ", "-") + ".token")).write_text(self.tokens[who])
        return self.tokens[who]

    def run(self, arguments, refused: bool = False) -> str:
        command = [str(KNIK), "--dir", str(self.data)] + arguments
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.folder)
        if (done.returncode != 0) != refused:
            raise SystemExit(f"{arguments}: {done.stderr}{done.stdout}")
        return done.stdout + (done.stderr if refused else "")

    def knik(self, *arguments: str, quiet: bool = False, refused: bool = False) -> str:
        """A command of whoever holds the data folder, or with a token file in the name of its holder."""
        answer = self.run(list(arguments), refused)
        if not quiet:
            words = [f"'{word}'" if " " in word else word for word in arguments]
            self.shown("$ knik " + " ".join(words), answer)
        return answer

    def as_person(self, verb: str, who: str, *arguments: str) -> str:
        self.token(who)
        file = who.replace(" ", "-") + ".token"
        authority = str(self.data / "tls/authority.pem")
        connection = ["--vault", self.at["vault"], "--token-file", file, "--authority", authority]
        answer = self.run([verb] + connection + list(arguments))
        words = [f"'{word}'" if " " in word else word for word in arguments]
        self.shown(f"$ knik {verb} --token-file {file} " + " ".join(words), answer)
        return answer

    def ask(self, who: str, plane: str, method: str, path: str, body=None, accept="application/json", expect=None,
            quiet=False):
        """A request over TLS with the person's token."""
        headers = {"Authorization": "Bearer " + self.token(who), "Accept": accept, "Accept-Language": "nl"}
        data = None
        if body is not None:
            data, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        request = urllib.request.Request(self.at[plane] + path, data=data, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, context=self.trust) as answer:
                status, content = answer.status, answer.read()
        except urllib.error.HTTPError as refused:
            status, content = refused.code, refused.read()
        if expect is not None and status != expect:
            raise SystemExit(f"{who}: {method} {path}: {status} instead of {expect}: {content[:500]!r}")
        said = content
        if accept == "application/json" and content:
            said = json.loads(content)
        if not quiet:
            text = json.dumps(said, indent=1, ensure_ascii=False) if not isinstance(said, bytes) else (
                said.decode() if accept.startswith("text/") else f"({len(said)} bytes of {accept})")
            lines = [f"{who}: {method} {path}"]
            if body is not None:
                lines.append(json.dumps(body, ensure_ascii=False))
            self.shown("\n".join(lines), text, f"→ {status}")
        return status, said

    def until(self, what: str, look):
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            found = look()
            if found:
                return found
            time.sleep(0.2)
        raise SystemExit(f"waited in vain for {what}")


def researcher(walk: Walk):
    head, told, ask = walk.head, walk.told, walk.ask
    head(2, "De onderzoeker / The researcher")
    told("Een onderzoeker kijkt op welke gronden afschriften te krijgen zijn en schrijft een aanvraag.",
         "A researcher looks on which bases copies can be had, and writes a request.")
    ask("researcher", "room", "GET", "/v1/research-bases", expect=200)
    content = {
        "organisation": "min-low", "question": "Hoe reageren burgers op de waterbijdrage?", "purpose": "Proefschrift",
        "legalBasis": "woo-5.7", "institution": "Universiteit van Ergens",
        "selection": {"channels": ["low-mastodon"]}, "form": "view", "plan": "researcher",
        "attachments": [{"kind": "ethics", "title": "Toetsing", "text": "Goedgekeurd door de commissie (verzonnen)."}],
    }
    wrong = dict(content, plan="original", question=" ")
    ask("researcher", "room", "POST", "/v1/access-requests", wrong, expect=400)
    told("Wat niet klopt wordt in één keer gezegd. Verbeterd gaat hij in.", "What is wrong is told at once. Mended, it goes in.")
    _, made = ask("researcher", "room", "POST", "/v1/access-requests", content, expect=202)
    request = made["id"]
    at = f"/v1/access-requests/{request}"

    def state(wanted):
        def look():
            status, seen = ask("researcher", "room", "GET", at, quiet=True)
            return seen if status == 200 and seen["state"] == wanted else None
        return walk.until(f"the request to be {wanted}", look)

    def step(body, wanted):
        ask("researcher", "room", "POST", at + "/steps", body, expect=202)
        return state(wanted)

    state("draft")
    step({"step": "submit"}, "submitted")
    told("Een besluitnemer ziet wat de aanvraag zou raken, mag zonder mandaat niet beslissen, krijgt er een, vraagt iets, en besluit.",
         "An approver sees what it would touch, may not decide without a mandate, gets one, asks, and decides.")
    ask("approver", "vault", "GET", at + "/reach", expect=200)
    decision = {"step": "approve", "text": "De vraag is van belang en de selectie is beperkt.",
                "conditions": ["U meldt publicaties vooraf."]}
    ask("approver", "vault", "POST", at + "/steps", decision, expect=403)
    walk.knik("mandate", "add", "--organisation", "min-low", "--issuer", ISSUER, "--subject", "besluitnemer-1", "--document",
              "mandaatbesluit 2026-12", "--until", "2099-01-01T00:00:00Z")
    ask("approver", "vault", "POST", at + "/steps", {"step": "ask", "text": "Waarom dit kanaal?"}, expect=201, quiet=True)
    state("questioned")
    step({"step": "answer", "text": "Daar staan de reacties op de heffing."}, "submitted")
    decision["digest"] = ask("approver", "vault", "GET", at, expect=200, quiet=True)[1]["digest"]
    ask("approver", "vault", "POST", at + "/steps", decision, expect=201)
    state("approved")
    told("De beslissing is een brief met motivering, voorwaarden en de bezwaarclausule: [besluit.pdf](journeys/besluit.pdf).",
         "The decision is a letter with motivation, conditions and the clause on objection.")
    _, letter = ask("researcher", "room", "GET", at + "/letter", accept="application/pdf", expect=200)
    (HERE / "besluit.pdf").write_bytes(letter)
    told("De toestemming begint als de voorwaarden zijn aanvaard; dan is er een toegang op de bron, en wordt er gelezen.",
         "The grant begins when the conditions are accepted; then there is a finding aid, and reading.")
    ask("researcher", "room", "GET", "/v1/records", expect=404)
    grant = step({"step": "accept"}, "active")["grant"]
    walk.until("the finding aid", lambda: ask("researcher", "room", "GET", f"/v1/finding-aid?grant={grant}", quiet=True)[0] == 200)
    ask("researcher", "room", "GET", f"/v1/finding-aid?grant={grant}", accept="text/plain", expect=200)
    ask("researcher", "room", "POST", "/v1/records/_search", {"query": "waterbijdrage", "grant": grant, "limit": 2}, expect=200)
    _, page = ask("researcher", "room", "GET", f"/v1/records?grant={grant}&limit=100", expect=200, quiet=True)
    chosen = next(view for view in page["records"] if any(word_to_hide(text_of(passage)) for passage in view["passages"][:1]))
    reference = chosen["id"]
    ask("researcher", "room", "GET", f"/v1/records/{reference}?grant={grant}", expect=200)
    ask("researcher", "room", "GET", f"/v1/citations/{reference}?grant={grant}", expect=200)

    head(3, "Een melding, en wat eerder over het hoofd is gezien / A report, and what was missed earlier")
    told("De onderzoeker meldt een leesbare naam. Het record gaat meteen dicht; een beoordelaar opent het en wijst de plaats aan.",
         "The researcher reports a name that can be read. The record is withheld at once; a reviewer opens it and points at the place.")
    _, report = ask("researcher", "room", "POST", f"/v1/records/{reference}/reports",
                    {"kind": "name-visible", "passage": 0, "grant": grant}, expect=202)
    walk.until("the record to be withheld",
               lambda: ask("researcher", "room", "GET", f"/v1/records/{reference}?grant={grant}", quiet=True)[0] == 404)
    ask("researcher", "room", "GET", f"/v1/citations/{reference}?grant={grant}&version=1", expect=200)
    of_reviewer = ["--organisation", "min-low", "--reviewer", "beoordelaar-1", "--issuer", ISSUER]
    walk.knik("report", "list", *of_reviewer)
    shown = json.loads(walk.knik("report", "show", report["id"], *of_reviewer, "--json", quiet=True))
    text = shown["passages"][0]["text"]
    start, end = word_to_hide(text, shown["passages"][0]["findings"])
    walk.knik("report", "judge", report["id"], "--outcome", "confirmed", "--place", f"0:{start}-{end}", *of_reviewer)
    told("Omdat het record al gelezen was, gaat een incident open: wie het heeft, een terugroep in de leeszaal, 72 uur.",
         "Because the record was read already an incident opens: who has it, a recall in the reading room, 72 hours.")
    walk.until("the incident", lambda: json.loads(walk.run(["incident", "list", "--json"])))
    incident = json.loads(walk.run(["incident", "list", "--json"]))[0]["id"]
    ask("officer", "vault", "GET", f"/v1/incidents/{incident}", expect=200)
    walk.until("the recall", lambda: ask("researcher", "room", "GET", "/v1/notices", quiet=True)[1]["notices"])
    ask("researcher", "room", "GET", "/v1/notices", expect=200)
    walk.until("the new view",
               lambda: ask("researcher", "room", "GET", f"/v1/records/{reference}?grant={grant}", quiet=True)[0] == 200)
    told("De oude verwijzing blijft werken en zegt dat er een nieuwe weergave is.",
         "The old citation still works, and says that there is a new view.")
    ask("researcher", "room", "GET", f"/v1/citations/{reference}?grant={grant}&version=1", expect=200)
    closing = {"outcome": "no-notification", "text": "Eén woord, gezien door één onderzoeker, die verklaarde te hebben gewist."}
    ask("officer", "vault", "POST", f"/v1/incidents/{incident}/outcomes", closing, expect=403)
    ask("records manager", "vault", "POST", f"/v1/incidents/{incident}/outcomes", closing, expect=201)

    head(3, "Het einde / The end")
    told("Verlenging, de verklaring dat alles is vernietigd, en het hele verhaal uit het logboek, met de nummers van de vermeldingen.",
         "More time, the statement that everything was destroyed, and the whole story from the ledger, with the numbers of its entries.")
    step({"step": "ask-extension", "text": "De analyse loopt nog.", "until": "2027-11-20T00:00:00Z"}, "extension-asked")
    digest = ask("approver", "vault", "GET", at, expect=200, quiet=True)[1]["digest"]
    ask("approver", "vault", "POST", at + "/steps", {"step": "extend", "text": "Akkoord.", "digest": digest}, expect=201, quiet=True)
    state("active")
    step({"step": "state-deletion", "text": "Alle kopieën zijn vernietigd."}, "concluded")
    walk.until("the grant to end", lambda: ask("researcher", "room", "GET", f"/v1/records?grant={grant}", quiet=True)[0] == 403)
    ask("researcher", "room", "GET", f"/v1/records?grant={grant}", expect=403)
    walk.knik("story", "--grant", grant)
    walk.knik("story", "--grant", grant, "--language", "en")


def forum() -> str:
    """Invented posts of 24 invented people, a line each: enough of them that none stands alone."""
    said = ("Ik ben {name} en mijn nummer is 0612{n:06}, bel mij over de waterbijdrage.",
            "Mail {handle}@voorbeeld-{n}.nl als u vragen heeft over de dijk.",
            "Wij wonen op {postcode} AB, geboren 12-03-{year}, en betalen te veel.",
            "De waterbijdrage is dit jaar opnieuw verhoogd en niemand legt uit waarom.")
    first = ("Anna", "Bram", "Chaima", "Daan", "Els", "Fatima", "Gijs", "Hanna", "Imre", "Joris", "Karin", "Lotte")
    last = ("Verzonnen", "Voorbeeld")
    lines = []
    for number in range(48):
        n = number % 24
        name = f"{first[n % 12]} {last[n // 12]}"
        text = said[number % 4].format(name=name, handle=name.lower().replace(" ", "."), n=n, postcode=1000 + n, year=1950 + n)
        line = {"knik": 1, "id": f"forum/{700000000 + number}", "kind": "reaction", "visibility": "public", "language": "nl",
                "author": {"handle": name.lower().replace(" ", "."), "name": name}, "text": f"{text} Bericht {number}.",
                "posted_at": f"2026-03-04T{8 + number % 3:02}:{number:02}:00Z", "conversation": f"draad/{900000000 + number // 6}"}
        if number % 6:
            line["in_reply_to"] = f"forum/{700000000 + number - 1}"
        lines.append(json.dumps(line, ensure_ascii=False))
    return "\n".join(lines) + "\n"


def files(walk: Walk):
    head, told, ask = walk.head, walk.told, walk.ask
    head(3, "Bestanden mee naar huis / Files to take home")
    told("Een forum van verzonnen mensen komt binnen; wie er bestanden van wil vraagt die aan, met DPIA en toetsing.",
         "A forum of invented people comes in; whoever wants files of it asks for them, with DPIA and ethics.")
    (walk.folder / "forum.jsonl").write_text(forum())
    walk.knik("channel", "add", "low-forum", "--organisation", "min-low", "--platform", "other", "--instance", "forum.voorbeeld.example",
              "--account", "minlow", "--official", "--from", "2023-01-01T00:00:00Z", "--reason", "communicatieprotocol 2023",
              "--purpose", "vragen beantwoorden", "--legal-basis", "AVG 6 lid 1 e", "--duty", "contested", "--duty-source",
              "juridisch advies 2024", "--dpia", "DPIA-1", quiet=True)
    walk.knik("ingest", "--channel", "low-forum", "forum.jsonl")
    content = {
        "organisation": "min-low", "question": "Hoe reageren burgers op de waterbijdrage?", "purpose": "Proefschrift",
        "legalBasis": "avg-89", "institution": "Universiteit van Ergens",
        "selection": {"channels": ["low-forum"], "from": "2026-03-01", "until": "2026-03-31"}, "form": "export", "plan": "researcher",
        "attachments": [{"kind": "ethics", "title": "Toetsing", "text": "Goedgekeurd (verzonnen)."},
                        {"kind": "dpia", "title": "DPIA", "text": "Laag risico (verzonnen)."}],
    }
    _, made = ask("researcher", "room", "POST", "/v1/access-requests", content, expect=202)
    asked = f"/v1/access-requests/{made['id']}"

    def state_of(path, wanted):
        def look():
            status, seen = ask("researcher", "room", "GET", path, quiet=True)
            if status == 200 and seen["state"] == "stopped" != wanted:
                raise SystemExit(f"the export was stopped: {seen}")
            return seen if status == 200 and seen["state"] == wanted else None
        return walk.until(f"{path} to be {wanted}", look)

    state_of(asked, "draft")
    ask("researcher", "room", "POST", asked + "/steps", {"step": "submit"}, expect=202, quiet=True)
    state_of(asked, "submitted")
    digest = ask("approver", "vault", "GET", asked, expect=200, quiet=True)[1]["digest"]
    approval = {"step": "approve", "text": "Van belang en beperkt.", "digest": digest}
    ask("approver", "vault", "POST", asked + "/steps", approval, expect=201, quiet=True)
    state_of(asked, "approved")
    ask("researcher", "room", "POST", asked + "/steps", {"step": "accept"}, expect=202, quiet=True)
    grant = state_of(asked, "active")["grant"]
    told("De leeszaal maakt de bestanden; in de kluis doorzoekt de lekpoort ze. Daarna wacht de uitvoer op een tweede persoon.",
         "The reading room makes the files; in the vault the leak gate searches them. Then the export waits for a second person.")
    start = lambda: ask("researcher", "room", "POST", "/v1/exports", {"grant": grant}, quiet=True)
    _, started = walk.until("the grant to come down", lambda: (answer := start())[0] == 202 and answer)
    walk.shown(f"researcher: POST /v1/exports\n{json.dumps({'grant': grant})}", json.dumps(started, indent=1), "→ 202")
    export = f"/v1/exports/{started['id']}"
    state_of(export, "waiting")
    ask("researcher", "room", "GET", export, expect=200)
    ask("researcher", "room", "GET", export + "/package", expect=400)
    ask("second approver", "vault", "GET", export, expect=200)
    let_go = {"text": "Niets gevonden; het deel letterlijke tekst past bij de vraag."}
    ask("approver", "vault", "POST", export + "/releases", let_go, expect=403)
    walk.knik("mandate", "add", "--organisation", "min-low", "--issuer", ISSUER, "--subject", "besluitnemer-2", "--document",
              "mandaatbesluit 2026-13", "--until", "2099-01-01T00:00:00Z", quiet=True)
    ask("second approver", "vault", "POST", export + "/releases", let_go, expect=201)
    told("Wie de aanvraag goedkeurde kan niet ook vrijgeven. Vrijgegeven is het pakket één keer op te halen, en los van deze machine na te gaan.",
         "Who approved the request cannot release as well. Once released the package can be fetched once, and checked away from this machine.")
    state_of(export, "released")
    walk.as_person("export", "researcher", "--reading-room", walk.at["room"], "fetch", started["id"], "--to", "kopie")
    copy = walk.folder / "kopie"
    shutil.rmtree(HERE / "kopie", ignore_errors=True)
    shutil.copytree(copy, HERE / "kopie")
    told("Wat in de map staat ([kopie](journeys/kopie/README.md)), en een rij ervan:", "What the folder holds, and a row of it:")
    walk.shown("$ ls kopie", "\n".join(f"{one.name}  {one.stat().st_size}" for one in sorted(copy.iterdir())))
    rows = [json.loads(line) for line in (copy / "records-00001.jsonl").read_text().splitlines()]
    row = next(row for row in rows if "PHONE" in row["redactions"])
    walk.shown("$ grep -m1 PHONE kopie/records-00001.jsonl | python3 -m json.tool --no-ensure-ascii", json.dumps(row, indent=1, ensure_ascii=False))
    walk.knik("verify", "--export", "kopie", "--key", str(walk.data / "ledger-keys.txt"))
    ask("researcher", "room", "GET", export + "/package", expect=400)
    with (copy / "records-00001.csv").open("a") as changed:
        changed.write("x\n")
    told("Eén letter erbij, en het klopt niet meer.", "One letter more, and it no longer holds.")
    walk.knik("verify", "--export", "kopie", "--key", str(walk.data / "ledger-keys.txt"), refused=True)
    walk.knik("story", "--grant", grant)


def text_of(passage) -> str:
    """The readable text of a passage of a view."""
    if isinstance(passage.get("text"), str):
        return passage["text"]
    pieces = passage.get("text") or passage.get("pieces") or []
    return "".join(piece if isinstance(piece, str) else piece.get("text", "") for piece in pieces)


def word_to_hide(text: str, findings=()):
    """A longer word that nothing is found in: the name that somebody sees, for the sake of the story."""
    for word in re.finditer(r"[a-zà-ÿ]{8,}", text):
        if not any(one["start"] < word.end() and word.start() < one["end"] for one in findings):
            return word.start(), word.end()
    return None


def official(walk: Walk):
    head, told = walk.head, walk.told
    head(2, "De ambtenaar / The official")
    told("Een Kamervraag: een ambtenaar zoekt terug, vraagt opening van de draad, en een tweede ambtenaar keurt precies dat verzoek goed.",
         "A question from parliament: an official finds back, asks to open the thread, and a second official approves exactly that.")
    case = ["--case", "TK-2026-0031", "--motivation", "Inlichtingen aan de Kamer over de beantwoording van vragen",
            "--recipient", "Griffie van de Tweede Kamer"]
    asked = json.loads(walk.as_person("open", "official", "request", "--legal-basis", "woo-request", "--scope", "find", *case, "--json"))
    found = json.loads(walk.as_person("open", "official", "find", asked["id"], "--words", "waterbijdrage", "--json"))
    record = found["records"][0]["id"]
    asked = json.loads(walk.as_person("open", "official", "request", "--legal-basis", "parliament", "--scope", "thread",
                                      "--record", record, *case, "--json"))
    opening = asked["id"]
    path = f"/v1/openings/{opening}/records/{record}/disclosures"
    walk.ask("official", "vault", "POST", path, {}, expect=403)
    walk.as_person("open", "second official", "approve", opening, "--digest", asked["digest"])
    told("De originele bytes met ontvangstbewijs, en een leesbare weergave: [weergave.pdf](journeys/weergave.pdf).",
         "The original bytes with a receipt, and a rendition to read.")
    walk.as_person("open", "official", "original", opening, "--record", record, "--to", "original.json")
    walk.as_person("open", "official", "page", opening, "--to", "weergave.pdf")
    (HERE / "weergave.pdf").write_bytes((walk.folder / "weergave.pdf").read_bytes())
    walk.as_person("open", "official", "revoke", opening)
    walk.ask("official", "vault", "POST", path, {}, expect=403, quiet=True)

    head(3, "Met spoed / In an emergency")
    told("Zonder tweede persoon, meteen; de functionaris ziet het, en het moet worden verantwoord.",
         "Without a second person, at once; the officer sees it, and it must be justified.")
    urgent = json.loads(walk.as_person("open", "official", "request", "--legal-basis", "incident", "--scope", "record", "--record",
                                       record, "--break-glass", *case, "--json"))["id"]
    walk.as_person("open", "official", "original", urgent, "--record", record, "--to", "spoed.json")
    walk.as_person("oversight", "officer", "attention")
    walk.as_person("open", "official", "justify", urgent, "--text", "De server werd op dat moment leeggehaald door een aanvaller.")

    head(3, "Een betrokkene vraagt / A person concerned asks")
    told("Inzage (AVG 15): register, bewijs van het account, zoeken zonder bladeren, een afschrift, sluiten.",
         "Access (GDPR 15): register, proof of the account, searching without browsing, a copy, closing.")
    made = json.loads(walk.as_person("subject", "official", "register", "--kind", "access", "--asker",
                                     "Mevrouw Voorbeeld, postbus 1, Den Haag", "--account", "mastodon:niemand@polder.example",
                                     "--json"))
    subject = made.get("request", made)["id"]
    walk.as_person("subject", "second official", "prove", subject, "--proof", "login-seen")
    walk.as_person("subject", "official", "search", subject)
    walk.as_person("subject", "official", "copy", subject)
    walk.as_person("subject", "official", "close", subject, "--outcome", "granted", "--text", "Er is niets van u gevonden.")

    head(3, "De functionaris / The officer")
    told("Wie opende wat op welke grond, de openbare telling, en de verhalen; het logboek klopt, ook los van deze machine.",
         "Who opened what on which basis, the public count, and the stories; the ledger holds, also away from this machine.")
    walk.as_person("oversight", "officer", "register")
    walk.as_person("oversight", "officer", "public-log")
    walk.ask("officer", "vault", "GET", f"/v1/oversight/stories/{urgent}", expect=200, quiet=True)
    for which in (["--grant", opening], ["--grant", urgent], ["--subject", subject]):
        walk.knik("story", *which)
    walk.knik("ledger", "export", "logboek")
    walk.knik("story", "--grant", opening, "--language", "en", "--ledger", "logboek")
    walk.knik("verify", "--ledger", "logboek", "--key", str(walk.data / "ledger-keys.txt"))
    walk.knik("verify")


def main():
    with tempfile.TemporaryDirectory(prefix="knik-journeys-") as folder:
        walk = Walk(Path(folder))
        try:
            walk.head(1, "Twee reizen / Two journeys")
            walk.say("Made by `docs/journeys/make.sh` on a demo of its own, over TLS with tokens of the demo's issuer. Everyone in it is "
                     "invented; ids and times are of one run. Long answers are cut.")
            researcher(walk)
            files(walk)
            official(walk)
        finally:
            walk.service.terminate()
            walk.service.wait()
        (HERE.parent / "journeys.md").write_text("\n".join(walk.page))


main()
