// What the server, and the client by itself, tell. Events of your own need no mention here.
export const EVENTS = [
  'connected', 'rejoined', 'rejoin-failed', 'error',
  'new-message', 'message-edited', 'message-deleted', 'read-receipt', 'broadcast', // feature: rooms
  'user-joined', 'user-left', 'room-invited', 'room-kicked', 'role-changed', // feature: rooms
  'presence-update', 'presence-diff', // feature: presence
  'user-typing', 'user-stopped-typing', // feature: typing
  'private-message', 'pending-messages', 'message-read', // feature: private-messages
  'incoming-call', 'call-answered', 'call-rejected', 'call-taken', 'call-ended', 'call-missed', // feature: calls
  'ice-candidate', // feature: calls
];
