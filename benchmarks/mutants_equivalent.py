"""Mutants that change nothing a caller could see: file, kind, lines before and after, and the reason.

They are found by their text, so that they stay known when the lines around them move.
"""

EQUIVALENT: dict[tuple[str, str, str, str], str] = {
    (
        "nn/functional/distances.py",
        "arguments swapped",
        "shape = np.broadcast_shapes(shape_of(x1), shape_of(x2))",
        "shape = np.broadcast_shapes(shape_of(x2), shape_of(x1))",
    ): "broadcasting is symmetric, and the error that tells the order is replaced by our own",
    (
        "tinygrad_edu/testing/slopes.py",
        "arguments swapped",
        "value = float(np.dot(weights, line.at(complex(0, h)).imag)) / h",
        "value = float(np.dot(line.at(complex(0, h)).imag, weights)) / h",
    ): "the product of two rows is symmetric",
    (
        "viz/exploring/page.py",
        "off by one",
        """'role="img"', 'role="group"', 1""",
        """'role="img"', 'role="group"', 2""",
    ): "an SVG has the attribute once, and quotes in text are escaped",
    (
        "tinygrad_edu/testing/laws.py",
        "arguments swapped",
        "if not np.allclose(raw_of(y), expected, rtol=0.0, atol=16 * ulp * largest, equal_nan=True):",
        "if not np.allclose(expected, raw_of(y), rtol=0.0, atol=16 * ulp * largest, equal_nan=True):",
    ): "without a relative tolerance the comparison is symmetric",
    (
        "tinygrad_edu/ops/networks/window_reductions.py",
        "off by one",
        "((1, 2, 3, 5), (2, 3), (1, 2), ((1, 1), (0, 1)), (1, 1)),",
        "((1, 2, 3, 5), (2, 3), (2, 2), ((1, 1), (0, 1)), (1, 1)),",
    ): "a case that tests draw, which is as good with another stride",
    (
        "tinygrad_edu/ops/numbers/trigonometric.py",
        "arguments swapped",
        "radius = hypot(a, b)",
        "radius = hypot(b, a)",
    ): "a radius is symmetric",
}
