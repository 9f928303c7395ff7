// Arrows that are cut at the boxes of closed groups, and bent as space is taken out.

import {middle} from "./space.js";

const STRIDE = 3; // between the points of an arrow as measured
const BEND = 32; // between those that it is drawn through: where space was taken out, what was a bow would be a barb

const apart = ([a, b], [c, d]) => Math.hypot(a - c, b - d);

/** An arrow as Graphviz drew it, with the points on its way from the source to the tip. */
export function arrowOf(element, ends) {
  const path = element.querySelector("path");
  const head = element.querySelector("polygon");
  const label = element.querySelector("text");
  const points = along(path.getAttribute("d"));
  const arrow = {
    element,
    ends,
    path,
    head,
    label,
    points,
    length: 0,
    labelBox: label?.getBBox(),
    drawn: path.getAttribute("d"),
    corners: head?.getAttribute("points"),
  };
  if (!head) return arrow;
  const corners = Array.from(head.points, ({x, y}) => [x, y]);
  const centre = middle(head.getBBox());
  if (apart(points[0], centre) < apart(points.at(-1), centre)) points.reverse(); // the arrow of a backward pass
  const base = points.at(-1);
  const tip = corners.reduce((a, b) => (apart(a, base) > apart(b, base) ? a : b));
  points.push(tip);
  return {...arrow, length: apart(base, tip)};
}

/** Draw an arrow as Graphviz did. */
export function restore({element, path, head, label, drawn, corners}) {
  element.removeAttribute("display");
  label?.removeAttribute("display");
  label?.removeAttribute("transform");
  path.setAttribute("d", drawn);
  head?.setAttribute("points", corners);
  head?.removeAttribute("transform");
}

/** Draw an arrow through other points. */
export function redraw({path, head, length}, points) {
  const tip = points.at(-1);
  const size = Math.min(length, apart(points[0], tip) * 0.7); // where a gap is short, so is the arrowhead
  const way = points.filter((point) => !head || apart(point, tip) > size);
  if (head) {
    const from = way.at(-1) ?? points[0];
    const part = size / (apart(from, tip) || 1);
    way.push([tip[0] + (from[0] - tip[0]) * part, tip[1] + (from[1] - tip[1]) * part]);
    const turn = (Math.atan2(tip[1] - from[1], tip[0] - from[0]) * 180) / Math.PI;
    head.setAttribute("points", `0,0 ${-size},${size * 0.35} ${-size},${-size * 0.35}`);
    head.setAttribute("transform", `translate(${tip[0].toFixed(2)} ${tip[1].toFixed(2)}) rotate(${turn.toFixed(1)})`);
  }
  path.setAttribute("d", smooth(thinned(way)));
}

/** Points on the curves of a path as Graphviz writes it: M and a point, C and three points for each curve. */
function along(d) {
  const numbers = d.match(/-?[\d.]+/g).map(Number);
  const given = numbers.filter((_, k) => k % 2 === 0).map((x, k) => [x, numbers[2 * k + 1]]);
  const points = [given[0]];
  for (let k = 1; k + 2 < given.length; k += 3) {
    const [a, b, c, e] = given.slice(k - 1, k + 3);
    const count = Math.max(1, Math.ceil((apart(a, b) + apart(b, c) + apart(c, e)) / STRIDE));
    for (let i = 1; i <= count; i++) {
      const t = i / count;
      const s = 1 - t;
      points.push(
        [0, 1].map(
          (axis) => s * s * s * a[axis] + 3 * s * s * t * b[axis] + 3 * s * t * t * c[axis] + t * t * t * e[axis],
        ),
      );
    }
  }
  return points;
}

/** Points on a bow from a to b, which stands off by `bend` in the middle. */
export function bow(a, b, bend) {
  const length = apart(a, b) || 1;
  const off = [((b[1] - a[1]) / length) * bend, ((a[0] - b[0]) / length) * bend];
  return line(a, b).map(([x, y], k, all) => {
    const t = k / (all.length - 1);
    const rise = 4 * t * (1 - t);
    return [x + off[0] * rise, y + off[1] * rise];
  });
}

/** The points of a way, and points between those that are far apart. */
export const filled = (way) =>
  way.flatMap((point, k) => (k && apart(point, way[k - 1]) > 2 * STRIDE ? line(way[k - 1], point) : [point]));

/** Points on a straight line. */
export function line(a, b) {
  const count = Math.max(1, Math.ceil(apart(a, b) / STRIDE));
  return Array.from({length: count + 1}, (_, k) => [0, 1].map((axis) => a[axis] + ((b[axis] - a[axis]) * k) / count));
}

/** Where the way from a point to the middle of a box meets its edge. */
export function edgeOf(box, [x, y]) {
  const [a, b] = middle(box);
  const ratio = Math.max(Math.abs(x - a) / (box.width / 2), Math.abs(y - b) / (box.height / 2), 1);
  return [a + (x - a) / ratio, b + (y - b) / ratio];
}

/** The points that are at least BEND from one another, and the last one. */
function thinned(points) {
  const kept = [points[0]];
  for (const point of points) if (apart(point, kept.at(-1)) >= BEND) kept.push(point);
  if (kept.length > 1 && apart(kept.at(-1), points.at(-1)) < BEND) kept.pop();
  return [...kept, points.at(-1)];
}

/** A smooth line through points, as an SVG path (Catmull-Rom's splines). */
function smooth(points) {
  const text = (...many) => many.map((point) => point.map((n) => n.toFixed(1)).join(",")).join(" ");
  const leaning = ([a, b], [from, since], [to, until], part) => [a + (to - from) * part, b + (until - since) * part];
  const at = (k) => points[Math.max(0, Math.min(points.length - 1, k))];
  const curves = points
    .slice(1)
    .map((end, k) => `C${text(leaning(at(k), at(k - 1), end, 1 / 6), leaning(end, at(k), at(k + 2), -1 / 6), end)}`);
  return `M${text(points[0])}${curves.join("")}`;
}
