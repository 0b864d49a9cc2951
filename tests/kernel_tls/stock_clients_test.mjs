// The stock client over TLS whose records the kernel makes, and over OpenSSL's. To be run in a kernel that has them:
// tools/user_kernel.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';
import {after, before, describe, it} from 'node:test';
import {io} from 'socket.io-client';

import {hallServer, next} from '../support/server.mjs';

const folder = mkdtempSync(path.join(os.tmpdir(), 'wirehall-tls-'));
const [key, cert] = ['key.pem', 'cert.pem'].map((name) => path.join(folder, name));

/** How many sockets of this machine have sent TLS by the kernel. */
const takenByKernel = () => Number(/^TlsTxSw\s+(\d+)/m.exec(readFileSync('/proc/net/tls_stat', 'utf8'))[1]);

/** The body of a GET, over a connection of its own. */
const get = (url, options = {}) => new Promise((resolve, reject) => {
  https
      .get(url, {rejectUnauthorized: false, agent: false, ...options},
           async (response) => {
             const parts = [];
             for await (const part of response) parts.push(part);
             resolve(Buffer.concat(parts).toString());
           })
      .on('error', reject);
});

for (const kernel of [true, false]) {
  describe(`TLS by ${kernel ? 'the kernel' : 'OpenSSL'}`, () => {
    let server, url;
    before(async () => {
      execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days',
                               '2', '-keyout', key, '-out', cert, '-subj', '/CN=localhost'], {stdio: 'ignore'});
      server = await hallServer([], {
        WIREHALL_TLS__CERT: cert, WIREHALL_TLS__KEY: key, WIREHALL_TLS__KERNEL: String(kernel),
        WIREHALL_DATA: path.join(folder, `data-${kernel}`)});
      url = `https://127.0.0.1:${server.port}`;
    });
    after(async () => {
      await server?.stop();
    });
    const connected = async (user, transports, tls = {}) => {
      const {token} = JSON.parse(await get(`${url}/dev/token?user=${user}`));
      const socket = io(url, {transports, auth: {token}, rejectUnauthorized: false, forceNew: true, ...tls});
      await next(socket, 'connect', 20_000);
      return socket;
    };

    for (const [name, transports] of Object.entries(
             {websocket: ['websocket'], polling: ['polling'], 'polling, then websocket': ['polling', 'websocket']})) {
      it(`messages of any size go both ways over ${name}`, async () => {
        const sockets = await Promise.all(['ann', 'ben'].map((user) => connected(user, transports)));
        try {
          const roomId = `room-${transports.join('-')}`;
          for (const socket of sockets) await socket.timeout(20_000).emitWithAck('join-room', {roomId});
          for (const size of [1, 1000, 15_000]) {
            const heard = next(sockets[1], 'new-message', 20_000);
            const answer = await sockets[0].timeout(20_000).emitWithAck('message', {roomId, content: 'x'.repeat(size)});
            assert.equal(answer.success, true, JSON.stringify(answer));
            assert.equal((await heard)[0].content.length, size);
          }
        } finally {
          for (const socket of sockets) socket.disconnect();
        }
      });
    }

    it('is done so for TLS 1.3 alone', async () => {
      for (const [maxVersion, taken] of [['TLSv1.3', kernel ? 1 : 0], ['TLSv1.2', 0]]) {
        const earlier = takenByKernel();
        await get(`${url}/health`, {maxVersion});
        assert.equal(takenByKernel() - earlier, taken, maxVersion);
      }
    });

    it('says who encrypts', () => {
      assert.equal(/the kernel encrypts/.test(server.stderr()), kernel, server.stderr());
      assert.doesNotMatch(server.stderr(), /not the kernel/);
    });
  });
}

after(() => rmSync(folder, {recursive: true}));
