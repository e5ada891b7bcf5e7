import { testSeedsFrom } from "./seeds.rig.js";

testSeedsFrom(1);
