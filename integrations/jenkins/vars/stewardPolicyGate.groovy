/**
 * Says which access a change adds, and fails the build for what you choose:
 *
 *   stewardPolicyGate base: "origin/${env.CHANGE_TARGET}", failOn: 'HIGH'
 *
 * Options: base, head, failOn, allow, source (the repository with ECR Steward), version (its tag). No credentials are needed.
 * policy-gate/gate.xml is for the junit step, policy-gate/gate.md for a comment.
 */
def call(Map options = [:]) {
    def values = [
        "BASE=${options.base ?: ''}",
        "HEAD=${options.head ?: '.'}",
        "FAIL_ON=${options.failOn ?: 'broadened'}",
        "ALLOW=${options.allow ?: ''}",
        "RESULTS=${options.results ?: 'policy-gate'}",
    ]
    stewardScript('policy-gate.sh', values, options)
}
