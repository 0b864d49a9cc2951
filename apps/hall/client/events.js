// What both protocols tell by the same name. (A room's messages are `new-message` to Socket.IO and `chat` to
// native clients; `rejoined` and `rejoin-failed` come from the links themselves.)
export const EVENTS = [
  'message-edited', 'message-deleted', 'user-joined', 'user-left', 'user-typing', 'user-stopped-typing',
  'presence-update', 'presence-diff', 'read-receipt', 'role-changed', 'room-invited', 'room-kicked',
  'private-message', 'pending-messages', 'message-read',
  'incoming-call', 'call-answered', 'call-rejected', 'call-ended', 'call-taken', 'call-missed',
  'ice-candidate',
  'rejoined', 'rejoin-failed',
];
