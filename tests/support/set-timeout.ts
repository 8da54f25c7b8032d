// Runs before every test file: sets what one test may take to what jest.config.mjs says about its
// kind, because Jest itself knows one limit for all kinds only.

import { jest } from '@jest/globals';

jest.setTimeout(Number(Reflect.get(globalThis, 'testTimeoutMs')));
