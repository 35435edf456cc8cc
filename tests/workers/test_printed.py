"""What an attempt prints as pieces: the head whole, the tail as far as it fits, the rest counted."""

import json

from workers.events import HEAD_BYTES, TAIL_BYTES, decode_event, encode_event
from workers.messages import Output
from workers.printed import MOST_PARTS, Printed


def test_what_is_printed_comes_in_order_and_says_where_it_stood() -> None:
    printed = Printed(7, 2)
    printed.add("stdout", b"one\n")
    printed.add("stderr", b"two\n")
    printed.add("stdout", b"three\n")
    [first] = printed.pieces()
    assert first == Output(
        task=7, attempt=2, position=0, size=14, parts=[("stdout", "one\n"), ("stderr", "two\n"), ("stdout", "three\n")]
    )
    printed.add("stdout", b"four\n")
    [second] = printed.pieces()
    assert (second.position, second.size, second.parts) == (14, 5, [("stdout", "four\n")])
    assert not list(printed.pieces(is_last=True))


def test_a_letter_in_two_halves_is_whole_and_what_is_no_letter_is_replaced() -> None:
    printed = Printed(1, 1)
    printed.add("stdout", b"caf\xc3")
    printed.add("stderr", b"between")
    [first] = printed.pieces()
    printed.add("stdout", b"\xa9 \xff\0")
    [second] = printed.pieces()
    assert first.parts == [("stdout", "caf"), ("stderr", "between")]
    assert second.parts == [("stdout", "é \N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}")]
    assert (second.position, second.size) == (11, 4)


def test_half_a_letter_at_the_very_end_is_shown_as_such() -> None:
    printed = Printed(1, 1)
    printed.add("stdout", b"\xc3")
    assert [piece.parts for piece in printed.pieces(is_last=True)] == [[("stdout", "\N{REPLACEMENT CHARACTER}")]]


def test_of_a_flood_the_head_and_the_tail_are_kept() -> None:
    printed = Printed(1, 1)
    numbers = b"".join(b"%07d\n" % n for n in range(200_000))
    for at in range(0, len(numbers), 100_000):
        printed.add("stdout", numbers[at : at + 100_000])
    assert printed.is_behind
    head, tail = printed.pieces(is_last=True)
    assert (head.position, head.size) == (0, HEAD_BYTES)
    assert (tail.position, tail.size) == (len(numbers) - TAIL_BYTES, TAIL_BYTES)
    assert head.parts == [("stdout", numbers[:HEAD_BYTES].decode())]
    assert tail.parts == [("stdout", numbers[-TAIL_BYTES:].decode())]
    assert not printed.is_behind


def test_what_is_printed_slowly_leaves_nothing_out() -> None:
    printed = Printed(1, 1)
    pieces: list[Output] = []
    for n in range(30_000):
        printed.add("stdout", b"%07d\n" % n)
        if n % 1_000 == 0:
            pieces += printed.pieces()
    pieces += printed.pieces(is_last=True)
    ends = [piece.position + piece.size for piece in pieces]
    assert [piece.position for piece in pieces] == [0, *ends[:-1]]
    assert "".join(text for piece in pieces for _, text in piece.parts) == "".join(f"{n:07}\n" for n in range(30_000))


def test_the_worst_text_still_fits_a_message() -> None:
    printed = Printed(2**63 - 1, 1)
    for _ in range(HEAD_BYTES + TAIL_BYTES):
        printed.add("stdout", b"\x01")
        printed.add("stderr", b"\xff")
    pieces = list(printed.pieces(is_last=True))
    assert max(len(piece.parts) for piece in pieces) <= MOST_PARTS + 2
    assert max(len(encode_event(piece)) for piece in pieces) < 500_000
    flood = Printed(1, 1)
    flood.add("stdout", b"\x01" * (HEAD_BYTES + TAIL_BYTES))
    assert max(len(encode_event(piece)) for piece in flood.pieces()) < 500_000


def test_a_piece_survives_the_wire() -> None:
    piece = Output(task=1, attempt=2, position=3, size=4, parts=[("stdout", 'quote " and \\ and é'), ("stderr", "")])
    assert decode_event(json.loads(encode_event(piece))) == piece
