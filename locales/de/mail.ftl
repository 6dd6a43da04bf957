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
mail-asked-tablet = Ihre Adresse wurde auf einem Tablet eingegeben, nach dessen Uhr am { $date }.
mail-expires = Der Link und der Code gelten bis zum { $date }.
# The link mail-not-me-link, or an address, follows.
mail-not-me = Wenn Sie das nicht waren, tun Sie nichts oder sagen Sie es uns hier:
mail-not-me-link = Das war ich nicht
mail-about-link = Über diese E-Mail

## Kampagnen: Menschen, die per Mail gefragt werden. $old ist eine Marke, die jetzt zu $brand gehört.

mail-invitation-subject = { $purposes } von { $brand }: ja oder nein?
mail-invitation-lead = Darf { $brand } Ihnen { $purposes } senden?
mail-reconfirmation-subject = Möchten Sie weiterhin { $purposes } von { $brand }?
mail-reconfirmation-lead = Möchten Sie weiterhin { $purposes } von { $brand }? Bitte bestätigen Sie es.
mail-reconfirmation-button = Ja, ich bleibe dabei
mail-merger-subject = { $old } gehört jetzt zu { $brand }
mail-merger-lead = { $old } gehört jetzt zu { $brand }. Möchten Sie angemeldet bleiben?
mail-merger-text = Ihre Adresse ist mit { $old } zu { $brand } gekommen. { $brand } darf Ihnen so schreiben, wie { $old } es durfte, bis diese Einwilligung endet. Sie können jetzt bestätigen oder sich abmelden.
mail-merger-button = Ja, ich bleibe angemeldet
mail-merger-no-link = Ich melde mich ab
mail-reminder-subject = Erinnerung: { $subject }
mail-ask-code = Fragt die Seite nach einem Code, geben Sie diesen ein:
mail-ask-no = Sie möchten das nicht? Sagen Sie es hier, und { $brand } schreibt Ihnen nicht mehr:
mail-ask-no-link = Nein, danke
mail-again-stays = Wenn Sie nicht antworten, ändert sich nichts: Sie bleiben dabei.
mail-again-ends = Wenn Sie nicht bis zum { $date } antworten, schickt { $brand } Ihnen das nicht mehr.
mail-again-no = Sie möchten das nicht mehr? Sagen Sie es hier, und { $brand } schickt es nicht mehr:
mail-why-again = Sie erhalten diese Mail, weil Sie bestätigt haben, dass Sie das möchten. { $brand } fragt nach einiger Zeit erneut.
mail-why-website-form = Sie erhalten diese Mail, weil Ihre Adresse in ein Formular von { $brand } eingegeben wurde.
mail-why-purchase = Sie erhalten diese Mail, weil Sie bei { $brand } etwas gekauft haben.
mail-why-written-agreement = Sie erhalten diese Mail, weil Sie eine Vereinbarung mit { $brand } haben.
mail-why-donation-or-volunteering = Sie erhalten diese Mail, weil Sie { $brand } gespendet oder ehrenamtlich geholfen haben.
mail-why-active-member = Sie erhalten diese Mail, weil Sie ein Konto oder eine Mitgliedschaft bei { $brand } haben.
mail-why-newsletter-form = Sie erhalten diese Mail, weil Sie ein Formular für diesen Newsletter von { $brand } ausgefüllt haben.
mail-why-ad-response = Sie erhalten diese Mail, weil Sie auf eine Anzeige von { $brand } geantwortet haben.
mail-why-direct-email = Sie erhalten diese Mail, weil Sie { $brand } geschrieben haben.
mail-why-personal-acquaintance = Sie erhalten diese Mail, weil jemand bei { $brand } Sie kennt.
mail-why-event-booth = Sie erhalten diese Mail, weil Sie den Stand von { $brand } besucht haben.
mail-why-event-organizer-list = Sie erhalten diese Mail, weil der Veranstalter eines Ereignisses { $brand } Ihre Adresse gegeben hat.
mail-why-employer-list = Sie erhalten diese Mail, weil Ihr Arbeitgeber Sie { $brand } für ein Angebot an Sie genannt hat.
mail-why-merger-or-acquisition = Sie erhalten diese Mail, weil Ihre Adresse bei einem Unternehmen war, das jetzt zu { $brand } gehört.
mail-why-other = Sie erhalten diese Mail, weil { $brand } Ihre Adresse hat.

## Der Link zu den Einstellungen, für alle, die ihren verloren haben

mail-preferences-subject = Ihre Auswahl bei { $brand }
mail-preferences-lead = Hier wählen Sie aus, was { $brand } Ihnen schickt, legen eine Pause ein, melden sich ab oder sehen Ihre Daten ein.
mail-preferences-button = Meine Auswahl öffnen
mail-preferences-why = Jemand hat diesen Link auf unserer Seite angefordert, wahrscheinlich Sie. Er gilt bis { $date }. Wenn Sie es nicht waren, tun Sie nichts: Es ändert sich nichts.
