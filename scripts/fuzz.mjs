// `npm run fuzz -- --requests N --seed S`: sends N mutated requests to the executable; `--from C` begins
// with case C of that seed, as a finding says.
import { build, installPackages, requireSupportedNode, run } from "./install.mjs";

requireSupportedNode();
installPackages();
build();
run(process.execPath, ["test/dist/fuzz/main.js", ...process.argv.slice(2)]);
