"""HTTP/1.1 for a WSGI application. It is our own because no WSGI server answers `CONNECT` with raw bytes."""
