// Who a client of a test is: whoever it says.

/** What connect() of a client takes. */
export async function identityOf(server, name) {
  return { userId: name };
}

/** A request for a path of the server, e.g. a file. */
export async function get(server, name, path) {
  return fetch(`${server.url}${path}?userId=${encodeURIComponent(name)}`);
}
