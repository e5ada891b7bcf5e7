import assert from "node:assert/strict";
import { test } from "node:test";
import { createLogger, type LoggedRecord, maxSampledMessages } from "./index.js";

function capture() {
  const lines: string[] = [];
  return { lines, destination: { write: (line: string) => void lines.push(line) } };
}

test("a json line carries level as text, ISO time, the sentence and the fields", () => {
  const { lines, destination } = capture();
  const logger = createLogger({ level: "info", encoding: "json", destination });

  logger.child({ component: "exporter/nop" }).warn("queue is nearly full", { queueItems: 900 });

  const line = JSON.parse(lines[0] ?? "") as Record<string, unknown>;
  assert.match(String(line["time"]), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  delete line["time"];
  assert.deepEqual(line, {
    level: "warn",
    component: "exporter/nop",
    queueItems: 900,
    msg: "queue is nearly full",
  });
});

test("an error under `error` is written with type, message, stack and cause", () => {
  const { lines, destination } = capture();
  const logger = createLogger({ level: "info", encoding: "json", destination });

  logger.error("cannot start", { error: new Error("outer", { cause: new TypeError("inner") }) });

  const { error } = JSON.parse(lines[0] ?? "") as { error: Record<string, unknown> };
  assert.equal(error["message"], "outer");
  assert.match(String(error["stack"]), /logger\.test/);
  assert.equal((error["cause"] as Record<string, unknown>)["message"], "inner");
});

test("levels below the configured one are not written", () => {
  const { lines, destination } = capture();
  const logger = createLogger({ level: "warn", encoding: "json", destination });
  logger.info("below");
  logger.warn("at");
  assert.equal(lines.length, 1);
});

test("auto is json off a terminal and readable text on one", () => {
  const pod = capture();
  createLogger({ level: "info", encoding: "auto", destination: pod.destination }).info("ready");
  assert.equal(JSON.parse(pod.lines[0] ?? "").msg, "ready");

  const terminal = capture();
  const logger = createLogger({
    level: "info",
    encoding: "auto",
    isTerminal: true,
    destination: terminal.destination,
  });
  logger.info("ready", { endpoint: "localhost:4317" });
  const text = terminal.lines.join("");
  assert.match(text, /INFO/);
  assert.match(text, /ready/);
  assert.match(text, /localhost:4317/);
  assert.throws(() => JSON.parse(text));
});

// Scenario: a tick of 1 s, 2 messages first, then every third.
test("sampling writes the first ones of a tick, then one in so many, and starts anew", () => {
  const { lines, destination } = capture();
  let now = 0;
  const sampling = { tickMs: 1000, initial: 2, thereafter: 3 };
  const logger = createLogger({
    level: "info",
    encoding: "json",
    destination,
    sampling,
    nowMs: () => now,
  });

  for (let index = 0; index < 8; index++) logger.error("delivery failed", { index });
  const written = () => lines.map((line) => JSON.parse(line).index as number);
  assert.deepEqual(written(), [0, 1, 4, 7]);

  logger.error("another message", { index: 100 });
  now = 999;
  logger.error("delivery failed", { index: 8 });
  assert.deepEqual(written(), [0, 1, 4, 7, 100]);
  now = 1000;
  logger.error("delivery failed", { index: 9 });
  assert.deepEqual(written(), [0, 1, 4, 7, 100, 9]);
});

test("messages beyond the limit of different ones share one count", () => {
  const { lines, destination } = capture();
  const sampling = { tickMs: 1000, initial: 1, thereafter: 0 };
  const logger = createLogger({
    level: "info",
    encoding: "json",
    destination,
    sampling,
    nowMs: () => 0,
  });
  for (let index = 0; index < maxSampledMessages; index++) logger.info(`message ${index}`);
  assert.equal(lines.length, maxSampledMessages, "the last one told apart is still written");
  logger.info("one too many");
  assert.equal(lines.length, maxSampledMessages + 1, "the shared count has an initial one too");
  logger.info("two too many");
  assert.equal(lines.length, maxSampledMessages + 1);
});

test("whoever sends the log on is told of what is written, with all its fields, and of nothing else", () => {
  const { lines, destination } = capture();
  const records: LoggedRecord[] = [];
  const logger = createLogger({
    level: "info",
    encoding: "json",
    destination,
    initialFields: { region: "eu" },
    sampling: { tickMs: 1_000, initial: 1, thereafter: 0 },
    nowMs: () => 0,
    onLogged: (record) => records.push(record),
  });
  const child = logger.child({ component: "nop" });
  child.debug("too quiet");
  child.warn("queue is full", { items: 9 });
  child.warn("queue is full", { items: 10 });

  assert.equal(lines.length, 1);
  assert.deepEqual(
    records.map(({ unixMs, ...rest }) => rest),
    [
      {
        level: "warn",
        message: "queue is full",
        fields: { region: "eu", component: "nop", items: 9 },
      },
    ],
  );
});
