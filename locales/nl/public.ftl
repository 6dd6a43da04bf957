### The words of the public pages: forms, "check your inbox", the links of the mail, errors.
###
### For translators: short sentences, second person, active, no exclamation marks. Say "subscribe", "confirm", "leave";
### never the trade's own terms such as "opt in". Numbers stand after a colon or before a unit sign, so that no text needs
### a plural. The texts that begin with "form-default-" become part of what a person agrees to.

## Every page

page-privacy = Privacy
page-contact = Contact
# Read to people who cannot see the page: names the row of language links.
page-languages = Taal
# Small line at the foot. It opens the text below it.
page-checked-by = Gecontroleerd door countersign
page-checked-by-text = countersign regelt de bevestiging voor de afzender. Het bewaart wat je te zien kreeg, wat je antwoordde en wanneer, in een logboek dat niemand ongemerkt kan veranderen. Zo kan niemand beweren dat je ja hebt gezegd als dat niet zo is.

## The form

# Used where the form has no texts of its own. $brand is the name of the sender.
form-default-title = Schrijf je in bij { $brand }
form-default-intro = Vul je e‑mailadres in. We sturen je daarna één e‑mail om te controleren of het adres van jou is.
form-default-consent = Door op de knop te drukken ga je ermee akkoord dat { $brand } je de e-mails stuurt die hier beschreven staan. Je kunt je altijd uitschrijven: in elke e-mail staat daarvoor een link.
form-default-button = Inschrijven

form-email-label = E‑mailadres
form-name-label = Naam
# In brackets behind the label of a field that may stay empty.
form-optional = niet verplicht
# Label of a field that people do not see; it catches programs.
form-trap-label = Laat dit veld leeg
# A link behind the wording of consent.
form-privacy = Hoe { $brand } met je gegevens omgaat

# While the browser does a small calculation that keeps programs out. Nothing is asked of the person.
form-proof-working = We controleren of dit geen programma is. Dat duurt heel even.
form-proof-done = Controle klaar.
form-proof-failed = De controle is niet gelukt. Druk nog een keer op de knop.
form-needs-script = Dit formulier is beveiligd tegen programma’s en heeft JavaScript nodig. Zet JavaScript aan en laad de pagina opnieuw.
form-sending = Versturen…
# The server could not be reached.
form-failed = Dat is niet gelukt. Controleer je verbinding en probeer het opnieuw.

## Problems with a form

form-problem-title = Controleer wat je hebt ingevuld
form-problem-empty = Vul je e‑mailadres in.
form-problem-at = In dit adres ontbreekt het @-teken. Het moet eruitzien als anna@example.org.
form-problem-space = In een adres staan geen spaties. Vul alleen het adres in, zoals anna@example.org.
form-problem-syntax = Er zit een fout in dit adres. Het moet eruitzien als anna@example.org.
form-problem-domain = Het deel na het @-teken kan geen e‑mail ontvangen. Controleer of je het goed hebt geschreven.
form-problem-long = Dit adres is te lang. Controleer het.
form-problem-unusual = We kunnen niet schrijven naar adressen met aanhalingstekens, opmerkingen of cijfers tussen haakjes. Gebruik een ander adres.
form-problem-role = Dit lijkt een adres dat meerdere mensen lezen. Gebruik je eigen adres: alleen jij kunt voor jezelf toestemming geven.
form-problem-purpose = Kies minstens één soort e‑mail.
form-problem-gone = Dit formulier biedt niet meer aan wat je had gekozen. Kies uit wat er nu is.
form-problem-proof = De controle tegen programma’s ontbrak of was te oud. Druk nog een keer op de knop.
# Follows the text of a problem. $address is an address that the person may have meant.
form-did-you-mean = Bedoelde je { $address }?

## Check your inbox

inbox-title = Kijk in je inbox
# The address follows on a line of its own.
inbox-sent-to = We hebben een e‑mail gestuurd naar:
# $sender is an address. The words in quotation marks are the beginning of mail-subject.
inbox-from = De e‑mail komt van { $sender }. Het onderwerp begint met “Graag bevestigen”. Druk op de knop in de e‑mail of vul hier de code in.
inbox-code-label = De zes cijfers uit de e‑mail
inbox-code-button = Bevestigen
# The page changes by itself once the person has confirmed.
inbox-waiting = We wachten op je antwoord. Deze pagina merkt het vanzelf.
# Only where scripts are off; the link inbox-check-again follows.
inbox-waiting-plain = Heb je op de knop in de e‑mail gedrukt?
inbox-check-again = Opnieuw controleren
# $name is the name of a mail service.
inbox-webmail = { $name } openen
inbox-nothing = Niets te zien? Kijk in je spammap of laat de e‑mail nog een keer sturen.
inbox-resend = Opnieuw sturen
# On the button while it cannot be pressed yet. $seconds counts down; keep the unit a sign.
inbox-resend-wait = Opnieuw sturen over { $seconds } s
# Also shown where no second mail may be sent, so it promises no arrival.
inbox-sent-again = We hebben nog een keer om de e‑mail gevraagd. Het kan even duren.
inbox-resend-early = Dat was te vroeg: er is niets gestuurd.
inbox-resend-in = Opnieuw sturen kan over { $seconds } s.
inbox-wrong-address = Verkeerd adres?
inbox-change-label = Je juiste adres
inbox-change-button = Dit adres gebruiken
inbox-change-limit = Het adres is al meerdere keren verbeterd. Vul het formulier opnieuw in als je een ander adres wilt gebruiken.
# $address is an address that the person may have meant.
inbox-did-you-mean = Bedoelde je { $address }?
inbox-did-you-mean-yes = Ja, gebruik dit adres
inbox-confirmed-title = Bevestigd
inbox-continue = Verder
# A request that is over: declined, replaced or too old.
inbox-closed-title = Deze aanvraag is afgesloten
inbox-closed-text = De aanvraag is beantwoord, vervangen door een nieuwere of te oud. Wil je e‑mails van { $brand }, vul het formulier dan opnieuw in. Komt er geen e‑mail, schrijf dan naar { $contact }.
inbox-closed-action = Opnieuw inschrijven

## Confirm: the page behind the link in the mail

# $brand is the name of the sender.
confirm-title = Inschrijven bij { $brand }?
# $date is a date with time, $page the name of a website.
confirm-asked-on = Dit adres is ingevuld op { $date }.
confirm-asked-on-at = Dit adres is op { $date } ingevuld op { $page }.
confirm-asked-on-tablet = Dit adres is ingevuld op een tablet, volgens de klok daarvan op { $date }.
confirm-purposes = Waarmee je akkoord gaat
confirm-button = Ja, ik schrijf me in
confirm-not-me = Dit was ik niet
# While the page completes by itself, in the browser that signed up.
confirm-working = Bevestigen…

## Confirm with the code, when a program seems to have opened the mail first

code-title = Nog één stap
code-text = Het lijkt erop dat een programma de links in de e‑mail eerder heeft geopend dan jij. Sommige e‑maildiensten doen dat als controle. Vul daarom de zes cijfers uit de e‑mail in.
code-label = De zes cijfers uit de e‑mail
code-button = Bevestigen
# $left is a number.
code-tries-left = Resterende pogingen: { $left }
code-wrong = Dat is niet de code uit de e‑mail. Kijk nog eens goed. Resterende pogingen: { $left }
code-closed = Deze code werkt niet meer. Gebruik de link in de e‑mail of schrijf je opnieuw in voor een nieuwe code.

## Done

done-title = Bevestigd
done-title-again = Al bevestigd
done-text = Dank je wel. { $brand } mag je nu e‑mails sturen.
done-text-again = Je hebt al eerder bevestigd. Je hoeft niets meer te doen.
done-purposes = Waarvoor je je hebt ingeschreven
done-leave = Je kunt je altijd uitschrijven: in elke e‑mail staat daarvoor een link.
done-preferences = Wijzig wat { $brand } je stuurt
done-receipt = Een bewijs van deze bevestiging bewaren
done-continue = Verder

## This was not me

decline-title = Was jij dit niet?
decline-text = Dan heeft iemand anders je adres ingevuld, misschien per ongeluk. Laat het ons weten, dan houdt het hier op.
decline-happens = Wat er dan gebeurt
decline-happens-1 = We sluiten de aanvraag af en de links werken niet meer.
decline-happens-2 = { $brand } heeft geen toestemming van je en stuurt je geen e‑mails.
decline-happens-3 = We leggen vast dat je het hebt gemeld, en wanneer.
decline-button = Nee, dit was ik niet
decline-else = Was je het toch zelf? Sluit dan gewoon deze pagina. Er is niets veranderd.
decline-code-text = Het lijkt erop dat een programma de links in de e‑mail eerder heeft geopend dan jij. Sommige e‑maildiensten doen dat als controle. Vul daarom de zes cijfers uit de e‑mail in, zodat niemand in jouw plaats nee zegt.
decline-code-wrong = Dit zijn niet de cijfers uit de e‑mail. Typ de zes cijfers zoals ze daar staan.
declined-title = Bedankt voor je melding
declined-text = De aanvraag is afgesloten. { $brand } heeft geen toestemming van je en stuurt je geen e‑mails. Wil je die later toch, schrijf dan naar { $contact }.
decline-after-confirmation-title = Dit was al bevestigd
decline-after-confirmation-text = De aanvraag is al bevestigd. Wil je je uitschrijven, gebruik dan de link in een e‑mail van { $brand } of schrijf naar het contactadres hieronder.

## About this mail

about-title = Over deze e‑mail
# $brand is the name of the sender.
about-intro = { $brand } vraagt of je e‑mails wilt ontvangen.
about-who = Wie het vraagt
about-to = Aan welk adres
about-when = Wanneer het is ingevuld
about-when-tablet = { $date }, volgens de klok van de tablet
about-where = Op welke pagina
about-until = Tot wanneer de links werken
about-why = Waarom je deze e‑mail kreeg
about-why-text = Iemand heeft je adres in een formulier ingevuld: waarschijnlijk jijzelf, of iemand die zich vertypte. De e‑mail vraagt het aan jou, zodat niemand anders je kan inschrijven.
about-why-text-at-once = Iemand heeft je adres in een formulier ingevuld: waarschijnlijk jijzelf, of iemand die zich vertypte. De e‑mail vraagt of jij het was, want dat kan niemand anders zeggen.
about-nothing = Als je niets doet
about-nothing-text = Er wordt niets bevestigd. De links in de e‑mail werken niet meer na { $date }.
about-nothing-text-at-once = Er wordt niets bevestigd. Wel mag { $brand } je sturen waar in het formulier om is gevraagd, tenzij je op “Dit was ik niet” drukt. De links in de e‑mail werken niet meer na { $date }.
about-yes = Als jij het was
about-yes-text = Ga terug naar de e‑mail en druk op de knop.
about-no = Als jij het niet was

## Links that do not work

link-expired-title = Deze link is te oud
link-expired-text = De link werkte maar een beperkte tijd. { $brand } kan je een nieuwe e‑mail sturen.
link-expired-action = Nieuwe e‑mail sturen
link-over-title = Deze link is te oud
link-over-text = De link werkte maar een beperkte tijd. Je kunt je altijd inschrijven bij { $brand }.
link-bounced-title = De e‑mail is niet aangekomen
link-bounced-text = De e‑mail van { $brand } kwam terug als onbestelbaar; daarom is deze aanvraag afgesloten. Je kunt je altijd opnieuw inschrijven.
link-fresh-title = Kijk in je inbox
link-fresh-text = Als we nog naar dit adres mogen schrijven, is er een nieuwe e‑mail van { $brand } onderweg. Druk op de knop in die e‑mail.
link-replaced-title = Er is een nieuwere e‑mail
link-replaced-text = Die is in de plaats gekomen van deze. Gebruik de link in de nieuwste e‑mail van { $brand }.
link-corrected-title = Het adres is gewijzigd
link-corrected-text = Wie dit adres invulde, heeft het daarna verbeterd. Je hoeft niets meer te doen.
link-broken-title = Deze link werkt niet
link-broken-text = Misschien is er onderweg een stuk afgevallen. Open de link opnieuw vanuit de e‑mail of kopieer de hele link.

## Errors

error-not-found-title = Hier is niets
error-not-found-text = Het adres van deze pagina klopt niet of de pagina bestaat niet meer.
error-unavailable-title = Probeer het over een minuut opnieuw
error-unavailable-text = Er werkt bij ons op dit moment iets niet. Wat je hebt verstuurd, is niet opgeslagen.
error-too-many-title = Wacht even
error-too-many-text = Er kwamen te veel aanvragen tegelijk. Probeer het over een minuut opnieuw.
error-too-large-title = Dat is te veel
error-too-large-text = Wat je hebt verstuurd, is groter dan dit formulier aankan. Ga terug en maak het korter.
error-too-slow-title = Dat duurde te lang
error-too-slow-text = Wat je hebt verstuurd, kwam niet op tijd aan. Ga terug en verstuur het formulier opnieuw.
error-malformed-title = Dit konden we niet lezen
error-malformed-text = Wat je hebt verstuurd, is beschadigd. Ga terug en verstuur het formulier opnieuw.
error-unknown-kind-title = Dit konden we niet lezen
# For programmers: the three names stay as they are.
error-unknown-kind-text = Verstuur het formulier als application/x-www-form-urlencoded, multipart/form-data of application/json.

## For the owner of a website: three ways to show the form there

embed-title = Zet dit formulier op je website
# $form is the title of the form.
embed-intro = Er zijn drie manieren om “{ $form }” te tonen. Kies er een en kopieer die. Ze leiden allemaal tot dezelfde e‑mail en hetzelfde bewijs.
embed-languages = Taal van het formulier:
embed-script-title = Met een script
embed-script-text = Het formulier neemt de breedte, lettertypen en kleuren van je pagina over en de volgende stappen gebeuren ter plekke. Zet je site bij “origins” van het formulier.
embed-html-title = Als gewone HTML
embed-html-text = Werkt overal en zonder scripts. Je bepaalt zelf de vormgeving; de volgende stap opent op onze pagina. Laat de tekst boven de knop staan: daarmee gaan mensen akkoord.
embed-html-proof = Niet voor dit formulier: het vraagt om een kleine berekening die programma’s buitenhoudt, en daar is een script voor nodig. Kies een van de andere manieren.
embed-frame-title = In een frame
embed-frame-text = Voor websitebouwers die geen scripts of formulieren toestaan. Kies een hoogte die past.
embed-policy = Heeft je website een strikt beveiligingsbeleid (Content-Security-Policy), sta dan dit toe:
embed-copy = Kopiëren
embed-copied = Gekopieerd
embed-preview = Formulier bekijken
embed-paper-title = Op papier: een QR-code
embed-paper-text = Mensen scannen hem en melden zich aan op hun eigen telefoon. Voor posters, folders en stands.
embed-paper-code = QR-code die naar het formulier leidt
embed-paper-poster = Een vel om af te drukken
embed-paper-booth = De pagina voor een tablet op een stand
embed-paper-file = De code als bestand (SVG)

## A sheet to put up at a booth, with the code that leads to the form

# Below the title of the form, above the code.
poster-lead = Scan de code, vul je adres in, bevestig de mail.
# Read to people who do not see the code. $address is the address of the form.
poster-code = QR-code voor { $address }

## The form on a booth’s tablet, where one person after the other signs

kiosk-thanks-title = Bedankt
kiosk-thanks-text = Kijk in je inbox: er is een mail onderweg. Druk op de knop daarin, dan ben je aangemeld.
# Where there was no connection.
kiosk-kept-text = Je gegevens worden hier versleuteld bewaard tot dit apparaat weer verbinding heeft. Dan krijg je een mail: druk op de knop daarin.
kiosk-next = Volgende persoon
# $seconds counts down; keep the unit a sign. The same below.
kiosk-next-in = Over { $seconds } s toont deze pagina weer een leeg formulier.
kiosk-still-there = Ben je er nog?
kiosk-cleared-in = Wat is ingevuld, wordt over { $seconds } s gewist.
kiosk-continue = Ik ben er nog
# Problems that only the people of the booth can mend.
kiosk-full = Dit apparaat kan niets meer bewaren. Zeg het tegen iemand van de stand.
kiosk-failed = Er is geen verbinding en dit apparaat kan niets bewaren. Zeg het tegen iemand van de stand.
# A corner for the people of the booth.
kiosk-staff = Voor de stand
kiosk-staff-text = Wat wacht, is versleuteld: op dit apparaat kan niemand het lezen. Het wordt vanzelf verzonden zodra er verbinding is. Wis de gegevens van deze browser niet zolang er iets wacht.
kiosk-ready = Werkt zonder verbinding
kiosk-not-ready = Nog niet klaar voor gebruik zonder verbinding
kiosk-not-ready-clock = De klok van dit apparaat loopt verkeerd: niet gereed zonder verbinding
kiosk-never-ready = Werkt alleen met verbinding: bewaren kan alleen via https
# $count is a number.
kiosk-waiting = Wachten op verzending: { $count }
kiosk-send = Nu verzenden
kiosk-sent = Er wacht niets op verzending.
kiosk-no-connection = Op dit moment geen verbinding. Er gaat niets verloren.
kiosk-seconds = Seconden tot de volgende persoon
# $count is a number. A list follows, each line of kiosk-entered and a reason.
kiosk-refused = Niet vastgelegd: { $count }
kiosk-entered = Ingevuld op { $date }:
kiosk-try-again = Opnieuw proberen
kiosk-remove = Voorgoed verwijderen
kiosk-remove-sure = Niemand kan ze terughalen. Druk nog eens om ze te verwijderen.
kiosk-clock = De klok van dit apparaat loopt verkeerd. Zet hem goed, anders kan worden geweigerd wat is ingevuld.
kiosk-refused-late = Volgens de klok van dit apparaat is dit meer dan 30 dagen geleden ingevuld.
kiosk-refused-early = Volgens de klok van dit apparaat is dit in de toekomst ingevuld.
kiosk-refused-unreadable = Dit kan niet worden geopend: het hoort bij een ander formulier, of het geheim van de server is veranderd.
kiosk-no-scripts = Zonder scripts werkt deze pagina alleen met verbinding, en wordt ze leeg zodra iemand op ‘Volgende persoon’ drukt.
# For whoever sets a booth up.
kiosk-off-title = Dit formulier heeft geen pagina voor een stand
kiosk-off-text = Wie het beheert, kan voor het formulier kiosk = true opgeven en dat toepassen.

## The same pages for people whom a campaign asked: nobody entered their address just now

ask-asked-on = { $brand } heeft het je op { $date } gevraagd.
ask-no = Nee, bedankt
ask-decline-title = Wil je deze mail niet?
ask-decline-text = Zeg het ons, dan houdt het hier op.
ask-decline-button = Nee, ik wil het niet
ask-decline-else = Wil je het wel, sluit dan gewoon deze pagina. Er is niets veranderd.
ask-about-when = Wanneer het je is gevraagd
ask-about-why-text = { $brand } vraagt het je zelf. In de mail staat waar je adres vandaan komt. Niemand anders kan voor jou ja zeggen.
ask-about-yes = Als je het wilt
ask-about-no = Als je het niet wilt

## Afmelden: de pagina achter de afmeldlink van een mail

leave-title = Afmelden bij { $brand }?
leave-text = Eén druk op de knop, en { $brand } stuurt niets meer naar dit adres:
leave-one-title = Afmelden voor “{ $purpose }”?
leave-one-text = Eén druk op de knop, en “{ $purpose }” komt niet meer op dit adres:
leave-button = Ja, ik meld me af
leave-else = Wilde je alleen kijken, sluit dan gewoon deze pagina. Er is niets veranderd.
left-title = Je bent afgemeld
left-text = Vanaf nu stuurt { $brand } je niets meer.
left-one-text = Vanaf nu krijg je “{ $purpose }” niet meer.
left-all-button = Afmelden voor alle mail van { $brand }
left-undo = Van gedachten veranderd? Vraag de pagina met je keuzes aan
leave-gone-title = Er is niets om je voor af te melden
leave-gone-text = { $brand } bewaart niets meer van dit adres en schrijft er niet naar.
link-left-title = Je hebt je intussen afgemeld
link-left-text = Deze mail is van voor je afmelding bij { $brand }; daarom werken de links niet meer. Je kunt je altijd opnieuw aanmelden.

## Voorkeuren: de pagina achter de link die alleen naar het adres gaat

prefer-title = Je keuzes
prefer-intro = Wat { $brand } naar dit adres mag sturen:
prefer-consent = Met een druk op de knop ga je ermee akkoord dat { $brand } je de mails stuurt waarvan je hier zelf het vakje aanvinkt, zoals ze hier beschreven zijn. Een vakje dat al was aangevinkt, is geen nieuwe toestemming. Je kunt dat hier altijd wijzigen.
# At a box beside a kind of mail that the sender writes already, without a yes given here. Becomes part of what the person agrees to.
prefer-agree = Ik ga hiermee akkoord (hier nog niet bevestigd)
# In the place of prefer-consent behind a link that another program sent.
prefer-agree-by-mail = Wat je hier uitzet, staat meteen uit. Om met mails akkoord te gaan heb je een nieuwe link nodig, die naar je adres gaat.
prefer-save = Mijn keuzes opslaan
prefer-language = Taal
prefer-saved = Opgeslagen.
prefer-unchanged = Alles stond al zo.
prefer-other-wording = De beschrijving van deze mails is veranderd sinds je de pagina opende, dus er is niets aangezet. Wat je hebt uitgezet, staat uit. Lees haar opnieuw en sla nog eens op.
prefer-erase-stays = Deze keuzes zijn vandaag heel vaak veranderd, dus de wens om gewist te worden blijft staan. Probeer het morgen opnieuw.
prefer-too-often = Deze keuzes zijn vandaag heel vaak veranderd, dus wat je hebt aangezet, de pauze en de taal blijven zoals ze waren. Probeer het morgen opnieuw. Uitzetten en afmelden kan altijd.
prefer-pause-title = Pauze
prefer-pause-text = Een tijd geen mail. Je keuzes blijven zoals ze zijn.
prefer-pause-days = { $days } dagen
prefer-paused = Geen mail vóór { $date }.
# $purposes is a list of names such as "Newsletter, Events"; it stands at the end.
prefer-came-back = Mail aan dit adres kwam terug als onbestelbaar. { $brand } stuurt er daarom niets naartoe totdat bekend is dat mail weer aankomt. Je keuzes blijven zoals ze zijn. Niet verstuurd: { $purposes }
prefer-not-written = { $brand } schrijft op dit moment niet naar deze mailbox. Je keuzes blijven zoals ze zijn. Niet verstuurd: { $purposes }
prefer-resume = Pauze beëindigen
prefer-leave-title = Voor alles afmelden
prefer-leave-text = Dan stuurt { $brand } je niets meer, wat het later ook verstuurt.
prefer-leave-button = Voor alles afmelden
prefer-data-title = Je gegevens
prefer-data-text = Alles wat hier van je bewaard wordt, om te lezen en mee te nemen.
prefer-data-report = Als rapport met het bewijs (ZIP)
prefer-data-json = Als bestand voor programma’s (JSON)
prefer-erase = Alles wissen
prefer-erase-kept = Je hebt gevraagd alles te wissen. Dat gebeurt vanzelf zodra { $brand } het niet meer nodig heeft voor een juridische claim.
prefer-erase-off = Je hebt je verzoek om alles te wissen ingetrokken.
prefer-expired-title = Deze link is te oud
prefer-expired-text = Hij toont je eigen gegevens en werkt daarom maar beperkte tijd. Je kunt een nieuwe laten sturen.
prefer-expired-action = Nieuwe link aanvragen
prefer-by-mail-title = Nog één stap: een link per mail
prefer-by-mail-text = Om zeker te zijn dat jij het bent, stuurt { $brand } een nieuwe link naar je adres voordat je mails aanzet, je gegevens bekijkt of ze wist. Uitzetten, afmelden, een pauze en de taal werken hier meteen.

erase-title = Alles wissen?
erase-text = Alles wat { $brand } hier van dit adres bewaart, wordt gewist: je keuzes, wat je hebt bevestigd en wanneer. Dit kan niet ongedaan worden gemaakt.
erase-sealed = Wat je toestemming bewijst, blijft een beperkte tijd achter slot. Alleen een geschil opent het.
erase-remains = Wat blijft, is een getal dat niemand terug kan rekenen naar je adres, zodat geen lijst het terugbrengt.
erase-button = Ja, alles wissen
erase-else = Wil je alleen geen mail meer, ga dan terug en meld je af.
erased-title = Gewist
erased-text = Wat { $brand } hier van je adres bewaarde, is gewist.
# Where an owner holds the contact for a claim: before the button is pressed.
erase-held = { $brand } heeft wat over dit adres bewaard wordt nodig voor een juridische claim. Het wordt vanzelf gewist zodra die is afgerond; tot dan bewaren we je verzoek.
erase-kept-title = Je verzoek is bewaard
erase-kept-text = { $brand } heeft wat over dit adres bewaard wordt nodig voor een juridische claim. Zodra die is afgerond, wordt alles vanzelf gewist; je hoeft het niet opnieuw te vragen. Schrijf { $brand } als je meer wilt weten. Je kunt je nu al voor alle mail afmelden.
erase-kept-back = Terug naar je voorkeuren
# On a button.
erase-kept-undo = Toch niet wissen

## Een nieuwe link, voor wie de zijne kwijt is

lost-title = Je keuzes
lost-text = Hier kies je wat { $brand } je stuurt, las je een pauze in, meld je je af of bekijk je je gegevens. Vul je adres in, en je persoonlijke link komt per mail.
lost-button = Stuur mij de link
lost-sent-title = Kijk in je inbox
lost-sent-text = Als { $brand } dit adres kent, is er een mail met je link onderweg. Het kan een minuut duren.
