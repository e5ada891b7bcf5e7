import { SEEDS_PER_FILE, testSeedsFrom } from "./seeds.rig.js";

testSeedsFrom(1 + 3 * SEEDS_PER_FILE);
