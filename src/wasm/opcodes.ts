/**
 * Instructions by their names in the text format: core, bulk memory (0xfc), SIMD (0xfd, relaxed ones from 0x100 on) and threads (0xfe).
 * Their numbers have the prefix, if there is one, in front of the lower 16 bits.
 */
const table = new Map<string, number>();

function list(prefix: number, from: number, names: string): void {
  names
    .trim()
    .split(/\s+/)
    .forEach((name, i) => {
      if (name !== "-") table.set(name, (prefix << 16) | (from + i));
    });
}

list(0, 0x00, "unreachable nop block loop if else");
list(0, 0x0b, "end br br_if br_table return call call_indirect");
list(0, 0x1a, "drop select");
list(0, 0x20, "local.get local.set local.tee global.get global.set");
list(0, 0x28, "i32.load i64.load f32.load f64.load i32.load8_s i32.load8_u i32.load16_s i32.load16_u");
list(0, 0x36, "i32.store i64.store f32.store f64.store i32.store8 i32.store16");
list(0, 0x3f, "memory.size memory.grow i32.const i64.const f32.const f64.const");
const compared = (t: string): string =>
  `${t}.eqz ${t}.eq ${t}.ne ${t}.lt_s ${t}.lt_u ${t}.gt_s ${t}.gt_u ${t}.le_s ${t}.le_u ${t}.ge_s ${t}.ge_u`;
const whole = (t: string): string =>
  `clz ctz popcnt add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr`.replace(/\w+/g, `${t}.$&`);
const real = (t: string): string =>
  `abs neg ceil floor trunc nearest sqrt add sub mul div min max copysign`.replace(/\w+/g, `${t}.$&`);
list(0, 0x45, `${compared("i32")} ${compared("i64")}`);
list(0, 0x5b, "f32.eq f32.ne f32.lt f32.gt f32.le f32.ge f64.eq f64.ne f64.lt f64.gt f64.le f64.ge");
list(0, 0x67, `${whole("i32")} ${whole("i64")} ${real("f32")} ${real("f64")}`);
list(
  0,
  0xa7,
  "i32.wrap_i64 i32.trunc_f32_s i32.trunc_f32_u i32.trunc_f64_s i32.trunc_f64_u i64.extend_i32_s i64.extend_i32_u " +
    "i64.trunc_f32_s i64.trunc_f32_u i64.trunc_f64_s i64.trunc_f64_u f32.convert_i32_s f32.convert_i32_u f32.convert_i64_s " +
    "f32.convert_i64_u f32.demote_f64 f64.convert_i32_s f64.convert_i32_u f64.convert_i64_s f64.convert_i64_u f64.promote_f32 " +
    "i32.reinterpret_f32 i64.reinterpret_f64 f32.reinterpret_i32 f64.reinterpret_i64",
);
list(
  0xfc,
  0,
  "i32.trunc_sat_f32_s i32.trunc_sat_f32_u i32.trunc_sat_f64_s i32.trunc_sat_f64_u i64.trunc_sat_f32_s i64.trunc_sat_f32_u " +
    "i64.trunc_sat_f64_s i64.trunc_sat_f64_u - - memory.copy memory.fill",
);
list(
  0xfd,
  0,
  "v128.load v128.load8x8_s v128.load8x8_u v128.load16x4_s v128.load16x4_u v128.load32x2_s v128.load32x2_u v128.load8_splat " +
    "v128.load16_splat v128.load32_splat v128.load64_splat v128.store v128.const i8x16.shuffle i8x16.swizzle i8x16.splat i16x8.splat " +
    "i32x4.splat i64x2.splat f32x4.splat f64x2.splat i8x16.extract_lane_s i8x16.extract_lane_u i8x16.replace_lane " +
    "i16x8.extract_lane_s i16x8.extract_lane_u i16x8.replace_lane i32x4.extract_lane i32x4.replace_lane i64x2.extract_lane " +
    "i64x2.replace_lane f32x4.extract_lane f32x4.replace_lane f64x2.extract_lane f64x2.replace_lane",
);
const lanes = (t: string): string =>
  `${t}.eq ${t}.ne ${t}.lt_s ${t}.lt_u ${t}.gt_s ${t}.gt_u ${t}.le_s ${t}.le_u ${t}.ge_s ${t}.ge_u`;
list(0xfd, 35, `${lanes("i8x16")} ${lanes("i16x8")} ${lanes("i32x4")}`);
list(
  0xfd,
  65,
  "f32x4.eq f32x4.ne f32x4.lt f32x4.gt f32x4.le f32x4.ge f64x2.eq f64x2.ne f64x2.lt f64x2.gt f64x2.le f64x2.ge v128.not v128.and " +
    "v128.andnot v128.or v128.xor v128.bitselect v128.any_true v128.load8_lane v128.load16_lane v128.load32_lane v128.load64_lane " +
    "v128.store8_lane v128.store16_lane v128.store32_lane v128.store64_lane v128.load32_zero v128.load64_zero " +
    "f32x4.demote_f64x2_zero f64x2.promote_low_f32x4 i8x16.abs i8x16.neg i8x16.popcnt i8x16.all_true i8x16.bitmask " +
    "i8x16.narrow_i16x8_s i8x16.narrow_i16x8_u f32x4.ceil f32x4.floor f32x4.trunc f32x4.nearest i8x16.shl i8x16.shr_s i8x16.shr_u " +
    "i8x16.add - - i8x16.sub - - f64x2.ceil f64x2.floor - - - - f64x2.trunc",
);
list(0xfd, 133, "i16x8.narrow_i32x4_s i16x8.narrow_i32x4_u i16x8.extend_low_i8x16_s i16x8.extend_high_i8x16_s");
list(0xfd, 137, "i16x8.extend_low_i8x16_u i16x8.extend_high_i8x16_u i16x8.shl i16x8.shr_s i16x8.shr_u i16x8.add");
list(0xfd, 148, "f64x2.nearest");
list(
  0xfd,
  160,
  "i32x4.abs i32x4.neg - i32x4.all_true i32x4.bitmask - - i32x4.extend_low_i16x8_s i32x4.extend_high_i16x8_s " +
    "i32x4.extend_low_i16x8_u i32x4.extend_high_i16x8_u i32x4.shl i32x4.shr_s i32x4.shr_u i32x4.add - - i32x4.sub - - - i32x4.mul " +
    "i32x4.min_s i32x4.min_u i32x4.max_s i32x4.max_u",
);
list(
  0xfd,
  192,
  "i64x2.abs i64x2.neg - i64x2.all_true i64x2.bitmask - - i64x2.extend_low_i32x4_s i64x2.extend_high_i32x4_s " +
    "i64x2.extend_low_i32x4_u i64x2.extend_high_i32x4_u i64x2.shl i64x2.shr_s i64x2.shr_u i64x2.add - - i64x2.sub - - - i64x2.mul " +
    "i64x2.eq i64x2.ne i64x2.lt_s i64x2.gt_s i64x2.le_s i64x2.ge_s",
);
list(
  0xfd,
  224,
  "f32x4.abs f32x4.neg - f32x4.sqrt f32x4.add f32x4.sub f32x4.mul f32x4.div f32x4.min f32x4.max f32x4.pmin f32x4.pmax f64x2.abs " +
    "f64x2.neg - f64x2.sqrt f64x2.add f64x2.sub f64x2.mul f64x2.div f64x2.min f64x2.max f64x2.pmin f64x2.pmax " +
    "i32x4.trunc_sat_f32x4_s i32x4.trunc_sat_f32x4_u f32x4.convert_i32x4_s f32x4.convert_i32x4_u i32x4.trunc_sat_f64x2_s_zero " +
    "i32x4.trunc_sat_f64x2_u_zero f64x2.convert_low_i32x4_s f64x2.convert_low_i32x4_u",
);
list(0xfd, 0x105, "f32x4.relaxed_madd f32x4.relaxed_nmadd f64x2.relaxed_madd f64x2.relaxed_nmadd");
list(0xfe, 0, "memory.atomic.notify memory.atomic.wait32");
list(0xfe, 0x10, "i32.atomic.load");
list(0xfe, 0x17, "i32.atomic.store");
list(0xfe, 0x1e, "i32.atomic.rmw.add");
list(0xfe, 0x41, "i32.atomic.rmw.xchg");
list(0xfe, 0x48, "i32.atomic.rmw.cmpxchg");

/** The number of an instruction. @throws where the name is unknown */
export function opcode(name: string): number {
  const code = table.get(name);
  if (code === undefined) throw new Error(`wasm: no instruction is called ${name}`);
  return code;
}

let names: ReadonlyMap<number, string> | null = null;

/** The name of an instruction. @throws where there is none of this number */
export function nameOf(code: number): string {
  names ??= new Map([...table].map(([name, known]) => [known, name]));
  const name = names.get(code);
  if (name === undefined) throw new Error(`wasm: no instruction has the number 0x${code.toString(16)}`);
  return name;
}
