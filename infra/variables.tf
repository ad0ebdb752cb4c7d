# What a caller may say that is no setting of the code: what is looked after, how the functions run, and who is told when
# something is wrong. The settings of the code are in settings.tf.

# --- What is looked after -------------------------------------------------------------------------------------------------

variable "clusters" {
  description = "Names or ARNs of the clusters to look after, or `[\"*\"]` for every cluster of the Region. The roles can touch no other."
  type        = list(string)
  nullable    = false

  # One `*` beside names would be refused by the functions at every invocation, so it is refused here.
  validation {
    condition = length(var.clusters) > 0 && (jsonencode(var.clusters) == jsonencode(["*"]) || alltrue([
      for cluster in var.clusters :
      can(regex("^(arn:aws[a-z-]*:ecs:[a-z0-9-]+:[0-9]{12}:cluster/)?[A-Za-z0-9_-]{1,255}$", cluster))
    ]))
    error_message = "Expected names or ARNs of clusters, or [\"*\"] alone. A name has up to 255 letters, digits, hyphens and underscores."
  }

  validation {
    condition = alltrue([
      for cluster in var.clusters : startswith(cluster, "${local.cluster_arn_prefix}/") if startswith(cluster, "arn:")
    ])
    error_message = "The ARN of a cluster is of another account or Region than the provider's: install the module there."
  }

  validation {
    condition     = length(distinct([for cluster in var.clusters : trimprefix(cluster, "${local.cluster_arn_prefix}/")])) == length(var.clusters)
    error_message = "A cluster is there twice."
  }
}

variable "auto_scaling_groups" {
  description = "Names of the Auto Scaling groups whose instances may be replaced; `*` and `?` are wildcards, and `[\"*\"]` is every group of the Region. The roles can change no other group."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.auto_scaling_groups) > 0 && alltrue([for group in var.auto_scaling_groups : can(regex("^[^:$]{1,255}$", group))])
    error_message = "Expected at least one name of a group: up to 255 characters, neither a colon nor a dollar sign among them."
  }
}

variable "rebalance_every" {
  description = "Minutes from one look at the clusters for skew to the next, 2 to 60. An invocation ends a minute earlier, after nine minutes at most."
  type        = number
  default     = 10
  nullable    = false

  # At one minute there would be no time to work in, and an alarm that waits for more than an hour's silence says too little.
  validation {
    condition     = var.rebalance_every >= 2 && var.rebalance_every <= 60 && floor(var.rebalance_every) == var.rebalance_every
    error_message = "Expected a whole number from 2 to 60."
  }
}

# --- How the functions run ------------------------------------------------------------------------------------------------

variable "name" {
  description = "What every name begins with; two installations in one Region need two."
  type        = string
  default     = "evenkeel"
  nullable    = false

  # The longest name made from it is that of a role, which ends in the function and the Region and has 64 characters at most.
  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9-]{0,29}$", var.name))
    error_message = "Expected a letter and up to 29 more letters, digits and hyphens."
  }
}

variable "package_directory" {
  description = "Where `make package` put the zip files; null is `target/package` of the clone that this module is part of."
  type        = string
  default     = null
}

variable "architecture" {
  description = "Processor of the functions, `arm64` or `x86_64`; arm64 costs a fifth less."
  type        = string
  default     = "arm64"
  nullable    = false

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "Expected one of arm64, x86_64."
  }
}

variable "memory_size" {
  description = "Memory of each function in MB, and its share of a processor with it; 512 for clusters of thousands of instances."
  type        = number
  default     = 256
  nullable    = false

  validation {
    condition     = var.memory_size >= 128 && var.memory_size <= 10240 && floor(var.memory_size) == var.memory_size
    error_message = "Expected a whole number from 128 to 10240."
  }
}

variable "reserved_concurrency" {
  description = "Reserved concurrency by function, for instance `{ rebalance = 1 }`. A command sent by hand is then refused with 429 while the schedule runs."
  type        = map(number)
  default     = {}
  nullable    = false

  # Fifty instances interrupted at once are fifty invocations that all have two minutes.
  validation {
    condition = alltrue([
      for function, executions in var.reserved_concurrency :
      contains(["rebalance", "drain", "rollout"], function) && executions >= (function == "drain" ? 50 : 1)
    ])
    error_message = "Expected rebalance, drain or rollout, each at least 1, and drain at least 50."
  }
}

variable "permissions_boundary" {
  description = "ARN of the policy that bounds the three roles, where an organisation asks for one."
  type        = string
  default     = null
}

variable "kms_key_arn" {
  description = "ARN of a KMS key for the log groups and the queue; null is the services' own encryption. Its policy has to let CloudWatch Logs and EventBridge use it."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of everything that the module makes."
  type        = map(string)
  default     = {}
  nullable    = false
}

# --- What is written down, and who is told --------------------------------------------------------------------------------

variable "log_level" {
  description = "Least level that is logged. `debug` adds the snapshot that each decision was made from."
  type        = string
  default     = "info"
  nullable    = false

  validation {
    condition     = contains(["trace", "debug", "info", "warn", "error"], var.log_level)
    error_message = "Expected one of trace, debug, info, warn, error."
  }
}

variable "log_retention_days" {
  description = "Days for which the logs are kept."
  type        = number
  default     = 90
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "Expected a number of days that CloudWatch Logs knows, for instance 30, 90 or 365."
  }
}

variable "tracing" {
  description = "Whether X-Ray records the invocations."
  type        = bool
  default     = false
  nullable    = false
}

variable "create_alarms" {
  description = "Whether to make the alarms."
  type        = bool
  default     = true
  nullable    = false
}

variable "alarm_actions" {
  description = "ARNs that an alarm notifies when it begins and when it is over, for instance of an SNS topic."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "rollout_alarm_after" {
  description = "Hours after which a rollout that is still under way raises an alarm."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = var.rollout_alarm_after > 0 && var.rollout_alarm_after <= 168
    error_message = "Expected more than 0 and at most 168 hours."
  }
}

variable "create_dashboard" {
  description = "Whether to make the CloudWatch dashboard."
  type        = bool
  default     = true
  nullable    = false
}
