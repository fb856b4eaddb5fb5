import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Slow for what Slurm makes them wait for: `npm run test:faults`.
    exclude: ['test/faults/**', 'node_modules/**'],
    globalSetup: ['test/rig/build.ts'],
    pool: 'forks',
    // Slurm, rclone and rsync work beside the tests, and CI machines have two cores.
    maxWorkers: 2,
    // What is tested runs real programs: a slow machine must not fail a test, a hung program must.
    testTimeout: 240_000,
    hookTimeout: 180_000,
    teardownTimeout: 20_000,
    slowTestThreshold: 5_000,
  },
})
