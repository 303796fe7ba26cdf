// Building and patching the document: only text, never markup, comes from data.

export const byId = (id) => document.getElementById(id);

export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  set(made, attributes);
  made.append(...children.filter((child) => child !== null));
  return made;
}

const SVG = "http://www.w3.org/2000/svg";

export function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  set(made, attributes);
  made.append(...children);
  return made;
}

function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null) element.setAttribute(name, value === true ? "" : value);
  }
}

// Touches the document only when something differs, so that focus, selection and a screen reader's place stay.
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function mark(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

// The children of a container, one for each item and in the items' order; a child lives as long as its key does.
export function keyed(container, items, key, make, update) {
  const known = (container.known ??= new Map());
  const wanted = new Set(items.map(key));
  for (const [name, child] of known) {
    if (!wanted.has(name)) {
      child.remove();
      known.delete(name);
    }
  }
  let before = container.firstElementChild;
  for (const item of items) {
    const name = key(item);
    let child = known.get(name);
    if (!child) known.set(name, (child = make(item)));
    update(child, item);
    if (child === before) before = before.nextElementSibling;
    else container.insertBefore(child, before);
  }
}

// An age that goes on by itself: the ticker of `ages` rewrites each one once a second.
export function age(element, atMs) {
  if (atMs === null || atMs === undefined) {
    element.removeAttribute("data-at");
    say(element, "");
  } else mark(element, "data-at", String(atMs));
}
