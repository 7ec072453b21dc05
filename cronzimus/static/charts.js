// Draws what a table on the page says. The table is the truth: when it changes, the chart is drawn again.

const HEIGHT = 180;
const wrong = ["partial", "failed", "timeout", "lost"];
const day = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });
const minute = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
let chart = null;
let drawn = "";

export function start() {
  if (!document.querySelector("[data-chart=durations]") || !window.uPlot) return;
  draw();
  document.addEventListener("house:shown", draw);
  document.addEventListener("house:theme", () => draw(null, true));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw(null, true));
  addEventListener("resize", () => draw(null, true));
}

function draw(event, anew = false) {
  const place = document.querySelector("[data-chart=durations]");
  const rows = [...document.querySelectorAll("#durations [data-x]")].reverse();
  const text = rows.map((row) => `${row.dataset.x} ${row.dataset.y} ${row.dataset.stateIs}`).join();
  if (!anew && text === drawn) return;
  drawn = text;
  chart?.destroy();
  chart = rows.length ? new window.uPlot(options(place.clientWidth), columns(rows), place) : null;
}

function columns(rows) {
  const y = rows.map((row) => Number(row.dataset.y));
  const bad = rows.map((row) => wrong.includes(row.dataset.stateIs));
  return [
    rows.map((row) => Number(row.dataset.x)),
    y.map((value, place) => (bad[place] ? null : value)),
    y.map((value, place) => (bad[place] ? value : null)),
  ];
}

function options(width) {
  const axis = { stroke: colour("--quiet"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
  const dots = (name, tone) => ({
    label: name,
    stroke: colour(tone),
    fill: colour(tone),
    paths: () => null,
    points: { show: true, size: 6, fill: colour(tone) },
    value: (_, seconds) => (seconds == null ? "–" : lasted(seconds)),
  });
  return {
    width,
    height: HEIGHT,
    legend: { live: true },
    cursor: { drag: { x: false, y: false } },
    scales: { y: { range: (_, low, high) => [0, high > 0 ? high * 1.1 : 1] } },
    axes: [{ ...axis, space: 90, values: (_, ticks) => ticks.map(placed(ticks)) }, { ...axis, size: 64, values: (_, ticks) => ticks.map(lasted) }],
    series: [{ label: "Due", value: (_, at) => (at == null ? "–" : `${day.format(at * 1000)} ${minute.format(at * 1000)}`) }, dots("well", "--good"), dots("wrong", "--bad")],
  };
}

// Ticks closer together than a day are times of a day.
function placed(ticks) {
  const format = ticks.length > 1 && ticks[1] - ticks[0] < 86400 ? minute : day;
  return (at) => format.format(at * 1000);
}

function lasted(seconds) {
  if (seconds === 0) return "0";
  return seconds < 1 ? `${+(seconds * 1000).toPrecision(3)} ms` : `${+seconds.toPrecision(3)} s`;
}

// The colour a variable has now: light-dark() is resolved by letting an element wear it.
function colour(name) {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}
