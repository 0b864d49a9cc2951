// All groups of behaviours, in the order of the table.
import { acks } from "./acks.mjs";
import { api } from "./api.mjs";
import { engineClient } from "./engine_client.mjs";
import { events } from "./events.mjs";
import { heartbeat } from "./heartbeat.mjs";
import { lifecycle } from "./lifecycle.mjs";
import { middleware } from "./middleware.mjs";
import { namespacesGroup } from "./namespaces.mjs";
import { options } from "./options.mjs";
import { packets } from "./packets.mjs";
import { polling } from "./polling.mjs";
import { connectionErrors, dynamicNamespaces, engine3, engineHooks, recovery } from "./profiles.mjs";
import { rooms } from "./rooms.mjs";
import { shutdown } from "./shutdown.mjs";
import { upgrade } from "./upgrade.mjs";
import { websocket } from "./websocket.mjs";

export const groups = [
  polling, websocket, upgrade, heartbeat, options, engineHooks, connectionErrors, engine3, packets, engineClient,
  events, acks, rooms, namespacesGroup, dynamicNamespaces, middleware, lifecycle, api, recovery, shutdown,
];
