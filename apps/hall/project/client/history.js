// Earlier messages of the room, page by page.
import { button } from './dom.js';

const PAGE = 50;

export function addHistory(page) {
  const { connection, room } = page;
  const more = button('Earlier messages', load, { id: 'earlier' });
  room.log.before(more);

  // A room's messages are numbered from 1 on; the oldest that is shown says what comes before it.
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
    more.hidden = !answer.hasMore;
  }

  page.on('entered', () => { more.hidden = oldestSeq() <= 1; });
}
