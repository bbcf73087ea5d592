"""ROC curves and reliability diagrams as SVG, readable on light and on dark ground."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib

from ml.evaluate import metrics

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

GREY = "#7a8290"
"""For text, ticks and frames: at least 3.5:1 against white and against near-black."""

COLOURS = ("#2f7fd6", "#d9730d", "#1a9a6c", "#a35bd0", "#c0504d", "#8a8f2a", "#5c7f9c")


def draw_roc(path: Path, curves: Mapping[str, tuple[NDArray[np.int_], NDArray[np.float64]]], title: str) -> None:
    """Write ROC curves: by name, labels (1 = manipulated) and scores."""
    figure, axes = _figure(title, "real faces called manipulated", "manipulated faces found")
    for number, (name, (labels, scores)) in enumerate(curves.items()):
        false_rate, true_rate = metrics.roc(labels, scores)
        area = metrics.auc(labels, scores)
        axes.plot(false_rate, true_rate, color=COLOURS[number % len(COLOURS)], lw=1.8, label=f"{name}, AUC {area:.3f}")
    axes.plot([0, 1], [0, 1], color=GREY, lw=1, ls=":")
    _finish(figure, axes, path)


def draw_reliability(
    path: Path, curves: Mapping[str, tuple[NDArray[np.int_], NDArray[np.float64]]], title: str
) -> None:
    """Write a reliability diagram: by name, labels (1 = manipulated) and probabilities."""
    figure, axes = _figure(title, "probability of manipulation given", "share of manipulated faces")
    for number, (name, (labels, probabilities)) in enumerate(curves.items()):
        table = metrics.reliability(labels, probabilities)
        error = metrics.expected_calibration_error(labels, probabilities)
        colour = COLOURS[number % len(COLOURS)]
        across, up = [row[0] for row in table], [row[1] for row in table]
        axes.plot(across, up, "o-", color=colour, ms=4, label=f"{name}, ECE {error:.3f}")
    axes.plot([0, 1], [0, 1], color=GREY, lw=1, ls=":")
    _finish(figure, axes, path)


def _figure(title: str, across: str, up: str) -> tuple[Any, Any]:
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.6, 5.8))
    FigureCanvasSVG(figure)
    axes = figure.add_subplot()
    figure.patch.set_alpha(0.0)
    axes.patch.set_alpha(0.0)
    axes.set_title(title, color=GREY, fontsize=11)
    axes.set_xlabel(across, color=GREY)
    axes.set_ylabel(up, color=GREY)
    axes.tick_params(colors=GREY)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.grid(color=GREY, alpha=0.25, lw=0.6)
    for spine in axes.spines.values():
        spine.set_color(GREY)
    return figure, axes


def _finish(figure: Any, axes: Any, path: Path) -> None:
    # Below the axes: with the authors' networks there are curves in every corner of them.
    style = {"frameon": False, "labelcolor": GREY, "fontsize": 9, "ncols": 2}
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), **style)
    figure.tight_layout()
    # The same figures give the same file: no date, no random ids; text stays text.
    with matplotlib.rc_context({"svg.hashsalt": "unmask", "svg.fonttype": "none"}):
        unmarked = {"Date": None, "Creator": None}
        figure.savefig(path, format="svg", bbox_inches="tight", transparent=True, metadata=unmarked)
