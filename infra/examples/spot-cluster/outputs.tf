# What is needed to look at the example and to try it out.

output "url" {
  description = "Where the sample service answers; with a certificate, point its domain name there."
  value       = "${var.certificate_arn == null ? "http" : "https"}://${aws_lb.this.dns_name}/"
}

output "cluster" {
  description = "Name of the cluster."
  value       = aws_ecs_cluster.this.name
}

output "service" {
  description = "Name of the sample service."
  value       = aws_ecs_service.web.name
}

output "auto_scaling_group" {
  description = "Name of the Auto Scaling group."
  value       = aws_autoscaling_group.this.name
}

output "launch_template" {
  description = "The launch template's id and newest version, which a rollout brings to every instance."
  value       = { id = aws_launch_template.this.id, version = aws_launch_template.this.latest_version }
}

output "evenkeel_functions" {
  description = "Names of Evenkeel's functions, to invoke them by hand."
  value       = module.evenkeel.function_names
}

output "rollout_commands" {
  description = "Commands that look at, begin, follow and take back a rollout of this group."
  value       = module.evenkeel.rollout_commands
}

output "instance_types" {
  description = "Those of the instance types that this Region offers."
  value       = local.instance_types
}

output "volumes" {
  description = "Volumes that instances attach when they boot."
  value       = [for volume in aws_ebs_volume.this : volume.id]
}

output "addresses" {
  description = "Addresses that instances associate when they boot."
  value       = aws_eip.this[*].public_ip
}
