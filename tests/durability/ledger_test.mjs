// The ledger itself: whatever may go wrong with a server's history, it says so, and nothing else.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CONTENT_BYTES_MAX, CONTENT_BYTES_MIN, contentOf, hashOf, readContent } from './content.mjs';
import { Ledger } from './ledger.mjs';

const EPOCH = 'epoch-one';
const ids = ['n0-0', 's1-0', 'n0-1', 's1-1'];

/** A room with the messages 1 to 4, all acknowledged, and the history that the server should show. */
function acknowledgedRoom() {
  const ledger = new Ledger();
  const history = ids.map((id, index) => ({
    id: `message-${index}`, seq: index + 1, content: contentOf(id), edited: false, deleted: false,
  }));
  ids.forEach((id, index) => ledger.acknowledge(ack(id, index + 1, `message-${index}`)));
  const check = (changed = history, epoch = EPOCH, top = 4) => {
    ledger.check('room', { seq: top, epoch }, changed);
    return ledger.findings.counts;
  };
  return { ledger, history, check };
}

const ack = (id, seq, messageId, more = {}) => ({
  id, room: 'room', seq, messageId, epoch: EPOCH, hash: hashOf(contentOf(id)), duplicate: false, ...more });

describe('contents', () => {
  it('have 16 B to 32 KiB, and say what they are', () => {
    const sizes = Array.from({ length: 4000 }, (_, number) => {
      const content = contentOf(`n0-${number.toString(36)}`);
      assert.deepEqual(readContent(content), { id: `n0-${number.toString(36)}`, version: 0 });
      return Buffer.byteLength(content);
    });
    assert.ok(Math.min(...sizes) >= CONTENT_BYTES_MIN && Math.min(...sizes) < 20, `least ${Math.min(...sizes)}`);
    assert.ok(Math.max(...sizes) <= CONTENT_BYTES_MAX && Math.max(...sizes) > 30_000, `most ${Math.max(...sizes)}`);
  });

  it('are not whole with any character changed, missing or added', () => {
    const content = contentOf('n0-5');
    const at = content.length - 3;
    assert.equal(readContent(`${content.slice(0, at)}\u0001${content.slice(at + 1)}`), null);
    assert.equal(readContent(content.slice(0, -1)), null);
    assert.equal(readContent(`${content} `), null);
    assert.equal(readContent(contentOf('n0-5', 1).replace('.1|', '.0|')), null);
  });
});

describe('the ledger finds', () => {
  it('nothing wrong with what was acknowledged, read twice', () => {
    const { check } = acknowledgedRoom();
    check();
    assert.deepEqual(check(), {});
  });

  it('nothing wrong with a message that was stored and never acknowledged, nor with its retry', () => {
    const { ledger, history, check } = acknowledgedRoom();
    ledger.begun('n0', 3);
    check([...history, { ...history[0], id: 'message-4', seq: 5, content: contentOf('n0-2') }], EPOCH, 5);
    ledger.acknowledge(ack('n0-2', 5, 'message-4', { duplicate: true }));
    assert.deepEqual(ledger.findings.counts, {});
    assert.equal(ledger.duplicates, 1);
  });

  it('an acknowledged message that is missing at the end', () => {
    const { history, check } = acknowledgedRoom();
    assert.deepEqual(check(history.slice(0, 3), EPOCH, 3), { lost: 1 });
  });

  it('a hole', () => {
    const { history, check } = acknowledgedRoom();
    assert.deepEqual(check([history[0], history[2], history[3]]), { hole: 1, lost: 1 });
  });

  it('a history that ends before the room does', () => {
    const { history, check } = acknowledgedRoom();
    assert.deepEqual(check(history, EPOCH, 5), { hole: 1 });
  });

  it('a message that a subscriber was given and that is missing', () => {
    const { ledger, check } = acknowledgedRoom();
    ledger.deliver('room', { id: 'message-4', seq: 5, content: contentOf('n0-2'), deleted: false });
    assert.deepEqual(check(), { undelivered: 1 });
  });

  it('a message that an earlier history showed and that is missing', () => {
    const { history, check } = acknowledgedRoom();
    check([...history, { ...history[0], id: 'message-4', seq: 5, content: contentOf('n0-2') }], EPOCH, 5);
    assert.deepEqual(check(), { vanished: 1 });
  });

  it('a message that is stored twice in the room, by its retry', () => {
    const { history, check } = acknowledgedRoom();
    assert.deepEqual(check([...history, { ...history[0], id: 'message-4', seq: 5 }], EPOCH, 5), { duplicate: 2 });
  });

  it('a message that is stored in another room as well', () => {
    const { ledger, history, check } = acknowledgedRoom();
    check();
    ledger.check('other', { seq: 1, epoch: 'x' }, [{ ...history[2], seq: 1 }]);
    assert.deepEqual(ledger.findings.counts, { duplicate: 1 });
  });

  it('a number that comes twice', () => {
    const { history, check } = acknowledgedRoom();
    const changed = [...history, { ...history[0], id: 'message-4', seq: 4, content: contentOf('n0-2') }];
    assert.deepEqual(check(changed), { order: 1, duplicate: 1 });
  });

  it('a retry that is told another number, another id, another room', () => {
    for (const told of [ack('n0-0', 5, 'message-0'), ack('n0-0', 1, 'message-4'),
      ack('n0-0', 1, 'message-0', { room: 'other' })]) {
      const { ledger } = acknowledgedRoom();
      ledger.acknowledge(told);
      assert.deepEqual(ledger.findings.counts, { moved: 1 });
      assert.equal(ledger.acknowledged, 4);
    }
  });

  it('nothing wrong with a retry that is told the same', () => {
    const { ledger } = acknowledgedRoom();
    ledger.acknowledge(ack('n0-0', 1, 'message-0', { duplicate: true }));
    assert.deepEqual([ledger.findings.counts, ledger.acknowledged, ledger.duplicates], [{}, 4, 1]);
  });

  it('a replay that shows another message, or one beyond the history', () => {
    const { ledger, history, check } = acknowledgedRoom();
    check();
    history.forEach((message) => ledger.replayed('room', message));
    assert.deepEqual(ledger.findings.counts, {});
    ledger.replayed('room', { ...history[1], id: 'message-9' });
    ledger.replayed('room', { ...history[1], seq: 5 });
    assert.deepEqual(ledger.findings.counts, { resume: 2 });
  });

  it('nothing wrong with a room that is empty and has another epoch than before', () => {
    const ledger = new Ledger();
    ledger.check('room', { seq: 0, epoch: EPOCH }, []);
    ledger.check('room', { seq: 0, epoch: 'epoch-two' }, []);
    assert.deepEqual(ledger.findings.counts, {});
  });

  it('a retry that is told another place than the history has shown', () => {
    const { ledger, history, check } = acknowledgedRoom();
    check([...history, { ...history[0], id: 'message-4', seq: 5, content: contentOf('n0-2') }], EPOCH, 5);
    ledger.acknowledge(ack('n0-2', 6, 'message-5'));
    assert.deepEqual(ledger.findings.counts, { moved: 1 });
  });

  it('a place that two messages are told', () => {
    const { ledger } = acknowledgedRoom();
    ledger.acknowledge(ack('n0-2', 4, 'message-4'));
    assert.deepEqual(ledger.findings.counts, { duplicate: 1 });
  });

  it('another epoch, and that nothing of the old one counts', () => {
    const { check } = acknowledgedRoom();
    assert.deepEqual(check([], 'epoch-two', 0), { epoch: 1, lost: 4 });
  });

  it('an acknowledgement of another epoch', () => {
    const { ledger } = acknowledgedRoom();
    ledger.acknowledge(ack('n0-2', 5, 'message-4', { epoch: 'epoch-two' }));
    assert.deepEqual(ledger.findings.counts, { epoch: 1 });
  });

  it('a content that is cut short, and one of another message', () => {
    const { history, check } = acknowledgedRoom();
    history[1] = { ...history[1], content: history[1].content.slice(0, -1) };
    assert.deepEqual(check(), { content: 1 });
    const other = acknowledgedRoom();
    other.history[1] = { ...other.history[1], content: contentOf('n0-9') };
    assert.deepEqual(other.check(), { duplicate: 1, lost: 1 });
  });

  it('a content that is whole, and not what the publisher says that it has sent', () => {
    const { ledger, history } = acknowledgedRoom();
    ledger.acknowledge(ack('n0-2', 5, 'message-4', { hash: hashOf('something else') }));
    ledger.check('room', { seq: 5, epoch: EPOCH },
      [...history, { ...history[0], id: 'message-4', seq: 5, content: contentOf('n0-2') }]);
    assert.deepEqual(ledger.findings.counts, { content: 1 });
  });

  it('a message that was never sent', () => {
    const { ledger, history, check } = acknowledgedRoom();
    ledger.begun('n0', 2);
    check([...history, { ...history[0], id: 'message-4', seq: 5, content: contentOf('n0-2') }], EPOCH, 5);
    assert.deepEqual(ledger.findings.counts, { phantom: 1 });
  });
});

describe('edits and deletions', () => {
  const edited = (history, index) => history.map((message, at) => (at !== index ? message
    : { ...message, content: contentOf(ids[at], 1), edited: true }));
  const deleted = (history, index) => history.map((message, at) => (at !== index ? message
    : { ...message, content: '', deleted: true }));

  it('may have happened when they were sent and not answered', () => {
    const { ledger, history, check } = acknowledgedRoom();
    ledger.intend({ id: ids[0], version: 1, deletes: false });
    ledger.intend({ id: ids[1], version: 1, deletes: true });
    check();
    check(edited(history, 0));
    assert.deepEqual(check(deleted(history, 1)), {});
  });

  it('must have happened when they were acknowledged', () => {
    const { ledger, history, check } = acknowledgedRoom();
    for (const [index, deletes] of [[0, false], [1, true]]) {
      ledger.intend({ id: ids[index], version: 1, deletes });
      ledger.change({ id: ids[index], version: 1, deletes });
    }
    assert.deepEqual(check(), { edit: 2 });
    assert.deepEqual(check(deleted(edited(history, 0), 1)), { edit: 2 }, 'and nothing new');
  });

  it('do not happen when nobody sent them', () => {
    const { history, check } = acknowledgedRoom();
    assert.deepEqual(check(edited(history, 0)), { edit: 1 });
    assert.deepEqual(check(deleted(history, 1)), { edit: 2 });
  });

  it('are marked', () => {
    const { ledger, history, check } = acknowledgedRoom();
    ledger.intend({ id: ids[0], version: 1, deletes: false });
    check(edited(history, 0));
    assert.deepEqual(ledger.findings.counts, {});
    assert.deepEqual(check(edited(history, 0).map((message) => ({ ...message, edited: false }))), { edit: 1 });
  });

  it('leave nothing of a deleted message', () => {
    const { ledger, history, check } = acknowledgedRoom();
    ledger.intend({ id: ids[0], version: 1, deletes: true });
    assert.deepEqual(check(history.map((message, at) => ({ ...message, deleted: at === 0 }))), { edit: 1 });
  });
});
