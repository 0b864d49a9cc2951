// Texts for people: names, times, sizes, errors.

/** Who has no name is called by the user id. */
export function nameOf({ userId, user }) {
  return typeof user?.name === 'string' && user.name.trim() !== '' ? user.name : String(userId);
}

/** Texts of errors come with and without a full stop, and as parts of sentences. */
export function sentence(text) {
  return withStop(text.charAt(0).toUpperCase() + text.slice(1));
}

/** Where it begins with a name, which is as it is. */
export function withStop(text) {
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}

export function reasonOf(error) {
  const wait = error.retryAfter > 0 ? ` Wait ${Math.ceil(error.retryAfter / 1000)} s.` : '';
  return `${sentence(error.message)}${wait}`;
}

export function count(number, one, many = `${one}s`) {
  return `${number} ${number === 1 ? one : many}`;
}

// -- times -----------------------------------------------------------------------------------------

const DAY_MS = 24 * 3600 * 1000;
const clock = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' });
const date = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });

export function timeOf(timestamp) {
  return clock.format(timestamp);
}

export function timeElement(timestamp) {
  const when = new Date(timestamp);
  const made = document.createElement('time');
  made.dateTime = when.toISOString();
  made.title = full.format(when);
  made.textContent = clock.format(when);
  return made;
}

export function dayOf(timestamp) {
  const day = new Date(timestamp).toDateString();
  if (day === new Date().toDateString()) return 'Today';
  if (day === new Date(Date.now() - DAY_MS).toDateString()) return 'Yesterday';
  return date.format(timestamp);
}

/** "3 min ago", for people who have gone. */
export function agoOf(timestamp, now = Date.now()) {
  const minutes = Math.floor((now - timestamp) / 60_000);
  if (minutes < 1) return 'just now';
  if (minutes < 60) return `${minutes} min ago`;
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ago`;
  return `on ${date.format(timestamp)}`;
}

/** 75 000 → "1:15" */
export function durationOf(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const two = (number) => String(number).padStart(2, '0');
  const minutes = Math.floor(seconds / 60) % 60;
  const hours = Math.floor(seconds / 3600);
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

export function sizeOf(bytes) {
  if (bytes < 1024) return count(bytes, 'byte');
  const units = ['KB', 'MB', 'GB', 'TB'];
  let size = bytes / 1024;
  while (size >= 999.5 && units.length > 1) {
    size /= 1024;
    units.shift();
  }
  return `${size < 10 ? size.toFixed(1) : Math.round(size)} ${units[0]}`;
}

// -- presence --------------------------------------------------------------------------------------

export const STATUSES = {
  online: 'Online', away: 'Away', busy: 'Busy', invisible: 'Invisible', offline: 'Offline',
};

/** What a status looks like; a text of one's own is shown by people who are there. */
export function dotOf(status) {
  return Object.hasOwn(STATUSES, status) ? status : 'online';
}

export function statusText(status, lastSeen) {
  if (status === 'offline' && lastSeen) return `Last seen ${agoOf(lastSeen)}`;
  return Object.hasOwn(STATUSES, status) ? STATUSES[status] : status;
}

// -- links -----------------------------------------------------------------------------------------

const LINK = /https?:\/\/[^\s<>"'\p{Cc}\p{Cf}]+/giu;

/**
 * A text in parts: { text } and { text, href }. Only http and https become links, and none goes on where a
 * character hides that turns the text around.
 */
export function linked(text) {
  const parts = [];
  let end = 0;
  for (const { 0: found, index } of text.matchAll(LINK)) {
    const link = found.replace(/[.,;:!?)\]}…]+$/, '');
    if (!URL.canParse(link)) continue;
    if (index > end) parts.push({ text: text.slice(end, index) });
    parts.push({ text: link, href: new URL(link).href });
    end = index + link.length;
  }
  if (end < text.length) parts.push({ text: text.slice(end) });
  return parts;
}
