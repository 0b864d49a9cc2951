// The commands of a page, and the files that it shows, as texts for one shell (Sandbox.shell), in order.
import assert from 'node:assert/strict';

import {noteOf, shows, whereIs} from './blocks.mjs';

export const isRun = (block) => noteOf(block, 'not run') === undefined;

// What serves runs beside the shell until something else serves, or the page stops it.
const STOP = 'if [ -n "${SERVING:-}" ]; then kill $SERVING; wait $SERVING || true; SERVING=; fi';

function textOfStep(block) {
  const file = noteOf(block, 'file');
  if (file !== undefined) {
    const folder = file.includes('/') ? `mkdir -p ${file.slice(0, file.lastIndexOf('/'))}\n` : '';
    return `${folder}cat >${file} <<'END OF FILE'\n${block.text}END OF FILE`;
  }
  if (noteOf(block, 'stops') !== undefined) return `${STOP}\n${block.text}`;
  const serves = noteOf(block, 'serves');
  if (serves === undefined) return block.text;
  const command = block.text.trim();
  assert.ok(!command.includes('\n'), `${whereIs(block)}: what serves is one command`);
  // A second server of the page takes the place of the first one on the same address.
  const stop = `if [ "\${SERVED:-}" = ${serves} ]; then ${STOP}; fi`;
  return `${stop}\n( exec ${command} ) >&2 &\nSERVING=$! SERVED=${serves}\n` +
      `until curl -sf -o /dev/null ${serves}; do kill -0 $SERVING; sleep 0.05; done`;
}

/** `{block, text}` for each block that is run, or is a file that a command uses. */
export const stepsOf = (blocks) =>
    blocks.map((block, at) => ({block, next: blocks[at + 1]}))
        .filter(({block}) => isRun(block) && (block.language === 'sh' || noteOf(block, 'file') !== undefined))
        .map(({block, next}) => ({
               block,
               text: textOfStep(block),
               printed: next && noteOf(next, 'printed') !== undefined ? next : undefined
             }));

/** Compares what each step has printed with what the page shows of it. */
export function checkPrinted(steps, outputs, adapt) {
  steps.forEach(({printed}, at) => {
    if (printed)
      assert.ok(
          shows(adapt(printed.text), outputs[at]),
          `${whereIs(printed)} shows\n${printed.text}but\n${outputs[at]}`);
  });
}
