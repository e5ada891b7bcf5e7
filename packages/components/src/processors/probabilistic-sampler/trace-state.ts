import { parseRandomness, parseThreshold, type Threshold } from "./threshold.js";

/** Bytes of a tracestate; W3C. */
const LENGTH_MAX = 1_024;

/** Members from which on the Collector takes a tracestate for too long. */
const MEMBERS_LIMIT = 32;

/** Bytes of the `ot` member. */
const OT_LENGTH_MAX = 256;

const KEY_LENGTH_MAX = 256;
const TENANT_LENGTH_MAX = 241;
const SYSTEM_LENGTH_MAX = 14;

const W3C_KEY = /^(?:[a-z][a-z0-9_\-*/]*|[a-z0-9][a-z0-9_\-*/]*@[a-z][a-z0-9_\-*/]*)$/;
const W3C_VALUE = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;
const OT_MEMBER = /^([a-z][a-z0-9]*):([A-Za-z0-9._-]*)$/;
const BLANKS_AROUND = /^[ \t]+|[ \t]+$/g;

/** A tracestate, of which only the sampling fields of its `ot` member are understood. */
export interface TraceState {
  /** The `rv` field as it is written; empty without one. */
  randomness: string;
  /** The `th` field as it is written; empty without one. */
  thresholdText: string;
  threshold: Threshold | undefined;
  /** The other fields of `ot`, such as `k:v`. */
  otFields: readonly string[];
  /** The other members, such as `vendor=value`. */
  members: readonly string[];
  /** Whether something in it is not valid; what is valid was read all the same. */
  isInvalid: boolean;
}

type SamplingFields = Pick<
  TraceState,
  "randomness" | "thresholdText" | "threshold" | "otFields" | "isInvalid"
>;

const none: readonly string[] = [];

/** Reads a tracestate as the Collector's sampler does, in time that grows with its length. */
export function parseTraceState(text: string): TraceState {
  if (text === "") return stateWithoutFields(none, false);
  if (text.length > LENGTH_MAX) return stateWithoutFields(none, true);
  const written = text.split(",").map((member) => member.replace(BLANKS_AROUND, ""));
  if (!written.every(isMember)) return stateWithoutFields(none, true);
  let fields: SamplingFields | undefined;
  let isInvalid = false;
  const members: string[] = [];
  // A comma at the end begins no member.
  const count = written.at(-1) === "" && text.endsWith(",") ? written.length - 1 : written.length;
  for (let index = 0; index < count; index++) {
    if (index + 1 >= MEMBERS_LIMIT) {
      isInvalid = true;
      break;
    }
    const member = written[index] ?? "";
    if (member === "") continue;
    const equals = member.indexOf("=");
    if (!hasKeyLength(member.slice(0, equals))) isInvalid = true;
    else if (!member.startsWith("ot=")) members.push(member);
    else {
      fields = parseFields(member.slice(equals + 1));
      isInvalid ||= fields.isInvalid;
    }
  }
  if (fields === undefined) return stateWithoutFields(members, isInvalid);
  return { ...fields, members, isInvalid };
}

// A literal, since nearly every span comes here: spreading an object costs ten times as much.
function stateWithoutFields(members: readonly string[], isInvalid: boolean): TraceState {
  return {
    randomness: "",
    thresholdText: "",
    threshold: undefined,
    otFields: none,
    members,
    isInvalid,
  };
}

/** Writes a tracestate, the `ot` member first. */
export function formatTraceState(state: TraceState): string {
  const fields = [
    ...(state.randomness === "" ? [] : [`rv:${state.randomness}`]),
    ...(state.thresholdText === "" ? [] : [`th:${state.thresholdText}`]),
    ...state.otFields,
  ];
  const own = fields.length === 0 ? [] : [`ot=${fields.join(";")}`];
  return [...own, ...state.members].join(",");
}

function parseFields(text: string): SamplingFields {
  if (text.length > OT_LENGTH_MAX) return stateWithoutFields(none, true);
  const fields: SamplingFields = stateWithoutFields(none, false);
  const others: string[] = [];
  for (const field of text.split(";")) {
    const [, key, value = ""] = OT_MEMBER.exec(field) ?? [];
    if (key === undefined) return stateWithoutFields(none, true);
    if (key === "rv") {
      const isValid = parseRandomness(value) !== undefined;
      fields.randomness = isValid ? value : "";
      fields.isInvalid ||= !isValid;
    } else if (key === "th") {
      fields.threshold = parseThreshold(value);
      fields.thresholdText = fields.threshold === undefined ? "" : value;
      fields.isInvalid ||= fields.threshold === undefined;
    } else others.push(field);
  }
  return { ...fields, otFields: others };
}

function isMember(member: string): boolean {
  if (member === "") return true;
  const equals = member.indexOf("=");
  if (equals < 1) return false;
  return W3C_KEY.test(member.slice(0, equals)) && W3C_VALUE.test(member.slice(equals + 1));
}

function hasKeyLength(key: string): boolean {
  if (key.length > KEY_LENGTH_MAX) return false;
  const at = key.indexOf("@");
  return at < 0 || (at <= TENANT_LENGTH_MAX && key.length - at - 1 <= SYSTEM_LENGTH_MAX);
}
