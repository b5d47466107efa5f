"""What is found in bytes does not depend on how they are cut, and never takes more than it may."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecrlab.simulator.http.body import Body
from ecrlab.simulator.http.client import Client
from ecrlab.simulator.http.incoming import END, MOST_FOR_NOTHING, Incoming, Malformed, Request

from .conftest import connected

PIECES = [
    b"GET /a HTTP/1.1\r\n",
    b"PUT http://b/c HTTP/1.1\r\n",
    b"Content-Length: 5\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"X: y\r\n",
    b"Connection: upgrade\r\nUpgrade: h2c\r\n",
    b"\r\n",
    b"hello",
    b"5\r\nhello\r\n",
    b"0\r\n\r\n",
    b"\x00",
    b" ",
]


def found_in(*parts: bytes) -> tuple[list[tuple[object, ...]], bytes, str]:
    """Requests, bodies (with a mark for each end), and whether what came was HTTP."""
    incoming = Incoming()
    end = ""
    try:
        for part in parts:
            incoming.feed(part)
    except Malformed as bad:
        end = bad.status.phrase
    requests = [(r.method, r.target, r.version, r.variables, r.keeps_alive) for r in incoming.requests]
    return requests, b"".join(piece or b"|" for piece in incoming.pieces), end


@given(st.lists(st.sampled_from(PIECES) | st.binary(max_size=8), max_size=20).map(b"".join))
def test_it_does_not_matter_how_bytes_are_cut(said):
    cut = [said[n : n + 1] for n in range(len(said))]
    assert found_in(*cut) == found_in(said)


@given(st.binary(max_size=200))
def test_no_bytes_are_more_than_malformed(said):
    found_in(b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", said)
    found_in(said)


def test_many_offers_of_another_protocol_are_one():
    offer = b"PUT / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 1\r\n\r\nx"
    requests, bodies, end = found_in(offer * 900)
    assert (len(requests), bodies[:2], end) == (2, b"x|", "")


def test_headers_may_be_large_but_not_without_end():
    incoming = Incoming()
    incoming.feed(b"GET / HTTP/1.1\r\nX: ")
    for _ in range(MOST_FOR_NOTHING // 1024 - 1):
        incoming.feed(b"x" * 1024)
    with pytest.raises(Malformed, match="Request Header Fields Too Large"):
        incoming.feed(b"x" * 1024)


sizes = st.lists(st.integers(1, 200_000), min_size=1, max_size=5)


@given(
    body=st.integers(0, 300_000), reads=sizes, first=st.integers(0, 300_000), chunk=st.integers(1, 100_000) | st.none()
)
def test_a_body_is_the_same_however_it_is_sent_and_read(body, reads, first, chunk):
    whole = bytes(n % 251 for n in range(1000)) * (body // 1000 + 1)
    whole = whole[:body]
    framed, variables = whole, {"CONTENT_LENGTH": str(body)}
    if chunk is not None:
        cut = [whole[n : n + chunk] for n in range(0, body, chunk)]
        framed = b"".join(b"%x\r\n%b\r\n" % (len(c), c) for c in cut) + b"0\r\n\r\n"
        variables = {"HTTP_TRANSFER_ENCODING": "chunked"}
    header = b"Transfer-Encoding: chunked" if chunk is not None else b"Content-Length: %d" % body
    incoming = Incoming()
    incoming.feed(b"PUT / HTTP/1.1\r\n" + header + b"\r\n\r\n" + framed[:first])
    here, there = connected()
    with here, there:
        sending = threading.Thread(target=there.sendall, args=[framed[first:]])
        sending.start()
        request = Request(method="PUT", variables=variables)
        assert incoming.requests.popleft().length == request.length
        read = Body(Client(here, lambda: None, silence=1), incoming, request)
        heard = [b"begin"]
        sizes = iter(reads)
        while heard[-1]:
            heard.append(read.read(next(sizes, -1)))
            if (wanted := len(heard) - 2) < len(reads):
                assert len(heard[-1]) <= reads[wanted]
        assert b"".join(heard[1:]) == whole
        assert read.is_over() and not incoming.is_within and END not in incoming.pieces
        sending.join()
