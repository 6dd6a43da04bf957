# Words for recipients: plain, second person, active, no exclamation marks.

## What a form says when its brand does not say it
form-default-title = Letters from { $brand }
form-default-intro = News from { $brand }, now and then, by mail.
form-default-consent = By subscribing you agree that { $brand } writes to you at this address. We send you a mail first to make sure that it is yours. You can leave at any time.
form-default-button = Subscribe

## Form
form-email-label = Email address
form-name-label = Name
form-optional = (optional)
# A field that people do not see and should leave empty.
form-honeypot-label = Leave this empty
form-languages = Languages
form-working = One moment…
form-proving = Your browser is solving a small task that keeps programs away. This takes a few seconds.
form-needs-script = This form is protected against programs and needs scripts to be on.
form-did-you-mean = Did you mean { $address }?
form-problem-title = Please check this
form-problem-empty = Type your email address.
form-problem-at = An address has an @ in it, like anna@example.org.
form-problem-syntax = This does not look like an address. Please check it for typing errors.
form-problem-long = This address is too long to exist. Please check it.
form-problem-unusual = Addresses with quotation marks, comments or numbers in brackets cannot be used here. Please use another one.
form-problem-domain = Mail cannot reach the part after the @. Please check how it is written.
form-problem-role = This looks like an address that several people read. Please use your personal one: only you can agree for yourself.
form-problem-purpose = Choose at least one.
form-problem-proof = The check against programs did not work. Please try again.
form-try-again = Something went wrong. Please try again.

## Check your inbox
inbox-title = Check your inbox
# Followed by the masked address and a full stop.
inbox-sent-before = We sent a mail to
inbox-sent-after = Open it and press the button in it.
inbox-sent-again = We sent the mail again.
inbox-looks-like = It comes from { $brand }, { $sender }. If it does not arrive within a few minutes, look in the spam folder.
inbox-use-suggestion = Use this address
inbox-open-webmail = Open { $name }
inbox-code-label = Or type the six digits from the mail
inbox-code-button = Confirm
inbox-resend = Send again
# {0} is replaced by a number of seconds.
inbox-resend-wait = Send again in {"{0}"} s
inbox-check-again = Check again
inbox-wrong-address = Wrong address?
inbox-new-address = The right address
inbox-change-button = Send it there
inbox-waiting = Waiting for your confirmation. This page changes by itself.
inbox-closed-title = This request has ended
inbox-closed-text = Its time is over, or it was answered in another way. You can sign up again at { $brand }.
inbox-closed-action = To the form

## Confirm
confirm-title = Please confirm
confirm-working = Confirming…
confirm-lead = You agree that { $brand } sends you:
confirm-button = Yes, I subscribe
asked-on = Asked for on { $time }.
asked-on-from = Asked for on { $time } on { $page }.
code-title = One more step
code-text = A program, such as a mail filter, seems to have opened the links before you. To be sure that it is you, type the six digits from the mail.
code-wrong = These are not the right digits. Tries left: { $left }.
code-closed = Too many wrong codes. Please use the link in the mail instead.
done-title = Confirmed
done-again-title = Already confirmed
done-text = Thank you. { $brand } may write to you now.
done-leave = You can leave at any time: every mail says how.
done-continue = Continue

## Decline
decline-button = This was not me
decline-title = This was not you?
decline-text = Then somebody typed your address by mistake. { $brand } will not write to you again.
decline-yes = Yes, this was not me
decline-nothing = You can also do nothing: without a confirmation the request ends by itself.
declined-title = Thank you for telling us
declined-text = { $brand } will not write to this address again.
decline-after-confirmation-title = This was confirmed before
decline-after-confirmation-text = The request was already confirmed. To leave, use the link in any mail from { $brand }, or write to the contact below.

## About the mail
about-title = About this mail
about-why = Somebody, most likely you, typed this address into a form of { $brand }. The mail asks whether that was right, so that nobody gets mail that they did not ask for.
about-address = Address
about-asked = Asked for
about-expires = Works until
about-who = Who asks
about-nothing = If you do nothing, the request ends by itself and you hear nothing more of it.

## Links that do not work
link-broken-title = This link does not work
link-broken-text = Perhaps it was cut off. Please copy the whole link from the mail.
link-replaced-title = There is a newer mail
link-replaced-text = A newer mail took the place of this one. Please use the link in the latest mail from { $brand }.
link-corrected-title = The address was changed
link-corrected-text = Whoever signed up has corrected the address since. There is nothing left to do here.
link-expired-title = This link has expired
link-expired-text = The time to confirm is over. { $brand } can send you a fresh mail.
link-expired-action = Send a fresh mail
link-fresh-title = Check your inbox
link-fresh-text = If the address may still be asked, a fresh mail from { $brand } is on its way.

## Errors
error-not-found-title = There is nothing here
error-not-found-text = The address of this page is not right, or the page is gone.
error-unavailable-title = Please try again in a moment
error-unavailable-text = The server is busy. Nothing was saved and nothing is lost.
error-too-large-title = That is too much
error-too-large-text = What was sent is larger than this form takes.
error-malformed-title = This could not be read
error-malformed-text = What was sent is damaged. Please go back and try again.
error-unknown-kind-title = This could not be read
error-unknown-kind-text = Send the form as application/x-www-form-urlencoded, multipart/form-data or application/json.

## Footer
footer-controller = Responsible: { $name }
footer-contact = Questions:
footer-privacy = Privacy
footer-checked = Consent checked by countersign

## Embedding
embed-title = Embed this form
embed-text = Three ways to put “{ $form }” on your site. Choose one and copy it.
embed-preview = See the form
embed-copy = Copy
embed-copied = Copied
embed-script-title = Script
embed-script-text = Two lines. The form takes your page's width, colours and font, and the next steps happen in place. Name your site under “origins” of the form.
embed-html-title = Plain HTML
embed-html-text = Works everywhere and without scripts. Style it as you like; your visitors see the next step on our page.
embed-frame-title = Frame
embed-frame-text = For site builders that allow neither scripts nor forms.
