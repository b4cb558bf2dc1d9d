"""EM for many mixtures at once, on data of any size.

A pass over the data goes one way: ``blocks`` of rows, seen in a ``frame``, meet ``parameters`` in a
backend's step (``matrices``, or ``compiled`` over ``kernel``); each block leaves ``moments``, which
add, as ``pairwise`` says; ``passes`` makes parameters of them again.
"""

from gmmlib.engine.backends import FASTEST, Backend, Compiled, current, using
from gmmlib.engine.blocks import Blocks, Observations
from gmmlib.engine.frame import Frame
from gmmlib.engine.matrices import CANCELLING, Matrices
from gmmlib.engine.moments import Moments
from gmmlib.engine.pairwise import PairwiseSum
from gmmlib.engine.parameters import Parameters
from gmmlib.engine.passes import Engine
from gmmlib.engine.statistics import natural_parameters, sufficient_statistics
from gmmlib.engine.threads import Threads, in_order, one_blas_thread

__all__ = [
    "CANCELLING",
    "FASTEST",
    "Backend",
    "Blocks",
    "Compiled",
    "Engine",
    "Frame",
    "Matrices",
    "Moments",
    "Observations",
    "PairwiseSum",
    "Parameters",
    "Threads",
    "current",
    "in_order",
    "natural_parameters",
    "one_blas_thread",
    "sufficient_statistics",
    "using",
]
