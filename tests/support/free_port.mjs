// A port for a program that cannot choose one itself.
import { once } from 'node:events';
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

const LOWEST = 10_240;
const TRIES_MAX = 100;

// The kernel takes ports from here on for connections that others open meanwhile, and would give one of them away
// between the look and the program's own listen().
function beginOfOthers() {
  return Number(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(/\s/)[0]);
}

async function isFree(port) {
  const probe = createServer();
  try {
    await once(probe.listen(port, '127.0.0.1'), 'listening');
  } catch (error) {
    if (error.code === 'EADDRINUSE') return false;
    throw error;
  }
  probe.close();
  await once(probe, 'close');
  return true;
}

/** A port of loopback that was free a moment ago, and that the kernel gives to nobody by itself. */
export async function freePort() {
  const end = beginOfOthers();
  if (end <= LOWEST) throw new Error(`the kernel gives ports from ${end} on to connections: none is left for tests`);
  for (let i = 0; i < TRIES_MAX; ++i) {
    const port = randomInt(LOWEST, end);
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port of ${LOWEST} to ${end - 1} in ${TRIES_MAX} tries`);
}
