/** Where the project stands on this machine. */

import { fileURLToPath } from 'node:url'

/** The folder with package.json, without a closing slash. */
export const PROJECT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')
