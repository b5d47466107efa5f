"""HTTP/1.1 as clients speak it, well or badly."""

import socket

import pytest

from ecrlab.simulator.http import client
from ecrlab.simulator.http import connection as connection_module

from .conftest import echo, one_answer, rest_of

GET = b"GET / HTTP/1.1\r\n\r\n"


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
    said = b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;extension=1\r\nde\r\n0\r\n\r\n" + GET
    whole = port.say(said)
    with port.connected() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in said:
            connection.sendall(bytes([byte]))
        assert one_answer(connection).endswith(b" abcde")
        assert one_answer(connection) == b"GET /? [] "
    assert whole.count(b"HTTP/1.1 200 OK") == 2


def test_requests_that_come_at_once_are_answered_in_their_order(port):
    said = b"".join(b"PUT /%d HTTP/1.1\r\nContent-Length: 2\r\n\r\n%02d" % (n, n) for n in range(20))
    with port.connected() as connection:
        connection.sendall(said)
        assert [one_answer(connection)[-2:] for _ in range(20)] == [b"%02d" % n for n in range(20)]


@pytest.mark.parametrize("size", [1, 60_000, 70_000, 3_000_000])
@pytest.mark.parametrize("chunked", [True, False], ids=["chunked", "of known length"])
def test_a_body_of_any_size_arrives_and_another_request_may_follow(port, size, chunked):
    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    framed = b"%x\r\n%b\r\n0\r\n\r\n" % (size, body) if chunked else body
    header = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % size
    with port.connected() as connection:
        for _ in range(2):
            connection.sendall(b"PUT / HTTP/1.1\r\n" + header + b"\r\n\r\n" + framed)
            assert one_answer(connection).partition(b"] ")[2] == body


def test_what_stands_behind_a_body_is_not_taken_for_headers_of_the_next_request(port):
    said = b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Admin: yes\r\n\r\n"
    heard = port.say(said + GET)
    assert heard.endswith(b"GET /? [] ")
    assert b"X_ADMIN" not in heard


def test_a_header_that_would_pass_for_another_is_left_out(port):
    assert port.say(b"GET / HTTP/1.1\r\nX_One: 1\r\n\r\n").endswith(b"GET /? [] ")


@pytest.mark.parametrize(
    "said",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: b\r\n folded\r\n\r\n",
        b"PUT / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"PUT / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
        b"PUT / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        b"GET http://[::1 HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused_and_the_connection_ends(port, said):
    heard = port.say(said)
    assert heard.startswith(b"HTTP/1.1 400 Bad Request\r\n") and heard.endswith(b"\r\n\r\nBad Request\n")
    assert heard.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b"GET / HTTP/2.0\r\n\r\n", b"505 HTTP Version Not Supported"),
        (b"PUT / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", b"501 Not Implemented"),
    ],
)
def test_what_is_not_spoken_here_is_said(port, said, status):
    assert port.say(said).startswith(b"HTTP/1.1 " + status)


def test_an_error_is_heard_by_a_client_that_is_still_sending(serve):
    def fail(environ, start_response):
        raise RuntimeError

    port = serve(fail)
    for said, status in [
        (b"PUT / HTTP/1.1\r\nContent-Length: 3000000\r\n\r\n", b"HTTP/1.1 500"),
        (b"nonsense\r\n\r\n", b"HTTP/1.1 400"),
    ]:
        with port.connected() as connection:
            connection.sendall(said)
            connection.sendall(b"x" * 3_000_000)
            assert rest_of(connection).startswith(status)


@pytest.mark.parametrize(
    "begun", [b"GET / HTTP/1.1\r\nX: ", b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: "]
)
def test_headers_without_end_are_not_collected(port, begun, monkeypatch):
    monkeypatch.setattr(client, "FAREWELL_SECONDS", 0.1)
    with port.connected() as connection:
        connection.sendall(begun)
        for _ in range(30):
            connection.sendall(b"x" * 10_000)
        assert connection.recv(12) == b"HTTP/1.1 431"
        with pytest.raises(ConnectionError):
            for _ in range(1_000_000):
                connection.sendall(b"x" * 10_000)


def test_a_body_that_nobody_wants_is_not_read_for_ever(serve, monkeypatch):
    monkeypatch.setattr(connection_module, "DISCARD_SECONDS", 0.1)
    with serve(refuse).connected() as connection:
        connection.sendall(b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
        with pytest.raises(ConnectionError):
            for _ in range(1_000_000):
                connection.sendall(b"2710\r\n" + b"x" * 10_000 + b"\r\n")


def test_a_body_that_ends_too_early_is_an_error_for_whoever_reads_it(serve):
    def read(environ, start_response):
        with pytest.raises(OSError):
            environ["wsgi.input"].read()
        start_response("400 Bad Request", [])
        return [b"cut short"]

    heard = serve(read).say(b"PUT / HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf")
    assert heard.startswith(b"HTTP/1.1 400 ") and heard.endswith(b"cut short")


def test_a_target_for_a_proxy_names_the_host(port):
    heard = port.say(b"GET http://elsewhere.example:80/x?y=1 HTTP/1.1\r\nHost: here\r\n\r\n")
    assert heard.endswith(b"GET /x?y=1 [HTTP_HOST=elsewhere.example:80] ")


@pytest.mark.parametrize(
    "said",
    [
        b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n",
        b"GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
        b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    ],
)
def test_after_some_requests_the_connection_ends(port, said):
    with port.connected() as connection:
        connection.sendall(said)
        heard = rest_of(connection)
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
    offer = b"PUT / HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n"
    for cut in (len(offer + body), len(offer), len(offer + body) - 3):
        with port.connected() as connection:
            connection.sendall((offer + body)[:cut])
            connection.sendall((offer + body)[cut:])
            assert rest_of(connection).endswith(b"] 0123456789")


def test_a_client_that_waits_for_leave_gets_it_when_its_body_is_wanted(port):
    with port.connected() as connection:
        connection.sendall(b"PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        leave = b"HTTP/1.1 100 Continue\r\n\r\n"
        assert connection.recv(len(leave), socket.MSG_WAITALL) == leave
        connection.sendall(b"body")
        assert one_answer(connection).endswith(b" body")


def test_a_client_that_does_not_wait_for_the_leave_it_asked_for_goes_on(port):
    with port.connected() as connection:
        for _ in range(2):
            connection.sendall(b"PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\nbody")
            assert one_answer(connection).endswith(b" body")


def refuse(environ, start_response):
    start_response("403 Forbidden", [("Content-Length", "2")])
    return [b"no"]


def test_a_client_that_waits_for_leave_in_vain_is_told_so_and_let_go(serve):
    with serve(refuse).connected() as connection:
        connection.sendall(b"PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        heard = rest_of(connection)
    assert heard.startswith(b"HTTP/1.1 403 Forbidden") and b"\r\nConnection: close\r\n" in heard


def test_a_client_that_sends_all_before_it_listens_hears_the_refusal_and_goes_on(serve):
    with serve(refuse).connected() as connection:
        for _ in range(2):
            connection.sendall(b"PUT / HTTP/1.1\r\nContent-Length: 90000000\r\n\r\n" + b"x" * 90_000_000)
            assert one_answer(connection) == b"no"


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
    head, _, body = port.say(method + b" / HTTP/1.1\r\n\r\n").partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status}\r\n".encode()) and b"Content-Length: 5" in head
    assert body == b""


def test_a_body_in_pieces_is_sent_piece_by_piece(serve):
    port = serve(answering("200 OK", [("Content-Length", "6")], iter([b"one", b"two"])))
    with port.connected() as connection:
        connection.sendall(GET)
        assert one_answer(connection) == b"onetwo"


@pytest.mark.parametrize("body", [[b"short"], iter([b"short"])], ids=["whole", "in pieces"])
def test_a_body_that_is_not_as_long_as_promised_ends_the_connection(serve, body):
    port = serve(answering("200 OK", [("Content-Length", "100")], body))
    with port.connected() as connection:
        connection.sendall(GET)
        assert rest_of(connection).endswith(b"\r\n\r\nshort")


def test_a_body_of_unknown_length_ends_with_the_connection(serve):
    with serve(answering("200 OK", [], iter([b"one", b"two"]))).connected() as connection:
        connection.sendall(GET)
        heard = rest_of(connection)
    assert b"\r\nConnection: close\r\n" in heard and heard.endswith(b"\r\n\r\nonetwo")


def test_an_application_that_fails_is_an_error_and_not_the_end(serve):
    def application(environ, start_response):
        if environ["PATH_INFO"] == "/bad":
            raise RuntimeError("secret")
        return echo(environ, start_response)

    port = serve(application)
    heard = port.say(b"GET /bad HTTP/1.1\r\n\r\n")
    assert heard.startswith(b"HTTP/1.1 500 Internal Server Error\r\n") and b"secret" not in heard
    assert port.say(GET).startswith(b"HTTP/1.1 200 OK")


def test_a_header_of_two_lines_is_not_sent(serve):
    assert serve(answering("200 OK", [("X", "1\r\nSet-Cookie: a=b")], [b""])).say(GET) == b""
