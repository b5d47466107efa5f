"""HTTP/1.1 for a WSGI application, as registries need it: large bodies both ways, and many small requests.

    Listener     a port of this machine, and the connections to it
    Connection   one connection, and the thread that answers its requests, one after the other
    Request      a request, as httptools reads it; Body is its body

It is our own because a tunnel (`CONNECT`) is answered with raw bytes, which servers from the shelf cannot send.
"""

from ecrlab.simulator.http.listener import Listener, PortTaken

__all__ = ["Listener", "PortTaken"]
