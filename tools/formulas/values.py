"""Arithmetic of what a formula can be: numbers, vectors, matrices, tuples of them, truths.

Numbers are balls of python-flint (arb): four hundred binary digits, and a bound on the rounding.
A vector is a matrix with one column; where it has one entry it is a number.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import flint
from flint import arb, arb_mat

BITS = 400
flint.ctx.prec = BITS
STEP = arb(10) ** -28  # of central differences: their error is near its square
TINY = arb(10) ** -45  # how near to its goal a limit is taken

Value = Any  # arb | arb_mat | tuple | list | bool | int


class NoValue(ArithmeticError):
    """The formula has no value here: a root is negative, an index is too large, and the like."""


class NotOfOneShape(NoValue):
    """What is added, multiplied or put together does not fit."""


def exact(number: float | int | str) -> arb:
    return arb(number) if not isinstance(number, str) else _decimal(number)


def _decimal(text: str) -> arb:
    whole, _, rest = text.partition(".")
    return arb(int(whole + rest)) / arb(10) ** len(rest)


def matrix(rows: Sequence[Sequence[arb]]) -> Value:
    return collapsed(arb_mat([list(row) for row in rows]))


def vector(entries: Iterable[arb]) -> Value:
    return matrix([[entry] for entry in entries])


def collapsed(value: arb_mat) -> Value:
    return value[0, 0] if (value.nrows(), value.ncols()) == (1, 1) else value


def shape(value: Value) -> tuple[int, int]:
    if isinstance(value, arb_mat):
        return value.nrows(), value.ncols()
    return 1, 1


def as_matrix(value: Value) -> arb_mat:
    if isinstance(value, arb_mat):
        return value
    return arb_mat([[scalar(value)]])


def scalar(value: Value) -> arb:
    if type(value) is arb:
        return value
    if isinstance(value, bool):
        raise NoValue("a statement stands where a number should")
    if isinstance(value, int):
        return arb(value)
    if isinstance(value, arb):
        return value
    raise NoValue(f"a number is needed, and this is {kind(value)}")


def kind(value: Value) -> str:
    if isinstance(value, arb_mat):
        return f"a matrix of {value.nrows()} × {value.ncols()}"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    return type(value).__name__


def entries(value: Value) -> list[arb]:
    """All its numbers, row by row."""
    if isinstance(value, arb_mat):
        return [value[i, j] for i in range(value.nrows()) for j in range(value.ncols())]
    if isinstance(value, list | tuple):
        return [entry for item in value for entry in entries(item)]
    return [scalar(value)]


def add(a: Value, b: Value) -> Value:
    if type(a) is arb and type(b) is arb:
        return a + b
    if isinstance(a, list | tuple) or isinstance(b, list | tuple):
        if not (isinstance(a, list | tuple) and isinstance(b, list | tuple) and len(a) == len(b)):
            raise NotOfOneShape(f"{kind(a)} and {kind(b)} cannot be added")
        return type(a)(add(p, q) for p, q in zip(a, b, strict=True))
    if isinstance(a, arb_mat) or isinstance(b, arb_mat):
        if shape(a) != shape(b):
            raise NotOfOneShape(f"{kind(a)} and {kind(b)} cannot be added")
        return as_matrix(a) + as_matrix(b)
    return scalar(a) + scalar(b)


def times(a: Value, b: Value) -> Value:
    if type(a) is arb and type(b) is arb:
        return a * b
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        raise NoValue("two lists are multiplied")
    if isinstance(a, list | tuple):
        return type(a)(times(item, b) for item in a)
    if isinstance(b, list | tuple):
        return type(b)(times(a, item) for item in b)
    if isinstance(a, arb_mat) and isinstance(b, arb_mat):
        if a.ncols() != b.nrows():
            raise NotOfOneShape(f"{kind(a)} times {kind(b)}")
        return collapsed(a * b)
    if isinstance(a, arb_mat):
        return a * scalar(b)
    if isinstance(b, arb_mat):
        return b * scalar(a)
    return scalar(a) * scalar(b)


def negative(a: Value) -> Value:
    return times(arb(-1), a)


def dot(a: Value, b: Value) -> Value:
    """η·t: the sum of the products; of numbers, the product."""
    p, q = entries(a), entries(b)
    if len(p) != len(q):
        raise NoValue(f"{kind(a)} · {kind(b)}")
    total = arb(0)
    for x, y in zip(p, q, strict=True):
        total += x * y
    return total


def over(a: Value, b: Value) -> Value:
    b = scalar(b)
    if b.contains(0):
        raise NoValue("a division by 0")
    return times(a, 1 / b)


def transpose(a: Value) -> Value:
    return a.transpose() if isinstance(a, arb_mat) else a


def inverse(a: Value) -> Value:
    if not isinstance(a, arb_mat):
        return over(arb(1), a)
    _square(a)
    try:
        return a.inv()
    except ZeroDivisionError:
        raise NoValue("the matrix has no inverse") from None


def det(a: Value) -> arb:
    if not isinstance(a, arb_mat):
        return scalar(a)
    _square(a)
    return a.det()


def trace(a: Value) -> arb:
    if not isinstance(a, arb_mat):
        return scalar(a)
    _square(a)
    total = arb(0)
    for k in range(a.nrows()):
        total += a[k, k]
    return total


def _square(a: arb_mat) -> None:
    if a.nrows() != a.ncols():
        raise NotOfOneShape(f"a square matrix is needed, and this is {kind(a)}")


def log(a: Value) -> arb:
    a = scalar(a)
    if not a > 0:
        raise NoValue("the logarithm of a number that is not positive")
    return a.log()


def sqrt(a: Value) -> Value:
    if isinstance(a, arb_mat):  # of a diagonal matrix: of each entry
        _square(a)
        size = a.nrows()
        return matrix(
            [[sqrt(a[i, j]) if i == j else arb(0) for j in range(size)] for i in range(size)]
        )
    a = scalar(a)
    if a < 0:
        raise NoValue("the root of a negative number")
    return a.sqrt()


def power(a: Value, b: Value) -> Value:
    if isinstance(a, list):
        return [power(item, b) for item in a]
    b = scalar(b)
    whole = b.unique_fmpz()
    if whole is not None:
        n = int(whole)
        if isinstance(a, arb_mat):
            _square(a)
            if n < 0:
                return inverse(a) ** -n
            return a**n
        a = scalar(a)
        if n < 0:
            if a.contains(0):
                raise NoValue("a division by 0")
            a, n = 1 / a, -n
        product = arb(1)
        while n:
            if n % 2:
                product *= a
            a, n = a * a, n // 2
        return product
    a = scalar(a)
    if not a > 0:
        raise NoValue("a power of a number that is not positive")
    return a**b


def block(rows: Sequence[Sequence[Value]]) -> Value:
    """A matrix of numbers, vectors and matrices; a 0 or 1 takes the room that is there."""
    heights = [max(shape(cell)[0] for cell in row) for row in rows]
    columns = list(zip(*rows, strict=True)) if len({len(row) for row in rows}) == 1 else None
    if columns is None:
        raise NoValue("the rows of the matrix are of unequal length")
    widths = [max(shape(cell)[1] for cell in column) for column in columns]
    table: list[list[arb]] = []
    for row, height in zip(rows, heights, strict=True):
        lines: list[list[arb]] = [[] for _ in range(height)]
        for cell, width in zip(row, widths, strict=True):
            if shape(cell) != (height, width):
                if isinstance(cell, arb_mat) or not scalar(cell).is_zero():
                    raise NoValue("the blocks of the matrix do not fit")
                cell = arb_mat(height, width)
            filled = as_matrix(cell)
            for k in range(height):
                lines[k] += [filled[k, c] for c in range(width)]
        table += lines
    return matrix(table)


def diagonal(items: Sequence[Value]) -> Value:
    """A matrix with numbers, or blocks, on its diagonal."""
    count = len(items)
    rows = []
    for a in range(count):
        row: list[Value] = []
        for b in range(count):
            height, width = shape(items[a])[0], shape(items[b])[1]
            row.append(items[a] if a == b else arb_mat(height, width))
        rows.append(row)
    return block([[collapsed(as_matrix(c)) for c in row] for row in rows])


def size(value: Value) -> arb:
    """The largest |entry|."""
    largest = arb(0)
    for entry in entries(value):
        largest = largest.max(abs(entry))
    return largest


def agree(a: Value, b: Value, tolerance: arb) -> bool:
    """Are all entries the same, relative to 1 and to the largest of them?"""
    is_true = isinstance(a, bool), isinstance(b, bool)
    if any(is_true):
        return all(is_true) and a == b
    column = (
        {shape(a), shape(b)}
        if not isinstance(a, list | tuple) and not isinstance(b, list | tuple)
        else set()
    )
    p, q = entries(a), entries(b)
    if len(column) > 1:  # a 0 beside a matrix is the matrix 0
        others = next((y for x, y in ((p, q), (q, p)) if len(x) == 1 and x[0] == 0), None)
        return others is not None and all(abs(y) < tolerance for y in others)
    if len(p) != len(q):
        return False
    scale = 1 + size(a).max(size(b))
    return all(abs(x - y) < tolerance * scale for x, y in zip(p, q, strict=True))
