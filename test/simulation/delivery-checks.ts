import type { ClientRecords, RequestRecord } from "./client-records.js";
import { type Destination, isPoisoned } from "./destination.js";
import type { ExplainedLosses } from "./explained-losses.js";
import type { GatewayHistory } from "./gateway-history.js";
import type { SimulatedSignal } from "./items.js";
import type { DestinationPlan, SchedulePlan } from "./schedule-plan.js";

/** More items than this in one sentence help nobody. */
const EXAMPLES_MAX = 10;

/** Everything that has happened in a world, when it is over. */
export interface Aftermath {
  readonly plan: SchedulePlan;
  readonly records: ClientRecords;
  readonly history: GatewayHistory;
  readonly explained: ExplainedLosses;
  readonly damagedItems: number;
  readonly violated: (sentence: string) => void;
}

/** What must be true of every destination when a schedule is over. */
export function checkDeliveries(
  aftermath: Aftermath,
  destinations: ReadonlyMap<string, Destination>,
): void {
  const { damagedItems, explained, plan, violated } = aftermath;
  for (const one of plan.destinations) {
    const destination = destinations.get(one.name);
    if (destination === undefined) continue;
    for (const signal of plan.signals) checkLosses(aftermath, { destination, plan: one, signal });
    if (destination.wasAlwaysHealthy && !explained.hasCrashed) {
      checkDuplicates(aftermath, destination);
    }
    checkOrder(aftermath, destination, one);
    checkRefused(aftermath, destination);
  }
  if (explained.givenUpOnDisk > 0) {
    violated(`${explained.givenUpOnDisk} items dropped at a stop, their queue is on disk`);
  }
  if (explained.corruptItems > 0 && damagedItems === 0) {
    violated(`${explained.corruptItems} items dropped as damaged, nothing was`);
  }
}

/** Every acknowledged item is delivered or explained. */
function checkLosses(
  { explained, history, records, violated }: Aftermath,
  where: { destination: Destination; plan: DestinationPlan; signal: SimulatedSignal },
): void {
  const { destination, plan, signal } = where;
  const { name, received } = destination;
  const isFiltered = history.plans.some(({ processors }) => "filter" in processors);
  const missing: number[] = [];
  let innocent = 0;
  for (const request of records.requests) {
    if (request.outcome !== "acknowledged" || request.signal !== signal) continue;
    // What was taken in while nobody asked for this destination need not come to it.
    if (!history.wasPresent(name, request.lastSentMs, request.answeredMs)) continue;
    for (const id of request.ids) {
      const resource = records.resourceOf(id);
      if (resource === undefined || !plan.tiers.includes(resource.tier)) continue;
      if (resource.isNoise && isFiltered) continue;
      if (received.has(id)) continue;
      missing.push(id);
      if (!request.ids.some(isPoisoned)) innocent++;
    }
  }
  const limit = explained.of(name, signal);
  const notRejected = limit - explained.rejectedOf(name, signal);
  if (innocent > notRejected && areRequestsKnown(history)) {
    violated(
      `${innocent} items of ${signal} without a poisoned one in their request never came to ${name}, ` +
        `${notRejected} are explained`,
    );
  }
  if (missing.length <= limit) return;
  const some = missing.slice(0, EXAMPLES_MAX).join(", ");
  violated(
    `${missing.length} acknowledged items of ${signal} never came to ${name}, ${limit} are explained: ${some}`,
  );
}

/**
 * Whether a destination's refusal costs only the request that it is about: a batch processor with a
 * largest size cuts between items, and cannot say which requests a part was made of; nor can `routing`
 * behind a batch processor, which takes a merged batch apart by Resource.
 */
function areRequestsKnown({ plans }: GatewayHistory): boolean {
  return plans.every(({ batchesBehind, layout, processors }) => {
    const { batch } = processors;
    if (batch === undefined) return true;
    const isSplitBehind = layout === "routing" && !batchesBehind;
    return (batch["send_batch_max_size"] ?? 0) === 0 && !isSplitBehind;
  });
}

/** No destination that was healthy all the time sees anything twice. */
function checkDuplicates(aftermath: Aftermath, { name, received }: Destination): void {
  const twice: number[] = [];
  for (const [id, count] of received) {
    const request = aftermath.records.requestOf(id);
    if (count < 2 || request === undefined || mayComeTwice(aftermath, request)) continue;
    twice.push(id);
  }
  if (twice.length === 0) return;
  const some = twice
    .slice(0, EXAMPLES_MAX)
    .map((id) => `${id} (${received.get(id)} times)`)
    .join(", ");
  aftermath.violated(`${twice.length} items came to ${name} more than once: ${some}`);
}

/**
 * Whether a request may come to a healthy destination again.
 *
 * Its sender may have sent it again without knowing what had become of it. Or it was refused because
 * another destination refused, and the retry cannot be recognized: a reload has put other pipelines, a
 * `batch` that merges it with others, or a filter that leaves less of it, where the memory of the first
 * try was; or a connector takes it apart, which keeps no memory of its parts (its README says so).
 */
function mayComeTwice({ history, records }: Aftermath, request: RequestRecord): boolean {
  const { answeredMs, firstSentMs, ids, wasRefused, wasResentBlindly } = request;
  if (wasResentBlindly) return true;
  if (!wasRefused) return false;
  if (history.wasReshaped(firstSentMs, answeredMs)) return true;
  const tiers = new Set(ids.map((id) => records.resourceOf(id)?.tier));
  return tiers.size > 1 && history.plans.some(({ layout }) => layout === "routing");
}

/**
 * With one consumer and nothing that merges, what one client was told first comes first from a queue
 * on disk. Several consumers overtake each other, a batch waits while others pass, a slow
 * destination may take a request long after it was given up, and one that leaves poisoned items out of a
 * request may take them when it comes again after a crash.
 */
function checkOrder(
  { history, plan, records, violated }: Aftermath,
  { name, received }: Destination,
  { isPersistent, moods }: DestinationPlan,
): void {
  const isInOrder =
    isPersistent &&
    moods.every(({ mood }) => mood !== "slow") &&
    history.plans.every(({ processors }) => !("batch" in processors)) &&
    history.always(name, ({ sending_queue: queue }) => {
      const { batch, num_consumers: consumers } = queue as Record<string, unknown>;
      return consumers === 1 && batch === undefined;
    });
  if (!isInOrder) return;
  const positions = new Map([...received.keys()].map((id, position) => [id, position]));
  const latest = new Map<string, { position: number; id: number }>();
  for (const { client, ids, outcome, signal } of records.requests) {
    if (outcome !== "acknowledged" || !plan.signals.includes(signal)) continue;
    const key = `${client} ${signal}`;
    const before = latest.get(key);
    for (const id of ids) {
      const position = positions.get(id);
      if (position === undefined || isPoisoned(id)) continue;
      if (before !== undefined && position < before.position) {
        violated(`item ${id} overtook ${before.id} on its way to ${name}`);
        return;
      }
      if (position > (latest.get(key)?.position ?? -1)) latest.set(key, { position, id });
    }
  }
}

/**
 * What was refused for good at the first try came to nobody.
 *
 * That holds for what the gateway itself refuses, since all are asked before any gets it. When one of
 * several destinations or of several parts is refused by a backend, the others have theirs: nobody can
 * ask a backend beforehand. And one that has lost its answer may refuse what it has already. Of several
 * pipelines side by side, one whose processors change requests cannot tell how large they will be.
 */
function checkRefused(
  { history, plan, records, violated }: Aftermath,
  { name, received }: Destination,
): void {
  const isAlone =
    plan.destinations.length === 1 && history.plans.every(({ layout }) => layout !== "routing");
  const isAsked = history.plans.every(({ layout }) => layout !== "split");
  const losesAnswers = plan.destinations.some(({ moods }) =>
    moods.some(({ mood }) => mood === "losing_answers" || mood === "slow"),
  );
  for (const { ids, outcome, reason, wasRefused, wasResentBlindly } of records.requests) {
    if (outcome !== "refused_for_good" || wasRefused || wasResentBlindly) continue;
    const isOwn = reason.includes("`queue_size`") || reason.includes("`pending_bytes_max`");
    if (isOwn ? !isAsked : !isAlone || losesAnswers) continue;
    const taken = ids.filter((id) => received.has(id));
    if (taken.length === 0) continue;
    violated(`${taken.length} items came to ${name}, their sender was refused for good: ${reason}`);
  }
}
