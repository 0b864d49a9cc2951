// Made by clients/js/build.mjs from the comments of clients/js/src.
export type Fields = Record<string, any>;
export type Clock = {
  setTimeout: (action: () => void, ms: number) => any;
  clearTimeout: (timer: any) => void;
  now: () => number;
  random: () => number;
};
/** What the server shall know us by. userId and name count where it asks for no token. */
export type Auth = {
  token?: string;
  userId?: string;
  name?: string;
} & Record<string, string | undefined>;
export type Options = {
  /** A function is asked before every connection, and before its token ends. */
  auth?: Auth | (() => Auth | Promise<Auth>) | ((give: (auth: Auth) => void) => void) | undefined;
  /** Short for `auth: {token}`. */
  token?: string | undefined | (() => string | undefined | Promise<string | undefined>);
  /** an implementation, where there is no global one */
  WebSocket?: any;
  /** true */
  reconnection?: boolean | undefined;
  /** in a row; Infinity */
  reconnectionAttempts?: number | undefined;
  /** 1000 ms; doubles with every failure, less up to a half at random */
  reconnectionDelay?: number | undefined;
  /** 5000 ms */
  reconnectionDelayMax?: number | undefined;
  /** 20000 ms: for a connection to be made, and for an answer once its request was sent */
  timeout?: number | undefined;
  /** 25000 ms of silence after which the connection is tested */
  pingInterval?: number | undefined;
  /** 100: how many requests may wait for a connection */
  queueMax?: number | undefined;
  /** for tests */
  clock?: Clock | undefined;
};
export type RequestOptions = {
  /**
   * ms from now, waiting for a connection included; else Options.timeout from when
   * it was sent
   */
  timeout?: number | undefined;
  /** it may be done twice: it is sent again when the connection is lost before its answer */
  again?: boolean | undefined;
};
export type Position = {
  seq: number;
  epoch: string;
};
export type JoinOptions = {
  since?: Position;
};
/** what the token says of somebody */
export type User = Record<string, any>;
export type Member = {
  userId: string;
  user: User;
  status: string;
  lastSeen?: number | null;
};
export type HallFile = {
  id: string;
  name: string;
  size: number;
  mime: string;
  sha256: string;
  url: string;
};
export type ChatMessage = {
  id: string;
  roomId: string;
  /** 1, 2, 3, … in its room */
  seq: number;
  userId: string;
  /** the same */
  from: string;
  user: User;
  /** null where it is deleted */
  content: string | null;
  /** `text`, `file`, or what its sender said */
  type: string;
  timestamp: number;
  edited: boolean;
  deleted: boolean;
  replyTo?: string | undefined;
  file?: HallFile | undefined;
};
export type PrivateMessage = {
  id: string;
  fromUserId: string;
  fromUser: User;
  toUserId: string;
  content: string;
  timestamp: number;
  read: boolean;
  /** where it is not `text` */
  type?: string | undefined;
  file?: HallFile | undefined;
};
export type StoredMessage = Omit<ChatMessage, "from">;
export type RoomInfo = {
  id: string;
  type?: string;
  role?: string;
  name?: string;
  metadata?: Fields;
  createdBy?: string;
  createdAt?: number;
  readUpTo?: number;
};
export type JoinAnswer = {
  room: RoomInfo;
  members: Member[];
  memberCount: number;
  recentMessages: StoredMessage[];
  seq: number;
  epoch: string;
  recovered?: boolean;
  missed?: StoredMessage[];
};
export type SendOptions = {
  type?: string;
  replyTo?: string;
  clientMessageId?: string;
} & RequestOptions;
export type SendAnswer = {
  messageId: string;
  timestamp: number;
  seq: number;
  duplicate?: boolean;
};
export type PrivateAnswer = {
  messageId: string;
  timestamp: number;
  delivered: boolean;
  duplicate?: boolean;
};
export type HistoryAnswer = {
  messages: StoredMessage[];
  hasMore: boolean;
  oldestSeq: number;
  epoch: string;
};
export type Presence = {
  userId: string;
  user: User;
  status: string;
  lastSeen: number | null;
  connections: number;
};
export type PresenceAnswer = {
  users: Presence[];
};
/** where it will appear, or who will get it */
export type UploadTarget = {
  roomId: string;
  targetUserId?: undefined;
} | {
  targetUserId: string;
  roomId?: undefined;
};
export type FileOptions = {
  /** instead of the file's own, as `mime` */
  name?: string | undefined;
  mime?: string | undefined;
  /** of its bytes, in lower-case hexadecimal digits: the server compares them */
  sha256?: string | undefined;
  /** of an upload of the same bytes that was not finished: it goes on */
  uploadId?: string | undefined;
  onStart?: ((upload: {
    uploadId: string;
    chunkSize: number;
    offset: number;
  }) => void) | undefined;
  onProgress?: ((sent: number, size: number) => void) | undefined;
  /** ends the upload, at the server as well */
  signal?: AbortSignal | undefined;
};
/**
 * without messageId, and of the file only id and url, where the answer was lost and the file found by its address
 */
export type UploadAnswer = {
  offset: number;
  complete?: boolean;
  messageId?: string;
  file: Partial<HallFile> & {
    id: string;
    url: string;
  };
};
export type InRoom = {
  roomId: string;
  timestamp: number;
};
export type ByUser = {
  byUserId: string;
  byUser: User;
};
/**
 * What the hall tells, and from `error` on what the client says of itself:
 * `chat` comes in the order of seq, each message once. `private-message` is acknowledged when a handler saw it
 * without an error. `pending-messages`, where it has no handler, comes as private-message one by one.
 * `disconnected` has no `retryIn` (ms) when it has given up. After `refresh-failed` it is tried again while the
 * token lasts.
 */
export type HallEvents = {
  connected: {
    sessionId: string;
    clientId: string;
    userId: string;
    user: User;
    serverTime: number;
    timestamp: number;
    rooms: string[];
    recovered: boolean;
  };
  chat: ChatMessage;
  "user-joined": {
    userId: string;
    user: User;
  } & InRoom;
  "user-left": {
    userId: string;
  } & InRoom;
  joined: {
    roomId: string;
    members: Member[];
  };
  left: {
    roomId: string;
  };
  broadcast: {
    room: string;
    data: any;
    from: string;
  };
  "message-edited": {
    id: string;
    seq: number;
    content: string;
  } & InRoom;
  "message-deleted": {
    id: string;
    seq: number;
  } & InRoom;
  "room-invited": {
    role?: string;
  } & ByUser & InRoom;
  "room-kicked": {
    reason?: string;
  } & ByUser & InRoom;
  "role-changed": {
    userId: string;
    role: string;
    byUserId: string;
  } & InRoom;
  "user-typing": {
    userId: string;
    user: User;
  } & InRoom;
  "user-stopped-typing": {
    userId: string;
  } & InRoom;
  "presence-update": {
    userId: string;
    status: string;
    timestamp: number;
    lastSeen?: number;
  };
  "presence-diff": {
    joins: Member[];
    leaves: {
      userId: string;
    }[];
    updates: {
      userId: string;
      status: string;
      lastSeen?: number;
    }[];
    memberCount: number;
    more?: number;
  } & InRoom;
  "private-message": PrivateMessage;
  "pending-messages": {
    messages: PrivateMessage[];
  };
  "message-read": {
    messageIds: string[];
    userId: string;
    timestamp: number;
  };
  "read-receipt": {
    userId: string;
    upTo: number;
  } & InRoom;
  "incoming-call": {
    callId: string;
    fromUserId: string;
    fromUser: User;
    offer: any;
    media?: any;
  };
  "call-answered": {
    callId: string;
    answer: any;
  };
  "call-rejected": {
    callId: string;
    reason: string;
  };
  "call-ended": {
    callId: string;
    reason: string;
  };
  "call-taken": {
    callId: string;
  };
  "call-missed": {
    callId: string;
    reason: string;
    timestamp: number;
    userId?: string;
    fromUserId?: string;
    fromUser?: User;
  };
  "ice-candidate": {
    callId: string;
    candidate: any;
  };
  error: WirehallError;
  connecting: {};
  disconnected: {
    error: WirehallError;
    retryIn?: number;
  };
  rejoined: {
    roomId: string;
  } & JoinAnswer;
  "rejoin-failed": {
    roomId: string;
    error: WirehallError;
  };
  members: {
    roomId: string;
    members: Member[];
    memberCount: number;
  };
  "token-refreshed": {
    expiresAt: number;
  };
  "refresh-failed": {
    error: WirehallError;
  };
};
/** what it returns, or its promise, answers an event that wants an answer */
export type Handler<E = any, K = any> = (fields: K extends keyof E ? E[K] : any) => any;
export type PendingRequest = {
  id: number;
  type: string;
  fields: Fields;
  /** the frame */
  text: string;
  /** whether it may be sent again over another connection */
  again: boolean;
  sent: boolean;
  /** ms from the beginning; else the time counts from when it is sent */
  timeout?: number | undefined;
  timer?: any;
  answer: Promise<any>;
  resolve: (fields: Fields) => void;
  reject: (error: Error) => void;
  /** of a join: the seq of a message that came before the answer */
  heard?: number | undefined;
  /** of a return: which it is about */
  place?: any;
};
/** the events and their fields: `Client<HallEvents & {score: {points: number}}>` */
export class Client<E extends object = HallEvents> {
  /** @param url  of the server, else the page's own; its path is /ws where none is given */
  constructor(url?: string | URL, options?: Options);
  /** `waiting`: for the next attempt */
  state: "connecting" | "connected" | "waiting" | "closed";
  /** who the server says we are */
  userId: string | undefined;
  /** Handlers survive reconnections. What one returns, or its promise, answers an event that wants an answer. */
  on<K extends keyof E | (string & {})>(event: K, handler: Handler<E, K>): this;
  once<K extends keyof E | (string & {})>(event: K, handler: Handler<E, K>): this;
  /** @param handler  all of the event's, where none is given */
  off<K extends keyof E | (string & {})>(event: K, handler?: Handler<E, K>): this;
  /**
   * Sends an event, at once or when there is a connection again. Without an ack function its answer is promised;
   * with one nothing is returned, and the function gets the answer, which has `error` and `code` where it failed.
   *
   * Messages get a clientMessageId, by which they are stored once however often they are sent.
   *
   * Errors: the server's code; `timeout`; `disconnected` (it may have been done); `queue-full`.
   */
  emit(event: string, fields: Fields | undefined, ack: (answer: Fields) => void): void;
  emit(event: string, fields?: Fields | undefined, options?: RequestOptions | undefined): Promise<any>;
  /** emit() without the ack function. */
  request(event: string, fields?: Fields, options?: RequestOptions): Promise<any>;
  /**
   * Enters a room, and enters it again after every reconnection. Wait for it before sending there.
   *
   * With `since`, which is a room's `position` of earlier, `chat` tells first what was missed.
   */
  join(roomId: string, { since }?: JoinOptions): Promise<JoinAnswer>;
  leave(roomId: string): Promise<void>;
  /** What belongs to one room. It is not entered by this. */
  room(roomId: string): Room<E>;
  /**
   * Sends a message. It is sent again until it is answered, and stored once. To try again after a failure,
   * give the same clientMessageId.
   */
  send(roomId: string, content: string, { timeout, again, ...more }?: SendOptions): Promise<SendAnswer>;
  /** Sends a private message, as send() does; it waits at the server for who is away. */
  sendPrivate(targetUserId: string, content: string, { timeout, again, ...more }?: SendOptions): Promise<PrivateAnswer>;
  /** @param bounds  by seq, exclusive */
  history(roomId: string, bounds?: {
    before?: number;
    after?: number;
    limit?: number;
  }): Promise<HistoryAnswer>;
  /** Who is there, of a room or of some people. */
  presence(of: {
    roomId: string;
  } | {
    userIds: string[];
  }): Promise<PresenceAnswer>;
  /** @param status  online, away, busy, invisible, or a text of at most 64 characters */
  updateStatus(status: string): Promise<{
    status: string;
  }>;
  /**
   * Sends a file, to a room or to a person. It goes on by itself after a lost connection, and by its uploadId after
   * a reload; what was published already is not sent twice.
   */
  upload(file: Blob, options: FileOptions & UploadTarget): Promise<UploadAnswer>;
  /** Says that we type, or no longer do; lost where there is no connection. */
  typing(roomId: string, active?: boolean): void;
  /** Asks for a sign of life. */
  ping({ timeout }?: {
    timeout?: number;
  }): Promise<{
    timestamp: number;
  }>;
  /**
   * Connects; where it waits for the next attempt, that is made now.
   *
   * Errors: what made it give up: `authentication-failed` and other refusals, or the last attempt's failure.
   */
  connect(): Promise<this>;
  /** Ends the connection and leaves the rooms; what waits for an answer fails with `disconnected`. */
  close(): void;
  #private;
}
/**
 * One room of a client: the client's methods without the roomId, its events of this room alone, and who is there.
 * It holds nothing of its own: any number of them for one room are the same, and they outlive leaving and losing it.
 */
export class Room<E extends object = HallEvents> {
  /** Made by client.room(). */
  constructor(client: any, roomId: string, handlers: any, place: any);
  readonly roomId: string;
  /** Whether we are in it, or will be again after a reconnection. */
  get isJoined(): boolean;
  /** Who is there, kept up to date; `members` is told with every change. Of a large room at most 1,000. */
  get members(): Member[];
  /** How many are there. */
  get memberCount(): number;
  /** How far it was told: what join() takes as `since`, after a reload too. */
  get position(): Position | undefined;
  /** As the client's, for this room. */
  on<K extends keyof E | (string & {})>(event: K, handler: Handler<E, K>): this;
  once<K extends keyof E | (string & {})>(event: K, handler: Handler<E, K>): this;
  off<K extends keyof E | (string & {})>(event: K, handler?: Handler<E, K>): this;
  join(options?: {
    since?: Position;
  }): Promise<JoinAnswer>;
  leave(): Promise<void>;
  send(content: string, more?: SendOptions): Promise<SendAnswer>;
  history(bounds?: {
    before?: number;
    after?: number;
    limit?: number;
  }): Promise<HistoryAnswer>;
  typing(active?: boolean): void;
  /**
   * Says that we read up to this seq.
   * @param upTo  all that was told, where none is given
   */
  markRead(upTo?: number): Promise<any>;
  upload(file: Blob, options?: FileOptions): Promise<UploadAnswer>;
  #private;
}
/**
 * A refusal by the server, or a failure to reach it.
 *
 * `code` is for programs: the server's, or one of the client's own: `disconnected` (there is no connection, or
 * it was lost before the answer came), `timeout`, `queue-full`, `invalid-format` (the server sent no JSON),
 * `token-expired`.
 */
export class WirehallError extends Error {
  /** @param fields  what else the answer says */
  constructor(text: string, code: string, fields?: Fields);
  code: string;
  fields: Fields;
  /** ms to wait before the same may succeed, where the server knows */
  retryAfter: number | undefined;
}
/**
 * Connects, for as many attempts as the options allow.
 *
 * What the server sends directly behind its welcome is seen only by handlers that were there before: where
 * that matters, make a Client, add them, and call its connect().
 * @param url  of the server, else the page's own; its path is /ws where none is given
 */
export function connect<E extends object = HallEvents>(url?: string | URL, options?: Options): Promise<Client<E>>;
/**
 * Sends a file in pieces, over any connection that can ask. A piece whose answer was lost is sent again.
 * Errors: the server's; the signal's reason. Unless it was ended, the upload can go on by its uploadId.
 * @param ask  waits for a connection
 * @param find  the file, if it was published after all
 */
export function sendFile(ask: (type: string, fields: Fields, options: RequestOptions) => Promise<Fields>, file: Blob, { uploadId, onStart, onProgress, signal, ...about }: FileOptions & UploadTarget, find?: (uploadId: string) => Promise<UploadAnswer | undefined>): Promise<UploadAnswer>;
