/** The environment variable with the path of the library to use. */
export const variable = "SAMPLEGRAD_BLAS";

/**
 * Where libraries are looked for, best first. Names without a folder are searched by the system. `libopenblas.so.0` is the build with threads
 * on Debian and its heirs but the one without on Fedora, where `libopenblasp.so.0` has them; `libblas.so.3` may be any BLAS.
 */
const usual: Readonly<Record<string, readonly string[]>> = {
  linux: [
    "libopenblas.so.0",
    "libopenblasp.so.0",
    "libopenblaso.so.0",
    "libopenblas.so",
    "libblis.so.4",
    "libblis.so",
    "libmkl_rt.so.2",
    "libmkl_rt.so",
    "libblas.so.3",
  ],
  darwin: [
    "/System/Library/Frameworks/Accelerate.framework/Accelerate",
    "/opt/homebrew/opt/openblas/lib/libopenblas.dylib",
    "/usr/local/opt/openblas/lib/libopenblas.dylib",
    "libopenblas.dylib",
  ],
  win32: ["libopenblas.dll", "openblas.dll", "mkl_rt.2.dll"],
};

export function usualPlaces(platform: string): readonly string[] {
  return usual[platform] ?? (usual["linux"] as readonly string[]);
}

/** How to get a library, in words. */
export function remedy(platform: string): string {
  const install =
    platform === "win32"
      ? "download OpenBLAS"
      : platform === "darwin"
        ? "install OpenBLAS (brew install openblas)"
        : "install OpenBLAS (Debian, Ubuntu: apt install libopenblas0-pthread; Fedora: dnf install openblas-threads)";
  return `${install}, or set ${variable} to the path of a BLAS`;
}
