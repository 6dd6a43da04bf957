### The words of the public pages: forms, "check your inbox", the links of the mail, errors.
###
### For translators: short sentences, second person, active, no exclamation marks. Say "subscribe", "confirm", "leave";
### never the trade's own terms such as "opt in". Numbers stand after a colon or before a unit sign, so that no text needs
### a plural. The texts that begin with "form-default-" become part of what a person agrees to.

## Every page

page-privacy = Privacidad
page-contact = Contacto
# Read to people who cannot see the page: names the row of language links.
page-languages = Idioma
# Small line at the foot. It opens the text below it.
page-checked-by = Verificado por countersign
page-checked-by-text = countersign se encarga de la confirmación en nombre del remitente. Guarda lo que se le mostró, lo que usted respondió y cuándo, en un registro que nadie puede cambiar sin que se note. Así nadie puede alegar un sí que usted no dio.

## The form

# Used where the form has no texts of its own. $brand is the name of the sender.
form-default-title = Suscríbase a { $brand }
form-default-intro = Escriba su dirección. Después le enviaremos un correo para comprobar que es suya.
form-default-consent = Al pulsar el botón, usted acepta que { $brand } le envíe los correos que se describen aquí. Puede darse de baja en cualquier momento: cada correo incluye un enlace para hacerlo.
form-default-button = Suscribirse

form-email-label = Correo electrónico
form-name-label = Nombre
# In brackets behind the label of a field that may stay empty.
form-optional = opcional
# Label of a field that people do not see; it catches programs.
form-trap-label = Deje este campo vacío
# A link behind the wording of consent.
form-privacy = Cómo trata { $brand } sus datos

# While the browser does a small calculation that keeps programs out. Nothing is asked of the person.
form-proof-working = Comprobamos que no se trata de un programa automático. Tarda un momento.
form-proof-done = Comprobación terminada.
form-proof-failed = La comprobación no ha funcionado. Pulse de nuevo el botón, por favor.
form-needs-script = Este formulario está protegido contra programas automáticos y necesita JavaScript. Actívelo y vuelva a cargar la página, por favor.
form-sending = Enviando…
# The server could not be reached.
form-failed = No ha funcionado. Compruebe su conexión e inténtelo de nuevo, por favor.

## Problems with a form

form-problem-title = Revise lo que ha escrito, por favor
form-problem-empty = Escriba su dirección de correo electrónico.
form-problem-at = A esta dirección le falta el signo @. Debería parecerse a anna@example.org.
form-problem-space = Una dirección no lleva espacios. Escriba solo la dirección, como anna@example.org.
form-problem-syntax = Esta dirección contiene un error. Debería parecerse a anna@example.org.
form-problem-domain = El correo no puede llegar a la parte que sigue al signo @. Compruebe cómo está escrita, por favor.
form-problem-long = Esta dirección es demasiado larga. Revísela, por favor.
form-problem-unusual = No podemos escribir a direcciones con comillas, comentarios o números entre corchetes. Use otra, por favor.
form-problem-role = Parece una dirección que leen varias personas. Use la suya propia, por favor: nadie más puede aceptar por usted.
form-problem-purpose = Elija al menos un tipo de correo.
form-problem-gone = Este formulario ya no ofrece lo que ha elegido. Elija entre lo que ofrece ahora, por favor.
form-problem-proof = La comprobación contra programas automáticos faltaba o era demasiado antigua. Pulse de nuevo el botón, por favor.
# Follows the text of a problem. $address is an address that the person may have meant.
form-did-you-mean = ¿Quería decir { $address }?

## Check your inbox

inbox-title = Revise su bandeja de entrada
# The address follows on a line of its own.
inbox-sent-to = Hemos enviado un correo a:
# $sender is an address. The words in quotation marks are the beginning of mail-subject.
inbox-from = Viene de { $sender }. Su asunto empieza por «Por favor, confirme». Pulse el botón que contiene o escriba aquí su código.
inbox-code-label = Las seis cifras del correo
inbox-code-button = Confirmar
# The page changes by itself once the person has confirmed.
inbox-waiting = Esperamos su respuesta. Esta página se actualiza sola.
# Only where scripts are off; the link inbox-check-again follows.
inbox-waiting-plain = ¿Ha pulsado el botón del correo?
inbox-check-again = Comprobar de nuevo
# $name is the name of a mail service.
inbox-webmail = Abrir { $name }
inbox-nothing = ¿No ha llegado nada? Mire en la carpeta de correo no deseado o pida que se lo enviemos otra vez.
inbox-resend = Enviar de nuevo
# On the button while it cannot be pressed yet. $seconds counts down; keep the unit a sign.
inbox-resend-wait = Enviar de nuevo en { $seconds } s
# Also shown where no second mail may be sent, so it promises no arrival.
inbox-sent-again = Hemos pedido que se envíe de nuevo el correo. Puede tardar un minuto.
inbox-resend-early = Era demasiado pronto: no se ha enviado nada.
inbox-resend-in = Se podrá enviar de nuevo en { $seconds } s.
inbox-wrong-address = ¿La dirección no es correcta?
inbox-change-label = Su dirección correcta
inbox-change-button = Usar esta dirección
inbox-change-limit = La dirección ya se ha corregido varias veces. Para usar otra, rellene de nuevo el formulario.
# $address is an address that the person may have meant.
inbox-did-you-mean = ¿Quería decir { $address }?
inbox-did-you-mean-yes = Sí, usar esta
inbox-confirmed-title = Confirmado
inbox-continue = Continuar
# A request that is over: declined, replaced or too old.
inbox-closed-title = Esta solicitud está cerrada
inbox-closed-text = Ya recibió respuesta, se sustituyó por otra más reciente o es demasiado antigua. Si quiere recibir correos de { $brand }, rellene de nuevo el formulario. Si no llega ningún correo, escriba a { $contact }.
inbox-closed-action = Suscribirse de nuevo

## Confirm: the page behind the link in the mail

# $brand is the name of the sender.
confirm-title = ¿Quiere suscribirse a { $brand }?
# $date is a date with time, $page the name of a website.
confirm-asked-on = Esta dirección se introdujo el { $date }.
confirm-asked-on-at = Esta dirección se introdujo el { $date } en { $page }.
confirm-asked-on-tablet = Esta dirección se introdujo en una tableta, el { $date } según el reloj de esta.
confirm-purposes = Lo que usted acepta
confirm-button = Sí, me suscribo
confirm-not-me = No he sido yo
# While the page completes by itself, in the browser that signed up.
confirm-working = Confirmando…

## Confirm with the code, when a program seems to have opened the mail first

code-title = Un paso más
code-text = Parece que un programa ha abierto los enlaces del correo antes que usted. Algunos servicios de correo lo hacen como comprobación. Por eso, escriba las seis cifras del correo, por favor.
code-label = Las seis cifras del correo
code-button = Confirmar
# $left is a number.
code-tries-left = Intentos restantes: { $left }
code-wrong = Ese no es el código del correo. Mírelo de nuevo, por favor. Intentos restantes: { $left }
code-closed = Este código ya no funciona. Use el enlace del correo o vuelva a suscribirse para recibir otro código.

## Done

done-title = Confirmado
done-title-again = Ya estaba confirmado
done-text = Gracias. { $brand } ya puede escribirle.
done-text-again = Usted ya lo había confirmado. No tiene que hacer nada más.
done-purposes = A qué se ha suscrito
done-leave = Puede darse de baja en cualquier momento: cada correo incluye un enlace para hacerlo.
done-preferences = Cambiar lo que { $brand } le envía
done-receipt = Guardar un recibo de esta confirmación
done-continue = Continuar

## This was not me

decline-title = ¿No ha sido usted?
decline-text = Entonces otra persona escribió su dirección, quizá por error. Díganoslo y todo termina aquí.
decline-happens = Qué ocurre entonces
decline-happens-1 = La solicitud se cierra y sus enlaces dejan de funcionar.
decline-happens-2 = { $brand } no tiene su consentimiento y no le escribe.
decline-happens-3 = Anotamos que usted nos lo dijo, y cuándo.
decline-button = No, no he sido yo
decline-else = Si al final sí fue usted, simplemente cierre esta página. Nada ha cambiado.
decline-code-text = Parece que un programa ha abierto los enlaces del correo antes que usted. Algunos servicios de correo lo hacen como comprobación. Para que nadie diga que no en su lugar, escriba las seis cifras del correo, por favor.
decline-code-wrong = No son las cifras del correo. Escriba las seis cifras tal como figuran en él.
declined-title = Gracias por decírnoslo
declined-text = La solicitud está cerrada. { $brand } no tiene su consentimiento y no le escribe. Si algún día quiere recibir sus correos, escriba a { $contact }.
decline-after-confirmation-title = Esto ya estaba confirmado
decline-after-confirmation-text = La solicitud ya se ha confirmado. Para darse de baja, use el enlace de cualquier correo de { $brand } o escriba al contacto que figura abajo.

## About this mail

about-title = Acerca de este correo
# $brand is the name of the sender.
about-intro = { $brand } le pregunta si quiere recibir sus correos.
about-who = Quién pregunta
about-to = A qué dirección
about-when = Cuándo se introdujo
about-when-tablet = { $date }, según el reloj de la tableta
about-where = En qué página
about-until = Hasta cuándo funcionan los enlaces
about-why = Por qué lo ha recibido
about-why-text = Alguien escribió su dirección en un formulario: lo más probable es que fuera usted, o alguien que se equivocó al teclear. El correo se lo pregunta a usted para que nadie más pueda suscribirle.
about-why-text-at-once = Alguien escribió su dirección en un formulario: lo más probable es que fuera usted, o alguien que se equivocó al teclear. El correo le pregunta si fue usted, porque nadie más puede decirlo.
about-nothing = Si no hace nada
about-nothing-text = No se confirma nada. Los enlaces del correo dejan de funcionar el { $date }.
about-nothing-text-at-once = No se confirma nada. Aun así, { $brand } puede enviarle lo que se pidió en el formulario, salvo que usted pulse «No he sido yo». Los enlaces del correo dejan de funcionar el { $date }.
about-yes = Si ha sido usted
about-yes-text = Vuelva al correo y pulse el botón que contiene.
about-no = Si no ha sido usted

## Links that do not work

link-expired-title = Este enlace es demasiado antiguo
link-expired-text = Solo funcionaba durante un tiempo limitado. { $brand } puede enviarle un correo nuevo.
link-expired-action = Enviar un correo nuevo
link-over-title = Este enlace es demasiado antiguo
link-over-text = Solo funcionaba durante un tiempo limitado. Puede suscribirse a { $brand } en cualquier momento.
link-bounced-title = El correo no llegó
link-bounced-text = El correo de { $brand } volvió porque no se pudo entregar; por eso terminó esta solicitud. Puede volver a suscribirse en cualquier momento.
link-fresh-title = Revise su bandeja de entrada
link-fresh-text = Si aún podemos escribir a esta dirección, hay un correo nuevo de { $brand } en camino. Pulse el botón que contiene.
link-replaced-title = Hay un correo más reciente
link-replaced-text = Ha sustituido a este. Use el enlace del último correo de { $brand }, por favor.
link-corrected-title = La dirección se ha cambiado
link-corrected-text = Quien escribió esta dirección la ha corregido después. No queda nada por hacer.
link-broken-title = Este enlace no funciona
link-broken-text = Puede que se haya cortado por el camino. Ábralo de nuevo desde el correo o copie el enlace completo.

## Errors

error-not-found-title = Aquí no hay nada
error-not-found-text = La dirección de esta página no es correcta o la página ya no existe.
error-unavailable-title = Inténtelo de nuevo en un minuto, por favor
error-unavailable-text = Algo no funciona por nuestra parte en este momento. Lo que envió no se ha guardado.
error-too-many-title = Espere un momento, por favor
error-too-many-text = Ha habido demasiadas solicitudes a la vez. Inténtelo de nuevo en un minuto, por favor.
error-too-large-title = Es demasiado
error-too-large-text = Lo que se envió supera lo que admite este formulario. Vuelva atrás y acórtelo, por favor.
error-too-slow-title = Ha tardado demasiado
error-too-slow-text = Lo que envió no llegó a tiempo. Vuelva atrás y envíe de nuevo el formulario, por favor.
error-malformed-title = No se ha podido leer
error-malformed-text = Lo que se envió está dañado. Vuelva atrás y envíe de nuevo el formulario, por favor.
error-unknown-kind-title = No se ha podido leer
# For programmers: the three names stay as they are.
error-unknown-kind-text = Envíe el formulario como application/x-www-form-urlencoded, multipart/form-data o application/json.

## For the owner of a website: three ways to show the form there

embed-title = Ponga este formulario en su sitio web
# $form is the title of the form.
embed-intro = Hay tres formas de mostrar «{ $form }». Elija una y cópiela. Todas llevan al mismo correo y a la misma prueba.
embed-languages = Idioma del formulario:
embed-script-title = Con un script
embed-script-text = El formulario adopta el ancho, los tipos de letra y los colores de su página, y los pasos siguientes se dan allí mismo. Indique su sitio en «origins» del formulario.
embed-html-title = Como HTML sencillo
embed-html-text = Funciona en todas partes y sin scripts. Usted le da forma; el paso siguiente se abre en nuestra página. Conserve el texto que hay sobre el botón: es lo que las personas aceptan.
embed-html-proof = No para este formulario: pide un pequeño cálculo que mantiene fuera a los programas, y ese cálculo necesita un script. Elija una de las otras formas.
embed-frame-title = En un marco
embed-frame-text = Para creadores de sitios que no permiten ni scripts ni formularios. Elija la altura adecuada.
embed-policy = Si su sitio aplica una política de seguridad estricta (Content-Security-Policy), permita:
embed-copy = Copiar
embed-copied = Copiado
embed-preview = Ver el formulario
embed-paper-title = En papel: un código QR
embed-paper-text = Quien lo escanea se suscribe en su propio teléfono. Para carteles, folletos y puestos.
embed-paper-code = Código QR que lleva al formulario
embed-paper-poster = Una hoja para imprimir
embed-paper-booth = La página para la tableta de un puesto
embed-paper-file = El código como archivo (SVG)

## A sheet to put up at a booth, with the code that leads to the form

# Below the title of the form, above the code.
poster-lead = Escanee el código, escriba su dirección y confirme el correo.
# Read to people who do not see the code. $address is the address of the form.
poster-code = Código QR para { $address }

## The form on a booth’s tablet, where one person after the other signs

kiosk-thanks-title = Gracias
kiosk-thanks-text = Mire su bandeja de entrada: hay un correo en camino. Pulse el botón que contiene y quedará suscrito.
# Where there was no connection.
kiosk-kept-text = Sus datos se guardan aquí, cifrados, hasta que este dispositivo vuelva a tener conexión. Entonces recibirá un correo: pulse el botón que contiene.
kiosk-next = Siguiente persona
# $seconds counts down; keep the unit a sign. The same below.
kiosk-next-in = Esta página vuelve a un formulario vacío en { $seconds } s.
kiosk-still-there = ¿Sigue ahí?
kiosk-cleared-in = Lo que se ha escrito se borrará en { $seconds } s.
kiosk-continue = Sigo aquí
# Problems that only the people of the booth can mend.
kiosk-full = Este dispositivo no puede guardar nada más. Avise al personal, por favor.
kiosk-failed = No hay conexión y este dispositivo no puede guardar nada. Avise al personal, por favor.
# A corner for the people of the booth.
kiosk-staff = Para el personal
kiosk-staff-text = Lo que espera está cifrado: nadie puede leerlo en este dispositivo. Se envía por sí solo en cuanto hay conexión. No borre los datos de este navegador mientras haya algo en espera.
kiosk-ready = Funciona sin conexión
kiosk-not-ready = Todavía no está listo para funcionar sin conexión
kiosk-not-ready-clock = El reloj de este dispositivo está mal: no listo sin conexión
kiosk-never-ready = Solo funciona con conexión: sin https no se puede guardar nada
# $count is a number.
kiosk-waiting = En espera de envío: { $count }
kiosk-send = Enviar ahora
kiosk-sent = No hay nada en espera de envío.
kiosk-no-connection = Ahora no hay conexión. No se pierde nada.
kiosk-seconds = Segundos hasta la siguiente persona
# $count is a number. A list follows, each line of kiosk-entered and a reason.
kiosk-refused = No se pudo registrar: { $count }
kiosk-entered = Escrito el { $date }:
kiosk-try-again = Intentar de nuevo
kiosk-remove = Eliminar para siempre
kiosk-remove-sure = Nadie podrá recuperarlas. Pulse otra vez para eliminarlas.
kiosk-clock = El reloj de este dispositivo no va bien. Póngalo en hora o podrían rechazarse envíos.
kiosk-refused-late = Según el reloj de este dispositivo, se escribió hace más de 30 días.
kiosk-refused-early = Según el reloj de este dispositivo, se escribió en el futuro.
kiosk-refused-unreadable = No se puede abrir: pertenece a otro formulario o ha cambiado el secreto del servidor.
kiosk-no-scripts = Sin scripts, esta página solo funciona con conexión y se vacía al pulsar «Siguiente persona».
# For whoever sets a booth up.
kiosk-off-title = Este formulario no tiene página para un puesto
kiosk-off-text = Quien lo gestiona puede declarar kiosk = true para el formulario y aplicarlo.

## The same pages for people whom a campaign asked: nobody entered their address just now

ask-asked-on = { $brand } se lo preguntó el { $date }.
ask-no = No, gracias
ask-decline-title = ¿No quiere este correo?
ask-decline-text = Díganoslo y aquí termina.
ask-decline-button = No, no lo quiero
ask-decline-else = Si lo quiere, simplemente cierre esta página. No ha cambiado nada.
ask-about-when = Cuándo se le preguntó
ask-about-why-text = { $brand } se lo pregunta directamente. El correo dice de dónde tiene su dirección. Nadie más puede decir sí por usted.
ask-about-yes = Si lo quiere
ask-about-no = Si no lo quiere

## Darse de baja: la página detrás del enlace de baja de un correo

leave-title = ¿Darse de baja de { $brand }?
leave-text = Una pulsación, y { $brand } no envía nada más a esta dirección:
leave-one-title = ¿Darse de baja de «{ $purpose }»?
leave-one-text = Una pulsación, y «{ $purpose }» ya no llega a esta dirección:
leave-button = Sí, me doy de baja
leave-else = Si solo quería mirar, cierre esta página. Nada ha cambiado.
left-title = Se ha dado de baja
left-text = Desde ahora { $brand } no le envía nada más.
left-one-text = Desde ahora ya no recibe «{ $purpose }».
left-all-button = Darme de baja de todo el correo de { $brand }
left-undo = ¿Ha cambiado de opinión? Pida la página con sus preferencias
leave-gone-title = No hay nada que dar de baja
leave-gone-text = { $brand } ya no guarda nada de esta dirección y no le escribe.
link-left-title = Se ha dado de baja desde entonces
link-left-text = Este correo es anterior a su baja de { $brand }; por eso sus enlaces ya no funcionan. Puede volver a suscribirse cuando quiera.

## Preferencias: la página detrás del enlace que solo se envía a la dirección

prefer-title = Sus preferencias
prefer-intro = Lo que { $brand } puede enviar a esta dirección:
prefer-consent = Al pulsar el botón acepta que { $brand } le envíe los correos cuyas casillas marque usted aquí, tal como se describen aquí. Una casilla que ya estaba marcada no es un nuevo consentimiento. Puede cambiarlo aquí en cualquier momento.
# At a box beside a kind of mail that the sender writes already, without a yes given here. Becomes part of what the person agrees to.
prefer-agree = Acepto recibirlos (aún no confirmado aquí)
# In the place of prefer-consent behind a link that another program sent.
prefer-agree-by-mail = Lo que desactive aquí queda desactivado al momento. Para aceptar correos necesita un enlace nuevo, que llega a su dirección.
prefer-save = Guardar mis preferencias
prefer-language = Idioma
prefer-saved = Guardado.
prefer-unchanged = Todo estaba ya así.
prefer-other-wording = La descripción de estos correos ha cambiado desde que abrió la página, así que no se ha activado nada. Lo que ha desactivado está desactivado. Léala de nuevo y vuelva a guardar.
prefer-erase-stays = Estas preferencias se han cambiado muchas veces hoy, así que su petición de ser borrado sigue en pie. Inténtelo de nuevo mañana.
prefer-too-often = Estas preferencias se han cambiado muchas veces hoy, así que lo que ha activado, la pausa y el idioma quedan como estaban. Inténtelo de nuevo mañana. Desactivar correos y darse de baja funciona siempre.
prefer-pause-title = Pausa
prefer-pause-text = Ningún correo por un tiempo. Sus preferencias quedan como están.
prefer-pause-days = { $days } días
prefer-paused = Ningún correo antes del { $date }.
# $purposes is a list of names such as "Newsletter, Events"; it stands at the end.
prefer-came-back = El correo a esta dirección se devolvió por no poder entregarse. Por eso { $brand } no envía nada allí hasta saber que vuelve a llegar. Sus preferencias quedan como están. No se envía: { $purposes }
prefer-not-written = { $brand } no escribe a este buzón por el momento. Sus preferencias quedan como están. No se envía: { $purposes }
prefer-resume = Terminar la pausa
prefer-leave-title = Darse de baja de todo
prefer-leave-text = Entonces { $brand } no le envía nada más, envíe lo que envíe más adelante.
prefer-leave-button = Darme de baja de todo
prefer-data-title = Sus datos
prefer-data-text = Todo lo que se guarda aquí de usted, para leerlo y llevárselo.
prefer-data-report = Como informe con su prueba (ZIP)
prefer-data-json = Como archivo para programas (JSON)
prefer-erase = Borrarlo todo
prefer-erase-kept = Ha pedido que se borre todo. Se hará por sí solo en cuanto { $brand } ya no lo necesite para una reclamación legal.
prefer-erase-off = Ha retirado su petición de borrarlo todo.
prefer-expired-title = Este enlace es demasiado antiguo
prefer-expired-text = Muestra sus propios datos, por eso solo funciona un tiempo limitado. Puede pedir que le envíen uno nuevo.
prefer-expired-action = Pedir un enlace nuevo
prefer-by-mail-title = Un paso más: un enlace por correo
prefer-by-mail-text = Para estar seguro de que es usted, { $brand } envía un enlace nuevo a su dirección antes de que active correos, vea sus datos o los borre. Desactivar, darse de baja, la pausa y el idioma funcionan desde aquí al momento.

erase-title = ¿Borrarlo todo?
erase-text = Todo lo que { $brand } guarda aquí de esta dirección se borra: sus preferencias, lo que confirmó y cuándo. No se puede deshacer.
erase-sealed = Lo que prueba su consentimiento queda bajo llave por un tiempo limitado. Solo un litigio lo abre.
erase-remains = Queda un número que nadie puede volver a convertir en su dirección, para que ninguna lista la traiga de vuelta.
erase-button = Sí, borrarlo todo
erase-else = Si solo no quiere más correo, vuelva atrás y dese de baja.
erased-title = Borrado
erased-text = Lo que { $brand } guardaba aquí de su dirección está borrado.
# Where an owner holds the contact for a claim: before the button is pressed.
erase-held = { $brand } necesita lo que se conserva de esta dirección para una reclamación legal. Se borrará por sí solo en cuanto termine; hasta entonces guardamos su petición.
erase-kept-title = Su petición queda guardada
erase-kept-text = { $brand } necesita lo que se conserva de esta dirección para una reclamación legal. En cuanto termine, todo se borrará por sí solo; no hace falta que vuelva a pedirlo. Escriba a { $brand } si quiere saber más. Puede darse de baja de todos los correos ahora mismo.
erase-kept-back = Volver a sus preferencias
# On a button.
erase-kept-undo = No borrarlo, después de todo

## Un enlace nuevo, para quien ha perdido el suyo

lost-title = Sus preferencias
lost-text = Aquí elige lo que { $brand } le envía, hace una pausa, se da de baja o ve sus datos. Escriba su dirección y su enlace personal llega por correo.
lost-button = Enviarme el enlace
lost-sent-title = Mire su bandeja de entrada
lost-sent-text = Si { $brand } conoce esta dirección, un correo con su enlace está en camino. Puede tardar un minuto.
