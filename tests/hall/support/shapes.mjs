// What answers and events look like, to the last field: an expected value may hold predicates.
import assert from 'node:assert/strict';

export const isId = (value) => typeof value === 'string' && /^[\w-]{20}$/.test(value);
export const isEpoch = (value) => typeof value === 'string' && /^[\w-]{8,}$/.test(value);
/** Of these days, in whole milliseconds. */
export const isTime = (value) => Number.isInteger(value) && Math.abs(value - Date.now()) < 120_000;
export const isText = (value) => typeof value === 'string' && value.length > 0;
export const anything = () => true;

/** Every field of `expected` and no other, at any depth; a function in it is asked. */
export function matches(actual, expected, where = 'it') {
  if (typeof expected === 'function') {
    assert.ok(expected(actual), `${where}: ${JSON.stringify(actual)} is not ${expected.name}`);
  } else if (Array.isArray(expected)) {
    assert.ok(Array.isArray(actual), `${where} is a list: ${JSON.stringify(actual)}`);
    assert.equal(actual.length, expected.length, `${where} has ${JSON.stringify(actual)}`);
    expected.forEach((entry, at) => matches(actual[at], entry, `${where}[${at}]`));
  } else if (expected !== null && typeof expected === 'object' && !Buffer.isBuffer(expected)) {
    assert.ok(
        actual !== null && typeof actual === 'object' && !Array.isArray(actual), `${where} is an object`);
    assert.deepEqual(Object.keys(actual).sort(), Object.keys(expected).sort(), `fields of ${where}`);
    for (const key of Object.keys(expected)) matches(actual[key], expected[key], `${where}.${key}`);
  } else {
    assert.deepEqual(actual, expected, where);
  }
}

export const userOf = (client) => ({userId: client.user, user: {name: client.user}});
export const memberOf = (client, status = 'online') => ({...userOf(client), status});

/** A room's message as everybody sees it. `over`: what is not usual. */
export function messageOf(client, roomId, seq, content, over = {}) {
  return {
    id: isId,
    roomId,
    seq,
    ...userOf(client),
    content,
    type: 'text',
    timestamp: isTime,
    edited: false,
    deleted: false,
    ...over
  };
}

/** What each of the clients has heard since the last time, in order: [[name, payload], …]. */
export async function heard(...clients) {
  for (const client of clients) await client.settle();
  return clients.map((client) => client.drain());
}

/** Each client heard exactly these events, in this order. `expected`: pairs of a client and its events. */
export async function hear(...expected) {
  const all = await heard(...expected.map(([client]) => client));
  all.forEach((events, at) => {
    const [client, wanted] = expected[at];
    const who = `${client.user} (${client.protocol})`;
    assert.deepEqual(events.map(([name]) => name), wanted.map(([name]) => name), `events of ${who}`);
    wanted.forEach(([name, payload], i) => matches(events[i][1], payload, `${name} of ${who}`));
  });
}

let count = 0;
/** A name that no other test of this file has. */
export const fresh = (prefix) => `${prefix}-${++count}`;
