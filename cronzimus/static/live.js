// Keeps a page true. The stream says that something changed; the page then asks for itself once more and
// takes over what differs. While nobody looks at the page, it does not listen: a browser has few connections.
import { morph } from "./morph.js";
import { localise } from "./times.js";

const LONGEST_WAIT = 15;
const SPACING = 400; // milliseconds between two looks on a busy house
const chip = document.getElementById("chip");

let source = null;
let waiting = 0; // seconds until the next attempt
let failures = 0;
let looking = false;
let again = false;
let lookedAt = 0;
let etag = "";
let timer = 0;

export function start() {
  const { topics, job } = document.body.dataset;
  if (!topics || !chip) return;
  chip.hidden = false;
  setInterval(countDown, 1000);
  setInterval(lookWhenOverdue, 5000);
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open(topics, job)));
  if (!document.hidden) open(topics, job);
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => event.persisted && open(topics, job));
}

function open(topics, job) {
  if (source) return;
  const query = new URLSearchParams(job ? { topics, job } : { topics });
  source = new EventSource(`/live?${query}`);
  source.onopen = () => {
    failures = 0;
    waiting = 0;
    say("live", "on");
    look(); // what happened before the stream was there
  };
  source.addEventListener("change", (event) => changed(JSON.parse(event.data)));
  source.onerror = () => {
    close();
    failures += 1;
    waiting = Math.min(LONGEST_WAIT, 2 ** (failures - 1));
    say(`reconnecting (${waiting} s)`, "off");
  };
}

function close() {
  source?.close();
  source = null;
}

function countDown() {
  if (source || document.hidden) return;
  waiting -= 1;
  if (waiting > 0) return say(`reconnecting (${waiting} s)`, "off");
  say("reconnecting", "off");
  open(document.body.dataset.topics, document.body.dataset.job);
}

// What was due is decided by now, also when nothing came of it that anybody would be told.
function lookWhenOverdue() {
  const overdue = Date.now() - 2000;
  const times = document.querySelectorAll("main time[data-show=in]");
  if (source && [...times].some((time) => new Date(time.dateTime) < overdue)) look();
}

function say(text, how) {
  chip.textContent = text;
  chip.className = `chip ${how}`;
}

// The state of what is shown changes at once; everything else comes with the next look.
function changed(event) {
  if (event.state) {
    for (const badge of document.querySelectorAll(`[data-state="${CSS.escape(`${event.topic}/${event.id}`)}"]`)) {
      badge.textContent = event.state;
      badge.className = `state s-${event.state}`;
    }
  }
  document.dispatchEvent(new CustomEvent("house:change", { detail: event }));
  look();
}

// Looks now, or as soon as the last look is long enough ago.
export function look() {
  again = true;
  if (looking || timer || document.hidden) return;
  const rest = lookedAt + SPACING - performance.now();
  if (rest <= 0) return void fetchPart();
  timer = setTimeout(() => {
    timer = 0;
    fetchPart();
  }, rest);
}

async function fetchPart() {
  looking = true;
  again = false;
  lookedAt = performance.now();
  try {
    const headers = { "X-Part": "1", Accept: "text/html", ...(etag && { "If-None-Match": etag }) };
    const answer = await fetch(location.href, { headers, cache: "no-store" });
    if (answer.status === 401) return location.reload();
    if (answer.status === 200 && !answer.redirected) {
      etag = answer.headers.get("ETag") ?? "";
      take(await answer.text());
    }
  } catch {
    again = false; // the stream notices that the service is away, and everything is looked at when it is back
  } finally {
    looking = false;
    if (again) look();
  }
}

// Takes over the main part of a page; also for the answer to a form.
export function take(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  const fresh = page.getElementById("main");
  if (!fresh) return;
  localise(fresh);
  morph(document.getElementById("main"), document.adoptNode(fresh));
  document.dispatchEvent(new CustomEvent("house:shown"));
}
