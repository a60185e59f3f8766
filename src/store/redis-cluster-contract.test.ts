import { clusterContract } from "./contract-cluster.ts";

await clusterContract("A Redis Cluster", 0);
