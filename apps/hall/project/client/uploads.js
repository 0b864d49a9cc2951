// Files of the room: sending them in pieces, and getting them back.
import { button, element } from './dom.js';

export function addUploads(page) {
  const { connection, room } = page;
  const input = element('input', { type: 'file', hidden: true, 'aria-label': 'File', onchange: choose });
  const progress = element('progress', { max: 1, value: 0, 'aria-label': 'Sending the file', hidden: true });
  const attach = button('+', () => input.click(), { 'aria-label': 'Attach a file', title: 'Attach a file' });
  room.composer.append(attach, input);
  room.composer.after(progress);

  async function choose() {
    const [file] = input.files;
    input.value = '';
    if (!file) return;
    attach.disabled = true;
    progress.hidden = false;
    await page.attempt(upload(file, room.id));
    attach.disabled = false;
    progress.hidden = true;
  }

  // The message that shows the file comes to everybody in the room when the last piece is there.
  async function upload(file, roomId) {
    const begun = await connection.emit('upload-start',
      { roomId, name: file.name, size: file.size, mime: file.type || 'application/octet-stream' });
    for (let { offset } = begun, isComplete = false; !isComplete;) {
      progress.value = offset / (file.size || 1);
      const data = await file.slice(offset, offset + begun.chunkSize).arrayBuffer();
      ({ offset, complete: isComplete } = await send(begun.uploadId, offset, new Uint8Array(data)));
    }
  }

  // Where the answer was lost with the connection, the server says at which offset it goes on.
  async function send(uploadId, offset, data) {
    try {
      return await connection.emit('upload-chunk', { uploadId, offset, data });
    } catch (error) {
      if (error.code !== 'disconnected' || connection.state === 'closed') throw error;
      return connection.emit('upload-start', { uploadId });
    }
  }

  page.on('message', ({ file }, row) => {
    if (!file) return;
    const size = file.size < 1024 ? `${file.size} bytes` : `${Math.ceil(file.size / 1024)} KiB`;
    row.querySelector('p').replaceChildren(button(file.name, () => page.attempt(download(file)), { class: 'link' }),
      ` ${size}`);
  });

  // The server gives a file to those who may see its message, so it wants to know who asks: by the token, in a
  // header. (As `?token=` in a link it would be written down by every proxy.)
  async function download(file) {
    const { name, token } = page.identity;
    const response = token ? await fetch(file.url, { headers: { Authorization: `Bearer ${await token()}` } })
      : await fetch(`${file.url}?userId=${encodeURIComponent(name)}`);
    if (!response.ok) throw new Error((await response.json()).title);
    // Never opened in the page, whatever its sender says it is.
    const address = URL.createObjectURL(new Blob([await response.arrayBuffer()], { type: 'application/octet-stream' }));
    element('a', { href: address, download: file.name }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  }
}
