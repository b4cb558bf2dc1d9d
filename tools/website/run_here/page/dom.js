// Elements in one line.

/** An element with properties (or attributes, where a name has a dash) and children. */
export function element(name, properties = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.includes("-") || key === "role") node.setAttribute(key, value);
    else node[key] = value;
  }
  node.append(...children);
  return node;
}

/** A button with words on it. */
export function button(words, action, className = "") {
  const node = element("button", { type: "button", className: `run-button ${className}`.trim(), textContent: words });
  node.addEventListener("click", action);
  return node;
}
