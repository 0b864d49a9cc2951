// Earlier messages of the room, page by page.
import { button } from './dom.js';

const PAGE = 50;

export function addHistory(page) {
  const { connection, room } = page;
  const more = button('Earlier messages', load, { id: 'earlier' });
  room.log.before(more);

  let first = 1; // the number of the room's first message: 1, or above where old ones are not kept

  // The oldest message that is shown says what comes before it.
  const oldestSeq = () => Number(room.log.querySelector('[data-seq]')?.dataset.seq ?? 1);

  async function load() {
    const { id: roomId } = room;
    more.disabled = true;
    const answer = await page.attempt(connection.emit('history', { roomId, before: oldestSeq(), limit: PAGE }));
    more.disabled = false;
    if (!answer || roomId !== room.id) return;
    const fromEnd = room.log.scrollHeight - room.log.scrollTop;
    for (const message of answer.messages) room.show(message);
    room.log.scrollTop = room.log.scrollHeight - fromEnd; // what was read stays where it was
    if (!answer.hasMore) first = oldestSeq();
    show();
  }

  function show() {
    more.hidden = oldestSeq() <= first;
  }

  page.on('entered', () => {
    first = 1;
    show();
  });
  page.on('message', show); // where very many are shown, the oldest go
}
