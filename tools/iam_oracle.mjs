// Labels cases with what another IAM simulator decides: npm @cloud-copilot/iam-simulate, run as a program of its own.
//
//   node tools/iam_oracle.mjs FOLDER < cases.jsonl > labels.jsonl
//
// FOLDER holds node_modules (npm install --prefix FOLDER @cloud-copilot/iam-simulate). Each line of the output is
// {"id": …, "decision": …} or, for a case that the simulator refuses, {"id": …, "error": …}.
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { createInterface } from "node:readline";

const { runSimulation } = createRequire(resolve(process.argv[2]) + "/")("@cloud-copilot/iam-simulate");

const named = (policy, index) => ("policy" in policy ? policy : { name: `policy${index}`, policy });
const document = (policy) => (policy && "policy" in policy ? policy.policy : (policy ?? undefined));
const levels = (given) =>
  (given ?? []).map((policies, index) => ({ orgIdentifier: `ou-${index}`, policies: policies.map(named) }));

function simulation({ policies = [], boundary, sessionPolicy, resourcePolicy, scps, rcps, request }) {
  return {
    identityPolicies: policies.map(named),
    permissionBoundaryPolicies: boundary ? [named(boundary, 0)] : undefined,
    sessionPolicy: document(sessionPolicy),
    resourcePolicy: document(resourcePolicy),
    serviceControlPolicies: levels(scps),
    resourceControlPolicies: levels(rcps),
    request: {
      principal: request.principal,
      action: request.action,
      resource: { resource: request.resource, accountId: request.resourceAccount },
      contextVariables: request.context ?? {},
    },
  };
}

for await (const line of createInterface({ input: process.stdin })) {
  const case_ = JSON.parse(line);
  let answer;
  try {
    const result = await runSimulation(simulation(case_), {});
    answer = result.resultType === "error" ? { error: JSON.stringify(result.errors) } : { decision: result.overallResult };
  } catch (error) {
    answer = { error: String(error) };
  }
  console.log(JSON.stringify({ id: case_.id, ...answer }));
}
