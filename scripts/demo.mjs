// `npm run demo`: starts real containers on this machine, sends telemetry from inside them with a real
// SDK, and prints each span's container.id beside the runtime's own answer. Needs root and runc or podman.
import { build, installPackages, requireSupportedNode, run } from "./install.mjs";

requireSupportedNode();
installPackages();
build();
run(process.execPath, ["test/dist/e2e/demo.js"]);
