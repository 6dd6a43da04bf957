"""Steps 5 and 6: events and proofs. The log itself is signed again wherever the attack needs its key."""

from breaking import listing, replace, with_files, with_manifest
from good import FIRST, MINUTE
from log import b64, checkpoint_text, commitment, proof
from story import KEY, ORIGIN, WITNESS

SAMPLES = []
broken = listing(SAMPLES)
CONFIRMED = "events/0003.json"
PROOF = "proofs/0003.tlog-proof"
SEEN = "circumstances/0003.json"


@broken(5, "event-order-of-members", CONFIRMED, "not canonical: two members have changed places")
def _(maker):
    return with_files(maker.short(), swap_members)


def swap_members(files):
    text = files[CONFIRMED]
    text = text.replace(b'"grade":"same_browser",', b"", 1)
    files[CONFIRMED] = text.replace(b'{"event":{', b'{"event":{"grade":"same_browser",', 1)


@broken(5, "event-space", CONFIRMED, "not canonical: a space")
def _(maker):
    return with_files(maker.short(), replace(CONFIRMED, b'"schema":1', b'"schema": 1'))


@broken(5, "event-twice-a-member", CONFIRMED, "a member twice")
def _(maker):
    return with_files(maker.short(), replace(CONFIRMED, b'"grade":', b'"grade":"code","grade":'))


@broken(5, "event-no-line-end", CONFIRMED, "no line end")
def _(maker):
    return with_files(maker.short(), lambda files: files.update({CONFIRMED: files[CONFIRMED][:-1]}))


@broken(5, "event-salt", CONFIRMED, "a salt of 31 bytes")
def _(maker):
    story = maker.short()
    story.events[2][1] = bytes(31)
    return story.zip()


@broken(5, "event-fraction", CONFIRMED, "a fraction, logged as it is")
def _(maker):
    story = maker.short()
    story.events[2][0]["more"] = {"seconds": 0.5}
    return story.zip()


@broken(5, "event-large-number", CONFIRMED, "a number beyond 2^53")
def _(maker):
    story = maker.short()
    story.events[2][0]["more"] = {"number": 2**53 + 2}
    return story.zip()


@broken(5, "event-half-character", CONFIRMED, "half a character, escaped")
def _(maker):
    story = maker.short()
    story.events[2][0]["more"] = {"user_agent": "\ud800"}
    return story.zip()


def nested(levels):
    value = []
    for _ in range(levels - 1):
        value = [value]
    return value


@broken(5, "event-deep", CONFIRMED, "lists within lists, one more than anybody must read")
def _(maker):
    story = maker.short()
    story.events[2][0]["more"] = nested(64)
    return story.zip()


for name, file, about, edit in [
    ("grade", CONFIRMED, "a grade that no confirmation has", lambda event: event.update(grade="api_claim")),
    ("no-grade", CONFIRMED, "no grade", lambda event: event.pop("grade")),
    ("purposes", CONFIRMED, "a purpose that is no list", lambda event: event.update(purposes="newsletter")),
    ("no-tries", "events/0002.json", "a mail of which nobody says how often it was tried", lambda event: event.pop("tries")),
    ("tries", "events/0002.json", "a mail that was tried less than never", lambda event: event.update(tries=-1)),
    ("no-ambiguous", "events/0002.json", "a mail of which nobody says whether it is ambiguous", lambda event: event.pop("ambiguous")),
    ("ambiguous", "events/0002.json", "a mail that says with a number whether it is ambiguous", lambda event: event.update(ambiguous=0)),
    ("form-version", "events/0001.json", "a form version that is no hash", lambda event: event.update(form_version="news")),
    ("expires", "events/0001.json", "a signup that never expires", lambda event: event.pop("confirmation_expires_at")),
]:

    @broken(5, f"event-{name}", file, about)
    def _(maker, file=file, edit=edit):
        story = maker.short()
        edit(story.events[int(file[7:11]) - 1][0])
        return story.zip()


@broken(5, "event-index-negative", "events/0001.json", "the first entry of the log claims to be the one before it")
def _(maker):
    story = maker.short()
    story.events[0][2] = 0

    def edit(files):
        replace("events/0001.json", b'"index":0', b'"index":-1')(files)
        replace("proofs/0001.tlog-proof", b"index 0", b"index -1")(files)

    return with_files(story, edit)


@broken(5, "event-schema", CONFIRMED, "another schema")
def _(maker):
    story = maker.short()
    story.events[2][0]["schema"] = 2
    return story.zip()


@broken(5, "event-time", CONFIRMED, "a time that is none")
def _(maker):
    story = maker.short()
    story.events[2][0]["at"] = "2026-02-30T10:00:00.000000Z"
    return story.zip()


@broken(5, "event-no-kind", CONFIRMED, "no kind")
def _(maker):
    story = maker.short()
    del story.events[2][0]["kind"]
    return story.zip()


@broken(5, "event-gap", "events/0003.json", "numbers with a gap")
def _(maker):
    def edit(files):
        files["events/0004.json"] = files.pop(CONFIRMED)
        files["proofs/0004.tlog-proof"] = files.pop(PROOF)

    return with_files(maker.short(), edit)


@broken(5, "event-none", "", "no event at all")
def _(maker):
    return maker.bare().zip()


@broken(5, "event-order", "events/0003.json", "not in the order of the log")
def _(maker):
    story = maker.short()
    story.events[1][2], story.events[2][2] = 58, 43
    return story.zip()


@broken(5, "event-same-place", "events/0004.json", "the same event twice")
def _(maker):
    story = maker.short()
    story.events.append(list(story.events[2]))
    return story.zip()


@broken(5, "event-beyond", CONFIRMED, "an index beyond the log")
def _(maker):
    story = maker.short()
    story.events[2][2] = 321

    def edit(files):
        files[PROOF] = files["proofs/0002.tlog-proof"].replace(b"index 43", b"index 321")

    return with_files(story, edit)


@broken(5, "event-other-contact", CONFIRMED, "an event of another contact")
def _(maker):
    story = maker.short()
    story.events[2][0]["contact"] = "01970000-0000-7000-8000-0000000000c2"
    return story.zip()


@broken(5, "event-other-brand", CONFIRMED, "an event of another brand")
def _(maker):
    story = maker.short()
    story.events[2][0]["brand"] = "01970000-0000-7000-8000-0000000000b2"
    return story.zip()


@broken(5, "event-manifest-contact", "events/0001.json", "the manifest names another contact")
def _(maker):
    return with_manifest(maker.short(), lambda text: text.replace("0000000000c1\n", "0000000000c2\n"))


@broken(5, "event-no-proof", "proofs/0003.tlog-proof", "an event without a proof")
def _(maker):
    return with_files(maker.short(), lambda files: files.pop(PROOF))


@broken(5, "event-proof-too-many", "proofs/0004.tlog-proof", "a proof without an event")
def _(maker):
    return with_files(maker.short(), lambda files: files.update({"proofs/0004.tlog-proof": files[PROOF]}))


@broken(5, "circumstances-changed", SEEN, "another network address, all else signed again")
def _(maker):
    return with_files(maker.short(), replace(SEEN, b"192.0.2.7", b"192.0.2.8"))


@broken(5, "circumstances-line-end", SEEN, "a line end that was not kept")
def _(maker):
    return with_files(maker.short(), lambda files: files.update({SEEN: files[SEEN] + b"\n"}))


@broken(5, "circumstances-of-another", "circumstances/", "two events have changed theirs")
def _(maker):
    def edit(files):
        files[SEEN], files["circumstances/0001.json"] = files["circumstances/0001.json"], files[SEEN]

    return with_files(maker.short(), edit)


@broken(5, "circumstances-not-named", "circumstances/0002.json", "of an event that names none")
def _(maker):
    return with_files(maker.short(), lambda files: files.update({"circumstances/0002.json": files[SEEN]}))


@broken(5, "circumstances-of-nothing", "circumstances/0004.json", "of an event that is not there")
def _(maker):
    return with_files(maker.short(), lambda files: files.update({"circumstances/0004.json": files[SEEN]}))


def kept_as(text):
    """Bytes that were kept so: the event names them."""

    def make(maker):
        story = maker.bare()
        maker.signed(story)
        story.confirm(58, maker.start + 3 * MINUTE, FIRST, ["newsletter"], circumstances=text.encode())
        return story.zip()

    return make


SALT = '"salt":"AAAAAAAAAAAAAAAAAAAAAA=="'
for name, about, text in [
    ("order", "members in another order", f'{{{SALT},"ip":"192.0.2.7"}}'),
    ("twice", "two network addresses", f'{{"ip":"192.0.2.7","ip":"192.0.2.8",{SALT}}}'),
    ("space", "a space", f'{{"ip": "192.0.2.7",{SALT}}}'),
    ("escape", "a letter that is escaped without need", f'{{"ip":"\\u0031",{SALT}}}'),
    ("half-character", "half a character, escaped", f'{{"ip":"\\ud800",{SALT}}}'),
    ("number", "a member that is no text", f'{{"ip":7,{SALT}}}'),
    ("list", "no object", f'[{SALT.replace(":", ",")}]'),
    ("no-salt", "no salt", '{"ip":"192.0.2.7"}'),
    ("salt", "a salt of 12 bytes", '{"ip":"192.0.2.7","salt":"AAAAAAAAAAAAAAAA"}'),
    ("no-json", "no JSON", "192.0.2.7"),
]:
    broken(5, f"circumstances-{name}", SEEN, f"kept with {about}")(kept_as(text))


@broken(6, "proof-changed-event", PROOF, "an event changed after it was logged, all else signed again")
def _(maker):
    return with_files(maker.short(), replace(CONFIRMED, b"same_browser", b"link_button"))


@broken(6, "proof-salt", PROOF, "another salt")
def _(maker):
    story = maker.short()
    old = b64(story.events[2][1]).encode()
    return with_files(story, replace(CONFIRMED, old, b64(bytes(32)).encode()))


@broken(6, "proof-index", PROOF, "an index that is not the event's")
def _(maker):
    return with_files(maker.short(), replace(PROOF, b"index 58", b"index 59"))


@broken(6, "proof-moved-event", PROOF, "an event that claims another place, and so does its proof")
def _(maker):
    def edit(files):
        replace(CONFIRMED, b'"index":58', b'"index":59')(files)
        replace(PROOF, b"index 58", b"index 59")(files)

    return with_files(maker.short(), edit)


@broken(6, "proof-version", PROOF, "another version of proofs")
def _(maker):
    return with_files(maker.short(), replace(PROOF, b"tlog-proof@v1", b"tlog-proof@v2"))


@broken(6, "proof-other-checkpoint", PROOF, "the same head with one signature more")
def _(maker):
    story = maker.short()
    line = WITNESS.cosignature(checkpoint_text(ORIGIN, story.entries()), 1).encode()
    return with_files(story, lambda files: files.update({PROOF: files[PROOF] + line}))


@broken(6, "proof-extra", PROOF, "an extra line")
def _(maker):
    return with_files(maker.short(), replace(PROOF, b"\nindex", b"\nextra aGVsbG8=\nindex"))


@broken(6, "proof-hash", PROOF, "a hash of the path is another")
def _(maker):
    def edit(files):
        lines = files[PROOF].split(b"\n")
        lines[4] = b64(bytes(32)).encode()
        files[PROOF] = b"\n".join(lines)

    return with_files(maker.short(), edit)


@broken(6, "proof-longer", PROOF, "a hash too many")
def _(maker):
    return with_files(maker.short(), replace(PROOF, b"index 58\n", b"index 58\n" + b64(bytes(32)).encode() + b"\n"))


@broken(6, "proof-shorter", PROOF, "a hash is missing")
def _(maker):
    def edit(files):
        lines = files[PROOF].split(b"\n")
        files[PROOF] = b"\n".join(lines[:2] + lines[3:])

    return with_files(maker.short(), edit)


@broken(6, "proof-older-checkpoint", PROOF, "a good proof to an older checkpoint of the same log")
def _(maker):
    story = maker.short()
    entries = story.entries()[:150]
    old = proof(58, entries, KEY.note(checkpoint_text(ORIGIN, entries)))
    return with_files(story, lambda files: files.update({PROOF: old}))


@broken(6, "proof-never-logged", PROOF, "an event that was never in the log")
def _(maker):
    story = maker.short()
    entries = story.fillers[: story.size]

    for event, salt, index in story.events[:2]:
        entries[index] = commitment(event, salt)
    checkpoint = KEY.note(checkpoint_text(ORIGIN, entries))

    def edit(files):
        files["checkpoint"] = checkpoint
        for number, (_, _, index) in enumerate(story.events, 1):
            files[f"proofs/{number:04}.tlog-proof"] = proof(index, entries, checkpoint)

    return with_files(story, edit)
