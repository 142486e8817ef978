/**
 * As the primitive `conv` means it: output place p reads input place i through window place w where
 * inputDilation · i = stride · p + kernelDilation · w − low, per axis. Both derivatives of a convolution are convolutions in this sense.
 */
export interface ConvSpec {
  readonly batch: number;
  readonly groups: number;
  readonly channels: number;
  readonly filters: number;
  readonly sizes: readonly number[];
  readonly window: readonly number[];
  readonly outs: readonly number[];
  readonly stride: readonly number[];
  readonly inputDilation: readonly number[];
  readonly kernelDilation: readonly number[];
  readonly low: readonly number[];
}
