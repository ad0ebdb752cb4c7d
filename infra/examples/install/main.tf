# Evenkeel on a cluster and a group that exist already. Cluster, group and services stay as they are but for the group's
# lifecycle hook; to be rid of Evenkeel, see "Remove it" in the module's README.

# Fails at the plan if one of the two does not exist, instead of installing something that looks after nothing.
data "aws_ecs_cluster" "this" {
  cluster_name = var.cluster
}

data "aws_autoscaling_group" "this" {
  name = var.auto_scaling_group
}

module "evenkeel" {
  source = "../.."

  clusters            = [data.aws_ecs_cluster.this.cluster_name]
  auto_scaling_groups = [data.aws_autoscaling_group.this.name]
  package_directory   = var.package_directory
  dry_run             = var.dry_run
  alarm_actions       = var.alarm_actions
}

# Only after the functions are there: a hook that nobody answers holds every instance for its whole time-out. On a dry run
# nobody answers either, so that the hook waits for the day on which it is over.
module "lifecycle_hook" {
  source = "../../modules/lifecycle-hook"

  auto_scaling_groups = { (var.auto_scaling_group) = data.aws_autoscaling_group.this.name }
  name                = module.evenkeel.lifecycle_hook
  hook_timeout        = module.evenkeel.hook_timeout
  dry_run             = module.evenkeel.dry_run

  depends_on = [module.evenkeel]
}
