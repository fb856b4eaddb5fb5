/** The tools by name. */

import type { ToolName } from '../plan/plan.ts'
import { Bug } from '../units.ts'
import { rclone } from './rclone.ts'
import { rsync } from './rsync.ts'
import type { Tool } from './tool.ts'

/** @throws Bug for a tool that the plan's rules do not let through. */
export function toolOf(name: ToolName): Tool {
  switch (name) {
    case 'rclone':
      return rclone
    case 'rsync':
      return rsync
    case 'aws':
      throw new Bug('the aws tool is not carried out yet, and the plan rules say so')
  }
}
