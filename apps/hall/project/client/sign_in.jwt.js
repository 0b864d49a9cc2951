// Who we are: the server wants a token, a JWT that your backend signs with the server's JWT_SECRET.
//
// HERE GOES YOUR OWN SIGN-IN. As it stands, the token comes from /dev/token, which the server has in
// development only (--dev) and which lets anybody be anybody. Ask your backend for it instead, after it has
// checked who is asking:
//
//   const response = await fetch('/chat-token');
//
// nginx.conf is where /chat-token can lead to your backend. A backend at an address of its own must be named in
// the page's Content-Security-Policy, which io.serve_directory("client", policy) in src/main.cpp takes.

/** Shown below the form. */
export const note = 'In development the server makes a token for any name. ' +
  'Your own sign-in goes into client/sign_in.js.';

/** Resolves to who we are. `token` is asked for again before every connection, so that it is never too old. */
export async function signIn(name) {
  const token = () => fetchToken(name);
  await token(); // so that a refusal is seen now
  return { name, token };
}

async function fetchToken(name) {
  const response = await fetch(`/dev/token?user=${encodeURIComponent(name)}`).catch(() => {
    throw new Error('The server cannot be reached');
  });
  if (response.status === 404) {
    throw new Error('This server makes no tokens (it was started without --dev): put your own sign-in into ' +
      'client/sign_in.js');
  }
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.title);
  return answer.token;
}
