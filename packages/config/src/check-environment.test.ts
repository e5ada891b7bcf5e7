import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { checkEnvironment } from "./check-environment.js";
import { formatProblem } from "./configuration-error.js";
import { clientTls, serverTls } from "./tls-schema.js";

const schema = z.strictObject({
  tls: clientTls().describe("described").prefault({}),
  protocols: z
    .strictObject({ grpc: z.strictObject({ tls: serverTls().optional() }).optional() })
    .optional(),
  backends: z.array(z.strictObject({ tls: clientTls() })).default([]),
  name: z.string().optional(),
});

test("every file that is missing is named behind the path of its section", async () => {
  const section = {
    tls: { ca_file: "/missing/ca" },
    protocols: { grpc: { tls: { cert_file: "/missing/crt", key_file: "/missing/key" } } },
    backends: [{ tls: {} }, { tls: { ca_file: "/missing/2" } }],
    name: "x",
    unknown: { tls: { ca_file: "/missing/3" } },
  };
  const problems = await checkEnvironment(schema, section, ["exporters", "x"]);
  assert.deepEqual(problems.map(formatProblem), [
    "exporters::x::tls: `ca_file` /missing/ca cannot be read: there is no such file",
    "exporters::x::protocols::grpc::tls: `cert_file` /missing/crt cannot be read: there is no such file",
    "exporters::x::backends::1::tls: `ca_file` /missing/2 cannot be read: there is no such file",
  ]);
});

test("nothing to look at and sections that are wrong themselves are no problem here", async () => {
  assert.deepEqual(await checkEnvironment(schema, {}, []), []);
  assert.deepEqual(await checkEnvironment(schema, { tls: { ca_fil: "/missing" } }, []), []);
  assert.deepEqual(
    await checkEnvironment(schema, { tls: { insecure: true, ca_file: "/x" } }, []),
    [],
  );
});
