// Everything by keyboard. A link with data-go is reached by g and its letter; an element with data-press by its
// own letter, in the row that has the focus first.

let led = false;

export function start() {
  const help = document.getElementById("help");
  if (help) {
    help.hidden = false;
    help.addEventListener("click", () => document.getElementById("keys").showModal());
  }
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (document.querySelector("dialog[open]")) return;
    if (pressed(event.key)) event.preventDefault();
  });
}

function isTyping(element) {
  return element.matches?.("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]");
}

function pressed(key) {
  if (led) {
    led = false;
    return click(document.querySelector(`[data-go="${CSS.escape(key)}"]`));
  }
  if (key === "g") return (led = true);
  if (key === "/") return focus(document.querySelector("[data-search]"));
  if (key === "j" || key === "k") return step(key === "j" ? 1 : -1);
  const row = document.activeElement?.closest?.("[data-row]");
  if (key === "Enter" && row === document.activeElement && row) return click(row.querySelector("a"));
  if (key === "x" && row) return click(row.querySelector("input[type=checkbox]"));
  const wanted = `[data-press="${CSS.escape(key)}"]`;
  return click(row?.querySelector(wanted) ?? [...document.querySelectorAll(wanted)].find((one) => !one.closest("[data-row]")));
}

function click(element) {
  element?.click();
  return Boolean(element);
}

function focus(element) {
  element?.focus();
  element?.select?.();
  return Boolean(element);
}

function step(by) {
  const rows = [...document.querySelectorAll("[data-row]")];
  if (!rows.length) return false;
  const at = rows.indexOf(document.activeElement?.closest?.("[data-row]"));
  const row = rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + by))];
  row.tabIndex = -1;
  row.focus();
  return true;
}
