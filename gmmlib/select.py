"""Which family of covariances, and how many components: every pair is fitted, and compared.

The criteria have scikit-learn's sign: smaller is better. mclust's BIC and ICL are the negatives.
"""

import hashlib
import json
import time
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from joblib import Parallel, delayed
from tqdm import tqdm

from gmmlib.engine.blocks import as_sample_weight
from gmmlib.estimators import GaussianMixture
from gmmlib.mixture import DiagonalMixture, Mixture
from gmmlib.models import MCLUST_TYPES, ON_THE_LINE, family_of
from gmmlib.validation import FloatArray, as_data, as_n_components, counted

Criterion = Literal["bic", "aic", "icl"]
CRITERIA = ("bic", "aic", "icl")
_NUMBERS = ("log_likelihood", "n_parameters", *CRITERIA, "seconds")


@dataclass(frozen=True, eq=False)
class Cell:
    """One family with one number of components.

    Attributes
    ----------
    covariance_type : str
    n_components : int
    log_likelihood : float
        NaN, as the criteria, if there is no fit.
    n_parameters : int
        Free numbers: weights, means and covariances.
    bic, aic, icl : float
        Smaller is better. ICL is BIC - 2 Σ_i log max_j β_ij (Biernacki, Celeux and Govaert 2000,
        with labels decided, as in mclust).
    seconds : float
        What the fit took.
    note : str
        Why there is no fit, or what the fit warned of; empty where it is sound.
    mixture : Mixture or None
    """

    covariance_type: str
    n_components: int
    log_likelihood: float
    n_parameters: int
    bic: float
    aic: float
    icl: float
    seconds: float
    note: str
    mixture: Mixture | None


@dataclass(frozen=True, eq=False)
class Selection:
    """What :func:`select` returns: a cell for each family and each number of components.

    ``print`` shows the table of BIC. ``pandas.DataFrame(selection.columns())`` is a data frame.

    Attributes
    ----------
    cells : tuple of Cell
        Family by family.
    covariance_types : tuple of str
    n_components : tuple of int
    n : float
        The number of observations, or the sum of their weights.
    """

    cells: tuple[Cell, ...]
    covariance_types: tuple[str, ...]
    n_components: tuple[int, ...]
    n: float

    def __getitem__(self, key: tuple[str, int]) -> Cell:
        """The cell of (family, K). Raises ``KeyError`` where there is none."""
        for cell in self.cells:
            if (cell.covariance_type, cell.n_components) == key:
                return cell
        raise KeyError(
            f"there is no {key!r}. Ask for a family of {', '.join(self.covariance_types)} and one "
            f"of {', '.join(map(str, self.n_components))} components."
        )

    def values(self, criterion: Criterion = "bic") -> FloatArray:
        """The criterion of all cells, (families, numbers of components); NaN without a fit."""
        _require_criterion(criterion)
        flat = [getattr(cell, criterion) for cell in self.cells]
        return np.reshape(flat, (len(self.covariance_types), len(self.n_components)))

    def ranked(self, criterion: Criterion = "bic") -> list[Cell]:
        """The cells without a note, the best first; of equal ones those with fewer parameters."""
        _require_criterion(criterion)
        sound = [cell for cell in self.cells if not cell.note]
        return sorted(sound, key=lambda cell: (getattr(cell, criterion), cell.n_parameters))

    def best(self, criterion: Criterion = "bic") -> Cell:
        """The first of :meth:`ranked`. Raises ``ValueError`` if every cell has a note."""
        ranked = self.ranked(criterion)
        if not ranked:
            raise ValueError(
                f"no fit is without a note, and the first says: {self.cells[0].note} "
                f"Ask for fewer components or simpler families."
            )
        return ranked[0]

    def estimator(self, criterion: Criterion = "bic", **options: Any) -> GaussianMixture:
        """The best as an estimator, ready to predict. Raises as :meth:`best`.

        ``options`` are further parameters of :class:`gmmlib.GaussianMixture`.
        """
        cell = self.best(criterion)
        assert cell.mixture is not None
        kind: Any = cell.covariance_type
        return GaussianMixture.from_mixture(cell.mixture, kind, **options)

    def columns(self) -> dict[str, list[Any]]:
        """Name -> values of all cells, without the mixtures."""
        names = ("covariance_type", "n_components", *_NUMBERS, "note")
        return {name: [getattr(cell, name) for cell in self.cells] for name in names}

    def table(self, criterion: Criterion = "bic") -> str:
        """The criterion as text: a row for each K, a column for each family.

        ``*`` marks the best, ``!`` a cell with a note, ``-`` one without a fit.
        """
        best = {id(cell) for cell in self.ranked(criterion)[:1]}
        rows = [["K", *self.covariance_types]]
        for K in self.n_components:
            row = [str(K)]
            for kind in self.covariance_types:
                cell = self[kind, K]
                value = getattr(cell, criterion)
                mark = "*" if id(cell) in best else "!" if cell.note else ""
                row.append("-" if np.isnan(value) else f"{mark}{value:.2f}")
            rows.append(row)
        widths = [max(len(row[c]) for row in rows) for c in range(len(rows[0]))]
        return "\n".join(
            "  ".join(f"{text:>{width}}" for text, width in zip(row, widths, strict=True))
            for row in rows
        )

    def __str__(self) -> str:
        lines = [f"BIC of {self.n:g} observations; smaller is better", self.table()]
        ranked = self.ranked()[:1]
        lines += [f"best: {c.covariance_type}, K = {c.n_components}" for c in ranked]
        noted = sum(bool(cell.note) for cell in self.cells)
        if noted:
            lines.append(f"{counted(noted, 'cell has', 'cells have')} a note and cannot be best")
        return "\n".join(lines)


def select(
    X: Any,
    n_components: Iterable[int] = range(1, 10),
    covariance_types: Iterable[str] | None = None,
    *,
    sample_weight: Any = None,
    random_state: int | None = 0,
    n_jobs: int | None = None,
    verbose: int = 0,
    file: str | Path | None = None,
    **options: Any,
) -> Selection:
    """Fit each family with each number of components, and compare.

    Parameters
    ----------
    X : (n, d)
    n_components : numbers
    covariance_types : names, or None
        None takes mclust's fourteen, and E and V for data with one column.
    sample_weight : (n,) or None
        As in :meth:`gmmlib.GaussianMixture.fit`.
    random_state : int or None
        Of every fit: a cell is what the estimator finds by itself with this ``random_state``.
    n_jobs : int or None
        How many processes, as in joblib: None is one, -1 all.
    verbose : int
        Above 0, show a progress bar.
    file : path or None
        Cells are written to it as they are ready, a line of JSON each, and those that it has
        already are not fitted again: a run that was stopped goes on. It belongs to one X and one
        set of options.
    options
        Further parameters of :class:`gmmlib.GaussianMixture`, such as ``n_init``.

    Returns
    -------
    Selection
        A fit that warned, or failed because a component collapsed or the data do not allow it, is a
        cell with a ``note``, and is never the best.

    Raises
    ------
    TypeError, ValueError
        For bad data or options, names that there are not, or a file of other data or options.

    >>> from gmmlib import datasets
    >>> selection = select(datasets.acidity(), [1, 2, 3], ["E", "V"])
    >>> print(selection)
    BIC of 155 observations; smaller is better
    K        E       V
    1   461.66  461.66
    2  *392.07  394.51
    3   396.62  397.86
    best: E, K = 2
    """
    data = as_data(X)
    n, d = data.shape
    counts = tuple(dict.fromkeys(as_n_components(K, n) for K in n_components))
    kinds: tuple[str, ...] = ON_THE_LINE if d == 1 else MCLUST_TYPES
    if covariance_types is not None:
        kinds = tuple(dict.fromkeys(covariance_types))
    if not counts or not kinds:
        raise ValueError(
            f"n_components is {list(counts)} and covariance_types {list(kinds)}. "
            f"Name at least one of each."
        )
    for kind in kinds:
        if family_of(kind).one_column and d > 1:
            raise ValueError(
                f"covariance_types has {kind!r}, which is for data with one column, and X has "
                f"{d}. Choose of {', '.join(map(repr, MCLUST_TYPES))}."
            )
    w = None if sample_weight is None else as_sample_weight(sample_weight, n)
    _estimator(kinds[0], max(counts), None, options)._check_options()
    asked = [(kind, K) for kind in kinds for K in counts]
    log = None if file is None else _Log(Path(file), data, w, random_state, options)
    cells = {} if log is None else log.read()
    missing = [key for key in asked if key not in cells]
    calls = (delayed(_fitted)(data, w, kind, K, random_state, options) for kind, K in missing)
    found: Iterator[Cell] = Parallel(n_jobs, return_as="generator_unordered")(calls)
    with tqdm(
        total=len(asked), initial=len(asked) - len(missing), unit="fit", disable=not verbose
    ) as bar:
        for cell in found:
            cells[cell.covariance_type, cell.n_components] = cell
            if log is not None:
                log.add(cell)
            bar.update()
    total = float(n if w is None else w.sum())
    return Selection(tuple(cells[key] for key in asked), kinds, counts, total)


def _fitted(
    X: FloatArray,
    w: FloatArray | None,
    kind: str,
    K: int,
    random_state: int | None,
    options: dict[str, Any],
) -> Cell:
    family, d = family_of(kind), X.shape[1]
    n_parameters = K - 1 + K * d + family.n_parameters(K, d)
    n = float(len(X) if w is None else w.sum())
    model = _estimator(kind, K, random_state, options)
    begin = time.perf_counter()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            model.fit(X, sample_weight=w)
        except ValueError as error:  # CollapseError too; the options were checked before
            return _without_fit(kind, K, n_parameters, time.perf_counter() - begin, str(error))
    seconds = time.perf_counter() - begin
    note = " ".join(dict.fromkeys(str(warning.message) for warning in caught))
    log_likelihood = float(model.log_likelihoods_[-1])
    log_joint = model.mixture_.log_joint(X)
    decided = log_joint.max(axis=1) - np.logaddexp.reduce(log_joint, axis=1)
    bic = -2 * log_likelihood + n_parameters * float(np.log(n))
    aic = -2 * log_likelihood + 2 * n_parameters
    icl = bic - 2 * float(decided.sum() if w is None else w @ decided)
    return Cell(kind, K, log_likelihood, n_parameters, bic, aic, icl, seconds, note, model.mixture_)


def _estimator(
    kind: Any, K: int, random_state: int | None, options: dict[str, Any]
) -> GaussianMixture:
    return GaussianMixture(K, covariance_type=kind, random_state=random_state, **options)


def _without_fit(kind: str, K: int, n_parameters: int, seconds: float, note: str) -> Cell:
    nan = float("nan")
    return Cell(kind, K, nan, n_parameters, nan, nan, nan, seconds, note, None)


class _Log:
    """Cells in a file: first a line that says what they are of, then one for each."""

    def __init__(
        self,
        path: Path,
        X: FloatArray,
        w: FloatArray | None,
        random_state: int | None,
        options: dict[str, Any],
    ) -> None:
        self.path = path
        digest = hashlib.sha256(np.ascontiguousarray(X).tobytes())
        if w is not None:
            digest.update(w.tobytes())
        self.of = {
            "data": digest.hexdigest(),
            "shape": list(X.shape),
            "random_state": random_state,
            "options": {name: repr(value) for name, value in sorted(options.items())},
        }

    def read(self) -> dict[tuple[str, int], Cell]:
        """Those that are there already; a last line that was not written to its end is left out."""
        if not self.path.exists() or not self.path.stat().st_size:
            self.path.write_text(json.dumps(self.of) + "\n", encoding="utf-8")
            return {}
        text = self.path.read_text(encoding="utf-8")
        whole, _, rest = text.rpartition("\n")
        lines = whole.split("\n")
        try:
            head, *rows = [json.loads(line) for line in lines]
            cells = [_cell(row) for row in rows]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"file={str(self.path)!r} is not one that select has written ({error}). "
                f"Name another, or remove it."
            ) from None
        for name, value in self.of.items():
            if not isinstance(head, dict) or head.get(name) != value:
                there = head.get(name) if isinstance(head, dict) else head
                raise ValueError(
                    f"file={str(self.path)!r} is of another selection: its {name} is {there}, "
                    f"and here {value}. Name another file, or remove it."
                )
        if rest:
            self.path.write_text(whole + "\n", encoding="utf-8")
        return {(cell.covariance_type, cell.n_components): cell for cell in cells}

    def add(self, cell: Cell) -> None:
        row: dict[str, Any] = {
            "covariance_type": cell.covariance_type,
            "n_components": cell.n_components,
            "note": cell.note,
            **{name: getattr(cell, name) for name in _NUMBERS},
        }
        if cell.mixture is not None:
            m, family = cell.mixture, family_of(cell.covariance_type)
            kept = m.variances_by_column if family.diagonal else m.covariances
            row["weights"], row["means"] = m.weights.tolist(), m.means.tolist()
            row["covariances"] = family.stored(kept).tolist()
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")


def _cell(row: dict[str, Any]) -> Cell:
    kind, K = row["covariance_type"], row["n_components"]
    numbers = {name: row[name] for name in _NUMBERS}
    if "weights" not in row:
        return Cell(kind, K, **numbers, note=row["note"], mixture=None)
    family, means = family_of(kind), np.array(row["means"])
    kept = family.kept(np.array(row["covariances"]), *means.shape)
    mixture: Mixture
    if family.shared:
        mixture = Mixture.tied(row["weights"], means, kept[0])
    else:
        mixture = (DiagonalMixture if family.diagonal else Mixture)(row["weights"], means, kept)
    return Cell(kind, K, **numbers, note=row["note"], mixture=mixture)


def _require_criterion(criterion: str) -> None:
    if criterion not in CRITERIA:
        raise ValueError(
            f"criterion is {criterion!r}. Choose one of {', '.join(map(repr, CRITERIA))}."
        )
