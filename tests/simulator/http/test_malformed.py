"""What is no HTTP, or comes without end: it is refused, and taken for nothing else."""

import contextlib
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecrlab.simulator.http import connection

from .conftest import CHUNKED, GET, PUT, refuse, rest_of


def test_what_stands_behind_a_body_is_not_taken_for_headers_of_the_next_request(port):
    said = CHUNKED + b"1\r\na\r\n0\r\nX-Admin: yes\r\n\r\n"
    heard = port.say(said + GET)
    assert heard.endswith(b"GET /? [HTTP_HOST=h] ")
    assert b"X_ADMIN" not in heard


def test_a_header_that_would_pass_for_another_is_left_out(port):
    assert port.say(b"GET / HTTP/1.1\r\nHost: h\r\nX_One: 1\r\n\r\n").endswith(b"GET /? [HTTP_HOST=h] ")


@pytest.mark.parametrize(
    "said",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n folded\r\n\r\n",
        PUT + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        PUT + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
        PUT + b"Content-Length: 99999999999999999999999\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n",
        b"GET / HTTP/1.0\r\nHost: h\r\nHost: i\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : h\r\n\r\n",
        b"GET / HTTP/1.1\nHost: h\n\n",
        CHUNKED + b"-1\r\na\r\n0\r\n\r\n",
        CHUNKED + b"0x1\r\na\r\n0\r\n\r\n",
        CHUNKED + b"1\r\nab\r\n0\r\n\r\n",
        CHUNKED + b"1\na\n0\n\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused_and_the_connection_ends(port, said):
    heard = port.say(said)
    assert heard == b"HTTP/1.0 400 Bad Request\r\n\r\n"


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b"GET / HTTP/2.0\r\n\r\n", b"505 HTTP Version Not Supported"),
        (
            PUT + b"Transfer-Encoding: gzip, chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
            b"501 Not Implemented",
        ),
    ],
)
def test_what_is_not_spoken_here_is_said(port, said, status):
    assert port.say(said).startswith(b"HTTP/1.0 " + status)


def test_an_error_is_heard_by_a_client_that_is_still_sending(serve):
    def fail(environ, start_response):
        raise RuntimeError

    port = serve(fail)
    for said, status in [
        (PUT + b"Content-Length: 3000000\r\n\r\n", b"HTTP/1.0 500"),
        (b"nonsense\r\n\r\n", b"HTTP/1.0 400"),
    ]:
        with port.connected() as client:
            client.sendall(said)
            client.sendall(b"x" * 3_000_000)
            assert rest_of(client).startswith(status)


@pytest.mark.parametrize(
    "begun",
    [b"GET / HTTP/1.1\r\nHost: h\r\nX: ", CHUNKED + b"0\r\nX: "],
)
def test_headers_without_end_are_not_collected(port, begun, monkeypatch):
    monkeypatch.setattr(connection, "PIECES", 2)
    monkeypatch.setattr(connection, "FAREWELL_SECONDS", 0.2)
    with port.connected() as client:
        client.sendall(begun)
        # The server may have hung up before the last of it, and a reset may take its answer along.
        with contextlib.suppress(ConnectionError):
            for _ in range(30):
                client.sendall(b"x" * 10_000)
            assert client.recv(12) in (b"HTTP/1.0 431", b"")
        with pytest.raises(ConnectionError):
            for _ in range(1_000_000):
                client.sendall(b"x" * 10_000)


def test_a_refusal_is_read_by_a_client_that_sends_a_large_body_in_small_pieces(serve):
    def refuse_and_close(environ, start_response):
        start_response("413 Content Too Large", [("Connection", "close"), ("Content-Length", "0")])
        return []

    with serve(refuse_and_close).connected() as client:
        client.sendall(PUT + b"Content-Length: 40000000\r\n\r\n")
        for _ in range(4000):
            client.sendall(b"x" * 10_000)
        assert rest_of(client).startswith(b"HTTP/1.1 413")


def test_a_body_that_nobody_wants_is_not_read_for_ever(serve, monkeypatch):
    monkeypatch.setattr(connection, "PIECES", 2)
    monkeypatch.setattr(connection, "FAREWELL_SECONDS", 0.2)
    with serve(refuse).connected() as client:
        client.sendall(CHUNKED)
        with pytest.raises(ConnectionError):
            for _ in range(1_000_000):
                client.sendall(b"2710\r\n" + b"x" * 10_000 + b"\r\n")


def test_blanks_around_a_value_are_not_part_of_it(port):
    blanks = b"Transfer-Encoding: chunked  \r\nHost: \th \t\r\nX:  a b \r\n\r\n1\r\nx\r\n0\r\n\r\n"
    expected = b"PUT /? [HTTP_HOST=h, HTTP_TRANSFER_ENCODING=chunked, HTTP_X=a b] x"
    assert port.say(b"PUT / HTTP/1.1\r\n" + blanks).endswith(expected)


HIDDEN = b"GET /secret HTTP/1.1\r\nHost: h\r\n\r\n"


@pytest.mark.parametrize(
    "body",
    [
        CHUNKED + b"%x\r\n%b\r\n0\r\n\r\n" % (len(HIDDEN), HIDDEN),
        PUT + b"Content-Length: %d\r\n\r\n%b" % (len(HIDDEN), HIDDEN),
    ],
    ids=["chunked", "length"],
)
def test_what_stands_behind_a_body_that_nobody_reads_is_answered_in_its_order(serve, body):
    heard = serve(refuse).say(body + GET + b"nonsense\r\n\r\n" + GET)
    assert re.findall(rb"HTTP/1.. (...)", heard) == [b"403", b"403", b"400"]


def test_what_stands_behind_broken_chunks_is_no_request(serve):
    def forgive(environ, start_response):
        with contextlib.suppress(OSError):
            environ["wsgi.input"].read()
        return refuse(environ, start_response)

    broken = CHUNKED + b"zz\r\n0\r\n\r\n" + GET
    assert re.findall(rb"HTTP/1.. (...)", serve(refuse).say(broken)) == [b"403", b"400"]
    assert re.findall(rb"HTTP/1.. (...)", serve(forgive).say(broken)) == [b"403"]


@pytest.mark.parametrize(("where", "status"), [(b"GET /", b"414"), (b"GET / HTTP/1.1\r\nHost: h\r\nX: ", b"431")])
def test_a_head_that_is_too_large_is_refused(port, where, status):
    assert port.say(where + b"x" * 70_000 + b"\r\n\r\n").startswith(b"HTTP/1.0 " + status)


def test_a_head_that_comes_drop_by_drop_is_not_waited_for(port, monkeypatch):
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.0)
    with port.connected() as client:
        client.sendall(b"GET / HTTP/1.1\r\n")
        assert rest_of(client).startswith(b"HTTP/1.0 408 ")


PIECES = [
    b"GET /a HTTP/1.1\r\n",
    b"PUT http://b/c HTTP/1.1\r\n",
    b"Host: h\r\n",
    b"Content-Length: 5\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Connection: upgrade\r\nUpgrade: h2c\r\n",
    b"\r\n",
    b"hello",
    b"5\r\nhello\r\n",
    b"0\r\n\r\n",
    b"\x00",
    b" ",
]


def understood(said: bytes, most: int) -> list[object]:
    """The requests in these bytes with their bodies, and how the last ends, if `most` bytes come at a time."""

    class Wire(io.RawIOBase):
        def readable(self):
            return True

        def readinto(self, buffer):
            size = min(most, len(said) - self.at, len(buffer))
            buffer[:size] = said[self.at : self.at + size]
            self.at += size
            return size

        at = 0

    reader, found = io.BufferedReader(Wire()), []
    try:
        while True:
            found.append(connection.read_head(reader))
            found.append(connection.Body(reader, found[-1], None).read())
    except (connection.Refused, ConnectionError) as error:
        return [*found, str(error)]


@given(st.lists(st.sampled_from(PIECES) | st.binary(max_size=8), max_size=20).map(b"".join))
def test_whatever_comes_is_understood_alike_however_it_is_cut(said):
    assert understood(said, 1) == understood(said, 7) == understood(said, len(said) + 1)
