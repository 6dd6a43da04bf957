### The words of the public pages: forms, "check your inbox", the links of the mail, errors.
###
### For translators: short sentences, second person, active, no exclamation marks. Say "subscribe", "confirm", "leave";
### never the trade's own terms such as "opt in". Numbers stand after a colon or before a unit sign, so that no text needs
### a plural. The texts that begin with "form-default-" become part of what a person agrees to.

## Every page

page-privacy = Privacy
page-contact = Contact
# Read to people who cannot see the page: names the row of language links.
page-languages = Language
# Small line at the foot. It opens the text below it.
page-checked-by = Checked by countersign
page-checked-by-text = countersign handles the confirmation for the sender. It keeps what you were shown, what you answered and when, in a log that cannot be changed unnoticed. So nobody can claim a yes that you did not give.

## The form

# Used where the form has no texts of its own. $brand is the name of the sender.
form-default-title = Subscribe to { $brand }
form-default-intro = Enter your address. We then send you one mail, to check that it is yours.
form-default-consent = By pressing the button you agree that { $brand } sends you the mails described here. You can leave at any time: every mail has a link for it.
form-default-button = Subscribe

form-email-label = Email address
form-name-label = Name
# In brackets behind the label of a field that may stay empty.
form-optional = optional
# Label of a field that people do not see; it catches programs.
form-trap-label = Leave this field empty
# A link behind the wording of consent.
form-privacy = How { $brand } handles your data

# While the browser does a small calculation that keeps programs out. Nothing is asked of the person.
form-proof-working = Checking that this is not a program. It takes a moment.
form-proof-done = Check done.
form-proof-failed = The check did not work. Please press the button again.
form-needs-script = This form is protected against programs and needs JavaScript. Please turn it on and load the page again.
form-sending = Sending…
# The server could not be reached.
form-failed = That did not work. Please check your connection and try again.

## Problems with a form

form-problem-title = Please check what you entered
form-problem-empty = Enter your email address.
form-problem-at = This address has no @ sign. It should look like anna@example.org.
form-problem-space = An address has no spaces. Enter the address alone, such as anna@example.org.
form-problem-syntax = This address has a mistake in it. It should look like anna@example.org.
form-problem-domain = Mail cannot reach the part after the @ sign. Please check its spelling.
form-problem-long = This address is too long. Please check it.
form-problem-unusual = We cannot write to addresses with quotation marks, comments or numbers in brackets. Please use another one.
form-problem-role = This looks like an address that several people read. Please use your own: only you can agree for yourself.
form-problem-purpose = Choose at least one kind of mail.
form-problem-gone = This form no longer has what you chose. Please choose from what it has now.
form-problem-proof = The check against programs was missing or too old. Please press the button again.
# Follows the text of a problem. $address is an address that the person may have meant.
form-did-you-mean = Did you mean { $address }?

## Check your inbox

inbox-title = Check your inbox
# The address follows on a line of its own.
inbox-sent-to = We sent a mail to:
# $sender is an address. The words in quotation marks are the beginning of mail-subject.
inbox-from = It comes from { $sender }. Its subject begins with “Please confirm”. Press the button in it, or enter its code here.
inbox-code-label = The six digits from the mail
inbox-code-button = Confirm
# The page changes by itself once the person has confirmed.
inbox-waiting = Waiting for your answer. This page notices it by itself.
# Only where scripts are off; the link inbox-check-again follows.
inbox-waiting-plain = Pressed the button in the mail?
inbox-check-again = Check again
# $name is the name of a mail service.
inbox-webmail = Open { $name }
inbox-nothing = Nothing there? Look in the spam folder, or have it sent once more.
inbox-resend = Send again
# On the button while it cannot be pressed yet. $seconds counts down; keep the unit a sign.
inbox-resend-wait = Send again in { $seconds } s
# Also shown where no second mail may be sent, so it promises no arrival.
inbox-sent-again = We have asked for the mail once more. It can take a minute.
# Where "send again" was pressed before its time; inbox-resend-in stands beside the button then.
inbox-resend-early = That was too soon, so nothing was sent.
# Where scripts are off, beside the button. Keep the unit a sign.
inbox-resend-in = It can be sent again in { $seconds } s.
inbox-wrong-address = Wrong address?
inbox-change-label = Your right address
inbox-change-button = Use this address
inbox-change-limit = The address was corrected several times already. To use another one, please fill in the form again.
# $address is an address that the person may have meant.
inbox-did-you-mean = Did you mean { $address }?
inbox-did-you-mean-yes = Yes, use this one
inbox-confirmed-title = Confirmed
inbox-continue = Continue
# A request that is over: declined, corrected or too old. The words fit each of them, for the page tells nobody which it is, and promise no
# mail: who declined gets none. $contact is an address or a web address.
inbox-closed-title = This request is over
inbox-closed-text = It was answered, replaced by a newer one, or is too old. If you want mail from { $brand }, fill in the form again. If no mail comes then, write to { $contact }.
inbox-closed-action = Subscribe again

## Confirm: the page behind the link in the mail

# $brand is the name of the sender.
confirm-title = Subscribe to { $brand }?
# $date is a date with time, $page the name of a website.
confirm-asked-on = This address was entered on { $date }.
confirm-asked-on-at = This address was entered on { $date } at { $page }.
confirm-asked-on-tablet = This address was entered on a tablet, on { $date } by its clock.
confirm-purposes = What you agree to
confirm-button = Yes, I subscribe
confirm-not-me = This was not me
# While the page completes by itself, in the browser that signed up.
confirm-working = Confirming…

## Confirm with the code, when a program seems to have opened the mail first

code-title = One more step
code-text = It looks as if a program opened the links of the mail before you. Some mail services do that as a check. So please enter the six digits from the mail.
code-label = The six digits from the mail
code-button = Confirm
# $left is a number.
code-tries-left = Tries left: { $left }
code-wrong = That is not the code in the mail. Please look again. Tries left: { $left }
code-closed = This code no longer works. Use the link in the mail, or subscribe again to get a new one.

## Done

done-title = Confirmed
done-title-again = Already confirmed
done-text = Thank you. { $brand } may now write to you.
done-text-again = You confirmed before. There is nothing more to do.
done-purposes = What you subscribed to
done-leave = You can leave at any time: every mail has a link for it.
# A link to the page lost-title.
done-preferences = Change what { $brand } sends you
done-receipt = Keep a receipt of this confirmation
done-continue = Continue

## This was not me

decline-title = This was not you?
decline-text = Then somebody entered your address, perhaps by mistake. Tell us, and it stops here.
decline-happens = What happens then
decline-happens-1 = The request is closed, and its links stop working.
decline-happens-2 = { $brand } has no consent from you and does not write to you.
decline-happens-3 = We note that you told us, and when.
decline-button = Yes, this was not me
decline-else = If it was you after all, just close this page. Nothing has changed.
decline-code-text = It looks as if a program opened the links of the mail before you. Some mail services do that as a check. So that nobody says no in your place, please enter the six digits from the mail.
decline-code-wrong = These are not the digits from the mail. Please type the six digits as they stand there.
declined-title = Thank you for telling us
declined-text = The request is closed. { $brand } has no consent from you and does not write to you. Should you want its mail one day, write to { $contact }.
decline-after-confirmation-title = This was confirmed before
decline-after-confirmation-text = The request has already been confirmed. To leave, use the link in any mail from { $brand }, or write to the contact below.

## About this mail

about-title = About this mail
# $brand is the name of the sender.
about-intro = { $brand } asks whether you want its mail.
about-who = Who asks
about-to = To which address
about-when = When it was entered
about-when-tablet = { $date }, by the clock of the tablet
about-where = On which page
about-until = Until when the links work
about-why = Why you got it
about-why-text = Somebody entered your address in a form: most likely you, or somebody who mistyped. The mail asks you, so that nobody can subscribe you but yourself.
# Where the sender may write before anybody answered. The words in quotation marks in the second text are those of confirm-not-me.
about-why-text-at-once = Somebody entered your address in a form: most likely you, or somebody who mistyped. The mail asks you whether it was you, for nobody else can say so.
about-nothing = If you do nothing
about-nothing-text = Nothing is confirmed. The links in the mail stop working on { $date }.
about-nothing-text-at-once = Nothing is confirmed. { $brand } may still send you what was asked for in the form, unless you press “This was not me”. The links in the mail stop working on { $date }.
about-yes = If it was you
about-yes-text = Go back to the mail and press the button in it.
about-no = If it was not you

## Links that do not work

link-expired-title = This link is too old
link-expired-text = It worked for a limited time only. { $brand } can send you a new mail.
link-expired-action = Send a new mail
link-over-title = This link is too old
link-over-text = It worked for a limited time only. You can subscribe to { $brand } at any time.
link-bounced-title = The mail did not arrive
link-bounced-text = The mail from { $brand } came back as undeliverable, so this request ended. You can subscribe again at any time.
link-fresh-title = Check your inbox
link-fresh-text = If the address may still be asked, a new mail from { $brand } is on its way. Press the button in it.
link-replaced-title = There is a newer mail
link-replaced-text = It took the place of this one. Please use the link in the newest mail from { $brand }.
link-corrected-title = The address was changed
link-corrected-text = Whoever entered this address has corrected it since. There is nothing left to do.
link-broken-title = This link does not work
link-broken-text = It may have been cut off on its way. Open it again from the mail, or copy the whole link.

## Errors

error-not-found-title = There is nothing here
error-not-found-text = The address of this page is not right, or the page is gone.
error-unavailable-title = Please try again in a minute
error-unavailable-text = Something on our side does not work at the moment. What you sent was not saved.
error-too-many-title = Please wait a moment
error-too-many-text = There were too many requests at once. Please try again in a minute.
error-too-large-title = That is too much
error-too-large-text = What was sent is larger than this form takes. Please go back and shorten it.
error-too-slow-title = That took too long
error-too-slow-text = What you sent did not arrive in time. Please go back and send the form again.
error-malformed-title = This could not be read
error-malformed-text = What was sent is damaged. Please go back and send the form again.
error-unknown-kind-title = This could not be read
# For programmers: the three names stay as they are.
error-unknown-kind-text = Send the form as application/x-www-form-urlencoded, multipart/form-data or application/json.

## For the owner of a website: three ways to show the form there

embed-title = Put this form on your website
# $form is the title of the form.
embed-intro = Three ways to show “{ $form }”. Choose one and copy it. All lead to the same mail and the same proof.
# A row of language names follows.
embed-languages = Language of the form:
embed-script-title = With a script
embed-script-text = The form takes the width, fonts and colours of your page, and the next steps happen in place. Name your site under “origins” of the form.
embed-html-title = As plain HTML
embed-html-text = Works everywhere and without scripts. You shape it yourself; the next step opens on our page. Keep the text above the button: it is what people agree to.
# In place of embed-html-text where the form asks for a proof of work.
embed-html-proof = Not for this form: it asks for a small calculation that keeps programs out, and that takes a script. Choose one of the other ways.
embed-frame-title = In a frame
embed-frame-text = For site builders that allow neither scripts nor forms. Choose the height to fit.
# A directive such as "script-src https://subscribe.example.org" follows. The name in brackets stays as it is.
embed-policy = If your website has a strict security policy (Content-Security-Policy), allow:
embed-copy = Copy
embed-copied = Copied
embed-preview = See the form
embed-paper-title = On paper: a QR code
embed-paper-text = People scan it and subscribe on their own phone. For posters, flyers and booths.
embed-paper-code = QR code that leads to the form
embed-paper-poster = A sheet to print
embed-paper-booth = The page for a booth’s tablet
embed-paper-file = The code as a file (SVG)

## A sheet to put up at a booth, with the code that leads to the form

# Below the title of the form, above the code.
poster-lead = Scan the code, enter your address, confirm the mail.
# Read to people who do not see the code. $address is the address of the form.
poster-code = QR code for { $address }

## The form on a booth’s tablet, where one person after the other signs

kiosk-thanks-title = Thank you
kiosk-thanks-text = Look at your inbox: a mail is on its way. Press the button in it, and you are subscribed.
# Where there was no connection.
kiosk-kept-text = Your entry is kept here, encrypted, until this device has a connection again. Then a mail comes to you: press the button in it.
kiosk-next = Next person
# $seconds counts down; keep the unit a sign. The same below.
kiosk-next-in = This page returns to an empty form in { $seconds } s.
kiosk-still-there = Still there?
kiosk-cleared-in = What was entered is cleared in { $seconds } s.
kiosk-continue = I am still here
# Problems that only the people of the booth can mend.
kiosk-full = This device can keep no more entries. Please tell the staff.
kiosk-failed = There is no connection, and this device cannot keep entries. Please tell the staff.
# A corner for the people of the booth.
kiosk-staff = For the staff
kiosk-staff-text = Entries that wait are encrypted: nobody can read them on this device. They are sent by themselves once there is a connection. Do not clear this browser’s data while any wait.
kiosk-ready = Works without a connection
kiosk-not-ready = Not ready yet for use without a connection
kiosk-not-ready-clock = This device’s clock is wrong: not ready for use without a connection
kiosk-never-ready = Works with a connection only: entries can be kept over https only
# $count is a number.
kiosk-waiting = Waiting to be sent: { $count }
kiosk-send = Send now
kiosk-sent = Nothing waits to be sent.
kiosk-no-connection = No connection at the moment. Nothing is lost.
kiosk-seconds = Seconds until the next person
# $count is a number. A list follows, each line of kiosk-entered and a reason.
kiosk-refused = Could not be recorded: { $count }
kiosk-entered = Entered on { $date }:
kiosk-try-again = Try again
kiosk-remove = Remove them for good
kiosk-remove-sure = Nobody can bring them back. Press once more to remove them.
kiosk-clock = This device’s clock is wrong. Set it right, or entries may be refused.
kiosk-refused-late = It was entered more than 30 days ago, by this device’s clock.
kiosk-refused-early = It was entered in the future, by this device’s clock.
kiosk-refused-unreadable = It cannot be opened: it was entered for another form, or the server’s secret has changed.
kiosk-no-scripts = Without scripts this page works with a connection only, and clears itself once “Next person” is pressed.
# For whoever sets a booth up.
kiosk-off-title = This form has no page for a booth
kiosk-off-text = Whoever runs it can declare kiosk = true for the form, and apply it.

## The same pages for people whom a campaign asked: nobody entered their address just now

ask-asked-on = { $brand } asked you on { $date }.
ask-no = No, thank you
ask-decline-title = You do not want this mail?
ask-decline-text = Tell us, and it stops here.
ask-decline-button = No, I do not want it
ask-decline-else = If you do want it, just close this page. Nothing has changed.
ask-about-when = When you were asked
ask-about-why-text = { $brand } asks you itself. The mail says from where it has your address. Nobody else can say yes for you.
ask-about-yes = If you want it
ask-about-no = If you do not want it

## Leaving: the page behind the unsubscribe link of a mail

# $brand is the name of the sender. The address follows on a line of its own.
leave-title = Leave { $brand }?
leave-text = One press, and { $brand } sends nothing more to this address:
# $purpose is the name of one kind of mail, such as Newsletter.
leave-one-title = Leave “{ $purpose }”?
leave-one-text = One press, and “{ $purpose }” no longer comes to this address:
leave-button = Yes, I leave
leave-else = If you only wanted to look, just close this page. Nothing has changed.
left-title = You have left
left-text = From now on { $brand } sends you nothing more.
left-one-text = From now on you no longer get “{ $purpose }”.
left-all-button = Leave all mail from { $brand }
# A link to the page lost-title.
left-undo = Changed your mind? Ask for the page with your choices
leave-gone-title = There is nothing to leave
leave-gone-text = { $brand } keeps nothing of this address any more, and does not write to it.
link-left-title = You have left since
link-left-text = This mail asked before you left { $brand }, so its links do not work any more. You can subscribe again at any time.

## Preferences: the page behind the link that is sent to the address only

prefer-title = Your choices
prefer-intro = What { $brand } may send to this address:
# Becomes part of what the person agrees to.
prefer-consent = By pressing the button you agree that { $brand } sends you the mails whose boxes you tick here yourself, as they are described here. A box that was ticked already is no new consent. You can change it here at any time.
# At a box beside a kind of mail that the sender writes already, without a yes given here. Becomes part of what the person agrees to.
prefer-agree = I agree to this (not confirmed here so far)
# In the place of prefer-consent behind a link that another program sent.
prefer-agree-by-mail = What you turn off here is off at once. To agree to mails you need a fresh link, which goes to your address.
prefer-save = Save my choices
prefer-language = Language
prefer-saved = Saved.
prefer-unchanged = Everything was like that already.
prefer-other-wording = The description of these mails has changed since you opened the page, so nothing was turned on. What you turned off is off. Please read it again, and save again.
prefer-erase-stays = These choices were changed very often today, so the wish to be erased stands. Please try again tomorrow.
# Where the choices were changed too often within a day.
prefer-too-often = These choices were changed very often today, so what you turned on, the pause and the language stay as they were. Please try again tomorrow. Turning mails off and leaving always work.
prefer-pause-title = Pause
prefer-pause-text = No mail for a while. Your choices stay as they are.
# On a button. $days is a number above 1.
prefer-pause-days = { $days } days
prefer-paused = No mail before { $date }.
# $purposes is a list of names such as "Newsletter, Events"; it stands at the end.
prefer-came-back = Mail to this address came back as undeliverable, so { $brand } sends nothing there until it knows that it arrives again. Your choices stay as they are. Not sent: { $purposes }
prefer-not-written = { $brand } does not write to this mailbox at present. Your choices stay as they are. Not sent: { $purposes }
prefer-resume = End the pause
prefer-leave-title = Leave everything
prefer-leave-text = Then { $brand } sends you nothing more, whatever it may send later.
prefer-leave-button = Leave everything
prefer-data-title = Your data
prefer-data-text = All that is kept of you here, to read and to take with you.
prefer-data-report = As a report with its proof (ZIP)
prefer-data-json = As a file for programs (JSON)
# A link to the page erase-title.
prefer-erase = Erase all of it
prefer-erase-kept = You asked to have everything erased. That happens by itself once { $brand } no longer needs it for a legal claim.
prefer-erase-off = You took your wish to have everything erased back.
prefer-expired-title = This link is too old
prefer-expired-text = It shows your own data, so it works for a limited time only. You can have a new one sent to you.
prefer-expired-action = Ask for a new link
# Behind a link that another program sent: what acts for the person needs a link that came to the address. The action is prefer-expired-action.
prefer-by-mail-title = One step more: a link by mail
prefer-by-mail-text = To be sure that it is you, { $brand } sends a fresh link to your address before you agree to mails, see your data or erase it. Turning off, leaving, pausing and the language work from here at once.

erase-title = Erase everything?
erase-text = All that { $brand } keeps of this address here is deleted: your choices, what you confirmed, and when. This cannot be undone.
# Only where the sender keeps proof.
erase-sealed = What proves your consent stays locked away for a limited time. Only a dispute opens it.
erase-remains = What stays is a number that nobody can turn back into your address, so that no list brings it back.
erase-button = Yes, erase everything
erase-else = If you only want no more mail, go back and leave instead.
erased-title = Erased
erased-text = What { $brand } kept of your address here is deleted.
# Where an owner holds the contact for a claim: before the button is pressed.
erase-held = { $brand } needs what is kept of this address for a legal claim. It is erased by itself once that is over; until then your wish is kept.
erase-kept-title = Your wish is kept
erase-kept-text = { $brand } needs what is kept of this address for a legal claim. Once that is over, everything is erased by itself; you need not ask again. Write to { $brand } if you want to know more. You can leave all mail at once.
erase-kept-back = Back to your preferences
# On a button.
erase-kept-undo = Do not erase it after all

## A fresh link, for people who have lost theirs. The answer is the same for every address.

lost-title = Your choices
lost-text = Here you choose what { $brand } sends you, pause it, leave, or see your data. Enter your address, and your personal link comes by mail.
lost-button = Send me the link
lost-sent-title = Check your inbox
lost-sent-text = If { $brand } knows this address, a mail with your link is on its way. It can take a minute.
