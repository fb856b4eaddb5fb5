import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Slow for what Slurm makes them wait for: `npm run test:faults`.
    exclude: ['test/faults/**', 'node_modules/**'],
    globalSetup: ['test/rig/build.ts'],
    pool: 'forks',
    // Two cores, as CI machines have: programs, disks and daemons are waited for a third of the time.
    maxWorkers: 3,
    // What is tested runs real programs: a slow machine must not fail a test, a hung program must.
    testTimeout: 240_000,
    hookTimeout: 180_000,
    teardownTimeout: 20_000,
    slowTestThreshold: 5_000,
  },
})
