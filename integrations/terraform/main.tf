# Deploys a released stack: the archives and the template of a package to your bucket, then the stack of CloudFormation.
# The package is what `steward package` writes. It holds your settings, which were checked when it was written.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

data "aws_region" "current" {}

locals {
  about    = jsondecode(file("${var.package}/package.json"))
  archives = fileset(var.package, "*.zip")
  # Another package has other keys, so that CloudFormation sees a change where there is one.
  files  = setunion(local.archives, ["template.yaml"])
  digest = sha256(join("", [for name in sort(local.files) : filesha256("${var.package}/${name}")]))
  folder = "${var.prefix}/${local.digest}"
  template = replace(
    file("${var.package}/template.yaml"),
    "/(CodeUri|ContentUri): (\\S+\\.zip)/",
    "$1: s3://${var.bucket}/${local.folder}/$2"
  )
  parameters = {
    Architecture               = local.about.architecture
    AccessKeyRotation          = var.access_key_rotation
    AlarmEmail                 = var.alarm_email
    AlertEmail                 = var.alert_email
    ApiConcurrency             = var.api_concurrency
    BaselineBucketName         = var.baseline_bucket_name
    BaselineBucketOwner        = var.baseline_bucket_owner
    BaselineDeployers          = var.baseline_deployers == null ? null : join(",", var.baseline_deployers)
    BaselineLockDays           = var.baseline_lock_days
    BusName                    = var.bus_name
    ChannelOperators           = var.channel_operators == null ? null : join(",", var.channel_operators)
    CreateAccessModel          = var.create_access_model
    CreateServiceUsers         = var.create_service_users
    DecisionRetentionDays      = var.decision_retention_days
    DigestSchedule             = var.digest_schedule
    DocumentationUrl           = var.documentation_url
    DriftEventDelaySeconds     = var.drift_event_delay_seconds
    DriftMemory                = var.drift_memory
    DriftScheduleExpression    = var.drift_schedule_expression
    LogRetentionDays           = var.log_retention_days
    Monitoring                 = var.monitoring
    OnCallRights               = var.on_call_rights
    OwnSecretAccess            = var.own_secret_access
    PolicyDrift                = var.policy_drift
    PullUserName               = var.pull_user_name
    PushSafetyNet              = var.push_safety_net
    PushUserName               = var.push_user_name
    RepositoryKeyArns          = var.repository_key_arns == null ? null : join(",", var.repository_key_arns)
    RotationConcurrency        = var.rotation_concurrency
    RotationScheduleExpression = var.rotation_schedule_expression
    SecretsKeyArn              = var.secrets_key_arn
    SecurityHub                = var.security_hub
    ServicePath                = var.service_path
    SyncKeyArns                = var.sync_key_arns == null ? null : join(",", var.sync_key_arns)
    SyncParameterArns          = var.sync_parameter_arns == null ? null : join(",", var.sync_parameter_arns)
    SyncRoleArns               = var.sync_role_arns == null ? null : join(",", var.sync_role_arns)
    SyncSecretArns             = var.sync_secret_arns == null ? null : join(",", var.sync_secret_arns)
    WebhookSecretArn           = var.webhook_secret_arn
    WebhookUrl                 = var.webhook_url
    WriterRepositories         = var.writer_repositories
    WritersMayBatch            = var.writers_may_batch
  }
}

resource "aws_s3_object" "archive" {
  for_each = local.archives

  bucket      = var.bucket
  key         = "${local.folder}/${each.value}"
  source      = "${var.package}/${each.value}"
  source_hash = filesha256("${var.package}/${each.value}")

  lifecycle {
    create_before_destroy = true # the stack rolls back to the archives of before
  }
}

resource "aws_s3_object" "template" {
  bucket  = var.bucket
  key     = "${local.folder}/template.yaml"
  content = local.template

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_cloudformation_stack" "steward" {
  name         = var.stack_name
  template_url = "https://${var.bucket}.s3.${data.aws_region.current.name}.amazonaws.com/${aws_s3_object.template.key}"
  capabilities = ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
  parameters   = { for name, value in local.parameters : name => tostring(value) if value != null }
  tags = {
    "ecr-steward:version"  = local.about.version
    "ecr-steward:settings" = local.about.settings
  }

  depends_on = [aws_s3_object.archive]
}
