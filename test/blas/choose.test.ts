import { describe, expect, it } from "vitest";
import { chooseLibrary } from "../../src/blas/choose.js";
import { findKoffi, loadKoffi } from "../../src/blas/koffi.js";
import { usualPlaces } from "../../src/blas/places.js";
import { cblas, type Functions, fakeKoffi, openBlas } from "./fake.js";

const thrown = (body: () => unknown): string => {
  try {
    body();
  } catch (error) {
    return (error as Error).message;
  }
  return "nothing thrown";
};

const choose = (library: Functions, chosen = "/x/libany.so"): ReturnType<typeof chooseLibrary> =>
  chooseLibrary(fakeKoffi({ [chosen]: library }), { platform: "linux", chosen });

const config = "OpenBLAS 0.3.30 DYNAMIC_ARCH NO_AFFINITY Haswell MAX_THREADS=64";

describe("koffi", () => {
  it("is found beside the library", () => {
    expect(findKoffi()).toMatch(/node_modules.koffi.index\.cjs$/);
  });

  it("is found in the folder of the program", () => {
    expect(findKoffi(["/nowhere/package.json", import.meta.url])).toBe(findKoffi());
  });

  it("is asked for where it is missing", () => {
    expect(thrown(() => findKoffi(["/nowhere/package.json", "/elsewhere/package.json"]))).toBe(
      "samplegrad/node-blas: this needs the package koffi, which is not installed; npm install koffi@3.",
    );
  });

  it("may be there without its native part", () => {
    const broken = (() => {
      throw new Error("Cannot find the native Koffi module; did you bundle it correctly?\nRequire stack:");
    }) as unknown as NodeJS.Require;
    expect(thrown(() => loadKoffi("/x/koffi", broken))).toBe(
      "samplegrad/node-blas: the package koffi is installed but does not load here (Cannot find the native Koffi module; did you " +
        "bundle it correctly?); install it on this machine, with its optional dependencies: npm install koffi@3.",
    );
  });
});

describe("what a library is", () => {
  it.each([
    ["OpenBLAS", openBlas(config), "OpenBLAS 0.3.30 (Haswell)", "int", "cblas_sgemm", "openblas_set_num_threads"],
    [
      "OpenBLAS with sizes of 64 bits",
      openBlas("OpenBLAS 0.3.30 USE64BITINT Haswell MAX_THREADS=8"),
      "OpenBLAS 0.3.30 (Haswell)",
      "int64_t",
      "cblas_sgemm",
      "openblas_set_num_threads",
    ],
    [
      "OpenBLAS of scipy",
      openBlas(config, "scipy_"),
      "OpenBLAS 0.3.30 (Haswell)",
      "int",
      "scipy_cblas_sgemm",
      "scipy_openblas_set_num_threads",
    ],
    [
      "OpenBLAS of numpy",
      openBlas(config, "scipy_", "64_"),
      "OpenBLAS 0.3.30 (Haswell)",
      "int64_t",
      "scipy_cblas_sgemm64_",
      "scipy_openblas_set_num_threads64_",
    ],
    [
      "an old OpenBLAS",
      { ...cblas, openblas_get_config: () => "NO_LAPACKE Zen" },
      "OpenBLAS",
      "int",
      "cblas_sgemm",
      "openblas_set_num_threads",
    ],
    [
      "BLIS",
      { ...cblas, bli_info_get_version_str: () => "1.0" },
      "BLIS 1.0",
      "int",
      "cblas_sgemm",
      "bli_thread_set_num_threads",
    ],
    ["MKL", { ...cblas, MKL_Set_Num_Threads: () => undefined }, "MKL", "int", "cblas_sgemm", "MKL_Set_Num_Threads"],
    [
      "Accelerate",
      { ...cblas, BLASSetThreading: () => 0, vDSP_mmul: () => undefined },
      "Accelerate",
      "int",
      "cblas_sgemm",
      "BLASSetThreading",
    ],
    [
      "Accelerate before macOS 15",
      { ...cblas, vDSP_mmul: () => undefined },
      "Accelerate",
      "int",
      "cblas_sgemm",
      undefined,
    ],
    ["some CBLAS", cblas, "libany.so", "int", "cblas_sgemm", undefined],
  ])("%s", (_, functions, name, integer, sgemm, setter) => {
    const library = choose(functions as Functions);
    expect(library).toMatchObject({ name, integer, path: "/x/libany.so" });
    expect(library.gemm).toEqual({ float32: sgemm, float64: sgemm.replace("sgemm", "dgemm") });
    expect(library.single.map((each) => each.name)).toEqual(setter === undefined ? [] : [setter]);
  });
});

describe("where libraries are looked for", () => {
  it("takes the first of the usual places that is known to be fast", () => {
    const koffi = fakeKoffi({
      "libopenblas.so.0": openBlas("OpenBLAS 0.3.21 Zen SINGLE_THREADED"),
      "libopenblasp.so.0": openBlas(config),
      "libblas.so.3": cblas,
    });
    expect(chooseLibrary(koffi, { platform: "linux", chosen: "" }).path).toBe("libopenblasp.so.0");
    expect(koffi.loaded).toEqual(["libopenblas.so.0", "libopenblasp.so.0"]);
  });

  it("prefers Accelerate on macOS and knows the places of Homebrew", () => {
    expect(usualPlaces("darwin").slice(0, 2)).toEqual([
      "/System/Library/Frameworks/Accelerate.framework/Accelerate",
      "/opt/homebrew/opt/openblas/lib/libopenblas.dylib",
    ]);
    expect(usualPlaces("freebsd")).toEqual(usualPlaces("linux"));
  });

  it("lists what was tried, by reason", () => {
    const koffi = fakeKoffi({
      "libopenblas.so.0": openBlas("OpenBLAS 0.3.21 Zen SINGLE_THREADED"),
      "libblis.so": { cblas_sgemm: () => undefined },
      "libblas.so.3": cblas,
    });
    expect(thrown(() => chooseLibrary(koffi, { platform: "linux", chosen: undefined }))).toBe(
      "samplegrad/node-blas: found no BLAS; tried libopenblas.so.0 (it is an OpenBLAS built without threads, whose products may not run " +
        "side by side), libopenblasp.so.0, libopenblaso.so.0, libopenblas.so, libblis.so.4, libmkl_rt.so.2 and libmkl_rt.so (no such " +
        "file), libblis.so (it has no functions cblas_sgemm and cblas_dgemm), libblas.so.3 (it is no library known to be fast); install " +
        "OpenBLAS (Debian, Ubuntu: apt install libopenblas0-pthread; Fedora: dnf install openblas-threads), or set SAMPLEGRAD_BLAS to the " +
        "path of a BLAS.",
    );
  });

  it.each([
    ["darwin", "install OpenBLAS (brew install openblas), or set SAMPLEGRAD_BLAS to the path of a BLAS."],
    ["win32", "download OpenBLAS, or set SAMPLEGRAD_BLAS to the path of a BLAS."],
  ])("says what to do on %s", (platform, words) => {
    const message = thrown(() => chooseLibrary(fakeKoffi({}), { platform, chosen: undefined }));
    expect(message.slice(message.indexOf("; ", message.indexOf("(no such file)")) + 2)).toBe(words);
  });

  it("does not look elsewhere when a library was chosen", () => {
    const koffi = fakeKoffi({ "libopenblas.so.0": openBlas(config) });
    const wish = { platform: "linux", chosen: "/opt/lib.so" };
    expect(thrown(() => chooseLibrary(koffi, wish))).toBe(
      'samplegrad/node-blas: SAMPLEGRAD_BLAS is "/opt/lib.so", which cannot be used: no such file; set it to the path of OpenBLAS, BLIS, ' +
        "MKL or another library with CBLAS, or unset it to have the usual places searched.",
    );
    expect(koffi.loaded).toEqual(["/opt/lib.so"]);
  });
});

describe('import "samplegrad/node-blas"', () => {
  it("throws where the chosen library does not exist", async () => {
    const before = process.env["SAMPLEGRAD_BLAS"];
    process.env["SAMPLEGRAD_BLAS"] = "/nowhere/libblas.so";
    await expect(import("../../src/blas/index.js")).rejects.toThrow(
      'samplegrad/node-blas: SAMPLEGRAD_BLAS is "/nowhere/libblas.so", which cannot be used: ',
    );
    if (before === undefined) delete process.env["SAMPLEGRAD_BLAS"];
    else process.env["SAMPLEGRAD_BLAS"] = before;
  });
});
