// The few words in which the page writes its elements. Text becomes text and
// never markup: names come from anybody.

// el makes an element. Properties are set as such, dataset and aria-* as what they
// are; children are elements or text, and those that are null are left out.
export function el(name, props = {}, ...children) {
  const e = document.createElement(name);
  for (const [key, value] of Object.entries(props)) {
    if (key === "dataset") Object.assign(e.dataset, value);
    else if (key.startsWith("aria-") || key === "role") e.setAttribute(key, value);
    else e[key] = value;
  }
  e.append(...children.filter((c) => c !== null));
  return e;
}

// byId finds an element that index.html has.
export function byId(id) {
  return document.getElementById(id);
}
