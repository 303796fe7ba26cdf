// One lot: its state, alarms, occupancy, money, lanes, what happened, and the gateway's numbers.

import { age, byId, el, keyed, mark, say } from "./dom.js";
import { drawLog, laneButtons, lotButtons } from "./act.js";
import { staysPart } from "./stays.js";
import { bars, steps } from "./plot.js";
import { clockWords } from "./overview.js";
import { alarmWords, clock, kind, measure, money, number, word } from "./words.js";

const ages = () => el("small", { class: "age" });
const heading = (id, name) => el("h2", { id }, word(name));
let parts = null;
let drawn = "";
let shown = null;
let acts = false;

function part(name, ...children) {
  return el("section", { class: name === "gateway" ? "card last" : "card", "aria-labelledby": `h-${name}` }, heading(`h-${name}`, name), ...children);
}

// Builds the article anew for a lot or a language; `draw` then only patches it.
export function build(gateway, mayAct) {
  acts = mayAct;
  parts = {
    title: el("h1", { id: "one-title", tabindex: "-1" }, gateway), mark: el("span", { class: "mark" }), stateAge: el("small", { class: "age since" }),
    alarms: el("ul", { class: "alarms" }), noAlarms: el("p", { class: "quiet" }),
    inside: el("b", { class: "big" }), places: el("span"), occAge: ages(), split: el("div", { class: "split", "aria-hidden": "true" }),
    placesPlot: el("figure"), moneyPlot: el("figure"), sum: el("b", { class: "big" }), sumNote: el("span"),
    lanes: el("ul", { class: "lanes" }), noLanes: el("p", { class: "quiet" }),
    events: el("tbody"), noEvents: el("p", { class: "quiet" }), log: el("ul", { class: "log" }), noLog: el("p", { class: "quiet" }), facts: el("dl", { class: "facts" }), heard: ages(),
  };
  drawn = "";
  const columns = ["time", "event", "lane", "plate", "amount"];
  byId("one").replaceChildren(
    el("p", {}, el("a", { href: "#", class: "back" }, `← ${word("back")}`)),
    el("div", { class: "title" }, parts.title, parts.mark, parts.stateAge),
    el("div", { class: "cards" },
      el("div", { class: "stack" },
        part("alarms", parts.noAlarms, parts.alarms), part("lanes", parts.noLanes, parts.lanes),
        acts ? part("act", lotButtons(() => shown), el("h3", {}, word("asked")), parts.noLog, parts.log) : null,
        part("gateway", parts.facts, el("p", { class: "quiet" }, el("span", {}, word("numbers")), parts.heard))),
      el("div", { class: "stack" },
        acts ? part("stays", ...staysPart(gateway, () => (shown?.gw === gateway ? shown : null))) : null,
        part("occupancy", el("p", { class: "figures" }, parts.inside, parts.places, parts.occAge), parts.split, parts.placesPlot),
        part("money", el("p", { class: "figures" }, parts.sum, parts.sumNote), parts.moneyPlot),
        part("events", parts.noEvents, el("div", { class: "scroll", tabindex: "0", role: "region", "aria-labelledby": "h-events" },
          el("table", { class: "events" },
            el("thead", {}, el("tr", {}, ...columns.map((name) => el("th", { scope: "col", class: { amount: "number", lane: "wide" }[name] ?? false }, word(name))))),
            parts.events))))),
  );
}

export function draw(lot, nowMs) {
  shown = lot;
  say(parts.title, lot.lot);
  say(parts.mark, word(lot.state));
  mark(parts.mark, "data-state", lot.state);
  age(parts.stateAge, lot.state_ms);
  alarms(lot);
  lanes(lot);
  occupancy(lot);
  say(parts.sum, lot.currency ? money(lot.hour_minor, lot.currency) : "–");
  say(parts.sumNote, `${word("lastHour")} · ${word("cars", number(lot.hour_cars))}`);
  plots(lot, nowMs);
  say(parts.noEvents, lot.notices.length ? "" : word("noEvents"));
  events(lot);
  facts(lot);
  drawLog(parts.log, lot.gw);
  say(parts.noLog, parts.log.childElementCount ? "" : word("noneAsked"));
}

function alarms(lot) {
  say(parts.noAlarms, lot.alarms.length ? "" : word("noAlarms"));
  const make = () => el("li", {}, el("p", {}, el("strong", { class: "severity" }), el("span"), el("small", { class: "age since" })), el("p", { class: "remedy" }), el("small", { class: "quiet" }));
  keyed(parts.alarms, lot.alarms, (alarm) => alarm.id, make, (li, alarm) => {
    const [head, remedy, original] = li.children;
    const words = alarmWords(alarm);
    mark(li, "data-severity", alarm.severity);
    say(head.children[0], word(alarm.severity));
    say(head.children[1], words.cause);
    age(head.children[2], alarm.since_ms);
    say(remedy, `${word("remedy")}: ${words.remedy}`);
    say(original, words.original ? `${alarm.alarm} · ${words.original}` : alarm.alarm);
  });
}

function lanes(lot) {
  say(parts.noLanes, lot.lanes.length ? "" : word("noLanes"));
  const make = (lane) => el("li", {}, el("h3"), el("p", { class: "facts-line" }, el("span", { class: "arm" }), el("span"), ages()), el("p", { class: "quiet" }, el("span"), ages()), acts ? laneButtons(() => shown, lane.lane) : null);
  keyed(parts.lanes, lot.lanes, (lane) => lane.lane, make, (li, lane) => {
    const [head, health, last] = li.children;
    say(head, lane.role ? `${lane.lane} · ${word(lane.role)}` : lane.lane);
    say(health.children[0], `${word("barrier")}: ${word(lane.barrier)}`);
    mark(health.children[0], "data-arm", lane.barrier);
    say(health.children[1], `${word("node")}: ${word(lane.node)}`);
    mark(li, "data-severity", lane.node === "silent" || lane.node === "refused" || lane.barrier === "fault" ? "urgent" : "");
    age(health.children[2], lane.at_ms);
    say(last.firstChild, lane.last ? `${word("last")}: ${kind(lane.last.kind)} ${lane.last.plate}` : "");
    age(last.lastChild, lane.last?.at_ms ?? null);
  });
}

function occupancy(lot) {
  say(parts.inside, lot.inside === null ? "–" : word("inside", number(lot.inside)));
  say(parts.places, lot.total ? word("free", number(lot.free), number(lot.total)) : word("noPlaces"));
  age(parts.occAge, lot.occ_ms);
  const shares = [["taken", lot.occupied], ["freeWord", lot.free], ["unknownWord", lot.unknown]].filter((share) => share[1]);
  keyed(parts.split, lot.total ? shares : [], (share) => share[0], ([name]) => el("span", { class: name }), (child, [name, n]) => {
    child.style.flexGrow = String(n);
    say(child, `${number(n)} ${word(name)}`);
  });
}

// Plots are drawn anew only when there is something to see: a new row, another value, or another minute.
function plots(lot, nowMs) {
  const minute = Math.floor(nowMs / 60000);
  const known = JSON.stringify([minute, lot.places.length, lot.places.at(-1), lot.money.length, lot.money.at(-1)]);
  if (known === drawn) return;
  drawn = known;
  const values = lot.places.map((row) => row[1]);
  const text = values.length ? word("plotNow", number(values.at(-1)), number(Math.min(...values)), number(Math.max(...values))) : word("unheard");
  figure(parts.placesPlot, steps({ rows: lot.places, column: 1, nowMs, title: word("plotPlaces"), text }), text, lot.places);
  const cash = (minor) => money(minor, lot.currency);
  const total = lot.money.reduce((sum, row) => [sum[0] + row[1], sum[1] + row[2]], [0, 0]);
  const said = word("plotSum", cash(total[0]), number(total[1]));
  figure(parts.moneyPlot, bars({ rows: lot.money, column: 1, nowMs, title: word("plotMoney"), text: said, label: cash, axis: (minor) => money(minor, lot.currency, true) }), `${said} ${word("moneyNote")}`, lot.money);
}

function figure(at, plot, text, rows) {
  const begun = rows.length ? ` ${word("plotStart", clock(rows[0][0]))}` : "";
  at.replaceChildren(plot, el("figcaption", { class: "quiet" }, text + begun));
}

function events(lot) {
  const rows = lot.notices.map((notice, index) => ({ ...notice, key: `${notice.at_ms + (lot.ahead_ms ?? 0)} ${notice.kind} ${notice.session} ${lot.notices.length - index > 59 ? index : ""}` }));
  const make = () => el("tr", {}, el("td"), el("td", {}, el("span"), el("small", { class: "narrow" })), el("td", { class: "wide" }), el("td", { class: "plate" }, el("span"), el("small", { class: "stay" })), el("td", { class: "number" }));
  keyed(parts.events, rows, (notice) => notice.key, make, (tr, notice) => {
    const [time, event, lane, plate, amount] = tr.children;
    say(time, clock(notice.at_ms, true));
    say(event.firstChild, kind(notice.kind));
    for (const at of [event.lastChild, lane]) say(at, notice.lane);
    say(plate.firstChild, notice.plate);
    say(plate.lastChild, notice.session);
    say(amount, notice.amount_minor ? money(notice.amount_minor, lot.currency) : "");
  });
}

function facts(lot) {
  const items = [
    ["backlog", lot.backlog === null ? "" : lot.backlog ? word("records", number(lot.backlog)) : word("upToDate")],
    ["clock", lot.ahead_ms === null ? "" : clockWords(lot.ahead_ms)], ["bays", lot.bays === null ? "" : number(lot.bays)],
    ["tariff", lot.tariff], ["version", lot.version], ["key", lot.key.slice(0, 16)],
    ["chain", lot.next === null ? "" : `${number(lot.next - 1)}, ${number(lot.receipted)}`],
    ...Object.entries(lot.numbers).filter(([name]) => name !== "backlog_records").map(([name, value]) => measure(name, value)),
  ].filter((item) => item[1] !== "");
  keyed(parts.facts, items, (item) => item[0], () => el("div", {}, el("dt"), el("dd")), (child, [name, text]) => {
    say(child.firstChild, word(name));
    say(child.lastChild, text);
  });
  age(parts.heard, lot.numbers_ms);
}
