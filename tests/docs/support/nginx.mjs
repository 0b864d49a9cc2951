// A real nginx with a site of the documents, as a program of the test: no root, no files of the machine.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';

import {until} from '../../support/server.mjs';

const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];

/**
 * Runs nginx with these sites for as long as `use()` takes. It has begun when `answers()` resolves to true.
 */
export async function withNginx(sites, answers, use) {
  const folder = mkdtempSync(path.join(tmpdir(), 'wirehall-nginx-'));
  const paths = TEMPORARY.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n');
  const text = `daemon off;
master_process off;
pid ${folder}/pid;
error_log stderr;
events {}
http {
access_log off;
${paths}
${sites}
}
`;
  writeFileSync(path.join(folder, 'nginx.conf'), text);
  const nginx = spawn(
      'nginx', ['-p', folder, '-e', 'stderr', '-c', 'nginx.conf'], {stdio: ['ignore', 'ignore', 'pipe']});
  let errors = '', ended = false;
  nginx.stderr.on('data', (data) => errors += data);
  nginx.once('error', (error) => errors += `${error.message}: the test needs nginx`);
  nginx.once('close', () => ended = true);
  try {
    await until(() => {
      assert.ok(!ended, errors);
      return answers();
    }, 'nginx answers');
    await use();
  } finally {
    if (!ended) {
      nginx.kill();
      await once(nginx, 'close');
    }
    rmSync(folder, {recursive: true, force: true});
  }
}
