// The call that is there: a card beside the talk, or the whole window; on a phone the whole screen.
import { avatar, button, element, iconButton, nameElement } from './dom.js';
import { icon } from './icons.js';
import { durationOf, nameOf } from './text.js';

const box = document.getElementById('call');

export class CallView {
  #calls;
  #shown; // the call
  #parts;
  #timer;

  constructor(calls) {
    this.#calls = calls;
    calls.on('change', () => this.#draw());
  }

  #draw() {
    const call = this.#calls.now;
    if (call !== this.#shown) this.#begin(call);
    if (!call) return;
    box.dataset.phase = call.phase;
    box.dataset.direction = call.direction;
    this.#parts.note.textContent = noteOf(call);
    if (call.phase === 'talking') this.#parts.note.setAttribute('role', 'timer'); // not read out every second
    this.#drawMedia(call);
    this.#drawButtons(call);
  }

  #begin(call) {
    const had = box.contains(document.activeElement);
    this.#shown = call;
    clearInterval(this.#timer);
    box.hidden = !call;
    if (!call) {
      box.replaceChildren();
      if (had) document.getElementById('text').focus();
      return;
    }
    box.dataset.media = call.media;
    const isIncoming = call.direction === 'in';
    box.setAttribute('aria-label', `Call with ${nameOf(call.person)}`);
    this.#parts = {
      theirs: video('theirs', `Video of ${nameOf(call.person)}`),
      mine: video('mine', 'Your video'),
      note: element('p', { class: 'call-note', role: isIncoming ? 'alert' : 'status' }),
      mark: element('p', { class: 'call-mark', hidden: true }),
      buttons: element('div', { class: 'call-buttons' }),
    };
    this.#parts.mine.muted = true;
    const size = iconButton('grow', 'Larger', () => this.#resize(size, box.dataset.size !== 'large'),
      { class: 'small call-size' });
    this.#resize(size, !isIncoming && this.#fills(call));
    this.#parts.size = size;
    const { theirs, mine, note, mark, buttons } = this.#parts;
    const { person } = call;
    const who = element('div', { class: 'call-who' }, avatar(person), nameElement(person), note, mark);
    box.replaceChildren(element('div', { class: 'call-stage' }, theirs, mine, who), size, buttons);
    this.#timer = setInterval(() => { this.#parts.note.textContent = noteOf(call); }, 1000);
    // Whoever writes goes on writing.
    const isWriting = document.activeElement?.matches('input, textarea, dialog *');
    if (isWriting) return;
    queueMicrotask(() => box.querySelector('.call-buttons button')?.focus({ preventScroll: true }));
  }

  // On a phone pictures take the whole screen.
  #fills(call) {
    return call.media === 'video' && matchMedia('(max-width: 51.99rem)').matches;
  }

  #resize(size, isLarge) {
    box.dataset.size = isLarge ? 'large' : 'card';
    size.replaceChildren(icon(isLarge ? 'shrink' : 'grow'));
    size.setAttribute('aria-label', isLarge ? 'Smaller' : 'Larger');
    size.title = isLarge ? 'Smaller' : 'Larger';
  }

  #drawMedia(call) {
    const { theirs, mine, mark } = this.#parts;
    if (theirs.srcObject !== call.remote) theirs.srcObject = call.remote;
    if (mine.srcObject !== (call.stream ?? null)) mine.srcObject = call.stream ?? null;
    const seesThem = call.phase === 'talking' && call.remote.getVideoTracks().length > 0 && call.theirs.video;
    box.classList.toggle('sees-them', seesThem);
    mine.hidden = !this.#calls.isOn('video');
    const name = nameOf(call.person);
    const hasNoPicture = call.media === 'video' && !call.theirs.video;
    const texts = [!call.theirs.audio && `${name} is muted`, hasNoPicture && 'camera off'];
    mark.textContent = call.phase === 'talking' ? texts.filter(Boolean).join(', ') : '';
    mark.hidden = mark.textContent === '';
  }

  #drawButtons(call) {
    const calls = this.#calls;
    const isRinging = call.direction === 'in' && call.phase === 'ringing';
    const tracks = ['audio', 'video'].map((kind) => [calls.has(kind), calls.isOn(kind)]);
    const version = JSON.stringify([isRinging, tracks]);
    const { buttons } = this.#parts;
    if (buttons.dataset.version === version) return;
    buttons.dataset.version = version;
    const place = [...buttons.children].indexOf(document.activeElement);
    buttons.replaceChildren(...(isRinging ? this.#ringing(call) : this.#talking()));
    if (place !== -1) (buttons.children[place] ?? buttons.lastElementChild).focus();
  }

  #ringing(call) {
    return [
      bigButton(call.media === 'video' ? 'camera' : 'phone', 'Accept', () => {
        if (this.#fills(call)) this.#resize(this.#parts.size, true);
        this.#calls.accept();
      }, 'good'),
      bigButton('hangUp', 'Decline', () => this.#calls.reject(), 'bad'),
    ];
  }

  #talking() {
    const calls = this.#calls;
    const toggle = (kind, on, off) => {
      const [picture, text] = calls.isOn(kind) ? on : off;
      const attributes = { 'aria-pressed': String(!calls.isOn(kind)) };
      return calls.has(kind) && iconButton(picture, text, () => calls.toggle(kind), attributes);
    };
    return [
      toggle('audio', ['mic', 'Mute'], ['micOff', 'Unmute']),
      toggle('video', ['camera', 'Camera off'], ['cameraOff', 'Camera on']),
      iconButton('hangUp', 'Hang up', () => calls.hangUp(), { class: 'bad' }),
    ].filter(Boolean);
  }
}

function video(kind, label) {
  return element('video', { class: kind, autoplay: true, playsinline: true, 'aria-label': label });
}

function bigButton(picture, text, act, kind) {
  const made = button(icon(picture), act, { class: kind });
  made.append(text);
  return made;
}

function noteOf(call) {
  if (call.phase === 'talking') return durationOf(Date.now() - call.startedAt);
  const isIncoming = call.direction === 'in' && call.phase === 'ringing';
  if (isIncoming) return call.media === 'video' ? 'calls you, with video' : 'calls you';
  return { preparing: 'Calling…', ringing: 'Ringing…', connecting: 'Connecting…' }[call.phase];
}
