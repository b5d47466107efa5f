"""The one look of all pictures: contrast, and colours that the colour-blind tell apart, computed."""

import itertools
import math

import matplotlib as mpl
import pytest

from ecrlab.analysis.plots import style

mpl.use("agg")

# Machado, Oliveira and Fernandes (2009), severity 1, for linear RGB.
COLOUR_BLIND = {
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}


def linear(colour):
    """The channels of #rrggbb as light, from 0 to 1 (WCAG 2.2, relative luminance)."""
    channels = (int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5))
    return [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]


def contrast(one, other):
    """The contrast ratio of two colours, from 1 to 21 (WCAG 2.2)."""
    dark, light = sorted(
        sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear(k), strict=True)) for k in (one, other)
    )
    return (light + 0.05) / (dark + 0.05)


def lab_colour(light):
    """CIE L*a*b* of linear RGB, white D65."""
    to_xyz = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
    white = (0.9505, 1.0, 1.089)
    xyz = [sum(a * b for a, b in zip(row, light, strict=True)) for row in to_xyz]
    x, y, z = (math.copysign(abs(v / w) ** (1 / 3), v) for v, w in zip(xyz, white, strict=True))
    return (116 * y - 16, 500 * (x - y), 200 * (y - z))


def seen(colour, matrix):
    light = linear(colour)
    return lab_colour([min(max(sum(a * b for a, b in zip(row, light, strict=True)), 0), 1) for row in matrix])


def test_contrast_is_computed_as_the_guidelines_do():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("colour", [style.INK, style.GREY])
def test_text_stands_out_from_white(colour):
    assert contrast(colour, "#ffffff") >= 4.5


@pytest.mark.parametrize("colour", style.PALETTE)
def test_a_bar_stands_out_from_white_by_its_outline_and_its_hatch_from_the_bar(colour):
    assert contrast(style.INK, "#ffffff") >= 3
    assert contrast(style.INK, colour) >= 3


@pytest.mark.parametrize("colour", [style.BLUE, style.VERMILION, style.GREEN])
def test_lines_stand_out_from_white_without_an_outline(colour):
    assert contrast(colour, "#ffffff") >= 3


@pytest.mark.parametrize("kind", COLOUR_BLIND)
def test_the_colour_blind_tell_neighbours_apart(kind):
    for one, other in itertools.pairwise(style.PALETTE):
        assert math.dist(seen(one, COLOUR_BLIND[kind]), seen(other, COLOUR_BLIND[kind])) > 15, (one, other)


def test_every_colour_has_a_hatch_of_its_own():
    assert len(set(style.HATCHES)) == len(style.HATCHES) >= len(style.PALETTE)
