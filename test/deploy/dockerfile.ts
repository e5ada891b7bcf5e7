import { readText } from "../docs/repository.js";

/** A Dockerfile, as far as the tests look at it. */
export interface Dockerfile {
  /** `NODE_IMAGE` unless told otherwise. */
  readonly baseImage: string;
  /** Instructions in order, continuation lines joined, comments left out. */
  readonly instructions: readonly { readonly name: string; readonly value: string }[];
  /** Of the last stage. */
  readonly user: string;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
}

/** Reads a Dockerfile of the repository. */
export function readDockerfile(path: string): Dockerfile {
  const text = readText(path)
    .replaceAll(/^#.*\n/gm, "")
    .replaceAll(/\\\n/g, " ");
  const instructions = [...text.matchAll(/^([A-Z]+) +(.+)$/gm)].map(
    ([, name = "", value = ""]) => ({ name, value: value.replaceAll(/ +/g, " ") }),
  );
  const last = (name: string) => instructions.findLast((each) => each.name === name)?.value;
  return {
    baseImage: /^NODE_IMAGE=(.+)$/.exec(last("ARG") ?? "")?.[1] ?? "",
    instructions,
    user: last("USER") ?? "",
    entrypoint: JSON.parse(last("ENTRYPOINT") ?? "[]") as string[],
    command: JSON.parse(last("CMD") ?? "[]") as string[],
  };
}
