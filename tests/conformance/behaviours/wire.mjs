// HTTP requests, Engine.IO payloads and raw WebSocket frames: nothing here is the stock clients'.
import { createHash, randomBytes } from "node:crypto";
import http from "node:http";
import net from "node:net";
import { Watch } from "./watch.mjs";

const separator = "\x1e";

// Headers that mean something to a client; the others are the HTTP server's own affair.
const telling = /^(content-type|content-encoding|cache-control|set-cookie|vary|access-control-.*|x-xss-protection|location|upgrade|connection|sec-websocket-.*)$/;

/** The telling headers, sorted; `connection` only where it says something else than how long TCP lives. */
export function tellingHeaders(headers) {
  const kept = {};
  for (const name of Object.keys(headers).sort()) {
    if (!telling.test(name)) continue;
    if (name === "connection" && /^(keep-alive|close)$/i.test(headers[name])) continue;
    kept[name] = headers[name];
  }
  return kept;
}

/** One request. Resolves to {status, headers, body}, or to {failed} when the connection ended without a response. */
export function exchange({ port, agent, method = "GET", path, headers = {}, body, onRequest }) {
  return new Promise(resolve => {
    const request = http.request({ host: "127.0.0.1", port, agent: agent ?? false, method, path, headers }, response => {
      const parts = [];
      response.on("data", part => parts.push(part));
      response.on("end", () => resolve({
        status: response.statusCode,
        headers: tellingHeaders(response.headers),
        body: Buffer.concat(parts),
      }));
      response.on("error", () => resolve({ failed: "cut" }));
    });
    request.on("error", () => resolve({ failed: "cut" }));
    onRequest?.(request);
    request.end(body);
  });
}

/** A response as a transcript shows it: status, headers, text. */
export const shown = response =>
  response.failed ? response : { status: response.status, headers: response.headers, body: response.body.toString() };

/** The packets of a payload; binary ones as buffers. */
export const packetsOf = payload =>
  payload.split(separator).map(packet => packet[0] === "b" ? Buffer.from(packet.slice(1), "base64") : packet);
export const payloadOf = packets =>
  packets.map(packet => Buffer.isBuffer(packet) ? "b" + packet.toString("base64") : packet).join(separator);

/** A frame of a client. `length` overrides how the length is written: 7, 16 or 64 bits. */
export function frame(opcode, payload = "", { fin = true, rsv = 0, masked = true, length, announce } = {}) {
  const bytes = Buffer.from(payload);
  const size = announce ?? BigInt(bytes.length);
  const bits = length ?? (size < 126n ? 7 : size < 65536n ? 16 : 64);
  const head = Buffer.alloc(bits === 7 ? 2 : bits === 16 ? 4 : 10);
  head[0] = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
  head[1] = (masked ? 0x80 : 0) | (bits === 7 ? Number(size) : bits === 16 ? 126 : 127);
  if (bits === 16) head.writeUInt16BE(Number(size), 2);
  if (bits === 64) head.writeBigUInt64BE(size, 2);
  if (!masked) return Buffer.concat([head, bytes]);
  const mask = randomBytes(4);
  return Buffer.concat([head, mask, bytes.map((byte, i) => byte ^ mask[i % 4])]);
}

export const acceptOf = key => createHash("sha1").update(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest("base64");

/** A TCP connection that speaks HTTP first and, when it was let in, WebSocket frames: every byte is the caller's. */
export class RawSocket {
  head = null;  // {status, headers} of the response
  log = [];     // ["text" | "binary" | "ping" | "pong" | "close" | "continuation", …], ["end"]
  watch = new Watch();
  #bytes = Buffer.alloc(0);

  constructor(port) {
    this.socket = net.connect(port, "127.0.0.1");
    this.socket.setNoDelay(true);
    this.socket.on("data", data => this.#received(data));
    this.socket.on("error", () => {});
    this.socket.on("close", () => this.#note(["end"]));
  }

  /** Sends an upgrade request; fields that are null are left out. */
  async upgrade(path, fields = {}) {
    this.key = randomBytes(16).toString("base64");
    const all = {
      Host: "localhost", Connection: "Upgrade", Upgrade: "websocket",
      "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": this.key, ...fields,
    };
    const lines = Object.entries(all).filter(([, value]) => value !== null).map(([name, value]) => `${name}: ${value}\r\n`);
    this.write(`${fields[":method"] ?? "GET"} ${path} HTTP/1.1\r\n${lines.filter(line => line[0] !== ":").join("")}\r\n`);
    await this.watch.until(() => this.head !== null || this.ended, "a response");
    return this;
  }

  get ended() { return this.log.at(-1)?.[0] === "end"; }
  get closing() { return this.log.some(([kind]) => kind === "close" || kind === "end"); }
  write(bytes) { this.socket.write(bytes); }
  close() { this.socket.destroy(); }
  /** What came behind the head of a refusal. */
  get rest() { return this.#bytes.toString(); }
  /** The body of a refusal. */
  async body() {
    const length = Number(this.head.headers["content-length"] ?? Infinity);
    const chunked = this.head.headers["transfer-encoding"] === "chunked";
    await this.watch.until(() => this.ended || this.rest.length >= length || (chunked && this.rest.endsWith("0\r\n\r\n")), "the body");
    return chunked ? this.rest.replaceAll(/(^|\r\n)[0-9a-f]+\r\n/g, "").trimEnd() : this.rest;
  }

  #note(entry) {
    this.log.push(entry);
    this.watch.changed();
  }
  #received(data) {
    this.#bytes = Buffer.concat([this.#bytes, data]);
    if (this.head === null) this.#readHead();
    if (this.head?.status === 101) while (this.#readFrame());
    this.watch.changed();
  }
  #readHead() {
    const end = this.#bytes.indexOf("\r\n\r\n");
    if (end < 0) return;
    const [first, ...lines] = this.#bytes.subarray(0, end).toString().split("\r\n");
    const headers = {};
    for (const line of lines) headers[line.slice(0, line.indexOf(":")).toLowerCase()] = line.slice(line.indexOf(":") + 1).trim();
    this.#bytes = this.#bytes.subarray(end + 4);
    this.head = { status: Number(first.split(" ")[1]), headers };
  }
  #readFrame() {
    const bytes = this.#bytes;
    if (bytes.length < 2) return false;
    let size = bytes[1] & 0x7f, at = 2;
    if (size === 126) [size, at] = [bytes.length < 4 ? Infinity : bytes.readUInt16BE(2), 4];
    else if (size === 127) [size, at] = [bytes.length < 10 ? Infinity : Number(bytes.readBigUInt64BE(2)), 10];
    if (bytes.length < at + size) return false;
    this.#bytes = bytes.subarray(at + size);
    this.#note(this.#entry(bytes[0], bytes.subarray(at, at + size)));
    return true;
  }
  #entry(first, payload) {
    const flags = (first & 0x80 ? [] : ["unfinished"]).concat(first & 0x40 ? ["compressed"] : []);
    switch (first & 0x0f) {
      case 1: return ["text", flags.includes("compressed") ? payload.length > 0 : payload.toString(), ...flags];
      case 2: return ["binary", payload.toString("hex"), ...flags];
      case 8: return ["close", payload.length >= 2 ? payload.readUInt16BE(0) : null];
      case 9: return ["ping", payload.toString("hex")];
      case 10: return ["pong", payload.toString("hex")];
      default: return ["continuation", payload.toString("hex"), ...flags];
    }
  }
}
