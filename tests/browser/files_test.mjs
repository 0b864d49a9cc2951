// Files in a real browser: on their way, stopped, going on, and arrived.
//
//   node --test tests/browser/files_test.mjs       WIREHALL_BIN and CHROMIUM name other programs
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { alice, bob, Cable, demos, OUTAGE, person, png } from './harness.mjs';

const demo = demos();

const file = (name, bytes, mimeType = 'application/octet-stream') => ({ name, mimeType, buffer: bytes });
const sumOf = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** Chooses files as a person does. */
async function choose(tab, ...files) {
  const [chooser] = await Promise.all([tab.page.waitForEvent('filechooser'), tab.page.click('#attach')]);
  await chooser.setFiles(files);
}

/** Lets so many pieces of files out of a page, and no more: like a connection that has become very slow. */
const holdPieces = (tab, most) => tab.page.evaluate((left) => {
  globalThis.piecesLeft = left;
  const { send } = WebSocket.prototype;
  if (send.isHeld) return;
  WebSocket.prototype.send = function (data) {
    const isPiece = typeof data === 'string' && data.includes('"upload-chunk"');
    if (isPiece && globalThis.piecesLeft-- <= 0) globalThis.piecesLeft = -1;
    if (globalThis.piecesLeft < 0 && (isPiece || typeof data !== 'string')) return;
    send.call(this, data);
  };
  WebSocket.prototype.send.isHeld = true;
}, most);

/** Waits for a file's message. */
const arrives = (tab, name) => tab.page.waitForFunction((wanted) =>
  [...document.querySelectorAll('.message:not(.upload) .file-name')].some((each) => each.textContent === wanted), name);

for (const protocol of ['socketio', 'native']) {
  demo(`files go to a room and to a person, ${protocol}`, {}, async ({ server, enter, atEnd }) => {
    const a = await enter({ ...alice, protocol });
    const b = await enter({ ...bob, protocol });
    const witness = await person(server, 'witness', 'lobby');
    atEnd(() => witness.close());
    const bytes = randomBytes(700_000); // three pieces
    const told = new Promise((resolve) => witness.on('chat', (message) => message.type === 'file' && resolve(message)));
    await choose(a, file('report.pdf', bytes, 'application/pdf'), file('empty.txt', Buffer.alloc(0), 'text/plain'));
    for (const tab of [a, b]) {
      await arrives(tab, 'report.pdf');
      await arrives(tab, 'empty.txt');
    }
    await a.gone('.upload');
    const { file: stored } = await told;
    if (stored.name === 'report.pdf') {
      assert.deepEqual([stored.size, stored.mime, stored.sha256], [700_000, 'application/pdf', sumOf(bytes)]);
    }
    await b.reads('.file-note', /^684 KB/);

    await a.page.locator('#people .place', { hasText: 'bob' }).click();
    await choose(a, file('for bob.png', png(60, 40), 'image/png'));
    await arrives(a, 'for bob.png');
    await a.gone('.upload');
    await b.reads('#people .badge', '1 unread');
    await b.goTo('alice');
    await arrives(b, 'for bob.png');
    await a.page.waitForSelector('.tick.seen');
    for (const tab of [a, b]) await tab.page.waitForSelector('.picture[data-state=there]');
    await a.page.reload();
    await arrives(a, 'for bob.png');
  });

  demo(`a file goes on after a lost connection, ${protocol}`, {}, async ({ server, open, enter, atEnd }) => {
    const b = await enter(bob);
    const cable = await Cable.to(server);
    atEnd(() => cable.end());
    const a = await open({}, `${cable.url}/?name=alice&protocol=${protocol}`);
    a.allowed = OUTAGE;
    await a.isIn();
    await holdPieces(a, 3);
    await choose(a, file('long.bin', randomBytes(2_000_000)));
    await a.reads('.upload-note', /^768 KB of/);
    cable.cut();
    await a.reads('.upload-note', 'Waiting for the connection');
    await holdPieces(a, Infinity);
    cable.mend();
    await a.page.click('#lost-action').catch(() => {}); // it may be back by itself already
    await arrives(b, 'long.bin');
    await arrives(a, 'long.bin');
    await a.gone('.upload');
  });

  demo(`a file goes on after a reload, when it is chosen again, ${protocol}`, {}, async ({ server, enter, atEnd }) => {
    const witness = await person(server, 'witness', 'lobby');
    atEnd(() => witness.close());
    const told = new Promise((resolve) => witness.on('chat', resolve));
    const a = await enter({ ...alice, protocol });
    await holdPieces(a, 3);
    const bytes = randomBytes(2_000_000); // eight pieces
    await choose(a, file('long.bin', bytes));
    await a.reads('.upload-note', /^768 KB of/);
    await a.page.reload();
    await a.reads('.upload-note', 'Stopped at 39 %');
    await a.reads('.upload .problem', /^Choose the file again to go on\./);
    await a.page.evaluate(() => {
      const { send } = WebSocket.prototype;
      globalThis.offsets = [];
      WebSocket.prototype.send = function (data) {
        const isPiece = typeof data === 'string' && data.includes('"upload-chunk"');
        if (isPiece) globalThis.offsets.push(Number(/"offset":(\d+)/.exec(data)[1]));
        send.call(this, data);
      };
    });
    const [chooser] = await Promise.all([a.page.waitForEvent('filechooser'),
      a.page.locator('.upload').getByRole('button', { name: 'Choose' }).click()]);
    await chooser.setFiles([file('long.bin', bytes)]);
    const message = await told;
    assert.deepEqual([message.file.size, message.file.sha256], [2_000_000, sumOf(bytes)]);
    assert.deepEqual(await a.page.evaluate(() => globalThis.offsets), [3, 4, 5, 6, 7].map((piece) => piece * 262_144));
    await a.gone('.upload');
    await a.page.reload();
    await arrives(a, 'long.bin');
    assert.equal(await a.page.locator('.upload').count(), 0, 'nothing is left of it');
  });
}

demo('an upload is cancelled, refused, dropped and pasted', {
  WIREHALL_UPLOADS__MAX_FILE_SIZE: '4000000',
}, async ({ server, enter, atEnd }) => {
  const witness = await person(server, 'witness', 'lobby');
  atEnd(() => witness.close());
  const names = [];
  witness.on('chat', ({ content }) => names.push(content));
  const a = await enter(bob);
  await choose(a, file('too large.bin', randomBytes(4_000_001)));
  await a.reads('.upload .problem', /^Too large: files may have up to 4000000 bytes\./);
  await a.page.getByRole('button', { name: 'Cancel too large.bin' }).click();
  await a.gone('.upload');

  await holdPieces(a, 0);
  await choose(a, file('stopped.bin', randomBytes(1_000_000)));
  await a.reads('.upload-note', /^0 bytes of/);
  await a.page.getByRole('button', { name: 'Cancel stopped.bin' }).click();
  await a.gone('.upload');
  await holdPieces(a, Infinity);

  const put = (type, target, name) => a.page.evaluate(([event, selector, fileName]) => {
    const data = new DataTransfer();
    data.items.add(new File(['some bytes'], fileName, { type: 'text/plain' }));
    const field = event === 'paste' ? { clipboardData: data } : { dataTransfer: data };
    const made = event === 'paste' ? new ClipboardEvent(event, { bubbles: true, cancelable: true, ...field })
      : new DragEvent(event, { bubbles: true, cancelable: true, ...field });
    document.querySelector(selector).dispatchEvent(made);
  }, [type, target, name]);
  await put('dragover', '#log', 'dropped.txt');
  await a.reads('#drop', 'Drop files to send them to lobby');
  await a.screenshot('drop-desktop-light');
  await put('dragover', '#side', 'dropped.txt');
  await a.page.waitForSelector('#drop', { state: 'hidden' });
  await put('drop', '#side', 'beside.txt');
  await put('drop', '#log', 'dropped.txt');
  await arrives(a, 'dropped.txt');
  await put('paste', '#text', 'pasted.txt');
  await arrives(a, 'pasted.txt');
  assert.deepEqual(names, ['dropped.txt', 'pasted.txt']);
});

demo('names of files stay text, and pictures are shown from a copy', {}, async ({ enter }) => {
  const name = '<img src=x onerror="window.attacked=1">.png';
  const a = await enter(alice);
  const b = await enter(bob);
  const picture = png(64, 48);
  const page = Buffer.from('<script>window.attacked=1</script>');
  await choose(a, file(name, picture, 'image/png'), file('page.html', page, 'text/html'),
    file('no.png', page, 'image/png'));
  for (const tab of [a, b]) {
    for (const each of [name, 'page.html', 'no.png']) await arrives(tab, each);
    await tab.page.waitForSelector('.picture[data-state=there]');
    await tab.page.waitForSelector('.picture[data-state=missing]', { state: 'attached' });
    assert.equal(await tab.page.evaluate(() => document.querySelector('.picture[data-state=there] img').naturalWidth), 64);
    await tab.page.click('.picture[data-state=there]');
    await tab.page.waitForSelector('.lightbox img');
    const [download] = await Promise.all([tab.page.waitForEvent('download'),
      tab.page.locator('.lightbox').getByRole('button', { name: 'Download' }).click()]);
    assert.deepEqual(readFileSync(await download.path()), picture);
    await tab.screenshot('picture-desktop-light');
    await tab.page.keyboard.press('Escape');
    await tab.gone('.lightbox');
    const [other] = await Promise.all([tab.page.waitForEvent('download'),
      tab.page.getByRole('button', { name: 'Download page.html' }).click()]);
    assert.equal(other.suggestedFilename(), 'page.html');
    assert.deepEqual(readFileSync(await other.path()), page);
    assert.equal(await tab.page.evaluate(() => window.attacked), undefined);
  }

  // A picture that was deleted is gone for good.
  await a.chooseOf(name, 'Delete');
  await a.answer({}, 'Delete');
  for (const tab of [a, b]) await tab.gone('.picture[data-state=there]');
});
