### The confirmation mail. It carries nothing that was typed into the form, but a cleaned name where the form allows it.
###
### For translators: $purposes is a list of names such as "Newsletter, Events"; $brand is the name of the sender; $date is
### a date with time; $page is the name of a website. Keep the subject short: phones show about 40 characters.

# Says what to do. inbox-from quotes its beginning.
mail-subject = Bitte bestätigen: { $purposes } von { $brand }

# Only where the form asks for a name and lets it into the mail.
mail-hello = Guten Tag { $name }

# The first sentence; mail programs show it in their list. It says what the button does.
mail-lead = Bitte bestätigen Sie, dass Sie { $purposes } von { $brand } erhalten möchten.

# Above the full wording of what the person agrees to.
mail-agree = Darin willigen Sie ein:
mail-button = Ja, ich abonniere
# Above the link, written out.
mail-link = Wenn die Schaltfläche nicht funktioniert, kopieren Sie diesen Link in Ihren Browser:
# In the text part, above the link.
mail-link-text = Zum Bestätigen öffnen Sie diesen Link:
# Above the six digits.
mail-code = Oder geben Sie diesen Code auf der Seite ein, auf der Sie abonniert haben:

mail-asked = Ihre Adresse wurde am { $date } eingegeben.
mail-asked-at = Ihre Adresse wurde am { $date } auf { $page } eingegeben.
mail-expires = Der Link und der Code gelten bis zum { $date }.
# The link mail-not-me-link, or an address, follows.
mail-not-me = Wenn Sie das nicht waren, tun Sie nichts oder sagen Sie es uns hier:
mail-not-me-link = Das war ich nicht
mail-about-link = Über diese E-Mail
