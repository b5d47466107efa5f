"""Who may do what, as a table and as a picture: the same answers, with what decided them."""

import matplotlib as mpl
import pandas as pd
import pytest

from ecrlab.analysis.plots import access_matrix

mpl.use("agg")

ARN = "arn:aws:iam::222233334444:role/deploy"
SILENT = "because no resource-based policy allows the ecr:PutImage action"
COLUMNS = ["principal", "action", "allowed", "policy", "statement", "reason"]
ANSWERS = pd.DataFrame(
    [
        (ARN, "ecr:PutImage", False, "", "", SILENT),
        (ARN, "ecr:BatchGetImage", True, "repository policy", "Staging", ""),
        ("lambda.amazonaws.com", "ecr:PutImage", False, "repository policy", "Stop", "with an explicit deny in …"),
        ("lambda.amazonaws.com", "ecr:BatchGetImage", True, "repository policy", "statement 2", ""),
    ],
    columns=COLUMNS,
)


def test_the_table_has_a_row_for_each_principal_and_a_column_for_each_action_in_their_order():
    table = access_matrix.table(ANSWERS)

    assert list(table.index) == ["222233334444 role/deploy", "lambda.amazonaws.com"]
    assert list(table.columns) == ["ecr:PutImage", "ecr:BatchGetImage"]
    assert table.to_numpy().tolist() == [
        ["✕ no resource-based policy allows it", "✓ repository policy: Staging"],
        ["✕ repository policy: Stop", "✓ repository policy: statement 2"],
    ]


def test_the_picture_says_with_a_sign_and_in_words_what_the_table_says():
    shown = access_matrix.picture(ANSWERS, "Who may")
    [axes] = shown.axes

    texts = [text.get_text().replace("\n", " ") for text in axes.texts]
    drawn = {f"{sign} {because}" for sign, because in zip(texts[::2], texts[1::2], strict=True)}
    assert drawn == set(access_matrix.table(ANSWERS).to_numpy().ravel())
    assert axes.get_title(loc="left") == "Who may"
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "222233334444\nrole/deploy",
        "lambda.amazonaws.com",
    ]
    assert len({bar.get_facecolor() for bar in axes.patches}) == 2
    assert "222233334444 role/deploy may not ecr:PutImage: no resource-based policy allows it;" in shown.get_label()


def test_without_answers_there_is_nothing_to_draw():
    with pytest.raises(ValueError, match="nothing to draw"):
        access_matrix.picture(ANSWERS.head(0))
