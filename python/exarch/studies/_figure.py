"""Pictures of the study of proxies."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from .. import _core
from .._optional import need

_FLOOR = 1e-3  # percent: where a regret of 0 is drawn on a logarithmic axis


def draw(frame: Any, path: str | os.PathLike[str]) -> None:
    """Draws what `study()` or `speed()` gave as SVG (or whatever the name of the file says). Needs matplotlib.

    Of `study()`: errors of proxies, on the whole space and on their hold-out, and regrets of the design that a proxy picks, by rows. Of
    `speed()`: microseconds per design, by batch.
    """
    matplotlib = need("matplotlib", "--figure")
    matplotlib.use("agg")
    plot = need("matplotlib.pyplot", "--figure", "matplotlib")
    style = {"font.size": 9, "svg.hashsalt": "exarch", "svg.fonttype": "none", "axes.spines.top": False, "axes.spines.right": False}
    with plot.rc_context(style):
        figure = _speeds(plot, frame) if "batch" in frame.columns else _errors(plot, frame)
        figure.savefig(path, metadata={"Date": None} if os.fspath(path).endswith(".svg") else None)
        plot.close(figure)


def _errors(plot: Any, frame: Any) -> Any:
    missing = {"mix", "rows", "learner", "space_rmse_mean_pct", "holdout_rmse_mean_pct", "pick_regret_pct", "log_regret_pct"} - set(frame)
    if missing:
        raise _core.UsageError(f"the table is none of this study: it lacks {', '.join(sorted(missing))}")
    figure, (errors, regrets) = plot.subplots(1, 2, figsize=(8.4, 3.4), sharex=True)
    many = frame["learner"].nunique() > 1
    for number, ((mix, learner), rows) in enumerate(frame.groupby(["mix", "learner"], sort=False)):
        label = f"{mix}, {learner}" if many else mix
        line = {"color": f"C{number}", "linewidth": 1.3, "marker": "o", "markersize": 3}
        errors.plot(rows["rows"], rows["space_rmse_mean_pct"], label=label, **line)
        errors.plot(rows["rows"], rows["holdout_rmse_mean_pct"], **{**line, "linestyle": "--", "linewidth": 0.9})
        regrets.plot(rows["rows"], np.maximum(rows["pick_regret_pct"], _FLOOR), **line)
        regrets.plot(rows["rows"], np.maximum(rows["log_regret_pct"], _FLOOR), **{**line, "linestyle": "--", "linewidth": 0.9})
    errors.set(title="error (solid: whole space, dashed: hold-out)", ylabel="% of the mean")
    regrets.set(title="regret (solid: pick, dashed: log)", ylabel=f"% ({_FLOOR:g}: none)")
    for panel in (errors, regrets):
        panel.set(xscale="log", yscale="log", xlabel="rows trained on")
        panel.grid(True, which="major", linewidth=0.3, alpha=0.6)
    errors.legend(frameon=False)
    figure.tight_layout()
    return figure


def _speeds(plot: Any, frame: Any) -> Any:
    names = {"forest_us": "forest", "boosting_us": "boosting", "engine_us": "engine, fresh", "engine_again_us": "engine, again"}
    figure, panel = plot.subplots(figsize=(5.2, 3.4))
    for column, label in names.items():
        panel.plot(frame["batch"], frame[column], label=label, linewidth=1.3, marker="o", markersize=3)
    panel.set(xscale="log", yscale="log", xlabel="designs in a batch", ylabel="us per design")
    panel.grid(True, which="major", linewidth=0.3, alpha=0.6)
    panel.legend(frameon=False)
    figure.tight_layout()
    return figure
