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
mail-asked-tablet = Je adres is ingevuld op een tablet, volgens de klok daarvan op { $date }.
mail-expires = De link en de code werken tot { $date }.
# The link mail-not-me-link, or an address, follows.
mail-not-me = Was jij dit niet? Doe dan niets of laat het ons hier weten:
mail-not-me-link = Dit was ik niet
mail-about-link = Over deze e-mail

## Campagnes: mensen die per mail gevraagd worden. $old is een merk dat nu bij $brand hoort.

mail-invitation-subject = { $purposes } van { $brand }: ja of nee?
mail-invitation-lead = Mag { $brand } je { $purposes } sturen?
mail-reconfirmation-subject = Wil je nog { $purposes } van { $brand }?
mail-reconfirmation-lead = Wil je nog { $purposes } van { $brand }? Bevestig dat hier.
mail-reconfirmation-button = Ja, ik blijf aangemeld
mail-merger-subject = { $old } hoort nu bij { $brand }
mail-merger-lead = { $old } hoort nu bij { $brand }. Wil je aangemeld blijven?
mail-merger-text = Je adres is met { $old } naar { $brand } gekomen. { $brand } mag je schrijven zoals { $old } dat mocht, tot die toestemming eindigt. Je kunt nu bevestigen of je afmelden.
mail-merger-button = Ja, ik blijf aangemeld
mail-merger-no-link = Ik meld me af
mail-reminder-subject = Herinnering: { $subject }
mail-ask-code = Vraagt de pagina om een code, vul dan deze in:
mail-ask-no = Wil je dit niet? Laat het ons hier weten, dan schrijft { $brand } je niet meer:
mail-ask-no-link = Nee, bedankt
mail-again-stays = Als je niet antwoordt, verandert er niets: je blijft aangemeld.
mail-again-ends = Als je niet vóór { $date } antwoordt, stuurt { $brand } het je niet meer.
mail-again-no = Wil je het niet meer? Laat het ons hier weten, dan stuurt { $brand } het niet meer:
mail-why-again = Je krijgt deze mail omdat je hebt bevestigd dat je dit wilt. { $brand } vraagt het na verloop van tijd opnieuw.
mail-why-website-form = Je krijgt deze mail omdat je adres op een formulier van { $brand } is ingevuld.
mail-why-purchase = Je krijgt deze mail omdat je iets van { $brand } hebt gekocht.
mail-why-written-agreement = Je krijgt deze mail omdat je een overeenkomst met { $brand } hebt.
mail-why-donation-or-volunteering = Je krijgt deze mail omdat je aan { $brand } hebt gegeven of als vrijwilliger hebt geholpen.
mail-why-active-member = Je krijgt deze mail omdat je een account of lidmaatschap bij { $brand } hebt.
mail-why-newsletter-form = Je krijgt deze mail omdat je een formulier voor deze nieuwsbrief van { $brand } hebt ingevuld.
mail-why-ad-response = Je krijgt deze mail omdat je op een advertentie van { $brand } hebt gereageerd.
mail-why-direct-email = Je krijgt deze mail omdat je { $brand } hebt geschreven.
mail-why-personal-acquaintance = Je krijgt deze mail omdat iemand bij { $brand } je kent.
mail-why-event-booth = Je krijgt deze mail omdat je de stand van { $brand } hebt bezocht.
mail-why-event-organizer-list = Je krijgt deze mail omdat de organisator van een evenement { $brand } je adres heeft gegeven.
mail-why-employer-list = Je krijgt deze mail omdat je werkgever je bij { $brand } heeft genoemd voor iets dat hij je aanbiedt.
mail-why-merger-or-acquisition = Je krijgt deze mail omdat je adres bij een bedrijf stond dat nu bij { $brand } hoort.
mail-why-other = Je krijgt deze mail omdat { $brand } je adres heeft.

## De link naar de voorkeuren, voor wie de zijne kwijt is

mail-preferences-subject = Je keuzes bij { $brand }
mail-preferences-lead = Hier kies je wat { $brand } je stuurt, las je een pauze in, meld je je af of bekijk je je gegevens.
mail-preferences-button = Mijn keuzes openen
mail-preferences-why = Iemand heeft deze link op onze pagina aangevraagd, waarschijnlijk jij. Hij werkt tot { $date }. Was jij het niet, doe dan niets: er verandert niets.
