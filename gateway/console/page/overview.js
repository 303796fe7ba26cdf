// The overview: totals, search, and one row for each lot, worst first.

import { age, byId, el, keyed, mark, say } from "./dom.js";
import { duration, money, number, word } from "./words.js";

const SHOWN = 200;
const CLOCK_OFF_MS = 5000;
let all = false;

export function wire(redraw) {
  byId("search").addEventListener("input", redraw);
  byId("trouble").addEventListener("change", redraw);
  byId("more").addEventListener("click", () => {
    all = true;
    redraw();
  });
}

const byWorst = (a, b) =>
  b.bad - a.bad || b.urgent - a.urgent || b.warning - a.warning || a.lot.localeCompare(b.lot) || a.gw.localeCompare(b.gw);

export function draw(rows) {
  const asked = byId("search").value.trim().toLowerCase();
  const trouble = byId("trouble").checked;
  const every = [...rows.values()];
  const found = every
    .filter((row) => (!trouble || row.bad > 1) && (!asked || `${row.lot} ${row.gw}`.toLowerCase().includes(asked)))
    .sort(byWorst);
  const shown = all ? found : found.slice(0, SHOWN);
  totals(every);
  say(byId("found"), !every.length ? word("nothing") : !found.length ? word("foundNone") : word("foundSome", number(shown.length), number(every.length)));
  byId("more").hidden = shown.length === found.length;
  say(byId("more"), word("more", number(found.length)));
  keyed(byId("lots"), shown, (row) => row.gw, make, update);
}

function totals(rows) {
  const sum = (of) => rows.reduce((total, row) => total + (of(row) ?? 0), 0);
  const currencies = new Set(rows.filter((row) => row.hour_cars).map((row) => row.currency));
  const items = [
    ["totalLots", number(rows.length)],
    ["totalTrouble", number(rows.filter((row) => row.bad > 1).length)],
    ["totalInside", number(sum((row) => row.inside))],
    ["totalFree", number(sum((row) => row.free))],
  ];
  if (currencies.size === 1) items.push(["totalHour", money(sum((row) => row.hour_minor), [...currencies][0])]);
  keyed(byId("totals"), items, (item) => item[0], () => el("div", {}, el("dt"), el("dd")), (child, [name, text]) => {
    say(child.firstChild, word(name));
    say(child.lastChild, text);
    mark(child, "data-bad", name === "totalTrouble" && text !== "0" ? "2" : "0");
  });
}

function make(row) {
  const aged = () => el("small", { class: "age" });
  return el(
    "tr", {},
    el("th", { scope: "row" }, el("a", { href: `#lot=${encodeURIComponent(row.gw)}` }, el("b")), el("small"), el("span", { class: "mark narrow" })),
    el("td", { class: "wide" }, el("span", { class: "mark" }), el("small", { class: "age since" })),
    el("td", { class: "places" }, el("span", { class: "gauge", "aria-hidden": "true" }, el("i")), el("span"), el("small"), aged()),
    el("td", { class: "number" }),
    el("td", { class: "number wide" }, el("span"), aged()),
    el("td", { class: "number wide" }),
    el("td", { class: "number wide" }),
  );
}

function update(tr, row) {
  const [head, state, places, trouble, backlog, hour, clock] = tr.children;
  mark(tr, "data-bad", String(row.bad));
  say(head.children[0].firstChild, row.lot);
  say(head.children[1], row.lot === row.gw ? "" : row.gw);
  for (const pill of [head.children[2], state.firstChild]) {
    say(pill, word(row.state));
    mark(pill, "data-state", row.state);
  }
  age(state.lastChild, row.state_ms);
  gauge(places, row);
  troubles(trouble, row);
  say(backlog.firstChild, row.backlog === null ? "–" : row.backlog ? word("records", number(row.backlog)) : word("upToDate"));
  age(backlog.lastChild, row.numbers_ms);
  say(hour, row.hour_cars ? `${money(row.hour_minor, row.currency)} · ${word("cars", number(row.hour_cars))}` : "–");
  say(clock, clockWords(row.ahead_ms));
  mark(clock, "data-severity", Math.abs(row.ahead_ms ?? 0) > CLOCK_OFF_MS ? "warning" : "");
}

function troubles(cell, row) {
  const found = ["urgent", "warning", "info"].filter((name) => row[name]).map((name) => [name, `${row[name]}\u00a0${word(name)}`]);
  if (row.lanes_bad) found.push(["urgent", word("lanesBad", row.lanes_bad)]);
  if (!found.length) found.push(["", "–"]);
  keyed(cell, found, (item) => item[1], () => el("span"), (child, [severity, text]) => {
    say(child, text);
    mark(child, "data-severity", severity);
  });
}

function gauge(cell, row) {
  const [bar, text, inside, heard] = cell.children;
  bar.hidden = !row.total;
  const taken = row.total ? Math.min(1, (row.total - row.free) / row.total) : 0;
  bar.firstChild.style.width = `${Math.round(taken * 100)}%`;
  mark(bar, "data-full", taken >= 0.95 ? "yes" : "no");
  say(text, row.total ? word("free", number(row.free), number(row.total)) : row.inside === null ? word("noPlaces") : "");
  say(inside, row.inside === null ? "" : word("inside", number(row.inside)));
  age(heard, row.occ_ms);
}

export function clockWords(aheadMs) {
  if (aheadMs === null) return "–";
  if (Math.abs(aheadMs) <= CLOCK_OFF_MS) return word("clockGood");
  return word(aheadMs > 0 ? "ahead" : "behind", duration(Math.abs(aheadMs)));
}
