# The terminate lifecycle hook by which Auto Scaling holds an instance until Evenkeel has seen it empty. It is optional: a
# group without one is served too, but then its instances leave by other ways, and a scale-in does not wait for tasks.
#
# To delete a hook is to let go of every instance that it holds, whatever runs there (API reference, DeleteLifecycleHook). The
# module's README, "Take the hook off", says what to see to before; each input by which it may happen says so too.

terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7"
    }
  }
}

variable "auto_scaling_groups" {
  description = "Names of the groups that get the hook, each under a key of the caller's choice that stays the same. Taking one off, or giving it another key, deletes its hook, which lets go of the instances that it holds."
  type        = map(string)
  nullable    = false

  # Two hooks of one name would be one, and taking one of them off would take off both.
  validation {
    condition     = length(distinct(values(var.auto_scaling_groups))) == length(var.auto_scaling_groups)
    error_message = "A group is there twice."
  }
}

variable "name" {
  description = "Name of the hook: the `lifecycle_hook` of the installation, which completes no hook of another name. Another name is another hook: the old one is deleted, which lets go of the instances that it holds."
  type        = string
  default     = "evenkeel-drain"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_/-]{1,255}$", var.name))
    error_message = "Expected up to 255 letters, digits, hyphens, underscores and slashes."
  }
}

variable "dry_run" {
  description = "The `dry_run` of the installation. If true there is no hook, since nobody would answer it; set later, it deletes the hook, which lets go of the instances that it holds. To stop Evenkeel in an emergency set the tag `evenkeel:pause` instead."
  type        = bool
  default     = false
  nullable    = false
}

variable "heartbeat_timeout" {
  description = "Seconds without a heartbeat after which Auto Scaling goes on by itself; 180 to 7200. Evenkeel sends one when a third of it is over, and looks every minute."
  type        = number
  default     = 600
  nullable    = false

  validation {
    condition     = var.heartbeat_timeout >= 180 && var.heartbeat_timeout <= 7200 && floor(var.heartbeat_timeout) == var.heartbeat_timeout
    error_message = "Expected a whole number from 180 to 7200: with less, one run that fails would let the instance go."
  }
}

variable "hook_timeout" {
  description = "The `hook_timeout` of the installation, to be held against what Auto Scaling allows: 48 hours, and a hundred times `heartbeat_timeout`. Null is not checked."
  type        = string
  default     = null

  validation {
    condition     = var.hook_timeout == null ? true : can(regex("^[0-9]+(ms|s|m|h|d)$", var.hook_timeout))
    error_message = "Expected a duration such as 30m."
  }

  validation {
    condition = var.hook_timeout == null ? true : try(
      tonumber(regex("^[0-9]+", var.hook_timeout)) * local.seconds[regex("[a-z]+$", var.hook_timeout)] <= min(48 * 60 * 60, 100 * var.heartbeat_timeout),
    true)
    error_message = "Auto Scaling holds an instance for 48 hours at most, and for a hundred times heartbeat_timeout: it would go before hook_timeout is over. Raise heartbeat_timeout."
  }
}

locals {
  seconds = { ms = 0.001, s = 1, m = 60, h = 3600, d = 86400 }
}

resource "aws_autoscaling_lifecycle_hook" "this" {
  # By keys and not by names, which may not be known before the groups are made; and not by numbers, by which taking off one
  # group would delete the hooks of those after it.
  for_each = { for key, group in var.auto_scaling_groups : key => group if !var.dry_run }

  name                   = var.name
  autoscaling_group_name = each.value
  lifecycle_transition   = "autoscaling:EC2_INSTANCE_TERMINATING"
  heartbeat_timeout      = var.heartbeat_timeout

  # If nobody answers, the instance goes all the same: ABANDON would end it too, and cut off the hooks of others as well.
  default_result = "CONTINUE"
}

output "name" {
  description = "Name of the hook, the same as the installation's `lifecycle_hook`."
  value       = var.name
}

output "groups" {
  description = "Names of the groups that have the hook."
  value       = toset([for hook in aws_autoscaling_lifecycle_hook.this : hook.autoscaling_group_name])
}
