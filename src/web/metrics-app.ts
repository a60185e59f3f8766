import express, { type Express } from "express";
import type { Metrics } from "./metrics.ts";

/** For a listener of its own, which nobody outside should reach: `GET /metrics` and nothing else. */
export function createMetricsApp({ registry }: Metrics): Express {
  const app = express();
  app.disable("x-powered-by");
  app.set("etag", false);
  app.use((_req, res, next) => {
    res.set({ "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff" });
    next();
  });
  app.get("/metrics", async (_req, res) => {
    res.type(registry.contentType).send(await registry.metrics());
  });
  app.use((_req, res) => {
    res.status(404).type("text/plain").send("Metrics are at /metrics.\n");
  });
  return app;
}
