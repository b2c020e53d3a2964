#!/usr/bin/env python3
"""A time-stamp authority for tests: `openssl ts` behind HTTP, on 127.0.0.1.

tsa.py make FOLDER         makes a root (ca.pem) and an authority under it
tsa.py serve FOLDER PORT   serves it; prints its port (0 takes a free one)

A file `mode` in the folder makes it answer wrongly: nonsense, old (a stamp over something else) or refuse.
"""
import http.server
import pathlib
import subprocess
import sys
import tempfile

CONFIG = """[ tsa ]
default_tsa = one
[ one ]
serial = {folder}/serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ordering = yes
tsa_name = yes
ess_cert_id_chain = no
"""


def openssl(folder, *arguments, **options):
    return subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True, **options)


def make(folder):
    (folder / "config").write_text(CONFIG.format(folder=folder))
    (folder / "serial").write_text("01\n")
    (folder / "extensions").write_text("keyUsage=critical,digitalSignature\nextendedKeyUsage=critical,timeStamping\n")
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl(folder, "req", "-x509", *key, "-days", "30", "-subj", "/CN=Test root", "-addext",
            "basicConstraints=critical,CA:TRUE", "-keyout", "ca.key", "-out", "ca.pem")
    openssl(folder, "req", "-new", *key, "-subj", "/CN=Test authority", "-keyout", "tsa.key", "-out", "tsa.csr")
    openssl(folder, "x509", "-req", "-days", "30", "-in", "tsa.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-CAcreateserial", "-extfile", "extensions", "-out", "tsa.pem")


class Authority(http.server.BaseHTTPRequestHandler):
    folder = None

    def do_POST(self):
        query = self.rfile.read(int(self.headers["content-length"]))
        mode = self.folder / "mode"
        answer = self.answer(query, mode.read_text() if mode.exists() else "")
        self.send_response(200)
        self.send_header("content-type", "application/timestamp-reply")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def answer(self, query, mode):
        if mode == "nonsense":
            return b"nonsense"
        if mode == "refuse":
            return bytes([0x30, 5, 0x30, 3, 2, 1, 2])
        if mode == "old":
            query = openssl(self.folder, "ts", "-query", "-data", "config", "-sha256", "-cert").stdout
        with tempfile.NamedTemporaryFile(dir=self.folder) as file:
            file.write(query)
            file.flush()
            return openssl(self.folder, "ts", "-reply", "-config", "config", "-queryfile", file.name,
                           "-signer", "tsa.pem", "-inkey", "tsa.key").stdout

    def log_message(self, *_):
        pass


def main():
    command, folder = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
    if command == "make":
        make(folder)
        return
    Authority.folder = folder
    server = http.server.HTTPServer(("127.0.0.1", int(sys.argv[3])), Authority)
    print(server.server_port, flush=True)
    server.serve_forever()


main()
