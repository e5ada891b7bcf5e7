import type { TestContext } from "node:test";
import { createUnaryServer, type UnaryHandler, type UnaryServer } from "@inode-gateway/grpc";
import type { Signal } from "@inode-gateway/otlp";
import { decodeRequest } from "@inode-gateway/testkit";

/** One item that arrived, as far as the tests look at it. */
export interface ArrivedItem {
  readonly signal: Signal;
  /** Attributes of its Resource as text. */
  readonly resource: Readonly<Record<string, string>>;
}

const paths: Readonly<Record<Exclude<Signal, "profiles">, string>> = {
  traces: "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
  metrics: "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
  logs: "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
};

/** A real OTLP/gRPC backend that keeps what arrives, decoded by protobufjs. */
export class Backend {
  readonly items: ArrivedItem[] = [];
  readonly #server: UnaryServer;

  /** @param endpoint where it listens; default a free port of loopback */
  constructor(endpoint = "127.0.0.1:0") {
    const handlers = new Map<string, UnaryHandler>();
    for (const [signal, path] of Object.entries(paths)) {
      handlers.set(path, async ({ message }) => {
        this.#keep(signal as Signal, message);
        return new Uint8Array(0);
      });
    }
    this.#server = createUnaryServer(
      {
        endpoint,
        transport: "tcp",
        maxReceiveMessageBytes: 64 * 1024 * 1024,
        onHandlerBug: (error) => {
          throw error;
        },
      },
      handlers,
    );
  }

  /** A backend that listens until the test ends. */
  static async start(t: TestContext): Promise<Backend> {
    const backend = new Backend();
    await backend.listen();
    t.after(() => backend.close());
    return backend;
  }

  get address(): string {
    return this.#server.address ?? "";
  }

  listen(): Promise<void> {
    return this.#server.listen();
  }

  close(): Promise<void> {
    return this.#server.shutdown(performance.now() + 1_000);
  }

  /** Items of a signal whose Resource has this value under `e2e.sender`. */
  itemsFrom(sender: string, signal: Signal): ArrivedItem[] {
    return this.items.filter(
      (item) => item.signal === signal && item.resource["e2e.sender"] === sender,
    );
  }

  #keep(signal: Signal, message: Uint8Array): void {
    const request = decodeRequest(signal, message);
    for (const group of Object.values(request).flat() as ResourceGroup[]) {
      const attributes = group.resource?.attributes ?? [];
      const resource = Object.fromEntries(
        attributes.map(({ key, value }) => [key, String(Object.values(value ?? {})[0])]),
      );
      for (let index = 0; index < countItems(group); index++) this.items.push({ signal, resource });
    }
  }
}

const dataKinds = ["gauge", "sum", "histogram", "exponential_histogram", "summary"] as const;
type DataKind = (typeof dataKinds)[number];

interface DataPoints {
  readonly data_points?: readonly unknown[];
}

interface ResourceGroup {
  readonly resource?: {
    readonly attributes?: readonly { readonly key: string; readonly value?: object }[];
  };
  readonly scope_spans?: readonly { readonly spans?: readonly unknown[] }[];
  readonly scope_logs?: readonly { readonly log_records?: readonly unknown[] }[];
  readonly scope_metrics?: readonly {
    readonly metrics?: readonly Readonly<Partial<Record<DataKind, DataPoints>>>[];
  }[];
}

function countItems(group: ResourceGroup): number {
  const sum = (lengths: readonly number[]) => lengths.reduce((total, each) => total + each, 0);
  return (
    sum((group.scope_spans ?? []).map(({ spans }) => spans?.length ?? 0)) +
    sum((group.scope_logs ?? []).map(({ log_records }) => log_records?.length ?? 0)) +
    sum(
      (group.scope_metrics ?? [])
        .flatMap(({ metrics }) => metrics ?? [])
        .flatMap((metric) => dataKinds.map((kind) => metric[kind]?.data_points?.length ?? 0)),
    )
  );
}
