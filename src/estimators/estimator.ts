import type { AnyFamily, Capabilities, Capability, Distribution, Params } from "../distributions/distribution.js";
import type { Tensor } from "../graph/tensor.js";
import type { Stream } from "../random/uniform.js";

/**
 * The protocol. An estimator treats its site alone, as if everything after it were one noisy black box, and is right for every such
 * box; then the sum over sites is right for the whole program, so estimators mix freely (ARCHITECTURE.md, "Composition").
 */
export interface Site<N extends Capability = Capability> {
  readonly name: string;
  readonly family: AnyFamily;
  /** Live: the only route of the gradient into what came before. */
  readonly params: Params;
  /** Where its noise comes from. */
  readonly stream: Stream;
  /** The recorded value, when one is given instead of drawn. */
  readonly given: Tensor | null;
  /** The value of the current branch, for estimators that ask for `branches`. */
  readonly outcome: Tensor | null;
  readonly gives: Pick<Capabilities, N>;
}

export interface Contribution {
  /** Flows on into the program. */
  readonly value: Tensor;
  /**
   * A weight with mean one, of the site's batch shape; it multiplies every cost an element of the site can influence. "box": value 1 and
   * the derivatives of e^log (DiCE). "density": the weight itself.
   */
  readonly weight?:
    | { readonly kind: "box"; readonly log: Tensor }
    | { readonly kind: "density"; readonly ratio: Tensor };
}

/** What is subtracted from the costs a site is charged with; it must not depend on the site's own draw. */
export type Baseline = "none" | "leaveOneOut" | "aligned" | "auto";

export type Order = 1 | 2 | 3 | "any";

export interface Estimator<N extends Capability = Capability> {
  readonly name: string;
  readonly needs: readonly N[];
  /** What it asks of the program after the site: seen once, evaluated again, or differentiable in the sample. */
  readonly rest: "observe" | "replay" | "differentiate";
  readonly bias: "none" | "value" | "gradient";
  /** Derivatives it is right for, whatever the program. */
  readonly orders: Order;
  readonly baseline: Baseline;
  /** Whether the program runs once for every joint outcome of the site's elements that no cost tells apart. */
  readonly branches: boolean;
  /** A property, so that TypeScript checks N contravariantly: a site that gives less does not fit. */
  readonly estimate: (site: Site<N>) => Contribution;
  /** Papers it rests on. */
  readonly cites: readonly string[];
}

/** An estimator of unknown needs. */
export type AnyEstimator = Omit<Estimator<never>, "estimate" | "needs"> & {
  readonly needs: readonly Capability[];
  // biome-ignore lint/suspicious/noExplicitAny: the rewrite checks `needs` against what the site gives before it calls.
  readonly estimate: (site: any) => Contribution;
};

/** What of `needs` a distribution does not give. */
export function missing(
  needs: readonly Capability[],
  d: Distribution<never> | { readonly gives: Partial<Capabilities> },
): Capability[] {
  return needs.filter((need) => (d.gives as Partial<Capabilities>)[need] === undefined);
}
