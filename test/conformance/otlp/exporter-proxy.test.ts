import assert from "node:assert/strict";
import { createServer, request as httpRequest, type IncomingMessage } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { suite, type TestContext, test } from "node:test";
import { createTestBatch } from "@inode-gateway/testkit";
import { HttpBackend } from "./backends.js";
import { startHttpExporter } from "./exporter-fixture.js";
import { TlsFiles } from "./tls-files.js";

/** A proxy as they are: absolute URLs for http, CONNECT for everything else. */
async function startProxy(t: TestContext) {
  const seen: string[] = [];
  const note = (request: IncomingMessage) => {
    const { method, url } = request;
    seen.push(`${method} ${url} ${request.headers["proxy-authorization"] ?? "-"}`);
  };
  const server = createServer((request, response) => {
    note(request);
    const { headers, method } = request;
    const onward = httpRequest(
      request.url ?? "",
      { headers, method: method ?? "POST" },
      (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      },
    );
    request.pipe(onward);
  });
  server.on("connect", (request, socket) => {
    note(request);
    const [host, port] = (request.url ?? "").split(":");
    const onward = connect(Number(port), host, () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      socket.pipe(onward).pipe(socket);
    });
    onward.on("error", () => socket.destroy());
    socket.on("error", () => onward.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return { seen, address: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}

const user = `Basic ${Buffer.from("user:word").toString("base64")}`;

suite("`proxy_url`", () => {
  test("plain requests go through by their whole URL, with the proxy's credentials", async (t) => {
    const backend = await HttpBackend.start(t);
    const { address, seen } = await startProxy(t);
    const config = { endpoint: backend.url, proxy_url: `http://user:word@${address}` };
    const { exporter } = await startHttpExporter(t, config);
    await exporter.consume(createTestBatch());
    assert.equal(backend.requests.length, 1);
    assert.deepEqual(seen, [`POST ${backend.url}/v1/traces ${user}`]);
  });

  test("requests over TLS go through a tunnel, and verify the destination", async (t) => {
    const files = await TlsFiles.create(t);
    const authority = await files.authority("ca");
    const server = await authority.issue("server", "IP:127.0.0.1");
    const backend = await HttpBackend.start(t, server);
    const { address, seen } = await startProxy(t);
    const config = { endpoint: backend.url, proxy_url: `http://${address}` };
    const tls = { ca_file: await files.put("ca.pem", authority.cert) };
    const { exporter } = await startHttpExporter(t, { ...config, tls });
    await exporter.consume(createTestBatch());
    assert.equal(backend.requests.length, 1);
    assert.deepEqual(seen, [`CONNECT ${new URL(backend.url).host} -`]);
    const { exporter: mistrusting } = await startHttpExporter(t, config);
    await assert.rejects(mistrusting.consume(createTestBatch()), { code: "BACKEND_UNAVAILABLE" });
  });

  test("a proxy that is away is an error that may be tried again, without its password", async (t) => {
    const config = {
      endpoint: "http://backend.invalid",
      proxy_url: "http://user:word@127.0.0.1:1",
    };
    const { exporter } = await startHttpExporter(t, config);
    await assert.rejects(
      exporter.consume(createTestBatch()),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, "BACKEND_UNAVAILABLE");
        assert.match(error.message, /ECONNREFUSED 127\.0\.0\.1:1/);
        assert.doesNotMatch(error.message, /word/);
        return true;
      },
    );
  });
});

test("`cookies::enabled` sends back what the destination sets, and nothing without it", async (t) => {
  const backend = await HttpBackend.start(t);
  backend.answer = () => ({
    headers: { "content-type": "application/x-protobuf", "set-cookie": "backend=2; Path=/" },
  });
  for (const [cookies, expected] of [
    [{ enabled: true }, [undefined, "backend=2"]],
    [{}, [undefined, undefined]],
  ] as const) {
    backend.requests.length = 0;
    const { exporter } = await startHttpExporter(t, { endpoint: backend.url, cookies });
    for (let sent = 0; sent < 2; sent++) await exporter.consume(createTestBatch());
    assert.deepEqual(
      backend.requests.map(({ headers }) => headers.cookie),
      expected,
    );
  }
});
