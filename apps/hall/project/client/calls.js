// Calls between two people. The server carries what the two browsers must tell each other before they talk
// directly (WebRTC); sound and pictures do not pass through it. One call at a time.
import { button, element, field, form, nameOf } from './dom.js';

const ENDS = {
  'call-rejected': ({ reason }) => (reason === 'busy' ? 'They are in another call' : 'They declined'),
  'call-missed': ({ reason, fromUserId }) => (fromUserId ? `You missed a call from ${fromUserId}`
    : reason === 'offline' ? 'They are not there' : 'Nobody answered'),
  'call-ended': ({ reason }) => (reason === 'disconnected' ? 'The connection was lost' : 'The call has ended'),
  'call-taken': () => 'Answered on another device',
};

export function addCalls(page) {
  const { connection } = page;
  const panel = page.panel('calls', 'Calls');
  const target = element('input', { name: 'callee', required: true, maxlength: 64, autocomplete: 'off' });
  const withVideo = element('input', { type: 'checkbox', name: 'video', checked: true });
  const state = element('p', { class: 'soft', role: 'status' }, 'No call');
  const theirs = element('video', { autoplay: true, playsinline: true, 'aria-label': 'Their picture' });
  const ours = element('video', { autoplay: true, playsinline: true, 'aria-label': 'Your picture', class: 'own' });
  ours.muted = true;
  const stage = element('div', { class: 'stage', hidden: true }, theirs, ours);
  const hangUp = button('Hang up', () => end('The call has ended', 'call-end'), { hidden: true });
  const begin = form({ class: 'stack' }, () => start(target.value.trim(), withVideo.checked ? 'video' : 'audio'),
    field('Person', target), field('With video', withVideo), element('button', { class: 'primary' }, 'Call'));
  panel.append(state, stage, hangUp, begin);

  let call; // { id, userId, media, ringing: a notice, peer, stream, unsent: candidates } or undefined

  function show(text) {
    state.textContent = text;
    begin.hidden = Boolean(call);
    hangUp.hidden = !call || Boolean(call.ringing);
    stage.hidden = call?.media !== 'video' || !call.peer;
  }

  async function start(userId, media) {
    const mine = (call = { userId, media, unsent: [] });
    show(`Calling ${userId}…`);
    await attempt(mine, async () => {
      await prepare(mine);
      await mine.peer.setLocalDescription(await mine.peer.createOffer());
      const { type, sdp } = mine.peer.localDescription;
      const { callId } = await connection.emit('call-user', { targetUserId: userId, offer: { type, sdp }, media });
      if (mine !== call) return connection.emit('call-end', { callId });
      mine.id = callId;
      flush(mine);
    });
  }

  async function accept(mine) {
    mine.ringing = undefined;
    show(`Answering ${mine.userId}…`);
    await attempt(mine, async () => {
      await prepare(mine);
      await mine.peer.setRemoteDescription(mine.offer);
      await mine.peer.setLocalDescription(await mine.peer.createAnswer());
      const { type, sdp } = mine.peer.localDescription;
      await connection.emit('call-answer', { callId: mine.id, answer: { type, sdp } });
      flush(mine);
    });
  }

  async function attempt(mine, doing) {
    await page.attempt(doing().catch((error) => {
      if (mine !== call) return; // it is over already
      end('The call failed', 'call-end');
      throw error;
    }));
  }

  async function prepare(mine) {
    const { iceServers } = await connection.emit('ice-servers');
    if (!navigator.mediaDevices) throw new Error('Calls need https, or localhost');
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: mine.media === 'video' });
    if (mine !== call) { // hung up while the browser asked whether it may
      stream.getTracks().forEach((track) => track.stop());
      throw new Error('The call is over');
    }
    const peer = new RTCPeerConnection({ iceServers });
    Object.assign(mine, { stream, peer });
    for (const track of stream.getTracks()) peer.addTrack(track, stream);
    peer.ontrack = ({ streams }) => { theirs.srcObject = streams[0]; };
    peer.onicecandidate = ({ candidate }) => {
      if (candidate) mine.unsent.push(candidate.toJSON());
      if (mine.isFlowing) flush(mine);
    };
    peer.onconnectionstatechange = () => {
      if (mine !== call) return;
      if (peer.connectionState === 'connected') show(`Talking with ${mine.userId}`);
      if (peer.connectionState === 'failed') end('The two browsers do not reach each other', 'call-end');
    };
    ours.srcObject = stream;
    show(state.textContent);
  }

  // The server takes candidates once it knows the call and, from who was called, once it was answered.
  function flush(mine) {
    mine.isFlowing = true;
    for (const candidate of mine.unsent.splice(0)) {
      connection.emit('ice-candidate', { callId: mine.id, candidate }).catch(() => {}); // others may do
    }
  }

  function end(text, event) {
    const { id: callId, stream, peer, ringing } = call;
    call = undefined;
    if (event && callId) connection.emit(event, { callId }).catch(() => {}); // it is over there too, then
    ringing?.remove();
    stream?.getTracks().forEach((track) => track.stop());
    peer?.close();
    theirs.srcObject = ours.srcObject = null;
    show(text);
  }

  connection.on('incoming-call', ({ callId, fromUserId, fromUser, offer, media }) => {
    if (call) end('They called first'); // ours was not made yet: the server takes one call of a person
    const mine = (call = { id: callId, userId: fromUserId, media: media ?? 'audio', offer, unsent: [] });
    const text = `${nameOf(fromUserId, fromUser)} calls you${mine.media === 'video' ? ', with video' : ''}`;
    mine.ringing = page.notice(text, button('Answer', () => accept(mine), { class: 'primary' }),
      button('Decline', () => end('You declined', 'call-reject')));
    panel.open = true;
    show(text);
  });
  connection.on('call-answered', ({ callId, answer: description }) => {
    if (callId !== call?.id) return;
    const mine = call;
    attempt(mine, () => mine.peer.setRemoteDescription(description));
  });
  connection.on('ice-candidate', ({ callId, candidate }) => {
    if (callId === call?.id) call.peer?.addIceCandidate(candidate).catch(() => {}); // others may do
  });
  for (const [event, textOf] of Object.entries(ENDS)) {
    connection.on(event, (fields) => {
      // The end of a call may come before the answer that says which one we made.
      const isOurs = call && (call.id ? call.id === fields.callId : !fields.fromUserId);
      if (isOurs) end(textOf(fields));
      else if (fields.fromUserId) page.notice(textOf(fields));
    });
  }
  connection.onState((now) => {
    if (now !== 'connected' && call) end('The connection was lost, and the call with it');
  });
}
