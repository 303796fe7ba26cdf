// What a person asks of a lot: the buttons, the question with its reason, and the gateway's answer.

import { byId, el, keyed, say } from "./dom.js";
import { clock, code, minor, number, word } from "./words.js";

const DAY_MS = 86400000;
const LOG_MAX = 20;
const log = [];
let count = 0;

// Each verb: its button's word, its question, the fields that it needs, and the arguments made of them.
const LANE = { named: true, fields: [], args: (_values, lane) => ({ lane }) };
const VERBS = {
  "barrier-open": { button: "openLane", ask: "askOpen", ...LANE },
  "barrier-hold": { button: "holdLane", ask: "askHold", ...LANE },
  "barrier-release": { button: "releaseLane", ask: "askRelease", ...LANE },
  recount: { button: "recount", ask: "askRecount", fields: ["insideField"], args: (values) => ({ inside: Number(values.insideField) }) },
  validate: {
    button: "validate", ask: "askValidate", fields: ["plateField"],
    args: (values) => ({ plate: values.plateField, way: "free", value: 0, single: false, from_ms: Date.now() - DAY_MS, to_ms: Date.now() + DAY_MS }),
  },
  refund: {
    named: true, button: "refund", ask: "askRefund", fields: ["sessionField", "amountField"],
    args: (values, _lane, lot) => ({ session: values.sessionField, amount_minor: minor(values.amountField, lot.currency) }),
  },
  void: { named: true, button: "voidBill", ask: "askVoid", fields: ["sessionField"], args: (values) => ({ session: values.sessionField }) },
  attach: {
    named: true, button: "attach", ask: "askAttach", fields: ["strayField", "sessionField", "whoseField"],
    args: (values) => ({ session: values.sessionField, stray: values.strayField, whose: values.whoseField }),
  },
  cash: {
    named: true, button: "cash", ask: "askCash", fields: ["sessionField", "amountField", "shiftField"],
    args: (values, _lane, lot) => ({ session: values.sessionField, lane: "", amount_minor: minor(values.amountField, lot.currency), shift: values.shiftField }),
  },
  "shift-open": {
    button: "shiftOpen", ask: "askShiftOpen", fields: ["shiftField", "amountField"],
    args: (values, _lane, lot) => ({ shift: values.shiftField, float_minor: minor(values.amountField, lot.currency) }),
  },
  "shift-close": {
    button: "shiftClose", ask: "askShiftClose", fields: ["shiftField", "amountField"],
    args: (values, _lane, lot) => ({ shift: values.shiftField, counted_minor: minor(values.amountField, lot.currency) }),
  },
  block: { button: "block", ask: "askBlock", fields: ["plateField"], args: (values) => ({ plate: values.plateField, entry: "notify", exit: "attendant" }) },
  unblock: { button: "unblock", ask: "askUnblock", fields: ["plateField"], args: (values) => ({ plate: values.plateField }) },
};
const KINDS = {
  insideField: { type: "number", min: 0, max: 100000 }, amountField: { type: "number", min: 0, step: "any" },
  plateField: { type: "text" }, sessionField: { type: "text" }, strayField: { type: "text" }, shiftField: { type: "text" },
};
const CHOICES = { whoseField: ["entry", "exit"] };
const LANE_VERBS = ["barrier-open", "barrier-hold", "barrier-release"];

export function laneButtons(lot, lane) {
  return el("p", { class: "verbs" }, ...LANE_VERBS.map((verb) => button(verb, lot, lane)));
}

export function lotButtons(lot) {
  return el("p", { class: "verbs" }, ...Object.keys(VERBS).filter((verb) => !LANE_VERBS.includes(verb)).map((verb) => button(verb, lot, "")));
}

function button(verb, lot, lane) {
  const text = word(VERBS[verb].button);
  return el("button", { type: "button", class: "second", "aria-label": lane ? `${text}: ${lane}` : false, onclick: () => ask(verb, lot(), lane) }, text);
}

const field = (name) => (CHOICES[name]
  ? el("select", { id: name }, ...CHOICES[name].map((choice) => el("option", { value: choice }, word(choice))))
  : el("input", { id: name, required: true, autocomplete: "off", ...KINDS[name] }));

// The question, its fields filled with what is known (`preset`); `after` follows what was done. A reason always, the lot's name in full for whatever moves a barrier, and "no" is the first button.
export function ask(verb, lot, lane, preset = {}, after = () => {}) {
  const { button: title, ask: question, fields, args, named } = VERBS[verb];
  const inputs = Object.fromEntries(fields.map((name) => [name, field(name)]));
  for (const [name, value] of Object.entries(preset)) inputs[name].value = value;
  const reason = el("input", { id: "reason", type: "text", required: true, maxlength: 60, autocomplete: "off", "aria-describedby": "reason-hint" });
  const name = named ? el("input", { id: "lot-name", type: "text", required: true, autocomplete: "off", spellcheck: "false" }) : null;
  const answer = el("p", { class: "answer", role: "status" });
  const cancel = el("button", { type: "button", class: "second", onclick: () => byId("ask").close() }, word("cancel"));
  const go = el("button", { type: "submit", class: "danger" }, word(title));
  const form = el(
    "form", {}, el("h2", { id: "ask-title" }, `${word(title)} – ${lot.lot}`), el("p", {}, word(question, lane)),
    ...fields.flatMap((name) => [el("label", { for: name }, word(name)), inputs[name]]),
    el("label", { for: "reason" }, word("reason")), reason, el("small", { id: "reason-hint" }, word("reasonHint")),
    name && el("label", { for: "lot-name" }, word("typeLot", lot.lot)), name, answer, el("p", { class: "verbs" }, cancel, go),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (name && name.value.trim() !== lot.lot) {
      say(answer, word("wrongLot"));
      name.focus();
      return;
    }
    go.disabled = true;
    say(answer, word("sending"));
    const values = Object.fromEntries(fields.map((name) => [name, inputs[name].value.trim()]));
    const found = await send({ gw: lot.gw, lot: lot.lot, verb, args: args(values, lane, lot), reason: reason.value.trim() });
    say(answer, tell(found));
    answer.dataset.state = found.state;
    say(cancel, word("close"));
    cancel.focus();
    log.unshift({ key: (count += 1), gw: lot.gw, at: Date.now(), what: `${word(title)} ${lane}`, found });
    log.length = Math.min(log.length, LOG_MAX);
    if (found.state === "done") after();
  });
  byId("ask").replaceChildren(form);
  byId("ask").showModal();
  (Object.values(inputs).find((input) => !input.value) ?? reason).focus();
}

export async function send(asked) {
  try {
    const answer = await fetch("act", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(asked) });
    return answer.ok ? await answer.json() : { state: "unsent", code: answer.status === 403 ? "no-operator" : "bad-request", detail: "" };
  } catch {
    return { state: "unknown", code: "no-console", detail: "" };
  }
}

export function tell(found) {
  const why = found.code ? `${code(found.code)}${found.detail ? ` (${found.detail})` : ""}` : "";
  const said = { done: word("done"), refused: word("refusedBy", why), unsent: word("unsent", why), unknown: word("unsure", why) }[found.state];
  const more = [found.record ? word("recordNo", number(found.record)) : "", found.n && !found.verified ? word("unverified") : ""];
  return [said, ...more].filter(Boolean).join(". ").replace(/\.\./g, ".");
}

// What was asked for on this page since it was loaded; the ledger has all of it.
export function drawLog(list, gateway) {
  keyed(list, log.filter((one) => one.gw === gateway), (one) => one.key, () => el("li"), (li, one) => say(li, `${clock(one.at, true)} ${one.what}: ${tell(one.found)}`));
}
