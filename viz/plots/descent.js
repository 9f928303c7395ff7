// Paths over contour lines, drawn up to a step, and a table of where they are.

import {get, make, makeSvg} from "../pages/dom.js";
import {player} from "../pages/player.js";
import {DATA} from "./routes.js";

const DASHES = ["", "8 4", "10 3 2 3", "2 3", "10 2 2 2 2 2", "2 5"];
const MARKS = [
  (r) => `M-${r},0a${r},${r} 0 1 0 ${2 * r},0a${r},${r} 0 1 0 -${2 * r},0z`,
  (r) => `M-${r},-${r}h${2 * r}v${2 * r}h-${2 * r}z`,
  (r) => `M0,-${r}L${r},${r}L-${r},${r}z`,
  (r) => `M0,-${1.3 * r}L${1.3 * r},0L0,${1.3 * r}L-${1.3 * r},0z`,
];
const MANY = 41; // places, whose marks are small

/** How the i-th path is drawn. */
function styleOf(i) {
  const nth = (list) => list[i % list.length];
  return {colour: nth(DATA.colours), dashes: nth(DASHES), mark: nth(MARKS)};
}

/** A piece of a path for the table. */
function sample({colour, dashes, mark}) {
  const svg = makeSvg("svg", {width: 44, height: 14, viewBox: "-22 -7 44 14", "aria-hidden": "true"});
  svg.append(
    makeSvg("path", {d: "M-22,0H22", stroke: colour, "stroke-width": 2.5, "stroke-dasharray": dashes}),
    makeSvg("path", {d: mark(4), fill: colour}),
  );
  return svg;
}

const drawn = DATA.paths.map((path, i) => {
  const style = styleOf(i);
  const {colour, dashes, mark} = style;
  const {paper} = DATA;
  const size = path.places.length > MANY ? 2 : 3.5;
  const halo = makeSvg("polyline", {stroke: paper, "stroke-width": 5});
  const line = makeSvg("polyline", {stroke: colour, "stroke-width": 2.2, "stroke-dasharray": dashes});
  const marks = path.places.map(([x, y], k) =>
    makeSvg("path", {
      d: mark(k ? size : 6),
      transform: `translate(${x},${y})`,
      fill: k ? colour : paper,
      stroke: k ? paper : colour,
      "stroke-width": k ? 0.7 : 2.5,
    }),
  );
  const now = makeSvg("path", {d: mark(7), fill: colour, stroke: paper, "stroke-width": 1.5});
  get("paths").append(halo, line, ...marks, now);
  const cells = [0, 1, 2].map(() => make("td"));
  get("table").append(make("tr", {}, make("th", {scope: "row"}, sample(style), ` ${path.name}`), ...cells));
  return {halo, line, marks, now, cells};
});

function show(step) {
  DATA.paths.forEach((path, i) => {
    const end = Math.min(step, path.places.length - 1);
    const {halo, line, marks, now, cells} = drawn[i];
    const points = path.places.slice(0, end + 1).join(" ");
    halo.setAttribute("points", points);
    line.setAttribute("points", points);
    for (const [m, mark] of marks.entries()) mark.setAttribute("visibility", m <= end ? "visible" : "hidden");
    now.setAttribute("transform", `translate(${path.places[end]})`);
    now.setAttribute("visibility", end ? "visible" : "hidden");
    [cells[0].textContent, cells[1].textContent, cells[2].textContent] = [end, path.points[end], path.values[end]];
  });
}

player({last: Math.max(...DATA.paths.map((path) => path.places.length)) - 1, seconds: 1 / DATA.fps, show});
