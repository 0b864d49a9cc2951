// The messages of a room that are on the page, in the order of `seq`, which has no holes at the server.
//
//   I1  `messages` ascend by seq, each once.
//   I2  Between the oldest and `position` nothing is missing, but what the server has forgotten.
//   I3  A message is what was told of it last: by an event, or by a later answer.

const KEPT_MAX = 400; // at the newest end, while nobody reads further up

export class Stream {
  messages = [];
  newest = 0;
  hasOlder = false;

  #epoch;
  #byId = new Map();
  #holeAfter; // where a hole begins that is being filled

  /** How far we got without a hole, to come back with; undefined: we were never here. */
  get position() {
    if (this.#epoch === undefined) return undefined;
    return { seq: this.#holeAfter ?? this.newest, epoch: this.#epoch };
  }

  find(id) {
    return this.#byId.get(id);
  }

  /** Takes the answer to joining. Returns whether everything from before is still in its place. */
  enter({ recentMessages, missed = [], recovered, seq, epoch }) {
    const continues = epoch === this.#epoch &&
      (recovered || recentMessages.length === 0 || recentMessages[0].seq <= this.position.seq + 1);
    if (!continues) {
      this.messages = [];
      this.#byId.clear();
      this.hasOlder = recentMessages[0]?.seq > 1;
      this.newest = 0;
    }
    this.#epoch = epoch;
    this.#holeAfter = undefined;
    this.#merge([...missed, ...recentMessages]);
    this.newest = Math.max(this.newest, seq);
    return continues;
  }

  /** Takes a new message. Returns whether it was new; `hole` says what stands before it and is not here. */
  add(message) {
    if (message.seq <= this.newest) return false;
    if (message.seq > this.newest + 1) this.#holeAfter ??= this.newest;
    this.#merge([message]);
    this.newest = message.seq;
    return true;
  }

  /** The bounds of a hole, as history takes them; undefined: there is none. */
  get hole() {
    if (this.#holeAfter === undefined) return undefined;
    const next = this.messages.find(({ seq }) => seq > this.#holeAfter);
    return { after: this.#holeAfter, before: next.seq };
  }

  /** Takes a page of what belongs into the hole. */
  fill(messages, hasMore) {
    const last = messages.at(-1);
    this.#merge(messages);
    this.#holeAfter = hasMore && last ? last.seq : undefined;
  }

  /** Takes a page of what stands before the oldest. */
  addOlder(messages, hasMore) {
    this.#merge(messages);
    this.hasOlder = hasMore && messages.length > 0;
  }

  /** Takes what was told of messages that are here already. */
  refresh(messages) {
    this.#merge(messages.filter(({ seq }) => seq >= (this.messages[0]?.seq ?? Infinity)));
  }

  change(id, fields) {
    const message = this.#byId.get(id);
    if (message) this.#merge([{ ...message, ...fields }]);
  }

  /** Forgets the oldest, when there are many. */
  trim(most = KEPT_MAX) {
    if (this.messages.length <= most) return;
    for (const { id } of this.messages.splice(0, this.messages.length - most)) this.#byId.delete(id);
    this.hasOlder = true;
  }

  #merge(messages) {
    for (const message of messages) {
      let place = this.messages.length;
      while (place > 0 && this.messages[place - 1].seq >= message.seq) place -= 1;
      const known = this.messages[place]?.seq === message.seq ? this.messages[place] : undefined;
      this.messages.splice(place, known ? 1 : 0, known?.key ? { ...message, key: known.key } : message);
      this.#byId.set(message.id, this.messages[place]);
    }
  }
}
