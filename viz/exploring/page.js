// The page of a picture: pan, zoom and search.

import {get, isForBrowser} from "../pages/dom.js";
import {openable} from "./groups.js";
import {PICTURE} from "./picture.js";

const view = get("view");
const svg = view.querySelector("svg");
const boxNow = () => (({x, y, width, height}) => ({x, y, width, height}))(svg.viewBox.baseVal);
const groups = openable(svg, PICTURE, stay);
const READABLE = 0.97; // units per pixel, at most: the smallest letters are 11 units high
const LARGEST = 0.6; // units per pixel, at least: a small picture need not fill the window
if (!groups.groups.length) lower();
let all = roomy(boxNow());
let box = all;

function show(next) {
  box = next;
  svg.setAttribute("viewBox", [box.x, box.y, box.width, box.height].map((n) => Number(n.toFixed(3))).join(" "));
}

/** The window no higher than its picture needs. */
function lower() {
  const {width, height} = boxNow();
  const scale = Math.min(Math.max(width / view.clientWidth, LARGEST), READABLE);
  view.style.height = `min(72vh, ${Math.max(240, Math.ceil(height / scale) + 16)}px)`;
}

/** The box, with space around it where letters would be huge. */
function roomy(part) {
  const size = view.getBoundingClientRect();
  const grow = LARGEST / unitsPerPixel(part);
  if (grow <= 1) return part;
  const width = Math.max(part.width, LARGEST * size.width);
  const height = Math.max(part.height, LARGEST * size.height);
  return {x: part.x - (width - part.width) / 2, y: part.y - (height - part.height) / 2, width, height};
}

function unitsPerPixel(part = box) {
  const size = view.getBoundingClientRect();
  return Math.max(part.width / size.width, part.height / size.height);
}

/** Zoom by a factor about a place in the window; the place stays where it is. */
function zoom(factor, clientX, clientY) {
  const width = box.width / factor;
  if (width > 4 * all.width || width < 20) return;
  const place = new DOMPoint(clientX, clientY).matrixTransform(svg.getScreenCTM().inverse());
  show({
    x: place.x - (place.x - box.x) / factor,
    y: place.y - (place.y - box.y) / factor,
    width,
    height: box.height / factor,
  });
}

function zoomMiddle(factor) {
  const size = view.getBoundingClientRect();
  zoom(factor, size.x + size.width / 2, size.y + size.height / 2);
}

const move = (dx, dy) => show({...box, x: box.x + dx * unitsPerPixel(), y: box.y + dy * unitsPerPixel()});

/**
 * After a group was opened or closed the picture has another size. What the reader chose stays where it is, at its size, unless
 * all of the picture was seen and still can be read.
 */
function stay(title, before) {
  const wasWhole = box.width === all.width && box.x === all.x && box.y === all.y;
  const scale = unitsPerPixel();
  all = roomy(boxNow());
  const fits = unitsPerPixel(all) <= Math.max(scale, READABLE);
  if (!title || (wasWhole && fits)) return show({...all});
  resize(scale);
  const now = title.getBoundingClientRect();
  move(now.x - before.x, now.y - before.y);
}

/** Show as much as there is room for at a scale, from the same corner on. */
function resize(scale) {
  const size = view.getBoundingClientRect();
  show({...box, width: scale * size.width, height: scale * size.height});
}

/** All of a picture whose letters can be read then; of a larger one the beginning, at a size that can. */
function start() {
  show({...all});
  if (unitsPerPixel() <= READABLE) return;
  const size = view.getBoundingClientRect();
  const isDown = PICTURE.flow === "down";
  const seen = [...svg.querySelectorAll("g.node, g.cluster.closed")]
    .map((g) => g.getBoundingClientRect())
    .filter(({width}) => width);
  const first = seen.length && seen.reduce((a, b) => ((isDown ? b.y < a.y : b.x < a.x) ? b : a));
  const at =
    first &&
    new DOMPoint(first.x + first.width / 2, first.y + first.height / 2).matrixTransform(svg.getScreenCTM().inverse());
  const width = READABLE * size.width;
  const height = READABLE * size.height;
  const along = (from, room, need, centre) =>
    room <= need ? from - (need - room) / 2 : Math.min(Math.max(from, centre - need / 2), from + room - need);
  const x = along(all.x, all.width, width, isDown && at ? at.x : all.x);
  const y = along(all.y, all.height, height, isDown || !at ? all.y : at.y);
  show({x, y, width, height});
}

const KEYS = {
  1: start,
  "+": () => zoomMiddle(1.25),
  "=": () => zoomMiddle(1.25),
  "-": () => zoomMiddle(0.8),
  0: () => show({...all}),
  ArrowLeft: () => move(-60, 0),
  ArrowRight: () => move(60, 0),
  ArrowUp: () => move(0, -60),
  ArrowDown: () => move(0, 60),
};

view.addEventListener("keydown", (event) => {
  if (!KEYS[event.key] || isForBrowser(event)) return;
  event.preventDefault();
  KEYS[event.key]();
});
view.addEventListener(
  "wheel",
  (event) => {
    event.preventDefault();
    zoom(Math.exp(-event.deltaY / 400), event.clientX, event.clientY);
  },
  {passive: false},
);

const touches = new Map();
const spread = () => {
  const [a, b] = [...touches.values()];
  return Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
};
view.addEventListener("pointerdown", (event) => touches.set(event.pointerId, event));
view.addEventListener("pointermove", (event) => {
  const last = touches.get(event.pointerId);
  if (!last) return;
  view.setPointerCapture(event.pointerId); // not before it moves: a click is for what is below it
  const before = touches.size === 2 ? spread() : 0;
  touches.set(event.pointerId, event);
  if (touches.size === 2) zoom(spread() / before, event.clientX, event.clientY);
  else move(last.clientX - event.clientX, last.clientY - event.clientY);
});
for (const end of ["pointerup", "pointercancel"])
  view.addEventListener(end, (event) => touches.delete(event.pointerId));

const nodes = [...svg.querySelectorAll("g.node, g.cluster")].filter((g) => /^[ng]\d+$/.test(g.id));
const wordsOf = (g) => (g.classList.contains("cluster") ? g.querySelector("text") : g).textContent.toLowerCase();
const words = get("words");
const found = get("found");
let hits = [];
let at = -1;

function search() {
  const wanted = words.value.trim().toLowerCase();
  hits = wanted ? nodes.filter((g) => wordsOf(g).includes(wanted)) : [];
  at = -1;
  const shown = new Set(hits.map((g) => groups.standsFor(g.id)?.element ?? g));
  for (const g of nodes) {
    g.classList.toggle("hit", shown.has(g));
    g.classList.toggle("miss", Boolean(wanted) && !shown.has(g) && !g.classList.contains("cluster"));
  }
  found.value = wanted ? `${hits.length} of ${nodes.length} nodes${groups.groups.length ? " and groups" : ""}` : "";
}

/** Enter goes to the next one found, and brings it to the middle. */
function goOn() {
  if (!hits.length) return;
  at = (at + 1) % hits.length;
  groups.open(hits[at].id);
  for (const g of nodes) g.classList.toggle("hit", hits.includes(g));
  if (unitsPerPixel() > READABLE) resize(1);
  const size = hits[at].getBoundingClientRect();
  const frame = view.getBoundingClientRect();
  move(size.x + size.width / 2 - frame.x - frame.width / 2, size.y + size.height / 2 - frame.y - frame.height / 2);
  found.value = `${at + 1} of ${hits.length} found`;
}

words.addEventListener("input", search);
get("bar").addEventListener("submit", (event) => {
  event.preventDefault();
  goOn();
});
for (const button of document.querySelectorAll("[data-key]"))
  button.addEventListener("click", KEYS[button.dataset.key]);
for (const button of document.querySelectorAll("[data-close]")) {
  button.hidden = !groups.groups.length;
  button.addEventListener("click", () => groups.setAll(() => button.dataset.close === "yes"));
}
if (groups.groups.length && unitsPerPixel() > READABLE) groups.setAll(() => true);
start();
