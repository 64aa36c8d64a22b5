# Español (México), de usted. Frases cortas, sin signos de exclamación: primero qué pasa, luego qué hacer.

app-name = Visita
close = Cerrar
title-page = { $page } · Visita
back = Volver
back-to-list = Volver a la lista
save = Guardar
saved = Guardado
enter = Entrar
open = Abrir
try-again = Probar de nuevo
bring-here = Traerla aquí
enter-again = Volver a entrar
understood = Entendido
offline-title = Este dispositivo no tiene red
offline-text = Conéctelo al wifi de la sala. Lo demás se recupera solo.

## Nombre de quien usa el dispositivo
name-shown = { $name }
name-title = ¿Cómo se llama?
name-label = Su nombre
name-hint = Las demás personas lo verán en la llamada.
name-empty = Escriba un nombre.
name-too-long = El nombre es demasiado largo. Use 80 letras o menos.

## Ajustes
settings-title = Ajustes
settings-of = Ajustes de { $name }
language-label = Idioma
settings-camera-text = Vea su imagen y elija la cámara.
settings-camera-see = Probar
settings-devices = Cámara y sonido
settings-devices-text = Véase, escúchese y elija con qué.
signals = Sonidos suaves
signals-text = Cuando alguien llega, sale o empieza a esperar; nunca mientras alguien habla.
signals-on = De día y de noche
signals-night = No de noche (de { $from } a { $until })
signals-off = Nunca

## Conversaciones
rooms-title = Conversaciones
lobby-connecting = Conectando
lobby-live = En línea
lobby-live-ward = Conectado a { $ward }
lobby-lost = Sin conexión
lobby-ended = Anfitrión apagado
lobby-none = Sin anfitrión
room-new = Nueva
room-new-title = Nueva conversación
room-name-label = Nombre
room-name-hint = Por ejemplo: Cama 7, Relevo de turno
room-kind-label = ¿Para qué es?
room-kind-meeting = Reunión
room-kind-bed = Cama
room-create = Crear y entrar
room-exists = Ya existe una conversación con este nombre. Entrará en ella.
room-arrived = Visita en espera: { $room }
room-empty = Nadie por ahora
room-waiting = Visita en espera
room-in-call = En llamada
room-open-text = { $count ->
    [one] 1 persona
   *[other] { $count } personas
} · { $minutes ->
    [0] desde hace un momento
   *[other] { $minutes } min
}
room-waiting-text = { $minutes ->
    [0] Acaba de llegar
   *[other] Llegó hace { $minutes } min
}
enter-room = Entrar a { $room }
open-room = Abrir { $room }
rooms-lost = Se perdió la conexión con el anfitrión. Se sigue intentando; la lista se pondrá al día.
rooms-ended = El anfitrión se apagó. La lista se pondrá al día cuando vuelva.
rooms-offline = Este dispositivo no tiene red. Conéctelo al wifi de la sala; la lista se pondrá al día.
rooms-connecting = Conectando con el anfitrión
rooms-connecting-text = Tarda unos segundos.
rooms-none = No hay conversaciones
rooms-none-text = Cree una con «Nueva». Las visitas que lleguen aparecerán aquí.
rooms-no-host = Todavía no hay anfitrión
rooms-no-host-text = Elija uno de la lista, o active este dispositivo como anfitrión.
rooms-unreachable = El anfitrión no responde
rooms-unreachable-text = Revise que este dispositivo siga en la red de la sala y que el anfitrión esté encendido. Se sigue intentando.
rooms-unreachable-text-app = Revise que el anfitrión esté encendido y en esta misma red, o elija otro de la lista. Se sigue intentando.
rooms-ended-text = Alguien lo apagó. Cuando vuelva a encenderse, las conversaciones aparecerán aquí.
rooms-stopped-text = No se usa. Elija otro anfitrión de la lista.
entrances-title = Entrar a una visita
entrance-family = Soy familiar
entrance-family-text = Diga su nombre y espere la visita
entrance-patient = Tableta del paciente
entrance-patient-text = Vea quién está esperando

## Este dispositivo como anfitrión
this-device = Este dispositivo
host-title = Anfitrión de la sala
host-off = No está activo
host-starting = Iniciando
host-starting-text = Tarda unos segundos.
host-on = Las llamadas pasan por aquí
host-failed = No se pudo iniciar
host-inactive = Anfitrión apagado
host-active = Anfitrión activo
host-hint = Al activarlo, los demás dispositivos lo encuentran solos. Manténgalo enchufado.
host-panel = Código QR y conectados
host-problem-port-in-use = { $known ->
    [visita] Otra Visita en este dispositivo ocupa el puerto { $port }. Ciérrela y active de nuevo, o use otro puerto.
    [other] El programa «{ $holder }» ocupa el puerto { $port }. Ciérrelo y active de nuevo, o use otro puerto.
   *[none] Otro programa ocupa el puerto { $port }. Ciérrelo y active de nuevo, o use otro puerto.
}
host-other-port = Usar el puerto { $port }
host-problem-data-not-writable = No se puede escribir en la carpeta de datos. Revise los permisos de la cuenta y active de nuevo.
host-problem-disk-full = El dispositivo no tiene espacio libre. Borre archivos que ya no use y active de nuevo.
host-problem-no-network = Este dispositivo no está en ninguna red. Conéctelo al wifi de la sala y active de nuevo.
host-problem-other = Ocurrió un fallo inesperado. Active de nuevo; si se repite, reinicie la aplicación.
host-stop-label = Anfitrión
host-stop = Dejar de ser anfitrión
host-stop-title = ¿Dejar de ser anfitrión?
host-stop-text = { $count ->
    [one] 1 persona conectada perderá su llamada:
   *[other] { $count } personas conectadas perderán su llamada:
}
host-stop-list = Personas que perderán su llamada
host-stop-more = { $count ->
    [one] y 1 más
   *[other] y { $count } más
}
host-quit = Dejar de ser anfitrión y salir
host-conditions-show = De qué depende el anfitrión
ward-rename-title = Cambiar el nombre de la sala
ward-rename-text = Las llamadas siguen y la huella no cambia. Los demás dispositivos ven el nombre nuevo en su lista.
ward-name-label = Nombre de la sala
ward-name-hint = Por ejemplo: Medicina 3 Norte
window-closing-title = El anfitrión sigue activo
window-closing-text = La ventana se cierra; las llamadas de los demás siguen. La suya termina.
window-closing-again = Para volver a ver la ventana, abra Visita de nuevo, o toque su icono junto al reloj si lo hay. Esto se dice una sola vez.
window-close = Cerrar la ventana
tray-open = Abrir Visita
tray-quit = Dejar de ser anfitrión y salir
host-qr = Código QR con la dirección del anfitrión
host-how = Escanee con el teléfono, o escriba la dirección en cualquier navegador de esta red.
host-other-addresses = También en { $addresses }
host-fingerprint = Huella de la sala
host-connected = Conectados
host-nobody = Nadie conectado todavía
host-nobody-text = Quien entre desde esta red aparecerá aquí.
stat-people = En llamada
stat-people-rooms = { $count ->
    [0] nadie todavía
    [one] en 1 conversación
   *[other] en { $count } conversaciones
}
stat-people-lost = { $count ->
    [one] 1 sin señal por ahora
   *[other] { $count } sin señal por ahora
}
stat-load = Carga del equipo
stat-load-text = Memoria { $percent } %
stat-traffic = Imagen enviada
stat-traffic-number = { $size }
stat-traffic-text = Mbit/s · { $size } recibidos
stat-battery = Batería
percent = { $percent } %
milliseconds = { $time } ms
strain-processor = Este dispositivo tiene demasiado trabajo y la imagen puede trabarse. Cierre otros programas, o que otro dispositivo sea el anfitrión.
strain-memory = A este dispositivo se le acaba la memoria. Cierre otros programas, o que otro dispositivo sea el anfitrión.
strain-battery = La batería se acaba, y con ella terminan todas las llamadas. Enchufe este dispositivo.
line-weak = Señal débil
line-poor = Señal mala
conditions-title = De qué depende el anfitrión
condition-power = Corriente
power-mains = Enchufado
power-mains-text = Este dispositivo no tiene batería: funciona mientras haya corriente.
power-plugged = Enchufado
power-plugged-text = Puede ser anfitrión todo el tiempo que haga falta.
power-battery = Con batería
power-battery-text = Enchúfelo: cuando se acabe la batería terminan todas las llamadas.
power-unknown = No se sabe
power-unknown-text = Este dispositivo no dice si está enchufado. Revise su cable.
condition-network = Red
network-on = Conectado
network-text = { $kind ->
    [wifi] Por el wifi
    [cable] Por el cable
   *[other] Por
} { $interface }, con la dirección { $address }. Los demás deben estar en esta misma red.
network-several-text = { $kind ->
    [wifi] Por el wifi
    [cable] Por el cable
   *[other] Por
} { $interface }, con la dirección { $address }, y por { $others }. Los demás deben estar en una de estas redes.
network-none = Sin red
network-none-text = Conecte este dispositivo a la red en la que están los demás.
condition-awake = Sin dormirse
awake-kept = Sigue despierto
awake-kept-text = Mientras es anfitrión, este dispositivo no se duerme solo. No cierre la tapa.
awake-refused = Puede dormirse
awake-refused-text = El sistema no deja que Visita lo mantenga despierto. Desactive la suspensión en los ajustes del dispositivo.
condition-reached = Acceso de los demás
reached-yes = Sí
reached-yes-text = Ya han entrado otros dispositivos.
reached-unheard = Solo con código
reached-unheard-text = El sistema no deja que Visita anuncie este dispositivo, y los demás no lo encuentran por sí solos. Muéstreles el código QR o escriba allí la dirección.
reached-not-yet = Todavía no
reached-not-yet-text = Nadie ha entrado todavía desde otro dispositivo. Si no pueden, revise que estén en la misma red y que el cortafuegos de este dispositivo deje pasar el puerto { $port } (TCP).
boot-title = Iniciar con el dispositivo
boot-text = Después de un reinicio vuelve a ser anfitrión por sí solo, sin ventana.
connected-text = { $role ->
    [staff] Personal
    [bedside] Tableta del paciente
    [family] Familiar
   *[other] Invitado
} · { $room }{ $line ->
    [weak] { " " }· parte de la imagen se omite
    [poor] { " " }· casi toda la imagen se omite o llega tarde
   *[good] { "" }
}
member-reconnecting = Reconectando

## Anfitriones de la red
hosts-title = Anfitriones en esta red
hosts-searching = Buscando anfitriones
hosts-searching-text = Suele tardar uno o dos segundos.
hosts-none = No se encontró ningún anfitrión
hosts-no-network = Este dispositivo no está en ninguna red
hosts-no-network-text = Conéctelo al wifi de la sala. La búsqueda sigue sola.
hosts-failed = Este dispositivo no puede buscar en la red
hosts-failed-text = Su sistema no se lo permite a la aplicación. Lea el código QR del anfitrión o conecte por dirección.
hosts-tried = Qué se intentó
tried-network = Se preguntó a todos los dispositivos de esta red. Este es { $addresses }.
tried-known = { $count ->
    [one] Se preguntó al anfitrión conocido donde estuvo la última vez. No responde.
   *[other] Se preguntó a los { $count } anfitriones conocidos donde estuvieron la última vez. Ninguno responde.
}
hosts-reasons = A qué puede deberse
reason-off = El anfitrión está apagado o no está activo en la aplicación. Mire su pantalla.
reason-network = Está en otra red. La dirección en su pantalla debe empezar como la de este dispositivo.
reason-apart = Esta red no deja que los dispositivos se vean, como las de visitantes. Lea el código QR del anfitrión; si tampoco responde, use otra red.
reason-firewall = Un cortafuegos en el anfitrión no deja entrar a los demás. Pregunte a quien cuida los equipos.
hosts-code = Leer un código QR
hosts-code-text = El de la pantalla del anfitrión
host-address-known = { $address } · conocido, está aquí
host-seen = { $when ->
    [now] Visto hace un momento
    [today] Visto hoy a las { $time }
    [yesterday] Visto ayer a las { $time }
    [days] { $days ->
        [one] Visto hace { $days } día
       *[other] Visto hace { $days } días
    }
   *[long] Visto el { $date }
}
host-away = No se le alcanza ahora. Revise que esté encendido y en esta red.
host-silent = Se anuncia, pero no responde. Un cortafuegos o esta red no lo permiten.
host-asked = Preguntando si está
host-changed = En su dirección responde otro anfitrión. No se usa.
host-short = Huella { $digits }
host-try = Probar
host-try-label = Probar { $name }
host-why = Leer por qué
host-why-label = Leer por qué no se usa { $name }
changed-title = Este no es el anfitrión de antes
changed-text = Donde estaba { $name } ({ $address }) responde ahora otra huella. No se conectó y no se envió nada.
changed-print = La huella que se conoce
changed-staff = Pregunte al personal de la sala si el anfitrión se cambió o se instaló de nuevo. Solo entonces olvide el anterior. La próxima conexión será la primera, con su huella para comparar.
forget-sure = El personal de la sala dijo que el anfitrión se cambió
forget-first = Primero pregunte al personal de la sala y márquelo aquí.
forget-host = Olvidar el anfitrión anterior
scan-text = Ponga el código QR del anfitrión frente a la cámara.
scan-picture = Lo que ve la cámara
scan-starting = La cámara se está abriendo
scan-looking = Buscando un código
scan-other = Este código no lleva a un anfitrión. El correcto está en la pantalla del anfitrión.
scan-found = Código leído. Conectando con { $address }
scan-again = Leer un código otra vez
link-new = ¿Conectar con este anfitrión?
link-new-text = Un enlace lleva a él. Este dispositivo aún no lo conoce. Conecte solo si el enlace viene de la sala.
link-known = ¿Conectar con { $name }?
link-known-text = Un enlace lleva a él. Este dispositivo lo conoce.
link-other = Este enlace no lleva a ningún anfitrión
link-other-text = Está dañado o no es de Visita. Pida otro o elija el anfitrión de la lista.
hosts-other = Conectar por dirección
hosts-other-text = Cuando no aparece en la lista
host-use = Usar
host-use-label = Usar { $name }
host-in-use = En uso
host-connecting = Conectando
host-address-new = { $address }
first-use-title = Primera conexión con esta sala
first-use-text = Compare esta huella con la de la pantalla del anfitrión. Deben ser iguales. Se recordará.
address-text = La dirección está en la pantalla del anfitrión.
address-label = Dirección
address-hint = Por ejemplo: 192.0.2.14:3000
connect = Conectar
use-problem-unreachable = No hubo respuesta. Revise la dirección, y que el anfitrión esté encendido y en esta misma red.
use-problem-bad-address = Esto no parece una dirección. Escríbala como en la pantalla del anfitrión, por ejemplo 192.0.2.14:3000.
use-problem-version = Usa otra versión de Visita. Actualice la más antigua de las dos.
use-problem-pin-mismatch = Su huella no es la de siempre. No se conectó.
use-problem-state = Este dispositivo no puede leer o guardar en qué anfitriones confía. Revise que su carpeta de datos exista y que haya espacio, y reinicie la aplicación.

## En la llamada
controls = Controles de la llamada
call-title = Llamada
control-camera = Cámara
control-camera-on = Encender la cámara
control-camera-off = Apagar la cámara
control-mic-on = Activar el micrófono
control-mic-off = Silenciar el micrófono
mic-open = Micrófono
mic-open-label = Silenciar el micrófono
mic-muted = Silenciado
mic-muted-label = Silenciado: activar el micrófono
mic-none = Sin micrófono
mic-none-label = Sin micrófono: probar de nuevo
mic-hold = Pulse y hable
mic-hold-label = Pulse y hable: se le oye mientras lo mantiene pulsado
mic-held = Le oyen
mic-held-label = Le oyen: suelte para silenciarse
control-audio-only = Solo audio
control-audio-only-label = Solo audio, sin imagen
control-pictures = Con imagen
control-pictures-label = Con imagen otra vez
control-chat-unread = { $count ->
    [one] , 1 sin leer
   *[other] , { $count } sin leer
}
control-leave = Salir
control-leave-label = Salir de la llamada
call-connecting = Conectando
call-connected = Conectado
call-reconnecting = Reconectando
call-people = { $count ->
    [one] solo usted
   *[other] { $count } personas
}
call-time = { $time } · { $minutes ->
    [0] recién empezada
   *[other] { $minutes } min
}
call-sub-connected = { " " }· conectado
call-banner-reconnecting = Se perdió la conexión. Se está recuperando; no cierre esta página.
call-banner-patient = La conexión se está recuperando.
call-banner-closing = El anfitrión va a cerrar. La llamada puede cortarse.
call-line-down = Conexión débil: el sonido sigue igual; la imagen volverá sola.
call-line-up = Conexión débil: su imagen no se envía; el sonido sigue igual.
call-line-both = Conexión débil: por ahora solo hay sonido. La imagen volverá sola.
call-line-down-patient = La imagen volverá sola.
call-line-up-patient = Por ahora no le ven.
call-line-both-patient = Por ahora, solo sonido.
call-room = { $room }
call-entering = Entrando
call-entering-text = Tarda unos segundos.
call-alone = Aquí no hay nadie más todavía
call-alone-text = Cuando alguien entre, aparecerá en esta pantalla.
call-alone-again = Ahora no hay nadie más aquí
call-alone-again-text = Si alguien vuelve, aparecerá en esta pantalla.
call-alone-patient = Un momento, por favor
call-alone-patient-text = La persona se está conectando. Aparecerá aquí.
call-gone = La visita salió
call-gone-text = Si vuelve, aparecerá aquí.
call-gone-back = Volver a la lista
tiles-label = Personas en la llamada
tile-picture = Imagen de { $name }
tile-reconnecting = Reconectando
tile-camera-off = Cámara apagada
tile-audio-only = Solo audio
tile-paused = Conexión débil
tile-speaks = Habla
tile-muted = , silenciado
tile-undecodable = No se puede mostrar su imagen
tile-stalled = La imagen se detuvo
tile-loading = Llega la imagen
tile-late = Su imagen no llega
tile-moving = Imagen en vivo
tile-paused-why = El sonido sigue igual; su imagen volverá sola.
tile-reconnecting-why = Perdió la conexión y la está recuperando.
tile-undecodable-why = Viene en un formato que aquí no se puede abrir. Sus mensajes sí llegan.
tile-stalled-why = Se espera la siguiente; suele volver sola.
tile-late-why = Su cámara está encendida. Puede que su señal sea débil; se sigue intentando.
self-picture = Su propia imagen
self-move = Mover su imagen a otra esquina
self-off = Cámara apagada
self-starting = Abriendo cámara
self-paused = No se envía
people-title = Personas
people-close = Cerrar la lista de personas
people-you = usted
people-open = Micrófono activo
people-muted = Silenciado
volume-label = Volumen de { $name }
volume-none = Sin sonido
menu-title = Ajustes
menu-close = Cerrar los ajustes
menu-self-hide = Ocultar su propia imagen
menu-self-show = Mostrar su propia imagen
menu-full = Pantalla completa
menu-full-leave = Salir de pantalla completa
processing = Quitar eco y ruido
processing-text = Desactívelo solo si usa auriculares.
menu-hold = Pulsar para hablar
menu-hold-text = Solo se le oye mientras mantiene pulsado el botón del micrófono o la tecla M.
menu-keys = Teclas rápidas
key-microphone = Micrófono activo o silenciado
key-camera = Cámara encendida o apagada
key-chat = Mensajes
key-people = Personas
key-full = Pantalla completa
key-self = Ocultar o mostrar su imagen
key-menu = Ajustes
key-arrows = Mover su imagen a otra esquina
key-escape = Cerrar lo que esté abierto
leave-title = ¿Salir de la visita?
leave-text = La otra persona dejará de verle.
leave-stay = Seguir en la visita
notice-joined = { $count ->
    [one] { $names } entró
   *[other] { $names } entraron
}
notice-left = { $count ->
    [one] { $names } salió
   *[other] { $names } salieron
}
notice-lost = Se perdió la conexión con { $names }
notice-coming = { $what }
notice-more = { $count } personas más
notice-muted = Está silenciado: nadie le oye
notice-microphone = El micrófono ahora es { $name }
notice-speaker = El altavoz ahora es { $name }
notice-unmute = Activar
notice-line-down = La imagen volvió.
notice-line-up = Su imagen se envía otra vez.
notice-chat = { $name }: { $text }
chat-title = Mensajes
chat-empty = Lo que escriba aquí lo ven todos en la llamada. Nada se guarda después.
chat-placeholder = Escribir un mensaje
chat-send = Enviar
chat-close = Cerrar mensajes
chat-pending = Enviando
chat-pending-lost = Se enviará cuando vuelva la conexión
chat-refused = No se envió. { $why }
chat-again = Enviar de nuevo
chat-drop = Quitar
chat-coming = { $what } · { $time }
refused-chat-empty = El mensaje estaba vacío.
refused-chat-too-long = El mensaje es demasiado largo. Use 2000 letras o menos.
refused-rate-limited = Demasiado seguido. Espere un momento y escriba de nuevo.
ended-title = La llamada terminó
ended-title-left = Ha salido de la visita
ended-text = Puede volver a entrar cuando quiera.
ended-text-family = Puede cerrar esta página, o volver a entrar cuando quiera.

## Sonido
sound-hear = Activar el sonido
sound-blocked = El navegador espera un toque para que pueda oír a los demás.
sound-blocked-patient = Con un toque oirá a su visita.
sound-interrupted = El dispositivo detuvo el sonido, quizá por otra llamada. Vuelve solo, o con un toque.
sound-interrupted-patient = El sonido se detuvo. Vuelve solo, o con un toque.
sound-missing = No se encontró ningún altavoz. Conecte uno y oirá a los demás sin hacer nada más.
sound-missing-patient = Este dispositivo no encuentra su altavoz. Pida ayuda al personal.
mic-without = Seguir sin micrófono
mic-denied-title = No hay permiso para usar el micrófono
mic-denied-text = Toque el candado junto a la dirección, permita el micrófono y pruebe de nuevo. Sin él no se le oye.
mic-denied-text-app = Abra los ajustes de privacidad del dispositivo, permita el micrófono a Visita y pruebe de nuevo.
mic-missing-title = No se encontró ningún micrófono
mic-missing-text = Conecte uno y se le oirá sin hacer nada más. Mientras tanto oye a los demás y puede escribirles.
mic-busy-title = Otro programa está usando el micrófono
mic-busy-text = Cierre las otras llamadas y se le oirá enseguida, o pruebe de nuevo ahora.
mic-lost-title = El micrófono se desconectó
mic-lost-text = Vuelva a conectarlo y se le oirá de nuevo. La llamada sigue.
mic-lost-text-before = Vuelva a conectarlo y se le oirá de nuevo.
mic-insecure-title = Esta página no es segura y no puede usar el micrófono
mic-insecure-text = Ábrala con la dirección que empieza con https:// en la pantalla del anfitrión. Sin micrófono también puede entrar: oirá a los demás.
mic-failed-title = El micrófono no responde
mic-failed-text = Pruebe de nuevo. Si se repite, reinicie el dispositivo. La llamada sigue.
mic-failed-text-before = Pruebe de nuevo. Si se repite, reinicie el dispositivo. También puede entrar sin micrófono.
both-without = Seguir sin ellos
both-denied-title = No hay permiso para usar la cámara ni el micrófono
both-denied-text = Toque el candado junto a la dirección, permita los dos y pruebe de nuevo. Sin ellos no se le ve ni se le oye.
both-denied-text-app = Abra los ajustes de privacidad del dispositivo, permita los dos a Visita y pruebe de nuevo.
both-missing-title = No se encontró cámara ni micrófono
both-missing-text = Conéctelos y la imagen y el sonido llegarán solos. Sin ellos también puede entrar: verá y oirá a los demás.
both-insecure-title = Esta página no es segura y no puede usar la cámara ni el micrófono
both-insecure-text = Ábrala con la dirección que empieza con https:// en la pantalla del anfitrión. Sin ellos también puede entrar: verá y oirá a los demás.

## Cámara
camera-without = Seguir sin cámara
camera-denied-title = No hay permiso para usar la cámara
camera-denied-text = Toque el candado junto a la dirección, permita la cámara y pruebe de nuevo.
camera-denied-text-app = Abra los ajustes de privacidad del dispositivo, permita la cámara a Visita y pruebe de nuevo.
camera-missing-title = No se encontró ninguna cámara
camera-missing-text = Conecte una y la imagen aparecerá sola. Sin cámara también puede entrar: verá a los demás.
camera-busy-title = Otro programa está usando la cámara
camera-busy-text = Cierre las otras videollamadas y la imagen aparecerá sola, o pruebe de nuevo ahora.
camera-lost-title = La cámara se desconectó
camera-lost-text = Vuelva a conectarla y la imagen regresará sola. La llamada sigue.
camera-lost-text-before = Vuelva a conectarla y la imagen regresará sola.
camera-insecure-title = Esta página no es segura y no puede usar la cámara
camera-insecure-text = Ábrala con la dirección que empieza con https:// en la pantalla del anfitrión. Sin cámara también puede entrar: verá a los demás.
camera-failed-title = La cámara no responde
camera-failed-text = Pruebe de nuevo. Si se repite, reinicie el dispositivo. La llamada sigue.
camera-failed-text-before = Pruebe de nuevo. Si se repite, reinicie el dispositivo. También puede entrar sin cámara.

## Cómo se ve uno antes de entrar
check-title = Su cámara
check-promise = Solo usted ve esta imagen.
check-title-sound = Cámara y sonido
check-promise-sound = Aquí solo usted se ve y se oye.
check-open = Ver mi imagen
check-open-both = Probar ahora
check-open-sound = Probar el micrófono
check-asks = Véase antes de entrar
check-asks-text = El navegador preguntará si se puede usar la cámara. Toque «Permitir».
check-asks-sound = Véase y escúchese antes de entrar
check-asks-sound-text = El navegador preguntará si se pueden usar la cámara y el micrófono. Toque «Permitir».
check-starting = Abriendo la cámara
check-question = Si el navegador pregunta, toque «Permitir».
check-off = Cámara apagada
check-off-text = Los demás verán un dibujo en su lugar.
check-works = Su cámara funciona
check-works-both = Se ve y se escucha bien
check-works-sound = Se le escucha bien
check-say = Se ve bien. Diga algo para probar el sonido.
check-say-only = Diga algo para probar el sonido.
check-sound = Probar el sonido
check-tone = Oír un tono
check-sample = Escucharse
check-sample-none = Hable unos segundos y escúchese. No se guarda.
check-sample-recording = Hable ahora
check-sample-playing = Así le oyen los demás
check-sample-muted = Active el micrófono para oírse.
camera-list = Cámara
camera-list-none = No hay ninguna cámara conectada
device-change = Cambiar
device-named = { $name }
camera-unnamed = Cámara { $number }
mic-list = Micrófono
mic-list-none = No hay ningún micrófono conectado
mic-unnamed = Micrófono { $number }
speaker-list = Altavoz
speaker-list-none = El dispositivo elige el altavoz
speaker-unnamed = Altavoz { $number }

## /Familiar/
family-title = Visita a su familiar
family-text = Diga quién es y pase a la sala de espera.
family-name-label = Su nombre
family-enter = Pasar a la sala de espera
family-promise = Solo le ve y le oye quien entra en su visita. Nada se graba.
wait-connecting-title = Entrando
wait-connecting-text = Tarda unos segundos.
wait-waiting-title = Está en la sala de espera
wait-waiting-text = Su nombre ya está en la lista de la sala. Suele tardar unos minutos, y la visita se abre sola en esta pantalla.
wait-again-title = Por ahora no hay nadie más
wait-again-text = Si alguien vuelve, la visita se abre sola en esta pantalla. También puede salir.
wait-long-title = Hoy está tardando más
wait-long-text = Su nombre sigue en la lista y la visita se abrirá sola. Si puede, pregunte al personal de la sala; no pierde su lugar.
wait-reconnecting-title = Se perdió la conexión
wait-reconnecting-text = Se está recuperando sola. Usted conserva su lugar; no cierre esta página.
wait-tips = Mientras espera
wait-tip-phone = Apoye el teléfono, con la cámara hacia usted y la luz de frente.
wait-tip-see = Es posible que vea tubos o cables. El personal cuida a su familiar.
wait-tip-leave = Puede salir cuando quiera y volver después.
wait-leave = Salir de la espera

## /Paciente/
patient-name = Paciente
patient-title = Vienen a verle
patient-waits = Le está esperando
patient-talks = La visita ya empezó
patient-see = Ver
patient-none = Nadie espera por ahora
patient-none-text = Cuando llegue una visita, aparecerá aquí.
patient-connecting = Conectando
patient-connecting-text = Tarda unos segundos.
patient-lost = Sin conexión por ahora
patient-lost-text = Se recupera sola. No tiene que hacer nada.
patient-ended = Las visitas están apagadas
patient-ended-text = Vuelven solas. No tiene que hacer nada.
patient-offline = Sin conexión por ahora
patient-offline-text = Esta tableta no tiene red. El personal puede conectarla.
patient-time = { $time }
patient-date = { $date }

## Cómo se entra: invitaciones, códigos, ayuda con el certificado y los permisos
invite = Invitar
invite-title = Invitar a la visita
invite-title-meeting = Invitar a la reunión
invite-text = Con la cámara de otro teléfono, con un código de seis dígitos o con un enlace. Quien entra debe estar en esta red.
invite-qr = Código QR que abre esta conversación
invite-where = O abra { $address } en un navegador y escriba
invite-until = Vale hasta las { $time }
invite-link = O envíe el enlace
invite-copy = Copiar el enlace
invite-copied = Copiado. Péguelo en un mensaje.
invite-copy-by-hand = Este navegador no deja copiar. El enlace quedó seleccionado; cópielo a mano.
invite-share = Compartir
open-in-app = Abrir en la aplicación Visita
invite-unreachable = El anfitrión no responde ahora. Espere un momento y pruebe de nuevo.
invite-no-code = Ahora no hay código. El QR y el enlace sí sirven; para el código, pruebe de nuevo.
code-title = ¿Tiene un código?
code-hint = Los seis dígitos que le dio la sala.
code-looking = Buscando
code-short = El código tiene seis dígitos. Revise que estén todos.
code-unknown = Este código no sirve o ya venció. Revíselo, o pida uno nuevo a la sala.
code-too-many = { $seconds ->
    [one] Demasiados intentos. Pruebe de nuevo en 1 segundo.
   *[other] Demasiados intentos. Pruebe de nuevo en { $seconds } segundos.
}
code-too-many-until = Demasiados intentos. Pruebe de nuevo a las { $time }, o pida un enlace a la sala.
code-unreachable = La sala no responde. Revise que este dispositivo esté en el wifi del hospital y pruebe de nuevo.
code-offline = Este dispositivo no tiene red. Conéctelo al wifi del hospital y pruebe de nuevo.
code-busy = La sala está muy ocupada ahora. Pruebe de nuevo en un minuto.
code-other = No se pudo revisar el código. Pruebe de nuevo.
inside-label = Cómo usar la cámara
inside-title = Esta página está dentro de { $app }
inside-title-unknown = Esta página está dentro de otra aplicación
inside-text = Aquí la cámara y el micrófono suelen fallar. Puede entrar así y ver y oír a los demás, o abrirla en su navegador.
inside-dots = Toque los tres puntos de arriba y elija «Abrir en { $browser }» o «Abrir en el navegador».
inside-share = Toque el botón de compartir o los tres puntos y elija «Abrir en { $browser }».
inside-any = Busque un menú de tres puntos o el botón de compartir y elija «Abrir en { $browser }». Si no lo hay, copie el enlace y péguelo en { $browser }.
inside-open = Abrir en el navegador
inside-copied = Copiado. Péguelo en la barra de direcciones de su navegador.
system-label = ¿Qué dispositivo tiene?
system-ios = iPhone o iPad
system-android = Android
system-windows = Windows
system-macos = Mac
system-linux = Linux
way-chrome = Chrome, Edge y parecidos
way-firefox = Firefox
way-safari = Safari
way-ios-others = Chrome, Firefox o Edge
way-system = Permisos del sistema
help-home = Ir a las conversaciones
entrance-certificate = ¿El navegador dice que no es seguro?
entrance-certificate-text = Por qué, y cómo se quita el aviso
cert-title = El certificado de la sala
cert-text = La sala hizo su propio certificado, y por eso el navegador avisa la primera vez. Instalado una sola vez en este dispositivo, el aviso desaparece. Instálelo solo si la huella es la de la sala.
cert-get = Descargar el certificado
cert-show = Quitar el aviso del navegador
cert-scan = Quien vea un aviso de seguridad puede escanear este código: explica cómo instalar el certificado de la sala en cada dispositivo.
cert-qr = Código QR de la ayuda con el certificado
cert-compare = Debe ser igual a la que muestra la pantalla del anfitrión. Si no lo es, no siga y avise al personal.
cert-no-print = La sala no responde ahora, y la huella no se puede mostrar.
cert-install = Instalarlo
cert-download = Toque «Descargar el certificado» y confirme la descarga.
cert-download-open = Descargue el certificado y abra el archivo «visita-ward.crt».
cert-back = Vuelva a abrir la página de la visita. El aviso ya no aparece.
cert-restart = Cierre el navegador por completo y vuelva a abrir la página. El aviso ya no aparece.
cert-compare-details = Antes de aceptar, abra los detalles y compare la huella SHA-256 con la de la pantalla del anfitrión.
cert-ios-download = En Safari toque «Descargar el certificado» y luego «Permitir».
cert-ios-profile = Abra los Ajustes (Configuración) del iPhone. Arriba dice «Perfil descargado»: tóquelo y toque «Instalar».
cert-ios-trust = En Ajustes, General, Información, abra hasta abajo la confianza de los certificados y active el de la sala.
cert-android-search = Abra los Ajustes y busque «certificado». Elija «Certificado de CA» e instálelo de todos modos.
cert-android-install = Elija el archivo «visita-ward.crt» entre las descargas. El teléfono puede pedir su PIN.
cert-android-compare = En los Ajustes busque «Credenciales de confianza», pestaña «Usuario», y compare la huella SHA-256 con la del anfitrión.
cert-windows-install = Elija «Instalar certificado» y «Usuario actual».
cert-windows-store = Elija «Colocar todos los certificados en el siguiente almacén» y «Entidades de certificación raíz de confianza». Termine y confirme.
cert-mac-find = En Acceso a Llaveros busque el certificado de la sala y ábralo con doble clic.
cert-mac-trust = En «Confiar» elija «Confiar siempre» y escriba la contraseña de la Mac.
cert-linux-chrome = En los ajustes de Chrome busque «certificados» y abra los instalados por usted, o «Autoridades».
cert-linux-import = Importe «visita-ward.crt» y marque que identifica sitios web.
cert-linux-firefox = Toque «Descargar el certificado». Firefox pregunta si se confía en él.
cert-linux-firefox-trust = Compare la huella en «Ver», marque que identifica sitios web y acepte.
cert-without = Sin instalar nada
cert-without-text = También se puede aceptar a mano. El navegador puede volver a preguntar otro día.
cert-without-ios = La página se abre y la cámara se ve, pero en un iPhone o iPad la visita puede no conectar sin el certificado.
hand-safari = Cuando Safari avise, toque «Mostrar detalles».
hand-safari-visit = Toque «visitar este sitio web» y confirme.
hand-iphone = Toque «visitar este sitio web» y confirme. Si la visita no conecta, instale el certificado.
hand-chrome = Cuando el navegador avise, toque «Avanzado» o «Configuración avanzada».
hand-chrome-go = Toque «Continuar» o «Acceder» junto a la dirección de la sala.
hand-firefox = Cuando Firefox avise, toque «Avanzado».
hand-firefox-go = Toque «Aceptar el riesgo y continuar».
allow-title = Permitir cámara y micrófono
allow-text = Elija su dispositivo y siga los pasos. La visita también sirve sin cámara: verá y oirá a los demás.
allow-text-app = El permiso está en los ajustes del dispositivo.
allow-how = Ver cómo
allow-none = Este sistema no tiene un permiso para eso. Reinicie la aplicación y pruebe de nuevo.
allow-reload = Vuelva a cargar la página y toque «Permitir» si el navegador pregunta.
allow-chrome = Toque el icono a la izquierda de la dirección.
allow-chrome-switch = Active la cámara y el micrófono. En el teléfono están en «Permisos».
allow-firefox = Toque el candado o el icono de la cámara junto a la dirección.
allow-firefox-clear = Quite el bloqueo de la cámara y del micrófono.
allow-ios-menu = Toque el botón de la página en la barra de la dirección («aA» o el de la lista).
allow-ios-site = Abra los ajustes del sitio web y ponga Cámara y Micrófono en «Permitir».
allow-ios-others = Abra los Ajustes (Configuración) del iPhone y baje hasta su navegador.
allow-ios-others-switch = Active la cámara y el micrófono.
allow-ios-system = Si sigue igual: abra los Ajustes del iPhone y busque Safari.
allow-ios-system-ask = Ponga Cámara y Micrófono en «Preguntar» o «Permitir».
allow-android-system = Abra los Ajustes, Aplicaciones, su navegador, Permisos, y permita cámara y micrófono.
allow-android-quick = Deslice desde arriba y revise que el acceso a la cámara y al micrófono no esté desactivado para todo el teléfono.
allow-windows-system = Abra Configuración, Privacidad y seguridad, y luego Cámara y Micrófono.
allow-windows-switch = Active el acceso, también el de las aplicaciones de escritorio.
allow-mac-safari = Abra el menú Safari, arriba, y elija la configuración para este sitio web.
allow-mac-safari-site = Ponga Cámara y Micrófono en «Permitir».
allow-mac-system = Abra Configuración del Sistema, Privacidad y seguridad, y luego Cámara y Micrófono.
allow-mac-switch = Active su navegador, y ciérrelo y ábralo de nuevo si se lo pide.

## Lo que puede fallar
problem-unreachable-title = El anfitrión no responde
problem-unreachable-text = Revise que este dispositivo esté en el wifi de la sala y que el anfitrión esté encendido. Luego pruebe de nuevo.
problem-unreachable-family-title = No se puede llegar a la sala
problem-unreachable-family-text = Revise que su teléfono esté en el wifi del hospital y pruebe de nuevo. Si sigue igual, avise al personal.
problem-offline-title = Este dispositivo no tiene red
problem-offline-text = Conéctelo al wifi y pruebe de nuevo.
problem-patient-title = La visita se interrumpió
problem-patient-text = No es culpa suya. Puede probar de nuevo o esperar; esta pantalla vuelve sola a la lista.
problem-patient-room-missing-title = Esta visita ya terminó
problem-patient-room-missing-text = Esta pantalla vuelve sola a la lista.
problem-patient-replaced-title = La visita sigue en otra pantalla
problem-patient-replaced-text = Esta pantalla vuelve sola a la lista.
problem-pin-mismatch-title = Este no es el anfitrión de antes
problem-pin-mismatch-text = Responde en la misma dirección, pero con otra huella. No se conectó y no se envió nada. Avise a quien cuida los equipos de la sala; no siga hasta saber por qué.
problem-pin-mismatch-family-title = Esta no es la sala de antes
problem-pin-mismatch-family-text = No se conectó y no se envió nada. Avise al personal de la sala antes de seguir.
problem-version-title = Son versiones distintas de Visita
problem-version-text = Este dispositivo y el anfitrión no se entienden. Actualice el más antiguo de los dos.
problem-version-family-title = Esta página ya no sirve para entrar
problem-version-family-text = Ciérrela y ábrala de nuevo. Si sigue igual, avise al personal de la sala.
problem-busy-title = El anfitrión está lleno
problem-busy-text = Ya atiende a tantos como puede. Espere unos minutos y pruebe de nuevo.
problem-busy-family-title = Ahora no hay lugar
problem-busy-family-text = La sala ya atiende a tantas personas como puede. Espere unos minutos y pruebe de nuevo.
problem-room-missing-title = Esta conversación ya no existe
problem-room-missing-text = Se cierra sola cuando queda vacía un rato. Vuelva a la lista, o pida un enlace nuevo.
problem-room-missing-family-title = Esta visita ya terminó
problem-room-missing-family-text = Si espera otra visita, pida un enlace nuevo al personal de la sala.
problem-room-full-title = La conversación está llena
problem-room-full-text = Espere a que alguien salga y pruebe de nuevo.
problem-too-many-rooms-title = No caben más conversaciones
problem-too-many-rooms-text = Use una que ya exista, o espere a que se cierre alguna.
problem-name-empty-title = Falta el nombre
problem-name-empty-text = Vuelva y escriba un nombre con letras.
problem-name-too-long-title = El nombre es demasiado largo
problem-name-too-long-text = Vuelva y use 80 letras o menos.
problem-forbidden-title = No tiene permiso para entrar aquí
problem-forbidden-text = Pregunte al personal de la sala.
problem-origin-title = Esta página no puede usar este anfitrión
problem-origin-text = Viene de otra dirección que el anfitrión no conoce. Abra la dirección del anfitrión misma, o pida que agreguen esta.
problem-timeout-title = Se perdió la conexión
problem-timeout-text = No hubo señal por demasiado tiempo. Acérquese al punto de wifi y entre de nuevo.
problem-session-gone-title = Se perdió la conexión
problem-session-gone-text = Pasó demasiado tiempo sin señal. Entre de nuevo.
problem-replaced-title = La llamada sigue en otra ventana
problem-replaced-text = Se abrió la misma llamada en otro lugar. Puede cerrar esta ventana, o traerla aquí.
problem-shutting-down-title = El anfitrión se apagó
problem-shutting-down-text = Alguien lo apagó, y con eso terminó la llamada. Pruebe de nuevo cuando vuelva a estar encendido.
problem-shutting-down-family-title = La sala cerró las visitas
problem-shutting-down-family-text = La llamada terminó por eso. Pruebe de nuevo en un momento, o pregunte al personal.
problem-rate-limited-title = Demasiados intentos seguidos
problem-rate-limited-text = Espere un minuto y pruebe de nuevo.
problem-internal-title = El anfitrión tuvo un fallo
problem-internal-text = No es culpa suya. Pruebe de nuevo.
problem-other-title = Algo no funcionó
problem-other-text = Pruebe de nuevo. Si se repite, avise al personal de la sala.

## Cómo se ven las personas
layout-label = Cómo se ven las personas
layout-auto = Según cuántas sean
layout-grid = Todas iguales
layout-speaker = En grande quien habla
tile-pinned = , en grande
people-pin = En grande
people-pin-label = Ver en grande a { $name }
notice-pinned = En grande: { $name }. Para volver, toque su imagen.
menu-floating = Ventana pequeña sobre las demás
menu-floating-close = Cerrar la ventana pequeña
self-sent = Le están viendo
self-sent-label = Le están viendo. Mostrar su propia imagen

## Prueba de la conexión
line-test = Probar la conexión
line-test-again = Probar la conexión otra vez
line-test-testing = Midiendo la conexión
line-test-testing-text = Tarda tres segundos. Puede entrar sin esperar.
line-test-several = Alcanza para ver a varias personas
line-test-several-text = Puede entrar con cámara y sonido.
line-test-one = Alcanza para ver a una persona
line-test-one-text = Con varias, la imagen puede detenerse. Más cerca del punto de wifi se ve mejor.
line-test-sound = Solo alcanza para el sonido
line-test-sound-text = Se oirán bien, pero la imagen puede faltar. Acérquese al punto de wifi y pruebe otra vez.
line-test-none = Aquí no alcanza ni para el sonido
line-test-none-text = Acérquese al punto de wifi o cambie de lugar, y pruebe otra vez.
line-test-limited = Por ahora no se puede medir
line-test-limited-text = Ya se midió muchas veces. Espere un minuto; puede entrar de todos modos.
line-test-unreachable = No hubo respuesta
line-test-unreachable-text = Revise que este dispositivo esté en la red, y pruebe otra vez.
line-test-figures = Respuesta en { $time } ms · recibe { $down } Mbit/s · envía { $up } Mbit/s

## Por dónde va la llamada
way-title = Conexión
way-unknown = Se está conectando
way-unknown-text = En cuanto haya conexión se dirá aquí por dónde va.
way-broken = Se perdió la conexión
way-broken-text = Se está buscando otra vez. No hace falta hacer nada.
way-webrtc = Imagen y sonido van por la vía rápida
way-webrtc-text = Lo que se pierde en el camino no detiene lo que viene detrás.
way-frames = Imagen y sonido van por la vía normal
way-frames-text = Todo llega completo y en orden; con una red débil puede llegar tarde.
way-jpeg = La imagen va como fotos seguidas
way-jpeg-text = Este navegador no abre video de otra forma. Las fotos ocupan más red, y puede haber menos.
way-none = Por ahora no pasan ni imagen ni sonido
way-none-text = Los mensajes sí llegan.
way-why-trying = Se está probando una vía más rápida. Si se abre, la llamada cambia sola.
way-why-missing = Este navegador no tiene la vía rápida. Uno al día sí la tiene.
way-why-missing-app = La app no usa otra vía todavía.
way-why-off = El anfitrión no ofrece la vía rápida.
way-why-refused = El anfitrión no aceptó la vía rápida. Se prueba otra vez sola.
way-why-silent = Esta red no deja pasar la vía rápida: se probó y no hubo respuesta. Se prueba otra vez de vez en cuando.
way-why-lost = La vía rápida se cortó. Se prueba otra vez sola.
way-messages = Mensajes y avisos
way-websocket = Por una línea que queda abierta
way-channel = Por la misma vía rápida
way-https = De uno en uno: la red o el navegador rechazan una línea abierta
way-answers = La respuesta llega
way-answers-fast = Al momento
way-answers-good = Con un leve retraso
way-answers-slow = Con retraso: es fácil hablar a la vez
way-answers-late = Muy tarde
way-line = La red lleva ahora
way-line-both = Imagen y sonido
way-line-down = De los demás, solo el sonido
way-line-up = Todo menos su propia imagen
way-line-sound = Solo el sonido
way-test = Prueba de las { $time }
way-tech = Para soporte técnico
way-tech-webrtc = Imagen y sonido: WebRTC (UDP)
way-tech-frames = Imagen y sonido: WebSocket (TCP), cuadros codificados
way-tech-jpeg = Imagen y sonido: WebSocket (TCP), JPEG
way-tech-none = Imagen y sonido: sin transporte
way-tech-websocket = Control: WebSocket (TCP)
way-tech-channel = Control: canal de datos de WebRTC (UDP)
way-tech-https = Control: HTTPS (POST y eventos del servidor)
way-tech-reason = Motivo en las métricas: { $word }
way-tech-trip = Ida y vuelta: { $time } ms
way-tech-rates = Recibe { $down } kbit/s · envía { $up } kbit/s
way-tech-codecs = Códecs: recibe { $gets } · envía { $sends }
