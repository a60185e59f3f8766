import type { Fault } from "./fault.ts";
import { linkCut } from "./link-cut.ts";

export const allFaults: readonly Fault[] = [linkCut];
