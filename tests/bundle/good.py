"""Bundles that hold, and the maker that all samples begin with."""

import datetime
import io
import uuid
import zipfile

from authority import P256, P384, SHA1, SHA256, SHA512, extension, naming_hashes, tst_info
from log import b64
from story import ADDRESS, CAMPAIGN, IMPORT, KEY, WITNESS, Anchor, Story, stamp

FIRST = uuid.UUID("01970000-0000-7000-8000-00000000aa01")
SECOND = uuid.UUID("01970000-0000-7000-8000-00000000aa02")
DAY, HOUR, MINUTE, SECOND_LONG = (datetime.timedelta(**{unit: 1}) for unit in ("days", "hours", "minutes", "seconds"))


class Sample:
    def __init__(self, make, name, about, step=0, file=""):
        self.make, self.name, self.about, self.step, self.file = make, name, about, step, file


class Maker:
    """Two authorities: `tsa` under a root of its own, and `ec` with an intermediate, on curves."""

    def __init__(self, shop):
        self.shop, self.now = shop, shop.now
        self.start = self.now - 5 * DAY
        shop.issue("root", "Acme-Time-Root", "root")
        shop.issue("tsa", "Acme-Time-Stamps", "signer", "root")
        shop.issue("ec-root", "Curve-Root", "root", key=P384)
        shop.issue("ec-middle", "Curve-Middle", "intermediate", "ec-root", key=P384)
        shop.issue("ec", "Curve-Time-Stamps", "signer", "ec-middle", key=P256)

    def bare(self, **how):
        return Story(self.now, **how)

    def signed(self, story, index=41, request=FIRST, purposes=("newsletter",), after=0 * DAY, valid=7):
        """A signup and its mail."""
        time = self.start + after
        story.sign_up(index, time, request, list(purposes), valid)
        story.mail(index + 2, time + 2 * SECOND_LONG, request)
        return time

    def short(self):
        """Signup, mail, confirmation; no anchor."""
        story = self.bare()
        time = self.signed(story)
        story.confirm(58, time + 3 * MINUTE, FIRST, ["newsletter"])
        return story

    def early(self, size=150, signer="ec", time=None, pem=None, **how):
        time = time or self.start + DAY
        pem = pem or self.shop.chain("ec", "ec-middle", "ec-root")
        anchor = Anchor("0001-curve", size, lambda data: self.shop.cms(signer, data, time, **how), pem)
        anchor.lines = {"signed": stamp(time)}
        return anchor

    def late(self, size=300, section="t"):
        anchor = Anchor("0002-acme", size, lambda data: self.shop.ts("tsa", data, section), self.shop.chain("tsa", "root"))
        anchor.lines = {"signed": stamp(self.now)}
        return anchor

    def full(self):
        """Two requests, a withdrawal, an anchor between them and one after them."""
        story = self.bare()
        time = self.signed(story)
        story.add("link_opened", 57, time + 3 * MINUTE, FIRST, link="confirm", method="GET", same_browser=True, circumstances={})
        story.confirm(58, time + 3 * MINUTE + SECOND_LONG, FIRST, ["newsletter"])
        time = self.signed(story, 180, SECOND, ["newsletter", "offers"], 2 * DAY)
        story.confirm(199, time + HOUR, SECOND, ["offers"], "link_button")
        story.add("withdrawn", 240, time + 2 * DAY, purposes=["newsletter"], scope="purpose", circumstances={})
        story.add("link_opened", 310, self.now, SECOND, link="about", method="GET", same_browser=False, circumstances={})
        story.anchors = [self.early(), self.late()]
        return story


def repacked(files, method=zipfile.ZIP_DEFLATED, comment=b""):
    """As another program would write it, in an order of its own."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in files.items() if isinstance(files, dict) else files:
            archive.writestr(name, data)
        archive.comment = comment
    return out.getvalue()


def full(maker):
    return maker.full().zip()


def pinned(maker):
    roots = maker.shop.chain("root", "ec-root").decode()
    return maker.full().zip(), {"key": KEY.vkey(), "roots": roots}


def witnessed(maker):
    story = maker.full()
    story.witnesses = [WITNESS]
    return story.zip(), {"witnesses": WITNESS.vkey()}


def asked_again(maker):
    story = maker.bare()
    time = maker.signed(story) + 8 * DAY
    story.ask_again(50, time, FIRST, valid=7)
    story.mail(52, time + SECOND_LONG, FIRST)
    story.confirm(58, time + HOUR, FIRST, ["newsletter"])
    return story.zip()


def witness_unknown(maker):
    story = maker.short()
    story.witnesses = [WITNESS]
    return story.zip()


def same_size(maker):
    story = maker.short()
    story.anchors = [maker.early(150), maker.late(321)]
    return story.zip()


def incomplete(maker):
    """A sequencer that catches up: more was waiting than one checkpoint takes."""
    story = maker.short()
    story.lines = {"complete": "-", "follows": 0, "stamps": f"12 {b64(bytes(32))}"}
    return story.zip()


def older_token(maker):
    story = maker.short()
    story.anchors = [maker.late(section="older")]
    return story.zip()


def with_purpose(maker):
    """An authority between signer and root that is for time stamps, and a token with an extension that is not critical."""
    maker.shop.issue("stamping", "Curve-Stamping", "stamping_ca", "ec-root", key=P384)
    maker.shop.issue("by-stamping", "Curve-By-Stamping", "signer", "stamping", key=P256)
    story, time = maker.full(), maker.start + DAY
    story.anchors[0] = maker.early(signer="by-stamping", pem=maker.shop.chain("by-stamping", "stamping", "ec-root"))
    story.anchors[0].stamp = lambda data: maker.shop.cms("by-stamping", data, time, content=tst_info(data, time, extension(False)))
    return story.zip()


def several_hashes(maker):
    """The token names more hashes in front than the one that its signer used."""
    story = maker.full()
    token = story.anchors[0].stamp
    story.anchors[0].stamp = lambda data: naming_hashes(token(data), SHA1, SHA256, SHA512)
    return story.zip()


def removed(*numbers):
    """Circumstances whose term is over."""

    def make(maker):
        story = maker.full()
        for number in numbers or list(story.circumstances):
            del story.circumstances[number]
        return story.zip()

    return make


def by_proxy(maker):
    """All that can be kept, and a text that would end a word too early."""
    story = maker.bare()
    seen = {"ip": "2001:db8::7", "peer": "10.0.0.9", "user_agent": 'A "Browser"\r\n\u202e/1', "accept_language": "de-AT,de;q=0.8"}
    seen |= {"origin": "https://acme.example", "sec_fetch": "same-origin navigate document ?1", "purpose": "prefetch"}
    maker.signed(story)
    story.confirm(58, maker.start + 3 * MINUTE, FIRST, ["newsletter"], circumstances=seen)
    return story.zip()


FOLDERS = ["anchors/", "circumstances/", "events/", "forms/", "mails/", "proofs/"]


def with_folders(files, folders, method=zipfile.ZIP_STORED):
    """As `zip -r` lists them, before what is in them."""
    return repacked(sorted([*files.items(), *((name, b"") for name in folders)]), method)


def one_entry(maker):
    story = maker.bare(size=1)
    story.sign_up(0, maker.start, FIRST, ["newsletter"])
    story.add("declined", 1, maker.start + MINUTE, FIRST, purposes=["newsletter"], circumstances={})
    story.events.pop()
    story.circumstances.pop(2)
    return story.zip()


def at_the_limits(maker):
    """As many signature lines, and lists within lists, as there may be."""
    story = maker.short()
    value = []
    for _ in range(62):
        value = [value]
    story.events[2][0]["more"] = value
    checkpoint = story.checkpoint().decode() + "".join(f"— witness{number}.example {b64(bytes(76))}\n" for number in range(63))
    story.checkpoint = checkpoint.encode
    return story.zip()


def mail_just_after(maker):
    """The server's reply was written down five seconds after the click."""
    story = maker.bare()
    story.sign_up(41, maker.start, FIRST, ["newsletter"])
    story.confirm(50, maker.start + MINUTE, FIRST, ["newsletter"])
    story.mail(51, maker.start + MINUTE + 5 * SECOND_LONG, FIRST, only="plain")
    return story.zip()


def mail_long_after(**members):
    def make(maker):
        story = maker.bare()
        story.sign_up(41, maker.start, FIRST, ["newsletter"])
        story.confirm(50, maker.start + MINUTE, FIRST, ["newsletter"])
        story.mail(51, maker.start + HOUR, FIRST, only="html", **members)
        return story.zip()

    return make


def clock_set_back(maker):
    """The clock was set back by an hour between the mail and the confirmation, which the log has in their order."""
    story = maker.bare()
    story.sign_up(41, maker.start + HOUR, FIRST, ["newsletter"])
    story.mail(43, maker.start + HOUR + 2 * SECOND_LONG, FIRST)
    story.confirm(50, maker.start + MINUTE, FIRST, ["newsletter"])
    return story.zip()


def reply_lost(maker):
    """No server said that it took the mail; one may have."""
    story = maker.bare()
    story.sign_up(41, maker.start, FIRST, ["newsletter"])
    story.confirm(50, maker.start + MINUTE, FIRST, ["newsletter"])
    failed = {"message_id": "a@acme.example", "reason": "the connection was lost after the mail", "tries": 3, "ambiguous": True}
    story.add("mail_failed", 61, maker.start + DAY, FIRST, **failed)
    return story.zip()


def clock_ahead(maker):
    """The server's clock is twenty minutes ahead, as the checkpoint that the authority stamped shows."""
    story = maker.short()
    anchor = maker.early(time=maker.start)
    anchor.lines = {"signed": stamp(maker.start + 20 * MINUTE)}
    story.anchors = [anchor]
    story.add("link_opened", 149, maker.start + 20 * MINUTE, FIRST, link="confirm", method="GET", circumstances={})
    return story.zip()


def clock_behind(maker):
    """The server's clock is twenty minutes behind, and the event says so itself."""
    story = maker.short()
    story.anchors = [maker.early()]
    said = {"clock": {"state": "unsynchronised", "ahead_micros": -1_200_000_000}}
    time = maker.start + DAY - 19 * MINUTE
    story.add("link_opened", 200, time, FIRST, link="confirm", method="GET", circumstances={}, **said)
    return story.zip()


def clocks_differ(maker):
    """The log was signed by a clock that was 23 hours behind that of the event, or was set back just before."""
    story = maker.short()
    story.add("link_opened", 200, maker.now + 23 * HOUR, FIRST, link="confirm", method="GET", circumstances={})
    story.lines = {"signed": stamp(maker.now)}
    return story.zip()


def named_mailbox(maker):
    story = maker.bare()
    story.sign_up(41, maker.start, FIRST, ["newsletter"])
    story.mail(42, maker.start, FIRST, to=f'"Anna, of <Example>" <{ADDRESS}>')
    story.mail(43, maker.start, None, link="https://acme.example/", to="somebody@else.example")
    return story.zip()


def invited(maker, confirm=True, **mail):
    """Nobody typed the address: an operator's list named it, and a campaign asked."""
    story = maker.bare()
    story.imported(41, maker.start, ["newsletter"])
    story.invite(43, maker.start + HOUR, FIRST, ["newsletter"])
    story.mail(45, maker.start + HOUR + 2 * SECOND_LONG, FIRST, **mail)
    if confirm:
        story.confirm(58, maker.start + DAY, FIRST, ["newsletter"], "link_button")
    return story


def reminded(maker):
    """The first mail has no link, so that the confirmation can rest on the reminder's only."""
    story = invited(maker, confirm=False, link="https://acme.example/")
    story.invite(100, maker.start + 2 * DAY, FIRST, ["newsletter"], reminder=True)
    story.mail(101, maker.start + 2 * DAY + SECOND_LONG, FIRST)
    story.confirm(120, maker.start + 3 * DAY, FIRST, ["newsletter"], "code")
    return story.zip()


def invited_after_signup(maker):
    """Who signed up and did not confirm is asked by a campaign: a request of its own, with a wording of its own."""
    story = maker.bare()
    maker.signed(story)
    story.invite(180, maker.start + 2 * DAY, SECOND, ["newsletter", "offers"], campaign_kind="reconfirmation")
    story.mail(181, maker.start + 2 * DAY + SECOND_LONG, SECOND)
    story.confirm(199, maker.start + 3 * DAY, SECOND, ["offers"], "link_button")
    return story.zip()


def asked_in_vain(maker):
    """Nobody answered: consent lapsed, another import was taken back, what is kept was handed out. A merger's notice names the old brand."""
    story = maker.bare()
    story.imported(41, maker.start, ["newsletter"])
    story.invite(43, maker.start + HOUR, FIRST, ["newsletter"], campaign_kind="merger_notice", old_brand="Mill Post")
    story.mail(45, maker.start + HOUR + 2 * SECOND_LONG, FIRST, template="merger_notice")
    until = stamp(maker.start + 3 * DAY)
    story.add("lapsed", 100, maker.start + 3 * DAY, purposes=["newsletter"], until=until, campaign=CAMPAIGN)
    story.add("import_withdrawn", 120, maker.start + 4 * DAY, **{"import": IMPORT}, purposes=["newsletter"], back_to={})
    story.add("exported", 130, maker.start + 5 * DAY, what="bundle", through="api")
    story.add("exported", 131, maker.start + 5 * DAY, what="data", through="preferences_page")
    return story.zip()


MARKUP = '<img src=x onerror="document.title=1"><script>document.title=2</script>'


def markup(maker):
    """Strings from outside that are code for a page which believes them."""
    story = maker.bare()
    signup = story.sign_up(41, maker.start, FIRST, [MARKUP])
    signup |= {"address_typed": MARKUP, "form": MARKUP}
    story.mail(43, maker.start, FIRST, reply=MARKUP)
    story.add(MARKUP, 44, maker.start, FIRST)
    strange = {"address_typed": MARKUP, "line": MARKUP, "form": MARKUP, "campaign": MARKUP, "campaign_kind": MARKUP, "language": MARKUP}
    story.imported(46, maker.start, [MARKUP]).update(strange)
    story.invite(47, maker.start, SECOND, [MARKUP]).update(strange | {"judgement": {"rule": MARKUP}, "asked_by": {"legal_name": MARKUP}})
    story.confirm(48, maker.start + MINUTE, FIRST, [MARKUP], circumstances={"ip": MARKUP, "user_agent": MARKUP, MARKUP: MARKUP})
    return story.zip()


GOOD = [
    Sample(full, "good", "two requests, a withdrawal, two anchors"),
    Sample(pinned, "good-pinned", "the same, with the key and the roots that the reader expects"),
    Sample(witnessed, "good-witness", "with a witness whose key the reader knows"),
    Sample(witness_unknown, "good-witness-unknown", "with a witness whose key nobody gave"),
    Sample(lambda m: m.short().zip(), "good-small", "no anchor"),
    Sample(same_size, "good-same-size", "an anchor of the very checkpoint"),
    Sample(incomplete, "good-incomplete", "a checkpoint that does not hold all that was waiting, and follows the first"),
    Sample(older_token, "good-older-token", "a token that names its certificate by SHA-1, as older authorities do"),
    Sample(with_purpose, "good-purpose", "an authority between that is for time stamps, and a token with an extension"),
    Sample(several_hashes, "good-several-hashes", "a token that names several hashes in front"),
    Sample(one_entry, "good-one-entry", "a log of one entry; nobody has confirmed"),
    Sample(mail_just_after, "good-mail-just-after", "the mail's reply was written down five seconds after the click"),
    Sample(mail_long_after(ambiguous=True), "good-mail-ambiguous", "a first copy had come, its reply was lost"),
    Sample(mail_long_after(tries=2), "good-mail-second-try", "the second try was written down after the click"),
    Sample(clock_set_back, "good-clock-set-back", "the clock was set back between the mail and the confirmation"),
    Sample(reply_lost, "good-reply-lost", "no server said that it took the mail, and one may have"),
    Sample(clock_ahead, "good-clock-ahead", "the clock was ahead when the stamped checkpoint was signed"),
    Sample(clock_behind, "good-clock-behind", "the clock was behind, as the event says"),
    Sample(clocks_differ, "good-clocks-differ", "an event of a time that comes 23 hours after the log was signed"),
    Sample(at_the_limits, "good-limits", "64 signature lines, and lists 64 deep"),
    Sample(named_mailbox, "good-named-mailbox", "To has a name; a mail of no request goes elsewhere"),
    Sample(removed(), "good-removed", "no circumstances any more"),
    Sample(removed(1, 5), "good-removed-some", "the circumstances of one request are gone"),
    Sample(by_proxy, "good-proxy", "circumstances with every member, through a proxy"),
    Sample(lambda m: invited(m).zip(), "good-invited", "a campaign asked somebody whom an import named"),
    Sample(reminded, "good-reminded", "the reminder's mail is the one with the link"),
    Sample(asked_again, "good-asked-again", "the link was too old; the mail was asked for again, and its link was good"),
    Sample(invited_after_signup, "good-invited-after-signup", "a signup that nobody confirmed, then a campaign"),
    Sample(asked_in_vain, "good-asked-in-vain", "a merger's notice, consent that lapsed, an import that was taken back"),
    Sample(markup, "good-markup", "markup in every text that came from outside"),
    Sample(lambda m: repacked(m.full().whole()), "good-deflated", "packed again by another program"),
    Sample(lambda m: repacked(m.short().whole(), zipfile.ZIP_STORED), "good-stored-again", "packed again without compression"),
    Sample(lambda m: with_folders(m.full().whole(), FOLDERS), "good-folders", "packed again, with its folders"),
    Sample(lambda m: with_folders(m.short().whole(), FOLDERS, zipfile.ZIP_DEFLATED), "good-folders-unused", "a folder in which nothing is"),
]
