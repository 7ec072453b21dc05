// Instants arrive in UTC; people read them on their own clock, and UTC when they point at one.

const instant = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const minute = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { weekday: "short", hour: "2-digit", minute: "2-digit" });
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

export function start() {
  localise(document);
  setInterval(() => tick(document), 1000);
}

// Gives every time its local text; also for what is not in the page yet.
export function localise(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const moment = new Date(time.dateTime);
    const utc = moment.toISOString().replace("T", " ").replace(/\.\d+Z/, " UTC");
    time.title = `${utc} · ${instant.format(moment)} ${zone}`;
    show(time, moment, Date.now());
  }
  tick(root);
}

function tick(root) {
  const now = Date.now();
  for (const time of root.querySelectorAll("time[data-show=ago], time[data-show=in]")) {
    show(time, new Date(time.dateTime), now);
  }
  for (const bar of root.querySelectorAll("progress[data-usual]")) {
    const share = (now - new Date(bar.dataset.since)) / 1000 / Number(bar.dataset.usual);
    bar.value = Math.min(1, Math.max(0, share));
  }
}

function show(time, moment, now) {
  const text = worded(time.dataset.show, moment, now);
  if (time.textContent !== text) time.textContent = text;
}

function worded(how, moment, now) {
  if (how === "ago") return now - moment < 1000 ? "just now" : `${length(now - moment)} ago`;
  if (how === "in") return moment <= now ? "now" : `in ${length(moment - now)}`;
  const near = Math.abs(moment - now) < 43_200_000;
  if (how === "clock") return near ? clock.format(moment) : day.format(moment);
  if (how === "tick") return near ? minute.format(moment) : day.format(moment);
  return instant.format(moment);
}

export function length(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return `${minutes} min ${seconds % 60} s`;
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
