// Who is in the room that is open, and what can be done about them.
import { element, match, nameElement } from './dom.js';
import { confirm } from './dialogs.js';
import { openMenu } from './menu.js';
import { sortedMembers } from './room.js';
import { presenceAvatar } from './side.js';
import { nameOf, STATUSES, statusText } from './text.js';

const SHOWN_MAX = 300;

const at = (id) => document.getElementById(id);

export class Members {
  #context;

  /** @param context  session, rooms; write (userId), call (userId, media), failed (error), openMine () */
  constructor(context) {
    this.#context = context;
  }

  draw(room) {
    const members = room ? sortedMembers(room) : [];
    at('member-count').textContent = room?.joined ? room.memberCount : '';
    const items = members.slice(0, SHOWN_MAX).map((member) => this.#item(room, member));
    const more = (room?.memberCount ?? 0) - items.length;
    const rest = () => element('li', { class: 'soft more' }, `and ${more} more`);
    if (more > 0) items.push({ key: 'more', version: more, make: rest });
    match(at('members'), items, (item) => item.make());
  }

  #item(room, member) {
    const isMine = this.#context.session.isMine(member.userId);
    const role = room.roleOf(member.userId);
    return {
      key: member.userId, version: JSON.stringify([member, role, room.info.role]),
      make: () => {
        const name = element('span', { class: 'line' }, nameElement(member),
          isMine && element('span', { class: 'soft' }, 'you'));
        const made = element('button', { type: 'button', class: 'member', 'aria-haspopup': 'menu' },
          presenceAvatar(member), element('span', { class: 'name-and-note' }, name, noteOf(member)),
          (role === 'owner' || role === 'moderator') && element('span', { class: 'role' }, role));
        const open = () => (isMine ? this.#context.openMine() : this.#open(room, member, made));
        made.addEventListener('click', open);
        return element('li', {}, made);
      },
    };
  }

  #open(room, member, anchor) {
    const { write, call } = this.#context;
    const { userId } = member;
    const role = room.roleOf(userId);
    const make = (wanted, text, icon) => room.isOwner && role !== wanted &&
      { text, icon, choose: () => this.#setRole(room, member, wanted) };
    const mayManage = room.outranks(userId);
    openMenu(anchor, nameOf(member), [
      { text: 'Write privately', icon: 'message', choose: () => write(userId) },
      { text: 'Call', icon: 'phone', choose: () => call(userId, 'audio') },
      { text: 'Video call', icon: 'camera', choose: () => call(userId, 'video') },
      (room.isOwner || mayManage) && 'line',
      make('moderator', 'Make moderator', 'shield'),
      make('member', 'Make member', 'people'),
      make('owner', 'Make owner', 'crown'),
      mayManage && { text: 'Remove from the room', icon: 'leave', isDanger: true,
        choose: () => this.#remove(room, member) },
    ]);
  }

  async #setRole(room, { userId }, role) {
    try {
      await this.#context.rooms.setRole(room, userId, role);
    } catch (error) {
      this.#context.failed(error);
    }
  }

  #remove(room, member) {
    confirm(`Remove ${nameOf(member)}?`, `They leave ${room.title} on all their devices.`, 'Remove',
      () => this.#context.rooms.kick(room, member.userId));
  }
}

function noteOf({ status, lastSeen }) {
  if (status === 'online' || status === undefined) return false;
  const title = Object.hasOwn(STATUSES, status) ? undefined : status;
  return element('span', { class: 'soft', title }, statusText(status, lastSeen));
}
