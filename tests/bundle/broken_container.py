"""Steps 1 to 4: container, key, manifest, checkpoint."""

import base64
import hashlib
import zipfile

from breaking import after_signing, listing, replace, with_files, with_manifest
from container import names_in_order, pack
from good import repacked, with_folders
from log import Key, b64, checkpoint_text
from story import KEY, ORIGIN, WITNESS

SAMPLES = []
broken = listing(SAMPLES)
OTHER = Key(ORIGIN, "another key of the same name")


def bytes_replaced(data, old, new, count=1):
    assert old in data
    return data.replace(old, new, count)


@broken(1, "container-field", "MANIFEST", "a time in the first local header")
def _(maker):
    data = bytearray(maker.short().zip())
    data[10] = 1
    return bytes(data)


@broken(1, "container-fields", "MANIFEST", "a time in all headers")
def _(maker):
    return maker.short().zip(time=1)


@broken(1, "container-compressed", "MANIFEST", "our comment on a compressed archive")
def _(maker):
    return maker.short().zip(method=8)


@broken(1, "container-gap", "MANIFEST", "bytes between the files")
def _(maker):
    return maker.short().zip(gap=b"\0")


@broken(1, "container-order", "checkpoint", "two files have changed places")
def _(maker):
    files = maker.short().whole()
    order = names_in_order(files)
    order[2], order[3] = order[3], order[2]
    return pack(files, order=order)


@broken(1, "container-manifest-late", "", "MANIFEST is not the first")
def _(maker):
    files = maker.short().whole()
    return pack(files, order=sorted(files))


@broken(1, "container-comment", "", "another comment")
def _(maker):
    return maker.short().zip(comment=b"countersign bundle v2")


@broken(1, "container-comment-repacked", "", "packed again, with a comment")
def _(maker):
    return repacked(maker.short().whole(), comment=b"hello")


@broken(1, "container-cut", "", "the last byte is missing")
def _(maker):
    return maker.short().zip()[:-1]


@broken(1, "container-more", "", "a byte too many at the end")
def _(maker):
    return maker.short().zip() + b"\0"


@broken(1, "container-before", "", "bytes before the archive")
def _(maker):
    return b"#!" + maker.short().zip()


@broken(1, "container-empty", "", "no bytes at all")
def _(maker):
    return b""


@broken(1, "container-no-zip", "", "not an archive")
def _(maker):
    return b"Dear reader, this is no archive.\n" * 40


@broken(1, "container-checksum", "report.html", "a byte of a file has changed, its CRC-32 has not")
def _(maker):
    return bytes_replaced(maker.short().zip(), b"<title>Report", b"<title>Repost")


@broken(1, "container-checksum-deflated", "MANIFEST", "a byte in the packed data of an archive that was packed again")
def _(maker):
    data = bytearray(repacked({"MANIFEST": maker.short().whole()["MANIFEST"]}))
    data[60] ^= 0x10
    return bytes(data)


@broken(1, "container-name", "notes.txt", "a file that no bundle has, listed in the manifest")
def _(maker):
    return with_files(maker.short(), lambda files: files.update({"notes.txt": b"hello\n"}))


@broken(1, "container-path", "events/../events/0001.json", "a path that leads elsewhere, packed again")
def _(maker):
    files = maker.short().whole()
    files["events/../events/0001.json"] = b"{}"
    return repacked(files)


@broken(1, "container-number", "events/00003.json", "a number with a zero too many")
def _(maker):
    def edit(files):
        files["events/00003.json"] = files.pop("events/0003.json")

    return with_files(maker.short(), edit)


@broken(1, "container-twice", "checkpoint", "a name twice, packed again")
def _(maker):
    files = maker.short().whole()
    return repacked([*files.items(), ("checkpoint", files["checkpoint"])], zipfile.ZIP_STORED)


@broken(1, "container-folder-unknown", "notes/", "a folder that no bundle has, packed again")
def _(maker):
    return with_folders(maker.short().whole(), ["notes/"])


@broken(1, "container-folder-within", "events/old/", "a folder within a folder, packed again")
def _(maker):
    return with_folders(maker.short().whole(), ["events/", "events/old/"])


@broken(1, "container-folder-file", "mails/0002.eml/", "a folder with the name of a file, packed again")
def _(maker):
    return with_folders(maker.short().whole(), ["mails/0002.eml/"])


@broken(1, "container-folder-root", "/", "a folder without a name, packed again")
def _(maker):
    return with_folders(maker.short().whole(), ["/"])


@broken(1, "container-folder-full", "events/", "a folder with bytes of its own, packed again")
def _(maker):
    return repacked(maker.short().whole() | {"events/": b"hello"}, zipfile.ZIP_STORED)


@broken(1, "container-folder-full-packed", "events/", "a folder with packed bytes of its own")
def _(maker):
    return repacked(maker.short().whole() | {"events/": b"hello"})


@broken(1, "container-folder-twice", "events/", "a folder twice, packed again")
def _(maker):
    return with_folders(maker.short().whole(), ["events/", "events/"])


@broken(1, "container-folder-ours", "events/", "a folder in an archive that says it is ours")
def _(maker):
    return pack(maker.short().whole() | {"events/": b""})


@broken(1, "container-large-file", "report.html", "a file of 70 MB that was packed to very little")
def _(maker):
    return repacked(maker.short().whole() | {"report.html": b" " * 70_000_000})


@broken(1, "container-bomb", "report.html", "70 MB that were packed to very little and claim to be 37 bytes")
def _(maker):
    data = repacked(maker.short().whole() | {"report.html": b" " * 70_000_000})
    return data.replace((70_000_000).to_bytes(4, "little"), (37).to_bytes(4, "little"))


@broken(1, "container-many-files", "", "more than 65,000 files")
def _(maker):
    many = {f"events/{number:04}.json": b"" for number in range(1, 65_001)}
    return repacked(maker.short().whole() | many, zipfile.ZIP_STORED)


@broken(2, "key-id", "log-key.pub", "the key's id is that of another key")
def _(maker):
    return with_files(maker.short(), replace("log-key.pub", KEY.id.hex().encode(), OTHER.id.hex().encode()))


@broken(2, "key-type", "log-key.pub", "a key for cosignatures")
def _(maker):
    line = (Key(ORIGIN, "the log's key", kind=4).vkey() + "\n").encode()
    return with_files(maker.short(), lambda files: files.update({"log-key.pub": line}))


@broken(2, "key-line", "log-key.pub", "no line end")
def _(maker):
    return with_files(maker.short(), lambda files: files.update({"log-key.pub": KEY.vkey().encode()}))


@broken(2, "key-small-order", "log-key.pub", "the neutral element as public key, for which anybody can sign")
def _(maker):
    story = maker.short()
    weak = Key(ORIGIN, "weak")
    weak.public = bytes([1]) + bytes(31)
    weak.id = hashlib.sha256(ORIGIN.encode() + b"\n\1" + weak.public).digest()[:4]
    weak.line = lambda text: f"— {ORIGIN} {b64(weak.id + weak.public + bytes(32))}\n"
    story.key = weak
    return story.zip()


@broken(2, "key-other", "log-key.pub", "all by another key than the reader expects")
def _(maker):
    story = maker.short()
    story.key = OTHER
    return story.zip(), {"key": KEY.vkey()}


@broken(2, "key-missing", "log-key.pub", "no key")
def _(maker):
    return with_files(maker.short(), lambda files: files.pop("log-key.pub"))


@broken(3, "manifest-missing", "MANIFEST", "no manifest, packed again")
def _(maker):
    files = maker.short().whole()
    files.pop("MANIFEST")
    return repacked(files)


@broken(3, "manifest-other-key", "MANIFEST", "signed by another key of the same name")
def _(maker):
    def edit(files):
        files["MANIFEST"] = OTHER.note(files["MANIFEST"].decode().split("\n\n")[0] + "\n")

    return after_signing(maker.short(), edit)


@broken(3, "manifest-changed", "MANIFEST", "a brand other than the signed one")
def _(maker):
    return after_signing(maker.short(), replace("MANIFEST", b"brand acme", b"brand acne"))


@broken(3, "manifest-two-signatures", "MANIFEST", "a second signature line")
def _(maker):
    def edit(files):
        text = files["MANIFEST"].decode().split("\n\n")[0] + "\n"
        files["MANIFEST"] = KEY.note(text, WITNESS.line(text))

    return after_signing(maker.short(), edit)


@broken(3, "manifest-hash", "report.html", "a file was changed and packed properly")
def _(maker):
    return after_signing(maker.short(), replace("report.html", b"Report", b"Repost"))


@broken(3, "manifest-size", "report.html", "a wrong size")
def _(maker):
    return with_manifest(maker.short(), lambda text: text.replace(" 37 report.html", " 38 report.html"))


@broken(3, "manifest-not-listed", "mails/0002.eml", "a file that the manifest does not list")
def _(maker):
    def edit(text):
        return "".join(line for line in text.splitlines(True) if not line.endswith(" mails/0002.eml\n"))

    return with_manifest(maker.short(), edit)


@broken(3, "manifest-not-there", "report.html", "a file that is listed is not there")
def _(maker):
    return after_signing(maker.short(), lambda files: files.pop("report.html"))


@broken(3, "manifest-order", "MANIFEST", "lines out of order")
def _(maker):
    def edit(text):
        lines = text.splitlines(True)
        return "".join(lines[:5] + lines[:4:-1])

    return with_manifest(maker.short(), edit)


@broken(3, "manifest-origin", "MANIFEST", "the origin is not the key's name")
def _(maker):
    return with_manifest(maker.short(), lambda text: text.replace(f"origin {ORIGIN}", "origin log.other.example"))


@broken(3, "manifest-version", "MANIFEST", "another version")
def _(maker):
    return with_manifest(maker.short(), lambda text: text.replace("bundle/v1", "bundle/v2"))


@broken(3, "manifest-time", "MANIFEST", "a time without microseconds")
def _(maker):
    def edit(text):
        lines = text.split("\n")
        lines[4] = "made 2026-11-23T17:34:05Z"
        return "\n".join(lines)

    return with_manifest(maker.short(), edit)


def with_checkpoint(maker, make):
    """Another checkpoint, the same in all proofs."""
    story = maker.short()
    old, new = story.checkpoint(), make(story)

    def edit(files):
        for name in files:
            files[name] = files[name].replace(old, new)

    return with_files(story, edit)


def text_of(story):
    return checkpoint_text(ORIGIN, story.entries())


@broken(4, "checkpoint-other-key", "checkpoint", "signed by another key of the same name")
def _(maker):
    return with_checkpoint(maker, lambda story: OTHER.note(text_of(story)))


@broken(4, "checkpoint-changed", "checkpoint", "the size is not the signed one")
def _(maker):
    return with_checkpoint(maker, lambda story: story.checkpoint().replace(b"\n321\n", b"\n322\n"))


@broken(4, "checkpoint-extension", "checkpoint", "a line more")
def _(maker):
    return with_checkpoint(maker, lambda story: KEY.note(text_of(story) + "more\n"))


@broken(4, "checkpoint-origin", "checkpoint", "another origin, signed all the same")
def _(maker):
    return with_checkpoint(maker, lambda story: KEY.note(text_of(story).replace(ORIGIN, "log.other.example")))


@broken(4, "checkpoint-zero", "checkpoint", "a size with a zero before it")
def _(maker):
    return with_checkpoint(maker, lambda story: KEY.note(text_of(story).replace("\n321\n", "\n0321\n")))


@broken(4, "checkpoint-root", "checkpoint", "a root of 31 bytes")
def _(maker):
    return with_checkpoint(maker, lambda story: KEY.note(text_of(story).replace(text_of(story).split("\n")[2], b64(bytes(31)))))


SIGNED = "signed 2025-01-05T10:00:00.000042Z\n"
COMPLETE = "complete 2025-01-05T09:59:59.900000Z\n"
STAMPS, CHAIN = "stamps -\n", b64(bytes(32))
for name, about, old, new in [
    ("no-lines", "without the log's own lines", SIGNED + "follows 320\n" + COMPLETE + STAMPS, ""),
    ("signed", "signed at a time without microseconds", ".000042Z", "Z"),
    ("signed-zone", "signed at a time of another zone", "000042Z", "000042+00:00"),
    ("signed-never", "signed at no time", SIGNED, "signed -\n"),
    ("signed-day", "signed on a day that there is none of", "2025-01-05T10", "2025-02-30T10"),
    ("follows", "it follows a checkpoint of its own size", "follows 320", "follows 321"),
    ("follows-none", "it follows none, and is not the first", "follows 320", "follows -"),
    ("follows-zero", "a zero before the size that it follows", "follows 320", "follows 0320"),
    ("complete", "complete by a word", COMPLETE, "complete yes\n"),
    ("complete-missing", "it does not say whether it is complete", COMPLETE, ""),
    ("lines-order", "its lines in another order", "follows 320\n" + COMPLETE, COMPLETE + "follows 320\n"),
    ("stamps", "stamps without their hash", STAMPS, "stamps 2\n"),
    ("stamps-hash", "a hash over the stamps of 31 bytes", STAMPS, f"stamps 2 {b64(bytes(31))}\n"),
    ("stamps-zero", "a hash over no stamps", STAMPS, f"stamps 0 {CHAIN}\n"),
    ("stamps-number", "a zero before the number of stamps", STAMPS, f"stamps 02 {CHAIN}\n"),
    ("stamps-more", "a word more behind the stamps", STAMPS, f"stamps 2 {CHAIN} more\n"),
    ("stamps-missing", "it does not tell of stamps", STAMPS, ""),
    ("lines-space", "a space more in a line", "follows 320", "follows  320"),
]:

    @broken(4, f"checkpoint-{name}", "checkpoint", about)
    def _(maker, old=old, new=new):
        def make(story):
            text = text_of(story)
            assert old in text
            return KEY.note(text.replace(old, new, 1))

        return with_checkpoint(maker, make)


@broken(4, "checkpoint-witness", "checkpoint", "a known witness's cosignature of another time")
def _(maker):
    def make(story):
        line = WITNESS.cosignature(text_of(story), 1)
        forged = b64(WITNESS.id + (2).to_bytes(8, "big") + base64.b64decode(line.split()[-1])[12:])
        return KEY.note(text_of(story), f"— {WITNESS.name} {forged}\n")

    return with_checkpoint(maker, make), {"witnesses": WITNESS.vkey()}


@broken(4, "checkpoint-witness-never", "checkpoint", "a known witness's cosignature of no time")
def _(maker):
    return with_checkpoint(maker, lambda story: KEY.note(text_of(story), WITNESS.cosignature(text_of(story), 0))), {"witnesses": WITNESS.vkey()}


@broken(4, "checkpoint-signed-twice", "checkpoint", "two lines by the log's key, which both hold")
def _(maker):
    return with_checkpoint(maker, lambda story: KEY.note(text_of(story), KEY.line(text_of(story))))


@broken(4, "checkpoint-signatures", "checkpoint", "a line more than a note may have")
def _(maker):
    def make(story):
        return KEY.note(text_of(story), *(f"— witness{number}.example {b64(bytes(76))}\n" for number in range(64)))

    return with_checkpoint(maker, make)


@broken(4, "checkpoint-missing", "checkpoint", "no checkpoint")
def _(maker):
    return with_files(maker.short(), lambda files: files.pop("checkpoint"))
