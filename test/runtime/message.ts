/** The text of the error that `body` throws. */
export function message(body: () => unknown): string {
  try {
    body();
  } catch (error) {
    return (error as Error).message;
  }
  return "no error";
}
