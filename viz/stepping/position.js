// Where the reader is.

import {get} from "../pages/dom.js";
import {canAsk} from "./practice.js";
import {STEPS} from "./steps.js";

export const solved = new Set(); // shares that were answered, or shown
export let current = 0; // step

export function setCurrent(step) {
  current = step;
}

/** Whether the number of the current step is asked for. */
export const isHidden = () => get("practice").checked && canAsk(current) && !solved.has(STEPS[current].share);

/** The last step whose results are shown. */
export const shown = () => (isHidden() ? current - 1 : current);
