import type { Socket } from "node:net";
import { addressOf } from "./limits.ts";

/** A connection from its first moment to its last. */
export interface Place {
  /** Asked for when it came: a closed socket has no address any more. */
  readonly name: string;
  readonly socket: Socket;
  /** The client's address, or the network that one client may move around in. */
  readonly address: string;
  /** Requests whose answer is not over. */
  requests: number;
}

export interface Places {
  /**
   * Gives the connection a place; undefined where it has to go: because no other may, or because it was
   * reset before it was accepted, and all such have the same name.
   */
  take(socket: Socket): Place | undefined;
  /** Of a connection, or of what TLS made of it. */
  of(socket: Socket): Place | undefined;
  begin(place: Place): void;
  end(place: Place): void;
  all(): Iterable<Place>;
}

interface Group {
  /** Those without a request, the one that has waited longest first. */
  readonly waiting: Set<Place>;
  readonly busy: Set<Place>;
}

const sizeOf = (group: Group | undefined) => (group ? group.waiting.size + group.busy.size : 0);

/** The same for both sockets of a TLS connection. */
function nameOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}

/**
 * Places for `max` connections. When all are taken, a newcomer gets the place of a connection that has
 * no request: of the address that has most connections the one that has waited longest. So a flood of
 * silent connections pushes out its own, and people beside it get in. A request under way is given up
 * only for somebody who has fewer connections than its owner; behind a proxy, where all connections
 * have one address, it never is.
 */
export function createPlaces(max: number): Places {
  const places = new Map<string, Place>();
  const groups = new Map<string, Group>();

  function leave(place: Place): void {
    // After a `destroy` the same name may come again before "close" does.
    if (places.get(place.name) === place) places.delete(place.name);
    const group = groups.get(place.address);
    group?.waiting.delete(place);
    group?.busy.delete(place);
    if (sizeOf(group) === 0) groups.delete(place.address);
  }

  function victimFor(address: string): Place | undefined {
    let largest: Group | undefined;
    for (const group of groups.values()) if (sizeOf(group) > sizeOf(largest)) largest = group;
    const [waiting] = largest?.waiting ?? [];
    if (waiting) return waiting;
    if (sizeOf(largest) <= sizeOf(groups.get(address)) + 1) return undefined;
    const [busy] = largest?.busy ?? [];
    return busy;
  }

  return {
    take(socket) {
      if (socket.remoteAddress === undefined) return undefined;
      const name = nameOf(socket);
      const address = addressOf({ ip: socket.remoteAddress });
      if (places.size >= max) {
        const victim = victimFor(address);
        if (!victim) return undefined;
        leave(victim);
        victim.socket.destroy();
      }
      const place: Place = { name, socket, address, requests: 0 };
      places.set(name, place);
      const group = groups.get(address) ?? { waiting: new Set(), busy: new Set() };
      groups.set(address, group);
      group.waiting.add(place);
      socket.once("close", () => leave(place));
      return place;
    },
    of: (socket) => places.get(nameOf(socket)),
    begin(place) {
      if (place.requests++ > 0) return;
      const group = groups.get(place.address);
      if (group?.waiting.delete(place)) group.busy.add(place);
    },
    end(place) {
      if (--place.requests > 0) return;
      const group = groups.get(place.address);
      if (group?.busy.delete(place)) group.waiting.add(place);
    },
    all: () => places.values(),
  };
}
