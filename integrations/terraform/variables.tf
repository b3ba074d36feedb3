# Made by scripts/terraform_variables.py of the template's parameters. null is the template's default.

variable "package" {
  description = "The folder that `steward package` wrote: a release for one architecture, completed with your settings."
  type        = string
}

variable "bucket" {
  description = "Your bucket, in the region of the stack, for what is deployed."
  type        = string
}

variable "stack_name" {
  description = "The name of the stack."
  type        = string
  default     = "ecr-steward"
}

variable "prefix" {
  description = "The beginning of the keys in the bucket."
  type        = string
  default     = "ecr-steward"
}

variable "access_key_rotation" {
  description = "Whether keys rotate on schedule, the steward's or Secrets Manager's; only keys of tagged users on the service path."
  type        = string
  default     = null

  validation {
    condition     = var.access_key_rotation == null ? true : contains(["on", "off"], var.access_key_rotation)
    error_message = "access_key_rotation is one of on, off."
  }
}

variable "alarm_email" {
  description = "Recipient of alarms about failures of the steward itself; empty for nobody (subscribe to the topic AlarmTopicArn yourself). Alerts go to AlertEmail instead."
  type        = string
  default     = null
}

variable "alert_email" {
  description = "Recipient of alerts (drift, blocked rotations, denied requests); empty for nobody (subscribe to the topic AlertTopicArn yourself)."
  type        = string
  default     = null
}

variable "api_concurrency" {
  description = "How many requests for repositories run at once, reserved from the account's Lambda concurrency, so that no caller can use up the account's: 20 is enough for most. 0 reserves nothing: new accounts may have a concurrency of 10, of which none can be reserved."
  type        = number
  default     = null
}

variable "baseline_bucket_name" {
  description = "An existing bucket for the baseline, such as one in a security account (see docs/baseline-bucket.md for its requirements); empty to create one."
  type        = string
  default     = null
}

variable "baseline_bucket_owner" {
  description = "The account of that bucket; required with a name."
  type        = string
  default     = null
}

variable "baseline_deployers" {
  description = "ARNs (wildcards allowed) of the roles, besides the stack's functions, that may upload and delete the baseline and change the buckets of the baseline and the reports. Include the role that deploys the stack, or CloudFormation's service role: otherwise it can change neither these buckets nor, if there are deployers, their policies."
  type        = list(string)
  default     = null
}

variable "baseline_lock_days" {
  description = "Days for which S3 Object Lock (governance) keeps every version of the baseline; 0 for no lock. Only at creation."
  type        = number
  default     = null
}

variable "bus_name" {
  description = "Name of the event bus; a second stack in the same region needs another one."
  type        = string
  default     = null
}

variable "channel_operators" {
  description = "ARNs (wildcards allowed) of the roles that may redrive dead letters, and so read and send the messages of the queues. With any, nobody else may change the policies of queues and topics: include the role that deploys. Empty for nobody."
  type        = list(string)
  default     = null
}

variable "create_access_model" {
  description = "Whether the stack creates the groups ecr-read, ecr-write and ecr-admin. IAM is global to the account: only one stack of an account can, and no service users are created without them."
  type        = string
  default     = null

  validation {
    condition     = var.create_access_model == null ? true : contains(["true", "false"], var.create_access_model)
    error_message = "create_access_model is one of true, false."
  }
}

variable "create_service_users" {
  description = "Whether the stack creates one user for pushing and one for pulling."
  type        = string
  default     = null

  validation {
    condition     = var.create_service_users == null ? true : contains(["true", "false"], var.create_service_users)
    error_message = "create_service_users is one of true, false."
  }
}

variable "decision_retention_days" {
  description = "Retention of the log of people's decisions (baselines, acknowledgements, requested rotations and so on), in days."
  type        = number
  default     = null

  validation {
    condition     = var.decision_retention_days == null ? true : contains(["90", "120", "150", "180", "365", "400", "545", "731", "1096", "1827", "2192", "2557", "2922", "3288", "3653"], var.decision_retention_days)
    error_message = "decision_retention_days is one of 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653."
  }
}

variable "digest_schedule" {
  description = "When the weekly digest is sent, in UTC."
  type        = string
  default     = null
}

variable "documentation_url" {
  description = "Where docs/ of your clone can be read, such as https://git.example.com/ecr-steward/blob/main/docs: alarms, alerts and the dashboard link the runbooks there. If it is empty, they name the runbooks."
  type        = string
  default     = null
}

variable "drift_event_delay_seconds" {
  description = "Seconds after which a change that IAM does not show yet is checked again, and three times as long for the last time. IAM is eventually consistent. The first check is at once."
  type        = number
  default     = null
}

variable "drift_memory" {
  description = "MB of memory of the functions that compare IAM. A 32nd of it is the largest baseline: 64 MB by default, 10,000 principals; the largest account of IAM's quotas has 300 MB and needs 10240."
  type        = number
  default     = null
}

variable "drift_schedule_expression" {
  description = "How often the whole account is compared, as an EventBridge schedule expression; an alarm expects a scan to complete within 13 hours."
  type        = string
  default     = null
}

variable "log_retention_days" {
  description = "Retention of logs, events and reports, in days."
  type        = number
  default     = null

  validation {
    condition     = var.log_retention_days == null ? true : contains(["1", "3", "5", "7", "14", "30", "60", "90", "120", "150", "180", "365", "400", "545", "731", "1096", "1827", "2192", "2557", "2922", "3288", "3653"], var.log_retention_days)
    error_message = "log_retention_days is one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653."
  }
}

variable "monitoring" {
  description = "minimal emits only the metrics that alarms watch, and creates neither the dashboard nor the saved queries; the alarms are the same."
  type        = string
  default     = null

  validation {
    condition     = var.monitoring == null ? true : contains(["full", "minimal"], var.monitoring)
    error_message = "monitoring is one of full, minimal."
  }
}

variable "on_call_rights" {
  description = "What the policy OnCallPolicyArn allows: the commands of the runbooks that read, or also those that an incident needs at once, such as deactivating a leaked key."
  type        = string
  default     = null

  validation {
    condition     = var.on_call_rights == null ? true : contains(["read", "repair"], var.on_call_rights)
    error_message = "on_call_rights is one of read, repair."
  }
}

variable "own_secret_access" {
  description = "Whether service users in ecr-read and ecr-write may read their own secret, for hosts whose only identity is the user's key (--own-key of the consumers' helper)."
  type        = string
  default     = null

  validation {
    condition     = var.own_secret_access == null ? true : contains(["true", "false"], var.own_secret_access)
    error_message = "own_secret_access is one of true, false."
  }
}

variable "policy_drift" {
  description = "Whether IAM is compared with the baseline. It only reads; the first scan captures a baseline for review."
  type        = string
  default     = null

  validation {
    condition     = var.policy_drift == null ? true : contains(["on", "off"], var.policy_drift)
    error_message = "policy_drift is one of on, off."
  }
}

variable "pull_user_name" {
  description = "Name of the service user that pulls."
  type        = string
  default     = null
}

variable "push_safety_net" {
  description = "What happens on a push to a missing repository: report publishes an event that names the pusher; create creates it if the caller's house rule has on_push; off does nothing."
  type        = string
  default     = null

  validation {
    condition     = var.push_safety_net == null ? true : contains(["report", "create", "off"], var.push_safety_net)
    error_message = "push_safety_net is one of report, create, off."
  }
}

variable "push_user_name" {
  description = "Name of the service user that pushes."
  type        = string
  default     = null
}

variable "repository_key_arns" {
  description = "ARNs of the KMS keys used in the house rules, if any."
  type        = list(string)
  default     = null
}

variable "rotation_concurrency" {
  description = "How many invocations of the worker run at once, of four users each. A rotation takes about 12 seconds, and Secrets Manager permits 25 a second to the account (50 writes): 75 reaches that, and takes 75 of the account's Lambda concurrency."
  type        = number
  default     = null
}

variable "rotation_schedule_expression" {
  description = "How often the planner checks which users are due, as an EventBridge schedule expression."
  type        = string
  default     = null
}

variable "secrets_key_arn" {
  description = "ARN of the KMS key that encrypts the secrets, a multi-Region key if they are replicated; empty for the account's own key of Secrets Manager. Before a change, read docs/runbooks/change-the-secrets-key.md."
  type        = string
  default     = null
}

variable "security_hub" {
  description = "Whether drift findings also go to AWS Security Hub, which must be enabled in this account and region."
  type        = string
  default     = null

  validation {
    condition     = var.security_hub == null ? true : contains(["on", "off"], var.security_hub)
    error_message = "security_hub is one of on, off."
  }
}

variable "service_path" {
  description = "IAM path of the users whose keys rotate. Two stacks of an account must not share it."
  type        = string
  default     = null
}

variable "sync_key_arns" {
  description = "ARNs of the KMS keys of those parameters and secrets; empty for the account's own keys."
  type        = list(string)
  default     = null
}

variable "sync_parameter_arns" {
  description = "ARNs of the parameters of Systems Manager that secret sync writes (sync in rotation.yaml); empty for none."
  type        = list(string)
  default     = null
}

variable "sync_role_arns" {
  description = "ARNs of the roles that secret sync takes for secrets of other accounts; empty for none."
  type        = list(string)
  default     = null
}

variable "sync_secret_arns" {
  description = "ARNs of the other secrets that secret sync writes; empty for none. A secret's ARN ends in six characters, ??????."
  type        = list(string)
  default     = null
}

variable "webhook_secret_arn" {
  description = "ARN of the secret that signs them, a text of at least 32 characters, encrypted with the account's own key of Secrets Manager; required with WebhookUrl."
  type        = string
  default     = null
}

variable "webhook_url" {
  description = "Where alerts are posted as signed JSON, an https address on the Internet; empty for no webhook."
  type        = string
  default     = null
}

variable "writer_repositories" {
  description = "Repository names that members of ecr-write may PUT and GET, as the end of an IAM resource: * or team-a/*. The house rules also check the name."
  type        = string
  default     = null
}

variable "writers_may_batch" {
  description = "Whether members of ecr-write may call POST /repositories, where only the house rules restrict names."
  type        = string
  default     = null

  validation {
    condition     = var.writers_may_batch == null ? true : contains(["true", "false"], var.writers_may_batch)
    error_message = "writers_may_batch is one of true, false."
  }
}
