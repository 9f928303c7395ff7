// Groups of a picture that open and close, by a click on their titles or by keyboard. See layout.js and space.js for what moves where.

import {makeSvg} from "../pages/dom.js";
import {arrowOf, bow, edgeOf, filled, line, redraw, restore} from "./arrows.js";
import {arranged, overlap} from "./layout.js";
import {nestingOf} from "./nesting.js";
import {extent, middle, ROOM} from "./space.js";

const INSET = 10; // of a closed group's box from its frame, at least, so that arrows from close by can be seen
const PADDING = 12; // around the words in it
const BOWS = [60, -60, 120, -120, 240, -240]; // how far an arrow stands off that leads round a box
const LETTERS = 12;
const LEADING = 16; // of the lines below its title

const inside = ([x, y], box) => x > box.x && x < box.x + box.width && y > box.y && y < box.y + box.height;
const hide = (element, isHidden) =>
  isHidden ? element.setAttribute("display", "none") : element.removeAttribute("display");

/**
 * Lets the groups of an SVG that Graphviz made open and close.
 *
 * picture: {flow, edges: [[source, target], ...], groups: [{id, name, nodes, parent, closed, lines}, ...]}, ids as in the SVG.
 * changed: is called after that, with the title and where it stood on the screen before, if it was one group.
 * Returns {groups, standsFor, set, open, setAll}: the groups, now with their elements; which closed group stands for a node, and ways to open and close by program.
 */
export function openable(svg, picture, changed) {
  const {x, y, width, height} = svg.viewBox.baseVal;
  const wholeView = svg.getAttribute("viewBox");
  svg.style.width = `${width}px`; // letters are measured at their own size: in a small picture they would be rounded
  svg.style.height = `${height}px`;
  const find = (id) => svg.querySelector(`[id="${id}"]`);
  const root = svg.querySelector("g.graph");
  const paper = root.querySelector(":scope > polygon");
  const heading = [...root.querySelectorAll(":scope > text")];
  const whole = paper.getBBox();
  const outline = paper.getAttribute("points");
  const headingBoxes = heading.map((text) => text.getBBox());
  const margin = {x: x - whole.x, y: y - whole.y, width: width - whole.width, height: height - whole.height};
  const nodes = [...svg.querySelectorAll("g.node")].map((element) => ({
    id: element.id,
    element,
    box: element.getBBox(),
  }));
  const groups = picture.groups.filter(({id}) => find(id)?.classList.contains("cluster")).map(framed);
  const arrows = groups.length ? picture.edges.map((ends, k) => arrowOf(find(`e${k}`), ends)) : [];
  svg.style.width = svg.style.height = "";

  const {around, standsFor} = nestingOf(groups);
  const seenAs = (id) => standsFor(id)?.id ?? id;
  for (const {ends, points} of arrows) {
    const [from, to] = ends.map(around);
    for (const group of from)
      if (!to.includes(group)) group.crossings.push(points.find((point) => !inside(point, group.core)));
    for (const group of to)
      if (!from.includes(group)) group.crossings.push(points.findLast((point) => !inside(point, group.core)));
  }

  /** Gives a group its elements and measures: a frame for Graphviz's outline, and lines for when it is closed. */
  function framed(group) {
    const element = find(group.id);
    const path = element.querySelector("path, polygon");
    const title = element.querySelector("text");
    const frame = makeSvg("rect", {stroke: path.getAttribute("stroke"), fill: path.getAttribute("fill"), rx: 12});
    const {x, y, width, height} = path.getBBox();
    path.replaceWith(frame);
    const lines = group.lines.map((line) => {
      const text = title.cloneNode();
      text.textContent = line;
      text.setAttribute("font-size", LETTERS);
      text.setAttribute("text-anchor", "middle");
      element.append(text);
      return text;
    });
    element.setAttribute("role", "button");
    element.setAttribute("tabindex", "0");
    const titleBox = title.getBBox();
    const words = Math.max(titleBox.width, ...lines.map((line) => line.getBBox().width));
    const block = {width: words + 2 * PADDING, height: titleBox.height + lines.length * LEADING + 2 * PADDING};
    const core = {x: x + INSET, y: y + INSET, width: width - 2 * INSET, height: height - 2 * INSET};
    return Object.assign(group, {
      element,
      frame,
      title,
      lines,
      box: {x, y, width, height},
      core,
      titleBox,
      block,
      crossings: [],
    });
  }

  function apply() {
    const [shown, seen] = [groups, nodes].map((things) => things.filter(({id}) => !standsFor(id)));
    const pairs = arrows.map(({ends}) => ends.map(seenAs)).filter(([source, target]) => source !== target);
    const labels = arrows.filter(({ends, label}) => label && !ends.some(standsFor)).map(({labelBox}) => labelBox);
    const {to, boxes, frames} = arranged({
      shown,
      seen,
      pairs,
      labels,
      flow: picture.flow,
      isIn: (id, group) => around(id).includes(group),
    });
    for (const {element, box, id} of nodes) {
      hide(element, standsFor(id));
      place(element, box, to(middle(box)));
    }
    for (const group of groups) {
      hide(group.element, !shown.includes(group));
      if (shown.includes(group)) drawGroup(group, boxes.get(group.id) ?? frames.get(group.id));
    }
    if (!shown.some(({closed}) => closed)) {
      arrows.forEach(restore);
      return resize();
    }
    const between = new Set();
    const corners = [...boxes.values(), ...frames.values()].flatMap(({x, y, width, height}) => [
      [x, y],
      [x + width, y + height],
    ]);
    for (const arrow of arrows) corners.push(...drawArrow(arrow, to, between, boxes));
    resize(corners);
  }

  /** Put an element that was drawn in a box where the middle of the box is to be. */
  function place(element, box, [a, b]) {
    const from = middle(box);
    element.setAttribute("transform", `translate(${(a - from[0]).toFixed(2)} ${(b - from[1]).toFixed(2)})`);
  }

  function drawGroup({element, name, frame, title, lines, box, titleBox, closed}, drawn) {
    element.classList.toggle("closed", closed);
    element.setAttribute("aria-expanded", String(!closed));
    element.setAttribute("aria-label", `${name}, ${closed ? "closed" : "open"}`);
    title.textContent = title.textContent.replace(/^./u, closed ? "▸" : "▾");
    for (const [key, value] of Object.entries(drawn)) frame.setAttribute(key, value.toFixed(2));
    const [centre, below] = [drawn.x + drawn.width / 2, drawn.y + PADDING + titleBox.height];
    const [a, b] = middle(titleBox);
    place(title, titleBox, closed ? [centre, below - titleBox.height / 2] : [drawn.x + a - box.x, drawn.y + b - box.y]);
    lines.forEach((line, k) => {
      hide(line, !closed);
      line.setAttribute("x", centre.toFixed(2));
      line.setAttribute("y", (below + (k + 0.75) * LEADING).toFixed(2));
    });
  }

  /** An arrow between what is seen, only one between the same two where a closed group stands for one; returns its points. */
  function drawArrow(arrow, to, between, boxes) {
    const {element, ends, label, labelBox, points} = arrow;
    const [source, target] = ends.map(standsFor);
    const isCut = Boolean(source ?? target);
    const ids = ends.map(seenAs);
    const isHidden = isCut && (source === target || between.has(ids.join(" ")));
    hide(element, isHidden);
    if (isHidden) return [];
    if (isCut) between.add(ids.join(" "));
    if (label) hide(label, isCut);
    if (label) place(label, labelBox, to(middle(labelBox)));
    const drawn = cut(points, source, target).map(to);
    const way = wayBetween(ids, boxes, drawn, !isCut);
    redraw(arrow, way);
    return way;
  }

  /** From box to box, so that no other stands in the way: of a whole arrow its own way first; straight; its own; in a bow. */
  function wayBetween(ids, boxes, between, isWhole) {
    const [from, to] = ids.map((id) => boxes.get(id));
    const start = edgeOf(from, middle(to));
    const end = edgeOf(to, middle(from));
    const own = isWhole
      ? between
      : between.length
        ? [edgeOf(from, between[0]), ...between, edgeOf(to, between.at(-1))]
        : line(start, end);
    const ways = [
      ...(isWhole ? [() => own] : []),
      () => line(start, end),
      () => own,
      ...BOWS.map((bend) => () => bow(start, end, bend)),
    ];
    let best;
    let fewest = Infinity;
    for (const make of ways) {
      const way = make();
      const hits = hit(filled(way), ids, boxes);
      if (hits < fewest) [best, fewest] = [way, hits];
      if (!hits) break;
    }
    return best;
  }

  /** How many boxes a way leads through, but for those at its ends. */
  function hit(way, ids, boxes) {
    const [[left, top], [right, bottom]] = extent(way);
    const near = {x: left, y: top, width: right - left, height: bottom - top};
    return [...boxes].filter(
      ([id, box]) => !ids.includes(id) && overlap(near, box, -1) && way.some((point) => inside(point, box)),
    ).length;
  }

  /** The points of an arrow that are outside of the closed groups that it leads between. */
  function cut(points, source, target) {
    const first = source ? points.findIndex((point) => !inside(point, source.core)) : 0;
    const last = target ? points.findLastIndex((point) => !inside(point, target.core)) : points.length - 1;
    return first < 0 ? [] : points.slice(first, last + 1);
  }

  /** The paper and the view as large as what is seen, the heading in the middle above it; without corners as they were. */
  function resize(corners) {
    for (const text of heading) text.removeAttribute("transform");
    paper.setAttribute("points", outline);
    svg.setAttribute("viewBox", wholeView);
    if (!corners) return;
    const [[left, top], [right, bottom]] = extent(corners);
    const half = Math.max((right - left) / 2, ...headingBoxes.map((box) => box.width / 2)) + ROOM;
    const centre = (left + right) / 2;
    const start = top - ROOM - Math.max(0, ...headingBoxes.map((box) => box.y + box.height - whole.y));
    for (const [k, text] of heading.entries()) {
      place(text, headingBoxes[k], [centre, middle(headingBoxes[k])[1] + start - whole.y]);
    }
    const [a, b, c, d] = [centre - half, start, centre + half, bottom + ROOM];
    paper.setAttribute("points", `${a},${b} ${c},${b} ${c},${d} ${a},${d}`);
    svg.setAttribute(
      "viewBox",
      [a + margin.x, b + margin.y, c - a + margin.width, d - b + margin.height].map((n) => n.toFixed(2)).join(" "),
    );
  }

  function set(group, closed) {
    const before = group.title.getBoundingClientRect();
    group.closed = closed;
    apply();
    changed(group.title, before);
  }

  /** Close the groups of which isClosed(group) holds, and open the others. */
  function setAll(isClosed) {
    for (const group of groups) group.closed = isClosed(group);
    apply();
    changed();
  }

  for (const group of groups) {
    root.insertBefore(group.element, root.querySelector("g.node, g.edge")); // in the order of the model, for Tab
    const toggle = (event) => {
      event.stopPropagation();
      event.preventDefault();
      set(group, !group.closed);
    };
    group.element.addEventListener("click", toggle);
    group.element.addEventListener("keydown", (event) => (event.key === "Enter" || event.key === " ") && toggle(event));
  }
  if (groups.length) apply();
  return {
    groups,
    standsFor,
    set,
    setAll,
    /** Open all groups around a node or a group. */
    open(id) {
      const outer = around(id);
      if (outer.some(({closed}) => closed)) setAll((group) => group.closed && !outer.includes(group));
    },
  };
}
