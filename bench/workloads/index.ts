import type { Workload } from "../workload.js";
import { w01 } from "./w01.js";
import { w02 } from "./w02.js";
import { w03 } from "./w03.js";
import { w04 } from "./w04.js";
import { w05 } from "./w05.js";
import { w06 } from "./w06.js";
import { w07, w07b } from "./w07.js";
import { w08 } from "./w08.js";
import { w09 } from "./w09.js";
import { w10 } from "./w10.js";
import { w11 } from "./w11.js";
import { w12 } from "./w12.js";

/** Every workload, in the order of its number. */
export const workloads: readonly Workload[] = [...w01, ...w02, w03, w04, w05, w06, w07, w07b, w08, w09, w10, w11, w12];
