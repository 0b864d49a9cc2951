// Files of messages: pictures are shown from a copy in memory, everything else is only ever downloaded. The
// browser is never sent to the file itself.

const PICTURES = /^image\/(png|jpeg|gif|webp|avif|bmp)$/; // no SVG: it is a document
const PICTURE_BYTES_MAX = 16 * 1024 * 1024;
const COPIES_MAX = 60;

export function isPicture(file) {
  return PICTURES.test(file.mime) && file.size > 0 && file.size <= PICTURE_BYTES_MAX;
}

export class Files {
  #copies = new Map(); // file id → promise of an address in memory
  #session;

  constructor(session) {
    this.#session = session;
  }

  /** The address of a copy. Errors: as the server says. */
  copy(file) {
    if (!this.#copies.has(file.id)) {
      const copying = this.#blob(file).then((blob) => URL.createObjectURL(blob));
      this.#copies.set(file.id, copying);
      copying.catch(() => this.#copies.delete(file.id)); // it may be there the next time
      this.#bound();
    }
    return this.#copies.get(file.id);
  }

  async download(file) {
    const address = URL.createObjectURL(await this.#blob(file));
    const link = document.createElement('a');
    link.href = address;
    link.download = file.name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  }

  async #blob(file) {
    const response = await this.#session.fetch(`/files/${encodeURIComponent(file.id)}`);
    // What the sender says it is counts only for pictures; anything else must not be opened as what it says.
    return new Blob([await response.arrayBuffer()],
      { type: isPicture(file) ? file.mime : 'application/octet-stream' });
  }

  // The oldest copies go; a row that is made again asks for a new one.
  #bound() {
    for (const [id, copying] of this.#copies) {
      if (this.#copies.size <= COPIES_MAX) return;
      this.#copies.delete(id);
      copying.then((address) => URL.revokeObjectURL(address), () => {});
    }
  }
}
