// `tsx src/e2e/docker/install.ts`: makes the images and Waxseal's own, so that no test has to wait for them.

import { startAppliance } from "./rig.ts";

const appliance = await startAppliance();
await appliance.stop();
