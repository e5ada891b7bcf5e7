import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { registryLimits, reservedAttributeNames } from "./limits.js";
import { formatMappingLine, parseMappingLine } from "./mapping-lines.js";

const bootId = "5e9f1d2c-7a3b-4c8d-9e0f-1a2b3c4d5e6f";

test("writes one JSON object with the keys in a fixed order", () => {
  const record = { containerId: "57bd9c30", attributes: { "k8s.pod.uid": "5449328a" } };
  assert.equal(
    formatMappingLine(bootId, { inode: 1020, device: 38, record }),
    `{"boot_id":"${bootId}","device":38,"inode":1020,"container_id":"57bd9c30",` +
      '"k8s.pod.uid":"5449328a"}',
  );
  assert.equal(
    formatMappingLine(bootId, { inode: 1020, record: { ...record, attributes: {} } }),
    `{"boot_id":"${bootId}","inode":1020,"container_id":"57bd9c30"}`,
  );
});

test("takes inode and device as decimal text too, and a null device as none", () => {
  const line = `{"boot_id":"b","device":"38","inode":"9007199254740991","container_id":"c"}`;
  assert.deepEqual(parseMappingLine(line), {
    bootId: "b",
    mapping: {
      inode: Number.MAX_SAFE_INTEGER,
      device: 38,
      record: { containerId: "c", attributes: {} },
    },
  });
  const { mapping } = parseMappingLine(
    `{"boot_id":"b","device":null,"inode":3,"container_id":"c"}`,
  );
  assert.equal("device" in mapping, false);
});

test("says which key is wrong, what it is and what it must be", () => {
  const line = (fields: string) => () => parseMappingLine(`{${fields}}`);
  const inodes = "an integer from 3 to 2^53 - 1, or that as text";
  const faults: [string, string][] = [
    [
      '"inode":3,"container_id":"c"',
      '`boot_id` is missing, it must be text of 1 to 64 letters, digits, "_", "." or "-"',
    ],
    [
      '"boot_id":"a b","inode":3,"container_id":"c"',
      '`boot_id` is "a b", it must be text of 1 to 64 letters, digits, "_", "." or "-"',
    ],
    ['"boot_id":"b","container_id":"c"', `\`inode\` is missing, it must be ${inodes}`],
    ['"boot_id":"b","inode":2,"container_id":"c"', `\`inode\` is 2, it must be ${inodes}`],
    ['"boot_id":"b","inode":"0x3","container_id":"c"', `\`inode\` is "0x3", it must be ${inodes}`],
    [
      '"boot_id":"b","inode":"9007199254740992","container_id":"c"',
      `\`inode\` is "9007199254740992", it must be ${inodes}`,
    ],
    [
      '"boot_id":"b","inode":3,"container_id":""',
      '`container_id` is "", it must be text of 1 to 255 characters',
    ],
    [
      '"boot_id":"b","inode":3,"container_id":"c","device":4294967295',
      "`device` is 4294967295, it must be an integer from 0 to 4294967294, or that as text",
    ],
    [
      '"boot_id":"b","inode":3,"container_id":"c","x":[1]',
      "`x` is [1], it must be text or a number",
    ],
  ];
  for (const [fields, message] of faults) {
    assert.throws(line(fields), { name: "RangeError", message }, fields);
  }
  assert.throws(() => parseMappingLine("[]"), { message: "line is [], it must be a JSON object" });
  assert.throws(() => parseMappingLine("{"), {
    name: "RangeError",
    message: /^line is not JSON: /,
  });
  assert.throws(() => parseMappingLine(" ".repeat(524_289)), {
    message: "line has 524289 characters, the limit is 524288",
  });
  assert.throws(() => parseMappingLine(" ".repeat(524_288)), { message: /^line is not JSON: / });
});

test("refuses to write an attribute that would be read as the line's own key", () => {
  for (const name of reservedAttributeNames) {
    const record = { containerId: "c", attributes: { [name]: "x" } };
    assert.throws(() => formatMappingLine(bootId, { inode: 3, record }), {
      name: "RangeError",
      message: `attribute \`${name}\` of container c has the name of a line's own key`,
    });
  }
});

test("reads back whatever it wrote", () => {
  const name = fc
    .string({ minLength: 1, maxLength: 40 })
    .filter((text) => text !== "__proto__" && !reservedAttributeNames.has(text));
  const value = fc.oneof(
    fc.string(),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
  );
  const mapping = fc.record({
    inode: fc.integer({ min: registryLimits.inodeMin, max: Number.MAX_SAFE_INTEGER }),
    device: fc.option(fc.integer({ min: 0, max: registryLimits.device }), { nil: undefined }),
    record: fc.record({
      containerId: fc.string({ minLength: 1, maxLength: registryLimits.containerIdLength }),
      attributes: fc.dictionary(name, value),
    }),
  });
  fc.assert(
    fc.property(mapping, (given) => {
      const { device, ...rest } = given;
      const expected = device === undefined ? rest : { ...rest, device };
      const line = formatMappingLine(bootId, given);
      assert.equal(line.includes("\n"), false);
      const read = parseMappingLine(line);
      assert.equal(read.bootId, bootId);
      assert.deepEqual(
        JSON.parse(JSON.stringify(read.mapping)),
        JSON.parse(JSON.stringify(expected)),
      );
    }),
    { numRuns: 300 },
  );
});

test("no text at all makes it fail in another way", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      try {
        parseMappingLine(text);
      } catch (error) {
        assert.ok(error instanceof RangeError, String(error));
      }
    }),
    { numRuns: 300 },
  );
});
