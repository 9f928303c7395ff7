// Layers of a network: groups of operations that are one step while they are closed.

const NAMES = new Map(TRACE.picture.groups.map(({id, name}) => [id, name]));
const NESTING = nestingOf(TRACE.picture.groups);
const homeOf = (i) => NESTING.homeOf(TRACE.ids[i])?.id;
const isIn = (i, layer) => NESTING.around(TRACE.ids[i]).some(({id}) => id === layer);

/** The results that leave a layer. */
const exitsOf = (layer) => TRACE.forward.filter((i) => isIn(i, layer) && (i === OUTPUT || NODES_USING[i].some((user) => !isIn(user, layer))));
/** What comes into a layer from outside, of these operations; and what else it starts from, such as parameters. */
const enters = (layer, nodes) => [...new Set(nodes.flatMap((i) => NODES[i].inputs))].filter((i) => !isIn(i, layer));
const held = (layer) => NODES.map((_, i) => i).filter((i) => isInput(i) && isIn(i, layer));

const EXITS = new Map([...NAMES.keys()].map((layer) => [layer, exitsOf(layer)]));
const NUMBER_ROOM = "-8.888e-88";
// Of an array a box has room for one number: a gradient's mean tells little, as its signs cancel.
const inBox = {
  value: (i, text) => `value${isScalar(i) ? "" : " mean"} ${text}`,
  gradient: (i, text) => `${isScalar(i) ? "gradient" : "largest gradient"} ${text}`,
};
const largest = (numbers) => (numbers.length > 1 ? Math.max(...numbers.map(Math.abs)) : numbers[0]);

for (const group of TRACE.picture.groups) {
  const exits = EXITS.get(group.id);
  group.lines = exits.length === 1 ? [`${label(exits[0])} ${NODES[exits[0]].form}`, inBox.value(exits[0], NUMBER_ROOM), inBox.gradient(exits[0], NUMBER_ROOM)] : exits.map(label);
}

const layers = TRACE.picture.groups.length && svg.querySelector("g.graph") ? openable(svg, TRACE.picture, replan) : unframed(TRACE.picture.groups);

/** Layers of a graph too large for frames: as steps they open and close all the same, from the button below a step. */
function unframed(groups) {
  const setAll = (isClosed) => {
    groups.forEach((group) => (group.closed = isClosed(group)));
    replan();
  };
  return {groups, standsFor: NESTING.standsFor, setAll, set: (group, closed) => setAll((each) => (each === group ? closed : each.closed))};
}
const initially = openNow();

/** The groups that are open, as they stand in a link. */
function openNow() {
  return layers.groups.filter(({closed}) => !closed).map(({id}) => id).join(",");
}

/** What shows a node: itself, or the closed layer that it is in. */
const seenAs = (i) => layers.standsFor(TRACE.ids[i])?.element ?? elements[i];

/** The numbers in the box of a closed layer: those of its one result. */
function refreshLayers(i, known, gradient) {
  for (const {id, lines, element} of layers.groups) {
    const exits = EXITS.get(id);
    if (!element || exits.length !== 1 || exits[0] !== i) continue;
    lines[1].textContent = inBox.value(i, known ? signed(run.value[i][0]) : "?");
    lines[2].textContent = inBox.gradient(i, gradient ? signed(largest(gradient)) : "?");
  }
}

// -- The steps ---------------------------------------------------------------------------------------------------------

let STEPS, SEED, STEP_OF_NODE, STEP_OF_SHARE;

/** All steps: one for each operation, or for each closed layer. `begins` counts operations, however they are shown. */
function plan() {
  let begins = 0;
  STEPS = [];
  const add = (step) => STEPS.push({...step, begins: begins++});
  const join = (kind, part, item, i, single) => {
    const layer = layers.standsFor(TRACE.ids[i])?.id, last = STEPS.at(-1);
    if (!layer) add(single);
    else if (last.kind === kind && last.layer === layer) last[part].push(item), begins++;
    else add({kind, layer, [part]: [item]});
  };
  add({kind: "start"});
  for (const node of TRACE.forward) join("layerForward", "nodes", node, node, {kind: "forward", node});
  SEED = STEPS.length;
  add({kind: "seed"});
  SHARES.forEach(({result}, share) => join("layerBackward", "shares", share, result, {kind: "backward", share}));
  add({kind: "end"});
  STEP_OF_NODE = NODES.map(() => 0);
  STEP_OF_SHARE = SHARES.map(() => 0);
  STEPS.forEach(({node, nodes, share, shares}, step) => {
    for (const i of nodes ?? (node === undefined ? [] : [node])) STEP_OF_NODE[i] = step;
    for (const k of shares ?? (share === undefined ? [] : [share])) STEP_OF_SHARE[k] = step;
  });
}

// -- In words ----------------------------------------------------------------------------------------------------------

const shaped = (i) => `${label(i)}${NODES[i].form ? ` ${NODES[i].form}` : ""}`;

function layerForwardLines({layer, nodes}) {
  const from = enters(layer, nodes), count = `${nodes.length} operation${nodes.length === 1 ? "" : "s"}`, parameters = held(layer).filter((i) => NODES[i].gradient);
  const lines = EXITS.get(layer).filter((i) => nodes.includes(i)).flatMap((i) => [
    [`${label(i)}: ${NODES[i].form || "scalar"}`, `computed${from.length ? ` from ${list(from)}` : ""}; ${count} in this layer`],
    [valueText(i), "its numbers"],
  ]);
  if (parameters.length) lines.push([parameters.slice(0, 6).map(shaped).join(", "), `${parameters.length > 6 ? `and ${parameters.length - 6} more: ` : ""}what the layer learns`]);
  return lines;
}

/** For each node that shares go to, the last of them. */
function reached(shares) {
  return [...new Map(shares.map((k) => [SHARES[k].source, k]))];
}

function layerBackwardLines({layer, shares}) {
  const lines = EXITS.get(layer).filter((i) => run.gradient[i] && shares.some((k) => SHARES[k].result === i))
    .map((i) => [`gradient of ${label(i)}: ${gradientText(i)}`, i === OUTPUT ? "the output: here the backward pass starts" : "comes in, from what uses the layer's result"]);
  for (const [i, k] of reached(shares)) {
    const left = SHARES_OF[i].length - SHARES_OF[i].indexOf(k) - 1;
    if (isIn(i, layer) && !isInput(i)) continue;
    const says = isIn(i, layer) ? `how ${label(OUTPUT)} changes with it` : left ? `goes on to ${label(i)}; ${left} more to come` : `goes on to ${label(i)}, which the layer was given`;
    lines.push([`gradient of ${label(i)}${left ? " so far" : ""}: ${totalText(k)}`, says]);
  }
  return lines;
}

/** The button below a layer's step, which opens it, or below a step inside an open one, which closes it. */
function layerButton(step) {
  const {layer, node, share, nodes, shares} = STEPS[step];
  const i = node ?? (share === undefined ? undefined : SHARES[share].result);
  const id = layer ?? homeOf(i), group = layers.groups.find((each) => each.id === id);
  if (!group) return [];
  const count = (nodes ?? shares)?.length, told = count === 1 ? "its operation" : nodes ? `its ${count} operations` : "its operations";
  const button = make("button", {type: "button", textContent: layer ? `Step through ${told}` : `Close ${group.name}`});
  button.addEventListener("click", () => {
    layers.set(group, !layer);
    reveal();  // what the step is about, not the layer's title
  });
  return [button];
}
