import type { Block, Op } from "../../kernel/expr/block.js";
import type { Stream } from "./ports.js";

/** Equal for stages that do the same. Outside functions of one name are one function. */
export function mapKey(block: Block, inputs: readonly Stream[], outputs: readonly Stream[]): string {
  return `${blockKey(block)} ${inputs.map(streamKey)} ${outputs.map(streamKey)}`;
}

function streamKey({ kind, dtype }: Stream): string {
  return `${kind}:${dtype}`;
}

function blockKey({ ops, inputs, outputs }: Block): string {
  let key = `${inputs}|${outputs}|`;
  for (const op of ops) {
    key += `${op.op} ${op.type}`;
    for (const arg of op.args) key += ` ${arg}`;
    key += `:${ownKey(op)};`;
  }
  return key;
}

/** What an operation has beside its arguments. */
function ownKey(op: Op): string | number | bigint {
  switch (op.op) {
    case "const":
      return Object.is(op.value, -0) ? "-0" : op.value;
    case "input":
    case "result":
      return op.index;
    case "call":
      return JSON.stringify(op.name);
    case "loop":
      return `${op.carried} ${op.limit} (${blockKey(op.body)})`;
    case "shl":
    case "shr":
    case "rotl":
      return op.by;
    default:
      return "";
  }
}
