// `npm run simulate -- --seeds N --from S`: runs N simulated worlds, seed S the first; `--show` prints each.
import { build, installPackages, requireSupportedNode, run } from "./install.mjs";

requireSupportedNode();
installPackages();
build();
run(process.execPath, ["test/dist/simulation/main.js", ...process.argv.slice(2)]);
