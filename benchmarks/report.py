"""results.json, results.md and the figures.

``python benchmarks/report.py`` draws the pages anew from the results.json that is there.
"""

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib

HERE = Path(__file__).parent
STYLE = HERE.parent / "chapters" / "matplotlibrc"
LOOKS = {  # colour, marker and dashes of each program, in the palette of the book
    "gmmlib": ("#D55E00", "o", "-"),
    "gmmlib_numpy": ("#E69F00", "s", "--"),
    "scikit_learn": ("#0072B2", "^", "-"),
    "scikit_learn_1": ("#56B4E9", "v", "--"),
    "pomegranate": ("#CC79A7", "D", "-."),
    "gmmx": ("#009E73", "P", ":"),
    "mlpack": ("#777777", "X", "-."),
    "armadillo": ("#222222", "*", "--"),
}


def write(results: dict[str, Any], folder: Path) -> None:
    """Everything into one folder."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(_rounded(results), indent=1, ensure_ascii=False) + "\n"
    (folder / "results.json").write_text(text, encoding="utf-8")
    (folder / "results.md").write_text(_page(results), encoding="utf-8")
    matplotlib.use("agg")
    matplotlib.rc_file(str(STYLE))
    if "table" in results:
        _draw_table(results, folder / "table.png")
    if "growth" in results:
        _draw_growth(results, folder / "growth.png")
        _draw_share(results, folder / "share.png")


def _rounded(value: Any) -> Any:
    """Six digits for what was measured; a log-likelihood keeps twelve."""
    if isinstance(value, dict):
        return {key: _rounded(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_rounded(entry) for entry in value]
    if isinstance(value, float):
        return float(f"{value:.12g}") if abs(value) > 100 else float(f"{value:.6g}")
    return value


# --- the page -------------------------------------------------------------------------------------


def _page(results: dict[str, Any]) -> str:
    here, peers = results["machine"], results["peers"]
    lines = [
        "# Benchmarks",
        "",
        f"Written by `make bench` on {results['made']}, in {here.get('took_seconds', 0)} s: do not "
        "edit. What was measured and how is told at the top of `bench.py`.",
        "",
        f"{here['processor']}, {here['cores']} cores, {here['system']}, Python {here['python']}. "
        f"NumPy's DGEMM reaches {here['dgemm_gflops']:.0f} · 10⁹ operations a second on all "
        f"threads and {here['dgemm_gflops_one_thread']:.0f} on one; its exponential, "
        f"{here['gexp_per_second']:.2g} · 10⁹ a second. Busy processes before and after: "
        f"{' and '.join(map(str, here['load']))}.",
        "",
    ]
    if here["unset"]:
        names = ", ".join(f"{name}={value}" for name, value in here["unset"].items())
        lines += [
            f"The environment had {names}, which users do not have; for these numbers it was "
            "unset.",
        ]
        if here["with_them"]:
            bound = here["with_them"]
            lines += [
                f"With it, DGEMM reaches {bound['dgemm_gflops']:.0f} · 10⁹ a second, and ten "
                "iterations on 50,000 × 16 with K = 16 take "
                f"{_time(bound.get('scikit_learn'))} (scikit-learn) and "
                f"{_time(bound.get('gmmlib'))} (gmmlib).",
            ]
        lines += [""]
    lines += ["| program | version | precision |", "|---|---|---|"]
    for about in peers.values():
        version = about.get("version") or f"*not run: {about['missing']}*"
        lines += [f"| {about['label']} | {version} | {about['precision']} |"]
    lines += ["", *_table(results), *_densities(results), *_growth(results)]
    lines += [*_fits(results), *_small(results), *_memory(results)]
    return "\n".join(lines).rstrip() + "\n"


def _grid(header: list[str], rows: list[list[str]]) -> list[str]:
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows] + [""]


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    if seconds < 1:
        return f"{seconds * 1e3:.3g} ms"
    return f"{seconds:.3g} s"


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"


def _size(row: dict[str, Any]) -> str:
    kind = row.get("covariance_type", "full")
    return f"{row['n']:,} × {row['d']}, K = {row['K']}" + (f", {kind}" if kind != "full" else "")


def _table(results: dict[str, Any]) -> list[str]:
    if not results.get("table"):
        return []
    labels = {key: about["label"] for key, about in results["peers"].items()}
    names = list(results["table"][0]["seconds"])
    kinds = {row.get("covariance_type", "full") for row in results["table"]}
    others = ", where nothing else is said" if len(kinds) > 1 else ""
    lines = [
        "## Ten EM iterations from the same start",
        "",
        f"Full covariances{others}; double precision, except where the list above says otherwise. "
        "All take "
        "turns in one process (Armadillo in a child that times itself), and the least time counts: "
        "11 iterations less 1, so that set-up and compilation are not in it. mlpack cannot be "
        "given a start and takes its own.",
        "",
    ]
    rows = []
    for row in results["table"]:
        cells = [_size(row)]
        for name in names:
            cells.append(_time(row["seconds"].get(name)))
        rows.append(cells)
    lines += _grid(["data", *(labels[name] for name in names)], rows)
    lines += _with_setup(results, names, labels)
    peers = [name for name in names if name != "gmmlib"]
    if "gmmlib" not in names:
        return lines
    lines += [
        "How many times less gmmlib takes, and its share of the DGEMM peak, counting 4 K p n "
    ]
    lines[-1] += "operations an iteration with p = 1 + d + d(d + 1)/2:"
    lines += [""]
    rows = []
    for row in results["table"]:
        cells = [_size(row), *(_ratio(row["ratio"].get(name)) for name in peers)]
        cells.append(labels.get(row["fastest_peer"], "-"))
        cells += [f"{100 * row['share'].get(k, 0):.0f} %" for k in ("gmmlib", "gmmlib_numpy")]
        cells.append(f"{100 * row['exp_share'].get('gmmlib', 0):.0f} %")
        rows.append(cells)
    header = ["data", *(labels[name] for name in peers), "fastest peer", "share of DGEMM"]
    lines += _grid([*header, "the same, NumPy alone", "share of exp"], rows)
    drift = [
        abs(value - row["log_likelihood"]["gmmlib"]) / row["n"]
        for row in results["table"]
        for name, value in row["log_likelihood"].items()
        if value is not None and results["peers"][name]["precision"] == "float64"
    ]
    lines += [
        f"After the eleven iterations all programs in double precision that took this start have "
        f"the same ℓ, to {max(drift):.0e} an observation. The components overlap by "
        f"{100 * results['table'][0]['overlap']:.0f} %: the true mixture gives so many "
        "observations to a wrong component.",
        "",
        "![Time of ten iterations](table.png)",
        "",
    ]
    if "compilation" in results:
        took = results["compilation"]
        lines += [
            f"The first step ever compiles for {took['first_ever']:.1f} s; afterwards the first "
            f"step of a process takes {took['afterwards']:.2f} s, from Numba's cache.",
            "",
        ]
    return lines


def _with_setup(results: dict[str, Any], names: list[str], labels: dict[str, str]) -> list[str]:
    """Whole calls; nothing where they were not measured by the estimator too."""
    key = "gmmlib_fit"
    if not any(key in row["with_setup"] for row in results["table"]):
        return []
    peers = [name for name in names if not name.startswith("gmmlib")]
    rows = []
    for row in results["table"]:
        took = row["with_setup"]
        least = min((took[name] for name in peers if name in took), default=None)
        own = took.get(key)
        cells = [_time(took.get(name)) for name in (key, *names)]
        rows.append([_size(row), *cells, _ratio(least / own if least and own else None)])
    header = ["data", "gmmlib, `GaussianMixture.fit`", *(labels[name] for name in names)]
    return [
        "The whole call of eleven iterations, with reading, checking and measuring the data. "
        "`GaussianMixture.fit` makes the attributes too, as scikit-learn does, and extrapolates; "
        "the last column says how many times less it takes than the fastest peer:",
        "",
        *_grid([*header, "ratio"], rows),
    ]


def _densities(results: dict[str, Any]) -> list[str]:
    if not results.get("densities"):
        return []
    labels = {key: about["label"] for key, about in results["peers"].items()}
    names = list(results["densities"][0]["seconds"])
    lines = [
        "## What a fitted mixture says",
        "",
        "A call of `predict` or `score_samples`, checks included.",
        "",
    ]
    rows = []
    for row in results["densities"]:
        took = row["seconds"]
        least = min(took[name] for name in names if name != "gmmlib")
        cells = [_time(took[name]) for name in names]
        rows.append([_size(row), f"`{row['call']}`", *cells, _ratio(least / took["gmmlib"])])
    header = ["data", "call", *(labels.get(name, name) for name in names), "ratio"]
    return lines + _grid(header, rows)


def _growth(results: dict[str, Any]) -> list[str]:
    if "growth" not in results:
        return []
    return [
        "## As n, d and K grow",
        "",
        "![Time of an iteration](growth.png)",
        "",
        "![Share of the DGEMM peak](share.png)",
        "",
    ]


def _fits(results: dict[str, Any]) -> list[str]:
    labels = {key: about["label"] for key, about in results["peers"].items()}
    lines: list[str] = []
    if results.get("whole_fits"):
        fits = results["whole_fits"]
        names = list(fits[0]["seconds"])
        lines += [
            "## Whole fits to the same log-likelihood",
            "",
            "From the same start until ℓ is within 10⁻⁶ n of the best that anybody finds from "
            "there, set-up included. Plain EM, which all the peers do, takes the iterations "
            "counted here; gmmlib extrapolates and takes fewer passes. A star: single precision "
            "did not get there.",
            "",
        ]
        rows = []
        for row in fits:
            cells = [f"{row['data']}, {_size(row)}", f"{row['best']:.4f}"]
            cells += [str(row["plain_iterations"]), str(row["passes"])]
            for name in names:
                short = row["short"].get(name)
                missed = short is not None and short > 1.01 * row["gap"]
                cells.append(_time(row["seconds"].get(name)) + ("*" if missed else ""))
            rows.append(cells)
        lines += _grid(
            ["data", "best ℓ", "iterations", "passes", *(labels[name] for name in names)], rows
        )
    if "restarts" in results:
        many = results["restarts"]
        lines += ["## Many starts", "", f"Whole fits of {_size(many)}, with each one's defaults."]
        lines += [""]
        rows = []
        for r, starts in enumerate(many["starts"]):
            cells = [str(starts)]
            for name in many["seconds"]:
                cells += [_time(many["seconds"][name][r]), f"{many['log_likelihood'][name][r]:.4f}"]
            cells.append(_time(many["engine_pass"][r]))
            rows.append(cells)
        header = ["starts"]
        for name in many["seconds"]:
            header += [labels[name], "ℓ"]
        lines += _grid([*header, "one pass with so many mixtures"], rows)
    if results.get("real_fits"):
        lines += [
            "## Fits with everybody's defaults",
            "",
            f"Median time over {results['real_fits'][0]['seeds']} seeds, and the lowest and the "
            "highest ℓ among them. mclust starts from a hierarchical clustering and takes no seed.",
            "",
        ]
        names = [n for n in ("gmmlib", "scikit_learn", "mclust") if n in labels]
        rows = []
        for row in results["real_fits"]:
            cells = [f"{row['data']}, K = {row['K']}, {row['covariance_type']}"]
            for name in names:
                if name not in row["seconds"]:
                    cells += ["-", "-"]
                    continue
                low, high = f"{row['lowest'][name]:.3f}", f"{row['highest'][name]:.3f}"
                cells += [_time(row["seconds"][name]), low if low == high else f"{low} to {high}"]
            rows.append(cells)
        header = ["data"]
        for name in names:
            header += [labels[name], "ℓ"]
        lines += _grid(header, rows)
    return lines


def _small(results: dict[str, Any]) -> list[str]:
    if not results.get("small_fits"):
        return []
    small = results["small_fits"]
    names = [n for n in ("scikit_learn", "scikit_learn_1") if n in small["default"][0]["seconds"]]
    lines = [
        "## Small fits",
        "",
        "Default fits, the least time over the seeds: gmmlib's of twenty starts, with moves, and "
        "scikit-learn's of one. In each cell gmmlib's time, and how many times longer "
        "scikit-learn takes, with one BLAS thread or its default, whichever is faster.",
        "",
    ]
    rows: dict[str, list[str]] = {}
    for row in small["default"]:
        key = f"{row['data']}, {row['n']} × {row['d']}, {row['covariance_type']}"
        ours = row["seconds"]["gmmlib"]
        theirs = min(row["seconds"][name] for name in names)
        rows.setdefault(key, [key]).append(f"{_time(ours)}: {theirs / ours:.2g}")
    Ks = sorted({row["K"] for row in small["default"]})
    lines += _grid(["data", *(f"K = {K}" for K in Ks)], list(rows.values()))
    labels = {"engine": "gmmlib's engine alone"} | {
        name: about["label"] for name, about in results["peers"].items()
    }
    lines += ["Ten iterations on Old Faithful with K = 3 from a given start, set-up included:", ""]
    given = small["given_start"]
    return lines + _grid([labels[n] for n in given], [[_time(s) for s in given.values()]])


def _memory(results: dict[str, Any]) -> list[str]:
    if not results.get("memory"):
        return []
    lines = [
        "## Memory",
        "",
        "Whole fits in processes of their own, in 10⁶ bytes. *Imports* is the peak after `import "
        "gmmlib`, *ready* after a fit of 2000 rows, which loads the compiled loops. *Beyond* is "
        "what the fit adds to that: peak less ready, and less the data where they are an array. "
        "Pages of the mapped file count as memory.",
        "",
    ]
    rows = [
        [
            f"{row['n']:,} × {row['d']}, {row['kind']}",
            *(f"{row[key]:.0f}" for key in ("data", "imports", "ready", "peak", "beyond")),
            _time(row["seconds"]),
            str(row["passes"]),
        ]
        for row in results["memory"]
    ]
    header = ["data", "data, MB", "imports", "ready", "peak", "beyond", "time", "passes"]
    return lines + _grid(header, rows)


# --- figures --------------------------------------------------------------------------------------


def _draw_table(results: dict[str, Any], file: Path) -> None:
    import matplotlib.pyplot as plt

    labels = {key: about["label"] for key, about in results["peers"].items()}
    fig, ax = plt.subplots(figsize=(7.2, 4.2))
    rows = [row for row in results["table"] if row.get("covariance_type", "full") == "full"]
    for key in rows[0]["seconds"]:
        color, marker, dashes = LOOKS[key]
        ax.plot(
            range(len(rows)),
            [1e3 * (row["seconds"].get(key) or float("nan")) for row in rows],
            label=labels[key],
            color=color,
            marker=marker,
            linestyle=dashes,
            linewidth=1.4,
        )
    ax.set_yscale("log")
    ax.set_xticks(range(len(rows)), [f"{r['n']:,}\n× {r['d']}\nK = {r['K']}" for r in rows])
    ax.tick_params(axis="x", labelsize="small")
    ax.set_ylabel("milliseconds")
    ax.set_title("Ten EM iterations from the same start")
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    fig.savefig(file)
    plt.close(fig)


def _draw_growth(results: dict[str, Any], file: Path) -> None:
    import matplotlib.pyplot as plt

    labels = {key: about["label"] for key, about in results["peers"].items()}
    fig, axes = plt.subplots(1, 3, figsize=(10.5, 3.8), sharey=True)
    for ax, (letter, grown) in zip(axes, results["growth"].items(), strict=True):
        for key, seconds in grown["seconds"].items():
            color, marker, dashes = LOOKS[key]
            pairs = [(v, s) for v, s in zip(grown["values"], seconds, strict=True) if s is not None]
            ax.plot(
                [v for v, _ in pairs],
                [s * 1e3 for _, s in pairs],
                label=labels[key],
                color=color,
                marker=marker,
                linestyle=dashes,
                linewidth=1.4,
                markersize=5,
            )
        ax.set(xscale="log", yscale="log", xlabel=letter)
        rest = ", ".join(f"{k} = {v:,}" for k, v in grown["fixed"].items())
        ax.set_title(f"{letter} grows; {rest}", fontsize=10)
        if letter != "n":
            ax.set_xscale("log", base=2)
    axes[0].set_ylabel("milliseconds an iteration")
    handles, names = axes[0].get_legend_handles_labels()
    fig.legend(handles, names, loc="outside lower center", ncols=4)
    fig.savefig(file)
    plt.close(fig)


def _draw_share(results: dict[str, Any], file: Path) -> None:
    import matplotlib.pyplot as plt

    labels = {key: about["label"] for key, about in results["peers"].items()}
    grown, peak = results["growth"]["d"], results["machine"]["dgemm_gflops"] * 1e9
    fig, ax = plt.subplots(figsize=(7.2, 3.8))
    for key, seconds in grown["seconds"].items():
        color, marker, dashes = LOOKS[key]
        pairs = [
            (d, 100 * flops / s / peak)
            for d, flops, s in zip(grown["values"], grown["flops"], seconds, strict=True)
            if s is not None
        ]
        ax.plot(
            [d for d, _ in pairs],
            [share for _, share in pairs],
            label=labels[key],
            color=color,
            marker=marker,
            linestyle=dashes,
            linewidth=1.4,
        )
    ax.set_xscale("log", base=2)
    ax.set_ylim(0, None)
    ax.set(xlabel="d", ylabel="% of the DGEMM peak")
    rest = ", ".join(f"{k} = {v:,}" for k, v in grown["fixed"].items())
    ax.set_title(f"Share of the machine's own matrix products; {rest}")
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    fig.savefig(file)
    plt.close(fig)


if __name__ == "__main__":
    where = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "results"
    write(json.loads((where / "results.json").read_text(encoding="utf-8")), where)
