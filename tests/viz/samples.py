"""Pictures that several files test, what is wrong with words in a browser, and what a program prints under different seeds of hashing."""

from __future__ import annotations

import os
import subprocess
import sys

from tinygrad_edu import Value, relu, tanh
from viz import Picture, graph

# Pairs of words of one drawing whose boxes overlap by more than two pixels both ways, and words beyond the edge of the drawing, or
# of their node.
TROUBLE = """selector => [...document.querySelectorAll(selector)].flatMap((svg, k) => {
  const frame = svg.getBoundingClientRect();
  const words = [...svg.querySelectorAll("text")].filter(t => t.textContent.trim() && t.getClientRects().length);
  const boxes = words.map(t => t.getBoundingClientRect());
  const found = [];
  boxes.forEach((a, i) => {
    const out = Math.max(frame.left - a.left, a.right - frame.right, frame.top - a.top, a.bottom - frame.bottom);
    if (out > 2) found.push(`${k}: ${words[i].textContent} leaves the picture by ${out}`);
    for (let j = i + 1; j < boxes.length; j++) {
      const b = boxes[j];
      const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (wide > 2 && high > 5) found.push(`${k}: ${words[i].textContent} overlaps ${words[j].textContent}`);
    }
  });
  for (const node of svg.querySelectorAll("g.node")) {
    const shape = node.querySelector("path, polygon, ellipse");
    if (!shape || shape.getAttribute("stroke") === "none") continue;  // a title without a shape
    const box = shape.getBoundingClientRect();
    for (const word of node.querySelectorAll("text")) {
      const a = word.getBoundingClientRect();
      const out = Math.max(box.left - a.left, a.right - box.right, box.top - a.top, a.bottom - box.bottom);
      if (word.textContent.trim() && out > 2) found.push(`${k}: ${word.textContent} leaves its shape by ${out}`);
    }
  }
  return found;
})"""
# Words on arrows that an arrow leads through, or that lie on a box.
CROSSED = """selector => [...document.querySelectorAll(selector)].flatMap((svg, k) => {
  const found = [];
  const shapes = [...svg.querySelectorAll("g.node")].map(g => [g.id, g.querySelector(":scope > polygon, :scope > path, :scope > ellipse")]);
  const boxes = shapes.filter(([, shape]) => shape).map(([id, shape]) => [id, shape.getBoundingClientRect()]);
  const lines = [...svg.querySelectorAll("g.edge")].map(edge => {
    const path = edge.querySelector("path"), scale = path.getScreenCTM(), length = path.getTotalLength();
    const at = i => path.getPointAtLength(Math.min(2 * i, length)).matrixTransform(scale);
    return [edge.id, Array.from({length: Math.ceil(length / 2) + 1}, (_, i) => at(i))];
  });
  for (const text of svg.querySelectorAll("g.edge text")) {
    const b = text.getBoundingClientRect(), owner = text.closest("g.edge").id;
    const inside = p => p.x > b.left + 1 && p.x < b.right - 1 && p.y > b.top + 3 && p.y < b.bottom - 3;
    for (const [id, points] of lines) if (points.some(inside)) found.push(`${k}: ${id} crosses ${text.textContent} of ${owner}`);
    for (const [id, box] of boxes) {
      const wide = Math.min(b.right, box.right) - Math.max(b.left, box.left);
      const high = Math.min(b.bottom, box.bottom) - Math.max(b.top, box.top);
      if (wide > 2 && high > 3) found.push(`${k}: ${text.textContent} of ${owner} lies on ${id}`);
    }
  }
  return found;
})"""


def read(text: str) -> float:
    """A number of a picture, which has a real minus sign."""
    return float(text.replace("−", "-"))


def readme() -> Picture:
    a, b, c = Value(2.0, name="a"), Value(-3.0, name="b"), Value(5.5, name="c")
    y = tanh(a * b + c)
    y.backward()
    return graph(y, names={"y": y}, title="y = tanh(a*b + c)")


def micrograd() -> Picture:
    a, b = Value(-4.0, name="a"), Value(2.0, name="b")
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + relu(b + a)
    d += 3 * d + relu(b - a)
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    g.backward()
    return graph(g)


def printed_under_two_hash_seeds(code: str) -> list[bytes]:
    """What the code prints when sets and dictionaries of strings are in one order, and in another."""
    return [
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    ]
