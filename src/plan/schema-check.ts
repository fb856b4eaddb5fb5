/**
 * The check of a plan against its schema. Where TypeScript runs from its source ajv makes it here; the build puts finished
 * code in the place of this module.
 */

import { Ajv2020 } from 'ajv/dist/2020.js'

import { checkOptions, planSchema } from './schema/plan.ts'

export const validate = new Ajv2020(checkOptions).compile(planSchema)
