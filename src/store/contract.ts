import { describe } from "node:test";
import { acknowledgeContract } from "./contract-acknowledge.ts";
import { attachmentContract } from "./contract-attachments.ts";
import { createContract } from "./contract-create.ts";
import { endContract } from "./contract-end.ts";
import { followContract } from "./contract-follow.ts";
import type { MakeStore } from "./contract-harness.ts";
import { modelContract } from "./contract-model.ts";
import { noteContract } from "./contract-notes.ts";
import { openContract } from "./contract-open.ts";
import { partsContract } from "./contract-parts.ts";
import { pieceContract } from "./contract-pieces.ts";
import { raceContract } from "./contract-races.ts";
import { tryContract } from "./contract-tries.ts";
import { uploadEndContract } from "./contract-upload-ends.ts";

/**
 * What every store promises. There is one suite and no way to leave a part of it out: a store that
 * can't keep a promise is not a store.
 */
export function storeContract(name: string, makeStore: MakeStore): void {
  describe(`${name} keeps the store's contract`, () => {
    createContract(makeStore);
    attachmentContract(makeStore);
    openContract(makeStore);
    tryContract(makeStore);
    acknowledgeContract(makeStore);
    noteContract(makeStore);
    endContract(makeStore);
    followContract(makeStore);
    raceContract(makeStore);
    partsContract(makeStore);
    pieceContract(makeStore);
    uploadEndContract(makeStore);
    modelContract(makeStore);
  });
}
