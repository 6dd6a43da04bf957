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
# Above the six digits. Where no such page may be left, mail-ask-code stands there.
mail-code = Or enter this code on the page where you subscribed:

mail-asked = Your address was entered on { $date }.
mail-asked-at = Your address was entered on { $date } at { $page }.
mail-asked-tablet = Your address was entered on a tablet, on { $date } by its clock.
mail-expires = The link and the code work until { $date }.
# The link mail-not-me-link, or an address, follows.
mail-not-me = If this was not you, do nothing, or tell us here:
mail-not-me-link = This was not me
mail-about-link = About this mail

## Campaigns: people who are asked by mail, though they did not just fill in a form. $old is a brand that now belongs to $brand.

mail-invitation-subject = { $purposes } from { $brand }: yes or no?
mail-invitation-lead = May { $brand } send you { $purposes }?
mail-reconfirmation-subject = Do you still want { $purposes } from { $brand }?
mail-reconfirmation-lead = Do you still want { $purposes } from { $brand }? Please confirm.
mail-reconfirmation-button = Yes, I stay subscribed
mail-merger-subject = { $old } is now part of { $brand }
mail-merger-lead = { $old } is now part of { $brand }. Do you want to stay?
mail-merger-text = Your address came to { $brand } with { $old }. { $brand } may write to you as { $old } was allowed to, until that consent ends. You can confirm now, or leave.
mail-merger-button = Yes, I stay
mail-merger-no-link = I leave
mail-reminder-subject = Reminder: { $subject }
mail-ask-code = If the page asks for a code, enter this one:
mail-ask-no = You do not want this? Tell us here, and { $brand } does not write to you again:
mail-ask-no-link = No, thank you
mail-again-stays = If you do not answer, nothing changes: you stay subscribed.
mail-again-ends = If you do not answer by { $date }, { $brand } stops sending it to you.
mail-again-no = You do not want it any more? Tell us here, and { $brand } stops sending it:
mail-why-again = You get this mail because you confirmed that you want it. { $brand } asks again after some time.
mail-why-website-form = You get this mail because your address was entered at a form of { $brand }.
mail-why-purchase = You get this mail because you bought something from { $brand }.
mail-why-written-agreement = You get this mail because you have an agreement with { $brand }.
mail-why-donation-or-volunteering = You get this mail because you donated to { $brand } or helped as a volunteer.
mail-why-active-member = You get this mail because you have an account or a membership with { $brand }.
mail-why-newsletter-form = You get this mail because you filled in a form for this newsletter of { $brand }.
mail-why-ad-response = You get this mail because you answered an advertisement of { $brand }.
mail-why-direct-email = You get this mail because you wrote to { $brand }.
mail-why-personal-acquaintance = You get this mail because somebody at { $brand } knows you.
mail-why-event-booth = You get this mail because you visited the booth of { $brand }.
mail-why-event-organizer-list = You get this mail because the organiser of an event gave { $brand } your address.
mail-why-employer-list = You get this mail because your employer named you to { $brand } for something that it offers you.
mail-why-merger-or-acquisition = You get this mail because your address was with a company that now belongs to { $brand }.
mail-why-other = You get this mail because { $brand } has your address.

## The link to the preferences, for people who have lost theirs

mail-preferences-subject = Your choices at { $brand }
mail-preferences-lead = Here you choose what { $brand } sends you, pause it, leave, or see your data.
mail-preferences-button = Open my choices
mail-preferences-why = Somebody asked for this link on our page, most likely you. It works until { $date }. If it was not you, do nothing: nothing changes.
