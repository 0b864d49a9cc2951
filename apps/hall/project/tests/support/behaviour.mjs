// behaviour('what the server does', async ({ connect }) => …) is a test that runs over each protocol, with a
// server of its own. Everything that it begins is ended behind it, and a failure shows what the server wrote.
import test from 'node:test';
import { Cable } from './cable.mjs';
import { identityOf } from './identity.mjs';
import { protocols } from './protocols.mjs';
import { Server } from './server.mjs';

const TEST_MS = 30_000;

/**
 * @param run       gets
 *   connect(name)           a client of somebody, connected: ask(), next(), all(), close()
 *   connectAs(identity)     the same, by what it shows of itself: {token} or {userId}
 *   cable()                 a cable to the server: cut(), mend()
 *   connectBy(cable, name)  a client at the other end of it
 *   server                  url, log
 *   atEnd(action)           what else is to be ended
 * @param settings  of the server, by their names in the environment: WIREHALL_TYPING_TIMEOUT: '200'
 * @param over      other protocols than all
 */
export function behaviour(title, run, { settings = {}, over = protocols } = {}) {
  for (const protocol of over) {
    test(`${title} (${protocol.name})`, { timeout: TEST_MS }, async () => {
      const server = await Server.start(settings);
      const ends = [];
      const begun = (what, end) => {
        ends.push(end);
        return what;
      };
      const open = async (url, identity, options) => {
        const client = await protocol.connect(url, identity, options);
        return begun(client, () => client.close());
      };
      try {
        await run({
          server,
          connect: async (name, options) => open(server.url, await identityOf(server, name), options),
          connectBy: async (cable, name) => open(cable.url, await identityOf(server, name), { byCable: true }),
          connectAs: (identity, options) => open(server.url, identity, options),
          cable: async () => {
            const cable = await Cable.to(server.url);
            return begun(cable, () => cable.end());
          },
          atEnd: (end) => ends.push(end),
        });
      } catch (error) {
        console.error(`The server wrote:\n${server.log}`);
        throw error;
      } finally {
        for (const end of ends.reverse()) await end();
        await server.stop();
      }
    });
  }
}
