# What a caller may want to point at: names to invoke, ARNs to allow, and the commands of a rollout ready to paste.

output "function_names" {
  description = "Name of each function, by `rebalance`, `drain` and `rollout`."
  value       = { for function in keys(local.functions) : function => aws_lambda_function.this[function].function_name }
}

output "function_arns" {
  description = "ARN of each function."
  value       = { for function in keys(local.functions) : function => aws_lambda_function.this[function].arn }
}

output "role_arns" {
  description = "ARN of each function's role, for instance for the policy of a KMS key."
  value       = { for function in keys(local.functions) : function => aws_iam_role.this[function].arn }
}

output "log_group_names" {
  description = "Name of each function's log group; its closing lines with the message `report` say what was done and why not."
  value       = { for function in keys(local.functions) : function => aws_cloudwatch_log_group.this[function].name }
}

output "dead_letter_queue_arn" {
  description = "ARN of the queue that lost events and failed invocations go to."
  value       = aws_sqs_queue.this.arn
}

output "dead_letter_queue_url" {
  description = "URL of the queue that lost events and failed invocations go to."
  value       = aws_sqs_queue.this.url
}

output "dashboard_name" {
  description = "Name of the dashboard, or null without one."
  value       = one(aws_cloudwatch_dashboard.this[*].dashboard_name)
}

output "alarm_names" {
  description = "Names of the alarms, for instance for a composite one."
  value = sort(concat(
    [for alarm in aws_cloudwatch_metric_alarm.this : alarm.alarm_name],
    aws_cloudwatch_metric_alarm.skew[*].alarm_name,
  ))
}

output "lifecycle_hook" {
  description = "Name that a group's terminate lifecycle hook must have to be completed by Evenkeel. Before it is changed, see \"Take the hook off\" in the README."
  value       = var.lifecycle_hook
}

output "hook_timeout" {
  description = "How long Evenkeel holds an instance by the hook at most; the hook has to allow for it."
  value       = var.hook_timeout
}

output "dry_run" {
  description = "Whether Evenkeel only reports. Then nobody answers a hook, and no group may have it."
  value       = var.dry_run
}

locals {
  # Where one group or cluster alone can be meant its name is put in; else the reader does.
  any_group   = try(regex("^[^*?]+$", one(var.auto_scaling_groups)), "GROUP")
  any_cluster = try(regex("^[^*]+$", one(local.cluster_names)), "CLUSTER")

  rollout_payloads = {
    dry_run = { action = "start", autoScalingGroup = local.any_group, cluster = local.any_cluster, dryRun = true }
    start   = { action = "start", autoScalingGroup = local.any_group, cluster = local.any_cluster }
    status  = { action = "status", autoScalingGroup = local.any_group }
    abort   = { action = "abort", autoScalingGroup = local.any_group }
  }
}

output "rollout_commands" {
  description = "Shell commands that look at (`dry_run`), begin (`start`), follow (`status`) and take back (`abort`) a rollout."
  # The command line would else give up after a minute and send the same again.
  value = {
    for name, payload in local.rollout_payloads : name => join(" ", [
      "aws lambda invoke --region ${local.region} --function-name ${aws_lambda_function.this["rollout"].function_name}",
      "--cli-read-timeout 0 --cli-binary-format raw-in-base64-out --payload '${jsonencode(payload)}' /dev/stdout",
    ])
  }
}
