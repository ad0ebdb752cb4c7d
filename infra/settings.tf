# The settings of the functions, one variable each, and the environment that they make. Written by a test from the table
# in shared/src/settings/table.rs; the same test tells when the two differ. Not to be edited by hand.

variable "dry_run" {
  description = "`true`: plan and report, write nothing; nobody answers a lifecycle hook then"
  type        = bool
  default     = false
  nullable    = false
}

variable "poll_interval" {
  description = "pause between the turns of one invocation; 100ms to 1m"
  type        = string
  default     = "5s"
  nullable    = false

  validation {
    condition = can(regex("^[0-9]+(ms|s|m|h|d)$", var.poll_interval)) && try(
      tonumber(regex("^[0-9]+", var.poll_interval)) * local.milliseconds[regex("[a-z]+$", var.poll_interval)] >= 100 &&
      tonumber(regex("^[0-9]+", var.poll_interval)) * local.milliseconds[regex("[a-z]+$", var.poll_interval)] <= 60000,
    false)
    error_message = "Expected a duration from 100ms to 1m, such as 250ms, 5s or 10m."
  }
}

variable "skew_threshold" {
  description = "percent of skew above which a service is rebalanced; 1 to 1000"
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.skew_threshold >= 1 && var.skew_threshold <= 1000 && floor(var.skew_threshold) == var.skew_threshold
    error_message = "Expected a whole number from 1 to 1000."
  }
}

variable "max_moves" {
  description = "moves started per cluster and invocation, those found in flight included; 1 to 1000"
  type        = number
  default     = 20
  nullable    = false

  validation {
    condition     = var.max_moves >= 1 && var.max_moves <= 1000 && floor(var.max_moves) == var.max_moves
    error_message = "Expected a whole number from 1 to 1000."
  }
}

variable "move_strategy" {
  description = "`surge`: start first, then stop; `stop`: stop first where the service allows it, else `surge`"
  type        = string
  default     = "surge"
  nullable    = false

  validation {
    condition     = contains(["surge", "stop"], var.move_strategy)
    error_message = "Expected one of surge, stop."
  }
}

variable "move_timeout" {
  description = "for the new task of a move to become healthy, then the move is undone; 1s to 12h"
  type        = string
  default     = "10m"
  nullable    = false

  validation {
    condition = can(regex("^[0-9]+(ms|s|m|h|d)$", var.move_timeout)) && try(
      tonumber(regex("^[0-9]+", var.move_timeout)) * local.milliseconds[regex("[a-z]+$", var.move_timeout)] >= 1000 &&
      tonumber(regex("^[0-9]+", var.move_timeout)) * local.milliseconds[regex("[a-z]+$", var.move_timeout)] <= 43200000,
    false)
    error_message = "Expected a duration from 1s to 12h, such as 250ms, 5s or 10m."
  }
}

variable "warm_up" {
  description = "age of a container instance before it counts as a target; 0s to 24h"
  type        = string
  default     = "5m"
  nullable    = false

  validation {
    condition = can(regex("^[0-9]+(ms|s|m|h|d)$", var.warm_up)) && try(
      tonumber(regex("^[0-9]+", var.warm_up)) * local.milliseconds[regex("[a-z]+$", var.warm_up)] >= 0 &&
      tonumber(regex("^[0-9]+", var.warm_up)) * local.milliseconds[regex("[a-z]+$", var.warm_up)] <= 86400000,
    false)
    error_message = "Expected a duration from 0s to 24h, such as 250ms, 5s or 10m."
  }
}

variable "cooldown" {
  description = "least age of a service's youngest task before it is moved again; 0s to 24h"
  type        = string
  default     = "10m"
  nullable    = false

  validation {
    condition = can(regex("^[0-9]+(ms|s|m|h|d)$", var.cooldown)) && try(
      tonumber(regex("^[0-9]+", var.cooldown)) * local.milliseconds[regex("[a-z]+$", var.cooldown)] >= 0 &&
      tonumber(regex("^[0-9]+", var.cooldown)) * local.milliseconds[regex("[a-z]+$", var.cooldown)] <= 86400000,
    false)
    error_message = "Expected a duration from 0s to 24h, such as 250ms, 5s or 10m."
  }
}

variable "confirm_after" {
  description = "between the two snapshots that must agree before a rebalance starts; 0s to 10m"
  type        = string
  default     = "30s"
  nullable    = false

  validation {
    condition = can(regex("^[0-9]+(ms|s|m|h|d)$", var.confirm_after)) && try(
      tonumber(regex("^[0-9]+", var.confirm_after)) * local.milliseconds[regex("[a-z]+$", var.confirm_after)] >= 0 &&
      tonumber(regex("^[0-9]+", var.confirm_after)) * local.milliseconds[regex("[a-z]+$", var.confirm_after)] <= 600000,
    false)
    error_message = "Expected a duration from 0s to 10m, such as 250ms, 5s or 10m."
  }
}

variable "replacement" {
  description = "how the substitute of a drained instance is asked for: `auto`, `terminate`, `detach`, `surge` or `none`"
  type        = string
  default     = "auto"
  nullable    = false

  validation {
    condition     = contains(["auto", "terminate", "detach", "surge", "none"], var.replacement)
    error_message = "Expected one of auto, terminate, detach, surge, none."
  }
}

variable "lifecycle_hook" {
  description = "name of the terminate lifecycle hook that is ours to complete"
  type        = string
  default     = "evenkeel-drain"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_/-]{1,255}$", var.lifecycle_hook))
    error_message = "Expected up to 255 letters, digits, -, _ or /."
  }
}

variable "hook_timeout" {
  description = "for an instance that a hook holds to be empty, then it is let go as `deadlineExpired`; 1m to 48h"
  type        = string
  default     = "30m"
  nullable    = false

  validation {
    condition = can(regex("^[0-9]+(ms|s|m|h|d)$", var.hook_timeout)) && try(
      tonumber(regex("^[0-9]+", var.hook_timeout)) * local.milliseconds[regex("[a-z]+$", var.hook_timeout)] >= 60000 &&
      tonumber(regex("^[0-9]+", var.hook_timeout)) * local.milliseconds[regex("[a-z]+$", var.hook_timeout)] <= 172800000,
    false)
    error_message = "Expected a duration from 1m to 48h, such as 250ms, 5s or 10m."
  }
}

variable "standalone_tasks" {
  description = "tasks of no service on a drained instance: `stop`, `wait`, or `auto`: stop on an interruption, else wait"
  type        = string
  default     = "auto"
  nullable    = false

  validation {
    condition     = contains(["auto", "stop", "wait"], var.standalone_tasks)
    error_message = "Expected one of auto, stop, wait."
  }
}

variable "on_rebalance_recommendation" {
  description = "`replace`: drain and replace an instance that EC2 sees at risk; or `ignore`"
  type        = string
  default     = "ignore"
  nullable    = false

  validation {
    condition     = contains(["ignore", "replace"], var.on_rebalance_recommendation)
    error_message = "Expected one of ignore, replace."
  }
}

variable "empty_after" {
  description = "between the two looks that must agree that an instance is empty; 0s to 1m"
  type        = string
  default     = "10s"
  nullable    = false

  validation {
    condition = can(regex("^[0-9]+(ms|s|m|h|d)$", var.empty_after)) && try(
      tonumber(regex("^[0-9]+", var.empty_after)) * local.milliseconds[regex("[a-z]+$", var.empty_after)] >= 0 &&
      tonumber(regex("^[0-9]+", var.empty_after)) * local.milliseconds[regex("[a-z]+$", var.empty_after)] <= 60000,
    false)
    error_message = "Expected a duration from 0s to 1m, such as 250ms, 5s or 10m."
  }
}

variable "spot_notice" {
  description = "length of the interruption notice: the deadline is the event's time plus this; 5s to 10m"
  type        = string
  default     = "2m"
  nullable    = false

  validation {
    condition = can(regex("^[0-9]+(ms|s|m|h|d)$", var.spot_notice)) && try(
      tonumber(regex("^[0-9]+", var.spot_notice)) * local.milliseconds[regex("[a-z]+$", var.spot_notice)] >= 5000 &&
      tonumber(regex("^[0-9]+", var.spot_notice)) * local.milliseconds[regex("[a-z]+$", var.spot_notice)] <= 600000,
    false)
    error_message = "Expected a duration from 5s to 10m, such as 250ms, 5s or 10m."
  }
}

variable "surge_percent" {
  description = "how much of a group a rollout replaces at once: 100 doubles it; 1 to 100"
  type        = number
  default     = 100
  nullable    = false

  validation {
    condition     = var.surge_percent >= 1 && var.surge_percent <= 100 && floor(var.surge_percent) == var.surge_percent
    error_message = "Expected a whole number from 1 to 100."
  }
}

variable "canary" {
  description = "instances in a first wave of their own; 0 to 100"
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.canary >= 0 && var.canary <= 100 && floor(var.canary) == var.canary
    error_message = "Expected a whole number from 0 to 100."
  }
}

variable "launch_timeout" {
  description = "for the new instances of a wave to be ready; then a smaller wave, or the way back; 10s to 4h"
  type        = string
  default     = "10m"
  nullable    = false

  validation {
    condition = can(regex("^[0-9]+(ms|s|m|h|d)$", var.launch_timeout)) && try(
      tonumber(regex("^[0-9]+", var.launch_timeout)) * local.milliseconds[regex("[a-z]+$", var.launch_timeout)] >= 10000 &&
      tonumber(regex("^[0-9]+", var.launch_timeout)) * local.milliseconds[regex("[a-z]+$", var.launch_timeout)] <= 14400000,
    false)
    error_message = "Expected a duration from 10s to 4h, such as 250ms, 5s or 10m."
  }
}

variable "drain_timeout" {
  description = "for the old instances of a wave to be empty, and for the services to be steady after it; 10s to 24h"
  type        = string
  default     = "30m"
  nullable    = false

  validation {
    condition = can(regex("^[0-9]+(ms|s|m|h|d)$", var.drain_timeout)) && try(
      tonumber(regex("^[0-9]+", var.drain_timeout)) * local.milliseconds[regex("[a-z]+$", var.drain_timeout)] >= 10000 &&
      tonumber(regex("^[0-9]+", var.drain_timeout)) * local.milliseconds[regex("[a-z]+$", var.drain_timeout)] <= 86400000,
    false)
    error_message = "Expected a duration from 10s to 24h, such as 250ms, 5s or 10m."
  }
}

variable "on_drain_timeout" {
  description = "`rollback`, `hold` (wait for a person) or `force` (terminate with what is left on them)"
  type        = string
  default     = "rollback"
  nullable    = false

  validation {
    condition     = contains(["rollback", "hold", "force"], var.on_drain_timeout)
    error_message = "Expected one of rollback, hold, force."
  }
}

variable "bake_time" {
  description = "how long the empty old instances are kept in reserve; 0s to 24h"
  type        = string
  default     = "0s"
  nullable    = false

  validation {
    condition = can(regex("^[0-9]+(ms|s|m|h|d)$", var.bake_time)) && try(
      tonumber(regex("^[0-9]+", var.bake_time)) * local.milliseconds[regex("[a-z]+$", var.bake_time)] >= 0 &&
      tonumber(regex("^[0-9]+", var.bake_time)) * local.milliseconds[regex("[a-z]+$", var.bake_time)] <= 86400000,
    false)
    error_message = "Expected a duration from 0s to 24h, such as 250ms, 5s or 10m."
  }
}

variable "rollout_timeout" {
  description = "for a whole rollout, then it is taken back, or ends with the wave it is in; 1m to 7d"
  type        = string
  default     = "4h"
  nullable    = false

  validation {
    condition = can(regex("^[0-9]+(ms|s|m|h|d)$", var.rollout_timeout)) && try(
      tonumber(regex("^[0-9]+", var.rollout_timeout)) * local.milliseconds[regex("[a-z]+$", var.rollout_timeout)] >= 60000 &&
      tonumber(regex("^[0-9]+", var.rollout_timeout)) * local.milliseconds[regex("[a-z]+$", var.rollout_timeout)] <= 604800000,
    false)
    error_message = "Expected a duration from 1m to 7d, such as 250ms, 5s or 10m."
  }
}

variable "healthy_after" {
  description = "RUNNING for so long counts as healthy where nothing reports health; 0s to 1h"
  type        = string
  default     = "40s"
  nullable    = false

  validation {
    condition = can(regex("^[0-9]+(ms|s|m|h|d)$", var.healthy_after)) && try(
      tonumber(regex("^[0-9]+", var.healthy_after)) * local.milliseconds[regex("[a-z]+$", var.healthy_after)] >= 0 &&
      tonumber(regex("^[0-9]+", var.healthy_after)) * local.milliseconds[regex("[a-z]+$", var.healthy_after)] <= 3600000,
    false)
    error_message = "Expected a duration from 0s to 1h, such as 250ms, 5s or 10m."
  }
}

locals {
  milliseconds = { ms = 1, s = 1000, m = 60000, h = 3600000, d = 86400000 }

  settings = {
    EVENKEEL_CLUSTERS                    = join(",", var.clusters)
    EVENKEEL_DRY_RUN                     = tostring(var.dry_run)
    EVENKEEL_POLL_INTERVAL               = tostring(var.poll_interval)
    EVENKEEL_SKEW_THRESHOLD              = tostring(var.skew_threshold)
    EVENKEEL_MAX_MOVES                   = tostring(var.max_moves)
    EVENKEEL_MOVE_STRATEGY               = tostring(var.move_strategy)
    EVENKEEL_MOVE_TIMEOUT                = tostring(var.move_timeout)
    EVENKEEL_WARM_UP                     = tostring(var.warm_up)
    EVENKEEL_COOLDOWN                    = tostring(var.cooldown)
    EVENKEEL_CONFIRM_AFTER               = tostring(var.confirm_after)
    EVENKEEL_REPLACEMENT                 = tostring(var.replacement)
    EVENKEEL_LIFECYCLE_HOOK              = tostring(var.lifecycle_hook)
    EVENKEEL_HOOK_TIMEOUT                = tostring(var.hook_timeout)
    EVENKEEL_STANDALONE_TASKS            = tostring(var.standalone_tasks)
    EVENKEEL_ON_REBALANCE_RECOMMENDATION = tostring(var.on_rebalance_recommendation)
    EVENKEEL_EMPTY_AFTER                 = tostring(var.empty_after)
    EVENKEEL_SPOT_NOTICE                 = tostring(var.spot_notice)
    EVENKEEL_SURGE_PERCENT               = tostring(var.surge_percent)
    EVENKEEL_CANARY                      = tostring(var.canary)
    EVENKEEL_LAUNCH_TIMEOUT              = tostring(var.launch_timeout)
    EVENKEEL_DRAIN_TIMEOUT               = tostring(var.drain_timeout)
    EVENKEEL_ON_DRAIN_TIMEOUT            = tostring(var.on_drain_timeout)
    EVENKEEL_BAKE_TIME                   = tostring(var.bake_time)
    EVENKEEL_ROLLOUT_TIMEOUT             = tostring(var.rollout_timeout)
    EVENKEEL_HEALTHY_AFTER               = tostring(var.healthy_after)
  }
}
