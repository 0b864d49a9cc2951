// Who we are: the server believes the name it is told ("auth": { "mode": "none" } in config/websocket.json).
// Anybody can be anybody, which does for games and for networks where everybody is trusted.

/** Shown below the form. */
export const note = 'The server believes any name: it asks for no token. ' +
  'Who signs in is decided in client/sign_in.js.';

/** Resolves to who we are. */
export async function signIn(name) {
  return { name };
}
