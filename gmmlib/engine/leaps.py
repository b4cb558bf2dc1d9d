"""The numbers of a run to its fixed point, step by step or in one compiled call.

Both ways, :func:`gmmlib.fitting.converge` and ``runs.converge``, take them from here.
"""

REMEMBERED = 10  # steps from which the next jump is computed
NOTHING = 1e-3  # of tol: so small a step needs no estimate of how many more there are
RIDGE = 1e-12  # keeps the jump finite where the last steps are nearly the same
ROUNDING = 2.0**-50  # of ℓ, relative: four times that of a double
