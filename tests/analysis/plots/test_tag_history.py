"""From events to spans: which digest held which tag from when to when."""

from hypothesis import given
from hypothesis import strategies as st

from ecrlab.analysis.plots.tag_history import UNTAGGED, Span, spans, table
from ecrlab.registry.tag_history import Event


def digest(letter):
    return f"sha256:{letter * 64}"


def history(*events):
    """A history of one repository from (what, tag, before, after), the digests as letters."""
    return table(
        Event(float(k), "app", what, tag, before and digest(before), after and digest(after), "me")
        for k, (what, tag, before, after) in enumerate(events)
    )


def told(*events):
    return {(span.row, span.digest[0], span.start, span.end) for span in spans(history(*events))}


def test_a_tag_that_moves_ends_one_span_and_begins_two():
    assert told(("pushed", "v1", None, "a"), ("pushed", "v1", "a", "b")) == {
        ("v1", "a", 0, 1),
        ("v1", "b", 1, None),
        (UNTAGGED, "a", 1, None),
    }


def test_an_image_with_another_tag_is_not_left_behind():
    events = [("pushed", "v1", None, "a"), ("tagged", "v2", None, "a"), ("pushed", "v1", "a", "b")]

    assert (UNTAGGED, "a", 2, None) not in told(*events)
    assert ("v2", "a", 1, None) in told(*events)


def test_an_image_found_again_by_a_tag_is_untagged_no_more():
    events = [("pushed", None, None, "a"), ("tagged", "v1", None, "a")]

    assert told(*events) == {(UNTAGGED, "a", 0, 1), ("v1", "a", 1, None)}


def test_a_deleted_image_leaves_nothing():
    events = [
        ("pushed", "v1", None, "a"),
        ("tagged", "v2", None, "a"),
        ("deleted", "v1", "a", None),
        ("deleted", "v2", "a", None),
    ]
    assert told(*events) == {("v1", "a", 0, 2), ("v2", "a", 1, 3)}


def test_an_untagged_image_that_is_deleted_ends():
    assert told(("pushed", None, None, "a"), ("deleted", None, "a", None)) == {(UNTAGGED, "a", 0, 1)}


def test_no_history_is_no_spans():
    assert spans(history()) == []


@given(st.lists(st.tuples(st.sampled_from(["v1", "v2", None]), st.sampled_from("abc")), max_size=12))
def test_no_tag_is_ever_at_two_images_and_the_last_one_stays(pushes):
    holds, there, events = {}, set(), []
    for tag, image in pushes:
        before = holds.get(tag) if tag else None
        if (tag and before == image) or (tag is None and image in there):
            continue
        events.append(("tagged" if image in there else "pushed", tag, before, image))
        there.add(image)
        if tag:
            holds[tag] = image

    found = spans(history(*events))

    def at(row, moment):
        return [one.digest[0] for one in found if one.row == row and one.start <= moment < (one.end or 99)]

    assert all(len(at(tag, moment)) <= 1 for tag in ("v1", "v2") for moment in range(len(events)))
    assert {tag: at(tag, len(events)) for tag in holds} == {tag: [image] for tag, image in holds.items()}
    assert set(at(UNTAGGED, len(events))) == there - set(holds.values())
    assert all(isinstance(one, Span) and (one.end is None or one.end > one.start) for one in found)
