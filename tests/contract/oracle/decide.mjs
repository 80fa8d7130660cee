// Decides acts under policies by another evaluator than the program's: a JSON list of cases in, one of words out.
import { readFileSync } from 'node:fs'
import { runSimulation, runUnsafeSimulation } from '@cloud-copilot/iam-simulate'

const ACCOUNT = '111122223333'
const WORDS = {
  Allowed: 'allowed',
  ExplicitlyDenied: 'explicitly_denied',
  ImplicitlyDenied: 'implicitly_denied'
}
// An organization that takes nothing away, so that identities alone decide.
const ALL = { Effect: 'Allow', Action: '*', Resource: '*' }
const level = (...statements) => [
  {
    orgIdentifier: 'o-none',
    policies: statements.map((statement) => ({
      name: 'all',
      policy: { Version: '2012-10-17', Statement: [statement] }
    }))
  }
]

const decide = async ({ policies, boundary, action, resource, context }) => {
  // Only the checked way knows which actions have no resource; it refuses keys that nobody has heard of.
  const isChecked = resource === '*'
  const simulation = {
    request: {
      principal: `arn:aws:iam::${ACCOUNT}:role/somebody`,
      action,
      // The account of who acts, so that no policy of a resource is needed.
      resource: { resource, accountId: ACCOUNT },
      contextVariables: context
    },
    identityPolicies: policies.map((policy, index) => ({ name: `${index}`, policy })),
    serviceControlPolicies: level(ALL),
    // The checked way adds this one itself.
    resourceControlPolicies: isChecked ? level() : level({ ...ALL, Principal: '*' }),
    ...(boundary && { permissionBoundaryPolicies: [{ name: 'boundary', policy: boundary }] })
  }
  try {
    const checked = async () => {
      const { overallResult, errors } = await runSimulation(simulation, {})
      return errors ? `refused: ${JSON.stringify(errors)}` : overallResult
    }
    const said = isChecked ? await checked() : runUnsafeSimulation(simulation, {})
    return WORDS[said] ?? said
  } catch (error) {
    return `failed: ${error.message}`
  }
}

const cases = JSON.parse(readFileSync(0, 'utf8'))
process.stdout.write(JSON.stringify(await Promise.all(cases.map(decide))))
