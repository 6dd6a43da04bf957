# The confirmation mail. No exclamation marks; nothing that a stranger typed stands in it.
mail-subject = Please confirm: { $purpose } from { $brand }
mail-preview = One click confirms that { $brand } may write to you.
mail-hello = Hello,
mail-hello-name = Hello { $name },
mail-lead = please confirm that you want to receive { $purpose } from { $brand } at this address.
mail-button = Yes, I subscribe
mail-link = Or open this link:
mail-code = Or type this code on the page where you signed up:
mail-asked = Asked for on { $time }.
mail-asked-from = Asked for on { $time } on { $page }.
mail-expires = The link works until { $time }.
mail-not-you = This was not you? Tell us here, or do nothing.
mail-about = About this mail
