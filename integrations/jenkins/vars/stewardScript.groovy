/**
 * Runs a script of integrations/ from a clone of its own. The other steps call it.
 *
 * Options: source (the repository with ECR Steward), version (its tag); else STEWARD_SOURCE and STEWARD_VERSION.
 */
def call(String script, List values, Map options) {
    def clone = [
        "STEWARD_SCRIPT=${script}",
        "STEWARD_SOURCE=${options.source ?: env.STEWARD_SOURCE}",
        "STEWARD_VERSION=${options.version ?: env.STEWARD_VERSION ?: 'v0.1.0'}",
    ]
    withEnv(values + clone) {
        sh '''#!/usr/bin/env bash
            set -euo pipefail
            steward=$(mktemp -d)
            trap 'rm -rf "$steward"' EXIT
            git clone --quiet --depth 1 --branch "$STEWARD_VERSION" "$STEWARD_SOURCE" "$steward"
            "$steward/integrations/$STEWARD_SCRIPT"
        '''
    }
}
