// Groups of a picture that open and close, by a click on their titles or by keyboard. See space.js for what moves where.

const AROUND = 12;  // space that belongs to a node, so that arrowheads keep their length
const INSET = 10;  // of a closed group's box from its frame, at least, so that arrows from close by can be seen
const PADDING = 12;  // around the words in it
const LETTERS = 12, LEADING = 16;  // of the lines below its title

const inside = ([x, y], box) => x > box.x && x < box.x + box.width && y > box.y && y < box.y + box.height;
const mean = (points) => [0, 1].map((k) => points.reduce((sum, point) => sum + point[k], 0) / points.length);
const hide = (element, isHidden) => (isHidden ? element.setAttribute("display", "none") : element.removeAttribute("display"));

function movedBox(box, to) {
  const [a, b] = to(middle(box));
  return {x: a - box.width / 2, y: b - box.height / 2, width: box.width, height: box.height};
}

/**
 * Lets the groups of an SVG that Graphviz made open and close.
 *
 * picture: {flow, edges: [[source, target], ...], groups: [{id, name, nodes, parent, closed, lines}, ...]}, ids as in the SVG.
 * changed: is called after that, with the title and where it stood on the screen before.
 * Returns {groups, standsFor, set, open, setAll}: which closed group stands for a node, and ways to open and close by program.
 */
function openable(svg, picture, changed) {
  const {x, y, width, height} = svg.viewBox.baseVal, wholeView = svg.getAttribute("viewBox");
  svg.style.width = `${width}px`;  // letters are measured at their own size: in a small picture they would be rounded
  svg.style.height = `${height}px`;
  const find = (id) => svg.querySelector(`[id="${id}"]`);
  const root = svg.querySelector("g.graph"), paper = root.querySelector(":scope > polygon"), heading = [...root.querySelectorAll(":scope > text")];
  const whole = paper.getBBox(), outline = paper.getAttribute("points"), headingBoxes = heading.map((text) => text.getBBox());
  const margin = {x: x - whole.x, y: y - whole.y, width: width - whole.width, height: height - whole.height};
  const nodes = [...svg.querySelectorAll("g.node")].map((element) => ({id: element.id, element, box: element.getBBox()}));
  const groups = picture.groups.filter(({id}) => find(id)?.classList.contains("cluster")).map(framed);
  const arrows = groups.length ? picture.edges.map((ends, k) => arrowOf(find(`e${k}`), ends)) : [];
  svg.style.width = svg.style.height = "";

  const byId = new Map(groups.map((group) => [group.id, group]));
  const home = new Map(groups.flatMap((group) => group.nodes.map((node) => [node, group])));
  /** The groups around one, outermost first, and itself. */
  const upTo = (group) => (group ? [...upTo(byId.get(group.parent)), group] : []);
  const shutAround = (group) => upTo(group).find(({closed}) => closed);
  /** The outermost closed group around a node, or undefined where the node itself is seen. */
  const standsFor = (id) => shutAround(home.get(id));

  for (const {ends, points} of arrows) {
    const [from, to] = ends.map((id) => upTo(home.get(id)));
    for (const group of from) if (!to.includes(group)) group.crossings.push(points.find((point) => !inside(point, group.core)));
    for (const group of to) if (!from.includes(group)) group.crossings.push(points.findLast((point) => !inside(point, group.core)));
  }

  /** A group with its elements and measures: a frame for Graphviz's outline, and lines for when it is closed. */
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
    const titleBox = title.getBBox(), words = Math.max(titleBox.width, ...lines.map((line) => line.getBBox().width));
    const block = {width: words + 2 * PADDING, height: titleBox.height + lines.length * LEADING + 2 * PADDING};
    const core = {x: box.x + INSET, y: box.y + INSET, width: box.width - 2 * INSET, height: box.height - 2 * INSET};
    return {...group, element, frame, title, lines, box, core, titleBox, block, crossings: []};
  }

  /** The box of a group before any space is taken out; of a closed one amid the arrows that lead there. */
  function boxOf({closed, box, core, block, crossings}) {
    if (!closed) return box;
    const met = crossings.filter(Boolean), [a, b] = mean(met.length ? met : [middle(core)]);
    const within = (centre, from, room, size) => Math.max(from, Math.min(from + room - size, centre - size / 2));
    return {...block, x: within(a, core.x, core.width, block.width), y: within(b, core.y, core.height, block.height)};
  }

  /** Where a place moves to, for the groups that are shown and the nodes that are seen. */
  function movement(shown, seen) {
    const shut = shown.filter(({closed}) => closed);
    const labels = arrows.filter(({ends, label}) => label && !ends.some(standsFor)).map(({labelBox}) => [labelBox, 2]);
    const needed = [...seen.map(({box}) => [box, AROUND]), ...shown.map((group) => (group.closed ? [boxOf(group), 0] : [group.titleBox, AROUND / 2])), ...labels];
    const along = (at, size) => squeezed(shut.map(({core}) => [core[at], core[at] + core[size]]), needed.map(([box, more]) => [box[at] - more, box[at] + box[size] + more]));
    const left = along("x", "width"), top = along("y", "height"), isDown = picture.flow === "down";
    if (!shut.length) return (point) => point;
    const things = new Map([...seen, ...shown].map((thing) => {
      const box = boxOf(thing), [a, b] = [[left(box.x), left(box.x + box.width)], [top(box.y), top(box.y + box.height)]];
      const [flow, cross] = isDown ? [b, a] : [a, b];
      return [thing.id, {along: flow, across: (cross[0] + cross[1]) / 2}];
    }));
    const pairs = arrows.map(({ends}) => ends.map((id) => standsFor(id)?.id ?? id)).filter(([source, target]) => source !== target);
    const push = straightened(things, pairs);
    return ([a, b]) => (isDown ? [left(a) + push(top(b)), top(b)] : [left(a), top(b) + push(left(a))]);
  }

  function apply() {
    const shown = groups.filter((group) => !shutAround(byId.get(group.parent))), seen = nodes.filter(({id}) => !standsFor(id));
    const to = movement(shown, seen), isWhole = !shown.some(({closed}) => closed);
    const move = (element, box, [a, b] = to(middle(box))) => {
      const from = middle(box);
      element.setAttribute("transform", `translate(${(a - from[0]).toFixed(2)} ${(b - from[1]).toFixed(2)})`);
    };
    for (const {element, box, id} of nodes) {
      hide(element, standsFor(id));
      move(element, box);
    }
    for (const group of groups) {
      hide(group.element, !shown.includes(group));
      if (shown.includes(group)) drawGroup(group, to, move);
    }
    if (isWhole) {
      arrows.forEach(restore);
      resize();
    } else {
      const boxes = new Map([...seen.map(({id, box}) => [id, movedBox(box, to)]), ...shown.filter(({closed}) => closed).map(({id, drawn}) => [id, drawn])]);
      const frames = shown.map(({drawn}) => drawn), between = new Set();
      const corners = [...boxes.values(), ...frames].flatMap(({x, y, width, height}) => [[x, y], [x + width, y + height]]);
      for (const arrow of arrows) corners.push(...drawArrow(arrow, to, move, between, boxes));
      resize(corners);
    }
  }

  function drawGroup(group, to, move) {
    const {element, frame, title, lines, titleBox, closed} = group, box = boxOf(group);
    element.classList.toggle("closed", closed);
    element.setAttribute("aria-expanded", String(!closed));
    element.setAttribute("aria-label", `${group.name}, ${closed ? "closed" : "open"}`);
    title.textContent = title.textContent.replace(/^./u, closed ? "▸" : "▾");
    const [left, top] = to([box.x, box.y]), [right, bottom] = to([box.x + box.width, box.y + box.height]);
    group.drawn = {x: left, y: top, width: right - left, height: bottom - top};
    Object.entries(group.drawn).forEach(([name, value]) => frame.setAttribute(name, value.toFixed(2)));
    const centre = (left + right) / 2, below = top + PADDING + titleBox.height;
    move(title, titleBox, closed ? [centre, below - titleBox.height / 2] : to(middle(titleBox)));
    lines.forEach((line, k) => {
      hide(line, !closed);
      line.setAttribute("x", centre.toFixed(2));
      line.setAttribute("y", (below + (k + 0.75) * LEADING).toFixed(2));
    });
  }

  /** An arrow between what is seen, only one between the same two where a closed group stands for one; returns its points. */
  function drawArrow(arrow, to, move, between, boxes) {
    const {element, ends, label, labelBox, points} = arrow, [source, target] = ends.map(standsFor), isCut = Boolean(source ?? target);
    const ids = ends.map((id) => standsFor(id)?.id ?? id), isHidden = isCut && (source === target || between.has(ids.join(" ")));
    hide(element, isHidden);
    if (isHidden) return [];
    if (isCut) between.add(ids.join(" "));
    if (label) hide(label, isCut);
    if (label) move(label, labelBox);
    const way = isCut ? wayBetween(ids, boxes, cut(points, source, target).map(to)) : points.map(to);
    redraw(arrow, way);
    return way;
  }

  /** From box to box: straight if no other stands in the way, else along Graphviz's way between them. */
  function wayBetween(ids, boxes, between) {
    const [from, to] = ids.map((id) => boxes.get(id)), direct = line(edgeOf(from, middle(to)), edgeOf(to, middle(from)));
    const isFree = ![...boxes].some(([id, box]) => !ids.includes(id) && direct.some((point) => inside(point, box)));
    return isFree || !between.length ? direct : [edgeOf(from, between[0]), ...between, edgeOf(to, between.at(-1))];
  }

  /** The points of an arrow that are outside of the closed groups that it leads between. */
  function cut(points, source, target) {
    const first = source ? points.findIndex((point) => !inside(point, source.core)) : 0;
    const last = target ? points.findLastIndex((point) => !inside(point, target.core)) : points.length - 1;
    return first < 0 ? [] : points.slice(first, last + 1);
  }

  /** The paper and the view as large as what is seen, the heading in the middle above it; without corners as they were. */
  function resize(corners) {
    heading.forEach((text) => text.removeAttribute("transform"));
    paper.setAttribute("points", outline);
    svg.setAttribute("viewBox", wholeView);
    if (!corners) return;
    const [[left, right], [top, bottom]] = [0, 1].map((k) => corners.reduce(([low, high], corner) => [Math.min(low, corner[k]), Math.max(high, corner[k])], [Infinity, -Infinity]));
    const half = Math.max((right - left) / 2, ...headingBoxes.map((box) => box.width / 2)) + ROOM, centre = (left + right) / 2;
    const start = top - ROOM - Math.max(0, ...headingBoxes.map((box) => box.y + box.height - whole.y));
    heading.forEach((text, k) => text.setAttribute("transform", `translate(${(centre - middle(headingBoxes[k])[0]).toFixed(2)} ${(start - whole.y).toFixed(2)})`));
    const [a, b, c, d] = [centre - half, start, centre + half, bottom + ROOM];
    paper.setAttribute("points", `${a},${b} ${c},${b} ${c},${d} ${a},${d}`);
    svg.setAttribute("viewBox", [a + margin.x, b + margin.y, c - a + margin.width, d - b + margin.height].map((n) => n.toFixed(2)).join(" "));
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
    set,
    /** Open all groups around a node. */
    open: (id) => upTo(home.get(id)).filter(({closed}) => closed).forEach((group) => set(group, false)),
    setAll(closed) {
      groups.forEach((group) => (group.closed = closed));
      apply();
      changed();
    },
  };
}
