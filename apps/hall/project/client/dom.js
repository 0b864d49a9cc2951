// Elements from values. Text goes in as text and never as markup: names and messages come from strangers.

/** element('button', { type: 'button', onclick: send }, 'Send'). A value that is false is left out. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') made.addEventListener(name.slice(2), value);
    else if (value !== false && value !== undefined) made.setAttribute(name, value === true ? '' : value);
  }
  made.append(...children);
  return made;
}

export function button(text, onclick, attributes = {}) {
  return element('button', { type: 'button', onclick, ...attributes }, text);
}

/** A field with its label. */
export function field(label, input) {
  return element('label', {}, label, ' ', input);
}

/** A form whose buttons do not load another page. */
export function form(attributes, onsubmit, ...children) {
  const submit = (event) => {
    event.preventDefault();
    onsubmit();
  };
  return element('form', { ...attributes, onsubmit: submit }, ...children);
}

export function timeOf(timestamp) {
  const date = new Date(timestamp);
  const text = date.toLocaleTimeString([], { timeStyle: 'short' });
  return element('time', { datetime: date.toISOString(), title: date.toLocaleString() }, text);
}

/** What somebody is called: the name in their token, or else their id. */
export function nameOf(userId, user) {
  return user?.name ?? userId;
}

/** An id of a message of ours: by it the server knows one that is sent twice. */
export function makeId() {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join('-');
}
