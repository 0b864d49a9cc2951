// What a client knows of a room's people when it does no more than it is told: from the answer to its join,
// by user-joined, user-left, presence-update and presence-diff. Whatever makes no sense is kept as a fault.
export class Roster {
  faults = [];
  #people;

  constructor(client, roomId, {members}) {
    this.roomId = roomId;
    this.#people = new Map(members.map(({userId, status}) => [userId, status]));
    client.listen((name, payload) => this.hear(name, payload));
  }

  /** Statuses by user, sorted. */
  get people() { return [...this.#people].sort(([a], [b]) => (a < b ? -1 : 1)); }

  #expect(there, userId, name) {
    if (this.#people.has(userId) !== there)
      this.faults.push(`${name} of ${userId}, who ${there ? 'was not' : 'was'} there`);
  }

  hear(name, payload) {
    const {roomId, userId, status, joins, leaves, updates} = payload ?? {};
    // presence-update is not of one room: it is told once for each that the receiver shares with the user.
    if (name === 'presence-update' && this.#people.has(userId)) this.#people.set(userId, status);
    if (roomId !== this.roomId) return;
    const come = (user, how) => {
      this.#expect(false, user, name);
      this.#people.set(user, how);
    };
    const go = (user) => {
      this.#expect(true, user, name);
      this.#people.delete(user);
    };
    if (name === 'user-joined') come(userId, 'online');
    if (name === 'user-left') go(userId);
    if (name !== 'presence-diff') return;
    for (const entry of leaves) go(entry.userId);
    for (const entry of joins) come(entry.userId, entry.status);
    for (const entry of updates) {
      this.#expect(true, entry.userId, name);
      this.#people.set(entry.userId, entry.status);
    }
  }
}
