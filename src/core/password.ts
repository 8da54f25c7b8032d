// Which passwords an operator may choose: everything that YAML, Patroni's password file, the URL of
// a client and a login by hand all carry unchanged. Pure.

export const shortestPassword = 8;
export const longestPassword = 256;

/** What is wrong with a password; never repeats it. */
export function passwordProblem(password: string): string | undefined {
  const length = Array.from(password).length;
  if (password === '') return 'it is empty';
  if (length < shortestPassword) return `it has fewer than ${shortestPassword} characters`;
  if (length > longestPassword) return `it has more than ${longestPassword} characters`;
  if (/[\p{Cc}\u2028\u2029]/u.test(password)) {
    return 'it has a line break or another control character';
  }
  // Private, unassigned and halves of pairs: not every program reads them alike.
  if (/[\p{Cs}\p{Cn}\p{Co}]/u.test(password))
    return 'it has a character that Unicode does not know';
  return undefined;
}
