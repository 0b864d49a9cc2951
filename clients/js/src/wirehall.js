// Wirehall's client for the native protocol: JSON frames over one WebSocket, in browsers and in Node.
//
//   const client = await connect('https://example.org', { auth: async () => ({ token: await fetchToken() }) });
//   client.on('chat', (message) => show(message));
//   await client.join('lobby');
//   await client.send('lobby', 'hello');
//
// It reconnects by itself. Handlers and rooms survive that, and nothing is sent twice: a message goes out
// again with its clientMessageId, by which the server knows it; any other request that was under way fails
// with `disconnected`, since nobody can say whether it was done, unless it may be done twice: then it goes out
// `again`.
//
// Nothing is missed either: a room is entered again from where we were in it, and `chat` tells every message
// once, in the order of `seq`, also those of the time in between. Where the server cannot give them all,
// `rejoined` has `recovered: false`, and history() has them.

/** @import { HallEvents, Options } from './types.js' */
import { Client } from './client.js';
import { WirehallError } from './errors.js';
import { Room } from './rooms.js';
import { sendFile } from './uploads.js';

/**
 * Connects, for as many attempts as the options allow.
 *
 * What the server sends directly behind its welcome is seen only by handlers that were there before: where
 * that matters, make a Client, add them, and call its connect().
 *
 * @template {object} [E=HallEvents]
 * @param {string | URL} [url]  of the server, else the page's own; its path is /ws where none is given
 * @param {Options} [options]
 * @returns {Promise<Client<E>>}
 */
export function connect(url, options) {
  return /** @type {Client<E>} */ (new Client(url, options)).connect();
}

export { Client, Room, WirehallError, sendFile };
