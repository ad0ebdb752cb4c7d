# The terminate lifecycle hook by which Auto Scaling holds an instance until Evenkeel has seen it empty. It is optional: a
# group without one is served too, but then its instances leave by other ways, and a scale-in does not wait for tasks.

terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.60, < 7"
    }
  }
}

variable "auto_scaling_groups" {
  description = "Names of the groups that get the hook."
  type        = set(string)
  nullable    = false
}

variable "name" {
  description = "Name of the hook: the `lifecycle_hook` of the installation, which completes no hook of another name."
  type        = string
  default     = "evenkeel-drain"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_/-]{1,255}$", var.name))
    error_message = "Expected up to 255 letters, digits, hyphens, underscores and slashes."
  }
}

variable "heartbeat_timeout" {
  description = "Seconds without a heartbeat after which Auto Scaling goes on by itself; 30 to 7200. Evenkeel sends one every minute."
  type        = number
  default     = 600
  nullable    = false

  # An instance is held for 48 hours at most, and for a hundred times this.
  validation {
    condition     = var.heartbeat_timeout >= 30 && var.heartbeat_timeout <= 7200 && floor(var.heartbeat_timeout) == var.heartbeat_timeout
    error_message = "Expected a whole number from 30 to 7200."
  }
}

resource "aws_autoscaling_lifecycle_hook" "this" {
  for_each = var.auto_scaling_groups

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
