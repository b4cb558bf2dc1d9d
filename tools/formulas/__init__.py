"""Displayed equations that run: LaTeX is read into a tree, and the tree is evaluated.

``letters`` holds the book's notation, ``parser`` reads a display, ``sheet`` evaluates it in a
situation that ``worlds`` draws, ``run`` holds the two sides of every relation against each other,
and ``mutants`` changes displays in small ways to see that wrong ones are refused.

The parser is our own, because LaTeX does not say how far a logarithm or a sum reaches, whether
``f(x)`` is a call or a product, and which letter is the ``d`` of an integral: one has to know the
notation while reading. Tried on the displays of this book as they stood at first (173 of them):
SymPy's Lark grammar read 9 without ambiguity, its ANTLR grammar 58, many of them wrongly,
latex2sympy2-extended 36, and the Cortex Compute Engine 139, of which 43 were wrong trees without
a warning.
"""
