# What exists already, and who is told when something is wrong.

variable "region" {
  description = "Region of the cluster."
  type        = string
}

variable "cluster" {
  description = "Name of the cluster."
  type        = string
}

variable "auto_scaling_group" {
  description = "Name of the Auto Scaling group whose instances are registered in the cluster."
  type        = string
}

variable "dry_run" {
  description = "Whether to report only. A good beginning: read for a day what would be done. To go back to it takes the hook off the group, see \"Take the hook off\" in the module's README; to stop Evenkeel in an emergency set the tag `evenkeel:pause` instead."
  type        = bool
  default     = true
}

variable "alarm_actions" {
  description = "ARNs that alarms notify, for instance of an SNS topic."
  type        = list(string)
  default     = []
}

variable "package_directory" {
  description = "Where `make package` put the zip files; null is `target/package` of this clone."
  type        = string
  default     = null
}
