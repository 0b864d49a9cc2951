// Questions that stand in front of everything: for a room, a person, a text, or whether one is sure.
import { button, element, iconButton } from './dom.js';
import { reasonOf } from './text.js';

let number = 0;

/**
 * Asks, until it is answered or dismissed.
 *
 * @param fields  elements
 * @param submit  () => nothing, or a promise; what it throws is shown and the question stays
 */
export function ask({ title, text, fields = [], action, isDanger, submit }) {
  const id = `dialog-${++number}`;
  const problem = element('p', { class: 'problem', role: 'alert' });
  const go = element('button', { type: 'submit', class: isDanger ? 'danger primary' : 'primary' }, action);
  const form = element('form', { method: 'dialog' },
    element('header', {}, element('h2', { id }, title), iconButton('close', 'Close', () => dialog.close())),
    text && element('p', { class: 'soft' }, text), ...fields, problem,
    element('footer', {}, button('Cancel', () => dialog.close()), go));
  const dialog = element('dialog', { class: 'dialog', 'aria-labelledby': id }, form);
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (go.disabled) return;
    go.disabled = true;
    problem.textContent = '';
    try {
      await submit();
      dialog.close();
    } catch (error) {
      problem.textContent = reasonOf(error);
      go.disabled = false;
    }
  });
  dialog.addEventListener('close', () => dialog.remove());
  dialog.addEventListener('pointerdown', (event) => { if (event.target === dialog) dialog.close(); });
  document.body.append(dialog);
  dialog.showModal();
  (form.querySelector('[autofocus], input:not([type=radio]), textarea') ?? go).focus();
  return dialog;
}

export function confirm(title, text, action, submit) {
  return ask({ title, text, action, isDanger: true, submit });
}

/** A line to write in, with its label. */
export function field(label, attributes = {}, note) {
  const id = `field-${++number}`;
  const input = element('input', {
    id, required: true, autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false',
    'aria-describedby': note && `${id}-note`, ...attributes,
  });
  const box = element('p', { class: 'field' }, element('label', { for: id }, label), input);
  if (note) box.append(element('span', { class: 'soft', id: `${id}-note` }, note));
  return { box, input, note: box.querySelector('span') };
}

/** A line with suggestions of people. */
export function personField(label, people) {
  const list = element('datalist', { id: `people-${++number}` },
    ...people.map(({ userId, user }) => element('option', { value: userId }, user?.name ?? '')));
  const { box, input } = field(label, { maxlength: 200, list: list.id });
  box.append(list);
  return { box, input };
}

/** One of several. `choices`: { value: [text, note?] } */
export function choice(label, name, choices, chosen, { isSwitch = false } = {}) {
  const group = `${name}-${++number}`;
  return element('fieldset', { class: isSwitch ? 'switch' : 'choices' },
    element('legend', { class: isSwitch && 'unseen' }, label),
    ...Object.entries(choices).map(([value, [text, note]]) => element('label', {},
      element('input', { type: 'radio', name: group, value, checked: value === chosen }),
      element('span', {}, isSwitch ? text : element('b', {}, text), note && element('small', {}, note)))));
}

// -- rooms -----------------------------------------------------------------------------------------

const WAYS = { join: ['Join a room'], create: ['Create a room'] };
const TYPES = {
  public: ['Public', 'Everybody may come in and write'],
  team: ['Team', 'Only for people you invite'],
  announcements: ['Announcements', 'Everybody reads, you and moderators write'],
};

/** @param join (name) and create ({ roomId, type, name }) */
export function askForRoom({ join, create }) {
  const ways = choice('What to do', 'way', WAYS, 'join', { isSwitch: true });
  const { box, input, note } = field('Name', { maxlength: 120 }, ' ');
  const types = choice('Who is it for?', 'type', TYPES, 'public');
  const chosen = (group) => group.querySelector(':checked').value;
  const dialog = ask({
    title: 'Rooms', fields: [ways, box, types], action: 'Join',
    async submit() {
      const name = input.value.trim();
      if (name === '') throw new Error('The room needs a name');
      if (chosen(ways) === 'join') join(name);
      else await create({ roomId: idFor(name), type: chosen(types), name });
    },
  });
  const draw = () => {
    const isNew = chosen(ways) === 'create';
    types.hidden = !isNew;
    dialog.querySelector('[type=submit]').textContent = isNew ? 'Create' : 'Join';
    const id = idFor(input.value);
    note.textContent = !isNew ? 'Rooms that nobody created come into being when they are joined.'
      : id && id !== input.value.trim() ? `Others join it as ${id}` : 'Others join it by this name.';
  };
  dialog.addEventListener('input', draw);
  draw();
}

/** Without capitals and spaces: easier to tell each other. */
function idFor(name) {
  return name.trim().toLowerCase().replace(/\s+/g, '-');
}

export function askForPerson({ title, text, label, action, people, submit }) {
  const { box, input } = personField(label, people);
  ask({ title, text, fields: [box], action, submit: () => {
    if (input.value.trim() === '') throw new Error('A name is needed');
    return submit(input.value.trim());
  } });
}

export function askForStatus(current, submit) {
  const { box, input } = field('What are you up to?', { maxlength: 64, required: false, value: current },
    'Up to 64 characters; empty: online.');
  const set = () => submit(input.value.trim() || 'online');
  ask({ title: 'Your status', fields: [box], action: 'Set', submit: set });
}
