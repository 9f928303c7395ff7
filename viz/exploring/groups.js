// Groups of a picture that open and close.
//
// Graphviz laid the picture out with all of them open. When some are closed, the rows and columns of space that only their
// inside needed are taken out. All else keeps its place relative to all else, so nothing can come to overlap.

const ROOM = 16;  // what is left of a row or column of space that nothing needs
const AROUND = 12;  // space that belongs to a node, so that arrowheads keep their length
const STRIDE = 3;  // between the points of an arrow as measured
const INSET = 10;  // of a closed group's box from its frame, so that arrows from close by can be seen
const LETTERS = 12, LEADING = 16;  // of the lines in a closed group's box
const BEND = 32;  // between those that it is drawn through: where space was taken out, what was a bow would be a barb

/** Runs of numbers [from, to] that overlap, as one. */
function merged(runs) {
  const found = [];
  for (const [a, b] of runs.sort((p, q) => p[0] - q[0])) {
    if (found.length && a <= found.at(-1)[1]) found.at(-1)[1] = Math.max(b, found.at(-1)[1]);
    else found.push([a, b]);
  }
  return found;
}

/** What is left of merged runs without others. */
function without(runs, others) {
  let left = runs;
  for (const [a, b] of others) left = left.flatMap(([from, to]) => [[from, Math.min(a, to)], [Math.max(b, from), to]].filter(([p, q]) => p < q));
  return left;
}

/** Where places on an axis move to when `closed` runs of it shrink, save what lies in `needed` ones. */
function squeezed(closed, needed) {
  const runs = without(merged(closed), merged(needed)).filter(([a, b]) => b - a > ROOM);
  return (x) => x - runs.reduce((less, [a, b]) => less + (Math.max(0, Math.min(x, b) - a) * (1 - ROOM / (b - a))), 0);
}

const inside = ([x, y], box) => x > box.x && x < box.x + box.width && y > box.y && y < box.y + box.height;
const middle = (box) => [box.x + box.width / 2, box.y + box.height / 2];
const mean = (points) => [0, 1].map((k) => points.reduce((sum, point) => sum + point[k], 0) / points.length);
const apart = ([a, b], [c, d]) => Math.hypot(a - c, b - d);

const hide = (element, isHidden) => (isHidden ? element.setAttribute("display", "none") : element.removeAttribute("display"));

/** An arrow as points from its source to its tip, and what it takes to draw it again. */
function arrowOf(element, ends) {
  const path = element.querySelector("path"), head = element.querySelector("polygon"), label = element.querySelector("text");
  const count = Math.max(1, Math.ceil(path.getTotalLength() / STRIDE));
  const points = Array.from({length: count + 1}, (_, k) => path.getPointAtLength((path.getTotalLength() * k) / count)).map(({x, y}) => [x, y]);
  let length = 0;
  if (head) {
    const corners = Array.from(head.points, ({x, y}) => [x, y]), centre = middle(head.getBBox());
    if (apart(points[0], centre) < apart(points.at(-1), centre)) points.reverse();  // the arrow of a backward pass
    const base = points.at(-1), tip = corners.reduce((a, b) => (apart(a, base) > apart(b, base) ? a : b));
    length = apart(base, tip);
    points.push(tip);
  }
  return {element, ends, path, head, label, points, length, labelBox: label?.getBBox(), drawn: path.getAttribute("d"), corners: head?.getAttribute("points")};
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
  const curves = points.slice(1).map((end, k) => `C${text(leaning(at(k), at(k - 1), end, 1 / 6), leaning(end, at(k), at(k + 2), -1 / 6), end)}`);
  return `M${text(points[0])}${curves.join("")}`;
}

/**
 * Lets the groups of an SVG that Graphviz made open and close, by a click on their titles or by keyboard.
 *
 * picture: {edges: [[source, target], ...], groups: [{id, name, nodes, parent, closed, lines}, ...]}, ids as in the SVG.
 * changed: is called after that, with the title and where it stood on the screen before.
 * Returns {groups, standsFor, open, setAll}: which closed group stands for a node, and ways to open and close by program.
 */
function openable(svg, picture, changed) {
  const {width, height} = svg.viewBox.baseVal;
  svg.style.width = `${width}px`;  // letters are measured at their own size: in a small picture they would be rounded
  svg.style.height = `${height}px`;
  const find = (id) => svg.querySelector(`[id="${id}"]`);
  const root = svg.querySelector("g.graph"), paper = root.querySelector(":scope > polygon"), heading = [...root.querySelectorAll(":scope > text")];
  const groups = picture.groups.filter(({id}) => find(id)?.classList.contains("cluster")).map(framed);
  const byId = new Map(groups.map((group) => [group.id, group]));
  const home = new Map(groups.flatMap((group) => group.nodes.map((node) => [node, group])));
  const nodes = [...svg.querySelectorAll("g.node")].map((element) => ({id: element.id, element, box: element.getBBox()}));
  const arrows = groups.length ? picture.edges.map((ends, k) => arrowOf(find(`e${k}`), ends)) : [];
  const whole = paper.getBBox(), headingBoxes = heading.map((text) => text.getBBox());
  const margin = width - whole.width, below = height - whole.height;
  const origin = {x: svg.viewBox.baseVal.x - whole.x, y: svg.viewBox.baseVal.y - whole.y};
  const outline = paper.getAttribute("points");
  /** The groups around one, outermost first, and itself. */
  const upTo = (group) => (group ? [...upTo(byId.get(group.parent)), group] : []);
  const shutAround = (group) => upTo(group).find(({closed}) => closed);

  /** The outermost closed group around a node, or undefined where the node itself is seen. */
  const standsFor = (id) => shutAround(home.get(id));

  svg.style.width = svg.style.height = "";
  for (const {ends, points} of arrows) {
    const [from, to] = ends.map((id) => upTo(home.get(id)));
    for (const group of from) if (!to.includes(group)) group.crossings.push(points.find((point) => !inside(point, group.core)));
    for (const group of to) if (!from.includes(group)) group.crossings.push(points.findLast((point) => !inside(point, group.core)));
  }

  function framed(group) {
    const element = find(group.id), path = element.querySelector("path, polygon"), title = element.querySelector("text");
    const frame = document.createElementNS("http://www.w3.org/2000/svg", "rect"), box = path.getBBox();
    for (const name of ["stroke", "fill"]) frame.setAttribute(name, path.getAttribute(name));
    frame.setAttribute("rx", 12);
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
    const core = {x: box.x + INSET, y: box.y + INSET, width: box.width - 2 * INSET, height: box.height - 2 * INSET};
    const titleBox = title.getBBox(), width = Math.max(titleBox.width, ...lines.map((line) => line.getBBox().width));
    return {...group, element, frame, title, lines, box, core, titleBox, block: {width, height: titleBox.height + lines.length * LEADING}, crossings: []};
  }

  /** The space that the words need: of a closed group amid the arrows, where others need it too, so that its box stays small. */
  function wordsAt({closed, core, titleBox, block, crossings}) {
    if (!closed) return titleBox;
    const met = crossings.filter(Boolean), [a, b] = mean(met.length ? met : [middle(core)]);
    const within = (centre, from, room, size) => Math.max(from, Math.min(from + room - size, centre - size / 2));
    return {...block, x: within(a, core.x, core.width, block.width), y: within(b, core.y, core.height, block.height)};
  }

  function apply() {
    const shown = groups.filter((group) => !shutAround(byId.get(group.parent)));
    const shut = shown.filter(({closed}) => closed), seen = nodes.filter(({id}) => !standsFor(id));
    const labels = arrows.filter(({ends, label}) => label && !ends.some(standsFor));
    const needed = [...seen.map(({box}) => [box, AROUND]), ...shown.map((group) => [wordsAt(group), AROUND / 2]), ...labels.map(({labelBox}) => [labelBox, 2])];
    const along = (at, size) => squeezed(shut.map(({core}) => [core[at], core[at] + core[size]]), needed.map(([box, more]) => [box[at] - more, box[at] + box[size] + more]));
    const x = along("x", "width"), y = along("y", "height");
    const to = ([a, b]) => [x(a), y(b)];
    const move = (element, box, [a, b] = to(middle(box))) => {
      const from = middle(box);
      element.setAttribute("transform", `translate(${(a - from[0]).toFixed(2)} ${(b - from[1]).toFixed(2)})`);
    };

    for (const {element, box, id} of nodes) {
      hide(element, standsFor(id));
      move(element, box);
    }
    for (const group of groups) {
      const {element, frame, title, lines, titleBox, block, closed} = group, box = closed ? group.core : group.box;
      hide(element, !shown.includes(group));
      element.classList.toggle("closed", closed);
      element.setAttribute("aria-expanded", String(!closed));
      element.setAttribute("aria-label", `${group.name}, ${closed ? "closed" : "open"}`);
      title.textContent = title.textContent.replace(/^./u, closed ? "▸" : "▾");
      const [left, top] = to([box.x, box.y]), [right, bottom] = to([box.x + box.width, box.y + box.height]);
      Object.entries({x: left, y: top, width: right - left, height: bottom - top}).forEach(([name, value]) => frame.setAttribute(name, value.toFixed(2)));
      const centre = (left + right) / 2, start = (top + bottom - block.height) / 2;
      move(title, titleBox, closed ? [centre, start + titleBox.height / 2] : to(middle(titleBox)));
      lines.forEach((line, k) => {
        hide(line, !closed);
        line.setAttribute("x", centre.toFixed(2));
        line.setAttribute("y", (start + titleBox.height + (k + 0.75) * LEADING).toFixed(2));
      });
    }
    const drawnOnce = new Set();
    for (const arrow of arrows) redraw(arrow, to, move, drawnOnce);
    resize(to);
  }

  /** An arrow between what is seen: cut at the frames of closed groups, and only one between the same two. */
  function redraw({element, ends, path, head, label, points, length, labelBox, drawn, corners}, to, move, drawnOnce) {
    const [source, target] = ends.map(standsFor);
    const first = source ? points.findIndex((point) => !inside(point, source.core)) : 0;
    const last = target ? points.findLastIndex((point) => !inside(point, target.core)) : points.length - 1;
    const key = ends.map((id, k) => [source, target][k]?.id ?? id).join(" ");
    const isHidden = (source ?? target) && (source === target || first < 0 || last - first < 2 || drawnOnce.has(key));
    hide(element, isHidden);
    if (isHidden) return;
    if (source || target) drawnOnce.add(key);
    const moved = points.slice(first, last + 1).map(to), tip = moved.at(-1);
    const tapered = Math.min(length, apart(moved[0], tip) * 0.7);  // where a gap is short, so is the arrowhead
    const line = head ? moved.filter((point) => apart(point, tip) >= tapered * 0.9) : moved;
    const isSame = !source && !target && apart(moved[0], points[0]) + apart(tip, points.at(-1)) === 0;
    path.setAttribute("d", isSame ? drawn : smooth(thinned(line)));
    if (label) {
      hide(label, source || target);
      move(label, labelBox);
    }
    if (!head) return;
    const [a, b] = line.at(-1), turn = (Math.atan2(tip[1] - b, tip[0] - a) * 180) / Math.PI;
    head.setAttribute("points", isSame ? corners : `0,0 ${-tapered},${tapered * 0.35} ${-tapered},${-tapered * 0.35}`);
    head.setAttribute("transform", isSame ? "" : `translate(${tip[0].toFixed(2)} ${tip[1].toFixed(2)}) rotate(${turn.toFixed(1)})`);
  }

  /** The paper and the view as large as what is left; the heading in the middle. */
  function resize(to) {
    const [left, top] = to([whole.x, whole.y]), [right, bottom] = to([whole.x + whole.width, whole.y + whole.height]);
    const width = Math.max(right - left, ...headingBoxes.map((box) => box.width + 2 * ROOM));
    const start = (left + right - width) / 2;
    heading.forEach((text, k) => text.setAttribute("transform", `translate(${(start + width / 2 - middle(headingBoxes[k])[0]).toFixed(2)} ${(top - whole.y).toFixed(2)})`));
    const isWhole = right - left === whole.width && bottom - top === whole.height;
    paper.setAttribute("points", isWhole ? outline : `${start},${top} ${start + width},${top} ${start + width},${bottom} ${start},${bottom}`);
    svg.setAttribute("viewBox", [start + origin.x, top + origin.y, width + margin, bottom - top + below].map((n) => n.toFixed(2)).join(" "));
  }

  function set(group, closed) {
    const before = group.title.getBoundingClientRect();
    group.closed = closed;
    apply();
    changed(group.title, before);
  }

  for (const group of groups) {
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
    /** Open all groups around a node. */
    open: (id) => upTo(home.get(id)).filter(({closed}) => closed).forEach((group) => set(group, false)),
    setAll(closed) {
      groups.forEach((group) => (group.closed = closed));
      apply();
      changed();
    },
  };
}
