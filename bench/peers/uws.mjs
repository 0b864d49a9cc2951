// The uWebSockets build from npm.
import { createRequire } from "node:module";

/** The native library. Throws where there is only the package's fallback in JavaScript: that is not what is measured. */
export function load() {
  const uws = createRequire(import.meta.url)("@trufflesuite/uws-js-unofficial");
  if (typeof uws.us_socket_local_port !== "function" || typeof uws._cfg !== "function") {
    throw new Error(`the package has no native uWebSockets for Node ${process.version} on ${process.platform}/${process.arch}`);
  }
  return uws;
}

/** Listens on loopback and says where. */
export function listen(uws, app, port) {
  app.listen("127.0.0.1", port, (socket) => {
    if (!socket) throw new Error("cannot listen");
    console.log(`listening ${uws.us_socket_local_port(socket)}`);
  });
}
