/** Free blocks of a line of addresses, in order, neighbours joined. Best fit: the smallest block that is large enough. */
export class FreeList {
  private readonly starts: number[] = [];
  private readonly sizes: number[] = [];

  /** Cuts `size` off the beginning of the smallest block that has it, the first of several; null: none has. */
  take(size: number): number | null {
    let best = -1;
    for (let i = 0; i < this.sizes.length; i++) {
      const each = this.sizes[i] as number;
      if (each >= size && (best < 0 || each < (this.sizes[best] as number))) best = i;
    }
    if (best < 0) return null;
    const start = this.starts[best] as number;
    const rest = (this.sizes[best] as number) - size;
    if (rest === 0) {
      this.starts.splice(best, 1);
      this.sizes.splice(best, 1);
    } else {
      this.starts[best] = start + size;
      this.sizes[best] = rest;
    }
    return start;
  }

  /** Adds a block that no other overlaps. */
  give(start: number, size: number): void {
    if (size === 0) return;
    const at = this.after(start);
    const before = at > 0 && this.endOf(at - 1) === start;
    const behind = at < this.starts.length && start + size === this.starts[at];
    if (before) {
      this.sizes[at - 1] = (this.sizes[at - 1] as number) + size + (behind ? (this.sizes[at] as number) : 0);
      if (behind) this.drop(at);
    } else if (behind) {
      this.starts[at] = start;
      this.sizes[at] = (this.sizes[at] as number) + size;
    } else {
      this.starts.splice(at, 0, start);
      this.sizes.splice(at, 0, size);
    }
  }

  /** The size of the block that ends at `end`, or 0. */
  lastBefore(end: number): number {
    const last = this.starts.length - 1;
    return last >= 0 && this.endOf(last) === end ? (this.sizes[last] as number) : 0;
  }

  /** How many separate blocks there are. */
  get count(): number {
    return this.starts.length;
  }

  private endOf(i: number): number {
    return (this.starts[i] as number) + (this.sizes[i] as number);
  }

  private drop(i: number): void {
    this.starts.splice(i, 1);
    this.sizes.splice(i, 1);
  }

  /** The place of the first block that starts after `start`, by bisection. */
  private after(start: number): number {
    let low = 0;
    let high = this.starts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.starts[middle] as number) < start) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
