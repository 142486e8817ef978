/** One finding. Errors fail the build, warnings are only printed. */
export type Problem = {
  level: "error" | "warning";
  /** `path:line`, relative to the root. */
  where: string;
  /** What is wrong and what to do instead. */
  message: string;
};

export const error = (where: string, message: string): Problem => ({ level: "error", where, message });
export const warning = (where: string, message: string): Problem => ({ level: "warning", where, message });
