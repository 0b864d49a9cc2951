// Files, in pieces that are sent again where their answer was lost.

/** @import { Fields, FileOptions, RequestOptions, UploadAnswer, UploadTarget } from './types.js' */
import { addTo } from './credentials.js';

/**
 * Sends a file in pieces, over any connection that can ask. A piece whose answer was lost is sent again.
 * Errors: the server's; the signal's reason. Unless it was ended, the upload can go on by its uploadId.
 *
 * @param {(type: string, fields: Fields, options: RequestOptions) => Promise<Fields>} ask  waits for a connection
 * @param {Blob} file
 * @param {FileOptions & UploadTarget} options
 * @param {(uploadId: string) => Promise<UploadAnswer | undefined>} [find]  the file, if it was published after all
 * @returns {Promise<UploadAnswer>}
 */
export async function sendFile(ask, file, { uploadId, onStart, onProgress, signal, ...about }, find) {
  signal?.throwIfAborted();
  const again = { again: true };
  const { name, type: mime } = /** @type {any} */ (file);
  const begin = () => ask('upload-start',
    { name, mime: mime || 'application/octet-stream', ...about, size: file.size }, again);
  const goOn = (/** @type {string} */ id) => ask('upload-start', { uploadId: id }, again).catch(async (error) => {
    if (error.code !== 'not-found') throw error;
    const published = await find?.(id);
    return published ? { uploadId: id, published } : begin(); // it was too old, or nobody can tell
  });
  const beginning = uploadId === undefined ? begin() : goOn(uploadId);
  /** @type {Promise<any>} */
  const ended = new Promise((_, reject) => signal?.addEventListener('abort', () => {
    reject(signal.reason);
    beginning.then((begun) => ask('upload-abort', { uploadId: begun.uploadId }, again)).catch(() => {});
  }));
  ended.catch(() => {}); // it may come when nobody waits any more

  const upload = await Promise.race([beginning, ended]);
  onStart?.(upload);
  for (let { offset, published } = upload; ;) {
    if (published?.complete) {
      onProgress?.(file.size, file.size);
      return published;
    }
    onProgress?.(offset, file.size);
    const data = new Uint8Array(await file.slice(offset, offset + upload.chunkSize).arrayBuffer());
    const isLast = offset + data.length >= file.size;
    const sending = ask('upload-chunk', { uploadId: upload.uploadId, offset, data }, again).catch(async (error) => {
      const right = error.code === 'conflict' ? error.fields?.offset : undefined;
      if (right !== undefined && right !== offset) return { offset: right };
      // The first answer to the last piece may have been lost.
      const found = isLast && error.code === 'not-found' ? await find?.(upload.uploadId) : undefined;
      if (!found) throw error;
      return found;
    });
    published = await Promise.race([sending, ended]);
    offset = published.offset;
  }
}

/**
 * The file of an upload, if it was published: the server shows it under the upload's id.
 * @param {string} id @param {number} offset @param {URL} server @param {Fields} credentials
 * @returns {Promise<UploadAnswer | undefined>}
 */
export async function findPublished(id, offset, server, credentials) {
  const url = `/files/${encodeURIComponent(id)}`;
  const address = new URL(url, server);
  address.protocol = address.protocol.replace('ws', 'http');
  addTo(address, credentials);
  const isThere = await fetch(address, { method: 'HEAD' }).then(({ ok }) => ok, () => false);
  return isThere ? { offset, complete: true, file: { id, url } } : undefined;
}
