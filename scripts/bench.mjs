// `npm run bench`: every bench, or those named: layers, gateway, registry, reporter, persistence; and `soak`, only when named.
// What follows a name that begins with `--` goes to that bench: `npm run bench -- gateway --case grpc-512`.
import { build, fail, installPackages, requireSupportedNode, run } from "./install.mjs";

const benches = ["layers", "gateway", "registry", "reporter", "persistence"];
/** Run only when they are named. */
const longBenches = ["soak"];

const given = process.argv.slice(2);
const firstOption = given.findIndex((word) => word.startsWith("-"));
const names = firstOption < 0 ? given : given.slice(0, firstOption);
const options = firstOption < 0 ? [] : given.slice(firstOption);
for (const name of names) {
  const known = [...benches, ...longBenches];
  if (!known.includes(name)) fail(`no bench is called "${name}" (one of: ${known.join(", ")})`);
}
if (options.length > 0 && names.length !== 1) fail("options go with exactly one bench");

requireSupportedNode();
installPackages();
build();
for (const name of names.length > 0 ? names : benches) {
  console.log(`\n== ${name}`);
  run(process.execPath, [`bench/dist/${name}/main.js`, ...options]);
}
