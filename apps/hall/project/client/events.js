// Any event by hand, with its answer: for trying a handler that you have just written.
import { element, field, form } from './dom.js';

export function addEvents(page) {
  const { connection } = page;
  const panel = page.panel('events', 'Any event');
  const name = element('input', { name: 'event', required: true, value: 'hello', autocomplete: 'off', spellcheck: 'false' });
  const fields = element('textarea', { name: 'fields', rows: 3, spellcheck: 'false' }, '{ "text": "hi" }');
  const answer = element('pre', { 'aria-live': 'polite', tabindex: 0, 'aria-label': 'Answer' }, 'The answer stands here.');
  panel.append(form({ class: 'stack' }, send, field('Event', name), field('Fields, as JSON', fields),
    element('button', {}, 'Send')), answer);

  async function send() {
    try {
      answer.textContent = show(await connection.emit(name.value.trim(), JSON.parse(fields.value || '{}')));
    } catch (error) {
      const { message, code, retryAfter } = error;
      answer.textContent = show({ error: message, code, retryAfter });
    }
  }

  const show = (value) => JSON.stringify(value, null, 2);
}
