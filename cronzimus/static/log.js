// Follows what a run says while it runs. The page brought the last lines; the stream goes on behind them.
import { localise } from "./times.js";

const MOST = 2000; // lines in the page; the download has all of them
const AGAIN = 3000;

let source = null;
let log = null;

export function start() {
  document.addEventListener("click", copy);
  document.addEventListener("house:shown", showButtons);
  showButtons();
  log = document.querySelector("#log[data-follow]");
  if (!log) return;
  log.scrollTop = log.scrollHeight;
  if (!("open" in log.dataset)) return;
  document.getElementById("follow-label").hidden = false;
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  addEventListener("pagehide", close);
  if (!document.hidden) open();
}

function open() {
  if (source || !("open" in log.dataset)) return;
  const address = new URL(log.dataset.follow, location.href);
  address.searchParams.set("after", log.dataset.after);
  source = new EventSource(address);
  source.addEventListener("line", (event) => add(JSON.parse(event.data)));
  source.addEventListener("end", () => {
    delete log.dataset.open;
    close();
  });
  source.onerror = () => {
    close();
    setTimeout(() => document.hidden || open(), AGAIN);
  };
}

function close() {
  source?.close();
  source = null;
}

function add(said) {
  const line = document.createElement("span");
  line.className = `line l-${(said.level ?? said.stream).toLowerCase()}`;
  const time = document.createElement("time");
  time.dateTime = said.at;
  time.dataset.show = "clock";
  line.append(time, ` ${said.line}\n`);
  localise(line);
  log.append(line);
  log.dataset.after = said.seq;
  while (log.childElementCount > MOST) log.firstElementChild.remove();
  if (document.getElementById("follow")?.checked) log.scrollTop = log.scrollHeight;
}

// A look at the page draws these again as they are without scripts.
function showButtons() {
  for (const button of document.querySelectorAll("[data-copy]")) button.hidden = !navigator.clipboard;
  const follow = document.getElementById("follow-label");
  if (follow) follow.hidden = !("open" in (log ?? follow).dataset);
}

async function copy(event) {
  const button = event.target.closest?.("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
  const text = button.textContent;
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = text), 2000);
}
