// The recording: what was computed from what, and how gradients went back.

import {TRACE} from "./trace.js";

export const NODES = TRACE.nodes;
export const SHARES = TRACE.backward;
export const OUTPUT = NODES.length - 1;
export const isInput = (i) => !NODES[i].op && NODES[i].kind !== "constant";

// For each node the shares that it gets, in the order of the backward pass.
export const SHARES_OF = NODES.map(() => []);
for (const [k, {source}] of SHARES.entries()) SHARES_OF[source].push(k);

// For each node those that are computed from it.
export const NODES_USING = NODES.map(() => []);
for (const [i, {inputs}] of NODES.entries()) for (const k of new Set(inputs)) NODES_USING[k].push(i);

export const label = (i) => NODES[i].label;
export const isScalar = (i) => !NODES[i].form;
