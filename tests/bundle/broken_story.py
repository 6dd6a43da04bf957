"""Steps 9 to 11: forms, mails, and the story itself. Everything is logged and signed as it is told."""

import uuid

from breaking import listing, replace, with_files
from good import DAY, FIRST, HOUR, MINUTE, SECOND, SECOND_LONG, invited
from story import form, stamp, token

SAMPLES = []
broken = listing(SAMPLES)
MAIL = "mails/0002.eml"
STRANGER = uuid.UUID("01970000-0000-7000-8000-00000000aa09")


def form_name(story):
    return f"forms/{story.events[0][0]['form_version']}.html"


def retold(maker, mail=None, confirm=58, after=3 * MINUTE, request=FIRST, purposes=("newsletter",), **signup):
    """Signup and mail as `mail` makes it, then a confirmation."""
    story = maker.bare()
    story.sign_up(41, maker.start, FIRST, signup.pop("asked", ["newsletter"]), **signup)
    if mail:
        mail(story)
    story.confirm(confirm, maker.start + after, request, list(purposes))
    return story


def usual(maker, **how):
    return lambda story: story.mail(43, maker.start + 2 * SECOND_LONG, FIRST, **how)


@broken(9, "form-changed", "forms/", "a form's wording is another than the one of its name")
def _(maker):
    story = maker.short()
    return with_files(story, replace(form_name(story), b"twice a month", b"every day"))


@broken(9, "form-missing", "forms/", "the form that was shown is not there")
def _(maker):
    story = maker.short()
    return with_files(story, lambda files: files.pop(form_name(story)))


@broken(9, "form-too-many", "forms/", "a form that nobody saw")
def _(maker):
    story = maker.short()
    story.forms.append(form(["offers"]))
    return story.zip()


@broken(10, "mail-missing", MAIL, "a mail is missing")
def _(maker):
    return with_files(maker.short(), lambda files: files.pop(MAIL))


@broken(10, "mail-too-many", "mails/0003.eml", "a mail of an event that is no mail")
def _(maker):
    return with_files(maker.short(), lambda files: files.update({"mails/0003.eml": files[MAIL]}))


@broken(10, "mail-changed", MAIL, "a mail was changed")
def _(maker):
    return with_files(maker.short(), replace(MAIL, b"letters from Acme", b"letters from Emca"))


@broken(10, "mail-id", MAIL, "another Message-ID than the event's")
def _(maker):
    return retold(maker, usual(maker, message_id="other@acme.example")).zip()


@broken(10, "mail-to", MAIL, "to somebody else")
def _(maker):
    return retold(maker, usual(maker, to="bela@example.org")).zip()


@broken(10, "mail-to-longer", MAIL, "to an address that only ends like the right one")
def _(maker):
    return retold(maker, usual(maker, to="joanna@example.org")).zip()


@broken(10, "mail-to-name", MAIL, "the right address is only the name of another")
def _(maker):
    return retold(maker, usual(maker, to='"anna@example.org" <bela@example.org>')).zip()


@broken(11, "story-no-request", "events/0003.json", "a confirmation of no request")
def _(maker):
    return retold(maker, usual(maker), request=None).zip()


@broken(11, "story-stranger", "events/0003.json", "a confirmation of a request that nobody made")
def _(maker):
    return retold(maker, usual(maker), request=STRANGER).zip()


@broken(11, "story-before-signup", "events/0001.json", "the confirmation stands before the signup in the log")
def _(maker):
    story = maker.bare()
    story.confirm(30, maker.start + 3 * MINUTE, FIRST, ["newsletter"])
    maker.signed(story)
    return story.zip()


@broken(11, "story-more-purposes", "events/0003.json", "more is confirmed than was asked")
def _(maker):
    return retold(maker, usual(maker), purposes=("newsletter", "offers")).zip()


@broken(11, "story-expired", "events/0003.json", "confirmed after the link had expired")
def _(maker):
    return retold(maker, usual(maker), after=DAY + SECOND_LONG, valid=1).zip()


@broken(11, "story-expired-sharp", "events/0003.json", "confirmed at the very moment of expiry")
def _(maker):
    return retold(maker, usual(maker), after=DAY, valid=1).zip()


@broken(11, "story-no-mail", "events/0002.json", "confirmed without a mail")
def _(maker):
    return retold(maker).zip()


@broken(11, "story-late-mail", "events/0002.json", "the mail was accepted six seconds after the click, at the first try")
def _(maker):
    story = retold(maker, confirm=42)
    story.mail(43, maker.start + 3 * MINUTE + 6 * SECOND_LONG, FIRST)
    return story.zip()


@broken(11, "story-mail-behind", "events/0002.json", "the mail stands behind the confirmation, though it says an earlier time")
def _(maker):
    story = retold(maker, confirm=42, after=DAY)
    story.mail(43, maker.start + 2 * SECOND_LONG, FIRST)
    return story.zip()


@broken(11, "story-mail-refused", "events/0002.json", "the only mail was refused, and surely so")
def _(maker):
    story = retold(maker)
    failed = {"message_id": "a@acme.example", "reason": "550 no such user", "tries": 1, "ambiguous": False}
    story.add("mail_failed", 61, maker.start + DAY, FIRST, **failed)
    return story.zip()


@broken(11, "story-other-lost", "events/0002.json", "the mail that may have come was of another request")
def _(maker):
    story = retold(maker)
    failed = {"message_id": "a@acme.example", "reason": "the connection was lost", "tries": 3, "ambiguous": True}
    story.add("mail_failed", 61, maker.start + DAY, SECOND, **failed)
    return story.zip()


@broken(11, "story-other-mail", "events/0004.json", "the only mail was for another request")
def _(maker):
    def mail(story):
        story.sign_up(42, maker.start, SECOND, ["newsletter"])
        story.mail(43, maker.start + 2 * SECOND_LONG, SECOND)

    story = retold(maker, mail)
    return story.zip()


@broken(11, "story-no-link", "events/0003.json", "the mail has no link")
def _(maker):
    return retold(maker, usual(maker, link="https://acme.example/")).zip()


@broken(11, "story-other-link", "events/0003.json", "the mail's link is of another request")
def _(maker):
    return retold(maker, usual(maker, link=f"https://confirm.acme.example/c/{token(SECOND, maker.now)}")).zip()


@broken(11, "story-cut-link", "events/0003.json", "the link's token is a character short")
def _(maker):
    return retold(maker, usual(maker, link=f"https://confirm.acme.example/c/{token(FIRST, maker.now)[:-1]}")).zip()


@broken(11, "story-long-link", "events/0003.json", "the link's token is a character too long")
def _(maker):
    return retold(maker, usual(maker, link=f"https://confirm.acme.example/c/{token(FIRST, maker.now)}c")).zip()


@broken(11, "story-link-elsewhere", "events/0003.json", "the token stands under another path")
def _(maker):
    return retold(maker, usual(maker, link=f"https://confirm.acme.example/a/{token(FIRST, maker.now)}")).zip()


@broken(9, "form-of-invitation-missing", "forms/", "the wording that an invitation names is not there")
def _(maker):
    story = invited(maker)
    return with_files(story, lambda files: files.pop(f"forms/{story.events[1][0]['form_version']}.html"))


@broken(9, "form-of-reminder-missing", "forms/", "the wording that a reminder names is not there")
def _(maker):
    story = invited(maker)
    story.invite(100, maker.start + 2 * DAY, FIRST, ["newsletter", "offers"], reminder=True)
    return with_files(story, lambda files: files.pop(f"forms/{story.events[-1][0]['form_version']}.html"))


@broken(10, "invited-mail-to", "mails/0003.eml", "the mail goes to another address than the invitation's")
def _(maker):
    return invited(maker, to="bela@example.org").zip()


@broken(10, "invited-mail-to-imported", "mails/0003.eml", "the mail goes to the address of the import, and the invitation says another")
def _(maker):
    story = invited(maker)
    story.events[1][0]["address"] = "bela@example.org"
    return story.zip()


@broken(10, "reminder-alone", "mails/0003.eml", "a mail of a request that only a reminder names")
def _(maker):
    story = invited(maker)
    story.events[1][0]["reminder"] = True
    return story.zip()


@broken(10, "two-openers", "mails/0003.eml", "a signup and an invitation of the same request")
def _(maker):
    story = invited(maker)
    story.sign_up(60, maker.start + DAY, FIRST, ["newsletter"])
    return story.zip()


@broken(11, "invited-more-purposes", "events/0004.json", "more is confirmed than the invitation asked, though the form offers it")
def _(maker):
    story = invited(maker, confirm=False)
    story.confirm(58, maker.start + DAY, FIRST, ["newsletter", "offers"])
    return story.zip()


@broken(11, "reminder-more-purposes", "events/0006.json", "more is confirmed than the invitation asked, and the reminder asks it")
def _(maker):
    story = invited(maker, confirm=False)
    story.invite(100, maker.start + 2 * DAY, FIRST, ["newsletter", "offers"], reminder=True)
    story.mail(101, maker.start + 2 * DAY + SECOND_LONG, FIRST)
    story.confirm(120, maker.start + 3 * DAY, FIRST, ["offers"])
    return story.zip()


@broken(11, "invited-before", "events/0002.json", "the confirmation stands before the invitation in the log")
def _(maker):
    story = maker.bare()
    story.imported(41, maker.start, ["newsletter"])
    story.confirm(42, maker.start + HOUR, FIRST, ["newsletter"])
    story.invite(43, maker.start + HOUR, FIRST, ["newsletter"])
    story.mail(45, maker.start + HOUR + 2 * SECOND_LONG, FIRST)
    return story.zip()


@broken(11, "invited-expired", "events/0005.json", "confirmed after the invitation had expired; the reminder names a later time")
def _(maker):
    story = invited(maker, confirm=False)
    story.events[1][0]["confirmation_expires_at"] = stamp(maker.start + 2 * HOUR)
    story.invite(50, maker.start + HOUR, FIRST, ["newsletter"], reminder=True)
    story.confirm(58, maker.start + DAY, FIRST, ["newsletter"])
    return story.zip()


@broken(11, "asked-again-late", "events/0004.json", "confirmed after the time that was said when the mail was asked for again")
def _(maker):
    story = maker.bare()
    time = maker.signed(story) + 8 * DAY
    story.ask_again(50, time, FIRST, valid=1)
    story.confirm(58, time + DAY, FIRST, ["newsletter"])
    return story.zip()


@broken(11, "asked-again-behind", "events/0003.json", "the mail was asked for again only behind the confirmation")
def _(maker):
    story = maker.bare()
    time = maker.signed(story) + 8 * DAY
    story.confirm(50, time, FIRST, ["newsletter"])
    story.ask_again(58, time, FIRST, valid=7)
    return story.zip()


@broken(11, "imported-only", "events/0002.json", "an import alone is confirmed")
def _(maker):
    story = maker.bare()
    story.imported(41, maker.start, ["newsletter"])
    story.confirm(58, maker.start + DAY, FIRST, ["newsletter"])
    return story.zip()
