"""What a policy saves, as pictures: rule by rule down to what is left, and family by family before and after."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ecrlab.analysis.costs.archive import cost
from ecrlab.analysis.costs.bounds import Bounds, format_money, format_size
from ecrlab.analysis.costs.prices import Prices
from ecrlab.analysis.costs.savings import PolicyEffect, Saving, by_family
from ecrlab.analysis.costs.storage import stored
from ecrlab.analysis.inventory import families
from ecrlab.analysis.inventory.units import format_bytes
from ecrlab.analysis.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BEFORE, AFTER = (style.BLUE, ""), (style.ORANGE, "///")
FREED = (style.ORANGE, "///")
MOST_RULES = 12
"""How many rules have a bar; the rest, those that free least, have one together."""


def picture(effect: PolicyEffect, prices: Prices | None = None) -> Any:
    """A waterfall: what is stored now, what each rule frees of it, and what is left; with what it costs in a month."""
    before, after = stored(effect.before), stored(effect.after)
    steps = _steps(effect.savings)
    title = f"{effect.before.name}: the policy leaves {format_size(after)} of {format_size(before)}"
    if prices is not None:
        costs = (format_money(cost(snapshot, prices), prices.currency) for snapshot in (effect.before, effect.after))
        title += " ({1} instead of {0} a month)".format(*costs)
    rows = ["stored now", *(words for words, _, _ in steps), "left"]
    with style.figure(title, width=11, height=1.7 + 0.58 * len(rows)) as (shown, axes):
        style.headed(shown, title)
        left = before.least
        _bar(axes, 0, 0, left, style.BLUE, "", format_size(before))
        for place, (_, known, said) in enumerate(steps, 1):
            _bar(axes, place, left - known, known, *FREED, said)
            axes.plot([left, left], [place - 0.7, place + 0.3], color=style.GREY, lw=0.8)
            left -= known
        axes.plot([left, left], [len(steps) + 0.3, len(steps) + 0.7], color=style.GREY, lw=0.8)
        _bar(axes, len(rows) - 1, 0, left, style.BLUE, "", format_size(after))
        axes.set_yticks(range(len(rows)), [style.wrapped(row, 38) for row in rows], fontsize=10)
        axes.invert_yaxis()
        longest = max(len(said) for _, _, said in steps)
        axes.set_xlim(0, max(before.least, 1) * (1.05 + 0.0125 * longest))
        style.bytes_axis(axes.xaxis)
        axes.set_xlabel("stored (compressed layers, each once)")
        axes.set_ylabel("rule, in the order they apply")
        told = "; ".join(f"{words}: {said}" for words, _, said in steps)
        return style.describe(shown, f"Waterfall. {title}. {told}.")


def families_picture(effect: PolicyEffect) -> Any:
    """Two bars for each family of tags, before and after the policy: on the left images, on the right bytes."""
    import matplotlib.pyplot as plt

    numbers = by_family(effect)
    gone, there = len(effect.deleted), len(effect.before)
    title = f"{effect.before.name}: before and after the policy, which deletes {gone:,} of {there:,} images"
    with plt.rc_context(style.STYLE):
        shown, both = plt.subplots(1, 2, figsize=(12, 2.2 + 0.62 * len(numbers)), sharey=True)
        style.headed(shown, title, 96)
        for axes, what in zip(both, ("images", "bytes"), strict=True):
            for shift, word, (colour, hatch) in ((-0.2, "before", BEFORE), (0.2, "after", AFTER)):
                lengths = [int(number) for number in numbers[f"{what} {word}"]]
                places = [place + shift for place in range(len(lengths))]
                bars = axes.barh(places, lengths, 0.38, color=colour, hatch=hatch, label=word, **style.OUTLINE)
                said = [f"{n:,}" if what == "images" else format_bytes(n) for n in lengths]
                if what == "images":
                    # Layers are shared, not images.
                    said[-1] = ""
                axes.bar_label(bars, said, padding=3, fontsize=9)
            axes.set_xlim(0, max(1, *numbers[f"{what} before"], *numbers[f"{what} after"]) * 1.2)
        both[0].set_yticks(range(len(numbers)), [style.cut(name, families.LONGEST) for name in numbers.index])
        both[0].invert_yaxis()
        style.whole_numbers(both[0].xaxis)
        style.bytes_axis(both[1].xaxis)
        both[0].set_xlabel("images, with parts of indexes and what is about them")
        both[1].set_xlabel("stored, in layers of this family alone")
        both[0].set_ylabel("family of tags")
        handles, labels = both[0].get_legend_handles_labels()
        shown.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False)
        columns = zip(numbers.index, numbers["images before"], numbers["images after"], strict=True)
        told = ", ".join(f"{name} {before:,} to {after:,}" for name, before, after in columns)
        return style.describe(shown, f"Bar chart by family of tags. {title}. Images: {told}.")


def _steps(savings: Sequence[Saving]) -> list[tuple[str, int, str]]:
    """What each rule says, the known bytes that it frees, and that in words; the least of many are one."""
    chosen = list(savings)
    rest: list[Saving] = []
    if len(chosen) > MOST_RULES:
        largest = sorted(chosen, key=lambda saving: (-saving.known, -saving.deleted))[: MOST_RULES - 1]
        chosen, rest = [one for one in savings if one in largest], [one for one in savings if one not in largest]
    steps = [(f"{saving.rule.rule_priority}. {saving.rule.in_words}", saving.known, _said(saving)) for saving in chosen]
    if rest:
        known, deleted = sum(one.known for one in rest), sum(one.deleted for one in rest)
        steps.append((f"{len(rest)} other rules", known, f"−{format_bytes(known)}, {deleted:,} images"))
    return steps


def _said(saving: Saving) -> str:
    if saving.archived:
        return f"{saving.archived:,} to the archive, with {format_size(saving.moved)}"
    if not saving.deleted:
        return "nothing"
    freed = saving.freed if saving.freed.is_exact else Bounds(saving.freed.least, saving.freed.most)
    return f"−{format_size(freed)}, {saving.deleted:,} image{'s' * (saving.deleted != 1)}"


def _bar(axes: "Axes", y: int, start: float, length: float, colour: str, hatch: str, said: str) -> None:
    axes.barh(y, length, left=start, height=0.6, color=colour, hatch=hatch, **style.OUTLINE)
    axes.annotate(said, (start + length, y), xytext=(5, 0), textcoords="offset points", va="center", fontsize=10)
