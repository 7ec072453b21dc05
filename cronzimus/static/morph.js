// Makes an element look like another one and touches only what differs, so that focus, choices and open
// details stay. Children are told apart by their id; `data-keep` leaves what lies inside alone, and what somebody
// has put into a field stays there.

const touched = new WeakSet();
for (const kind of ["input", "change"]) {
  document.addEventListener(kind, (event) => touched.add(event.target), true);
}

// Ticks a box on somebody's behalf; it stays as if they had done it.
export function tick(box, checked) {
  box.checked = checked;
  touched.add(box);
}

export function morph(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName) return old.replaceWith(fresh);
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
    return;
  }
  if (old.hasAttribute("data-keep")) return;
  morphAttributes(old, fresh);
  morphChildren(old, fresh);
}

function morphAttributes(old, fresh) {
  const stays = old.matches("details, dialog") ? ["open"] : old.matches("tr") ? ["tabindex"] : [];
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !stays.includes(name)) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value && !stays.includes(name)) old.setAttribute(name, value);
  }
  if (old.matches("input, textarea, select") && old !== document.activeElement && !touched.has(old)) {
    if (old.type === "checkbox" || old.type === "radio") old.checked = fresh.checked;
    else if (old.value !== fresh.value) old.value = fresh.value;
  }
}

// Not `node.id`: a form with a field of that name answers with the field.
function idOf(node) {
  return node.getAttribute?.("id");
}

function morphChildren(old, fresh) {
  const wanted = new Set([...fresh.children].map(idOf).filter(Boolean));
  const named = new Map([...old.children].filter(idOf).map((child) => [idOf(child), child]));
  let place = old.firstChild;
  for (const child of [...fresh.childNodes]) {
    while (place && idOf(place) && !wanted.has(idOf(place))) {
      const gone = place;
      place = place.nextSibling;
      gone.remove();
    }
    const known = named.get(idOf(child));
    if (known) {
      if (known === place) place = place.nextSibling;
      else old.insertBefore(known, place);
      morph(known, child);
    } else if (place && !idOf(place) && !idOf(child) && place.nodeName === child.nodeName) {
      const same = place;
      place = place.nextSibling;
      morph(same, child);
    } else {
      old.insertBefore(child, place);
    }
  }
  while (place) {
    const gone = place;
    place = place.nextSibling;
    gone.remove();
  }
}
