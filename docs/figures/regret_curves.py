#!/usr/bin/env python3
"""Draws what `exarch study regret --json` printed: the share of searches that have found the optimum, and the median regret, over
evaluations. Needs matplotlib.

    exarch study regret truth.db --agents random,ga,... --seeds 100 --objective latency --json >regret.json
    docs/figures/regret_curves.py regret.json docs/figures/regret_latency.svg --workloads random,cloud-1,cloud-2
"""
import argparse
import json

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot as plt  # noqa: E402

arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
arguments.add_argument("data")
arguments.add_argument("figure")
arguments.add_argument("--workloads", help="which, separated by commas (default: all)")
arguments.add_argument("--agents", help="which, separated by commas (default: all)")
arguments.add_argument("--floor", type=float, default=1e-5, help="what a regret of 0 is drawn at")
given = arguments.parse_args()

with open(given.data, encoding="utf-8") as file:
    entries = json.load(file)
primary = next(iter(entries[0]))  # what workloads are called after: "trace"
workloads = given.workloads.split(",") if given.workloads else list(dict.fromkeys(e[primary] for e in entries))
agents = given.agents.split(",") if given.agents else list(dict.fromkeys(e["agent"] for e in entries))

matplotlib.rcParams.update({"font.size": 9, "svg.hashsalt": "exarch", "svg.fonttype": "none", "axes.spines.top": False,
                            "axes.spines.right": False})
figure, panels = plt.subplots(2, len(workloads), figsize=(3.4 * len(workloads), 5.2), sharex=True, sharey="row", squeeze=False)
for column, workload in enumerate(workloads):
    found_panel, regret_panel = panels[0][column], panels[1][column]
    for number, agent in enumerate(agents):
        entry = next(e for e in entries if e[primary] == workload and e["agent"] == agent)
        x = [p["evaluations"] for p in entry["regret"]]
        style = {"color": f"C{number % 10}", "linestyle": ["-", "--"][number // 10], "label": agent, "linewidth": 1.3}
        share = [100 * i / entry["seeds"] for i in range(len(entry["found_at"]) + 1)]
        found_panel.step([1, *entry["found_at"], x[-1]], [*share, share[-1]], where="post", **style)
        median = [float("nan") if p["median"] is None else p["median"] for p in entry["regret"]]
        regret_panel.plot(x, [100 * max(m, given.floor) for m in median], marker="o", markersize=2.5, **style)
    found_panel.set(title=workload, xscale="log", xlim=(10, x[-1]), ylim=(0, 102))
    regret_panel.set(yscale="log", xlabel="evaluations")
    for panel in (found_panel, regret_panel):
        panel.grid(True, which="major", linewidth=0.3, alpha=0.6)
panels[0][0].set_ylabel("searches at the optimum, %")
panels[1][0].set_ylabel("median relative regret, %")
figure.legend(*panels[0][0].get_legend_handles_labels(), loc="center right", frameon=False)
figure.tight_layout(rect=(0, 0, 1 - 1.25 / (3.4 * len(workloads)), 1))
figure.savefig(given.figure, metadata={"Date": None})
