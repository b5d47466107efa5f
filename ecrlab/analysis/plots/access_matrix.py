"""Who may do what to a repository, as a picture: a row for each principal, a column for each action.

access_matrix.picture(lab.who_can("my-app", "ecr:BatchGetImage", "ecr:PutImage"))

A cell has a sign besides its colour, and below it what decided: a statement, or the silence of a side.
"""

import re
from typing import TYPE_CHECKING, Any

from ecrlab.analysis.plots import style

if TYPE_CHECKING:
    import pandas as pd

MAY, MAY_NOT = ("#cfe8f7", "✓"), ("#fbd9c6", "✕")
"""Colour and sign; the colours are pale blue and pale vermilion, which colour-blind people tell apart."""


def table(answers: "pd.DataFrame") -> "pd.DataFrame":
    """One row for each principal, one column for each action, in the order of `answers` (see `Lab.who_can`)."""
    said = answers.assign(
        principal=answers["principal"].map(_named),
        answer=[f"{_look(row)[1]} {_because(row)}" for row in answers.itertuples()],
    )
    wide = said.pivot(index="principal", columns="action", values="answer")
    return wide.loc[list(dict.fromkeys(said["principal"])), list(dict.fromkeys(said["action"]))]


def picture(answers: "pd.DataFrame", title: str = "Who may do what") -> Any:
    """Draw the table: who may (✓) and may not (✕), and what decided. Raises `ValueError` if there are no answers."""
    if answers.empty:
        raise ValueError('there is nothing to draw; ask lab.who_can("my-app", "ecr:BatchGetImage")')
    principals = list(dict.fromkeys(answers["principal"]))
    actions = list(dict.fromkeys(answers["action"]))
    width, height = 3.4 + 2.4 * len(actions), 1.2 + 0.62 * len(principals)
    with style.figure(title, width=width, height=height) as (shown, axes):
        for row in answers.itertuples():
            x, y = actions.index(row.action), principals.index(row.principal)
            colour, sign = _look(row)
            axes.barh(y, 0.96, left=x + 0.02, height=0.9, color=colour, **style.OUTLINE)
            axes.text(x + 0.1, y, sign, ha="center", va="center", fontsize=14)
            axes.text(x + 0.2, y, style.wrapped(_because(row), 22), va="center", fontsize=10.5)
        axes.set_xticks(
            [k + 0.5 for k in range(len(actions))], [one.removeprefix("ecr:") for one in actions], fontsize=11
        )
        axes.set_yticks(range(len(principals)), [_named(one).replace(" ", "\n") for one in principals], fontsize=10.5)
        axes.set_xlim(0, len(actions))
        axes.set_ylim(len(principals) - 0.5, -0.5)
        axes.set_xlabel("ECR action")
        axes.set_ylabel("principal")
        axes.tick_params(length=0)
        return style.describe(shown, _in_words(answers))


def _look(row: Any) -> tuple[str, str]:
    return MAY if row.allowed else MAY_NOT


def _because(row: Any) -> str:
    """Return what decided: policy and statement, or the end of the denial without the action, which the column says."""
    if row.policy:
        return f"{row.policy}: {row.statement}"
    return re.sub(r" allows the \S+ action$", " allows it", str(row.reason)).removeprefix("because ")


def _named(principal: str) -> str:
    """Return an ARN as account, kind and name; a service as it is.

    >>> _named("arn:aws:iam::222233334444:role/deploy")
    '222233334444 role/deploy'
    """
    parts = principal.split(":")
    return f"{parts[4]} {parts[5]}" if len(parts) > 5 else principal


def _in_words(answers: "pd.DataFrame") -> str:
    sentences = [
        f"{_named(row.principal)} {'may' if row.allowed else 'may not'} {row.action}: {_because(row)}"
        for row in answers.itertuples()
    ]
    return "; ".join(sentences) + "."
