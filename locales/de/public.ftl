### The words of the public pages: forms, "check your inbox", the links of the mail, errors.
###
### For translators: short sentences, second person, active, no exclamation marks. Say "subscribe", "confirm", "leave";
### never the trade's own terms such as "opt in". Numbers stand after a colon or before a unit sign, so that no text needs
### a plural. The texts that begin with "form-default-" become part of what a person agrees to.

## Every page

page-privacy = Datenschutz
page-contact = Kontakt
# Read to people who cannot see the page: names the row of language links.
page-languages = Sprache
# Small line at the foot. It opens the text below it.
page-checked-by = Geprüft von countersign
page-checked-by-text = countersign übernimmt die Bestätigung für den Absender. Was Ihnen gezeigt wurde, was Sie geantwortet haben und wann, steht in einem Protokoll, das niemand unbemerkt ändern kann. So kann niemand ein Ja behaupten, das Sie nicht gegeben haben.

## The form

# Used where the form has no texts of its own. $brand is the name of the sender.
form-default-title = E‑Mails von { $brand } abonnieren
form-default-intro = Geben Sie Ihre E‑Mail-Adresse ein. Wir senden Ihnen dann eine E‑Mail, um zu prüfen, ob die Adresse Ihnen gehört.
form-default-consent = Wenn Sie auf die Schaltfläche drücken, willigen Sie ein, dass { $brand } Ihnen die hier beschriebenen E-Mails sendet. Sie können sich jederzeit abmelden: Jede E-Mail enthält einen Link dafür.
form-default-button = Abonnieren

form-email-label = E‑Mail-Adresse
form-name-label = Name
# In brackets behind the label of a field that may stay empty.
form-optional = freiwillig
# Label of a field that people do not see; it catches programs.
form-trap-label = Lassen Sie dieses Feld leer
# A link behind the wording of consent.
form-privacy = Wie { $brand } mit Ihren Daten umgeht

# While the browser does a small calculation that keeps programs out. Nothing is asked of the person.
form-proof-working = Wir prüfen, dass hier kein Programm am Werk ist. Das dauert einen Moment.
form-proof-done = Prüfung abgeschlossen.
form-proof-failed = Die Prüfung hat nicht geklappt. Bitte drücken Sie noch einmal auf die Schaltfläche.
form-needs-script = Dieses Formular ist gegen Programme geschützt und braucht JavaScript. Bitte schalten Sie es ein und laden Sie die Seite neu.
form-sending = Wird gesendet…
# The server could not be reached.
form-failed = Das hat nicht geklappt. Bitte prüfen Sie Ihre Verbindung und versuchen Sie es noch einmal.

## Problems with a form

form-problem-title = Bitte prüfen Sie Ihre Eingaben
form-problem-empty = Geben Sie Ihre E‑Mail-Adresse ein.
form-problem-at = In dieser Adresse fehlt das @-Zeichen. Sie sollte aussehen wie anna@example.org.
form-problem-space = Eine Adresse enthält keine Leerzeichen. Geben Sie nur die Adresse ein, wie anna@example.org.
form-problem-syntax = Diese Adresse enthält einen Fehler. Sie sollte aussehen wie anna@example.org.
form-problem-domain = Der Teil nach dem @-Zeichen ist für E‑Mails nicht erreichbar. Bitte prüfen Sie die Schreibweise.
form-problem-long = Diese Adresse ist zu lang. Bitte prüfen Sie sie.
form-problem-unusual = An Adressen mit Anführungszeichen, Kommentaren oder Zahlen in Klammern können wir nicht schreiben. Bitte verwenden Sie eine andere.
form-problem-role = Diese Adresse sieht aus, als würden mehrere Personen mitlesen. Bitte verwenden Sie Ihre eigene: Nur Sie selbst können für sich einwilligen.
form-problem-purpose = Wählen Sie mindestens eine Art von E‑Mails.
form-problem-gone = Das Formular bietet nicht mehr an, was Sie gewählt haben. Bitte wählen Sie aus dem, was es jetzt gibt.
form-problem-proof = Die Prüfung gegen Programme fehlte oder war zu alt. Bitte drücken Sie noch einmal auf die Schaltfläche.
# Follows the text of a problem. $address is an address that the person may have meant.
form-did-you-mean = Meinten Sie { $address }?

## Check your inbox

inbox-title = Sehen Sie in Ihren Posteingang
# The address follows on a line of its own.
inbox-sent-to = Wir haben eine E‑Mail gesendet an:
# $sender is an address. The words in quotation marks are the beginning of mail-subject.
inbox-from = Sie kommt von { $sender }, ihr Betreff beginnt mit „Bitte bestätigen“. Drücken Sie dort auf die Schaltfläche oder geben Sie hier den Code ein.
inbox-code-label = Die sechs Ziffern aus der E‑Mail
inbox-code-button = Bestätigen
# The page changes by itself once the person has confirmed.
inbox-waiting = Wir warten auf Ihre Antwort. Diese Seite bemerkt sie von selbst.
# Only where scripts are off; the link inbox-check-again follows.
inbox-waiting-plain = Haben Sie auf die Schaltfläche in der E‑Mail gedrückt?
inbox-check-again = Erneut prüfen
# $name is the name of a mail service.
inbox-webmail = { $name } öffnen
inbox-nothing = Nichts angekommen? Sehen Sie im Spam-Ordner nach oder lassen Sie die E‑Mail noch einmal senden.
inbox-resend = Noch einmal senden
# On the button while it cannot be pressed yet. $seconds counts down; keep the unit a sign.
inbox-resend-wait = Noch einmal senden in { $seconds } s
# Also shown where no second mail may be sent, so it promises no arrival.
inbox-sent-again = Wir haben die E‑Mail noch einmal angefordert. Es kann eine Minute dauern.
inbox-resend-early = Das war zu früh, es wurde nichts gesendet.
inbox-resend-in = Noch einmal senden geht in { $seconds } s.
inbox-wrong-address = Falsche Adresse?
inbox-change-label = Ihre richtige Adresse
inbox-change-button = Diese Adresse verwenden
inbox-change-limit = Die Adresse wurde schon mehrmals berichtigt. Für eine andere füllen Sie bitte das Formular noch einmal aus.
# $address is an address that the person may have meant.
inbox-did-you-mean = Meinten Sie { $address }?
inbox-did-you-mean-yes = Ja, diese verwenden
inbox-confirmed-title = Bestätigt
inbox-continue = Weiter
# A request that is over: declined, replaced or too old.
inbox-closed-title = Diese Anfrage ist abgeschlossen
inbox-closed-text = Sie wurde beantwortet, durch eine neuere ersetzt oder ist zu alt. Wenn Sie E‑Mails von { $brand } möchten, füllen Sie das Formular noch einmal aus. Kommt dann keine E‑Mail an, schreiben Sie an { $contact }.
inbox-closed-action = Erneut abonnieren

## Confirm: the page behind the link in the mail

# $brand is the name of the sender.
confirm-title = E‑Mails von { $brand } abonnieren?
# $date is a date with time, $page the name of a website.
confirm-asked-on = Diese Adresse wurde am { $date } eingegeben.
confirm-asked-on-at = Diese Adresse wurde am { $date } auf { $page } eingegeben.
confirm-asked-on-tablet = Diese Adresse wurde auf einem Tablet eingegeben, nach dessen Uhr am { $date }.
confirm-purposes = Worin Sie einwilligen
confirm-button = Ja, ich abonniere
confirm-not-me = Das war ich nicht
# While the page completes by itself, in the browser that signed up.
confirm-working = Wird bestätigt…

## Confirm with the code, when a program seems to have opened the mail first

code-title = Noch ein Schritt
code-text = Anscheinend hat ein Programm die Links der E‑Mail vor Ihnen geöffnet. Manche E‑Mail-Dienste tun das zur Prüfung. Bitte geben Sie deshalb die sechs Ziffern aus der E‑Mail ein.
code-label = Die sechs Ziffern aus der E‑Mail
code-button = Bestätigen
# $left is a number.
code-tries-left = Verbleibende Versuche: { $left }
code-wrong = Das ist nicht der Code aus der E‑Mail. Bitte sehen Sie noch einmal nach. Verbleibende Versuche: { $left }
code-closed = Dieser Code gilt nicht mehr. Verwenden Sie den Link in der E‑Mail oder abonnieren Sie erneut, um einen neuen Code zu erhalten.

## Done

done-title = Bestätigt
done-title-again = Bereits bestätigt
done-text = Vielen Dank. { $brand } darf Ihnen jetzt schreiben.
done-text-again = Sie haben schon früher bestätigt. Es ist nichts weiter zu tun.
done-purposes = Was Sie abonniert haben
done-leave = Sie können sich jederzeit abmelden: Jede E‑Mail enthält einen Link dafür.
done-preferences = Ändern, was { $brand } Ihnen schickt
done-receipt = Einen Beleg dieser Bestätigung aufheben
done-continue = Weiter

## This was not me

decline-title = Das waren nicht Sie?
decline-text = Dann hat jemand anders Ihre Adresse eingegeben, vielleicht aus Versehen. Sagen Sie es uns, dann endet es hier.
decline-happens = Was dann geschieht
decline-happens-1 = Die Anfrage wird geschlossen, und ihre Links funktionieren nicht mehr.
decline-happens-2 = { $brand } hat keine Einwilligung von Ihnen und schreibt Ihnen nicht.
decline-happens-3 = Wir halten fest, dass Sie es uns gesagt haben und wann.
decline-button = Nein, das war ich nicht
decline-else = Wenn Sie es doch selbst waren, schließen Sie einfach diese Seite. Es hat sich nichts geändert.
decline-code-text = Anscheinend hat ein Programm die Links der E‑Mail vor Ihnen geöffnet. Manche E‑Mail-Dienste tun das zur Prüfung. Damit niemand an Ihrer Stelle Nein sagt, geben Sie bitte die sechs Ziffern aus der E‑Mail ein.
decline-code-wrong = Das sind nicht die Ziffern aus der E‑Mail. Bitte geben Sie die sechs Ziffern so ein, wie sie dort stehen.
declined-title = Danke für Ihren Hinweis
declined-text = Die Anfrage ist geschlossen. { $brand } hat keine Einwilligung von Ihnen und schreibt Ihnen nicht. Möchten Sie die E‑Mails eines Tages doch, schreiben Sie an { $contact }.
decline-after-confirmation-title = Das wurde schon bestätigt
decline-after-confirmation-text = Die Anfrage ist bereits bestätigt. Um sich abzumelden, verwenden Sie den Link in einer beliebigen E‑Mail von { $brand } oder schreiben Sie an den Kontakt unten.

## About this mail

about-title = Über diese E‑Mail
# $brand is the name of the sender.
about-intro = { $brand } fragt, ob Sie E‑Mails erhalten möchten.
about-who = Wer fragt
about-to = An welche Adresse
about-when = Wann sie eingegeben wurde
about-when-tablet = { $date }, nach der Uhr des Tablets
about-where = Auf welcher Seite
about-until = Bis wann die Links funktionieren
about-why = Warum Sie sie erhalten haben
about-why-text = Jemand hat Ihre Adresse in ein Formular eingegeben: höchstwahrscheinlich Sie selbst oder jemand, der sich vertippt hat. Die E‑Mail fragt Sie, damit niemand außer Ihnen selbst für Sie abonnieren kann.
about-why-text-at-once = Jemand hat Ihre Adresse in ein Formular eingegeben: höchstwahrscheinlich Sie selbst oder jemand, der sich vertippt hat. Die E‑Mail fragt, ob Sie es waren, denn das können nur Sie sagen.
about-nothing = Wenn Sie nichts tun
about-nothing-text = Nichts wird bestätigt. Die Links in der E‑Mail funktionieren nur bis zum { $date }.
about-nothing-text-at-once = Nichts wird bestätigt. { $brand } darf Ihnen aber senden, was im Formular bestellt wurde, solange Sie nicht auf „Das war ich nicht“ drücken. Die Links in der E‑Mail funktionieren nur bis zum { $date }.
about-yes = Wenn Sie es waren
about-yes-text = Gehen Sie zurück zur E‑Mail und drücken Sie dort auf die Schaltfläche.
about-no = Wenn Sie es nicht waren

## Links that do not work

link-expired-title = Dieser Link ist zu alt
link-expired-text = Er galt nur für begrenzte Zeit. { $brand } kann Ihnen eine neue E‑Mail senden.
link-expired-action = Neue E‑Mail senden
link-over-title = Dieser Link ist zu alt
link-over-text = Er galt nur für begrenzte Zeit. Sie können die E‑Mails von { $brand } jederzeit abonnieren.
link-bounced-title = Die E‑Mail ist nicht angekommen
link-bounced-text = Die E‑Mail von { $brand } kam als unzustellbar zurück; damit war diese Anfrage beendet. Sie können jederzeit erneut abonnieren.
link-fresh-title = Sehen Sie in Ihren Posteingang
link-fresh-text = Wenn wir an diese Adresse noch schreiben dürfen, ist eine neue E‑Mail von { $brand } unterwegs. Drücken Sie darin auf die Schaltfläche.
link-replaced-title = Es gibt eine neuere E‑Mail
link-replaced-text = Sie ist an die Stelle dieser E‑Mail getreten. Bitte verwenden Sie den Link in der neuesten E‑Mail von { $brand }.
link-corrected-title = Die Adresse wurde geändert
link-corrected-text = Wer diese Adresse eingegeben hat, hat sie inzwischen berichtigt. Es ist nichts weiter zu tun.
link-broken-title = Dieser Link funktioniert nicht
link-broken-text = Vielleicht wurde er unterwegs abgeschnitten. Öffnen Sie ihn noch einmal aus der E‑Mail oder kopieren Sie den ganzen Link.

## Errors

error-not-found-title = Hier ist nichts
error-not-found-text = Die Adresse dieser Seite stimmt nicht, oder die Seite gibt es nicht mehr.
error-unavailable-title = Bitte versuchen Sie es in einer Minute noch einmal
error-unavailable-text = Bei uns funktioniert gerade etwas nicht. Was Sie gesendet haben, wurde nicht gespeichert.
error-too-many-title = Bitte warten Sie einen Moment
error-too-many-text = Es kamen zu viele Anfragen auf einmal. Bitte versuchen Sie es in einer Minute noch einmal.
error-too-large-title = Das ist zu viel
error-too-large-text = Was gesendet wurde, ist größer, als dieses Formular annimmt. Bitte gehen Sie zurück und kürzen Sie es.
error-too-slow-title = Das hat zu lange gedauert
error-too-slow-text = Was Sie gesendet haben, ist nicht rechtzeitig angekommen. Bitte gehen Sie zurück und senden Sie das Formular noch einmal.
error-malformed-title = Das war nicht lesbar
error-malformed-text = Was gesendet wurde, ist beschädigt. Bitte gehen Sie zurück und senden Sie das Formular noch einmal.
error-unknown-kind-title = Das war nicht lesbar
# For programmers: the three names stay as they are.
error-unknown-kind-text = Senden Sie das Formular als application/x-www-form-urlencoded, multipart/form-data oder application/json.

## For the owner of a website: three ways to show the form there

embed-title = Dieses Formular auf Ihrer Website einbinden
# $form is the title of the form.
embed-intro = Es gibt drei Wege, „{ $form }“ zu zeigen. Wählen Sie einen und kopieren Sie ihn. Alle führen zur selben E‑Mail und zum selben Nachweis.
embed-languages = Sprache des Formulars:
embed-script-title = Mit einem Skript
embed-script-text = Das Formular übernimmt Breite, Schriften und Farben Ihrer Seite, und die nächsten Schritte geschehen an Ort und Stelle. Tragen Sie Ihre Website unter „origins“ des Formulars ein.
embed-html-title = Als reines HTML
embed-html-text = Funktioniert überall und ohne Skripte. Sie gestalten es selbst; der nächste Schritt öffnet sich auf unserer Seite. Lassen Sie den Text über der Schaltfläche stehen: In ihn willigen die Menschen ein.
embed-html-proof = Nicht für dieses Formular: Es verlangt eine kleine Berechnung, die Programme fernhält, und die braucht ein Skript. Wählen Sie einen der anderen Wege.
embed-frame-title = In einem Frame
embed-frame-text = Für Website-Baukästen, die weder Skripte noch Formulare erlauben. Wählen Sie eine passende Höhe.
embed-policy = Hat Ihre Website eine strenge Sicherheitsrichtlinie (Content-Security-Policy), erlauben Sie:
embed-copy = Kopieren
embed-copied = Kopiert
embed-preview = Formular ansehen
embed-paper-title = Auf Papier: ein QR-Code
embed-paper-text = Wer ihn scannt, meldet sich auf dem eigenen Telefon an. Für Plakate, Handzettel und Messestände.
embed-paper-code = QR-Code, der zum Formular führt
embed-paper-poster = Ein Blatt zum Ausdrucken
embed-paper-booth = Die Seite für ein Tablet am Messestand
embed-paper-file = Der Code als Datei (SVG)

## A sheet to put up at a booth, with the code that leads to the form

# Below the title of the form, above the code.
poster-lead = Code scannen, Adresse eingeben, E-Mail bestätigen.
# Read to people who do not see the code. $address is the address of the form.
poster-code = QR-Code für { $address }

## The form on a booth’s tablet, where one person after the other signs

kiosk-thanks-title = Vielen Dank
kiosk-thanks-text = Sehen Sie in Ihr Postfach: Eine E‑Mail ist unterwegs. Klicken Sie darin auf die Schaltfläche, dann sind Sie angemeldet.
# Where there was no connection.
kiosk-kept-text = Ihr Eintrag wird hier verschlüsselt aufbewahrt, bis dieses Gerät wieder eine Verbindung hat. Dann bekommen Sie eine E‑Mail: Klicken Sie darin auf die Schaltfläche.
kiosk-next = Nächste Person
# $seconds counts down; keep the unit a sign. The same below.
kiosk-next-in = Diese Seite zeigt in { $seconds } s wieder ein leeres Formular.
kiosk-still-there = Sind Sie noch da?
kiosk-cleared-in = Ihre Eingaben werden in { $seconds } s gelöscht.
kiosk-continue = Ich bin noch da
# Problems that only the people of the booth can mend.
kiosk-full = Dieses Gerät kann keine weiteren Einträge aufbewahren. Bitte sagen Sie dem Standpersonal Bescheid.
kiosk-failed = Es besteht keine Verbindung, und dieses Gerät kann keine Einträge aufbewahren. Bitte sagen Sie dem Standpersonal Bescheid.
# A corner for the people of the booth.
kiosk-staff = Für das Standpersonal
kiosk-staff-text = Wartende Einträge sind verschlüsselt: Auf diesem Gerät kann sie niemand lesen. Sie werden von selbst gesendet, sobald eine Verbindung besteht. Löschen Sie keine Browserdaten, solange Einträge warten.
kiosk-ready = Funktioniert ohne Verbindung
kiosk-not-ready = Noch nicht bereit für den Betrieb ohne Verbindung
kiosk-not-ready-clock = Die Uhr dieses Geräts geht falsch: nicht bereit ohne Verbindung
kiosk-never-ready = Funktioniert nur mit Verbindung: Einträge lassen sich nur über https aufbewahren
# $count is a number.
kiosk-waiting = Warten auf das Senden: { $count }
kiosk-send = Jetzt senden
kiosk-sent = Es wartet nichts auf das Senden.
kiosk-no-connection = Zurzeit keine Verbindung. Es geht nichts verloren.
kiosk-seconds = Sekunden bis zur nächsten Person
# $count is a number. A list follows, each line of kiosk-entered and a reason.
kiosk-refused = Nicht aufgenommen: { $count }
kiosk-entered = Eingegeben am { $date }:
kiosk-try-again = Noch einmal versuchen
kiosk-remove = Endgültig entfernen
kiosk-remove-sure = Niemand kann sie zurückholen. Zum Entfernen noch einmal drücken.
kiosk-clock = Die Uhr dieses Geräts geht falsch. Stellen Sie sie richtig, sonst werden Einträge womöglich abgelehnt.
kiosk-refused-late = Laut der Uhr dieses Geräts wurde er vor mehr als 30 Tagen eingegeben.
kiosk-refused-early = Laut der Uhr dieses Geräts wurde er in der Zukunft eingegeben.
kiosk-refused-unreadable = Er lässt sich nicht öffnen: Er gehört zu einem anderen Formular, oder das Geheimnis des Servers wurde geändert.
kiosk-no-scripts = Ohne Skripte funktioniert diese Seite nur mit Verbindung und leert sich, sobald jemand auf „Nächste Person“ drückt.
# For whoever sets a booth up.
kiosk-off-title = Dieses Formular hat keine Seite für einen Messestand
kiosk-off-text = Der Betreiber kann für das Formular kiosk = true angeben und die Angaben anwenden.

## The same pages for people whom a campaign asked: nobody entered their address just now

ask-asked-on = { $brand } hat Sie am { $date } gefragt.
ask-no = Nein, danke
ask-decline-title = Sie möchten diese Mail nicht?
ask-decline-text = Sagen Sie es uns, dann endet es hier.
ask-decline-button = Nein, ich möchte sie nicht
ask-decline-else = Möchten Sie sie doch, schließen Sie einfach diese Seite. Es hat sich nichts geändert.
ask-about-when = Wann Sie gefragt wurden
ask-about-why-text = { $brand } fragt Sie selbst. In der Mail steht, woher Ihre Adresse kommt. Niemand sonst kann für Sie zustimmen.
ask-about-yes = Wenn Sie es möchten
ask-about-no = Wenn Sie es nicht möchten

## Abmelden: die Seite hinter dem Abmeldelink einer Mail

leave-title = Von { $brand } abmelden?
leave-text = Ein Klick, und { $brand } schickt nichts mehr an diese Adresse:
leave-one-title = „{ $purpose }“ abbestellen?
leave-one-text = Ein Klick, und „{ $purpose }“ kommt nicht mehr an diese Adresse:
leave-button = Ja, ich melde mich ab
leave-else = Wenn Sie nur nachsehen wollten, schließen Sie einfach diese Seite. Es hat sich nichts geändert.
left-title = Sie sind abgemeldet
left-text = Ab jetzt schickt { $brand } Ihnen nichts mehr.
left-one-text = Ab jetzt bekommen Sie „{ $purpose }“ nicht mehr.
left-all-button = Von allen Mails von { $brand } abmelden
left-undo = Anders überlegt? Fordern Sie die Seite mit Ihrer Auswahl an
leave-gone-title = Es gibt nichts abzumelden
leave-gone-text = { $brand } speichert nichts mehr zu dieser Adresse und schreibt ihr nicht.
link-left-title = Sie haben sich inzwischen abgemeldet
link-left-text = Diese Mail ist älter als Ihre Abmeldung bei { $brand }; deshalb wirken ihre Links nicht mehr. Sie können sich jederzeit wieder anmelden.

## Einstellungen: die Seite hinter dem Link, der nur an die Adresse geht

prefer-title = Ihre Auswahl
prefer-intro = Was { $brand } an diese Adresse schicken darf:
prefer-consent = Mit dem Klick willigen Sie ein, dass { $brand } Ihnen die Mails schickt, deren Kästchen Sie hier selbst ankreuzen, so wie sie hier beschrieben sind. Ein Kästchen, das schon angekreuzt war, ist keine neue Einwilligung. Sie können das hier jederzeit ändern.
# At a box beside a kind of mail that the sender writes already, without a yes given here. Becomes part of what the person agrees to.
prefer-agree = Ich willige darin ein (bisher hier nicht bestätigt)
# In the place of prefer-consent behind a link that another program sent.
prefer-agree-by-mail = Was Sie hier ausschalten, ist sofort aus. Um in Mails einzuwilligen, brauchen Sie einen neuen Link, der an Ihre Adresse geht.
prefer-save = Meine Auswahl speichern
prefer-language = Sprache
prefer-saved = Gespeichert.
prefer-unchanged = Es war schon alles so.
prefer-other-wording = Die Beschreibung dieser Mails hat sich geändert, seit Sie die Seite geöffnet haben. Deshalb wurde nichts eingeschaltet; was Sie ausgeschaltet haben, ist aus. Bitte lesen Sie sie noch einmal und speichern Sie erneut.
prefer-erase-stays = Diese Auswahl wurde heute sehr oft geändert. Der Wunsch, gelöscht zu werden, bleibt deshalb bestehen. Bitte versuchen Sie es morgen noch einmal.
prefer-too-often = Diese Auswahl wurde heute sehr oft geändert. Was Sie eingeschaltet haben, die Pause und die Sprache bleiben deshalb, wie sie waren. Bitte versuchen Sie es morgen noch einmal. Ausschalten und Abmelden geht immer.
prefer-pause-title = Pause
prefer-pause-text = Eine Zeit lang keine Mails. Ihre Auswahl bleibt, wie sie ist.
prefer-pause-days = { $days } Tage
prefer-paused = Keine Mails vor dem { $date }.
# $purposes is a list of names such as "Newsletter, Events"; it stands at the end.
prefer-came-back = Mails an diese Adresse kamen als unzustellbar zurück. { $brand } schickt deshalb nichts dorthin, bis bekannt ist, dass sie wieder ankommen. Ihre Auswahl bleibt, wie sie ist. Nicht verschickt wird: { $purposes }
prefer-not-written = { $brand } schreibt zurzeit nicht an dieses Postfach. Ihre Auswahl bleibt, wie sie ist. Nicht verschickt wird: { $purposes }
prefer-resume = Pause beenden
prefer-leave-title = Von allem abmelden
prefer-leave-text = Dann schickt { $brand } Ihnen nichts mehr, was auch immer es später verschickt.
prefer-leave-button = Von allem abmelden
prefer-data-title = Ihre Daten
prefer-data-text = Alles, was hier über Sie gespeichert ist, zum Lesen und Mitnehmen.
prefer-data-report = Als Bericht mit dem Nachweis (ZIP)
prefer-data-json = Als Datei für Programme (JSON)
prefer-erase = Alles löschen
prefer-erase-kept = Sie haben darum gebeten, alles zu löschen. Das geschieht von selbst, sobald { $brand } es nicht mehr für einen Rechtsanspruch benötigt.
prefer-erase-off = Sie haben Ihren Wunsch, alles zu löschen, zurückgenommen.
prefer-expired-title = Dieser Link ist zu alt
prefer-expired-text = Er zeigt Ihre eigenen Daten und gilt deshalb nur begrenzte Zeit. Sie können sich einen neuen schicken lassen.
prefer-expired-action = Neuen Link anfordern
prefer-by-mail-title = Noch ein Schritt: ein Link per Mail
prefer-by-mail-text = Damit sicher ist, dass Sie es sind, schickt { $brand } einen neuen Link an Ihre Adresse, bevor Sie Mails einschalten, Ihre Daten ansehen oder sie löschen. Ausschalten, Abmelden, Pause und Sprache gehen von hier aus sofort.

erase-title = Alles löschen?
erase-text = Alles, was { $brand } hier zu dieser Adresse speichert, wird gelöscht: Ihre Auswahl, was Sie bestätigt haben und wann. Das lässt sich nicht rückgängig machen.
erase-sealed = Was Ihre Einwilligung beweist, bleibt für begrenzte Zeit unter Verschluss. Nur ein Streitfall öffnet es.
erase-remains = Es bleibt eine Zahl, die niemand in Ihre Adresse zurückverwandeln kann, damit keine Liste sie zurückbringt.
erase-button = Ja, alles löschen
erase-else = Wenn Sie nur keine Mails mehr wollen, gehen Sie zurück und melden Sie sich ab.
erased-title = Gelöscht
erased-text = Was { $brand } hier zu Ihrer Adresse gespeichert hatte, ist gelöscht.
# Where an owner holds the contact for a claim: before the button is pressed.
erase-held = { $brand } benötigt das zu dieser Adresse Gespeicherte für einen Rechtsanspruch. Es wird von selbst gelöscht, sobald dieser geklärt ist; bis dahin merken wir uns Ihren Wunsch.
erase-kept-title = Ihr Wunsch ist vorgemerkt
erase-kept-text = { $brand } benötigt das zu dieser Adresse Gespeicherte für einen Rechtsanspruch. Sobald dieser geklärt ist, wird alles von selbst gelöscht; Sie müssen nicht erneut fragen. Schreiben Sie an { $brand }, wenn Sie mehr wissen möchten. Von allen Mails können Sie sich sofort abmelden.
erase-kept-back = Zurück zu Ihren Einstellungen
# On a button.
erase-kept-undo = Doch nicht löschen

## Ein neuer Link für alle, die ihren verloren haben

lost-title = Ihre Auswahl
lost-text = Hier wählen Sie aus, was { $brand } Ihnen schickt, legen eine Pause ein, melden sich ab oder sehen Ihre Daten ein. Geben Sie Ihre Adresse ein, und Ihr persönlicher Link kommt per Mail.
lost-button = Link schicken
lost-sent-title = Sehen Sie in Ihr Postfach
lost-sent-text = Wenn { $brand } diese Adresse kennt, ist eine Mail mit Ihrem Link unterwegs. Das kann eine Minute dauern.
