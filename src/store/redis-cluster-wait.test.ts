import { clusterContract } from "./contract-cluster.ts";

await clusterContract("A Redis Cluster whose masters' replicas are waited for", 1);
