import { defineConfig } from 'vitest/config'
import config from './vitest.config.ts'

/** Faults that take minutes: time limits of Slurm, bad lines, services that refuse. `npm test` leaves them out. */
export default defineConfig({
  test: {
    ...config.test,
    include: ['test/faults/**/*.test.ts'],
    exclude: ['node_modules/**'],
    testTimeout: 600_000,
    fileParallelism: false,
  },
})
