// What JavaScript of a page is given where it speaks of a connection without making one.
import {io} from 'socket.io-client';

const url = `http://127.0.0.1:${process.env.PORT}`;

/** A token of the development server. */
export const tokenOf = async (user) => (await (await fetch(`${url}/dev/token?user=${user}`)).json()).token;

/** A Socket.IO client of this user that is connected. */
export async function connected(user) {
  const socket =
      io(url, {auth: {token: await tokenOf(user)}, transports: ['websocket'], reconnection: false});
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('connect_error', reject));
  return socket;
}
