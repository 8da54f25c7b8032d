// The watcher of the workload (static/watcher): its files, and the folder that they make there.

import { fingerprint } from '../../../lib/base/fingerprint.ts';
import { lazy } from '../../../lib/base/lazy.ts';
import main from '../../static/watcher/__main__.py';
import archive from '../../static/watcher/archive.py';
import backupDue from '../../static/watcher/backup_due.py';
import callbacks from '../../static/watcher/callbacks.py';
import dataDirectory from '../../static/watcher/data_directory.py';
import disk from '../../static/watcher/disk.py';
import fencing from '../../static/watcher/fencing.py';
import files from '../../static/watcher/files.py';
import heartbeat from '../../static/watcher/heartbeat.py';
import kubernetesApi from '../../static/watcher/kubernetes_api.py';
import left from '../../static/watcher/left.py';
import lock from '../../static/watcher/lock.py';
import lockRelease from '../../static/watcher/lock_release.py';
import longWork from '../../static/watcher/long_work.py';
import members from '../../static/watcher/members.py';
import notices from '../../static/watcher/notices.py';
import patroniApi from '../../static/watcher/patroni_api.py';
import patroniFile from '../../static/watcher/patroni_file.py';
import patroniWatch from '../../static/watcher/patroni_watch.py';
import processes from '../../static/watcher/processes.py';
import replication from '../../static/watcher/replication.py';
import reserve from '../../static/watcher/reserve.py';
import restoring from '../../static/watcher/restoring.py';
import seen from '../../static/watcher/seen.py';
import server from '../../static/watcher/server.py';
import serverLog from '../../static/watcher/server_log.py';
import streams from '../../static/watcher/streams.py';
import succession from '../../static/watcher/succession.py';
import system from '../../static/watcher/system.py';
import trial from '../../static/watcher/trial.py';
import { watcherDirectory } from '../names.ts';

/** Python modules by name. */
export const watcherFiles: Readonly<Record<string, string>> = {
  '__main__.py': main,
  'archive.py': archive,
  'backup_due.py': backupDue,
  'callbacks.py': callbacks,
  'data_directory.py': dataDirectory,
  'disk.py': disk,
  'fencing.py': fencing,
  'files.py': files,
  'heartbeat.py': heartbeat,
  'kubernetes_api.py': kubernetesApi,
  'left.py': left,
  'lock.py': lock,
  'lock_release.py': lockRelease,
  'long_work.py': longWork,
  'members.py': members,
  'notices.py': notices,
  'patroni_api.py': patroniApi,
  'patroni_file.py': patroniFile,
  'patroni_watch.py': patroniWatch,
  'processes.py': processes,
  'replication.py': replication,
  'reserve.py': reserve,
  'restoring.py': restoring,
  'seen.py': seen,
  'server.py': server,
  'server_log.py': serverLog,
  'streams.py': streams,
  'succession.py': succession,
  'system.py': system,
  'trial.py': trial,
};

/**
 * Another for each version, so that files of two never mix, what is there needs no reading, and the
 * command changes with the program, upon which Pebble starts the new one.
 */
export const watcherFolder = lazy(
  () => `${watcherDirectory}/watcher-${fingerprint(JSON.stringify(watcherFiles))}`,
);
