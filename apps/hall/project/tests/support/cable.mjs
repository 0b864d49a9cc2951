// A cable between a client and the server, which a test can pull out.
import { once } from 'node:events';
import net from 'node:net';

export class Cable {
  /** Where a client connects to. */
  url;

  #listener;
  #sockets = new Set();
  #isCut = false;

  static async to(url) {
    const cable = new Cable();
    const { hostname, port } = new URL(url);
    cable.#listener = net.createServer((near) => {
      if (cable.#isCut) return near.destroy();
      const far = net.connect(port, hostname);
      cable.#join(near, far);
      cable.#join(far, near);
    });
    cable.#listener.listen(0, '127.0.0.1');
    await once(cable.#listener, 'listening');
    cable.url = `http://127.0.0.1:${cable.#listener.address().port}`;
    return cable;
  }

  #join(from, to) {
    this.#sockets.add(from);
    from.on('error', () => {}); // `close` follows
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
    from.pipe(to);
  }

  /** Nothing goes through any more, and nobody says goodbye. */
  cut() {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend() {
    this.#isCut = false;
  }

  end() {
    this.cut();
    this.#listener.close();
  }
}
