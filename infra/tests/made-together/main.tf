# For a test: cluster and group are made in the same configuration as Evenkeel, so that the ARN of one and the name of the other
# are not known before the apply, and the plan has to do without.

terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7"
    }
  }
}

resource "aws_ecs_cluster" "this" {
  # checkov:skip=CKV_AWS_65:it is never made
  name = "made-together"
}

resource "aws_launch_template" "this" {
  # checkov:skip=CKV_AWS_79:it is never made
  # checkov:skip=CKV_AWS_88:it is never made
  # checkov:skip=CKV_AWS_341:it is never made
  name_prefix = "made-together-"
}

resource "aws_autoscaling_group" "this" {
  # checkov:skip=CKV_AWS_153:it is never made
  name_prefix        = "made-together-"
  availability_zones = ["eu-west-1a"]
  min_size           = 0
  max_size           = 3

  launch_template {
    id = aws_launch_template.this.id
  }
}

module "evenkeel" {
  source = "../.."

  clusters            = ["web", aws_ecs_cluster.this.arn]
  auto_scaling_groups = [aws_autoscaling_group.this.name]
  package_directory   = "${path.module}/../fixtures"
}

module "lifecycle_hook" {
  source = "../../modules/lifecycle-hook"

  auto_scaling_groups = { one = aws_autoscaling_group.this.name }
  name                = module.evenkeel.lifecycle_hook
  hook_timeout        = module.evenkeel.hook_timeout
  dry_run             = module.evenkeel.dry_run

  depends_on = [module.evenkeel]
}

output "alarm_names" {
  description = "Names of the alarms."
  value       = module.evenkeel.alarm_names
}

output "groups" {
  description = "Names of the groups that have the hook."
  value       = module.lifecycle_hook.groups
}

output "group" {
  description = "Name of the group."
  value       = aws_autoscaling_group.this.name
}
