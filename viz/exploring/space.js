// Where things move to when groups are closed.
//
// Graphviz laid the picture out with all groups open. When some are closed, the rows and columns of space that only their
// inside needed are taken out, and what is left is pushed across the flow so that arrows run straight. What was before
// something else along the flow, or beside it, comes nearer, but never to overlap.

export const ROOM = 16; // what is left of a row or column of space that nothing needs

export const middle = (box) => [box.x + box.width / 2, box.y + box.height / 2];

/** The least and the largest of points, by each axis. */
export function extent(points) {
  const low = [Infinity, Infinity];
  const high = [-Infinity, -Infinity];
  for (const point of points) {
    for (const k of [0, 1]) {
      low[k] = Math.min(low[k], point[k]);
      high[k] = Math.max(high[k], point[k]);
    }
  }
  return [low, high];
}

/** Runs of numbers [from, to] in order, those that overlap as one. */
function merged(runs) {
  const found = [];
  for (const [a, b] of [...runs].sort((p, q) => p[0] - q[0])) {
    const last = found.at(-1);
    if (last && a <= last[1]) last[1] = Math.max(b, last[1]);
    else found.push([a, b]);
  }
  return found;
}

/** What is left of merged runs without others. */
function without(runs, others) {
  let left = runs;
  for (const [a, b] of others)
    left = left.flatMap(([from, to]) =>
      [
        [from, Math.min(a, to)],
        [Math.max(b, from), to],
      ].filter(([p, q]) => p < q),
    );
  return left;
}

/** Where places on an axis move to when `closed` runs of it shrink, save what lies in `needed` ones. */
export function squeezed(closed, needed) {
  const runs = without(merged(closed), merged(needed)).filter(([a, b]) => b - a > ROOM);
  return (x) => x - runs.reduce((less, [a, b]) => less + Math.max(0, Math.min(x, b) - a) * (1 - ROOM / (b - a)), 0);
}

/**
 * How far to push what is at a place along the flow, so that arrows run straight.
 *
 * things: what is seen, from id to {along: [from, to], across: its middle across the flow}; pairs: [source, target] of arrows.
 * All that overlaps along the flow is pushed as one, and the space between in proportion.
 */
export function straightened(things, pairs) {
  const ranks = merged([...things.values()].map(({along}) => along)).map(([from, to]) => ({from, to, push: 0}));
  const rankOf = (id) => ranks.findIndex(({to}) => things.get(id).along[0] <= to);
  const spans = pairs.map(([source, target]) => ({
    from: rankOf(source),
    to: rankOf(target),
    rise: things.get(source).across - things.get(target).across,
  }));
  ranks.forEach((rank, k) => {
    const ending = spans.filter(({from, to}) => to === k && from < k).map(({from, rise}) => rise + ranks[from].push);
    const passing = spans.filter(({from, to}) => from < k && k < to).map(() => ranks[k - 1].push); // they would bend with each rank
    const wanted = [...ending, ...passing];
    rank.push = wanted.reduce((a, b) => a + b, 0) / Math.max(1, wanted.length);
  });
  return (x) => {
    const k = ranks.findIndex(({to}) => x <= to);
    const next = ranks[k] ?? ranks.at(-1);
    const last = ranks[k - 1];
    if (!last || x >= next.from) return next?.push ?? 0;
    return last.push + ((next.push - last.push) * (x - last.to)) / (next.from - last.to);
  };
}
