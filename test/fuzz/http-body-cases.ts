import { httpPaths, oneOf } from "../conformance/mutated-requests.js";
import { send } from "../conformance/otlp/http-client.js";
import { codedBody, httpCodings, validBody } from "./coded-bodies.js";
import type { MakeCase } from "./fuzz-case.js";
import { httpProblem } from "./http1-reader.js";

const falseTypes = ["application/json", "application/x-protobuf", "text/plain", "application/grpc"];
const falseCodings = ["gzip", "br", "deflate", "snappy", "identity", "gzip, gzip", "x"];

/** A whole HTTP/1.1 request on a kept connection whose body, coding or type is wrong. */
export const httpBodyCase: MakeCase = (random) => {
  const { bytes: plain, contentType, signal } = validBody(random);
  const { bytes, coding } = codedBody(random, plain, httpCodings);
  const type = random() < 0.05 ? oneOf(random, falseTypes) : contentType;
  const headers: Record<string, string> = { "content-type": type };
  if (coding !== undefined) headers["content-encoding"] = coding;
  if (random() < 0.05) headers["content-encoding"] = oneOf(random, falseCodings);
  const path = random() < 0.03 ? "/v1/nothing" : httpPaths[signal];
  return {
    requests: 1,
    play: async ({ dispatcher, http }) => {
      const answer = await send(`http://${http.address}${path}`, bytes, { headers, dispatcher });
      const { body, headers: fields, status } = answer;
      const own = Object.entries(fields).map(([name, value]) => [name, String(value)]);
      const problem = httpProblem(status, Object.fromEntries(own), body);
      const expected = type === "application/x-protobuf" ? type : "application/json";
      const problems = problem === undefined ? [] : [problem];
      if (fields["content-type"] !== expected) {
        problems.push(`answered ${fields["content-type"]}, asked ${type}`);
      }
      return { outcomes: [`http ${status}`], problems };
    },
  };
};
