### The confirmation mail. It carries nothing that was typed into the form, but a cleaned name where the form allows it.
###
### For translators: $purposes is a list of names such as "Newsletter, Events"; $brand is the name of the sender; $date is
### a date with time; $page is the name of a website. Keep the subject short: phones show about 40 characters.

# Says what to do. inbox-from quotes its beginning.
mail-subject = Graag bevestigen: { $purposes } van { $brand }

# Only where the form asks for a name and lets it into the mail.
mail-hello = Hallo { $name },

# The first sentence; mail programs show it in their list. It says what the button does.
mail-lead = Bevestig dat je { $purposes } van { $brand } wilt ontvangen.

# Above the full wording of what the person agrees to.
mail-agree = Hiermee ga je akkoord:
mail-button = Ja, ik schrijf me in
# Above the link, written out.
mail-link = Werkt de knop niet? Kopieer dan deze link naar je browser:
# In the text part, above the link.
mail-link-text = Open deze link om te bevestigen:
# Above the six digits.
mail-code = Of vul deze code in op de pagina waar je je hebt ingeschreven:

mail-asked = Je adres is ingevuld op { $date }.
mail-asked-at = Je adres is op { $date } ingevuld op { $page }.
mail-expires = De link en de code werken tot { $date }.
# The link mail-not-me-link, or an address, follows.
mail-not-me = Was jij dit niet? Doe dan niets of laat het ons hier weten:
mail-not-me-link = Dit was ik niet
mail-about-link = Over deze e-mail
