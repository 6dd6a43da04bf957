"""The log as docs/evidence-bundle.md describes it: canonical JSON, commitments, Merkle tree, notes."""

import base64
import hashlib
import hmac
import json
import re

import ed25519


def b64(data):
    return base64.b64encode(data).decode()


def canonical(value):
    """RFC 8785 for values without fractions. Names are ordered by their UTF-16 code units (section 3.2.3)."""
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        return "{" + ",".join(canonical(n) + ":" + canonical(value[n]) for n in names) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    # Half a character has no UTF-8; a writer that does not care would escape it.
    return re.sub("[\ud800-\udfff]", lambda half: f"\\u{ord(half[0]):x}", json.dumps(value, ensure_ascii=False))


def commitment(event, salt):
    return hmac.new(salt, canonical(event).encode(), hashlib.sha256).digest()


def leaf(entry):
    return hashlib.sha256(b"\0" + entry).digest()


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def split(size):
    """The largest power of two smaller than size (RFC 6962, section 2.1)."""
    return 1 << (size - 1).bit_length() - 1


def root(entries):
    if not entries:
        return hashlib.sha256(b"").digest()
    if len(entries) == 1:
        return leaf(entries[0])
    k = split(len(entries))
    return node(root(entries[:k]), root(entries[k:]))


def audit_path(index, entries):
    """RFC 6962, section 2.1.1."""
    if len(entries) == 1:
        return []
    k = split(len(entries))
    if index < k:
        return audit_path(index, entries[:k]) + [root(entries[k:])]
    return audit_path(index - k, entries[k:]) + [root(entries[:k])]


def consistency(old, entries, whole=True):
    """RFC 6962, section 2.1.2, from the first `old` entries to all of them."""
    if old == len(entries):
        return [] if whole else [root(entries)]
    k = split(len(entries))
    if old <= k:
        return consistency(old, entries[:k], whole) + [root(entries[k:])]
    return consistency(old - k, entries[k:], False) + [root(entries[:k])]


class Key:
    """A key for signed notes (C2SP signed-note, tlog-cosignature)."""

    def __init__(self, name, seed, kind=1):
        self.name, self.seed, self.kind = name, hashlib.sha256(seed.encode()).digest(), kind
        self.public = ed25519.public_key(self.seed)
        self.id = hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + self.public).digest()[:4]

    def vkey(self):
        return f"{self.name}+{self.id.hex()}+{b64(bytes([self.kind]) + self.public)}"

    def line(self, text):
        return f"— {self.name} {b64(self.id + ed25519.sign(self.seed, text.encode()))}\n"

    def cosignature(self, text, seconds):
        signature = ed25519.sign(self.seed, f"cosignature/v1\ntime {seconds}\n{text}".encode())
        return f"— {self.name} {b64(self.id + seconds.to_bytes(8, 'big') + signature)}\n"

    def note(self, text, *more):
        return (text + "\n" + self.line(text) + "".join(more)).encode()


def checkpoint_text(origin, entries, signed="2025-01-05T10:00:00.000042Z", follows=None, complete="2025-01-05T09:59:59.900000Z", stamps="-"):
    """The three lines of C2SP tlog-checkpoint and the log's own four."""
    follows = len(entries) - 1 if follows is None else follows
    lines = f"signed {signed}\nfollows {follows}\ncomplete {complete}\nstamps {stamps}\n"
    return f"{origin}\n{len(entries)}\n{b64(root(entries))}\n{lines}"


def proof(index, entries, checkpoint):
    lines = ["c2sp.org/tlog-proof@v1", f"index {index}", *map(b64, audit_path(index, entries)), ""]
    return "\n".join(lines).encode() + b"\n" + checkpoint
