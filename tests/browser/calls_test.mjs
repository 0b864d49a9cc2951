// Calls in a real browser, whose camera and microphone are made up: two pages see and hear each other.
//
//   node --test tests/browser/calls_test.mjs       WIREHALL_BIN and CHROMIUM name other programs
import assert from 'node:assert/strict';
import { alice, bob, carol, demos, DESKTOP, faint, overflow, PHONE } from './harness.mjs';

const demo = demos();

const button = (tab, name) => tab.page.locator('#call').getByRole('button', { name, exact: true });
const inPhase = (tab, phase) => tab.page.waitForSelector(`#call[data-phase=${phase}]`);
const over = (tab) => tab.page.waitForSelector('#call', { state: 'hidden' });

/** Calls by the buttons of the conversation. */
async function call(tab, userId, media) {
  await tab.goTo(userId);
  await tab.page.click(`#call-${media}`);
}

/** Waits until the other end is to be seen: pictures come, and they move on. */
const sees = (tab) => tab.page.waitForFunction(async () => {
  const video = document.querySelector('#call .theirs');
  if (!video || video.videoWidth === 0 || !document.querySelector('#call.sees-them')) return false;
  const before = video.currentTime;
  await new Promise((resolve) => video.requestVideoFrameCallback(resolve));
  return video.currentTime > before || video.currentTime > 0;
});

/** Waits until sound comes from the other end. */
const hears = (tab) => tab.page.waitForFunction(() => {
  const [track] = document.querySelector('#call .theirs')?.srcObject?.getAudioTracks() ?? [];
  return track?.readyState === 'live' && !track.muted;
});

for (const [a, b, options] of [[alice, bob, DESKTOP], [bob, alice, PHONE]]) {
  demo(`a video call from ${a.name} over ${a.protocol} to ${b.name} over ${b.protocol}`, {}, async ({ enter }) => {
    const from = await enter(a);
    const to = await enter(b, { ...options, colorScheme: options === PHONE ? 'dark' : 'light' });
    const device = options === PHONE ? 'phone-dark' : 'desktop-light';
    await call(from, b.name, 'video');
    await inPhase(from, 'ringing');
    await to.reads('#call .call-note', 'calls you, with video');
    assert.deepEqual([await overflow(to.page), await faint(to.page)], [[], []]);
    await to.screenshot(`call-incoming-${device}`);
    await button(to, 'Accept').click();
    for (const tab of [from, to]) {
      await inPhase(tab, 'talking');
      await sees(tab);
      await hears(tab);
      await tab.reads('#call .call-note', /^0:\d\d$/);
    }
    await to.screenshot(`call-talking-${device}`);

    await button(from, 'Mute').click();
    await to.reads('#call .call-mark', `${a.name} is muted`);
    await button(from, 'Camera off').click();
    await to.reads('#call .call-mark', `${a.name} is muted, camera off`);
    await to.page.waitForSelector('#call:not(.sees-them)');
    await to.screenshot(`call-muted-${device}`);
    await button(from, 'Unmute').click();
    await button(from, 'Camera on').click();
    await sees(to);
    assert.equal(await to.page.isHidden('#call .call-mark'), true);

    // One may write meanwhile.
    await from.say('while we talk');
    await from.sees('while we talk');
    await button(to, 'Hang up').click();
    for (const tab of [from, to]) await over(tab);
    await from.reads('.quiet', /^Video call · 0:\d\d · /);
    assert.equal(await from.page.evaluate(() => document.querySelectorAll('video').length), 0);
  });
}

demo('a call is declined, missed, cancelled', { WIREHALL_CALLS__RING_TIMEOUT: '1500' }, async ({ enter }) => {
  const a = await enter(alice);
  const b = await enter(bob);
  await call(a, 'bob', 'audio');
  await b.reads('#call .call-note', 'calls you');
  await button(b, 'Decline').click();
  await over(b);
  await over(a);
  await a.reads('.notice', /^bob declined the call\./);
  await a.reads('.quiet', /^Call · They declined · /);

  await a.page.click('#call-audio');
  await b.reads('#call .call-note', 'calls you');
  await button(a, 'Hang up').click();
  await over(b);
  await b.reads('.notice', /^You missed a call from alice\./);
  await a.reads('.quiet', /^Call · Cancelled · /);

  await a.page.click('#call-video');
  await b.reads('#call .call-note', 'calls you, with video');
  await over(a); // nobody answers
  await a.reads('.notice', /^bob did not answer\./);
  await over(b);
  await b.reads('#people .badge', '2 unread');
  await b.goTo('alice');
  await b.reads('.quiet', /^Video call from them · Missed · /);
  await b.gone('.badge');

  await a.page.click('#add-person');
  await a.answer({ Name: 'nobody' }, 'Open');
  await a.page.click('#call-audio');
  await a.reads('.notice', /^nobody is not there\./);
  await a.reads('.quiet', /^Call · They were not there · /);
});

demo('it rings on every device, and is taken on one', {}, async ({ enter }) => {
  const a = await enter(alice);
  const desk = await enter(bob);
  const phone = await enter({ ...bob, protocol: 'socketio' });
  const c = await enter(carol);
  await a.page.locator('.member', { hasText: 'bob' }).click();
  await a.page.getByRole('menuitem', { name: 'Video call' }).click();
  for (const tab of [desk, phone]) await tab.reads('#call .call-note', 'calls you, with video');
  await button(phone, 'Accept').click();
  await over(desk);
  await desk.reads('.notice', /^The call was taken on another device\./);
  await inPhase(a, 'talking');
  await sees(phone);

  // Somebody else finds him busy, and he learns of it.
  await call(c, 'bob', 'audio');
  await c.reads('.notice', /^bob is in another call\./);
  await phone.reads('.notice', /^You missed a call from carol\./);
  await phone.close(); // a call ends with its connection
  await over(a);
  await a.reads('.notice', /^The connection to bob was lost\./);
});

for (const [a, b] of [[alice, bob], [bob, alice]]) {
  demo(`two who call each other at the same time talk, ${b.name} being the slower one`, {}, async ({ enter }) => {
    const fast = await enter(a);
    const slow = await enter(b);
    await fast.goTo(b.name);
    await slow.goTo(a.name);
    await slow.page.evaluate(() => {
      const devices = navigator.mediaDevices;
      const open = devices.getUserMedia.bind(devices);
      devices.getUserMedia = (wanted) => new Promise((resolve) => {
        globalThis.openMedia = () => resolve(open(wanted));
      });
    });
    await slow.page.click('#call-audio');
    await inPhase(slow, 'preparing');
    await slow.page.waitForFunction(() => globalThis.openMedia);
    await fast.page.click('#call-audio');
    await inPhase(fast, 'ringing');
    await slow.page.evaluate(() => {
      const { openMedia } = globalThis;
      globalThis.openMedia = undefined;
      openMedia();
    });
    await slow.page.waitForFunction(() => globalThis.openMedia); // it answers instead
    await slow.page.evaluate(() => globalThis.openMedia());
    for (const tab of [fast, slow]) {
      await inPhase(tab, 'talking');
      await hears(tab);
      assert.equal(await tab.page.locator('.notice').count(), 0);
    }
    await button(fast, 'Hang up').click();
    await over(slow);
  });
}

demo('without a microphone it says so', {}, async ({ enter }) => {
  const a = await enter(alice);
  const b = await enter(bob);
  await a.page.evaluate(() => {
    navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('denied', 'NotAllowedError'));
  });
  await call(a, 'bob', 'audio');
  await a.reads('.notice.problem', /^The call failed: The browser was not allowed to use the microphone or camera\./);
  await over(a);
  await call(b, 'alice', 'video');
  await button(a, 'Accept').click();
  await a.reads('.notice.problem', /^The call failed: The browser was not allowed/);
  await b.reads('.notice.problem', /^alice declined the call\./);
  for (const tab of [a, b]) await over(tab);
});
