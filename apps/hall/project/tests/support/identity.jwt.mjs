// Who a client of a test is: somebody with a token, which the server makes in development mode.

/** What connect() of a client takes. */
export async function identityOf(server, name) {
  const response = await fetch(`${server.url}/dev/token?user=${encodeURIComponent(name)}`);
  const { token } = await response.json();
  return { token };
}

/** A request for a path of the server, e.g. a file. */
export async function get(server, name, path) {
  const { token } = await identityOf(server, name);
  return fetch(server.url + path, { headers: { Authorization: `Bearer ${token}` } });
}
