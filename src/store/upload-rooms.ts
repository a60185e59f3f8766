import type { SecretId } from "../envelope/tokens.ts";
import type { Room } from "./memory-gate.ts";

/**
 * The room that this process has admitted for uploads whose bytes are still to come. What is not told
 * here, since another process has received it or ended the upload, shows in the next reading of
 * Redis' memory; the room that was kept for it is given up when nothing has come for as long as an
 * upload may stay idle.
 */
export interface UploadRooms {
  keep(id: SecretId, room: Room): void;
  has(id: SecretId): boolean;
  /** So many bytes are held by now, counted from the beginning. */
  arrived(id: SecretId, received: number): void;
  /** It is sealed, or has ended otherwise. */
  end(id: SecretId): void;
  close(): void;
}

interface Kept {
  readonly room: Room;
  readonly timer: NodeJS.Timeout;
  received: number;
}

/** `idle` in milliseconds. */
export function createUploadRooms(idle: number): UploadRooms {
  const rooms = new Map<SecretId, Kept>();

  function end(id: SecretId): void {
    const kept = rooms.get(id);
    if (!kept) return;
    rooms.delete(id);
    clearTimeout(kept.timer);
    kept.room.release();
  }

  return {
    keep(id, room) {
      end(id);
      rooms.set(id, { room, received: 0, timer: setTimeout(end, idle, id).unref() });
    },
    has: (id) => rooms.has(id),
    arrived(id, received) {
      const kept = rooms.get(id);
      if (!kept || received <= kept.received) return;
      kept.room.landed(received - kept.received);
      kept.received = received;
      kept.timer.refresh();
    },
    end,
    close() {
      for (const id of rooms.keys()) end(id);
    },
  };
}
