### The confirmation mail. It carries nothing that was typed into the form, but a cleaned name where the form allows it.
###
### For translators: $purposes is a list of names such as "Newsletter, Events"; $brand is the name of the sender; $date is
### a date with time; $page is the name of a website. Keep the subject short: phones show about 40 characters.

# Says what to do. inbox-from quotes its beginning.
mail-subject = Veuillez confirmer : { $purposes } ({ $brand })

# Only where the form asks for a name and lets it into the mail.
mail-hello = Bonjour { $name },

# The first sentence; mail programs show it in their list. It says what the button does.
mail-lead = Veuillez confirmer que vous souhaitez recevoir les e-mails envoyés par { $brand } : { $purposes }.

# Above the full wording of what the person agrees to.
mail-agree = Voici ce que vous acceptez :
mail-button = Oui, je m’abonne
# Above the link, written out.
mail-link = Si le bouton ne fonctionne pas, copiez ce lien dans votre navigateur :
# In the text part, above the link.
mail-link-text = Pour confirmer, ouvrez ce lien :
# Above the six digits.
mail-code = Ou saisissez ce code sur la page où vous avez demandé l’abonnement :

mail-asked = Votre adresse a été saisie le { $date }.
mail-asked-at = Votre adresse a été saisie le { $date } sur { $page }.
mail-expires = Le lien et le code fonctionnent jusqu’au { $date }.
# The link mail-not-me-link, or an address, follows.
mail-not-me = Si ce n’était pas vous, ne faites rien ou dites-le-nous ici :
mail-not-me-link = Ce n’était pas moi
mail-about-link = À propos de cet e-mail
