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
mail-asked-tablet = Su dirección se introdujo en una tableta, el { $date } según el reloj de esta.
mail-expires = El enlace y el código funcionan hasta el { $date }.
# The link mail-not-me-link, or an address, follows.
mail-not-me = Si no ha sido usted, no haga nada o díganoslo aquí:
mail-not-me-link = No he sido yo
mail-about-link = Acerca de este correo

## Campañas: personas a las que se pregunta por correo. $old es una marca que ahora pertenece a $brand.

mail-invitation-subject = { $purposes } de { $brand }: ¿sí o no?
mail-invitation-lead = ¿Puede { $brand } enviarle { $purposes }?
mail-reconfirmation-subject = ¿Quiere seguir recibiendo { $purposes } de { $brand }?
mail-reconfirmation-lead = ¿Quiere seguir recibiendo { $purposes } de { $brand }? Confírmelo, por favor.
mail-reconfirmation-button = Sí, sigo suscrito
mail-merger-subject = { $old } ahora forma parte de { $brand }
mail-merger-lead = { $old } ahora forma parte de { $brand }. ¿Quiere seguir suscrito?
mail-merger-text = Su dirección llegó a { $brand } con { $old }. { $brand } puede escribirle como { $old } podía hacerlo, hasta que termine ese consentimiento. Puede confirmar ahora o darse de baja.
mail-merger-button = Sí, sigo suscrito
mail-merger-no-link = Me doy de baja
mail-reminder-subject = Recordatorio: { $subject }
mail-ask-code = Si la página pide un código, escriba este:
mail-ask-no = ¿No lo quiere? Díganoslo aquí y { $brand } no le escribirá más:
mail-ask-no-link = No, gracias
mail-again-stays = Si no responde, nada cambia: su suscripción sigue.
mail-again-ends = Si no responde antes del { $date }, { $brand } dejará de enviárselo.
mail-again-no = ¿Ya no lo quiere? Díganoslo aquí, y { $brand } dejará de enviarlo:
mail-why-again = Recibe este correo porque confirmó que lo quiere. { $brand } vuelve a preguntar pasado un tiempo.
mail-why-website-form = Recibe este correo porque su dirección se escribió en un formulario de { $brand }.
mail-why-purchase = Recibe este correo porque compró algo a { $brand }.
mail-why-written-agreement = Recibe este correo porque tiene un acuerdo con { $brand }.
mail-why-donation-or-volunteering = Recibe este correo porque hizo una donación a { $brand } o ayudó como voluntario.
mail-why-active-member = Recibe este correo porque tiene una cuenta o una afiliación con { $brand }.
mail-why-newsletter-form = Recibe este correo porque rellenó un formulario para este boletín de { $brand }.
mail-why-ad-response = Recibe este correo porque respondió a un anuncio de { $brand }.
mail-why-direct-email = Recibe este correo porque escribió a { $brand }.
mail-why-personal-acquaintance = Recibe este correo porque alguien de { $brand } le conoce.
mail-why-event-booth = Recibe este correo porque visitó el puesto de { $brand }.
mail-why-event-organizer-list = Recibe este correo porque el organizador de un evento dio su dirección a { $brand }.
mail-why-employer-list = Recibe este correo porque su empresa le nombró ante { $brand } por algo que le ofrece.
mail-why-merger-or-acquisition = Recibe este correo porque su dirección estaba en una empresa que ahora pertenece a { $brand }.
mail-why-other = Recibe este correo porque { $brand } tiene su dirección.

## El enlace a las preferencias, para quien ha perdido el suyo

mail-preferences-subject = Sus preferencias en { $brand }
mail-preferences-lead = Aquí elige lo que { $brand } le envía, hace una pausa, se da de baja o ve sus datos.
mail-preferences-button = Abrir mis preferencias
mail-preferences-why = Alguien pidió este enlace en nuestra página, probablemente usted. Funciona hasta el { $date }. Si no fue usted, no haga nada: nada cambia.
