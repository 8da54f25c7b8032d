// How long each kind of call to Pebble may take, and why.

export const deadlines = {
  // Pebble answers from memory, or writes one small file.
  requestMs: 5_000,
  // Removing a tree takes as long as the disk does.
  removeTreeMs: 120_000,
  // A start waits one second, a stop up to the kill delay (5 s unless the layer says otherwise)
  // and 5 s more after the kill, and a restart does both.
  serviceChangeMs: 30_000,
  // On top of a wait or a command that Pebble itself ends in time: the answer's way back.
  slackMs: 5_000,
  // From the end of a command to the end of its output, which Pebble has sent by then.
  outputMs: 1_000,
} as const;
