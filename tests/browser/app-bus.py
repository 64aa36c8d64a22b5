#!/usr/bin/python3
"""What a desktop has on its buses for a program that hosts, as far as the app uses it: the system's
locks against sleep (logind), the screen's (a screen saver), and a tray (as of KDE and GNOME).

app-bus.py [REFUSED…]: runs under dbus-run-session, whose bus stands for the system's; its address is
the first line written. What is named, such as `sleep`, is refused to whoever wants it locked.

Each line read is a command, a JSON array, and answered by a line of JSON:
  ["join", ADDRESS]  this is the session's bus; from now on it has a screen saver and a tray
  ["look"]           which locks are held, which were refused so far, and what the tray shows
  ["click", LABEL]   touches an entry of the tray's menu
"""
import json
import os
import sys
import threading
import traceback

from gi.repository import Gio, GLib

LOGIN = """<node><interface name="org.freedesktop.login1.Manager"><method name="Inhibit">
  <arg type="s" name="what" direction="in"/><arg type="s" name="who" direction="in"/>
  <arg type="s" name="why" direction="in"/><arg type="s" name="mode" direction="in"/>
  <arg type="h" name="pipe" direction="out"/>
</method></interface></node>"""
SAVER = """<node><interface name="org.freedesktop.ScreenSaver"><method name="Inhibit">
  <arg type="s" name="application" direction="in"/><arg type="s" name="reason" direction="in"/>
  <arg type="u" name="cookie" direction="out"/>
</method><method name="UnInhibit">
  <arg type="u" name="cookie" direction="in"/>
</method></interface></node>"""
WATCHER = """<node><interface name="org.kde.StatusNotifierWatcher">
  <method name="RegisterStatusNotifierItem"><arg type="s" name="service" direction="in"/></method>
  <property name="RegisteredStatusNotifierItems" type="as" access="read"/>
  <property name="IsStatusNotifierHostRegistered" type="b" access="read"/>
  <property name="ProtocolVersion" type="i" access="read"/>
</interface></node>"""
ITEM = "org.kde.StatusNotifierItem"
MENU = "com.canonical.dbusmenu"
# D-Bus: the name or nothing, and what says that it was given.
DO_NOT_QUEUE, PRIMARY_OWNER = 4, 1


def connect(address):
    flags = (
        Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT
        | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION
    )
    return Gio.DBusConnection.new_for_address_sync(address, flags, None, None)


def call(bus, name, path, interface, method, parameters):
    return bus.call_sync(
        name, path, interface, method, parameters, None, Gio.DBusCallFlags.NONE, -1, None
    ).unpack()


def offer(bus, name, path, interface, called, asked=None):
    """Has an object under a name of a bus."""
    described = Gio.DBusNodeInfo.new_for_xml(interface).interfaces[0]
    bus.register_object(path, described, called, asked, None)
    (got,) = call(
        bus,
        "org.freedesktop.DBus",
        "/org/freedesktop/DBus",
        "org.freedesktop.DBus",
        "RequestName",
        GLib.Variant("(su)", (name, DO_NOT_QUEUE)),
    )
    if got != PRIMARY_OWNER:
        sys.exit(f"{name} is somebody else's")


def when_gone(bus, name, then):
    Gio.bus_watch_name_on_connection(
        bus, name, Gio.BusNameWatcherFlags.NONE, None, lambda _bus, _name: then()
    )


class Login:
    """A lock is held as long as its pipe's end is open anywhere."""

    def __init__(self, bus, refuses):
        # A connection that nobody keeps is closed.
        self.bus = bus
        self.held = {}
        self.refuses = refuses
        self.refused = []
        offer(bus, "org.freedesktop.login1", "/org/freedesktop/login1", LOGIN, self.called)

    def called(self, _bus, _sender, _path, _interface, _method, parameters, invocation):
        lock = parameters.unpack()
        if lock[0] in self.refuses:
            self.refused.append(lock)
            invocation.return_dbus_error(
                "org.freedesktop.DBus.Error.AccessDenied", "Permission denied"
            )
            return
        own, given = os.pipe()
        pipes = Gio.UnixFDList.new()
        index = pipes.append(given)
        os.close(given)
        self.held[own] = lock
        GLib.io_add_watch(own, GLib.PRIORITY_DEFAULT, GLib.IOCondition.HUP, self.released)
        invocation.return_value_with_unix_fd_list(GLib.Variant("(h)", (index,)), pipes)

    def released(self, own, _condition):
        os.close(own)
        del self.held[own]
        return GLib.SOURCE_REMOVE


class ScreenSaver:
    """A lock is held until its cookie comes back, or its holder is gone."""

    def __init__(self, bus):
        self.bus = bus
        self.held = {}
        self.cookies = 0
        name, path = "org.freedesktop.ScreenSaver", "/org/freedesktop/ScreenSaver"
        offer(bus, name, path, SAVER, self.called)

    def called(self, bus, sender, _path, _interface, method, parameters, invocation):
        if method == "Inhibit":
            self.cookies += 1
            cookie = self.cookies
            self.held[cookie] = parameters.unpack()
            when_gone(bus, sender, lambda: self.held.pop(cookie, None))
            invocation.return_value(GLib.Variant("(u)", (cookie,)))
        elif self.held.pop(parameters.unpack()[0], None):
            invocation.return_value(None)
        else:
            invocation.return_dbus_error(
                "org.freedesktop.DBus.Error.InvalidArgs", "there is no such cookie"
            )


class Tray:
    """The icon that came last, and its menu."""

    def __init__(self, bus):
        self.bus = bus
        self.item = None
        name, path = "org.kde.StatusNotifierWatcher", "/StatusNotifierWatcher"
        offer(bus, name, path, WATCHER, self.called, self.asked)

    def called(self, bus, sender, _path, _interface, _method, parameters, invocation):
        # The app's library tells the object's path; others tell a name, which isn't needed here.
        item = (sender, parameters.unpack()[0])
        self.item = item
        when_gone(bus, sender, lambda: self.gone(item))
        invocation.return_value(None)

    def gone(self, item):
        if self.item == item:
            self.item = None

    def asked(self, _bus, _sender, _path, _interface, name):
        if name == "ProtocolVersion":
            return GLib.Variant("i", 0)
        if name == "IsStatusNotifierHostRegistered":
            return GLib.Variant("b", True)
        return GLib.Variant("as", ["".join(self.item)] if self.item else [])

    def entries(self, item):
        """What can be touched in the menu: names, with the number of each."""
        layout = GLib.Variant("(iias)", (0, -1, ["label", "visible", "enabled"]))
        _, (_, _, entries) = call(self.bus, self.item[0], item["Menu"], MENU, "GetLayout", layout)
        return {
            entry["label"]: number
            for number, entry, _ in entries
            if "label" in entry and entry.get("visible", True) and entry.get("enabled", True)
        }

    def properties(self):
        wanted = GLib.Variant("(s)", (ITEM,))
        return call(self.bus, *self.item, "org.freedesktop.DBus.Properties", "GetAll", wanted)[0]

    def look(self):
        if not self.item:
            return None
        try:
            item = self.properties()
            return {
                "status": item["Status"],
                "icon": item["IconName"],
                "menu": list(self.entries(item)),
            }
        except GLib.Error as error:
            # It went while it was looked at, or doesn't answer: whoever asks again learns which.
            return {"status": error.message, "icon": "", "menu": []}

    def click(self, label):
        item = self.properties()
        number = self.entries(item)[label]
        event = GLib.Variant("(isvu)", (number, "clicked", GLib.Variant("s", ""), 0))
        call(self.bus, self.item[0], item["Menu"], MENU, "Event", event)


def main():
    # The tests would wait in vain for an answer that an error came in the way of.
    def end(*error):
        traceback.print_exception(*error)
        os._exit(1)

    sys.excepthook = end
    system = os.environ["DBUS_SESSION_BUS_ADDRESS"]
    login = Login(connect(system), sys.argv[1:])
    screen, tray = None, None

    def answer(command, *arguments):
        nonlocal screen, tray
        said = True
        if command == "join":
            session = connect(*arguments)
            screen, tray = ScreenSaver(session), Tray(session)
        elif command == "look":
            said = {
                "device": sorted(login.held.values()),
                "refused": login.refused,
                "screen": sorted(screen.held.values()),
                "tray": tray.look(),
            }
        elif command == "click":
            tray.click(*arguments)
        print(json.dumps(said), flush=True)

    loop = GLib.MainLoop()

    def read():
        for line in sys.stdin:
            GLib.idle_add(lambda command: answer(*command), json.loads(line))
        GLib.idle_add(loop.quit)

    print(system, flush=True)
    threading.Thread(target=read, daemon=True).start()
    loop.run()


main()
