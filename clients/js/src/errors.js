// What goes wrong, as one kind of error.

/** @import { Fields } from './types.js' */

/**
 * A refusal by the server, or a failure to reach it.
 *
 * `code` is for programs: the server's, or one of the client's own: `disconnected` (there is no connection, or
 * it was lost before the answer came), `timeout`, `queue-full`, `invalid-format` (the server sent no JSON),
 * `token-expired`.
 */
export class WirehallError extends Error {
  /** @param {string} text @param {string} code @param {Fields} [fields]  what else the answer says */
  constructor(text, code, fields = {}) {
    super(text);
    this.name = 'WirehallError';
    this.code = code;
    this.fields = fields;
    /** @type {number | undefined} ms to wait before the same may succeed, where the server knows */
    this.retryAfter = fields.retryAfter;
  }
}

/** @param {Fields} answer */
export function toError({ error, code, ...fields }) {
  return new WirehallError(error, code, fields);
}

/** @param {{code: number, reason: string}} close @param {string} state */
export function closeError({ code, reason }, state) {
  if (reason === 'Unauthorized') {
    return new WirehallError('Authentication failed', 'authentication-failed', { status: 401 });
  }
  if (reason === 'Rate limit exceeded') return new WirehallError(reason, 'rate-limited');
  if (code === 4002) return new WirehallError('Token expired', 'token-expired');
  return new WirehallError(reason || (state === 'connecting' ? 'No connection' : 'Connection lost'), 'disconnected');
}

const REFUSAL_CHARACTERS_MAX = 65536;

/**
 * What an HTTP answer in place of a WebSocket says. Only implementations of Node show it.
 * @param {any} response  a stream with statusCode and headers
 */
export async function refusalError(response) {
  let text = '';
  response.setEncoding('utf8');
  for await (const part of response) if ((text += part).length > REFUSAL_CHARACTERS_MAX) break;
  const { statusCode: status, headers } = response;
  /** @type {Fields} */
  let problem = {};
  try {
    problem = JSON.parse(text);
  } catch {
    // It comes from something in front of the server.
  }
  const seconds = Number(headers['retry-after']);
  const code = problem.code ?? (status === 429 ? 'rate-limited' : 'disconnected');
  return new WirehallError(problem.title ?? `The server answered ${status}`, code,
    { status, retryAfter: problem.data?.retryAfter ?? (seconds > 0 ? seconds * 1000 : undefined) });
}
