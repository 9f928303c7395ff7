// Layers of a network: groups of operations that are one step while they are closed.

import {nestingOf} from "../exploring/nesting.js";
import {isInput, NODES, NODES_USING, OUTPUT} from "./recording.js";
import {TRACE} from "./trace.js";

export const GROUPS = TRACE.picture.groups;
export const NAMES = new Map(GROUPS.map(({id, name}) => [id, name]));
const NESTING = nestingOf(GROUPS);
export const homeOf = (i) => NESTING.homeOf(TRACE.ids[i])?.id;
/** The closed layer that a node is in, or undefined. */
export const layerOf = (i) => NESTING.standsFor(TRACE.ids[i]);
export const isIn = (i, layer) => NESTING.around(TRACE.ids[i]).some(({id}) => id === layer);

/** The results that leave a layer. */
const exitsOf = (layer) =>
  TRACE.forward.filter((i) => isIn(i, layer) && (i === OUTPUT || NODES_USING[i].some((user) => !isIn(user, layer))));
/** What comes into a layer from outside, of these operations; and what else it starts from, such as parameters. */
export const enters = (layer, nodes) =>
  [...new Set(nodes.flatMap((i) => NODES[i].inputs))].filter((i) => !isIn(i, layer));
export const held = (layer) => NODES.map((_, i) => i).filter((i) => isInput(i) && isIn(i, layer));

export const EXITS = new Map([...NAMES.keys()].map((layer) => [layer, exitsOf(layer)]));

/** The groups that are open, as they stand in a link. */
export const openNow = () =>
  GROUPS.filter(({closed}) => !closed)
    .map(({id}) => id)
    .join(",");

/** Layers of a graph too large for frames: as steps they open and close all the same, from the button below a step. */
export function unframed(replan) {
  const setAll = (isClosed) => {
    for (const group of GROUPS) group.closed = isClosed(group);
    replan();
  };
  return {setAll, set: (group, closed) => setAll((each) => (each === group ? closed : each.closed))};
}
