"""HTTP/1.1 for a WSGI application; our own because no WSGI server answers a tunnel (`CONNECT`) with raw bytes."""
