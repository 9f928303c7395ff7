// An expression that is computed frame by frame.

import {get} from "../pages/dom.js";
import {player} from "../pages/player.js";
import {DATA} from "./frames.js";

const STATISTICS = 3; // slots 0 to 2 are for the value, 3 to 5 for the gradient

const nodes = DATA.ids.map(get);
const arrows = [...document.querySelectorAll("#graph .edge")];
const slots = nodes.map((node) =>
  Object.fromEntries([...node.querySelectorAll("[data-slot]")].map((text) => [text.dataset.slot, text])),
);

function put(slot, text) {
  if (slot) slot.textContent = text ?? "";
}

function show(k) {
  const frame = DATA.frames[k];
  get("caption").textContent = frame.caption;
  nodes.forEach((node, i) => {
    const isPending = frame.pending.includes(i);
    const gradient = frame.gradients[i] ?? [];
    node.classList.toggle("pending", isPending);
    node.classList.toggle("now", frame.now === i);
    for (let j = 0; j < STATISTICS; j++) {
      put(slots[i][j], isPending ? "" : DATA.values[i][j]);
      put(slots[i][j + STATISTICS], gradient[j]);
    }
  });
  for (const arrow of arrows) {
    const isOn = frame.edges.some((e) => arrow.id === `e${e}`);
    arrow.classList.toggle("ahead", isOn && frame.way === "ahead");
    arrow.classList.toggle("behind", isOn && frame.way === "behind");
  }
  if (frame.now !== null) nodes[frame.now].scrollIntoView({block: "nearest", inline: "nearest"});
}

player({last: DATA.frames.length - 1, seconds: DATA.seconds, show});
