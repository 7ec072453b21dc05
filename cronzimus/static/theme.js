// Light, dark, or as the system says: kept in a cookie, so that the next page comes in the right colours.

const names = { "": "as the system says", light: "light", dark: "dark" };

export function start() {
  const button = document.getElementById("theme");
  if (!button) return;
  const say = () => {
    const text = `Colours: ${names[document.documentElement.dataset.theme || ""]}`;
    button.setAttribute("aria-label", text);
    button.title = text;
  };
  button.hidden = false;
  say();
  button.addEventListener("click", () => {
    const order = Object.keys(names);
    const next = order[(order.indexOf(document.documentElement.dataset.theme || "") + 1) % order.length];
    if (next) document.documentElement.dataset.theme = next;
    else delete document.documentElement.dataset.theme;
    document.cookie = `theme=${next}; path=/; samesite=lax; max-age=${next ? 31536000 : 0}`;
    say();
    document.dispatchEvent(new CustomEvent("house:theme"));
  });
}
