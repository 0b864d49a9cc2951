// The protocols that this server speaks; each behaviour is tested over all of them.
import * as native from './clients.native.mjs'; // feature: native
import * as socketio from './clients.socketio.mjs'; // feature: socketio

export const protocols = [
  native, // feature: native
  socketio, // feature: socketio
];
