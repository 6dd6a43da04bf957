### The words of the public pages: forms, "check your inbox", the links of the mail, errors.
###
### For translators: short sentences, second person, active, no exclamation marks. Say "subscribe", "confirm", "leave";
### never the trade's own terms such as "opt in". Numbers stand after a colon or before a unit sign, so that no text needs
### a plural. The texts that begin with "form-default-" become part of what a person agrees to.

## Every page

page-privacy = Confidentialité
page-contact = Contact
# Read to people who cannot see the page: names the row of language links.
page-languages = Langue
# Small line at the foot. It opens the text below it.
page-checked-by = Vérifié par countersign
page-checked-by-text = countersign s’occupe de la confirmation pour l’expéditeur. Ce qui vous a été montré, ce que vous avez répondu et à quel moment est conservé dans un journal que personne ne peut modifier sans que cela se voie. Ainsi, personne ne peut invoquer un oui que vous n’avez pas donné.

## The form

# Used where the form has no texts of its own. $brand is the name of the sender.
form-default-title = S’abonner à { $brand }
form-default-intro = Saisissez votre adresse. Nous vous envoyons ensuite un e‑mail pour vérifier qu’elle est bien à vous.
form-default-consent = En appuyant sur le bouton, vous acceptez de recevoir les e-mails décrits ici, envoyés par { $brand }. Vous pouvez vous désabonner à tout moment : chaque e-mail contient un lien pour le faire.
form-default-button = S’abonner

form-email-label = Adresse e‑mail
form-name-label = Nom
# In brackets behind the label of a field that may stay empty.
form-optional = facultatif
# Label of a field that people do not see; it catches programs.
form-trap-label = Laissez ce champ vide
# A link behind the wording of consent.
form-privacy = Comment { $brand } traite vos données

# While the browser does a small calculation that keeps programs out. Nothing is asked of the person.
form-proof-working = Nous vérifions qu’il ne s’agit pas d’un programme automatique. Cela prend un instant.
form-proof-done = Vérification terminée.
form-proof-failed = La vérification n’a pas abouti. Veuillez appuyer de nouveau sur le bouton.
form-needs-script = Ce formulaire est protégé contre les programmes automatiques et nécessite JavaScript. Veuillez l’activer, puis recharger la page.
form-sending = Envoi…
# The server could not be reached.
form-failed = Cela n’a pas fonctionné. Veuillez vérifier votre connexion et réessayer.

## Problems with a form

form-problem-title = Veuillez vérifier votre saisie
form-problem-empty = Saisissez votre adresse e‑mail.
form-problem-at = Il manque le signe @ dans cette adresse. Elle devrait ressembler à anna@example.org.
form-problem-space = Une adresse ne contient pas d’espace. Saisissez l’adresse seule, comme anna@example.org.
form-problem-syntax = Cette adresse contient une erreur. Elle devrait ressembler à anna@example.org.
form-problem-domain = Aucun e‑mail ne peut atteindre ce qui suit le signe @. Veuillez en vérifier l’orthographe.
form-problem-long = Cette adresse est trop longue. Veuillez la vérifier.
form-problem-unusual = Nous ne pouvons pas écrire aux adresses qui contiennent des guillemets, des commentaires ou des nombres entre crochets. Veuillez en utiliser une autre.
form-problem-role = Cette adresse semble être lue par plusieurs personnes. Veuillez utiliser la vôtre : personne d’autre ne peut donner votre accord.
form-problem-purpose = Choisissez au moins un type d’e‑mails.
form-problem-gone = Ce formulaire ne propose plus ce que vous avez choisi. Veuillez choisir parmi ce qu’il propose maintenant.
form-problem-proof = La vérification contre les programmes automatiques manquait ou était trop ancienne. Veuillez appuyer de nouveau sur le bouton.
# Follows the text of a problem. $address is an address that the person may have meant.
form-did-you-mean = Vouliez-vous dire { $address } ?

## Check your inbox

inbox-title = Consultez votre boîte de réception
# The address follows on a line of its own.
inbox-sent-to = Nous avons envoyé un e‑mail à :
# $sender is an address. The words in quotation marks are the beginning of mail-subject.
inbox-from = Il vient de l’adresse { $sender }. Son objet commence par « Veuillez confirmer ». Appuyez sur le bouton qu’il contient ou saisissez son code ici.
inbox-code-label = Les six chiffres indiqués dans l’e‑mail
inbox-code-button = Confirmer
# The page changes by itself once the person has confirmed.
inbox-waiting = Nous attendons votre réponse. Cette page se met à jour d’elle-même.
# Only where scripts are off; the link inbox-check-again follows.
inbox-waiting-plain = Avez-vous appuyé sur le bouton de l’e‑mail ?
inbox-check-again = Vérifier de nouveau
# $name is the name of a mail service.
inbox-webmail = Ouvrir { $name }
inbox-nothing = Vous n’avez rien reçu ? Regardez dans le dossier des indésirables ou demandez un nouvel envoi.
inbox-resend = Renvoyer
# On the button while it cannot be pressed yet. $seconds counts down; keep the unit a sign.
inbox-resend-wait = Renvoyer dans { $seconds } s
# Also shown where no second mail may be sent, so it promises no arrival.
inbox-sent-again = Nous avons demandé un nouvel envoi de l’e‑mail. Cela peut prendre une minute.
inbox-resend-early = C’était trop tôt : rien n’a été envoyé.
inbox-resend-in = Un nouvel envoi sera possible dans { $seconds } s.
inbox-wrong-address = L’adresse est fausse ?
inbox-change-label = Votre bonne adresse
inbox-change-button = Utiliser cette adresse
inbox-change-limit = L’adresse a déjà été corrigée plusieurs fois. Pour en utiliser une autre, veuillez remplir à nouveau le formulaire.
# $address is an address that the person may have meant.
inbox-did-you-mean = Vouliez-vous dire { $address } ?
inbox-did-you-mean-yes = Oui, utiliser celle-ci
inbox-confirmed-title = C’est confirmé
inbox-continue = Continuer
# A request that is over: declined, replaced or too old.
inbox-closed-title = Cette demande est close
inbox-closed-text = Elle a reçu une réponse, a été remplacée par une plus récente ou est trop ancienne. Si vous souhaitez recevoir les e‑mails de { $brand }, remplissez de nouveau le formulaire. Si aucun e‑mail n’arrive, écrivez à { $contact }.
inbox-closed-action = S’abonner de nouveau

## Confirm: the page behind the link in the mail

# $brand is the name of the sender.
confirm-title = S’abonner à { $brand } ?
# $date is a date with time, $page the name of a website.
confirm-asked-on = Cette adresse a été saisie le { $date }.
confirm-asked-on-at = Cette adresse a été saisie le { $date } sur { $page }.
confirm-asked-on-tablet = Cette adresse a été saisie sur une tablette, le { $date } d’après son horloge.
confirm-purposes = Ce que vous acceptez
confirm-button = Oui, je m’abonne
confirm-not-me = Ce n’était pas moi
# While the page completes by itself, in the browser that signed up.
confirm-working = Confirmation en cours…

## Confirm with the code, when a program seems to have opened the mail first

code-title = Encore une étape
code-text = Il semble qu’un programme ait ouvert les liens de l’e‑mail avant vous. Certains services de messagerie le font pour les contrôler. Veuillez donc saisir les six chiffres indiqués dans l’e‑mail.
code-label = Les six chiffres indiqués dans l’e‑mail
code-button = Confirmer
# $left is a number.
code-tries-left = Essais restants : { $left }
code-wrong = Ce n’est pas le code indiqué dans l’e‑mail. Veuillez vérifier. Essais restants : { $left }
code-closed = Ce code ne fonctionne plus. Utilisez le lien de l’e‑mail ou abonnez-vous de nouveau pour recevoir un nouveau code.

## Done

done-title = C’est confirmé
done-title-again = C’est déjà confirmé
done-text = Merci. { $brand } peut maintenant vous écrire.
done-text-again = Vous aviez déjà confirmé. Vous n’avez plus rien à faire.
done-purposes = Votre abonnement
done-leave = Vous pouvez vous désabonner à tout moment : chaque e‑mail contient un lien pour le faire.
done-preferences = Modifier ce que { $brand } vous envoie
done-receipt = Garder un reçu de cette confirmation
done-continue = Continuer

## This was not me

decline-title = Ce n’était pas vous ?
decline-text = Quelqu’un d’autre a donc saisi votre adresse, peut-être par erreur. Dites-le-nous et tout s’arrête ici.
decline-happens = Ce qui se passe alors
decline-happens-1 = La demande est close et ses liens ne fonctionnent plus.
decline-happens-2 = { $brand } n’a pas votre accord et ne vous écrit pas.
decline-happens-3 = Nous notons que vous nous l’avez dit, et à quel moment.
decline-button = Non, ce n’était pas moi
decline-else = Si c’était vous finalement, fermez simplement cette page. Rien n’a changé.
decline-code-text = Il semble qu’un programme ait ouvert les liens de l’e‑mail avant vous. Certains services de messagerie le font pour les contrôler. Pour que personne ne dise non à votre place, veuillez saisir les six chiffres indiqués dans l’e‑mail.
decline-code-wrong = Ce ne sont pas les chiffres de l’e‑mail. Veuillez saisir les six chiffres tels qu’ils y figurent.
declined-title = Merci de nous l’avoir dit
declined-text = La demande est close. { $brand } n’a pas votre accord et ne vous écrit pas. Si un jour vous souhaitez tout de même recevoir ses e‑mails, écrivez à { $contact }.
decline-after-confirmation-title = C’était déjà confirmé
decline-after-confirmation-text = La demande a déjà été confirmée. Pour vous désabonner, utilisez le lien de n’importe quel e‑mail envoyé par { $brand } ou écrivez au contact ci-dessous.

## About this mail

about-title = À propos de cet e‑mail
# $brand is the name of the sender.
about-intro = { $brand } vous demande si vous souhaitez recevoir ses e‑mails.
about-who = Qui vous le demande
about-to = À quelle adresse
about-when = Quand elle a été saisie
about-when-tablet = { $date }, d’après l’horloge de la tablette
about-where = Sur quelle page
about-until = Jusqu’à quand les liens fonctionnent
about-why = Pourquoi vous l’avez reçu
about-why-text = Quelqu’un a saisi votre adresse dans un formulaire : très probablement vous, ou une personne qui a fait une faute de frappe. L’e‑mail vous pose la question, pour que personne ne puisse vous abonner à votre place.
about-why-text-at-once = Quelqu’un a saisi votre adresse dans un formulaire : très probablement vous, ou une personne qui a fait une faute de frappe. L’e‑mail vous demande si c’était vous, car personne d’autre ne peut le dire.
about-nothing = Si vous ne faites rien
about-nothing-text = Rien n’est confirmé. Les liens de l’e‑mail cessent de fonctionner le { $date }.
about-nothing-text-at-once = Rien n’est confirmé. { $brand } peut toutefois vous envoyer ce qui a été demandé dans le formulaire, sauf si vous appuyez sur « Ce n’était pas moi ». Les liens de l’e‑mail cessent de fonctionner le { $date }.
about-yes = Si c’était vous
about-yes-text = Revenez à l’e‑mail et appuyez sur le bouton qu’il contient.
about-no = Si ce n’était pas vous

## Links that do not work

link-expired-title = Ce lien est trop ancien
link-expired-text = Il ne fonctionnait que pour une durée limitée. { $brand } peut vous envoyer un nouvel e‑mail.
link-expired-action = Envoyer un nouvel e‑mail
link-over-title = Ce lien est trop ancien
link-over-text = Il ne fonctionnait que pour une durée limitée. Vous pouvez vous abonner à { $brand } à tout moment.
link-bounced-title = L’e‑mail n’est pas arrivé
link-bounced-text = L’e‑mail de { $brand } est revenu comme non distribuable ; cette demande a donc pris fin. Vous pouvez vous abonner de nouveau à tout moment.
link-fresh-title = Consultez votre boîte de réception
link-fresh-text = Si nous pouvons encore écrire à cette adresse, un nouvel e‑mail envoyé par { $brand } est en route. Appuyez sur le bouton qu’il contient.
link-replaced-title = Il y a un e‑mail plus récent
link-replaced-text = Il a remplacé celui-ci. Veuillez utiliser le lien du dernier e‑mail envoyé par { $brand }.
link-corrected-title = L’adresse a été modifiée
link-corrected-text = La personne qui a saisi cette adresse l’a corrigée depuis. Il n’y a plus rien à faire.
link-broken-title = Ce lien ne fonctionne pas
link-broken-text = Il a peut-être été coupé en chemin. Ouvrez-le de nouveau depuis l’e‑mail ou copiez le lien en entier.

## Errors

error-not-found-title = Il n’y a rien ici
error-not-found-text = L’adresse de cette page n’est pas la bonne, ou la page n’existe plus.
error-unavailable-title = Veuillez réessayer dans une minute
error-unavailable-text = Quelque chose ne fonctionne pas de notre côté en ce moment. Votre envoi n’a pas été enregistré.
error-too-many-title = Veuillez patienter un instant
error-too-many-text = Il y a eu trop de demandes à la fois. Veuillez réessayer dans une minute.
error-too-large-title = C’est trop
error-too-large-text = L’envoi dépasse ce que ce formulaire accepte. Veuillez revenir en arrière et le raccourcir.
error-too-slow-title = Cela a pris trop de temps
error-too-slow-text = Votre envoi n’est pas arrivé à temps. Veuillez revenir en arrière et renvoyer le formulaire.
error-malformed-title = L’envoi est illisible
error-malformed-text = Ce qui a été envoyé est endommagé. Veuillez revenir en arrière et renvoyer le formulaire.
error-unknown-kind-title = L’envoi est illisible
# For programmers: the three names stay as they are.
error-unknown-kind-text = Envoyez le formulaire en application/x-www-form-urlencoded, multipart/form-data ou application/json.

## For the owner of a website: three ways to show the form there

embed-title = Placez ce formulaire sur votre site
# $form is the title of the form.
embed-intro = Il y a trois façons d’afficher « { $form } ». Choisissez-en une et copiez-la. Toutes mènent au même e‑mail et à la même preuve.
embed-languages = Langue du formulaire :
embed-script-title = Avec un script
embed-script-text = Le formulaire reprend la largeur, les polices et les couleurs de votre page, et les étapes suivantes se déroulent sur place. Indiquez votre site sous « origins » dans le formulaire.
embed-html-title = En HTML simple
embed-html-text = Fonctionne partout et sans script. Vous choisissez sa présentation ; l’étape suivante s’ouvre sur notre page. Gardez le texte au-dessus du bouton : c’est ce que les personnes acceptent.
embed-html-proof = Pas pour ce formulaire : il demande un petit calcul qui tient les programmes à l’écart, et ce calcul exige un script. Choisissez une des autres façons.
embed-frame-title = Dans un cadre
embed-frame-text = Pour les outils de création de sites qui n’autorisent ni scripts ni formulaires. Choisissez la hauteur qui convient.
embed-policy = Si votre site applique une politique de sécurité stricte (Content-Security-Policy), autorisez :
embed-copy = Copier
embed-copied = Copié
embed-preview = Voir le formulaire
embed-paper-title = Sur papier : un code QR
embed-paper-text = On le scanne et on s’abonne sur son propre téléphone. Pour affiches, tracts et stands.
embed-paper-code = Code QR qui mène au formulaire
embed-paper-poster = Une feuille à imprimer
embed-paper-booth = La page pour la tablette d’un stand
embed-paper-file = Le code en fichier (SVG)

## A sheet to put up at a booth, with the code that leads to the form

# Below the title of the form, above the code.
poster-lead = Scannez le code, saisissez votre adresse, confirmez l’e‑mail.
# Read to people who do not see the code. $address is the address of the form.
poster-code = Code QR pour { $address }

## The form on a booth’s tablet, where one person after the other signs

kiosk-thanks-title = Merci
kiosk-thanks-text = Regardez votre boîte de réception : un e‑mail est en route. Appuyez sur le bouton qu’il contient et vous serez abonné(e).
# Where there was no connection.
kiosk-kept-text = Votre inscription est conservée ici, chiffrée, jusqu’à ce que cet appareil retrouve une connexion. Vous recevrez alors un e‑mail : appuyez sur le bouton qu’il contient.
kiosk-next = Personne suivante
# $seconds counts down; keep the unit a sign. The same below.
kiosk-next-in = Cette page revient à un formulaire vide dans { $seconds } s.
kiosk-still-there = Êtes-vous toujours là ?
kiosk-cleared-in = Ce qui a été saisi sera effacé dans { $seconds } s.
kiosk-continue = Je suis toujours là
# Problems that only the people of the booth can mend.
kiosk-full = Cet appareil ne peut plus rien conserver. Veuillez prévenir l’équipe du stand.
kiosk-failed = Il n’y a pas de connexion, et cet appareil ne peut rien conserver. Veuillez prévenir l’équipe du stand.
# A corner for the people of the booth.
kiosk-staff = Pour l’équipe du stand
kiosk-staff-text = Les inscriptions en attente sont chiffrées : personne ne peut les lire sur cet appareil. Elles partent d’elles-mêmes dès qu’il y a une connexion. N’effacez pas les données de ce navigateur tant qu’il y en a.
kiosk-ready = Fonctionne sans connexion
kiosk-not-ready = Pas encore prêt à fonctionner sans connexion
kiosk-not-ready-clock = L’horloge de cet appareil est fausse : pas prêt sans connexion
kiosk-never-ready = Fonctionne uniquement avec une connexion : rien ne peut être conservé sans https
# $count is a number.
kiosk-waiting = En attente d’envoi : { $count }
kiosk-send = Envoyer maintenant
kiosk-sent = Rien n’est en attente d’envoi.
kiosk-no-connection = Pas de connexion pour le moment. Rien n’est perdu.
kiosk-seconds = Secondes avant la personne suivante
# $count is a number. A list follows, each line of kiosk-entered and a reason.
kiosk-refused = Non enregistrées : { $count }
kiosk-entered = Saisie le { $date } :
kiosk-try-again = Réessayer
kiosk-remove = Supprimer définitivement
kiosk-remove-sure = Personne ne pourra les récupérer. Appuyez encore une fois pour les supprimer.
kiosk-clock = L’horloge de cet appareil est fausse. Réglez-la, sinon des inscriptions peuvent être refusées.
kiosk-refused-late = D’après l’horloge de cet appareil, la saisie date de plus de 30 jours.
kiosk-refused-early = D’après l’horloge de cet appareil, la saisie se situe dans l’avenir.
kiosk-refused-unreadable = Elle ne peut pas être ouverte : elle appartient à un autre formulaire, ou le secret du serveur a changé.
kiosk-no-scripts = Sans scripts, cette page ne fonctionne qu’avec une connexion et se vide quand on appuie sur « Personne suivante ».
# For whoever sets a booth up.
kiosk-off-title = Ce formulaire n’a pas de page pour un stand
kiosk-off-text = La personne qui le gère peut déclarer kiosk = true pour ce formulaire, puis l’appliquer.

## The same pages for people whom a campaign asked: nobody entered their address just now

ask-asked-on = { $brand } vous l’a demandé le { $date }.
ask-no = Non, merci
ask-decline-title = Vous ne voulez pas de ce courriel ?
ask-decline-text = Dites-le-nous, et cela s’arrête ici.
ask-decline-button = Non, je n’en veux pas
ask-decline-else = Si vous le voulez, fermez simplement cette page. Rien n’a changé.
ask-about-when = Quand on vous l’a demandé
ask-about-why-text = { $brand } vous le demande elle-même. Le courriel dit d’où vient votre adresse. Personne d’autre ne peut dire oui à votre place.
ask-about-yes = Si vous le voulez
ask-about-no = Si vous ne le voulez pas

## Se désabonner : la page derrière le lien de désabonnement d’un e-mail

leave-title = Vous désabonner de { $brand } ?
leave-text = Un clic, et { $brand } n’envoie plus rien à cette adresse :
leave-one-title = Vous désabonner de « { $purpose } » ?
leave-one-text = Un clic, et « { $purpose } » n’arrive plus à cette adresse :
leave-button = Oui, je me désabonne
leave-else = Si vous vouliez seulement regarder, fermez cette page. Rien n’a changé.
left-title = Vous êtes désabonné
left-text = À partir de maintenant, { $brand } ne vous envoie plus rien.
left-one-text = À partir de maintenant, vous ne recevez plus « { $purpose } ».
left-all-button = Me désabonner de tous les e-mails de { $brand }
left-undo = Vous avez changé d’avis ? Demandez la page de vos choix
leave-gone-title = Il n’y a rien dont se désabonner
leave-gone-text = { $brand } ne garde plus rien de cette adresse et ne lui écrit pas.
link-left-title = Vous vous êtes désabonné depuis
link-left-text = Cet e-mail date d’avant votre désabonnement de { $brand } ; ses liens ne fonctionnent donc plus. Vous pouvez vous réabonner à tout moment.

## Préférences : la page derrière le lien qui n’est envoyé qu’à l’adresse

prefer-title = Vos choix
prefer-intro = Ce que { $brand } peut envoyer à cette adresse :
prefer-consent = En appuyant sur le bouton, vous acceptez que { $brand } vous envoie les e-mails dont vous cochez vous-même la case ici, tels qu’ils sont décrits ici. Une case déjà cochée n’est pas un nouvel accord. Vous pouvez le modifier ici à tout moment.
# At a box beside a kind of mail that the sender writes already, without a yes given here. Becomes part of what the person agrees to.
prefer-agree = J’accepte de les recevoir (pas encore confirmé ici)
# In the place of prefer-consent behind a link that another program sent.
prefer-agree-by-mail = Ce que vous désactivez ici l’est aussitôt. Pour accepter des e-mails, il vous faut un nouveau lien, envoyé à votre adresse.
prefer-save = Enregistrer mes choix
prefer-language = Langue
prefer-saved = Enregistré.
prefer-unchanged = Tout était déjà ainsi.
prefer-other-wording = La description de ces e-mails a changé depuis que vous avez ouvert la page : rien n’a donc été activé. Ce que vous avez désactivé l’est. Veuillez la relire et enregistrer à nouveau.
prefer-erase-stays = Ces choix ont été modifiés très souvent aujourd’hui : votre demande d’effacement reste donc en vigueur. Veuillez réessayer demain.
prefer-too-often = Ces choix ont été modifiés très souvent aujourd’hui : ce que vous avez activé, la pause et la langue restent donc tels quels. Veuillez réessayer demain. Désactiver des e-mails et se désabonner fonctionne toujours.
prefer-pause-title = Pause
prefer-pause-text = Aucun e-mail pendant un temps. Vos choix restent tels quels.
prefer-pause-days = { $days } jours
prefer-paused = Aucun e-mail avant le { $date }.
# $purposes is a list of names such as "Newsletter, Events"; it stands at the end.
prefer-came-back = Des e-mails envoyés à cette adresse sont revenus comme non distribuables. { $brand } n’y envoie donc rien tant qu’il ne sait pas qu’ils arrivent de nouveau. Vos choix restent tels quels. Non envoyé : { $purposes }
prefer-not-written = { $brand } n’écrit pas à cette boîte aux lettres pour le moment. Vos choix restent tels quels. Non envoyé : { $purposes }
prefer-resume = Terminer la pause
prefer-leave-title = Se désabonner de tout
prefer-leave-text = { $brand } ne vous envoie alors plus rien, quoi qu’il envoie plus tard.
prefer-leave-button = Me désabonner de tout
prefer-data-title = Vos données
prefer-data-text = Tout ce qui est gardé de vous ici, à lire et à emporter.
prefer-data-report = Sous forme de rapport avec sa preuve (ZIP)
prefer-data-json = Sous forme de fichier pour programmes (JSON)
prefer-erase = Tout effacer
prefer-erase-kept = Vous avez demandé que tout soit effacé. Ce sera fait automatiquement dès que { $brand } n’en aura plus besoin pour une action en justice.
prefer-erase-off = Vous avez retiré votre demande de tout effacer.
prefer-expired-title = Ce lien est trop ancien
prefer-expired-text = Il montre vos propres données et ne fonctionne donc que pour un temps limité. Vous pouvez en recevoir un nouveau.
prefer-expired-action = Demander un nouveau lien
prefer-by-mail-title = Encore une étape : un lien par e-mail
prefer-by-mail-text = Pour être sûr qu’il s’agit bien de vous, { $brand } envoie un nouveau lien à votre adresse avant que vous n’activiez des e-mails, ne consultiez vos données ou ne les effaciez. Désactiver, se désabonner, la pause et la langue fonctionnent tout de suite depuis cette page.

erase-title = Tout effacer ?
erase-text = Tout ce que { $brand } garde ici de cette adresse est effacé : vos choix, ce que vous avez confirmé et quand. C’est irréversible.
erase-sealed = Ce qui prouve votre consentement reste sous clé pour un temps limité. Seul un litige l’ouvre.
erase-remains = Il reste un nombre que personne ne peut retransformer en votre adresse, pour qu’aucune liste ne la ramène.
erase-button = Oui, tout effacer
erase-else = Si vous ne voulez simplement plus d’e-mails, revenez en arrière et désabonnez-vous.
erased-title = Effacé
erased-text = Ce que { $brand } gardait ici de votre adresse est effacé.
# Where an owner holds the contact for a claim: before the button is pressed.
erase-held = { $brand } a besoin de ce qui est conservé de cette adresse pour une action en justice. Tout sera effacé automatiquement dès qu’elle sera terminée ; d’ici là, votre demande est conservée.
erase-kept-title = Votre demande est conservée
erase-kept-text = { $brand } a besoin de ce qui est conservé de cette adresse pour une action en justice. Dès qu’elle sera terminée, tout sera effacé automatiquement ; vous n’avez pas à le redemander. Écrivez à { $brand } si vous voulez en savoir plus. Vous pouvez dès maintenant vous désabonner de tous les e-mails.
erase-kept-back = Retour à vos préférences
# On a button.
erase-kept-undo = Ne pas effacer finalement

## Un nouveau lien, pour qui a perdu le sien

lost-title = Vos choix
lost-text = Ici, vous choisissez ce que { $brand } vous envoie, faites une pause, vous désabonnez ou consultez vos données. Indiquez votre adresse, et votre lien personnel arrive par e-mail.
lost-button = M’envoyer le lien
lost-sent-title = Regardez votre boîte de réception
lost-sent-text = Si { $brand } connaît cette adresse, un e-mail avec votre lien est en route. Cela peut prendre une minute.
