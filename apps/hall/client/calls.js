// Calls: the hall carries the signals, sound and pictures go from browser to browser (WebRTC). A tab has one
// call at a time.
//
//   phase        our side                                        goes on with
//   preparing    the microphone, then the offer                  call-user answered: ringing out
//   ringing out  it rings there                                  call-answered, call-rejected, call-missed
//   ringing in   it rings here, and on our other devices         accept(), reject(); call-taken, call-ended
//   connecting   both sides know each other's description        the two browsers reach each other
//   talking      they do                                         hangUp(), call-ended
//
// It emits `change`; `over` (call, reason) when it has ended, however.
import { Emitter } from './emitter.js';
import { nameOf } from './text.js';

const ENDS = ['call-taken', 'call-ended', 'call-missed'];

export class Calls extends Emitter {
  now; // the call, if there is one

  #session;
  #people;
  #crossed; // the call that was made in place of ours
  #rival; // a call that came while ours was being prepared: the server takes only one of the two

  constructor(session, people) {
    super();
    this.#session = session;
    this.#people = people;
    session.on('event', (type, fields) => this.#onEvent(type, fields));
    session.on('state', (state) => {
      if (state !== 'connected' && this.now) this.#end('disconnected');
    });
  }

  /** Calls somebody. `media`: audio or video. */
  async call(userId, media) {
    if (this.now) return;
    const call = this.#begin({ userId, media, direction: 'out', phase: 'preparing' });
    try {
      await this.#prepare(call);
      const offer = await call.peer.createOffer();
      await call.peer.setLocalDescription(offer);
      if (call !== this.now) return;
      const { callId, ringing } = await this.#session.ask('call-user', {
        targetUserId: userId, offer: { type: offer.type, sdp: offer.sdp }, media,
      });
      if (call !== this.now) return this.#tell('call-end', { callId });
      call.id = callId;
      this.#flush(call);
      if (ringing > 0 && call.phase === 'preparing') this.#phase(call, 'ringing');
    } catch (error) {
      if (call === this.now) this.#refused(call, error);
    }
  }

  // Who is being called learns of which call. Where it comes from whom they called, both want to talk.
  #refused(call, error) {
    if (error.code !== 'conflict') return this.#end('failed', error);
    const { callId } = error.fields ?? {};
    if (callId === undefined) return this.#end('failed', new Error('you are in a call on another device'));
    this.#crossed = { callId, userId: call.userId };
    this.#end('crossed');
  }

  async accept() {
    const call = this.now;
    if (call?.direction !== 'in' || call.phase !== 'ringing') return;
    this.#phase(call, 'connecting');
    try {
      await this.#prepare(call);
      await call.peer.setRemoteDescription(call.offer);
      await call.peer.setLocalDescription(await call.peer.createAnswer());
      if (call !== this.now) return;
      const { type, sdp } = call.peer.localDescription;
      await this.#session.ask('call-answer', { callId: call.id, answer: { type, sdp } });
      if (call === this.now) this.#flush(call);
    } catch (error) {
      if (call !== this.now) return;
      this.#tell('call-reject', { callId: call.id, reason: 'failed' });
      this.#end('failed', error);
    }
  }

  reject() {
    const call = this.now;
    if (!call) return;
    this.#tell('call-reject', { callId: call.id });
    this.#end('declined');
  }

  hangUp() {
    const call = this.now;
    if (!call) return;
    if (call.id) this.#tell('call-end', { callId: call.id });
    this.#end(call.startedAt ? 'ended' : 'cancelled');
  }

  toggle(kind) {
    const call = this.now;
    const tracks = kind === 'audio' ? call?.stream?.getAudioTracks() : call?.stream?.getVideoTracks();
    for (const track of tracks ?? []) track.enabled = !track.enabled;
    this.#tellState(call);
    this.emit('change');
  }

  isOn(kind) {
    const stream = this.now?.stream;
    const tracks = (kind === 'audio' ? stream?.getAudioTracks() : stream?.getVideoTracks()) ?? [];
    return tracks.some((track) => track.enabled);
  }

  has(kind) {
    const stream = this.now?.stream;
    return ((kind === 'audio' ? stream?.getAudioTracks() : stream?.getVideoTracks()) ?? []).length > 0;
  }

  // Where it is refused the call is over, of which we are told; of candidates others may do.
  #tell(type, fields) {
    this.#session.ask(type, fields).catch(() => {});
  }

  // -- the call -------------------------------------------------------------------------------------

  #begin(fields) {
    const remote = new MediaStream();
    const theirs = { audio: true, video: true }; // what is on at the other end
    const call = { remote, theirs, candidates: [], beganAt: Date.now(), ...fields };
    call.person = this.#people.get(call.userId);
    this.now = call;
    this.emit('change');
    return call;
  }

  #phase(call, phase) {
    call.phase = phase;
    this.emit('change');
  }

  #end(reason, error) {
    const call = this.now;
    this.now = undefined;
    for (const track of call.stream?.getTracks() ?? []) track.stop();
    call.peer?.close();
    call.reason = reason;
    call.error = error;
    this.emit('change');
    this.emit('over', call, reason);
    const rival = this.#rival;
    this.#rival = undefined;
    if (rival && this.#session.isConnected) this.#incoming(rival);
  }

  async #prepare(call) {
    const { iceServers } = await this.#session.ask('ice-servers');
    const stream = await openMedia(call.media);
    if (call !== this.now) {
      for (const track of stream.getTracks()) track.stop();
      throw new Error('The call is over');
    }
    call.stream = stream;
    call.peer = new RTCPeerConnection({ iceServers });
    this.#watch(call);
    for (const track of stream.getTracks()) call.peer.addTrack(track, stream);
    // Who has no camera, or no microphone, sees and hears all the same.
    for (const kind of call.direction === 'out' ? kindsOf(call.media) : []) {
      const has = stream.getTracks().some((track) => track.kind === kind);
      if (!has) call.peer.addTransceiver(kind, { direction: 'recvonly' });
    }
    this.emit('change');
  }

  #watch(call) {
    const { peer } = call;
    peer.onicecandidate = ({ candidate }) => {
      if (!candidate?.candidate) return;
      call.candidates.push(candidate.toJSON());
      if (call.flows) this.#flush(call);
    };
    peer.ontrack = ({ track }) => {
      call.remote.addTrack(track);
      this.emit('change');
    };
    peer.onconnectionstatechange = () => {
      if (call !== this.now) return;
      if (peer.connectionState === 'connected') {
        call.startedAt ??= Date.now();
        this.#phase(call, 'talking');
      } else if (peer.connectionState === 'failed') {
        this.#tell('call-end', { callId: call.id, reason: 'failed' });
        this.#end('failed');
      }
    };
    // What tracks cannot say: that the other end has switched its microphone or camera off.
    call.channel = peer.createDataChannel('state', { negotiated: true, id: 0 });
    call.channel.onopen = () => this.#tellState(call);
    call.channel.onmessage = ({ data }) => {
      call.theirs = readState(data) ?? call.theirs;
      this.emit('change');
    };
  }

  #tellState(call) {
    if (call?.channel?.readyState !== 'open') return;
    call.channel.send(JSON.stringify({ audio: this.isOn('audio'), video: this.isOn('video') }));
  }

  // The server takes candidates once it knows the call, and from who was called once it has answered.
  #flush(call) {
    call.flows = true;
    for (const candidate of call.candidates.splice(0)) {
      this.#tell('ice-candidate', { callId: call.id, candidate });
    }
  }

  // -- what the server tells ------------------------------------------------------------------------

  #onEvent(type, fields) {
    if (type === 'incoming-call') return this.#incoming(fields);
    if (ENDS.includes(type) && fields.callId === this.#rival?.callId) this.#rival = undefined;
    const isMissed = type === 'call-missed' && fields.fromUserId !== undefined;
    if (isMissed && fields.callId !== this.now?.id) return this.#missedMeanwhile(fields);
    const call = this.now;
    // The end of a call may overtake the answer that names it.
    if (!call || fields.callId === undefined) return;
    if (call.id !== fields.callId && (call.id !== undefined || fields.fromUserId !== undefined)) return;
    if (type === 'call-answered') this.#answered(call, fields);
    else if (type === 'ice-candidate') this.#remote(call, () => call.peer.addIceCandidate(fields.candidate));
    else if (type === 'call-taken') this.#end('taken');
    else if (type === 'call-rejected') this.#end(fields.reason === 'busy' ? 'busy' : 'rejected');
    else if (type === 'call-missed') this.#end(call.direction === 'in' ? 'missed' : fields.reason);
    else if (type === 'call-ended' && fields.reason === 'disconnected') this.#end('lost');
    else if (type === 'call-ended') this.#end(call.startedAt ? 'ended' : 'missed');
  }

  #incoming({ callId, fromUserId, fromUser, offer, media }) {
    if (this.now) {
      this.#rival = { callId, fromUserId, fromUser, offer, media };
      return;
    }
    this.#people.learn({ userId: fromUserId, user: fromUser });
    this.#begin({ id: callId, userId: fromUserId, media: media === 'video' ? 'video' : 'audio', offer,
      direction: 'in', phase: 'ringing' });
    if (this.#crossed?.callId === callId && this.#crossed.userId === fromUserId) this.accept();
  }

  // Somebody called while we were talking.
  #missedMeanwhile({ callId, fromUserId, fromUser }) {
    this.#people.learn({ userId: fromUserId, user: fromUser });
    const call = { id: callId, userId: fromUserId, person: this.#people.get(fromUserId), direction: 'in',
      beganAt: Date.now() };
    this.emit('over', call, 'missed');
  }

  #answered(call, { answer }) {
    this.#phase(call, 'connecting');
    this.#remote(call, () => call.peer.setRemoteDescription(answer));
  }

  // One after the other: candidates are of use only behind the description.
  #remote(call, action) {
    call.remoteWork = (call.remoteWork ?? Promise.resolve()).then(() => {
      if (call === this.now) return action();
    }).catch((error) => {
      if (call === this.now && !call.peer.remoteDescription) this.#end('failed', error);
    });
  }
}

function kindsOf(media) {
  return media === 'video' ? ['audio', 'video'] : ['audio'];
}

// A call without a camera is better than none.
async function openMedia(media) {
  const devices = navigator.mediaDevices;
  if (!devices) throw new Error('This page may not use the microphone: it needs https, or localhost');
  const audio = { echoCancellation: true, noiseSuppression: true };
  try {
    return await devices.getUserMedia({ audio, video: media === 'video' });
  } catch (error) {
    if (media !== 'video' || error.name === 'NotAllowedError') throw mediaError(error);
    return devices.getUserMedia({ audio }).catch((again) => { throw mediaError(again); });
  }
}

function mediaError(error) {
  const texts = {
    NotAllowedError: 'The browser was not allowed to use the microphone or camera',
    NotFoundError: 'There is no microphone',
    NotReadableError: 'The microphone or camera is used by another program',
  };
  return new Error(texts[error.name] ?? error.message);
}

function readState(text) {
  try {
    const { audio, video } = JSON.parse(text);
    return { audio: audio === true, video: video === true };
  } catch {
    return undefined;
  }
}

// -- what is written down of calls -----------------------------------------------------------------

const OUTCOMES = {
  busy: 'They are busy', rejected: 'They declined', offline: 'They were not there', 'no-answer': 'No answer',
  cancelled: 'Cancelled', failed: 'It failed', declined: 'Declined', missed: 'Missed',
  lost: 'The connection was lost', disconnected: 'The connection was lost',
};

/** What a notice says when a call has ended; undefined: nobody needs to be told. */
export function noticeOf(call, reason) {
  const name = nameOf(call.person);
  const texts = {
    busy: `${name} is in another call`,
    rejected: `${name} declined the call`,
    offline: `${name} is not there`,
    'no-answer': `${name} did not answer`,
    missed: `You missed a call from ${name}`,
    taken: 'The call was taken on another device',
    lost: `The connection to ${name} was lost`,
    disconnected: 'The connection was lost, and the call with it',
    failed: `The call failed: ${call.error?.message ?? 'the two browsers did not reach each other'}`,
  };
  return texts[reason];
}

export function outcomeOf(reason) {
  return OUTCOMES[reason];
}
