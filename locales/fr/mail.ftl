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
mail-asked-tablet = Votre adresse a été saisie sur une tablette, le { $date } d’après son horloge.
mail-expires = Le lien et le code fonctionnent jusqu’au { $date }.
# The link mail-not-me-link, or an address, follows.
mail-not-me = Si ce n’était pas vous, ne faites rien ou dites-le-nous ici :
mail-not-me-link = Ce n’était pas moi
mail-about-link = À propos de cet e-mail

## Campagnes : personnes à qui l’on demande par courriel. $old est une marque qui appartient maintenant à $brand.

mail-invitation-subject = { $purposes } de { $brand } : oui ou non ?
mail-invitation-lead = { $brand } peut-elle vous envoyer { $purposes } ?
mail-reconfirmation-subject = Voulez-vous encore { $purposes } de { $brand } ?
mail-reconfirmation-lead = Voulez-vous encore { $purposes } de { $brand } ? Merci de le confirmer.
mail-reconfirmation-button = Oui, je reste abonné
mail-merger-subject = { $old } fait maintenant partie de { $brand }
mail-merger-lead = { $old } fait maintenant partie de { $brand }. Voulez-vous rester abonné ?
mail-merger-text = Votre adresse est arrivée chez { $brand } avec { $old }. { $brand } peut vous écrire comme { $old } le pouvait, jusqu’à la fin de cet accord. Vous pouvez confirmer maintenant, ou vous désabonner.
mail-merger-button = Oui, je reste abonné
mail-merger-no-link = Je me désabonne
mail-reminder-subject = Rappel : { $subject }
mail-ask-code = Si la page demande un code, saisissez celui-ci :
mail-ask-no = Vous ne le voulez pas ? Dites-le ici, et { $brand } ne vous écrira plus :
mail-ask-no-link = Non, merci
mail-again-stays = Si vous ne répondez pas, rien ne change : vous restez abonné.
mail-again-ends = Si vous ne répondez pas avant le { $date }, { $brand } cesse de vous l’envoyer.
mail-again-no = Vous n’en voulez plus ? Dites-le-nous ici, et { $brand } cesse de l’envoyer :
mail-why-again = Vous recevez ce message parce que vous avez confirmé que vous le souhaitez. { $brand } repose la question après un certain temps.
mail-why-website-form = Vous recevez ce courriel parce que votre adresse a été saisie dans un formulaire de { $brand }.
mail-why-purchase = Vous recevez ce courriel parce que vous avez acheté quelque chose à { $brand }.
mail-why-written-agreement = Vous recevez ce courriel parce que vous avez un accord avec { $brand }.
mail-why-donation-or-volunteering = Vous recevez ce courriel parce que vous avez fait un don à { $brand } ou aidé comme bénévole.
mail-why-active-member = Vous recevez ce courriel parce que vous avez un compte ou une adhésion chez { $brand }.
mail-why-newsletter-form = Vous recevez ce courriel parce que vous avez rempli un formulaire pour cette lettre de { $brand }.
mail-why-ad-response = Vous recevez ce courriel parce que vous avez répondu à une annonce de { $brand }.
mail-why-direct-email = Vous recevez ce courriel parce que vous avez écrit à { $brand }.
mail-why-personal-acquaintance = Vous recevez ce courriel parce que quelqu’un chez { $brand } vous connaît.
mail-why-event-booth = Vous recevez ce courriel parce que vous avez visité le stand de { $brand }.
mail-why-event-organizer-list = Vous recevez ce courriel parce que l’organisateur d’un événement a donné votre adresse à { $brand }.
mail-why-employer-list = Vous recevez ce courriel parce que votre employeur vous a nommé à { $brand } pour un avantage qu’il vous offre.
mail-why-merger-or-acquisition = Vous recevez ce courriel parce que votre adresse était chez une entreprise qui appartient maintenant à { $brand }.
mail-why-other = Vous recevez ce courriel parce que { $brand } a votre adresse.

## Le lien vers les préférences, pour qui a perdu le sien

mail-preferences-subject = Vos choix chez { $brand }
mail-preferences-lead = Ici, vous choisissez ce que { $brand } vous envoie, faites une pause, vous désabonnez ou consultez vos données.
mail-preferences-button = Ouvrir mes choix
mail-preferences-why = Quelqu’un a demandé ce lien sur notre page, très probablement vous. Il fonctionne jusqu’au { $date }. Si ce n’était pas vous, ne faites rien : rien ne change.
