import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createSecureContext } from "node:tls";
import { promisify } from "node:util";
import { formatProblem } from "./configuration-error.js";
import { parseSection } from "./parse-section.js";
import { TLS_FILE_BYTES_MAX } from "./tls-file.js";
import { readClientTls, readServerTls } from "./tls-material.js";
import { clientTls, serverTls } from "./tls-schema.js";

const run = promisify(execFile);
let directory: string;
const path = (name: string) => join(directory, name);

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "tls-"));
  for (const name of ["a", "b"]) {
    await run("openssl", [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
      ...["-keyout", path(`${name}.key`), "-out", path(`${name}.crt`), "-subj", `/CN=${name}`],
    ]);
  }
  await run("openssl", [
    ...["pkcs8", "-topk8", "-in", path("a.key"), "-out", path("locked.key")],
    ...["-passout", "pass:x", "-v2", "aes256"],
  ]);
  await writeFile(path("text"), "no certificate");
});
after(async () => {
  await rm(directory, { recursive: true });
});

function client(section: unknown) {
  const parsed = parseSection(clientTls(), section, ["tls"]);
  if ("problems" in parsed) throw new Error(parsed.problems.map(formatProblem).join("\n"));
  return parsed.value;
}

function server(section: unknown) {
  const parsed = parseSection(serverTls(), section, ["tls"]);
  if ("problems" in parsed) throw new Error(parsed.problems.map(formatProblem).join("\n"));
  return parsed.value;
}

test("a client without keys verifies with the system's certificates; insecure is no TLS", async () => {
  const material = await readClientTls(client({}));
  assert.equal(material?.ca, undefined);
  assert.equal(material?.insecureSkipVerify, false);
  assert.equal(
    await readClientTls(client({ insecure: true, ca_file: path("missing") })),
    undefined,
  );
});

// Reading a named pipe would keep a thread of the pool until somebody writes into it.
test("what is no regular file is refused at once", async () => {
  await run("mkfifo", [path("pipe")]);
  for (const [name, reason] of [
    [path("pipe"), "it is no file"],
    ["/dev/zero", "it is no file"],
    [directory, "it is a directory"],
  ] as const) {
    await assert.rejects(readClientTls(client({ ca_file: name })), {
      message: `\`ca_file\` ${name} cannot be read: ${reason}`,
    });
  }
});

test("what is read can be used", async () => {
  const names = { ca_file: path("b.crt"), cert_file: path("a.crt"), key_file: path("a.key") };
  const suites = ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"];
  const limits = { min_version: "1.2", max_version: "1.3", cipher_suites: suites };
  const material = await readServerTls(
    server({ ...names, ...limits, client_ca_file: path("b.crt") }),
  );
  assert.equal(material.clientCa, await readFile(path("b.crt"), "utf8"));
  assert.equal(material.minVersion, "TLSv1.2");
  assert.match(
    material.cipherSuites ?? "",
    /TLS_AES_256_GCM_SHA384.*:ECDHE-RSA-AES128-GCM-SHA256$/,
  );
  createSecureContext({ ...material, ciphers: material.cipherSuites });
  const pem = { cert_pem: material.cert, key_pem: material.key, ca_pem: material.clientCa };
  const own = await readClientTls(client({ ...pem, include_system_ca_certs_pool: true }));
  assert.ok((own?.ca?.match(/BEGIN CERTIFICATE/g)?.length ?? 0) > 50);
});

test("a file that cannot be used is named with its key", async () => {
  const table: readonly [Record<string, string>, RegExp][] = [
    [{ ca_file: path("missing") }, /^`ca_file` .*missing cannot be read: there is no such file$/],
    [{ ca_file: path("") }, /^`ca_file` .* cannot be read: it is a directory$/],
    [{ ca_file: path("text") }, /^`ca_file` .*text holds no PEM certificate$/],
    [
      { cert_file: path("a.crt"), key_file: path("b.key") },
      /^`key_file` .*b\.key is not the private key of the certificate in `cert_file` .*a\.crt \(CN=a\)$/,
    ],
    [
      { cert_file: path("a.crt"), key_file: path("text") },
      /^`key_file` .* holds no PEM private key$/,
    ],
    [
      { cert_file: path("a.crt"), key_file: path("locked.key") },
      /^`key_file` .* is encrypted, keys with a passphrase are not supported$/,
    ],
    [{ cert_pem: "x", key_file: path("a.key") }, /^`cert_pem` holds no PEM certificate$/],
    [
      { ca_pem: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----" },
      /^`ca_pem`: certificate 1 is broken$/,
    ],
  ];
  for (const [section, message] of table) {
    await assert.rejects(readClientTls(client(section)), { message });
  }
  await assert.rejects(
    readServerTls(
      server({ cert_file: path("a.crt"), key_file: path("a.key"), client_ca_file: path("text") }),
    ),
    { message: /^`client_ca_file` .* holds no PEM certificate$/ },
  );
});

test("a file at the size limit is read, one byte more refused", async () => {
  const pem = await readFile(path("a.crt"), "utf8");
  await writeFile(path("large.crt"), pem.padEnd(TLS_FILE_BYTES_MAX, "\n"));
  assert.ok(await readClientTls(client({ ca_file: path("large.crt") })));
  await writeFile(path("large.crt"), pem.padEnd(TLS_FILE_BYTES_MAX + 1, "\n"));
  await assert.rejects(readClientTls(client({ ca_file: path("large.crt") })), {
    message: /4194305 bytes, the limit is 4194304$/,
  });
});

test("contradictions are found before any file is read", () => {
  const table: readonly [() => unknown, RegExp][] = [
    [() => client({ cert_file: "a" }), /tls::key_file: is required beside a certificate/],
    [() => client({ key_file: "a" }), /tls::cert_file: is required beside a private key/],
    [
      () => client({ ca_file: "a", ca_pem: "b" }),
      /tls::ca_pem: cannot be set together with `ca_file`/,
    ],
    [
      () => client({ min_version: "1.3", max_version: "1.2" }),
      /tls::max_version: must not be below `min_version`/,
    ],
    [() => client({ cipher_suites: ["RC4"] }), /tls::cipher_suites::0: "RC4" is not supported/],
    [() => client({ min_version: "1.1" }), /must be one of "1.2", "1.3", is "1.1"/],
    [() => client({ ca_file: "" }), /tls::ca_file: must not be empty/],
    [() => server({}), /tls: a server needs a certificate and its key/],
    [
      () => client({ cipher_suites: ["TLS_RSA_WITH_AES_128_CBC_SHA"] }),
      /tls::cipher_suites::0: .* is insecure, set `include_insecure_cipher_suites: true`/,
    ],
    [
      () => client({ curve_preferences: ["P256", "P224"] }),
      /tls::curve_preferences::1: "P224" is not supported, supported are X25519, P256, P384, P521/,
    ],
    [() => client({ reload_interval: "99ms" }), /tls::reload_interval: must be 0s for never, or/],
    [() => client({ tpm: { enabled: true } }), /tls::tpm: is not supported: .*set `key_file`/],
  ];
  for (const [parse, message] of table) assert.throws(parse, { message });
});

test("curves and insecure suites that are asked for reach OpenSSL", async () => {
  const material = await readClientTls(
    client({
      include_insecure_cipher_suites: true,
      cipher_suites: ["TLS_RSA_WITH_AES_128_CBC_SHA"],
      curve_preferences: ["X25519", "P256", "P384", "P521"],
    }),
  );
  assert.match(material?.cipherSuites ?? "", /:AES128-SHA$/);
  assert.equal(material?.curves, "X25519:P-256:P-384:P-521");
  createSecureContext({ ciphers: material?.cipherSuites, ecdhCurve: material?.curves });
});

test("the end of the own certificate is told, to the second", async () => {
  const files = { cert_file: path("a.crt"), key_file: path("a.key") };
  const { expiresAtUnixMs = 0 } = await readServerTls(server(files));
  const days = (expiresAtUnixMs - Date.now()) / 86_400_000;
  assert.ok(days > 29 && days <= 30, `${days} days`);
  assert.equal((await readClientTls(client({})))?.expiresAtUnixMs, undefined);
});
