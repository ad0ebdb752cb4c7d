# Evenkeel, installed on the cluster and the group of this example.
#
# `replacement` and `on_rebalance_recommendation` stay at their defaults on purpose: with managed draining "auto" terminates
# by name and lets ECS's hook hold the instance, and capacity rebalancing, if it is on, acts on recommendations by itself.

module "evenkeel" {
  source = "../.."

  name                = "${var.name}-evenkeel"
  clusters            = [aws_ecs_cluster.this.name]
  auto_scaling_groups = [aws_autoscaling_group.this.name]
  architecture        = var.evenkeel_architecture
  package_directory   = var.evenkeel_package_directory
  dry_run             = var.evenkeel_dry_run
}
