import type { Fault } from "./fault.ts";
import { frozenMaster } from "./frozen-master.ts";
import { linkCut } from "./link-cut.ts";

export const allFaults: readonly Fault[] = [linkCut, frozenMaster];
