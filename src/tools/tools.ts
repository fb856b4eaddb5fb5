/** The tools by name. */

import type { ToolName } from '../plan/plan.ts'
import { aws } from './aws.ts'
import { rclone } from './rclone.ts'
import { rsync } from './rsync.ts'
import type { Tool } from './tool.ts'

export function toolOf(name: ToolName): Tool {
  switch (name) {
    case 'rclone':
      return rclone
    case 'rsync':
      return rsync
    case 'aws':
      return aws
  }
}
