// Times that a restore is to reach, as operators give them and as PostgreSQL reads them. Pure.

/** A moment, or the end of a timeline. */
export type WantedTime =
  | { readonly kind: 'latest' }
  | {
      readonly kind: 'time';
      readonly micros: number;
      /** As it was given. */
      readonly given: string;
    };

const timeForm =
  /^(?<date>\d{4}-\d\d-\d\d) (?<clock>\d\d:\d\d:\d\d)(?:\.(?<fraction>\d{1,6}))?(?:(?<sign>[+-])(?<hours>\d\d)(?::?(?<minutes>\d\d))?)?$/;

/** Parses `restore-to-time`; `undefined` when it is no time. */
export function parseTime(given: string): WantedTime | undefined {
  if (given === 'latest') return { kind: 'latest' };
  const groups = timeForm.exec(given)?.groups;
  if (groups === undefined) return undefined;
  const localMs = localTime(groups);
  const zoneMs = zoneOffset(groups);
  if (localMs === undefined || zoneMs === undefined) return undefined;
  const fraction = Number((groups['fraction'] ?? '').padEnd(6, '0'));
  const micros = (localMs - zoneMs) * 1000 + fraction;
  return isRenderable(micros) ? { kind: 'time', micros, given } : undefined;
}

type Groups = Readonly<Record<string, string | undefined>>;

/** JavaScript makes 2 March of 30 February, and takes 24:00:00. */
function localTime({ date, clock }: Groups): number | undefined {
  const ms = Date.parse(`${date}T${clock}Z`);
  if (Number.isNaN(ms)) return undefined;
  return new Date(ms).toISOString().startsWith(`${date}T${clock}`) ? ms : undefined;
}

const furthestHours = 15;

function zoneOffset({ sign, hours = '00', minutes = '00' }: Groups): number | undefined {
  if (Number(hours) > furthestHours || Number(minutes) > 59) return undefined;
  const ms = (Number(hours) * 60 + Number(minutes)) * 60_000;
  return sign === '-' ? -ms : ms;
}

function isRenderable(micros: number): boolean {
  const year = new Date(Math.floor(micros / 1000)).getUTCFullYear();
  return year >= 1 && year <= 9999;
}

/** In the form that PostgreSQL reads: `2026-01-31 12:00:00.000000+00`. */
export function renderTime(micros: number): string {
  const text = new Date(Math.floor(micros / 1000)).toISOString();
  const fraction = String(((micros % 1_000_000) + 1_000_000) % 1_000_000).padStart(6, '0');
  return `${text.slice(0, 10)} ${text.slice(11, 19)}.${fraction}+00`;
}
