### The confirmation mail. It carries nothing that was typed into the form, but a cleaned name where the form allows it.
###
### For translators: $purposes is a list of names such as "Newsletter, Events"; $brand is the name of the sender; $date is
### a date with time; $page is the name of a website. Keep the subject short: phones show about 40 characters.

# Says what to do. inbox-from quotes its beginning.
mail-subject = Por favor, confirme: { $purposes } de { $brand }

# Only where the form asks for a name and lets it into the mail.
mail-hello = Hola, { $name }:

# The first sentence; mail programs show it in their list. It says what the button does.
mail-lead = Por favor, confirme que quiere recibir { $purposes } de { $brand }.

# Above the full wording of what the person agrees to.
mail-agree = Esto es lo que usted acepta:
mail-button = Sí, me suscribo
# Above the link, written out.
mail-link = Si el botón no funciona, copie este enlace en su navegador:
# In the text part, above the link.
mail-link-text = Para confirmar, abra este enlace:
# Above the six digits.
mail-code = O escriba este código en la página donde se suscribió:

mail-asked = Su dirección se introdujo el { $date }.
mail-asked-at = Su dirección se introdujo el { $date } en { $page }.
mail-expires = El enlace y el código funcionan hasta el { $date }.
# The link mail-not-me-link, or an address, follows.
mail-not-me = Si no ha sido usted, no haga nada o díganoslo aquí:
mail-not-me-link = No he sido yo
mail-about-link = Acerca de este correo
