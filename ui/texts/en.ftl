# English, plain. Short sentences, no exclamation marks: what is, then what to do.

app-name = Visita
close = Close
title-page = { $page } · Visita
back = Back
back-to-list = Back to the list
save = Save
saved = Saved
enter = Enter
open = Open
try-again = Try again
bring-here = Bring it here
enter-again = Enter again
understood = Understood
offline-title = This device has no network
offline-text = Connect it to the ward’s wifi. The rest comes back by itself.

## The name of whoever uses the device
name-shown = { $name }
name-title = What is your name?
name-label = Your name
name-hint = The others see it in the call.
name-empty = Write a name.
name-too-long = The name is too long. Use 80 letters or fewer.

## Settings
settings-title = Settings
settings-of = Settings of { $name }
language-label = Language
settings-camera-text = See your picture and choose the camera.
settings-camera-see = Try it
settings-devices = Camera and sound
settings-devices-text = See and hear yourself, and choose what with.
signals = Soft sounds
signals-text = When somebody comes, leaves or begins to wait; never while somebody speaks.
signals-on = Day and night
signals-night = Not at night ({ $from } to { $until })
signals-off = Never

## Conversations
rooms-title = Conversations
lobby-connecting = Connecting
lobby-live = Online
lobby-live-ward = Connected to { $ward }
lobby-lost = No connection
lobby-ended = Host switched off
lobby-none = No host
room-new = New
room-new-title = New conversation
room-name-label = Name
room-name-hint = For example: Bed 7, Shift handover
room-kind-label = What is it for?
room-kind-meeting = Meeting
room-kind-bed = Bed
room-create = Create and enter
room-exists = There is a conversation with this name. You will enter it.
room-arrived = Visitor waiting: { $room }
room-empty = Nobody at the moment
room-waiting = Visitor waiting
room-in-call = In a call
room-open-text = { $count ->
    [one] 1 person
   *[other] { $count } people
} · { $minutes ->
    [0] since a moment ago
   *[other] { $minutes } min
}
room-waiting-text = { $minutes ->
    [0] Has just arrived
   *[other] Arrived { $minutes } min ago
}
enter-room = Enter { $room }
open-room = Open { $room }
rooms-lost = The connection to the host was lost. Visita keeps trying, and the list will update by itself.
rooms-ended = The host was switched off. The list will bring itself up to date when it is back.
rooms-offline = This device has no network. Connect it to the ward’s wifi; the list will bring itself up to date.
rooms-connecting = Connecting to the host
rooms-connecting-text = It takes a few seconds.
rooms-none = There are no conversations
rooms-none-text = Start one with “New”. Visitors who arrive will appear here.
rooms-no-host = No host yet
rooms-no-host-text = Choose one from the list, or make this device the host.
rooms-unreachable = The host doesn’t answer
rooms-unreachable-text = Check that this device is still on the ward’s network and that the host is on. It keeps trying by itself.
rooms-unreachable-text-app = Check that the host is on and on this same network, or choose another from the list. It keeps trying by itself.
rooms-ended-text = Somebody switched it off. When it is back on, the conversations appear here.
rooms-stopped-text = It is not used. Choose another host from the list.
entrances-title = Enter a visit
entrance-family = I am a relative
entrance-family-text = Give your name and wait for the visit
entrance-patient = Patient’s tablet
entrance-patient-text = See who is waiting

## This device as host
this-device = This device
host-title = Host of the ward
host-off = It is off
host-starting = Starting
host-starting-text = It takes a few seconds.
host-on = Calls go through here
host-failed = It could not start
host-inactive = Not hosting
host-active = Hosting
host-hint = When it is on, the other devices find it by themselves. Keep it plugged in.
host-panel = QR code and who is connected
host-problem-port-in-use = { $known ->
    [visita] Another Visita on this device uses port { $port }. Close it and switch on again, or host at another port.
    [other] The program “{ $holder }” uses port { $port }. Close it and switch on again, or host at another port.
   *[none] Another program uses port { $port }. Close it and switch on again, or host at another port.
}
host-other-port = Use port { $port }
host-problem-data-not-writable = The data folder can’t be written. Check the account’s permissions and switch on again.
host-problem-disk-full = The device has no free space. Delete files that you no longer need and switch on again.
host-problem-no-network = This device is on no network. Connect it to the ward’s wifi and switch on again.
host-problem-other = Something unexpected failed. Switch on again; if it happens again, restart the app.
host-stop-label = Host
host-stop = Stop hosting
host-stop-title = Stop hosting?
host-stop-text = { $count ->
    [one] 1 connected person will lose their call:
   *[other] { $count } connected people will lose their call:
}
host-stop-list = People who will lose their call
host-stop-more = { $count ->
    [one] and 1 more
   *[other] and { $count } more
}
host-quit = Stop hosting and quit
host-conditions-show = What hosting depends on
ward-rename-title = Rename the ward
ward-rename-text = Calls go on, and the fingerprint stays the same. Other devices see the new name in their list.
ward-name-label = Name of the ward
ward-name-hint = For example: Medicine 3 North
window-closing-title = Hosting goes on
window-closing-text = The window closes; the calls of the others go on. Your own call ends.
window-closing-again = To see the window again, start Visita again, or touch its icon beside the clock where there is one. This is said only once.
window-close = Close the window
tray-open = Open Visita
tray-quit = Stop hosting and quit
host-qr = QR code with the host’s address
host-how = Scan it with a phone, or type the address into any browser on this network.
host-other-addresses = Also at { $addresses }
host-fingerprint = The ward’s fingerprint
host-connected = Connected
host-nobody = Nobody is connected yet
host-nobody-text = Whoever enters from this network will appear here.
stat-people = In a call
stat-people-rooms = { $count ->
    [0] nobody yet
    [one] in 1 conversation
   *[other] in { $count } conversations
}
stat-people-lost = { $count ->
    [one] 1 without signal now
   *[other] { $count } without signal now
}
stat-load = Load
stat-load-text = Memory { $percent } %
stat-traffic = Pictures sent
stat-traffic-number = { $size }
stat-traffic-text = Mbit/s · { $size } received
stat-battery = Battery
percent = { $percent } %
milliseconds = { $time } ms
strain-processor = This device has too much to do, and pictures may stutter. Close other programs, or let another device host.
strain-memory = This device runs out of memory. Close other programs, or let another device host.
strain-battery = The battery runs out, and every call ends with it. Plug this device in.
line-weak = Weak line
line-poor = Poor line
conditions-title = What hosting depends on
condition-power = Power
power-mains = Plugged in
power-mains-text = This device has no battery: it runs as long as there is current.
power-plugged = Plugged in
power-plugged-text = It can host for as long as needed.
power-battery = On battery
power-battery-text = Plug it in: when the battery is empty, every call ends.
power-unknown = Not known
power-unknown-text = This device doesn’t say whether it is plugged in. Check its cable.
condition-network = Network
network-on = Connected
network-text = { $kind ->
    [wifi] By wifi
    [cable] By cable
   *[other] By
} { $interface }, with the address { $address }. The others must be on this same network.
network-several-text = { $kind ->
    [wifi] By wifi
    [cable] By cable
   *[other] By
} { $interface }, with the address { $address }, and by { $others }. The others must be on one of these networks.
network-none = No network
network-none-text = Connect this device to the network that the others are on.
condition-awake = Staying awake
awake-kept = Stays awake
awake-kept-text = While it hosts, this device doesn’t go to sleep by itself. Don’t close its lid.
awake-refused = May fall asleep
awake-refused-text = The system doesn’t let Visita keep it awake. Switch sleep off in the device’s settings.
condition-reached = Reached by others
reached-yes = Yes
reached-yes-text = Other devices have come in.
reached-unheard = By code only
reached-unheard-text = The system doesn’t let Visita announce this device, so others don’t find it by themselves. Show them the QR code, or type the address there.
reached-not-yet = Not yet
reached-not-yet-text = Nobody has come in from another device yet. If they can’t, check that they are on the same network and that this device’s firewall lets port { $port } (TCP) through.
boot-title = Start with the device
boot-text = After a restart it hosts again by itself, without a window.
connected-text = { $role ->
    [staff] Staff
    [bedside] Patient’s tablet
    [family] Family
   *[other] Guest
} · { $room }{ $line ->
    [weak] { " " }· some pictures are left out
    [poor] { " " }· most pictures are left out or come late
   *[good] { "" }
}
member-reconnecting = Reconnecting

## Hosts on the network
hosts-title = Hosts on this network
hosts-searching = Looking for hosts
hosts-searching-text = It usually takes a second or two.
hosts-none = No host was found
hosts-no-network = This device is on no network
hosts-no-network-text = Connect it to the ward’s wifi. The search goes on by itself.
hosts-failed = This device can’t search the network
hosts-failed-text = Its system doesn’t let the app do it. Read the host’s QR code, or connect by address.
hosts-tried = What was tried
tried-network = All devices on this network were asked. This one is { $addresses }.
tried-known = { $count ->
    [one] The host known from before was asked where it was last. It doesn’t answer.
   *[other] The { $count } hosts known from before were asked where they were last. None answers.
}
hosts-reasons = What may be the reason
reason-off = The host is off, or not switched on in the app. Look at its screen.
reason-network = It is on another network. The address on its screen should begin like this device’s.
reason-apart = This network keeps devices from seeing each other, as those for visitors do. Read the host’s QR code; if there is no answer either, use another network.
reason-firewall = A firewall on the host keeps others away. Ask whoever looks after the devices.
hosts-code = Read a QR code
hosts-code-text = The one on the host’s screen
host-address-known = { $address } · known, here now
host-seen = { $when ->
    [now] Last seen a moment ago
    [today] Last seen today at { $time }
    [yesterday] Last seen yesterday at { $time }
    [days] { $days ->
        [one] Last seen { $days } day ago
       *[other] Last seen { $days } days ago
    }
   *[long] Last seen on { $date }
}
host-away = Not reachable now. Check that it is on and on this network.
host-silent = It is announced, but doesn’t answer. A firewall or this network keeps it away.
host-asked = Asking whether it is there
host-changed = Another host answers at its address. It is not used.
host-short = Fingerprint { $digits }
host-try = Try
host-try-label = Try { $name }
host-why = Read why
host-why-label = Read why { $name } is not used
changed-title = This is not the same host as before
changed-text = Where { $name } was ({ $address }), another fingerprint answers now. No connection was made and nothing was sent.
changed-print = The fingerprint that is known
changed-staff = Ask the ward’s staff whether the host was replaced or set up again. Only then forget the old one. The next connection to it will be a first one, with its fingerprint to compare.
forget-sure = The ward’s staff said that the host was replaced
forget-first = First ask the ward’s staff, and mark it here.
forget-host = Forget the old host
scan-text = Hold the host’s QR code in front of the camera.
scan-picture = What the camera sees
scan-starting = The camera is starting
scan-looking = Looking for a code
scan-other = This code doesn’t lead to a host. The right one is on the host’s own screen.
scan-found = Code read. Connecting to { $address }
scan-again = Read a code again
link-new = Connect to this host?
link-new-text = A link leads to it. This device doesn’t know it yet. Connect only if the link came from the ward.
link-known = Connect to { $name }?
link-known-text = A link leads to it. This device knows it.
link-other = This link doesn’t lead to a host
link-other-text = It is damaged, or not one of Visita’s. Ask for a new one, or choose the host from the list.
hosts-other = Connect by address
hosts-other-text = When it is not in the list
host-use = Use
host-use-label = Use { $name }
host-in-use = In use
host-connecting = Connecting
host-address-new = { $address }
first-use-title = First connection to this ward
first-use-text = Compare this fingerprint with the one on the host’s screen. They must be the same. It will be remembered.
address-text = The address is on the host’s screen.
address-label = Address
address-hint = For example: 192.0.2.14:3000
connect = Connect
use-problem-unreachable = There was no answer. Check the address, and that the host is on and on this same network.
use-problem-bad-address = This doesn’t look like an address. Write it as on the host’s screen, for example 192.0.2.14:3000.
use-problem-version = It uses another version of Visita. Update the older of the two.
use-problem-pin-mismatch = Its fingerprint is not the usual one. No connection was made.
use-problem-state = This device can’t read or keep which hosts it trusts. Check that its data folder is there and has free space, and restart the app.

## In the call
controls = Call controls
call-title = Call
control-camera = Camera
control-camera-on = Switch the camera on
control-camera-off = Switch the camera off
control-mic-on = Switch the microphone on
control-mic-off = Mute the microphone
mic-open = Mic on
mic-open-label = Mic on: mute it
mic-muted = Muted
mic-muted-label = Muted: switch the microphone on
mic-none = No mic
mic-none-label = No mic: try again
mic-hold = Hold to talk
mic-hold-label = Hold to talk: you are heard as long as you hold it
mic-held = Talking
mic-held-label = Talking: let go to be muted
control-audio-only = Audio only
control-audio-only-label = Audio only, no pictures
control-pictures = Pictures
control-pictures-label = Pictures again
control-chat-unread = { $count ->
    [one] , 1 unread
   *[other] , { $count } unread
}
control-leave = Leave
control-leave-label = Leave the call
call-connecting = Connecting
call-connected = Connected
call-reconnecting = Reconnecting
call-people = { $count ->
    [one] only you
   *[other] { $count } people
}
call-time = { $time } · { $minutes ->
    [0] just begun
   *[other] { $minutes } min
}
call-sub-connected = { " " }· connected
call-banner-reconnecting = The connection was lost. It is being restored; don’t close this page.
call-banner-patient = The connection is coming back.
call-banner-closing = The host is about to close. The call may break off.
call-line-down = Weak connection: sound is as before; pictures come back by themselves.
call-line-up = Weak connection: your picture isn’t sent; sound is as before.
call-line-both = Weak connection: sound only for now. Pictures come back by themselves.
call-line-down-patient = The picture comes back.
call-line-up-patient = You aren’t seen for now.
call-line-both-patient = For now, sound only.
call-room = { $room }
call-entering = Entering
call-entering-text = It takes a few seconds.
call-alone = Nobody else is here yet
call-alone-text = Whoever enters will appear on this screen.
call-alone-again = Nobody else is here now
call-alone-again-text = Whoever comes back appears on this screen.
call-alone-patient = One moment, please
call-alone-patient-text = The person is connecting and will appear here.
call-gone = The visitor left
call-gone-text = If they come back, they will appear here.
call-gone-back = Back to the list
tiles-label = People in the call
tile-picture = Picture of { $name }
tile-reconnecting = Reconnecting
tile-camera-off = Camera off
tile-audio-only = Audio only
tile-paused = Weak connection
tile-speaks = Speaking
tile-muted = , muted
tile-undecodable = Their picture can’t be shown
tile-stalled = The picture stopped
tile-loading = The picture is coming
tile-late = Their picture isn’t coming
tile-moving = Live picture
tile-paused-why = Sound is as before; their picture comes back by itself.
tile-reconnecting-why = Their connection was lost and is coming back.
tile-undecodable-why = It comes in a form that can’t be opened here. Their messages still arrive.
tile-stalled-why = Waiting for the next one; it usually comes back by itself.
tile-late-why = Their camera is on. Their signal may be weak; it is still being tried.
self-picture = Your own picture
self-move = Move your picture to another corner
self-off = Camera off
self-starting = Opening camera
self-paused = Not sent
people-title = People
people-close = Close the list of people
people-you = you
people-open = Microphone on
people-muted = Muted
volume-label = Volume of { $name }
volume-none = Silent
menu-title = Settings
menu-close = Close the settings
menu-self-hide = Hide your own picture
menu-self-show = Show your own picture
menu-full = Full screen
menu-full-leave = Leave full screen
processing = Remove echo and noise
processing-text = Switch it off only if you wear headphones.
menu-hold = Push to talk
menu-hold-text = You are heard only while you hold the microphone’s button or the M key.
menu-keys = Shortcut keys
key-microphone = Microphone on or muted
key-camera = Camera on or off
key-chat = Messages
key-people = People
key-full = Full screen
key-self = Hide or show your picture
key-menu = Settings
key-arrows = Move your picture to another corner
key-escape = Close what is open
leave-title = Leave the visit?
leave-text = The other person will no longer see you.
leave-stay = Stay in the visit
notice-joined = { $count ->
    [one] { $names } came in
   *[other] { $names } came in
}
notice-left = { $count ->
    [one] { $names } left
   *[other] { $names } left
}
notice-lost = The connection to { $names } was lost
notice-coming = { $what }
notice-more = { $count } more
notice-muted = You are muted: nobody hears you
notice-microphone = The microphone is now { $name }
notice-speaker = The speaker is now { $name }
notice-unmute = Unmute
notice-line-down = The pictures are back.
notice-line-up = Your picture is sent again.
notice-chat = { $name }: { $text }
chat-title = Messages
chat-empty = What you write here is seen by everybody in the call. Nothing is kept afterwards.
chat-placeholder = Write a message
chat-send = Send
chat-close = Close messages
chat-pending = Sending
chat-pending-lost = Will be sent when the connection is back
chat-refused = Not sent. { $why }
chat-again = Send again
chat-drop = Remove
chat-coming = { $what } · { $time }
refused-chat-empty = The message was empty.
refused-chat-too-long = The message is too long. Use 2,000 letters or fewer.
refused-rate-limited = Too many at once. Wait a moment and write again.
ended-title = The call is over
ended-title-left = You have left the visit
ended-text = You can enter again whenever you like.
ended-text-family = You can close this page, or enter again whenever you like.

## Sound
sound-hear = Turn on the sound
sound-blocked = The browser waits for a touch before you can hear the others.
sound-blocked-patient = With one touch you will hear your visitor.
sound-interrupted = The device stopped the sound, perhaps for another call. It comes back by itself, or with a touch.
sound-interrupted-patient = The sound stopped. It comes back by itself, or with a touch.
sound-missing = No loudspeaker was found. Connect one and you hear the others without doing anything else.
sound-missing-patient = This device can’t find its loudspeaker. Ask the staff for help.
mic-without = Go on without microphone
mic-denied-title = There is no permission to use the microphone
mic-denied-text = Touch the lock beside the address, allow the microphone, and try again. Without it nobody hears you.
mic-denied-text-app = Open the device’s privacy settings, allow Visita the microphone, and try again.
mic-missing-title = No microphone was found
mic-missing-text = Connect one and you are heard without doing anything else. Until then you hear the others and can write to them.
mic-busy-title = Another program is using the microphone
mic-busy-text = Close other calls and you are heard at once, or try again now.
mic-lost-title = The microphone was disconnected
mic-lost-text = Plug it in again and you are heard again. The call goes on.
mic-lost-text-before = Plug it in again and you are heard again.
mic-insecure-title = This page is not secure and can’t use the microphone
mic-insecure-text = Open it with the address on the host’s screen that begins with https://. You can also enter without: you will hear the others.
mic-failed-title = The microphone does not answer
mic-failed-text = Try again. If it happens again, restart the device. The call goes on.
mic-failed-text-before = Try again. If it happens again, restart the device. You can also enter without.
both-without = Go on without them
both-denied-title = There is no permission to use the camera or the microphone
both-denied-text = Touch the lock beside the address, allow both, and try again. Without them nobody sees or hears you.
both-denied-text-app = Open the device’s privacy settings, allow Visita both, and try again.
both-missing-title = No camera and no microphone were found
both-missing-text = Connect them: picture and sound come by themselves. You can also enter without: you will see and hear the others.
both-insecure-title = This page is not secure and can’t use the camera or the microphone
both-insecure-text = Open it with the address on the host’s screen that begins with https://. You can also enter without: you will see and hear the others.

## Camera
camera-without = Go on without camera
camera-denied-title = There is no permission to use the camera
camera-denied-text = Touch the lock beside the address, allow the camera, and try again.
camera-denied-text-app = Open the device’s privacy settings, allow Visita the camera, and try again.
camera-missing-title = No camera was found
camera-missing-text = Connect one: the picture comes by itself. You can also enter without: you will see the others.
camera-busy-title = Another program is using the camera
camera-busy-text = Close other video calls: the picture comes by itself, or try again now.
camera-lost-title = The camera was disconnected
camera-lost-text = Plug it in again and the picture comes back by itself. The call goes on.
camera-lost-text-before = Plug it in again and the picture comes back by itself.
camera-insecure-title = This page is not secure and can’t use the camera
camera-insecure-text = Open it with the address on the host’s screen that begins with https://. You can also enter without: you will see the others.
camera-failed-title = The camera does not answer
camera-failed-text = Try again. If it happens again, restart the device. The call goes on.
camera-failed-text-before = Try again. If it happens again, restart the device. You can also enter without.

## How one looks before entering
check-title = Your camera
check-promise = Only you see this picture.
check-title-sound = Camera and sound
check-promise-sound = Here only you see and hear yourself.
check-open = See my picture
check-open-both = Try it now
check-open-sound = Try the microphone
check-asks = See yourself before you enter
check-asks-text = The browser will ask whether the camera may be used. Touch “Allow”.
check-asks-sound = See and hear yourself before you enter
check-asks-sound-text = The browser will ask whether the camera and the microphone may be used. Touch “Allow”.
check-starting = Opening the camera
check-question = If the browser asks, touch “Allow”.
check-off = Camera off
check-off-text = The others will see a drawing in your place.
check-works = Your camera works
check-works-both = You can be seen and heard
check-works-sound = You can be heard
check-say = You can be seen. Say something to try the sound.
check-say-only = Say something to try the sound.
check-sound = Try the sound
check-tone = Play a tone
check-sample = Hear yourself
check-sample-none = Speak for a few seconds and listen. Nothing is kept.
check-sample-recording = Speak now
check-sample-playing = This is how others hear you
check-sample-muted = Switch the microphone on to hear yourself.
camera-list = Camera
camera-list-none = No camera is connected
device-change = Change
device-named = { $name }
camera-unnamed = Camera { $number }
mic-list = Microphone
mic-list-none = No microphone is connected
mic-unnamed = Microphone { $number }
speaker-list = Speaker
speaker-list-none = The device chooses the speaker
speaker-unnamed = Speaker { $number }

## /Familiar/
family-title = Visit your relative
family-text = Say who you are and go to the waiting room.
family-name-label = Your name
family-enter = Go to the waiting room
family-promise = Only those who enter your visit see and hear you. Nothing is recorded.
wait-connecting-title = Entering
wait-connecting-text = It takes a few seconds.
wait-waiting-title = You are in the waiting room
wait-waiting-text = Your name is on the ward’s list. It usually takes a few minutes, and the visit opens by itself on this screen.
wait-again-title = Nobody else is here now
wait-again-text = If somebody comes back, the visit opens by itself on this screen. You can also leave.
wait-long-title = It is taking longer today
wait-long-text = Your name is still on the list and the visit will open by itself. If you can, ask the ward’s staff; you keep your place.
wait-reconnecting-title = The connection was lost
wait-reconnecting-text = It is being restored by itself. Your place is kept; don’t close this page.
wait-tips = While you wait
wait-tip-phone = Prop the phone up, with the camera towards you and the light in front.
wait-tip-see = You may see tubes or cables. The staff are taking care of your relative.
wait-tip-leave = You can leave whenever you like and come back later.
wait-leave = Leave the waiting room

## /Paciente/
patient-name = Patient
patient-title = Somebody is here to see you
patient-waits = Is waiting for you
patient-talks = The visit has begun
patient-see = See them
patient-none = Nobody is waiting now
patient-none-text = When a visitor arrives, they will appear here.
patient-connecting = Connecting
patient-connecting-text = It takes a few seconds.
patient-lost = No connection at the moment
patient-lost-text = It comes back by itself. You don’t have to do anything.
patient-ended = Visits are switched off
patient-ended-text = They come back by themselves. You don’t have to do anything.
patient-offline = No connection at the moment
patient-offline-text = This tablet has no network. The staff can connect it.
patient-time = { $time }
patient-date = { $date }

## Getting in: invitations, codes, help with the certificate and with permissions
invite = Invite
invite-title = Invite to the visit
invite-title-meeting = Invite to the meeting
invite-text = With another phone’s camera, a code of six digits, or a link. Whoever enters must be on this network.
invite-qr = QR code that opens this conversation
invite-where = Or open { $address } in a browser and type
invite-until = Valid until { $time }
invite-link = Or send the link
invite-copy = Copy the link
invite-copied = Copied. Paste it into a message.
invite-copy-by-hand = This browser doesn’t allow copying. The link is selected; copy it by hand.
invite-share = Share
open-in-app = Open in the Visita app
invite-unreachable = The host doesn’t answer now. Wait a moment and try again.
invite-no-code = There is no code just now. The QR code and the link work; for the code, try again.
code-title = Do you have a code?
code-hint = The six digits that the ward gave you.
code-looking = Looking
code-short = The code has six digits. Check that all of them are there.
code-unknown = This code doesn’t work, or not any more. Check it, or ask the ward for a new one.
code-too-many = { $seconds ->
    [one] Too many tries. Try again in 1 second.
   *[other] Too many tries. Try again in { $seconds } seconds.
}
code-too-many-until = Too many tries. Try again at { $time }, or ask the ward for a link.
code-unreachable = The ward doesn’t answer. Check that this device is on the hospital’s wifi and try again.
code-offline = This device has no network. Connect it to the hospital’s wifi and try again.
code-busy = The ward is very busy just now. Try again in a minute.
code-other = The code couldn’t be checked. Try again.
inside-label = How to use the camera
inside-title = This page is inside { $app }
inside-title-unknown = This page is inside another app
inside-text = Camera and microphone often fail here. You can enter like this and see and hear the others, or open it in your browser.
inside-dots = Tap the three dots at the top and choose “Open in { $browser }” or “Open in browser”.
inside-share = Tap the share button or the three dots and choose “Open in { $browser }”.
inside-any = Look for a menu of three dots or the share button and choose “Open in { $browser }”. If there is none, copy the link and paste it into { $browser }.
inside-open = Open in the browser
inside-copied = Copied. Paste it into your browser’s address bar.
system-label = Which device do you have?
system-ios = iPhone or iPad
system-android = Android
system-windows = Windows
system-macos = Mac
system-linux = Linux
way-chrome = Chrome, Edge and the like
way-firefox = Firefox
way-safari = Safari
way-ios-others = Chrome, Firefox or Edge
way-system = The system’s permissions
help-home = Go to the conversations
entrance-certificate = Does the browser say it isn’t safe?
entrance-certificate-text = Why, and how the warning goes away
cert-title = The ward’s certificate
cert-text = The ward made its own certificate, which is why the browser warns the first time. Once installed on this device, the warning is gone. Install it only if the fingerprint is the ward’s.
cert-get = Download the certificate
cert-show = Get rid of the browser’s warning
cert-scan = Whoever sees a security warning can scan this code: it explains how to install the ward’s certificate on each device.
cert-qr = QR code of the help with the certificate
cert-compare = It must be the same as on the host’s screen. If it isn’t, stop and tell the staff.
cert-no-print = The ward doesn’t answer now, and the fingerprint can’t be shown.
cert-install = Installing it
cert-download = Tap “Download the certificate” and confirm the download.
cert-download-open = Download the certificate and open the file “visita-ward.crt”.
cert-back = Open the visit’s page again. The warning is gone.
cert-restart = Close the browser altogether and open the page again. The warning is gone.
cert-compare-details = Before you accept, open the details and compare the SHA-256 fingerprint with the one on the host’s screen.
cert-ios-download = In Safari tap “Download the certificate”, then “Allow”.
cert-ios-profile = Open the iPhone’s Settings. At the top it says “Profile Downloaded”: tap it, and tap “Install”.
cert-ios-trust = In Settings, General, About, open Certificate Trust Settings at the bottom and switch on the ward’s.
cert-android-search = Open the settings and search for “certificate”. Choose “CA certificate” and install anyway.
cert-android-install = Choose the file “visita-ward.crt” among the downloads. The phone may ask for its PIN.
cert-android-compare = In the settings search for “Trusted credentials”, tab “User”, and compare the SHA-256 fingerprint with the host’s.
cert-windows-install = Choose “Install Certificate” and “Current User”.
cert-windows-store = Choose “Place all certificates in the following store” and “Trusted Root Certification Authorities”. Finish and confirm.
cert-mac-find = In Keychain Access look for the ward’s certificate and open it with a double click.
cert-mac-trust = Under “Trust” choose “Always Trust” and type the Mac’s password.
cert-linux-chrome = In Chrome’s settings search for “certificates” and open those installed by you, or “Authorities”.
cert-linux-import = Import “visita-ward.crt” and tick that it identifies websites.
cert-linux-firefox = Tap “Download the certificate”. Firefox asks whether to trust it.
cert-linux-firefox-trust = Compare the fingerprint under “View”, tick that it identifies websites, and accept.
cert-without = Without installing anything
cert-without-text = It can also be accepted by hand. The browser may ask again on another day.
cert-without-ios = The page opens and the camera is seen, but on an iPhone or iPad the visit may not connect without the certificate.
hand-safari = When Safari warns, tap “Show Details”.
hand-safari-visit = Tap “visit this website” and confirm.
hand-iphone = Tap “visit this website” and confirm. If the visit doesn’t connect, install the certificate.
hand-chrome = When the browser warns, tap “Advanced”.
hand-chrome-go = Tap “Proceed” or “Continue” beside the ward’s address.
hand-firefox = When Firefox warns, tap “Advanced”.
hand-firefox-go = Tap “Accept the Risk and Continue”.
allow-title = Allow camera and microphone
allow-text = Choose your device and follow the steps. The visit works without a camera, too: you see and hear the others.
allow-text-app = The permission is in the device’s settings.
allow-how = See how
allow-none = This system has no permission for that. Restart the app and try again.
allow-reload = Load the page again and tap “Allow” if the browser asks.
allow-chrome = Tap the icon to the left of the address.
allow-chrome-switch = Switch on camera and microphone. On a phone they are under “Permissions”.
allow-firefox = Tap the padlock or the camera icon beside the address.
allow-firefox-clear = Take away the block of camera and microphone.
allow-ios-menu = Tap the page’s button in the address bar (“aA” or the one of a list).
allow-ios-site = Open the website’s settings and set Camera and Microphone to “Allow”.
allow-ios-others = Open the iPhone’s Settings and scroll down to your browser.
allow-ios-others-switch = Switch on camera and microphone.
allow-ios-system = If nothing changes: open the iPhone’s Settings and look for Safari.
allow-ios-system-ask = Set Camera and Microphone to “Ask” or “Allow”.
allow-android-system = Open Settings, Apps, your browser, Permissions, and allow camera and microphone.
allow-android-quick = Swipe down from the top and check that access to camera and microphone isn’t off for the whole phone.
allow-windows-system = Open Settings, Privacy & security, then Camera and Microphone.
allow-windows-switch = Switch on access, that of desktop apps too.
allow-mac-safari = Open the Safari menu at the top and choose the settings for this website.
allow-mac-safari-site = Set Camera and Microphone to “Allow”.
allow-mac-system = Open System Settings, Privacy & Security, then Camera and Microphone.
allow-mac-switch = Switch on your browser, and close and open it again if it asks for that.

## What can go wrong
problem-unreachable-title = The host doesn’t answer
problem-unreachable-text = Check that this device is on the ward’s wifi and that the host is on. Then try again.
problem-unreachable-family-title = The ward can’t be reached
problem-unreachable-family-text = Check that your phone is on the hospital’s wifi and try again. If nothing changes, tell the staff.
problem-offline-title = This device has no network
problem-offline-text = Connect it to the wifi and try again.
problem-patient-title = The visit was interrupted
problem-patient-text = This is not your fault. You can try again or wait; this screen goes back to the list by itself.
problem-patient-room-missing-title = This visit is over
problem-patient-room-missing-text = This screen goes back to the list by itself.
problem-patient-replaced-title = The visit goes on on another screen
problem-patient-replaced-text = This screen goes back to the list by itself.
problem-pin-mismatch-title = This is not the same host as before
problem-pin-mismatch-text = It answers at the same address, but with another fingerprint. No connection was made and nothing was sent. Tell whoever looks after the ward’s devices; don’t go on before you know why.
problem-pin-mismatch-family-title = This is not the same ward as before
problem-pin-mismatch-family-text = No connection was made and nothing was sent. Tell the ward’s staff before you go on.
problem-version-title = These are different versions of Visita
problem-version-text = This device and the host don’t understand each other. Update the older of the two.
problem-version-family-title = This page can no longer enter
problem-version-family-text = Close it and open it again. If nothing changes, tell the ward’s staff.
problem-busy-title = The host is full
problem-busy-text = It already serves as many as it can. Wait a few minutes and try again.
problem-busy-family-title = There is no room right now
problem-busy-family-text = The ward already serves as many people as it can. Wait a few minutes and try again.
problem-room-missing-title = This conversation no longer exists
problem-room-missing-text = It closes by itself when it has been empty for a while. Go back to the list, or ask for a new link.
problem-room-missing-family-title = This visit is over
problem-room-missing-family-text = If you expect another visit, ask the ward’s staff for a new link.
problem-room-full-title = The conversation is full
problem-room-full-text = Wait until somebody leaves and try again.
problem-too-many-rooms-title = There is no room for another conversation
problem-too-many-rooms-text = Use one that exists, or wait until one closes.
problem-name-empty-title = The name is missing
problem-name-empty-text = Go back and write a name with letters.
problem-name-too-long-title = The name is too long
problem-name-too-long-text = Go back and use 80 letters or fewer.
problem-forbidden-title = You are not allowed to enter here
problem-forbidden-text = Ask the ward’s staff.
problem-origin-title = This page can’t use this host
problem-origin-text = It comes from another address, which the host does not know. Open the host’s own address, or ask for this one to be added.
problem-timeout-title = The connection was lost
problem-timeout-text = There was no signal for too long. Go nearer to the wifi and enter again.
problem-session-gone-title = The connection was lost
problem-session-gone-text = There was no signal for too long. Enter again.
problem-replaced-title = The call goes on in another window
problem-replaced-text = The same call was opened elsewhere. You can close this window, or bring the call here.
problem-shutting-down-title = The host was switched off
problem-shutting-down-text = Somebody switched it off, and the call ended with it. Try again once it is back on.
problem-shutting-down-family-title = The ward has closed the visits
problem-shutting-down-family-text = The call ended because of that. Try again in a moment, or ask the staff.
problem-rate-limited-title = Too many attempts in a row
problem-rate-limited-text = Wait a minute and try again.
problem-internal-title = The host had a fault
problem-internal-text = This is not your fault. Try again.
problem-other-title = Something did not work
problem-other-text = Try again. If it happens again, tell the ward’s staff.

## How people are shown
layout-label = How people are shown
layout-auto = By how many there are
layout-grid = All alike
layout-speaker = Whoever speaks, large
tile-pinned = , large
people-pin = Large
people-pin-label = Show { $name } large
notice-pinned = Large: { $name }. Touch their picture to go back.
menu-floating = Small window over others
menu-floating-close = Close the small window
self-sent = You are seen
self-sent-label = You are seen. Show your own picture

## Test of the line
line-test = Test the connection
line-test-again = Test the connection again
line-test-testing = Measuring the connection
line-test-testing-text = It takes three seconds. You can enter without waiting.
line-test-several = Good enough to see several people
line-test-several-text = You can enter with camera and sound.
line-test-one = Good enough to see one person
line-test-one-text = With several, pictures may stop. Closer to the Wi-Fi access point they are better.
line-test-sound = Good enough for sound only
line-test-sound-text = You will hear each other well, but pictures may be missing. Go closer to the Wi-Fi access point and test again.
line-test-none = Here it isn’t even enough for sound
line-test-none-text = Go closer to the Wi-Fi access point or to another place, and test again.
line-test-limited = It can’t be measured right now
line-test-limited-text = It was measured many times already. Wait a minute; you can enter all the same.
line-test-unreachable = There was no answer
line-test-unreachable-text = Check that this device is on the network, and test again.
line-test-figures = Answers in { $time } ms · receives { $down } Mbit/s · sends { $up } Mbit/s

## Over what the call travels
way-title = Connection
way-unknown = Connecting
way-unknown-text = As soon as there is a connection, this says over what.
way-broken = The connection is lost
way-broken-text = It is being looked for again. There is nothing to do.
way-webrtc = Pictures and sound take the fast way
way-webrtc-text = What gets lost on the way doesn’t hold up what comes behind it.
way-frames = Pictures and sound take the usual way
way-frames-text = Everything arrives whole and in order; on a weak network it may arrive late.
way-jpeg = Pictures go as one photo after another
way-jpeg-text = This browser opens no other kind of video. Photos take more of the network, and there may be fewer.
way-none = Neither pictures nor sound get through for now
way-none-text = Messages do.
way-why-trying = A faster way is being tried. If it opens, the call changes over by itself.
way-why-missing = This browser doesn’t have the fast way. An up-to-date one does.
way-why-missing-app = The app uses no other way yet.
way-why-off = The host doesn’t offer the fast way.
way-why-refused = The host didn’t accept the fast way. It is tried again by itself.
way-why-silent = This network doesn’t let the fast way through: it was tried, and nothing came back. It is tried again now and then.
way-why-lost = The fast way broke off. It is tried again by itself.
way-messages = Messages and notices
way-websocket = Over a line that stays open
way-channel = Over the same fast way
way-https = One by one: the network or the browser refuses a line that stays open
way-answers = The answer comes
way-answers-fast = At once
way-answers-good = With a slight delay
way-answers-slow = Late: it is easy to talk over each other
way-answers-late = Very late
way-line = The network carries
way-line-both = Pictures and sound
way-line-down = Of the others, only the sound
way-line-up = All but your own picture
way-line-sound = Only the sound
way-test = Test at { $time }
way-tech = For technical support
way-tech-webrtc = Pictures and sound: WebRTC (UDP)
way-tech-frames = Pictures and sound: WebSocket (TCP), encoded frames
way-tech-jpeg = Pictures and sound: WebSocket (TCP), JPEG
way-tech-none = Pictures and sound: no transport
way-tech-websocket = Control: WebSocket (TCP)
way-tech-channel = Control: WebRTC’s data channel (UDP)
way-tech-https = Control: HTTPS (POST and server-sent events)
way-tech-reason = Reason in the metrics: { $word }
way-tech-trip = Round trip: { $time } ms
way-tech-rates = Receives { $down } kbit/s · sends { $up } kbit/s
way-tech-codecs = Codecs: receives { $gets } · sends { $sends }
