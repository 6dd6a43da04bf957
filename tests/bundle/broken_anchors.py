"""Steps 7 and 8: anchors and times."""

import datetime
import hashlib

from authority import P256, P384, POLICY, SHA512, der, extension, naming_hashes, tst_info
from breaking import listing, replace, with_files
from broken_container import OTHER
from good import DAY, FIRST, HOUR, MINUTE
from log import b64, canonical, checkpoint_text, consistency
from story import KEY, ORIGIN, stamp

SAMPLES = []
broken = listing(SAMPLES)
CURVE, ACME = "anchors/0001-curve", "anchors/0002-acme"
TSR, PEM = CURVE + ".tsr", CURVE + ".pem"


def with_anchor(maker, **how):
    story = maker.full()
    story.anchors[0] = maker.early(**how)
    return story


def by_certificate(maker, name, kind, **how):
    """A token by a certificate of this kind under the right authority."""
    maker.shop.issue(name, "Odd-" + name, kind, "ec-middle", key=P256, **how)
    return with_anchor(maker, signer=name, pem=maker.shop.chain(name, "ec-middle", "ec-root")).zip()


for _ending in ("checkpoint", "tsr", "pem"):

    @broken(7, f"anchor-no-{_ending}", f"{CURVE}.{_ending}", f"an anchor without its .{_ending}")
    def _(maker, name=f"{CURVE}.{_ending}"):
        return with_files(maker.full(), lambda files: files.pop(name))


@broken(7, "anchor-other-key", CURVE + ".checkpoint", "an anchored checkpoint by another key")
def _(maker):
    story = maker.full()
    story.anchors[0].checkpoint = lambda story: OTHER.note(checkpoint_text(ORIGIN, story.entries()[:150]))
    return story.zip()


@broken(7, "anchor-origin", CURVE + ".checkpoint", "an anchored checkpoint of another origin")
def _(maker):
    story = maker.full()
    story.anchors[0].checkpoint = lambda story: KEY.note(checkpoint_text("log.other.example", story.entries()[:150]))
    return story.zip()


@broken(7, "anchor-lines", CURVE + ".checkpoint", "an anchored checkpoint that does not say when it was signed")
def _(maker):
    story = maker.full()
    edited = lambda story: checkpoint_text(ORIGIN, story.entries()[:150]).replace("signed 2025", "singed 2025")
    story.anchors[0].checkpoint = lambda story: KEY.note(edited(story))
    return story.zip()


@broken(7, "anchor-forked", "consistency.json", "the anchored checkpoint is of a log that was written anew since")
def _(maker):
    story = maker.full()

    def forked(story):
        entries = story.entries()[:150]
        entries[100] = bytes(32)
        return KEY.note(checkpoint_text(ORIGIN, entries))

    story.anchors[0].checkpoint = forked
    return story.zip()


@broken(7, "anchor-forked-same-size", ACME + ".checkpoint", "a checkpoint of the same size with another root")
def _(maker):
    story = maker.full()
    story.anchors[1].size = 321
    text = checkpoint_text(ORIGIN, story.entries())
    other = text.replace(text.split("\n")[2], b64(bytes(32)))
    story.anchors[1].checkpoint = lambda story: KEY.note(other)
    return story.zip()


@broken(7, "anchor-larger", ACME + ".checkpoint", "the anchored checkpoint is larger than the one of the bundle")
def _(maker):
    story = maker.full()
    story.anchors[1].size = 340
    entries = story.entries() + story.fillers[321:340]
    story.anchors[1].checkpoint = lambda story: KEY.note(checkpoint_text(ORIGIN, entries))
    return story.zip()


@broken(7, "anchor-empty-log", CURVE + ".checkpoint", "an anchored checkpoint of an empty log")
def _(maker):
    story = maker.full()
    story.anchors[0].size = 0

    def edit(files):
        proofs = [{"from": 0, "hashes": []}, {"from": 300, "hashes": list(map(b64, consistency(300, story.entries())))}]
        files["consistency.json"] = (canonical({"proofs": proofs, "to": 321}) + "\n").encode()

    return with_files(story, edit)


def with_consistency(maker, change):
    story = maker.full()

    def edit(files):
        entries = story.entries()
        proofs = [{"from": size, "hashes": list(map(b64, consistency(size, entries)))} for size in (150, 300)]
        value = {"proofs": proofs, "to": 321}
        change(value, entries)
        files["consistency.json"] = (canonical(value) + "\n").encode()

    return with_files(story, edit)


@broken(7, "consistency-hash", "consistency.json", "a hash of a proof is another")
def _(maker):
    return with_consistency(maker, lambda value, _: value["proofs"][0]["hashes"].__setitem__(1, b64(bytes(32))))


@broken(7, "consistency-missing", "consistency.json", "the proof of an anchor is missing")
def _(maker):
    return with_consistency(maker, lambda value, _: value["proofs"].pop())


@broken(7, "consistency-too-many", "consistency.json", "a good proof for a size that no anchor has")
def _(maker):
    def change(value, entries):
        value["proofs"].insert(1, {"from": 200, "hashes": list(map(b64, consistency(200, entries)))})

    return with_consistency(maker, change)


@broken(7, "consistency-order", "consistency.json", "proofs out of order")
def _(maker):
    return with_consistency(maker, lambda value, _: value["proofs"].reverse())


@broken(7, "consistency-to", "consistency.json", "proofs to another size")
def _(maker):
    return with_consistency(maker, lambda value, _: value.update(to=320))


@broken(7, "consistency-member", "consistency.json", "a member that the document does not know")
def _(maker):
    return with_consistency(maker, lambda value, _: value.update(more=1))


@broken(7, "consistency-not-canonical", "consistency.json", "a space")
def _(maker):
    return with_files(maker.full(), replace("consistency.json", b'"to":', b'"to": '))


@broken(7, "consistency-no-file", "consistency.json", "no consistency.json")
def _(maker):
    return with_files(maker.short(), lambda files: files.pop("consistency.json"))


@broken(7, "response-rejected", TSR, "the authority rejected, and a token stands there all the same")
def _(maker):
    return with_anchor(maker, granted=2).zip()


@broken(7, "response-no-token", TSR, "a rejection without a token")
def _(maker):
    story = maker.full()
    story.anchors[0].stamp = lambda data: der(0x30, der(0x30, der(2, b"\2")))
    return story.zip()


@broken(7, "response-no-der", TSR, "no DER at all")
def _(maker):
    return with_files(maker.full(), lambda files: files.update({TSR: b"granted\n"}))


@broken(7, "response-longer", TSR, "bytes after the response")
def _(maker):
    return with_files(maker.full(), lambda files: files.update({TSR: files[TSR] + b"\0"}))


@broken(7, "response-other-imprint", TSR, "a token for other bytes")
def _(maker):
    story = maker.full()
    stamp = story.anchors[0].stamp
    story.anchors[0].stamp = lambda data: stamp(data + b"\n")
    return story.zip()


@broken(7, "response-sha1", TSR, "an imprint by SHA-1")
def _(maker):
    def weak(data):
        imprint = der(0x30, der(0x30, bytes.fromhex("06052b0e03021a"), der(5)), der(4, hashlib.sha1(data).digest()))
        time = (maker.start + DAY).strftime("%Y%m%d%H%M%SZ").encode()
        return maker.shop.cms("ec", data, None, content=der(0x30, der(2, b"\1"), POLICY, imprint, der(2, b"\7"), der(0x18, time)))

    story = maker.full()
    story.anchors[0].stamp = weak
    return story.zip()


@broken(7, "token-time-changed", TSR, "the token's time was changed after it was signed")
def _(maker):
    time = maker.start + DAY
    before, after = (t.strftime("%Y%m%d%H%M%SZ").encode() for t in (time, time - HOUR))
    return with_files(maker.full(), replace(TSR, before, after))


@broken(7, "token-signature", TSR, "the last byte of the token's signature is another")
def _(maker):
    def edit(files):
        files[TSR] = files[TSR][:-1] + bytes([files[TSR][-1] ^ 1])

    return with_files(maker.full(), edit)


@broken(7, "token-rsa-signature", ACME + ".tsr", "the last byte of the RSA signature is another")
def _(maker):
    def edit(files):
        files[ACME + ".tsr"] = files[ACME + ".tsr"][:-1] + bytes([files[ACME + ".tsr"][-1] ^ 1])

    return with_files(maker.full(), edit)


@broken(7, "token-other-certificate", TSR, "signed by the right key, but the token names another certificate of it (ESSCertID)")
def _(maker):
    shop = maker.shop
    shop.issue("twin", "Curve-Time-Stamps", "signer", "ec-middle", key=P256)
    # The same key, name, issuer and serial number in a certificate with other dates.
    serial = shop.read("serial")
    number = int(serial, 16) - 1
    shop.write("serial", f"{number:X}\n".encode())
    shop.write("index.txt", b"")
    start, end = ((maker.now + datetime.timedelta(days=d)).strftime("%Y%m%d%H%M%SZ") for d in (-40, 4000))
    shop.openssl(
        "ca -batch -notext -config ca.cnf -extensions signer -cert ec-middle.pem -keyfile ec-middle.key "
        f"-in twin.csr -out twin-again.pem -startdate {start} -enddate {end}"
    )
    shop.write("serial", serial)
    return with_anchor(maker, signer="twin", enclosed=False, pem=shop.chain("twin-again", "ec-middle", "ec-root")).zip()


@broken(7, "token-not-a-time-stamp", TSR, "a signed message that is no time stamp")
def _(maker):
    story = maker.full()

    def plain(data):
        maker.shop.write("tst", tst_info(data, maker.start + DAY))
        maker.shop.openssl("cms -sign -binary -nodetach -cades -md sha256 -in tst -signer ec.pem -inkey ec.key -outform DER -out token")
        return der(0x30, der(0x30, der(2, b"\0")), maker.shop.read("token"))

    story.anchors[0].stamp = plain
    return story.zip()


@broken(7, "token-other-hashes", TSR, "the token names hashes in front, and not the one that its signer used")
def _(maker):
    story = maker.full()
    token = story.anchors[0].stamp
    story.anchors[0].stamp = lambda data: naming_hashes(token(data), SHA512)
    return story.zip()


@broken(7, "token-no-hashes", TSR, "the token names no hash in front")
def _(maker):
    story = maker.full()
    token = story.anchors[0].stamp
    story.anchors[0].stamp = lambda data: naming_hashes(token(data))
    return story.zip()


@broken(7, "token-critical-extension", TSR, "the token has a critical extension that nobody knows")
def _(maker):
    story = maker.full()
    time = maker.start + DAY
    story.anchors[0].stamp = lambda data: maker.shop.cms("ec", data, time, content=tst_info(data, time, extension(True)))
    return story.zip()


@broken(7, "chain-other-authority", PEM, "the authority between signer and root may sign only certificates for something else")
def _(maker):
    maker.shop.issue("other-middle", "Odd-other-middle", "other_ca", "ec-root", key=P384)
    maker.shop.issue("by-other", "Odd-by-other", "signer", "other-middle", key=P256)
    return with_anchor(maker, signer="by-other", pem=maker.shop.chain("by-other", "other-middle", "ec-root")).zip()


@broken(7, "chain-not-critical", PEM, "the extended key usage is not critical")
def _(maker):
    return by_certificate(maker, "not-critical", "not_critical")


@broken(7, "chain-no-purpose", PEM, "a certificate that is not for time stamps")
def _(maker):
    return by_certificate(maker, "no-purpose", "no_purpose")


@broken(7, "chain-two-purposes", PEM, "a certificate for time stamps and code")
def _(maker):
    return by_certificate(maker, "two-purposes", "two_purposes")


@broken(7, "chain-signer-usage", PEM, "a key that may only encipher")
def _(maker):
    return by_certificate(maker, "other-usage", "other_usage")


@broken(7, "chain-critical-extension", PEM, "a critical extension that nobody knows")
def _(maker):
    return by_certificate(maker, "strange", "strange")


@broken(7, "chain-authority-usage", PEM, "the signer's issuer may not sign certificates")
def _(maker):
    shop = maker.shop
    shop.issue("no-signing", "No-Signing", "no_signing_ca", "ec-root", key=P256)
    shop.issue("below", "Below-No-Signing", "signer", "no-signing", key=P256)
    return with_anchor(maker, signer="below", pem=shop.chain("below", "no-signing", "ec-root")).zip()


@broken(7, "chain-expired", PEM, "the certificate had expired at the token's time")
def _(maker):
    return by_certificate(maker, "expired", "signer", days=(-30, -10))


@broken(7, "chain-too-new", PEM, "the certificate was not yet valid at the token's time")
def _(maker):
    return by_certificate(maker, "too-new", "signer", days=(-1, 300))


@broken(7, "chain-no-ca", PEM, "the signer's issuer is no authority")
def _(maker):
    shop = maker.shop
    shop.issue("no-ca", "No-Authority", "no_ca", "ec-root", key=P256)
    shop.issue("under", "Under-No-Authority", "signer", "no-ca", key=P256)
    return with_anchor(maker, signer="under", pem=shop.chain("under", "no-ca", "ec-root")).zip()


@broken(7, "chain-too-long", PEM, "an authority below one that may have none below it (path length)")
def _(maker):
    shop = maker.shop
    shop.issue("lower", "Lower", "intermediate", "ec-middle", key=P256)
    shop.issue("lowest", "Lowest", "signer", "lower", key=P256)
    return with_anchor(maker, signer="lowest", pem=shop.chain("lowest", "lower", "ec-middle", "ec-root")).zip()


@broken(7, "chain-other-root", PEM, "a root of the same name with another key")
def _(maker):
    maker.shop.issue("fake-root", "Curve-Root", "root", key=P384)
    return with_anchor(maker, pem=maker.shop.chain("ec", "ec-middle", "fake-root")).zip()


@broken(7, "chain-no-middle", PEM, "the intermediate is missing")
def _(maker):
    return with_anchor(maker, pem=maker.shop.chain("ec", "ec-root")).zip()


@broken(7, "chain-no-root", PEM, "the root is missing")
def _(maker):
    return with_anchor(maker, pem=maker.shop.chain("ec", "ec-middle")).zip()


@broken(7, "chain-no-signer", PEM, "the signer's certificate is missing")
def _(maker):
    return with_anchor(maker, enclosed=False, pem=maker.shop.chain("ec-middle", "ec-root")).zip()


@broken(7, "chain-no-pem", PEM, "no certificate in the file")
def _(maker):
    return with_anchor(maker, pem=b"none\n").zip()


@broken(7, "chain-root-not-expected", PEM, "a good chain to a root that the reader did not name")
def _(maker):
    return maker.full().zip(), {"roots": maker.shop.chain("root").decode()}


@broken(8, "time-too-early", "events/0004.json", "logged after the time stamp, but claims to be older")
def _(maker):
    story = maker.short()
    story.anchors = [maker.early()]
    story.add("link_opened", 200, maker.start + DAY - 11 * MINUTE, FIRST, link="confirm", method="GET", circumstances={})
    return story.zip()


@broken(8, "time-too-late", "events/0004.json", "logged before the time stamp, but claims to be younger")
def _(maker):
    story = maker.short()
    story.anchors = [maker.early()]
    story.add("link_opened", 149, maker.start + DAY + 11 * MINUTE, FIRST, link="confirm", method="GET", circumstances={})
    return story.zip()


@broken(8, "time-after-signed", "events/0004.json", "claims a time that comes a day after the log was signed with it")
def _(maker):
    story = maker.short()
    story.add("link_opened", 200, maker.now + DAY + MINUTE, FIRST, link="confirm", method="GET", circumstances={})
    story.lines = {"signed": stamp(maker.now)}
    return story.zip()


@broken(8, "time-after-anchor-signed", "events/0004.json", "older than the time stamp, and two days younger than the stamped checkpoint")
def _(maker):
    story = maker.short()
    story.anchors = [maker.early(time=maker.start + 3 * DAY)]
    story.anchors[0].lines = {"signed": stamp(maker.start + HOUR)}
    story.add("link_opened", 149, maker.start + 2 * DAY, FIRST, link="confirm", method="GET", circumstances={})
    return story.zip()


def off(name, file, about, index, offset, ahead=None, signed=None):
    """An event eleven minutes or more off the time stamp, of a clock that was off, and not by as much."""

    @broken(8, name, file, about)
    def _(maker):
        story = maker.short()
        anchor = maker.early()
        if signed is not None:
            anchor.lines = {"signed": stamp(maker.start + DAY + signed)}
        story.anchors = [anchor]
        said = {} if ahead is None else {"clock": {"state": "unknown", "ahead_micros": ahead * 60_000_000}}
        story.add("link_opened", index, maker.start + DAY + offset, FIRST, link="confirm", method="GET", circumstances={}, **said)
        return story.zip()


LATER = "events/0004.json"
off("time-behind-by-less", LATER, "the clock was behind, but not so far", 200, -31 * MINUTE, ahead=-20)
off("time-behind-the-other-way", LATER, "the clock was ahead, which makes it worse", 200, -19 * MINUTE, ahead=20)
off("time-behind-beyond-belief", LATER, "the clock was behind by more than a day, it says", 200, -2 * DAY, ahead=-2 * 1440)
off("time-ahead-by-less", LATER, "the checkpoint was signed by a clock that was ahead, but not so far", 149, 31 * MINUTE, signed=20 * MINUTE)
off("time-ahead-beyond-belief", LATER, "the checkpoint says that it was signed two days after it was stamped", 149, 2 * DAY, signed=2 * DAY)
off("time-behind-signed", LATER, "that the checkpoint was signed long before says nothing of what came after", 200, -19 * MINUTE, signed=-20 * MINUTE)
