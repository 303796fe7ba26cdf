// Plots as inline SVG: a step line of a count, and bars of amounts. Each says in words what it shows.

import { svg } from "./dom.js";
import { clock } from "./words.js";

const H = 180, LEFT = 58, RIGHT = 8, TOP = 10, BOTTOM = 24;
let W = 640;
const SPANS_H = [1, 2, 4, 8, 12];
const HOUR_MS = 3600000;

// From the first row on, but at least an hour and at most twelve, so that the newest part is never a hair's width.
export function span(rows, nowMs) {
  const heard = rows.length ? nowMs - rows[0][0] : 0;
  const hours = SPANS_H.find((h) => h * HOUR_MS >= heard) ?? SPANS_H.at(-1);
  return { from: nowMs - hours * HOUR_MS, to: nowMs, hours };
}

// A narrow screen gets a narrow drawing, so that its letters stay as large as those around it.
const fit = () => (W = matchMedia("(max-width: 44rem)").matches ? 340 : 640);

export function steps({ rows, column, nowMs, limit, title, text }) {
  fit();
  const { from, to } = span(rows, nowMs);
  const shown = rows.map((row) => [row[0], row[column]]);
  const top = ceiling(Math.max(1, limit ?? 0, ...shown.map((row) => row[1])));
  const at = scale(from, to, top);
  const points = [];
  let level = null;
  for (const [ms, value] of shown) {
    const x = at.x(Math.max(ms, from));
    if (level !== null) points.push([x, at.y(level)]);
    level = value;
    points.push([x, at.y(value)]);
  }
  const frame = empty(title, text, from, to, top, String);
  if (level === null) return frame;
  points.push([at.x(to), at.y(level)]);
  const line = points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ");
  const floor = at.y(0).toFixed(1);
  frame.append(
    svg("polygon", { class: "area", points: `${points[0][0].toFixed(1)},${floor} ${line} ${at.x(to).toFixed(1)},${floor}` }),
    svg("polyline", { class: "line", points: line }),
  );
  if (limit) frame.append(svg("line", { class: "limit", x1: LEFT, x2: W - RIGHT, y1: at.y(limit), y2: at.y(limit) }));
  return frame;
}

export function bars({ rows, column, nowMs, title, text, label, axis }) {
  fit();
  const { from, to, hours } = span(rows, nowMs);
  const width = (hours * HOUR_MS) / 24;
  const sums = new Array(24).fill(0);
  for (const row of rows) {
    const at = Math.floor((row[0] - from) / width);
    if (at >= 0) sums[Math.min(at, 23)] += row[column];
  }
  const top = ceiling(Math.max(1, ...sums));
  const at = scale(from, to, top);
  const frame = empty(title, text, from, to, top, axis);
  sums.forEach((sum, index) => {
    if (!sum) return;
    const x = at.x(from + index * width), y = at.y(sum);
    const bar = svg("rect", { class: "bar-of", x: x + 1, y, width: (W - LEFT - RIGHT) / 24 - 2, height: at.y(0) - y });
    bar.append(svg("title", {}, `${clock(from + index * width)}: ${label(sum)}`));
    frame.append(bar);
  });
  return frame;
}

function scale(from, to, top) {
  return {
    x: (ms) => LEFT + ((ms - from) / (to - from)) * (W - LEFT - RIGHT),
    y: (value) => H - BOTTOM - (value / top) * (H - TOP - BOTTOM),
  };
}

function ceiling(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 5, 10].find((step) => step * power >= value) * power;
}

function empty(title, text, from, to, top, label) {
  const frame = svg("svg", { class: "plot", viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": `${title}. ${text}` });
  const at = scale(from, to, top);
  for (const value of [0, top / 2, top]) {
    const y = at.y(value);
    frame.append(svg("line", { class: "grid", x1: LEFT, x2: W - RIGHT, y1: y, y2: y }));
    if (value !== top / 2 || Number.isInteger(value)) frame.append(svg("text", { x: LEFT - 6, y: y + 4, "text-anchor": "end" }, label(value)));
  }
  const marks = W > 400 ? 4 : 2;
  for (let part = 0; part <= marks; part += 1) {
    const ms = from + (part / marks) * (to - from);
    const anchor = part === 0 ? "start" : part === marks ? "end" : "middle";
    frame.append(svg("text", { x: at.x(ms), y: H - 6, "text-anchor": anchor }, clock(ms)));
  }
  return frame;
}
