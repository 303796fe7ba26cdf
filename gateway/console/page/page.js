// The page: login, the stream of news, which lot is open, the language, and what is said when the line is cut.

import { byId, mark, say } from "./dom.js";
import * as lotView from "./lot.js";
import * as overview from "./overview.js";
import { ago, choose, clock, duration, language, other, word } from "./words.js";

const SILENCE_MS = 6500;
const RETRY_MS = 2000;

const seen = { rows: new Map(), lot: null, city: "", broker: true, brokerMs: 0, aheadMs: 0, heardMs: 0, rejected: 0, urgent: null, acts: false };
let stream = null;
let open = "";
let waiting = false;

const now = () => Date.now() + seen.aheadMs;
const asked = () => new URLSearchParams(location.hash.slice(1)).get("lot") ?? "";

function connect() {
  stream?.close();
  stream = new EventSource(open ? `events?lot=${encodeURIComponent(open)}` : "events");
  stream.onmessage = (message) => take(JSON.parse(message.data));
  stream.onerror = () => {
    if (stream.readyState === EventSource.CLOSED) setTimeout(enter, RETRY_MS);
  };
}

function take(news) {
  seen.aheadMs = news.now_ms - Date.now();
  seen.heardMs = Date.now();
  Object.assign(seen, { city: news.city, broker: news.broker, brokerMs: news.broker_ms, rejected: news.rejected });
  news.rows.forEach((row) => seen.rows.set(row.gw, row));
  if (news.acts !== seen.acts) {
    seen.acts = news.acts;
    if (open) lotView.build(open, seen.acts);
  }
  if (news.lot) seen.lot = news.lot;
  speakUrgent();
  if (!waiting) {
    waiting = true;
    requestAnimationFrame(draw);
  }
}

function draw() {
  waiting = false;
  say(byId("city"), seen.city);
  const lot = open && seen.lot?.gw === open ? seen.lot : null;
  document.title = `${lot ? `${lot.lot} – ` : ""}${seen.city || "lotgate"} – lotgate`;
  if (open) {
    if (lot) lotView.draw(lot, now());
  } else overview.draw(seen.rows);
  tick();
}

// What a person who does not look must hear: a lot that became urgent. Not each number.
function speakUrgent() {
  const urgent = new Set([...seen.rows.values()].filter((row) => row.bad === 4).map((row) => row.lot));
  const fresh = seen.urgent ? [...urgent].filter((lot) => !seen.urgent.has(lot)) : [];
  if (fresh.length) say(byId("spoken"), `${word("urgent")}: ${fresh.slice(0, 3).join(", ")}`);
  seen.urgent = urgent;
}

// Once a second: every age on the page, and whether the line still lives.
function tick() {
  for (const element of document.querySelectorAll("[data-at]")) {
    const passedMs = now() - Number(element.dataset.at);
    say(element, element.classList.contains("since") ? word("since", duration(passedMs)) : ago(passedMs));
  }
  if (!stream) return;
  const silentMs = Date.now() - seen.heardMs;
  const lost = seen.heardMs > 0 && silentMs > SILENCE_MS;
  const banner = lost ? word("lostPage", duration(silentMs)) : seen.heardMs && !seen.broker ? word("lostBroker", clock(seen.brokerMs, true)) : "";
  const box = byId("lost");
  box.hidden = !banner;
  // Read out once, not each second: the text that changes is beside the one that is announced.
  if (banner) say(box, banner);
  mark(box, "aria-live", lost && silentMs > SILENCE_MS + 1500 ? "off" : "assertive");
  mark(document.body, "data-stale", banner ? "yes" : "no");
  const line = byId("link");
  mark(line, "data-line", banner ? "lost" : seen.heardMs ? "live" : "reading");
  say(line, banner ? word("lost") : seen.heardMs ? word("live") : word("reading"));
}

function route() {
  if (!stream) return;
  const gateway = asked();
  const changed = gateway !== open;
  open = gateway;
  byId("overview").hidden = open !== "";
  byId("one").hidden = open === "";
  if (changed) {
    if (open) lotView.build(open, seen.acts);
    connect();
    scrollTo(0, 0);
    (open ? byId("one-title") : byId("main")).focus({ preventScroll: true });
  }
  draw();
}

function speak(tag) {
  document.documentElement.lang = language() === "zh" ? "zh-CN" : "en";
  for (const element of document.querySelectorAll("[data-word]")) say(element, word(element.dataset.word));
  byId("search").placeholder = word("searchHint");
  say(byId("language"), word("language"));
  mark(byId("language"), "lang", other() === "zh" ? "zh-CN" : "en");
  mark(byId("language"), "aria-label", word("languageLabel"));
  if (tag && open) lotView.build(open, seen.acts);
  if (tag) draw();
}

async function post(path, body) {
  return fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
}

// After a login, a reload, or a stream that the server ended: is there a session, and is there a server at all?
async function enter() {
  let answer;
  try {
    answer = await fetch("session");
  } catch {
    setTimeout(enter, RETRY_MS);
    return;
  }
  const known = answer.ok;
  byId("login").hidden = known;
  byId("logout").hidden = !known;
  if (!known) {
    stream?.close();
    stream = null;
    byId("overview").hidden = byId("one").hidden = byId("lost").hidden = true;
    byId("token").focus();
    return;
  }
  open = asked();
  if (open) lotView.build(open, seen.acts);
  connect();
  byId("overview").hidden = open !== "";
  byId("one").hidden = open === "";
  draw();
}

async function logIn(token) {
  const answer = await post("login", { token });
  say(byId("login-fault"), answer.ok ? "" : word("wrongToken"));
  byId("token").value = "";
  await enter();
}

byId("login").addEventListener("submit", (event) => {
  event.preventDefault();
  logIn(byId("token").value);
});
byId("logout").addEventListener("click", async () => {
  await post("logout", {});
  seen.rows.clear();
  await enter();
});
byId("language").addEventListener("click", () => {
  localStorage.setItem("language", choose(other(), []));
  speak(true);
});
addEventListener("hashchange", route);
overview.wire(draw);
choose(localStorage.getItem("language"), navigator.languages);
speak(false);
setInterval(tick, 1000);

const token = new URLSearchParams(location.hash.slice(1)).get("token");
if (token) {
  // The token must not stay in the address bar, the history, or a screenshot.
  history.replaceState(null, "", location.pathname);
  logIn(token);
} else enter();
