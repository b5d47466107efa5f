"""HTTP/1.1 for a WSGI application, as registries need it: large bodies both ways, and many small requests.

    Listener      a port, its connections, and the threads that attend to them
    Connection    one connection, and the requests that come by it, one after the other
    Incoming      what httptools finds in the bytes that come
    Body          the body of a request, as the application reads it
    Answer        what the application answers, as the client gets it
    Client        bytes from a client and to it

Servers from the shelf hand each request, and each piece of a body, from one thread to another; that costs more than
answering. `tests/bench/dataplane.py` measures what comes of it.
"""

from ecrlab.simulator.http.connection import STEP_ASIDE
from ecrlab.simulator.http.incoming import Environ
from ecrlab.simulator.http.listener import Listener, PortTaken

__all__ = ["STEP_ASIDE", "Environ", "Listener", "PortTaken"]
