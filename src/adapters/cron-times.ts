// When a schedule comes: croner, in UTC and to the minute. It is loaded when somebody asks, which is
// only with a schedule, and not in every hook.

import type { NextTime } from '../core/backups/schedule.ts';

export async function loadNextTime(): Promise<NextTime> {
  const { Cron } = await import('croner');
  return (cron, afterSeconds) => {
    const job = new Cron(cron, { mode: '5-part', utcOffset: 0, paused: true });
    const next = job.nextRun(new Date(afterSeconds * 1000));
    return next === null ? undefined : Math.floor(next.getTime() / 1000);
  };
}
