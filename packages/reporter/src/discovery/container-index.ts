import type { ContainerRecord, Mapping } from "@inode-gateway/registry";
import type { CgroupDirectory } from "./cgroup-directory.js";
import { recordOf } from "./container-attributes.js";
import { keyText, type PendingChanges } from "./pending-changes.js";

/** A directory whose name claims a container. */
export interface Place {
  readonly containerId: string;
  readonly directory: CgroupDirectory;
  /** The place that this one is nested in. */
  readonly outer: Place | undefined;
  /** The end of the chain of `outer`: what a node's own runtime started. */
  readonly outermost: Place;
  readonly record: ContainerRecord;
  verdict: Verdict;
  /** On an outermost place: every directory below it, its own one included. */
  directoryCount: number;
}

/**
 * Whether a place may name its container.
 *
 * `refused`: another place has the better claim; its directories belong to the container around it.
 * `ambiguous`: no place has the better claim; its directories belong to nobody.
 */
type Verdict = "accepted" | "refused" | "ambiguous";

/** What the index tells of itself. */
export interface IndexObserver {
  /** A change waits in the pending changes. */
  changed(): void;
  /** A place lost the container ID it claims, which `others` more places claim. */
  contested(place: Place, others: number): void;
}

/** Lowest inode that is published: 1 is the root of every hierarchy, 2 is never sent. */
const minInode = 3;

/**
 * Which directory belongs to which container, and what of it must be published.
 *
 * Every directory below a container's directory belongs to that container, the innermost one wins.
 * The shape of a name is no proof, since a container can make cgroups of its own and a user can make
 * scopes: of several places with one ID, a place nested in another container or not owned by root
 * loses against the one that is neither.
 */
export class ContainerIndex {
  readonly #pending: PendingChanges;
  readonly #observer: IndexObserver;
  readonly #nowMs: () => number;
  readonly #maxDirectoriesPerContainer: number;
  /** Places by hierarchy and container ID. */
  readonly #places = new Map<string, Set<Place>>();
  /** Published directories by key: with a reused inode, the newer directory wins. */
  readonly #published = new Map<string, CgroupDirectory>();

  constructor(options: {
    readonly pending: PendingChanges;
    readonly observer: IndexObserver;
    readonly nowMs: () => number;
    readonly maxDirectoriesPerContainer: number;
  }) {
    this.#pending = options.pending;
    this.#observer = options.observer;
    this.#nowMs = options.nowMs;
    this.#maxDirectoriesPerContainer = options.maxDirectoriesPerContainer;
  }

  /** Directories published under a container. */
  get mappingCount(): number {
    return this.#published.size;
  }

  /** Whether a directory with this key is published now. */
  isPublished(key: string): boolean {
    return this.#published.has(key);
  }

  /** Different containers that have a directory of their own now; walks over all places. */
  countContainers(): { readonly accepted: number; readonly contested: number } {
    const accepted = new Set<string>();
    const contested = new Set<string>();
    for (const places of this.#places.values()) {
      for (const { verdict, containerId } of places) {
        (verdict === "accepted" ? accepted : contested).add(containerId);
      }
    }
    return { accepted: accepted.size, contested: contested.size };
  }

  /** Everything that is published now, in no particular order. */
  mappings(): Mapping[] {
    const mappings: Mapping[] = [];
    for (const directory of this.#published.values()) {
      if (directory.publishedAs) mappings.push(mappingOf(directory, directory.publishedAs));
    }
    return mappings;
  }

  /** Whether one more directory below `parent` fits its container's limit. */
  hasRoomBelow(parent: CgroupDirectory): boolean {
    const outermost = parent.place?.outermost;
    return outermost === undefined || outermost.directoryCount < this.#maxDirectoriesPerContainer;
  }

  /** Takes a new directory; its parent was added before. */
  add(directory: CgroupDirectory): void {
    const { state, parent } = directory;
    const around = parent?.place;
    const claims = state.definesContainer && around?.containerId !== state.containerId;
    const containerId = state.containerId;
    if (containerId === undefined) return;
    directory.place = claims ? this.#newPlace(directory, containerId, around) : around;
    if (directory.place !== undefined) directory.place.outermost.directoryCount++;
    if (directory.place?.directory === directory) this.#judge(directory.place);
    this.#refresh(directory);
  }

  /** Takes a directory out; its children were removed before. */
  remove(directory: CgroupDirectory): void {
    const { place } = directory;
    this.#unpublish(directory);
    if (place === undefined) return;
    place.outermost.directoryCount--;
    directory.place = undefined;
    if (place.directory !== directory) return;
    const key = placesKey(place);
    const places = this.#places.get(key);
    places?.delete(place);
    const [rest] = places ?? [];
    if (rest === undefined) this.#places.delete(key);
    else this.#judge(rest);
  }

  #newPlace(directory: CgroupDirectory, containerId: string, around: Place | undefined): Place {
    const place: Omit<Place, "outermost"> & { outermost?: Place } = {
      containerId,
      directory,
      outer: around,
      record: recordOf(containerId, directory.state),
      verdict: "accepted",
      directoryCount: 0,
    };
    const whole = Object.assign(place, { outermost: around?.outermost ?? (place as Place) });
    const key = placesKey(whole);
    const places = this.#places.get(key);
    if (places === undefined) this.#places.set(key, new Set([whole]));
    else places.add(whole);
    return whole;
  }

  // Gives every place of one container its verdict, and moves what a changed verdict touches.
  #judge(place: Place): void {
    const places = [...(this.#places.get(placesKey(place)) ?? [])];
    const strong = places.filter(({ outer, directory }) => !outer && directory.ownerUid === 0);
    const winner = places.length === 1 ? places[0] : strong.length === 1 ? strong[0] : undefined;
    const loses: Verdict = winner === undefined ? "ambiguous" : "refused";
    for (const each of places) {
      const verdict = each === winner ? "accepted" : loses;
      if (verdict === each.verdict) continue;
      each.verdict = verdict;
      if (verdict !== "accepted") this.#observer.contested(each, places.length - 1);
      this.#refreshBelow(each.directory);
    }
  }

  #refreshBelow(top: CgroupDirectory): void {
    const stack = [top];
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      this.#refresh(next);
      if (next.children) stack.push(...next.children.values());
    }
  }

  #refresh(directory: CgroupDirectory): void {
    const place = effectivePlace(directory.place);
    if (place === directory.publishedAs) return;
    if (place === undefined) {
      this.#unpublish(directory);
      return;
    }
    if (directory.inode < minInode) return;
    directory.publishedAs = place;
    const mapping = mappingOf(directory, place);
    this.#published.set(keyText(mapping), directory);
    this.#pending.publish({ mapping, seenAtMs: this.#nowMs() });
    this.#observer.changed();
  }

  #unpublish(directory: CgroupDirectory): void {
    if (directory.publishedAs === undefined) return;
    directory.publishedAs = undefined;
    const key = keyOf(directory);
    const text = keyText(key);
    if (this.#published.get(text) !== directory) return;
    this.#published.delete(text);
    this.#pending.vanish(key);
    this.#observer.changed();
  }
}

function effectivePlace(nearest: Place | undefined): Place | undefined {
  let place = nearest;
  while (place?.verdict === "refused") place = place.outer;
  return place?.verdict === "ambiguous" ? undefined : place;
}

function keyOf({ inode, hierarchy }: CgroupDirectory): Pick<Mapping, "inode" | "device"> {
  return hierarchy.isDeviceNeeded ? { inode, device: hierarchy.device } : { inode };
}

function mappingOf(directory: CgroupDirectory, place: Place): Mapping {
  return { ...keyOf(directory), record: place.record };
}

// A name never holds a slash, so the two parts cannot run into each other.
function placesKey({ directory, containerId }: Place): string {
  return `${directory.hierarchy.path}/${containerId}`;
}
