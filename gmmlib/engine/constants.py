"""Numbers that the compiled loops share with those who do the same step by step."""

# Of a pass
LOWEST = -660.0  # e to the power of less is 0: its products are where a processor is slow

# Of a run to its fixed point
REMEMBERED = 10  # steps from which the next jump is computed
NOTHING = 1e-3  # of tol: so small a step needs no estimate of how many more there are
RIDGE = 1e-12  # keeps the jump finite where the last steps are nearly the same
ROUNDING = 2.0**-50  # of ℓ, relative: four times that of a double
