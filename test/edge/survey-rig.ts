/** One call of `survey` between two folders of a test, and what it wrote as plain values. */

import { join } from 'node:path'
import { expect } from 'vitest'
import type { Result } from '../../src/diagnostic.ts'
import { scanManifest } from '../../src/edge/manifest-file.ts'
import { survey, type Survey } from '../../src/edge/survey.ts'
import type { SurveyRequest } from '../../src/edge/survey-ground.ts'
import { pathText } from '../../src/inventory/summary.ts'
import type { Location, Transfer } from '../../src/plan/plan.ts'
import { transferName } from '../../src/units.ts'
import { plainTransfer } from '../rig/transfer.ts'

/** Paths below the test's folder, or whole locations. */
export interface Asked extends Partial<Omit<Transfer, 'from' | 'to'>> {
  readonly from?: string | Location
  readonly to?: string | Location
}

type Settings = Partial<Omit<SurveyRequest, 'transfer' | 'env'>> & { readonly env?: NodeJS.ProcessEnv }

function transfer(folder: string, asked: Asked): Transfer {
  const place = (at: string | Location): Location =>
    typeof at === 'string' ? { kind: 'local', path: join(folder, at) } : at
  return plainTransfer({
    name: transferName('code'),
    ...asked,
    from: place(asked.from ?? 'from'),
    to: place(asked.to ?? 'to'),
  })
}

/** Surveys `from` against `to` of a test's folder. */
export function surveyIn(
  folder: string,
  asked: Asked = {},
  settings: Settings = {},
): Promise<Result<Survey>> {
  const env = settings.env ?? process.env
  return survey({
    manifestPath: join(folder, 'code.gz'),
    proveAll: false,
    rclonePath: 'rclone',
    signal: new AbortController().signal,
    ...settings,
    transfer: transfer(folder, asked),
    env: Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined)) as Record<
      string,
      string
    >,
  })
}

/** The survey, which has to succeed. */
export async function surveyed(folder: string, asked: Asked = {}, settings: Settings = {}): Promise<Survey> {
  const result = await surveyIn(folder, asked, settings)
  if (!result.ok) throw new Error(result.error.map(({ code, what }) => `${code} ${what}`).join('\n'))
  return result.value
}

/** `CODE what`, and why where it is said, of a survey that has to fail. */
export async function complaint(folder: string, asked: Asked = {}, settings: Settings = {}): Promise<string> {
  const result = await surveyIn(folder, asked, settings)
  if (result.ok) throw new Error('the survey succeeded')
  return result.error
    .map(({ code, what, why }) => [`${code} ${what}`, ...(why === undefined ? [] : [why])].join('; '))
    .join('\n')
    .replaceAll(folder, '…')
}

/** The manifest as `fate kind path`, sorted. Paths are latin1 text. */
export async function fates(found: Survey): Promise<string[]> {
  const lines: string[] = []
  const scanned = await scanManifest(found.manifestPath, (view) => {
    lines.push(`${String.fromCharCode(view.fateByte, view.kindByte)} ${pathText(view)}`)
  })
  expect(scanned.ok).toBe(true)
  return lines.sort()
}
