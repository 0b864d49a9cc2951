// What was asked and is not answered yet, in the order in which it was asked.

/** @import { Clock, Fields, RequestOptions } from './types.js' */
import { toError, WirehallError } from './errors.js';
import { encode } from './frames.js';

/**
 * @typedef {object} PendingRequest
 * @property {number} id
 * @property {string} type
 * @property {Fields} fields
 * @property {string} text  the frame
 * @property {boolean} again  whether it may be sent again over another connection
 * @property {boolean} sent
 * @property {number} [timeout]  ms from the beginning; else the time counts from when it is sent
 * @property {any} [timer]
 * @property {Promise<any>} answer
 * @property {(fields: Fields) => void} resolve
 * @property {(error: Error) => void} reject
 * @property {number} [heard]  of a join: the seq of a message that came before the answer
 * @property {any} [place]  of a return: which it is about
 */

// Doing these twice is doing them once.
const REPEATABLE = ['message', 'private-message', 'join-room', 'leave-room', 'history', 'presence', 'mark-read',
  'ice-servers'];
const ALIASES = new Map([['chat', 'message'], ['join', 'join-room'], ['leave', 'leave-room']]);

export class Requests {
  /** @type {Map<number, PendingRequest>} */ #all = new Map();
  #lastId = 0;
  #clock;
  #timeout;
  #onAnswer;

  /**
   * @param {Clock} clock @param {number} timeout
   * @param {(request: PendingRequest, answer: Fields) => void} onAnswer
   */
  constructor(clock, timeout, onAnswer) {
    this.#clock = clock;
    this.#timeout = timeout;
    this.#onAnswer = onAnswer;
  }

  /** Those that wait for a connection. */
  waiting() {
    return [...this.#all.values()].filter((each) => !each.sent);
  }

  /** Those of one kind that are not answered. @param {string} type @param {string} roomId */
  about(type, roomId) {
    return [...this.#all.values()].filter((each) => each.type === type && each.fields.roomId === roomId);
  }

  /** @param {string} event @param {Fields} fields @param {RequestOptions} options @returns {PendingRequest} */
  add(event, fields, { timeout, again }) {
    const id = ++this.#lastId;
    const type = ALIASES.get(event) ?? event;
    /** @type {any} */
    const request = { id, type, fields, text: encode(fields, { type, id }), sent: false, timeout };
    request.again = again ?? REPEATABLE.includes(type);
    request.answer = new Promise((resolve, reject) => Object.assign(request, { resolve, reject }));
    this.#all.set(id, request);
    if (timeout !== undefined) this.#limit(request, timeout);
    return request;
  }

  /** @param {PendingRequest} request @param {any} socket */
  send(request, socket) {
    request.sent = true;
    if (request.timeout === undefined) this.#limit(request, this.#timeout);
    socket.send(request.text);
  }

  /** @param {number} id @param {Fields | Error} outcome */
  settle(id, outcome) {
    const request = this.#all.get(id);
    if (!request) return; // it timed out before
    this.#all.delete(id);
    this.#clock.clearTimeout(request.timer);
    if (outcome instanceof Error) return request.reject(outcome);
    if (outcome.error !== undefined) return request.reject(toError(outcome));
    this.#onAnswer(request, outcome); // before anybody is told: the next frame may be about it
    request.resolve(outcome);
  }

  /**
   * The connection is gone: what may not go out again fails.
   * @param {Error} error @param {boolean} all @param {boolean} blamed
   */
  lost(error, all, blamed) {
    for (const request of this.#all.values()) {
      if (all || (request.sent && (blamed || !request.again))) {
        this.settle(request.id, error);
        continue;
      }
      request.sent = false;
      if (request.timeout === undefined) this.#clock.clearTimeout(request.timer);
    }
  }

  /** @param {PendingRequest} request @param {number} ms */
  #limit(request, ms) {
    request.timer = this.#clock.setTimeout(
      () => this.settle(request.id, new WirehallError('No answer in time', 'timeout')), ms);
  }
}
