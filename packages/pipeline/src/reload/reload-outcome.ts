/** What became of a request to go over to another configuration. */
export type ReloadOutcome =
  /** The new configuration is in force; what it replaced may still be draining. */
  | {
      readonly outcome: "applied";
      /** Components that were started, as a person calls them. */
      readonly started: readonly string[];
      /** Components that are stopped, or that stop as soon as they have drained. */
      readonly stopped: readonly string[];
      /** How many component instances went on as they were. */
      readonly kept: number;
    }
  /** Nothing that runs would be different. */
  | { readonly outcome: "unchanged" }
  /** The old configuration is in force again, or never ceased to be. */
  | {
      readonly outcome: "rolled_back";
      /** The component that could not be made or started; undefined when it was none. */
      readonly component: string | undefined;
      readonly reason: string;
    }
  /** Neither configuration runs whole: the process has to stop, which a fatal status says too. */
  | {
      readonly outcome: "failed";
      readonly component: string | undefined;
      readonly reason: string;
    }
  /** A later request came before this one had begun. */
  | { readonly outcome: "superseded" }
  /** The pipelines are not running, or they began to stop meanwhile. */
  | { readonly outcome: "stopped" };
