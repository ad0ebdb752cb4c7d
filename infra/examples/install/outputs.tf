# Where to look, and what to send.

output "dashboard_name" {
  description = "Name of the dashboard in CloudWatch."
  value       = module.evenkeel.dashboard_name
}

output "log_group_names" {
  description = "Log groups of the functions."
  value       = module.evenkeel.log_group_names
}

output "rollout_commands" {
  description = "Shell commands that look at, begin, follow and take back a rollout of the group."
  value       = module.evenkeel.rollout_commands
}
