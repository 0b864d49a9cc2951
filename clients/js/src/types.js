// The types of the client and of the hall's events: declarations only.

/** @import { Room } from './rooms.js' */
/** @import { WirehallError } from './errors.js' */

/**
 * @typedef {Record<string, any>} Fields
 *
 * @typedef {{setTimeout: (action: () => void, ms: number) => any, clearTimeout: (timer: any) => void,
 *   now: () => number, random: () => number}} Clock
 *
 * @typedef {{token?: string, userId?: string, name?: string} & Record<string, string | undefined>} Auth
 *   What the server shall know us by. userId and name count where it asks for no token.
 *
 * @typedef {object} Options
 * @property {Auth | (() => Auth | Promise<Auth>) | ((give: (auth: Auth) => void) => void)} [auth]
 *   A function is asked before every connection, and before its token ends.
 * @property {string | undefined | (() => string | undefined | Promise<string | undefined>)} [token]
 *   Short for `auth: {token}`.
 * @property {any} [WebSocket]  an implementation, where there is no global one
 * @property {boolean} [reconnection]  true
 * @property {number} [reconnectionAttempts]  in a row; Infinity
 * @property {number} [reconnectionDelay]  1000 ms; doubles with every failure, less up to a half at random
 * @property {number} [reconnectionDelayMax]  5000 ms
 * @property {number} [timeout]  20000 ms: for a connection to be made, and for an answer once its request was sent
 * @property {number} [pingInterval]  25000 ms of silence after which the connection is tested
 * @property {number} [queueMax]  100: how many requests may wait for a connection
 * @property {Clock} [clock]  for tests
 *
 * @typedef {object} RequestOptions
 * @property {number} [timeout]  ms from now, waiting for a connection included; else Options.timeout from when
 *   it was sent
 * @property {boolean} [again]  it may be done twice: it is sent again when the connection is lost before its answer
 *
 * @typedef {{seq: number, epoch: string}} Position
 * @typedef {{since?: Position}} JoinOptions
 * @typedef {Record<string, any>} User  what the token says of somebody
 * @typedef {{userId: string, user: User, status: string, lastSeen?: number | null}} Member
 * @typedef {{id: string, name: string, size: number, mime: string, sha256: string, url: string}} HallFile
 *
 * @typedef {object} ChatMessage
 * @property {string} id
 * @property {string} roomId
 * @property {number} seq  1, 2, 3, … in its room
 * @property {string} userId
 * @property {string} from  the same
 * @property {User} user
 * @property {string | null} content  null where it is deleted
 * @property {string} type  `text`, `file`, or what its sender said
 * @property {number} timestamp
 * @property {boolean} edited
 * @property {boolean} deleted
 * @property {string} [replyTo]
 * @property {HallFile} [file]
 *
 * @typedef {object} PrivateMessage
 * @property {string} id
 * @property {string} fromUserId
 * @property {User} fromUser
 * @property {string} toUserId
 * @property {string} content
 * @property {number} timestamp
 * @property {boolean} read
 * @property {string} [type]  where it is not `text`
 * @property {HallFile} [file]
 *
 * @typedef {Omit<ChatMessage, 'from'>} StoredMessage
 * @typedef {{id: string, type?: string, role?: string, name?: string, metadata?: Fields, createdBy?: string,
 *   createdAt?: number, readUpTo?: number}} RoomInfo
 * @typedef {{room: RoomInfo, members: Member[], memberCount: number, recentMessages: StoredMessage[], seq: number,
 *   epoch: string, recovered?: boolean, missed?: StoredMessage[]}} JoinAnswer
 * @typedef {{type?: string, replyTo?: string, clientMessageId?: string} & RequestOptions} SendOptions
 * @typedef {{messageId: string, timestamp: number, seq: number, duplicate?: boolean}} SendAnswer
 * @typedef {{messageId: string, timestamp: number, delivered: boolean, duplicate?: boolean}} PrivateAnswer
 * @typedef {{messages: StoredMessage[], hasMore: boolean, oldestSeq: number, epoch: string}} HistoryAnswer
 * @typedef {{userId: string, user: User, status: string, lastSeen: number | null, connections: number}} Presence
 * @typedef {{users: Presence[]}} PresenceAnswer
 *
 * @typedef {{roomId: string, targetUserId?: undefined} | {targetUserId: string, roomId?: undefined}} UploadTarget
 *   where it will appear, or who will get it
 *
 * @typedef {object} FileOptions
 * @property {string} [name]  instead of the file's own, as `mime`
 * @property {string} [mime]
 * @property {string} [sha256]  of its bytes, in lower-case hexadecimal digits: the server compares them
 * @property {string} [uploadId]  of an upload of the same bytes that was not finished: it goes on
 * @property {(upload: {uploadId: string, chunkSize: number, offset: number}) => void} [onStart]
 * @property {(sent: number, size: number) => void} [onProgress]
 * @property {AbortSignal} [signal]  ends the upload, at the server as well
 *
 * @typedef {{offset: number, complete?: boolean, messageId?: string,
 *   file: Partial<HallFile> & {id: string, url: string}}} UploadAnswer
 *   without messageId, and of the file only id and url, where the answer was lost and the file found by its address
 *
 * @typedef {{roomId: string, timestamp: number}} InRoom
 * @typedef {{byUserId: string, byUser: User}} ByUser
 *
 * @typedef {{
 *   connected: {sessionId: string, clientId: string, userId: string, user: User, serverTime: number,
 *     timestamp: number, rooms: string[], recovered: boolean},
 *   chat: ChatMessage,
 *   'user-joined': {userId: string, user: User} & InRoom,
 *   'user-left': {userId: string} & InRoom,
 *   joined: {roomId: string, members: Member[]},
 *   left: {roomId: string},
 *   broadcast: {room: string, data: any, from: string},
 *   'message-edited': {id: string, seq: number, content: string} & InRoom,
 *   'message-deleted': {id: string, seq: number} & InRoom,
 *   'room-invited': {role?: string} & ByUser & InRoom,
 *   'room-kicked': {reason?: string} & ByUser & InRoom,
 *   'role-changed': {userId: string, role: string, byUserId: string} & InRoom,
 *   'user-typing': {userId: string, user: User} & InRoom,
 *   'user-stopped-typing': {userId: string} & InRoom,
 *   'presence-update': {userId: string, status: string, timestamp: number, lastSeen?: number},
 *   'presence-diff': {joins: Member[], leaves: {userId: string}[],
 *     updates: {userId: string, status: string, lastSeen?: number}[], memberCount: number, more?: number} & InRoom,
 *   'private-message': PrivateMessage,
 *   'pending-messages': {messages: PrivateMessage[]},
 *   'message-read': {messageIds: string[], userId: string, timestamp: number},
 *   'read-receipt': {userId: string, upTo: number} & InRoom,
 *   'incoming-call': {callId: string, fromUserId: string, fromUser: User, offer: any, media?: any},
 *   'call-answered': {callId: string, answer: any},
 *   'call-rejected': {callId: string, reason: string},
 *   'call-ended': {callId: string, reason: string},
 *   'call-taken': {callId: string},
 *   'call-missed': {callId: string, reason: string, timestamp: number, userId?: string, fromUserId?: string,
 *     fromUser?: User},
 *   'ice-candidate': {callId: string, candidate: any},
 *   error: WirehallError,
 *   connecting: {},
 *   disconnected: {error: WirehallError, retryIn?: number},
 *   rejoined: {roomId: string} & JoinAnswer,
 *   'rejoin-failed': {roomId: string, error: WirehallError},
 *   members: {roomId: string, members: Member[], memberCount: number},
 *   'token-refreshed': {expiresAt: number},
 *   'refresh-failed': {error: WirehallError},
 * }} HallEvents
 *   What the hall tells, and from `error` on what the client says of itself:
 *   `chat` comes in the order of seq, each message once. `private-message` is acknowledged when a handler saw it
 *   without an error. `pending-messages`, where it has no handler, comes as private-message one by one.
 *   `disconnected` has no `retryIn` (ms) when it has given up. After `refresh-failed` it is tried again while the
 *   token lasts.
 */

/**
 * @template [E=any]
 * @template [K=any]
 * @typedef {(fields: K extends keyof E ? E[K] : any) => any} Handler
 *   what it returns, or its promise, answers an event that wants an answer
 */

export {};
