// Where everything stands, for the groups that are closed now: the moves of space.js, and frames around what is open.

import {middle, squeezed, straightened} from "./space.js";

const AROUND = 12; // space that belongs to a node, so that arrowheads keep their length
const FRAME = 8; // between a frame and what is in it, as Graphviz has it

const mean = (points) => [0, 1].map((k) => points.reduce((sum, point) => sum + point[k], 0) / points.length);

/** Whether two boxes have more than so much in common both ways. */
export function overlap(p, q, least) {
  const common = (at, size) => Math.min(p[at] + p[size], q[at] + q[size]) - Math.max(p[at], q[at]);
  return common("x", "width") > least && common("y", "height") > least;
}

/** The box of a group before any space is taken out; of a closed one amid the arrows that lead there. */
function boxOf({closed, box, core, block, crossings}) {
  if (!closed) return box;
  const met = crossings.filter(Boolean);
  const [a, b] = mean(met.length ? met : [middle(core)]);
  const within = (centre, from, room, size) => Math.max(from, Math.min(from + room - size, centre - size / 2));
  return {...block, x: within(a, core.x, core.width, block.width), y: within(b, core.y, core.height, block.height)};
}

/**
 * shown: groups with nothing closed around them; seen: nodes likewise; pairs: [source, target] of the arrows between these.
 * isIn(id, group) says whether a node or group is inside a group.
 * Returns {to, boxes, frames}: where a point moves to, and what is where, by id.
 */
export function arranged({shown, seen, pairs, labels, flow, isIn}) {
  const shut = shown.filter(({closed}) => closed);
  const open = shown.filter(({closed}) => !closed);
  if (!shut.length)
    return {
      to: (point) => point,
      boxes: new Map(seen.map(({id, box}) => [id, box])),
      frames: new Map(open.map(({id, box}) => [id, box])),
    };
  const needed = [
    ...seen.map(({box}) => [box, AROUND]),
    ...shut.map((group) => [boxOf(group), 0]),
    ...open.map(({titleBox}) => [titleBox, AROUND / 2]),
    ...labels.map((box) => [box, 2]),
  ];
  const shrink = (at, size) =>
    squeezed(
      shut.map(({core}) => [core[at], core[at] + core[size]]),
      needed.map(([box, more]) => [box[at] - more, box[at] + box[size] + more]),
    );
  const left = shrink("x", "width");
  const top = shrink("y", "height");

  /** The layout if these are pushed one by one, and what overlaps along the flow together. */
  const pushed = (things) => {
    const extents = new Map(
      things.map((thing) => {
        const box = boxOf(thing);
        const x = [left(box.x), left(box.x + box.width)];
        const y = [top(box.y), top(box.y + box.height)];
        const [run, cross] = flow === "down" ? [y, x] : [x, y];
        return [thing.id, {along: run, across: (cross[0] + cross[1]) / 2}];
      }),
    );
    const push = straightened(extents, pairs);
    const to = ([a, b]) => (flow === "down" ? [left(a) + push(top(b)), top(b)] : [left(a), top(b) + push(left(a))]);
    const boxes = new Map([...seen, ...shut].map((thing) => [thing.id, moved(boxOf(thing), to)]));
    return {to, boxes};
  };

  const loose = pushed([...seen, ...shut]);
  const frames = wrapped(open, loose.boxes, isIn);
  const all = [...loose.boxes, ...frames];
  const isFree = open.every((group) =>
    all.every(
      ([id, box]) =>
        id === group.id || isIn(id, group) || isAround(id, group) || !overlap(box, frames.get(group.id), 1),
    ),
  );
  if (isFree) return {...loose, frames};
  const stiff = pushed([...seen, ...shown]); // open groups as a whole: then nothing comes between what is in them
  return {...stiff, frames: new Map(open.map(({id, box}) => [id, stretched(box, stiff.to)]))};

  function isAround(id, group) {
    const other = open.find((each) => each.id === id);
    return other !== undefined && isIn(group.id, other);
  }
}

/** A box that keeps its size, about the place that its middle moves to. */
function moved(box, to) {
  const [a, b] = to(middle(box));
  return {x: a - box.width / 2, y: b - box.height / 2, width: box.width, height: box.height};
}

/** A box that grows and shrinks with its corners. */
function stretched(box, to) {
  const [x, y] = to([box.x, box.y]);
  const [right, bottom] = to([box.x + box.width, box.y + box.height]);
  return {x, y, width: right - x, height: bottom - y};
}

/** Frames around what is in open groups, inner ones first. */
function wrapped(open, boxes, isIn) {
  const frames = new Map();
  for (const group of [...open].reverse()) {
    const held = [...boxes, ...frames].filter(([id]) => isIn(id, group)).map(([, box]) => box);
    const x = Math.min(...held.map((box) => box.x)) - FRAME;
    const y = Math.min(...held.map((box) => box.y)) - FRAME - group.titleBox.height;
    const right = Math.max(...held.map((box) => box.x + box.width)) + FRAME;
    const bottom = Math.max(...held.map((box) => box.y + box.height)) + FRAME;
    frames.set(group.id, {x, y, width: Math.max(right - x, group.titleBox.width + 2 * FRAME), height: bottom - y});
  }
  return frames;
}
