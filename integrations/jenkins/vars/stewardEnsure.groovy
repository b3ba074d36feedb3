/**
 * Makes sure, before a push, that ECR repositories exist:
 *
 *   stewardEnsure images: ["${registry}/team-a/web"], apiUrl: 'https://…/v1'
 *
 * Options: images (a list), compose, bake, apiUrl, stack, source (the repository with ECR Steward), version (its tag).
 * AWS credentials and the region come from the environment, as withAWS or an instance profile sets them.
 */
def call(Map options = [:]) {
    def values = [
        "IMAGES=${(options.images ?: []).join(' ')}",
        "COMPOSE=${options.compose ?: ''}",
        "BAKE=${options.bake ?: ''}",
        "API_URL=${options.apiUrl ?: ''}",
        "STACK=${options.stack ?: ''}",
        "RESULTS=${options.results ?: 'repositories.json'}",
    ]
    stewardScript('ensure.sh', values, options)
}
