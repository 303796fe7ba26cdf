// The stays of a lot: found by plate or by their state, one's bill line by line with what happened, and what to do about it.

import { byId, el, say } from "./dom.js";
import { ask, send, tell } from "./act.js";
import { language, major, moment, money, number, stateWord, word } from "./words.js";

const WHICH = ["inside", "owing", "review", "recent"];
const SUMS = [["billed", "amount_minor"], ["lowered", "lowered_minor"], ["paidSum", "paid_minor"], ["paidBack", "refunded_minor"], ["owed", "owed_minor"], ["dueBack", "due_back_minor"]];
const OWING = ["held", "due", "arrears"];

// What was found last stays on the page when the language changes, and goes with the lot.
let last = { gw: "", asked: null, found: null, bill: null };
let parts = null;
let shown = null;

// `lot` gives the lot that is open now.
export function staysPart(gateway, lot) {
  shown = lot;
  if (last.gw !== gateway) last = { gw: gateway, asked: null, found: null, bill: null };
  const typed = el("input", { id: "stay-plate", type: "search", autocomplete: "off", spellcheck: "false", maxlength: 16, "aria-describedby": "stay-hint" });
  const form = el("form", { class: "find", role: "search" }, el("label", { for: "stay-plate" }, word("plate")), typed, el("button", { type: "submit" }, word("findStay")), el("small", { id: "stay-hint" }, word("findHint")));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (typed.value.trim()) look({ which: "plate", plate: typed.value.trim() });
  });
  const kinds = WHICH.map((which) => el("button", { type: "button", class: "second", "data-which": which, onclick: () => look({ which, plate: "" }) }, word(`which_${which}`)));
  parts = { said: el("p", { class: "answer quiet", role: "status" }), list: el("ul", { class: "stays" }), bill: el("div", { class: "bill", hidden: true }) };
  draw();
  return [form, el("p", { class: "verbs" }, ...kinds), parts.said, parts.list, parts.bill];
}

const question = (verb, args) => send({ gw: shown().gw, lot: shown().lot, verb, args, reason: "" });

async function look(asked) {
  if (!shown()) return;
  say(parts.said, word("asking"));
  const gateway = shown().gw;
  const answer = await question("sessions", asked);
  if (last.gw !== gateway) return;
  last.asked = asked;
  last.bill = null;
  last.found = answer.state === "done" ? answer : null;
  draw();
  if (!last.found) say(parts.said, tell(answer));
  else if (answer.stays.length === 1) await explain(answer.stays[0].session);
}

async function explain(session) {
  say(parts.said, word("asking"));
  const gateway = shown().gw;
  const answer = await question("bill", { session });
  if (last.gw !== gateway) return;
  last.bill = answer.state === "done" ? answer : null;
  draw();
  if (!last.bill) say(parts.said, tell(answer));
  else byId("bill-title").focus();
}

// After something was done about a stay: what the ledger says of it now.
const again = (session) => () => explain(session);

function draw() {
  const { found, bill } = last;
  say(parts.said, found ? `${word("staysFound", number(found.stays.length))}${found.detail ? ` ${word("onlyNewest")}` : ""}` : "");
  parts.list.replaceChildren(...(found && !(bill && found.stays.length === 1) ? found.stays.map(row) : []));
  parts.bill.hidden = !bill;
  parts.bill.replaceChildren(...(bill ? billParts(bill) : []));
}

const plate = (stay) => stay.plate.split(" ").slice(1).join(" ") || "–";
const cash = (minor) => money(minor, shown()?.currency || last.found?.currency || "CNY");

function row(stay) {
  const times = stay.exited_ms ? `${moment(stay.entered_ms)} → ${moment(stay.exited_ms)}` : moment(stay.entered_ms);
  const amounts = [stay.amount_minor ? cash(stay.amount_minor) : "", stay.owed_minor ? `${word("owed")} ${cash(stay.owed_minor)}` : ""].filter(Boolean).join(" · ");
  return el(
    "li", { "data-session": stay.session },
    el("div", {}, el("b", { class: "plate" }, plate(stay)), el("span", { class: "mark", "data-money": stay.state }, stateWord(stay.state))),
    el("small", {}, times), el("span", {}, amounts),
    el("button", { type: "button", class: "second", "aria-label": `${word("bill")}: ${plate(stay)} ${stay.session}`, onclick: () => explain(stay.session) }, word("bill")),
  );
}

function billParts(bill) {
  const [stay] = bill.stays;
  const zh = language() === "zh";
  const sums = SUMS.filter(([name, field]) => name === "billed" || stay[field]).map(([name, field]) => el("div", { "data-sum": name }, el("dt", {}, word(name)), el("dd", {}, cash(stay[field]))));
  const lines = bill.lines.map((line) => el(
    "tr", {},
    el("td", {}, zh ? line.text_zh : line.text_en, el("small", { class: "stay" }, `${moment(line.from_ms)} – ${moment(line.to_ms)}`)),
    el("td", { class: "number" }, `${number(line.units)} × ${cash(line.unit_minor)}`), el("td", { class: "number" }, cash(line.amount_minor)),
  ));
  const happened = bill.records.map((one) => el(
    "tr", {},
    el("td", {}, moment(one.at_ms), el("small", { class: "stay" }, word("recordShort", number(one.n)))),
    el("td", {}, what(one.what), el("small", { class: "stay" }, [one.by, one.why].filter(Boolean).join(" · "))),
    el("td", { class: "number" }, one.amount_minor ? cash(one.amount_minor) : ""),
  ));
  return [
    el("h3", { id: "bill-title", tabindex: "-1" }, `${word("bill")} ${plate(stay)} · ${stateWord(stay.state)}`),
    el("p", { class: "quiet" }, `${stay.lane_in || "–"} ${moment(stay.entered_ms)} → ${stay.lane_out || "–"} ${stay.exited_ms ? moment(stay.exited_ms) : ""} · ${word("sessionField")} ${stay.session}`),
    stay.state === "inside" ? el("p", { class: "quiet" }, word("ifItLeft")) : el("span"),
    table("bill-lines", ["charge", "units", "amount"], lines),
    el("dl", { class: "facts" }, ...sums),
    el("p", { class: "verbs" }, ...deeds(stay)),
    el("h3", {}, word("events")), table("bill-records", ["time", "event", "amount"], happened),
    el("p", {}, last.found && last.found.stays.length > 1 ? el("button", { type: "button", class: "second", onclick: back }, word("otherStays")) : ""),
  ];
}

function table(name, columns, rows) {
  if (!rows.length) return el("p", { class: "quiet" }, word("noLines"));
  const head = columns.map((column) => el("th", { scope: "col", class: ["units", "amount"].includes(column) ? "number" : false }, word(column)));
  return el("table", { class: `events ${name}` }, el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...rows));
}

function back() {
  last.bill = null;
  draw();
}

// What the stay's state allows; the gateway's rules decide.
function deeds(stay) {
  const kept = stay.paid_minor - stay.refunded_minor - stay.due_back_minor;
  const amount = (minor) => major(minor, shown().currency);
  const found = [];
  if (kept > 0) found.push(["refund", { sessionField: stay.session, amountField: amount(kept) }]);
  if (OWING.includes(stay.state)) found.push(["cash", { sessionField: stay.session, amountField: amount(stay.owed_minor) }]);
  if (OWING.includes(stay.state) || stay.state === "paid") found.push(["void", { sessionField: stay.session }]);
  if (stay.state === "review" && !stay.lane_in) found.push(["attach", { sessionField: stay.near[0]?.split(" ")[0] ?? "", strayField: stay.session }]);
  if (stay.plate.includes(" ") && plate(stay) !== "–") found.push(["validate", { plateField: stay.plate }], ["block", { plateField: stay.plate }]);
  return found.map(([verb, preset]) => el("button", { type: "button", class: "second", "data-verb": verb, onclick: () => ask(verb, shown(), "", preset, again(stay.session)) }, word(`do_${verb}`)));
}

function what(name) {
  const [verb, state] = name.split(" ");
  return state ? `${word(`do_${verb}`)}: ${state === "done" ? word("done") : word("refused")}` : word(`rec_${name}`) === `rec_${name}` ? name : word(`rec_${name}`);
}
