// Forms send themselves without leaving the page, ask before they do harm, and say what they did.
import { take } from "./live.js";
import { tick } from "./morph.js";

const toasts = document.getElementById("toasts");
const SHOWN = 6000;

export function start() {
  for (const line of toasts?.children ?? []) setTimeout(() => line.remove(), SHOWN);
  const kept = sessionStorage.getItem("toast"); // said on the way here
  sessionStorage.removeItem("toast");
  if (kept) toast(kept);
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || form.hasAttribute("data-plain") || event.defaultPrevented) return;
    event.preventDefault();
    send(form, event.submitter);
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
    if (event.target.matches("[data-every]")) chooseEvery(event.target);
    count();
  });
  document.addEventListener("house:shown", count);
  count();
}

// A form whose buttons act on the chosen rows, or on everything the filter finds. Its fields are called id and
// action, so that form.id and form.action are those.
function chosen(form) {
  if (form.elements.all?.checked) return Number(form.elements.expected.value);
  return document.querySelectorAll(`input[name=id][form="${form.getAttribute("id")}"]:checked`).length;
}

function count() {
  const form = document.querySelector("form[data-batch]");
  if (!form) return;
  const number = chosen(form);
  for (const button of form.querySelectorAll("button[name=action]")) {
    button.disabled = number === 0;
    button.querySelector("[data-count]").textContent = number || "";
  }
}

function chooseEvery(box) {
  for (const one of document.querySelectorAll(`input[name=id][form="${box.dataset.every}"]`)) tick(one, box.checked);
}

function chooseNone(form) {
  for (const one of document.querySelectorAll(`input[type=checkbox][form="${form.getAttribute("id")}"]`)) one.checked = false;
  for (const one of form.querySelectorAll("input[type=checkbox]")) one.checked = false;
  count();
}

export function toast(text, bad = false) {
  const line = document.createElement("p");
  line.className = bad ? "toast bad" : "toast";
  line.textContent = text;
  toasts.append(line);
  setTimeout(() => line.remove(), SHOWN);
}

// Asks in a dialog; without one, as the browser does.
export function confirmed(text) {
  const dialog = document.getElementById("ask");
  document.getElementById("ask-text").textContent = text;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((answer) => {
    dialog.addEventListener("close", () => answer(dialog.returnValue === "yes"), { once: true });
  });
}

async function send(form, button) {
  const question = button?.dataset.confirm || form.dataset.confirm;
  if (question && !(await confirmed(question.replace("{n}", chosen(form))))) return;
  const body = new URLSearchParams(new FormData(form, button)); // a disabled button would not be in it
  if (button) button.disabled = true;
  try {
    const action = button?.getAttribute("formaction") || form.getAttribute("action") || location.href;
    const answer = await fetch(action, { method: "POST", body, headers: { Accept: "text/html" } });
    shown(answer, await answer.text());
    if (answer.ok && form.hasAttribute("data-batch")) chooseNone(form);
  } catch {
    toast("The service does not answer; nothing was changed.", true);
  } finally {
    if (button) button.disabled = false;
    count();
  }
}

function shown(answer, html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  const here = new URL(answer.url);
  const said = page.querySelector("#toasts .toast") ?? page.querySelector("main .lead");
  if (answer.ok && here.pathname + here.search !== location.pathname + location.search) {
    if (said) sessionStorage.setItem("toast", said.textContent);
    return location.assign(here);
  }
  if (answer.ok) take(html);
  if (said) toast(said.textContent, !answer.ok);
}
