// Publishers of one protocol, in a process of their own. They report to the ledger through its socket; the
// parent says when to publish and when to hold.
import { once } from 'node:events';
import net from 'node:net';
import { NativeClient, SocketIoClient } from './clients.mjs';
import { Publisher } from './publisher.mjs';

const TRANSPORTS = [['websocket'], ['websocket'], ['polling', 'websocket'], ['polling']];

const OPEN = {
  native: (url, token) => {
    const client = new NativeClient();
    client.ignored = '{"type":"chat"'; // what is delivered is the subscribers' business
    return client.connect(url, token);
  },
  socketio: (url, token, index) => new SocketIoClient(TRANSPORTS[index % TRANSPORTS.length]).connect(url, token),
};

const [name, protocol, ledgerPath, seed, count, inFlight] = process.argv.slice(2);
const ledger = net.connect(ledgerPath);
await once(ledger, 'connect');
let prey; // the server, to be killed at the first acknowledgement behind a time
function report(object) {
  if (object.kind === 'ack' && prey && performance.now() > prey.from) {
    process.kill(prey.pid, 'SIGKILL');
    prey = undefined;
  }
  ledger.write(`${JSON.stringify(object)}\n`);
}

const publishers = Array.from({ length: Number(count) }, (_, index) => new Publisher(
  `${name}${index}`, Number(seed) * 101 + index, Number(inFlight),
  (url, token) => OPEN[protocol](url, token, index), report));

process.on('message', async (order) => {
  if (order.order === 'publish') {
    prey = order.kill && { pid: order.kill.pid, from: performance.now() + order.kill.afterMs };
    publishers.forEach((publisher, index) => {
      const { token, rooms } = order.publishers[index];
      publisher.publish(order.url, token, rooms, order.draining);
    });
    return;
  }
  prey = undefined;
  await Promise.all(publishers.map((publisher) => publisher.hold()));
  const retried = publishers.reduce((sum, publisher) => sum + publisher.retried, 0);
  report({ kind: 'mark', mark: order.mark, name, retried });
});
process.on('disconnect', () => process.exit(0));
