import { fail, listed } from "../base/errors.js";
import { type Koffi, reasonOf } from "./koffi.js";
import { describe, type Library } from "./library.js";
import { remedy, usualPlaces, variable } from "./places.js";

export interface Wish {
  /** process.platform */
  readonly platform: string;
  /** Of the environment variable; "" counts as none. */
  readonly chosen: string | undefined;
}

/**
 * The library to use: the one that was chosen, whatever it is, or the first of the usual places that is known to be fast. The plain BLAS of
 * Netlib is neither: it is slower than the products it would replace.
 * @throws with all that was tried
 */
export function chooseLibrary(koffi: Koffi, { platform, chosen }: Wish): Library {
  if (chosen) return chosenLibrary(koffi, chosen);
  const refused = new Map<string, string[]>();
  for (const place of usualPlaces(platform)) {
    const found = open(koffi, place);
    if (typeof found !== "string" && found.known) return found;
    const reason = typeof found === "string" ? found : "it is no library known to be fast";
    refused.set(reason, [...(refused.get(reason) ?? []), place]);
  }
  const tried = [...refused].map(([reason, places]) => `${listed(places, "and")} (${reason})`);
  return fail({
    where: "samplegrad/node-blas",
    what: `found no BLAS; tried ${tried.join(", ")}`,
    write: remedy(platform),
  });
}

function chosenLibrary(koffi: Koffi, chosen: string): Library {
  const found = open(koffi, chosen);
  if (typeof found !== "string") return found;
  return fail({
    where: "samplegrad/node-blas",
    what: `${variable} is ${JSON.stringify(chosen)}, which cannot be used: ${found}`,
    write:
      "set it to the path of OpenBLAS, BLIS, MKL or another library with CBLAS, or unset it to have the usual places searched",
  });
}

/** Why a library cannot be used, in place of the library. */
function open(koffi: Koffi, path: string): Library | string {
  try {
    return describe(path, koffi.load(path));
  } catch (error) {
    return reasonOf(error);
  }
}
