"""HTTP/1.1 as clients speak it."""

import socket

import pytest

from .conftest import CHUNKED, GET, PUT, echo, one_answer, refuse, rest_of


def test_a_request_comes_to_the_application_as_it_was_meant(port):
    said = b"POST /a%20b/c?x=%20 HTTP/1.1\r\nHost: here\r\nX-One: 1\r\nx-one: 2\r\nContent-Length: 4\r\n\r\nbody"
    assert port.say(said).endswith(b"\r\n\r\nPOST /a b/c?x=%20 [HTTP_HOST=here, HTTP_X_ONE=1,2] body")


def test_an_answer_has_a_date_and_a_length(port):
    head, _, body = port.say(GET).partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "HTTP/1.1 200 OK"
    assert lines[1].startswith("Date: ") and lines[1].endswith(" GMT")
    assert lines[2:] == ["Content-Type: text/plain", f"Content-Length: {len(body)}"]


def test_it_does_not_matter_how_the_bytes_are_cut(port):
    said = CHUNKED + b"3\r\nabc\r\n2;extension=1\r\nde\r\n0\r\n\r\n" + GET
    whole = port.say(said)
    with port.connected() as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in said:
            client.sendall(bytes([byte]))
        assert one_answer(client).endswith(b" abcde")
        assert one_answer(client) == b"GET /? [HTTP_HOST=h] "
    assert whole.count(b"HTTP/1.1 200 OK") == 2


def test_requests_that_come_at_once_are_answered_in_their_order(port):
    said = b"".join(b"PUT /%d HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n%02d" % (n, n) for n in range(20))
    with port.connected() as client:
        client.sendall(said)
        assert [one_answer(client)[-2:] for _ in range(20)] == [b"%02d" % n for n in range(20)]


@pytest.mark.parametrize("size", [1, 60_000, 70_000, 3_000_000])
@pytest.mark.parametrize("chunked", [True, False], ids=["chunked", "of known length"])
def test_a_body_of_any_size_arrives_and_another_request_may_follow(port, size, chunked):
    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    framed = b"%x\r\n%b\r\n0\r\n\r\n" % (size, body) if chunked else body
    header = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % size
    with port.connected() as client:
        for _ in range(2):
            client.sendall(PUT + header + b"\r\n\r\n" + framed)
            assert one_answer(client).partition(b"] ")[2] == body


def test_a_body_that_ends_too_early_is_an_error_for_the_application(serve):
    def read(environ, start_response):
        with pytest.raises(OSError):
            environ["wsgi.input"].read()
        start_response("400 Bad Request", [("Content-Length", "9")])
        return [b"cut short"]

    heard = serve(read).say(PUT + b"Content-Length: 10\r\n\r\nhalf")
    assert heard.startswith(b"HTTP/1.1 400 ") and heard.endswith(b"cut short")


@pytest.mark.parametrize(
    "said",
    [
        b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, Close\r\n\r\n",
        b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    ],
)
def test_after_some_requests_the_connection_ends(port, said):
    with port.connected() as client:
        client.sendall(said)
        heard = rest_of(client)
    assert heard.startswith(b"HTTP/1.1 200 OK\r\n") and b"\r\nConnection: close\r\n" in heard


@pytest.mark.parametrize(
    "body",
    [
        b"Content-Length: 10\r\n\r\n0123456789",
        b"Transfer-Encoding: chunked\r\n\r\n4\r\n0123\r\n6\r\n456789\r\n0\r\n\r\n",
    ],
    ids=["length", "chunked"],
)
def test_a_client_that_offers_another_protocol_is_answered_in_this_one(port, body):
    # As Java's HttpClient does with the first request to a host.
    offer = PUT + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: A\r\n"
    for cut in (len(offer + body), len(offer), len(offer + body) - 3):
        with port.connected() as client:
            client.sendall((offer + body)[:cut])
            client.sendall((offer + body)[cut:])
            assert one_answer(client).endswith(b"] 0123456789")
            client.sendall(GET)
            assert one_answer(client) == b"GET /? [HTTP_HOST=h] "


def test_a_client_that_waits_for_leave_gets_it_when_its_body_is_wanted(port):
    with port.connected() as client:
        client.sendall(PUT + b"Expect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        leave = b"HTTP/1.1 100 Continue\r\n\r\n"
        assert client.recv(len(leave), socket.MSG_WAITALL) == leave
        client.sendall(b"body")
        assert one_answer(client).endswith(b" body")


def test_a_client_that_does_not_wait_for_the_leave_it_asked_for_goes_on(port):
    with port.connected() as client:
        for _ in range(2):
            client.sendall(PUT + b"Expect: 100-continue\r\nContent-Length: 4\r\n\r\nbody")
            leave = b"HTTP/1.1 100 Continue\r\n\r\n"
            assert client.recv(len(leave), socket.MSG_WAITALL) == leave
            assert one_answer(client).endswith(b" body")


def test_a_client_that_waits_for_100_continue_in_vain_gets_an_error_and_a_closed_connection(serve):
    with serve(refuse).connected() as client:
        client.sendall(PUT + b"Expect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        heard = rest_of(client)
    assert heard.startswith(b"HTTP/1.1 403 Forbidden") and b"\r\nConnection: close\r\n" in heard


def test_a_client_that_sends_all_before_it_listens_hears_the_refusal_and_goes_on(serve):
    with serve(refuse).connected() as client:
        for _ in range(2):
            client.sendall(PUT + b"Content-Length: 90000000\r\n\r\n" + b"x" * 90_000_000)
            assert one_answer(client) == b"no"


def answering(status, headers, body):
    def application(environ, start_response):
        start_response(status, headers)
        return body

    return application


@pytest.mark.parametrize(
    ("status", "method"), [("204 No Content", b"GET"), ("304 Not Modified", b"GET"), ("200 OK", b"HEAD")]
)
def test_some_answers_have_no_body(serve, status, method):
    port = serve(answering(status, [("Content-Length", "5")], [b"bytes"]))
    head, _, body = port.say(method + b" / HTTP/1.1\r\nHost: h\r\n\r\n").partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status}\r\n".encode()) and b"Content-Length: 5" in head
    assert body == b""


def test_a_body_in_pieces_is_sent_piece_by_piece(serve):
    port = serve(answering("200 OK", [("Content-Length", "6")], iter([b"one", b"two"])))
    with port.connected() as client:
        client.sendall(GET)
        assert one_answer(client) == b"onetwo"


@pytest.mark.parametrize("body", [[b"short"], iter([b"short"])], ids=["whole", "in pieces"])
def test_a_body_that_is_not_as_long_as_promised_ends_the_connection(serve, body):
    port = serve(answering("200 OK", [("Content-Length", "100")], body))
    with port.connected() as client:
        client.sendall(GET)
        assert rest_of(client).endswith(b"\r\n\r\nshort")


def test_a_body_of_unknown_length_comes_in_chunks(serve):
    with serve(answering("200 OK", [], iter([b"one", b"", b"two"]))).connected() as client:
        client.sendall(GET)
        end = b"\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"
        heard = b""
        while not heard.endswith(end):
            piece = client.recv(100)
            assert piece, heard
            heard += piece
        client.sendall(GET)
        assert client.recv(15) == b"HTTP/1.1 200 OK"
    assert b"\r\nTransfer-Encoding: chunked\r\n" in heard


def test_for_http_1_0_a_body_of_unknown_length_ends_with_the_connection(serve):
    heard = serve(answering("200 OK", [], iter([b"one", b"two"]))).say(b"GET / HTTP/1.0\r\n\r\n")
    assert b"\r\nConnection: close\r\n" in heard and heard.endswith(b"\r\n\r\nonetwo")


@pytest.mark.parametrize("length", [[], [("Content-Length", "100")]], ids=["chunked", "length"])
def test_an_application_that_fails_in_the_middle_of_its_answer_ends_the_connection(serve, length):
    def fail():
        yield b"some"
        raise RuntimeError

    heard = serve(answering("200 OK", length, fail())).say(GET)
    assert heard.endswith(b"some" if length else b"4\r\nsome\r\n")


def test_an_application_that_fails_is_an_error_and_not_the_end(serve):
    def application(environ, start_response):
        if environ["PATH_INFO"] == "/bad":
            raise RuntimeError("secret")
        return echo(environ, start_response)

    port = serve(application)
    heard = port.say(b"GET /bad HTTP/1.1\r\nHost: h\r\n\r\n")
    assert heard.startswith(b"HTTP/1.0 500 Internal Server Error\r\n") and b"secret" not in heard
    assert port.say(GET).startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize("value", ["1\r\nSet-Cookie: a=b", "\u65e5"], ids=["two lines", "no latin"])
def test_a_header_that_cannot_be_is_not_sent(serve, value):
    heard = serve(answering("200 OK", [("X", value)], [b""])).say(GET)
    assert heard.startswith(b"HTTP/1.0 500 ") and b"X:" not in heard and b"Set-Cookie" not in heard


def test_in_a_tunnel_tls_is_refused_in_clear_and_http_is_answered(port):
    connect = b"CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n"
    with port.connected() as client:
        client.sendall(connect)
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += client.recv(1)
        assert head.startswith(b"HTTP/1.1 200 ")
        client.sendall(GET + b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        heard = rest_of(client)
    assert heard.startswith(b"HTTP/1.1 200 OK\r\n")
    assert heard.endswith(b"GET /? [HTTP_HOST=h] HTTP/1.0 400 Bad Request\r\n\r\n")
