"""HTTP/1.1 for a WSGI application, as registries need it: large bodies both ways, and many small requests.

A `Listener` accepts connections; each `Connection` is a thread that reads requests, one after the other, and answers.
It is our own because no WSGI server can answer a tunnel (`CONNECT`) with raw bytes.
"""
