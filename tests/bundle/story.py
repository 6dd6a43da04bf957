"""One contact's story in a log of several contacts, and the bundle that tells it."""

import base64
import datetime
import hashlib
import random
import uuid

from container import pack
from log import Key, b64, canonical, checkpoint_text, commitment, consistency, proof

ORIGIN = "log.acme.example/consent"
BRAND = "01970000-0000-7000-8000-0000000000b1"
CAMPAIGN = "01970000-0000-7000-8000-0000000000d1"
IMPORT = "01970000-0000-7000-8000-0000000000e1"
CONTACT = "01970000-0000-7000-8000-0000000000c1"
ADDRESS = "anna@example.org"
ASKED_BY = {"name": "Acme Letters", "legal_name": "Acme Letters Ltd", "postal_address": ["1 Mill Lane", "1000 AA Example Town"]}
ASKED_BY |= {"contact": "privacy@acme.example"}
KEY = Key(ORIGIN, "the log's key")
WITNESS = Key("witness.example/w1", "a witness", kind=4)
BROWSER = {"ip": "192.0.2.7", "user_agent": "Söme Browser/1 🦊", "accept_language": "en"}


def stamp(time):
    return time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def token(request, now):
    """55 characters; the request stands at offset 8 of the 40 bytes."""
    head = bytes([1, 1, 0, 7]) + int(now.timestamp() + 604800).to_bytes(4, "big")
    mac = hashlib.sha256(b"mac" + request.bytes).digest()[:16]
    return base64.urlsafe_b64encode(head + request.bytes + mac).decode().rstrip("=") + "c"


def form(purposes):
    boxes = "".join(f'<li><input type="checkbox" disabled> {p}: twice a month</li>' for p in purposes)
    return f'<!doctype html><html lang="en"><title>Form</title><h1>Letters from Acme</h1><ul>{boxes}</ul>\n'.encode()


def soft_breaks(text, width=70):
    """Quoted-printable with soft line breaks that cut the link in two (RFC 2045, section 6.7)."""
    lines = []
    for line in text.replace("=", "=3D").split("\n"):
        while len(line) > width:
            lines.append(line[:width] + "=")
            line = line[width:]
        lines.append(line)
    return "\r\n".join(lines)


def mail(address, message_id, link, time, only=None):
    words = f"Please confirm that you want letters from Acme Letters.\n\n{link}\n\nIf this was not you, do nothing.\n"
    plain = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + soft_breaks(words)
    page = base64.encodebytes(f'<p><a href="{link}">Yes, I subscribe</a></p>\n'.encode()).decode().replace("\n", "\r\n")
    html = "Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n" + page
    head = (
        f'From: "Acme Letters" <letters@acme.example>\r\nTo: {address}\r\nDate: {time:%a, %d %b %Y %H:%M:%S} +0000\r\n'
        f"Message-ID: <{message_id}>\r\nSubject: Please confirm: letters from Acme Letters\r\nMIME-Version: 1.0\r\n"
    )
    if only:
        return (head + (plain if only == "plain" else html)).encode()
    parts = f'--part-one\r\n{plain}\r\n--part-one\r\n{html}\r\n--part-one--\r\n'
    return (head + 'Content-Type: multipart/alternative;\r\n boundary="part-one"\r\n\r\n' + parts).encode()


class Anchor:
    """`stamp` makes the response to the checkpoint's bytes; `pem` are the certificates."""

    def __init__(self, name, size, stamp, pem):
        self.name, self.size, self.stamp, self.pem = name, size, stamp, pem
        self.lines = {}
        self.checkpoint = lambda story: KEY.note(checkpoint_text(ORIGIN, story.entries()[: self.size], **self.lines))


class Story:
    def __init__(self, now, size=321):
        self.now, self.size, self.key, self.origin = now, size, KEY, ORIGIN
        self.random = random.Random(size)
        # Some stories reach into days to come.
        self.latest = now
        self.events, self.mails, self.forms, self.anchors = [], {}, [], []
        self.circumstances = {}
        # What the checkpoint's own lines say.
        self.lines = {}
        self.witnesses = ()
        self.contact, self.brand = CONTACT, "acme"
        # What breaks a bundle: each gets the files or the text and changes it.
        self.edit_files = self.edit_after = lambda files: None
        self.edit_manifest = lambda text: text
        self.fillers = [self.random.randbytes(32) for _ in range(400)]

    def add(self, kind, index, time, request=None, circumstances=None, **members):
        """`circumstances` are what the browser showed; bytes are kept as they are."""
        self.latest = max(self.latest, time)
        event = {"id": str(uuid.UUID(int=self.random.getrandbits(128), version=4)), "schema": 1, "kind": kind}
        event |= {"brand": BRAND, "contact": CONTACT, "at": stamp(time)}
        if request:
            event["request"] = str(request)
        event |= members
        if circumstances is not None:
            kept = circumstances
            if not isinstance(kept, bytes):
                kept = canonical({"salt": b64(self.random.randbytes(16))} | kept).encode()
            event["circumstances_sha256"] = hashlib.sha256(kept).hexdigest()
            self.circumstances[len(self.events) + 1] = kept
        self.events.append([event, self.random.randbytes(32), index])
        return event

    def wording(self, purposes):
        """The hash of a form version, which is in the bundle from then on."""
        page = form(purposes)
        if page not in self.forms:
            self.forms.append(page)
        return hashlib.sha256(page).hexdigest()

    def sign_up(self, index, time, request, purposes, valid=7):
        boxes = [{"purpose": p, "box": "unticked", "ticked": True} for p in purposes]
        return self.add(
            "signed_up", index, time, request, address_typed="Anna@Example.org", address=ADDRESS, purposes=purposes,
            form="news", form_version=self.wording(purposes), language="en", boxes=boxes, source="hosted_form",
            verdict="ask", rule="O1", policy_version="2026-09", key_id=1, mail="queued",
            confirmation_expires_at=stamp(time + datetime.timedelta(days=valid)),
            asked_by=ASKED_BY, circumstances=BROWSER,
        )

    def ask_again(self, index, time, request, valid):
        """Somebody pressed the only button behind a link that was too old."""
        until = stamp(time + datetime.timedelta(days=valid))
        return self.add("mail_requested", index, time, request, mail="queued", confirmation_expires_at=until, circumstances=BROWSER)

    def judgement(self, time):
        """The operator says that the person bought something; the policy lets the server ask."""
        claims = [{"source": "purchase", "obtained_on": "2026-01-05", "proof": {"order": "77"}}]
        facts = {"as_of": stamp(time), "time_zone": "Europe/Amsterdam", "sources": claims}
        return {
            "verdict": "accept", "outreach": "auto", "basis": "implicit", "rule": "A2", "fired": ["A2"], "source": "purchase",
            "valid_until": stamp(time + datetime.timedelta(days=300)), "policy_version": "2026-09", "facts": facts, "why": "A customer.",
        }

    def imported(self, index, time, purposes, address=ADDRESS):
        judgement = self.judgement(time)
        return self.add(
            "imported", index, time, **{"import": IMPORT}, line=2, address_typed=address, address=address, purposes=purposes,
            language="en", claims=judgement["facts"]["sources"], judgement=judgement, asked_by=ASKED_BY,
        )

    def invite(self, index, time, request, purposes, reminder=False, valid=14, address=ADDRESS, **members):
        """A campaign asks; `reminder` is there only where it is one."""
        said = {"campaign": CAMPAIGN, "campaign_kind": "invitation", "address": address, "purposes": purposes, "form": "news"}
        said |= {"form_version": self.wording(purposes), "language": "en", "judgement": self.judgement(time), "key_id": 1}
        said |= {"confirmation_expires_at": stamp(time + datetime.timedelta(days=valid)), "asked_by": ASKED_BY, "mail": "queued"}
        said |= {"reminder": True} if reminder else {}
        return self.add("invited", index, time, request, **said | members)

    def mail(self, index, time, request, link=None, only=None, to=ADDRESS, **members):
        message_id = f"{uuid.UUID(int=self.random.getrandbits(128), version=4)}@acme.example"
        link = f"https://confirm.acme.example/c/{token(request, self.now)}" if link is None else link
        data = mail(to, message_id, link, time, only)
        event = self.add(
            "mail_accepted", index, time, request,
            **{"message_id": message_id, "reply": "250 2.0.0 queued as 4F1", "mail_sha256": hashlib.sha256(data).hexdigest(),
               "from": "letters@acme.example", "template": "confirm/1", "language": "en", "tries": 1, "ambiguous": False} | members,
        )
        self.mails[len(self.events)] = data
        return event

    def confirm(self, index, time, request, purposes, grade="same_browser", circumstances=BROWSER):
        return self.add("confirmed", index, time, request, purposes=purposes, grade=grade, method="GET", circumstances=circumstances)

    def entries(self):
        """Commitments of other contacts, with ours at their places."""
        entries = self.fillers[: self.size]
        for event, salt, index in self.events:
            if index < self.size:
                entries[index] = commitment(event, salt)
        return entries

    def checkpoint(self):
        text = checkpoint_text(self.origin, self.entries(), **{"signed": stamp(self.latest)} | self.lines)
        return self.key.note(text, *(w.cosignature(text, int(self.now.timestamp())) for w in self.witnesses))

    def consistency(self, entries):
        sizes = sorted({a.size for a in self.anchors if 0 < a.size < self.size})
        proofs = [{"from": size, "hashes": list(map(b64, consistency(size, entries)))} for size in sizes]
        return (canonical({"to": self.size, "proofs": proofs}) + "\n").encode()

    def files(self):
        entries, checkpoint = self.entries(), self.checkpoint()
        files = {"checkpoint": checkpoint, "log-key.pub": (self.key.vkey() + "\n").encode()}
        files["consistency.json"] = self.consistency(entries)
        for number, (event, salt, index) in enumerate(self.events, 1):
            text = f'{{"event":{canonical(event)},"salt":"{b64(salt)}","index":{index}}}\n'
            files[f"events/{number:04}.json"] = text.encode()
            if index < self.size:
                files[f"proofs/{number:04}.tlog-proof"] = proof(index, entries, checkpoint)
        files |= {f"mails/{number:04}.eml": data for number, data in self.mails.items()}
        files |= {f"circumstances/{number:04}.json": data for number, data in self.circumstances.items()}
        files |= {f"forms/{hashlib.sha256(page).hexdigest()}.html": page for page in self.forms}
        for anchor in self.anchors:
            seen = anchor.checkpoint(self)
            files[f"anchors/{anchor.name}.checkpoint"] = seen
            files[f"anchors/{anchor.name}.tsr"] = anchor.stamp(seen)
            files[f"anchors/{anchor.name}.pem"] = anchor.pem
        return files | {
            "report.html": b"<!doctype html><title>Report</title>\n", "record.jsonld": b"{}\n",
            "verify.html": b"<!doctype html><title>Stands for the page</title>\n", "HOW-TO-VERIFY.md": b"Stands for the recipe.\n",
        }

    def manifest(self, files):
        text = f"countersign-bundle/v1\norigin {self.origin}\nbrand {self.brand}\ncontact {self.contact}\nmade {stamp(self.now)}\n"
        for name in sorted(files, key=str.encode):
            text += f"{hashlib.sha256(files[name]).hexdigest()} {len(files[name])} {name}\n"
        return self.edit_manifest(text)

    def whole(self):
        files = self.files()
        self.edit_files(files)
        files["MANIFEST"] = self.key.note(self.manifest(files))
        self.edit_after(files)
        return files

    def zip(self, **how):
        return pack(self.whole(), **how)
