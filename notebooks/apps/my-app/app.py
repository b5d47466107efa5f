"""A tiny web page that says which version is running."""

from http.server import BaseHTTPRequestHandler, HTTPServer

VERSION = "1.2.3"


class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"my-app {VERSION}\n".encode())


if __name__ == "__main__":
    HTTPServer(("", 8080), Page).serve_forever()
