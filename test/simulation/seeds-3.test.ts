import { SEEDS_PER_FILE, testSeedsFrom } from "./seeds.rig.js";

testSeedsFrom(1 + 2 * SEEDS_PER_FILE);
