#!/usr/bin/env python3
"""Asks a window to close, as its cross does: there is no window manager on a test's screen.

app-close.py TITLE: the window of this title on $DISPLAY gets a WM_DELETE_WINDOW message.
"""
import ctypes
import sys

x11 = ctypes.CDLL("libX11.so.6")
Window = Atom = ctypes.c_ulong
Display = ctypes.c_void_p
CLIENT_MESSAGE = 33


class ClientMessage(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("serial", ctypes.c_ulong),
        ("send_event", ctypes.c_int),
        ("display", Display),
        ("window", Window),
        ("message_type", Atom),
        ("format", ctypes.c_int),
        ("data", ctypes.c_long * 5),
        # An XEvent is 24 longs.
        ("rest", ctypes.c_long * 12),
    ]


x11.XOpenDisplay.restype = Display
x11.XDefaultRootWindow.argtypes = [Display]
x11.XDefaultRootWindow.restype = Window
x11.XInternAtom.argtypes = [Display, ctypes.c_char_p, ctypes.c_int]
x11.XInternAtom.restype = Atom
x11.XFetchName.argtypes = [Display, Window, ctypes.POINTER(ctypes.c_char_p)]
x11.XQueryTree.argtypes = [
    Display,
    Window,
    ctypes.POINTER(Window),
    ctypes.POINTER(Window),
    ctypes.POINTER(ctypes.POINTER(Window)),
    ctypes.POINTER(ctypes.c_uint),
]
x11.XGetWMProtocols.argtypes = [
    Display,
    Window,
    ctypes.POINTER(ctypes.POINTER(Atom)),
    ctypes.POINTER(ctypes.c_int),
]
x11.XSendEvent.argtypes = [
    Display,
    Window,
    ctypes.c_int,
    ctypes.c_long,
    ctypes.POINTER(ClientMessage),
]
x11.XSync.argtypes = [Display, ctypes.c_int]

title = sys.argv[1].encode()
display = x11.XOpenDisplay(None)
if not display:
    sys.exit("no display")
protocols = x11.XInternAtom(display, b"WM_PROTOCOLS", 0)
delete = x11.XInternAtom(display, b"WM_DELETE_WINDOW", 0)

root, parent, count = Window(), Window(), ctypes.c_uint()
children = ctypes.POINTER(Window)()
x11.XQueryTree(display, x11.XDefaultRootWindow(display), root, parent, children, count)
asked = 0
for window in children[: count.value]:
    name, known, length = ctypes.c_char_p(), ctypes.POINTER(Atom)(), ctypes.c_int()
    x11.XFetchName(display, window, name)
    if name.value != title or not x11.XGetWMProtocols(display, window, known, length):
        continue
    if delete in known[: length.value]:
        message = ClientMessage(type=CLIENT_MESSAGE, window=window, message_type=protocols, format=32)
        message.data[0] = delete
        x11.XSendEvent(display, window, 0, 0, message)
        asked += 1
x11.XSync(display, 0)
if asked != 1:
    sys.exit(f"{asked} windows are called {sys.argv[1]}")
