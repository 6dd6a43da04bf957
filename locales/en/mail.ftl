### The confirmation mail. It carries nothing that was typed into the form, but a cleaned name where the form allows it.
###
### For translators: $purposes is a list of names such as "Newsletter, Events"; $brand is the name of the sender; $date is
### a date with time; $page is the name of a website. Keep the subject short: phones show about 40 characters.

# Says what to do. inbox-from quotes its beginning.
mail-subject = Please confirm: { $purposes } from { $brand }

# Only where the form asks for a name and lets it into the mail.
mail-hello = Hello { $name },

# The first sentence; mail programs show it in their list. It says what the button does.
mail-lead = Please confirm that you want { $purposes } from { $brand }.

# Above the full wording of what the person agrees to.
mail-agree = This is what you agree to:
mail-button = Yes, I subscribe
# Above the link, written out.
mail-link = If the button does not work, copy this link into your browser:
# In the text part, above the link.
mail-link-text = To confirm, open this link:
# Above the six digits.
mail-code = Or enter this code on the page where you subscribed:

mail-asked = Your address was entered on { $date }.
mail-asked-at = Your address was entered on { $date } at { $page }.
mail-expires = The link and the code work until { $date }.
# The link mail-not-me-link, or an address, follows.
mail-not-me = If this was not you, do nothing, or tell us here:
mail-not-me-link = This was not me
mail-about-link = About this mail
