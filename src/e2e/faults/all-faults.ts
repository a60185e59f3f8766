import { blackHole } from "./black-hole.ts";
import { clusterNodeKilled } from "./cluster-node-killed.ts";
import { emptyMaster, emptyMasterAtOnce } from "./empty-master.ts";
import type { Fault } from "./fault.ts";
import { frozenMaster } from "./frozen-master.ts";
import { killedApp } from "./killed-app.ts";
import { killedAfterReply, killedBeforeReply } from "./killed-master.ts";
import { linkCut } from "./link-cut.ts";
import { longOutage } from "./long-outage.ts";
import { lostReplicas } from "./lost-replicas.ts";
import { racingApps } from "./racing-apps.ts";

/** In the order of the table. */
export const allFaults: readonly Fault[] = [
  killedAfterReply,
  killedBeforeReply,
  linkCut,
  frozenMaster,
  lostReplicas,
  longOutage,
  emptyMaster,
  emptyMasterAtOnce,
  clusterNodeKilled,
  blackHole,
  killedApp,
  racingApps,
];
