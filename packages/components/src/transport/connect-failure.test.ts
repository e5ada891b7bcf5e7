import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { connectFailure } from "./connect-failure.js";

const keys = { withoutTls: "leave TLS out", withTls: "switch TLS on" };

suite("connectFailure", () => {
  for (const [reason, isTls, expected] of [
    [
      "80:error:0A:SSL routines:ssl3_get_record:wrong version number:../x.c:350:\n",
      true,
      "TLS: wrong version number; the destination does not speak TLS there: leave TLS out",
    ],
    [
      "unable to verify the first certificate; if the root CA is installed locally, try running Node.js with --use-system-ca",
      true,
      "unable to verify the first certificate; no authority trusted here has signed its certificate: set `tls::ca_file`",
    ],
    [
      "self-signed certificate",
      true,
      "self-signed certificate; no authority trusted here has signed its certificate: set `tls::ca_file`",
    ],
    [
      "Hostname/IP does not match certificate's altnames: x",
      true,
      "Hostname/IP does not match certificate's altnames: x; its certificate is for another name: correct `endpoint` or set `tls::server_name_override`",
    ],
    [
      "certificate has expired",
      true,
      "certificate has expired; the destination needs a new certificate",
    ],
    [
      "tlsv13 alert certificate required",
      true,
      "tlsv13 alert certificate required; the destination asks for a client certificate: set `tls::cert_file` and `tls::key_file`",
    ],
    [
      "connect ECONNREFUSED 127.0.0.1:1",
      false,
      "connect ECONNREFUSED 127.0.0.1:1; nothing listens there: start the destination or correct `endpoint`",
    ],
    [
      "getaddrinfo ENOTFOUND backend",
      false,
      "getaddrinfo ENOTFOUND backend; check `endpoint` and DNS",
    ],
    [
      "connect ETIMEDOUT 10.0.0.1:4317",
      false,
      "connect ETIMEDOUT 10.0.0.1:4317; nothing answers there: check `endpoint`, routes and firewalls",
    ],
    [
      "other side closed",
      false,
      "other side closed; if the destination expects TLS, switch TLS on",
    ],
    ["other side closed", true, "other side closed"],
    ["something else", false, "something else"],
  ] as const) {
    test(`${isTls ? "with" : "without"} TLS: ${reason.slice(0, 40)}`, () => {
      assert.equal(connectFailure(reason, { isTls, ...keys }), expected);
    });
  }
});
