// Options of what clients send and get back.

import { flag, int, int32, type OptionRow, text } from '../option-row.ts';
import { nameForm } from './forms.ts';

export const requestOptions: readonly OptionRow[] = [
  flag(
    'request_array_nulls',
    true,
    'Whether NULL without quotes in the text of an array means a null element.',
  ),
  text(
    'request_backslash_quote',
    { default: 'safe_encoding', allowed: ['safe_encoding', 'on', 'off'] },
    "Whether \\' stands for a quote in a string: only where the client's encoding makes it safe, " +
      'always, or never.',
  ),
  text(
    'request_date_style',
    { default: 'ISO, MDY', form: nameForm },
    'How dates are written, and in which order day, month and year are read when it is not clear, ' +
      'as in ISO, DMY.',
  ),
  int(
    'request_deadlock_timeout',
    { default: 1000, min: 1, max: int32, unit: 'ms' },
    'How long a session waits for a lock before it looks for a deadlock.',
  ),
  flag(
    'request_default_transaction_deferrable',
    false,
    'Whether serialisable read-only transactions wait for a moment from which they cannot fail.',
  ),
  text(
    'request_default_transaction_isolation',
    {
      default: 'read committed',
      allowed: ['serializable', 'repeatable read', 'read committed', 'read uncommitted'],
    },
    'Isolation of transactions that do not say which they want.',
  ),
  flag(
    'request_default_transaction_read_only',
    false,
    'Whether transactions that do not say otherwise may only read.',
  ),
  flag(
    'request_escape_string_warning',
    true,
    'Whether a backslash in an ordinary string is warned of when ' +
      'request_standard_conforming_strings is off.',
  ),
  int(
    'request_lock_timeout',
    { default: 0, min: 0, max: int32, unit: 'ms' },
    'How long a statement may wait for a lock before it is cancelled; 0 for ever.',
  ),
  flag(
    'request_standard_conforming_strings',
    true,
    'Whether a backslash in an ordinary string is just a backslash, as the standard says.',
  ),
  text(
    'request_time_zone',
    { default: 'UTC', form: nameForm },
    'Time zone in which times are shown, and read when they name none, as in Europe/Lisbon.',
  ),
  int(
    'request_track_activity_query_size',
    { default: 1024, min: 100, max: 1048576, unit: 'B', restart: true },
    'How much of the text of a running statement pg_stat_activity keeps, for each connection.',
  ),
  flag(
    'request_transform_null_equals',
    false,
    'Whether x = NULL is read as x IS NULL, which some old clients expect.',
  ),
  text(
    'request_xmlbinary',
    { default: 'base64', allowed: ['base64', 'hex'] },
    'How bytes are written inside XML.',
  ),
  text(
    'request_xmloption',
    { default: 'content', allowed: ['content', 'document'] },
    'Whether XML that does not say has to be a whole document or may be a fragment.',
  ),
];

export const responseOptions: readonly OptionRow[] = [
  text(
    'response_bytea_output',
    { default: 'hex', allowed: ['escape', 'hex'] },
    'How values of type bytea are written as text.',
  ),
  flag(
    'response_exit_on_error',
    false,
    'Whether any error ends the session. Meant for testing clients.',
  ),
  int(
    'response_extra_float_digits',
    { default: 1, min: -15, max: 3 },
    'Digits with which floating-point numbers are written: above 0 so that they can be read back ' +
      'exactly, otherwise rounded to that many fewer.',
  ),
  int(
    'response_gin_fuzzy_search_limit',
    { default: 0, min: 0, max: int32 },
    'Rows that a search in a GIN index returns at most, roughly; 0 for all.',
  ),
  text(
    'response_lc_monetary',
    { default: 'C', form: nameForm },
    'Locale in which amounts of money are written. Has to be one of those of the container.',
  ),
  text(
    'response_lc_numeric',
    { default: 'C', form: nameForm },
    'Locale in which to_char and the like write numbers. Has to be one of those of the container.',
  ),
  text(
    'response_lc_time',
    { default: 'C', form: nameForm },
    'Locale in which to_char and the like name days and months. Has to be one of those of the ' +
      'container.',
  ),
];

export const sessionOptions: readonly OptionRow[] = [
  int(
    'session_idle_in_transaction_session_timeout',
    { default: 0, min: 0, max: int32, unit: 'ms' },
    'How long a session may do nothing inside a transaction before it is ended; 0 for ever.',
  ),
];
