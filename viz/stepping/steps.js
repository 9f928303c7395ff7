// The steps that the page goes through, and which of them shows what.

import {layerOf} from "./layers.js";
import {NODES, SHARES} from "./recording.js";
import {TRACE} from "./trace.js";

export let STEPS;
export let SEED;
export let STEP_OF_NODE;
export let STEP_OF_SHARE;

/** All steps: one for each operation, or for each closed layer. `begins` counts operations, however they are shown. */
export function plan() {
  let begins = 0;
  STEPS = [];
  const add = (step) => STEPS.push({...step, begins: begins++});
  const join = (kind, part, item, i, single) => {
    const layer = layerOf(i)?.id;
    const last = STEPS.at(-1);
    if (!layer) add(single);
    else if (last.kind === kind && last.layer === layer) {
      last[part].push(item);
      begins++;
    } else add({kind, layer, [part]: [item]});
  };
  add({kind: "start"});
  for (const node of TRACE.forward) join("layerForward", "nodes", node, node, {kind: "forward", node});
  SEED = STEPS.length;
  add({kind: "seed"});
  for (const [share, {result}] of SHARES.entries())
    join("layerBackward", "shares", share, result, {kind: "backward", share});
  add({kind: "end"});
  STEP_OF_NODE = NODES.map(() => 0);
  STEP_OF_SHARE = SHARES.map(() => 0);
  STEPS.forEach(({node, nodes, share, shares}, step) => {
    for (const i of nodes ?? (node === undefined ? [] : [node])) STEP_OF_NODE[i] = step;
    for (const k of shares ?? (share === undefined ? [] : [share])) STEP_OF_SHARE[k] = step;
  });
}
