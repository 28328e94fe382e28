// Making elements, and asking the page for them.

/** Return an element: properties by name; `on` holds listeners, `data` attributes, `class` the class. */
export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "on") for (const [name, listener] of Object.entries(value)) element.addEventListener(name, listener);
    else if (key === "class") element.className = value;
    else if (key === "text") element.textContent = value;
    else if (key === "html") element.innerHTML = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Return the element with this id. */
export function byId(id) {
  return document.getElementById(id);
}

/** Return a button with a word. */
export function button(text, pressed, kind = "quiet", more = {}) {
  return el("button", { type: "button", class: kind, on: { click: pressed }, ...more }, text);
}

/** Return a card with a heading. */
export function card(title, ...children) {
  return el("section", { class: "card" }, title ? el("h2", { text: title }) : null, ...children);
}

/** Return a slider for one number: its name, the slider and the number, for a grid of class `params`. */
export function parameter(name, value, { min, max, step }, shown, changed) {
  const id = `p${(parameter.count = (parameter.count ?? 0) + 1)}`;
  const output = el("output", { for: id, text: shown(value) });
  const input = el("input", {
    type: "range",
    id,
    min,
    max,
    step,
    value,
    on: {
      input: () => {
        output.textContent = shown(Number(input.value));
        input.setAttribute("aria-valuetext", output.textContent);
        changed(Number(input.value));
      },
    },
  });
  input.setAttribute("aria-valuetext", shown(value));
  return [el("label", { for: id, text: name }), input, output];
}

/** Say something to a screen reader. */
export function say(text) {
  byId("live").textContent = text;
}
