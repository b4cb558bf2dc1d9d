"""The programs that are compared. Each runs m EM iterations from a given mixture.

A peer that is not installed raises ``Missing`` with the reason; the harness lists it and goes on.
"""

import contextlib
import importlib.metadata
import os
import shutil
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from gmmlib import Mixture
from gmmlib.engine import Blocks, Compiled, Engine, Matrices, Parameters, using
from gmmlib.fitting import converge
from gmmlib.mixture import DiagonalMixture
from gmmlib.models import COVARIANCE_TYPES

HERE = Path(__file__).parent
PAUSE = 0.05  # seconds before each turn: threads of BLAS and OpenMP wait busily for a while
TURN = 0.25  # seconds that a turn takes: fast programs run several times in it
MOST = 8  # runs in a turn
Run = Callable[[int], float]  # m iterations from the start; returns the seconds


class Missing(Exception):
    """A peer is not installed here."""


class Peer:
    """What all have in common.

    Attributes
    ----------
    name, label : str
        The key in results.json; what a reader sees.
    own_start : bool
        It cannot be told where to start, so only the cost of its iterations is comparable.
    precision : str
    covariance_types : tuple of str
        Which of scikit-learn's names it is run with.
    """

    name = label = ""
    own_start = False
    covariance_types: tuple[str, ...] = ("full",)
    precision = "float64"

    def version(self) -> str:
        """Raises :class:`Missing`."""
        raise NotImplementedError

    @contextlib.contextmanager
    def task(
        self, X: NDArray[np.float64], start: Mixture, covariance_type: str = "full"
    ) -> Iterator["Task"]:
        """Data in the form that the peer wants; preparing them is not timed."""
        raise NotImplementedError
        yield


class Task:
    """One peer on one problem."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.found: Mixture | None = None
        self.log_likelihood: float | None = None


def _distribution(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        raise Missing(f"the Python package {name} is not installed") from None


class Ours(Peer):
    """gmmlib's engine: reading, checking and measuring the data is part of every run."""

    name, label = "gmmlib", "gmmlib"
    covariance_types = COVARIANCE_TYPES

    def version(self) -> str:
        if Compiled is None:
            raise Missing("Numba is not installed, so nothing is compiled")
        return f"{_distribution('gmmlib')}, Numba {_distribution('numba')}"

    @contextlib.contextmanager
    def task(
        self, X: NDArray[np.float64], start: Mixture, covariance_type: str = "full"
    ) -> Iterator[Task]:
        def run(iterations: int) -> float:
            with self.road():
                begin = time.perf_counter()
                blocks = Blocks.of(X)
                p = Parameters.of([start], covariance_type, blocks.frame)
                with Engine(blocks, covariance_type) as steps:
                    p = self.iterated(steps, p, iterations)
                seconds = time.perf_counter() - begin
            task.found = p.mixture(0, blocks.frame)
            return seconds

        task = Task(run)
        yield task

    def iterated(self, steps: Engine, p: Parameters, iterations: int) -> Parameters:
        """EM steps, one after another."""
        for _ in range(iterations):
            p, _ = steps.em_step(p)
        return p

    def road(self) -> contextlib.AbstractContextManager[None]:
        """Which loops the engine uses meanwhile."""
        return contextlib.nullcontext()


class OursExtrapolated(Ours):
    """As GaussianMixture runs it: so many passes, extrapolated between them."""

    def iterated(self, steps: Engine, p: Parameters, iterations: int) -> Parameters:
        """See :func:`gmmlib.fitting.converge`."""
        return converge(steps, p, 0.0, iterations).parameters


class OursAsFitted(Ours):
    """GaussianMixture.fit from that start: with all checks and attributes, and extrapolated."""

    name, label = "gmmlib_fit", "gmmlib, `GaussianMixture.fit`"

    @contextlib.contextmanager
    def task(
        self, X: NDArray[np.float64], start: Mixture, covariance_type: str = "full"
    ) -> Iterator[Task]:
        """See :class:`Peer`."""
        from gmmlib import GaussianMixture

        options = _given(start, covariance_type)

        def run(iterations: int) -> float:
            model = GaussianMixture(len(start.weights), tol=0, max_iter=iterations, **options)
            begin = time.perf_counter()
            model.fit(X)
            seconds = time.perf_counter() - begin
            task.found = model.mixture_
            return seconds

        task = Task(run)
        yield task


class OursInNumPy(Ours):
    """The same, as two matrix products and without Numba."""

    name, label = "gmmlib_numpy", "gmmlib, NumPy alone"

    def version(self) -> str:
        return f"{_distribution('gmmlib')}, NumPy {np.__version__}"

    @contextlib.contextmanager
    def road(self) -> Iterator[None]:
        with using(Matrices()):
            yield


class ScikitLearn(Peer):
    """scikit-learn's GaussianMixture, all its parameters given."""

    name, label = "scikit_learn", "scikit-learn"
    blas_threads: int | None = None
    covariance_types = COVARIANCE_TYPES

    def version(self) -> str:
        return _distribution("scikit-learn")

    @contextlib.contextmanager
    def task(
        self, X: NDArray[np.float64], start: Mixture, covariance_type: str = "full"
    ) -> Iterator[Task]:
        from sklearn.mixture import GaussianMixture

        options = _given(start, covariance_type)

        def run(iterations: int) -> float:
            model = GaussianMixture(
                len(start.weights),
                tol=0,
                reg_covar=0,
                max_iter=iterations,
                init_params="random_from_data",
                random_state=0,
                **options,
            )
            with threadpool_limits(self.blas_threads, "blas"), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # "did not converge" is what we ask for
                begin = time.perf_counter()
                model.fit(X)
                seconds = time.perf_counter() - begin
            task.found = _mixture(model.weights_, model.means_, model.covariances_, covariance_type)
            return seconds

        task = Task(run)
        yield task


class ScikitLearnOneThread(ScikitLearn):
    """The same with one BLAS thread: its products are small, and threads slow them down."""

    name, label = "scikit_learn_1", "scikit-learn, one BLAS thread"
    blas_threads = 1


class Pomegranate(Peer):
    """pomegranate 1, which runs on torch."""

    name, label = "pomegranate", "pomegranate"

    def version(self) -> str:
        return f"{_distribution('pomegranate')}, torch {_distribution('torch')}"

    @contextlib.contextmanager
    def task(
        self, X: NDArray[np.float64], start: Mixture, covariance_type: str = "full"
    ) -> Iterator[Task]:
        import torch
        from pomegranate.distributions import Normal
        from pomegranate.gmm import GeneralMixtureModel

        data = torch.tensor(X)

        def run(iterations: int) -> float:
            parts = [
                Normal(torch.tensor(mu), torch.tensor(Sigma))
                for mu, Sigma in zip(start.means, start.covariances, strict=True)
            ]
            model = GeneralMixtureModel(
                parts, priors=torch.tensor(start.weights), max_iter=iterations, tol=-np.inf
            )
            begin = time.perf_counter()
            model.fit(data)
            seconds = time.perf_counter() - begin
            task.found = _mixture(
                model.priors.detach().numpy(),
                np.array([part.means.detach().numpy() for part in parts]),
                np.array([part.covs.detach().numpy() for part in parts]),
            )
            return seconds

        task = Task(run)
        yield task


class Gmmx(Peer):
    """gmmx, which runs on JAX and takes single precision only."""

    name, label = "gmmx", "gmmx"
    precision = "float32"

    def version(self) -> str:
        return f"{_distribution('gmmx')}, JAX {_distribution('jax')}"

    @contextlib.contextmanager
    def task(
        self, X: NDArray[np.float64], start: Mixture, covariance_type: str = "full"
    ) -> Iterator[Task]:
        # with two threads, for two processors, XLA's pool now and then waits for itself for ever
        os.environ.setdefault("NPROC", "4")
        import jax.numpy as jnp
        from gmmx import EMFitter, GaussianMixtureModelJax

        data = jnp.asarray(X, dtype=jnp.float32)
        begun = GaussianMixtureModelJax.from_squeezed(
            means=jnp.asarray(start.means, dtype=jnp.float32),
            covariances=jnp.asarray(start.covariances, dtype=jnp.float32),
            weights=jnp.asarray(start.weights, dtype=jnp.float32),
        )
        compiled: set[int] = set()

        def run(iterations: int) -> float:
            fitter = EMFitter(max_iter=iterations, tol=0.0, reg_covar=0.0)
            if iterations not in compiled:  # each number of iterations is compiled anew
                fitter.fit(data, begun)
                compiled.add(iterations)
            begin = time.perf_counter()
            result = fitter.fit(data, begun)
            result.log_likelihood.block_until_ready()
            seconds = time.perf_counter() - begin
            gmm = result.gmm
            task.found = _mixture(
                gmm.weights_numpy,
                np.asarray(gmm.means)[0, :, :, 0],
                np.asarray(gmm.covariances.values)[0],
            )
            return seconds

        task = Task(run)
        yield task


class MlPack(Peer):
    """mlpack, through its Python interface; it starts from its own k-means, cut to one step."""

    name, label = "mlpack", "mlpack"
    own_start = True

    def version(self) -> str:
        return _distribution("mlpack")

    @contextlib.contextmanager
    def task(
        self, X: NDArray[np.float64], start: Mixture, covariance_type: str = "full"
    ) -> Iterator[Task]:
        import mlpack

        def run(iterations: int) -> float:
            begin = time.perf_counter()
            mlpack.gmm_train(
                input_=X,
                gaussians=len(start.weights),
                max_iterations=iterations,
                tolerance=1e-300,
                kmeans_max_iterations=1,
                seed=1,
            )
            return time.perf_counter() - begin

        yield Task(run)


class Armadillo(Peer):
    """Armadillo's gmm_full, a C++ program that times itself; compiled once by the harness."""

    name, label = "armadillo", "Armadillo"

    def __init__(self, folder: Path) -> None:
        self.program = folder / "armadillo"

    def version(self) -> str:
        if not self.program.exists():
            compiler = shutil.which("g++")
            if compiler is None:
                raise Missing("g++ is not installed")
            source = HERE / "armadillo.cpp"
            options = ["-std=c++17", "-O3", "-march=native", "-fopenmp"]
            built = subprocess.run(
                [compiler, *options, str(source), "-larmadillo", "-o", str(self.program)],
                capture_output=True,
                text=True,
                check=False,
            )
            if built.returncode:
                raise Missing("g++ cannot build against Armadillo: is libarmadillo-dev installed?")
        asked = subprocess.run([str(self.program)], capture_output=True, text=True, check=True)
        return asked.stdout.strip()

    @contextlib.contextmanager
    def task(
        self, X: NDArray[np.float64], start: Mixture, covariance_type: str = "full"
    ) -> Iterator[Task]:
        n, d = X.shape
        K = len(start.weights)
        data = self.program.with_name("armadillo.bin")
        parts = [X, start.means, start.covariances, start.weights]
        data.write_bytes(b"".join(np.ascontiguousarray(part).tobytes() for part in parts))
        child = subprocess.Popen(
            [str(self.program), str(data), *map(str, (n, d, K))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdin is not None
        assert child.stdout is not None
        _, _ = child.stdout.readline(), data.unlink()

        def run(iterations: int) -> float:
            child.stdin.write(f"{iterations}\n")
            child.stdin.flush()
            seconds, average = child.stdout.readline().split()
            task.log_likelihood = float(average) * n
            return float(seconds)

        task = Task(run)
        try:
            yield task
        finally:
            child.stdin.close()
            child.wait(timeout=60)
            child.stdout.close()


def from_r(script: str, arguments: list[str], table: NDArray[np.float64]) -> list[str]:
    """The lines that a script of this folder prints, which reads the table from its input."""
    done = subprocess.run(
        ["Rscript", str(HERE / script), *arguments],
        input="\n".join(",".join(f"{value:.17g}" for value in row) for row in table),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Missing(f"mclust stopped: {done.stderr.strip().splitlines()[-1:]}")
    return done.stdout.strip().splitlines()


class Mclust:
    """R's mclust, for whole fits: it starts from its own hierarchical clustering."""

    name, label = "mclust", "mclust"

    def version(self) -> str:
        program = shutil.which("Rscript")
        if program is None:
            raise Missing("R is not installed (Rscript is not on the PATH)")
        asked = subprocess.run(
            [program, "-e", 'cat(as.character(packageVersion("mclust")))'],
            capture_output=True,
            text=True,
            check=False,
        )
        if asked.returncode:
            raise Missing("R is there, but its package mclust is not (r-cran-mclust)")
        return asked.stdout.strip()

    def fits(
        self, X: NDArray[np.float64], K: int, covariance_type: str, repeats: int
    ) -> tuple[float, float, Mixture]:
        """Seconds (the least), log-likelihood and mixture of Mclust with its own defaults."""
        d = X.shape[1]
        kind = {"full": "VVV", "tied": "EEE", "diag": "VVI", "spherical": "VII"}[covariance_type]
        kind = kind[0] if d == 1 else kind
        *_, first, second = from_r("mclust.R", [str(K), kind, str(repeats)], X)
        weights, means, Sigma = np.split(np.array(second.split(), float), [K, K + K * d])
        # R counts with the first index fastest
        mixture = Mixture(weights / weights.sum(), means.reshape(K, d), Sigma.reshape(K, d, d))
        seconds, value = first.split()
        return float(seconds), float(value), mixture


# --- taking turns ---------------------------------------------------------------------------------


def in_turns(
    tasks: dict[str, Task],
    lengths: tuple[int, ...],
    budget: float,
    rounds: tuple[int, int],
) -> tuple[dict[str, dict[int, float]], int]:
    """The least seconds of each task and length, over rounds in which all take turns.

    The first round warms up and does not count. There are at least ``rounds[0]`` others, and then
    as many as the budget and ``rounds[1]`` allow. A peer that has spent a third of the budget
    leaves; one that fails is not in what is returned.
    """
    least = {name: dict.fromkeys(lengths, np.inf) for name in tasks}
    spent = dict.fromkeys(tasks, 0.0)
    began = time.perf_counter()
    done = 0
    for turn in range(-1, rounds[1]):
        if turn >= rounds[0] and time.perf_counter() - began > budget:
            break
        names = list(least)
        shift = turn % max(len(names), 1)
        for name in names[shift:] + names[:shift]:
            if turn > 0 and spent[name] > budget / 3:
                continue
            time.sleep(PAUSE)
            try:
                for _ in range(MOST if turn >= 0 else 1):
                    for length in lengths if turn >= 0 else lengths[-1:]:
                        seconds = tasks[name].run(length)
                        if turn >= 0:
                            least[name][length] = min(least[name][length], seconds)
                            spent[name] += seconds
                    if spent[name] > TURN * (turn + 1):
                        break
            except Exception as error:  # a peer's own defect, such as a matrix it cannot factor
                print(f"       {name} stopped: {error!r}", file=sys.stderr)
                del least[name]
        done = turn + 1
    return least, done


def reached(task: Task, X: Any) -> float | None:
    return task.log_likelihood if task.found is None else log_likelihood(task.found, X)


def log_likelihood(mixture: Mixture, X: Any) -> float:
    blocks = Blocks.of(X)
    family = "diag" if isinstance(mixture, DiagonalMixture) else "full"
    with Engine(blocks, family) as steps:
        p = Parameters.of([mixture], family, blocks.frame)
        return float(steps.moments(p).log_likelihood[0])


def _mixture(
    weights: Any, means: Any, covariances: Any, covariance_type: str = "full"
) -> Mixture | None:
    """In double precision, and exactly symmetric; None where there is no such mixture."""
    weights, means = np.asarray(weights, dtype=float), np.asarray(means, dtype=float)
    weights, covariances = weights / weights.sum(), np.asarray(covariances, dtype=float)
    try:
        if covariance_type in ("diag", "spherical"):
            variances = covariances.reshape(len(means), -1) * np.ones(means.shape[1])
            return Mixture.diagonal(weights, means, variances)
        covariances = (covariances + covariances.swapaxes(-1, -2)) / 2
        build = Mixture.tied if covariance_type == "tied" else Mixture
        return build(weights, means, covariances)
    except ValueError:
        return None


def _given(start: Mixture, covariance_type: str) -> dict[str, Any]:
    """Options of scikit-learn's face, and of ours, for such a start."""
    if covariance_type in ("diag", "spherical"):
        precisions = 1 / start.variances_by_column
        precisions = precisions if covariance_type == "diag" else precisions[:, 0]
    else:
        kept = start.covariances[0] if covariance_type == "tied" else start.covariances
        inverse = np.linalg.inv(kept)
        precisions = (inverse + inverse.swapaxes(-1, -2)) / 2
    return {
        "covariance_type": covariance_type,
        "weights_init": start.weights,
        "means_init": start.means,
        "precisions_init": precisions,
    }


def installed(folder: Path, only: list[str] | None = None) -> tuple[list[Peer], dict[str, Any]]:
    """The peers that are here, and of all: {name: {label, version or missing, ...}}."""
    found: list[Peer] = []
    told: dict[str, Any] = {}
    everyone: list[Any] = [
        Ours(),
        OursInNumPy(),
        ScikitLearn(),
        ScikitLearnOneThread(),
        Pomegranate(),
        Gmmx(),
        MlPack(),
        Armadillo(folder),
    ]
    for peer in everyone:
        about: dict[str, Any] = {
            "label": peer.label,
            "precision": peer.precision,
            "own_start": peer.own_start,
        }
        try:
            if only is not None and peer.name not in only:
                raise Missing("left out of this run")
            about["version"] = peer.version()
            found.append(peer)
        except Missing as reason:
            about["missing"] = str(reason)
        told[peer.name] = about
    return found, told


if __name__ == "__main__":
    sys.exit("Run benchmarks/bench.py.")
