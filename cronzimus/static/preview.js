// Says while one types when the job would be due: the service computes it, the page shows what it said.
import { morph } from "./morph.js";
import { localise } from "./times.js";

const PAUSE = 250; // milliseconds after the last key

let timer = 0;
let asked = 0;

export function start() {
  const form = document.querySelector("form[data-preview]");
  form?.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => ask(form), PAUSE);
  });
}

async function ask(form) {
  const number = ++asked;
  const body = new URLSearchParams(new FormData(form));
  body.set("preview", "1");
  try {
    const headers = { Accept: "text/html", "X-Part": "1" };
    const answer = await fetch(form.dataset.preview, { method: "POST", body, headers });
    if (!answer.ok || number !== asked) return; // a later key has asked already
    const said = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("preview");
    if (!said) return;
    localise(said);
    morph(document.getElementById("preview"), document.adoptNode(said));
  } catch {
    // the button says that the service is away
  }
}
