# The cluster, and the capacity provider that sizes the Auto Scaling group.

resource "aws_ecs_cluster" "this" {
  #checkov:skip=CKV_AWS_65:Container Insights is charged for each metric, and Evenkeel does not need it; set container_insights to have it.
  name = var.name

  setting {
    name  = "containerInsights"
    value = var.container_insights ? "enabled" : "disabled"
  }
}

resource "aws_ecs_capacity_provider" "this" {
  name = var.name

  auto_scaling_group_provider {
    auto_scaling_group_arn = aws_autoscaling_group.this.arn

    # ECS puts a terminate hook of its own on the group and holds every instance that leaves, by scale-in or by capacity
    # rebalancing, until its tasks have moved. Evenkeel's drain knows that hook: on an interruption it asks for the
    # substitute by terminating the instance by name without decrement, and the hook holds the old one until it is empty.
    managed_draining = "ENABLED"

    # Disabled on purpose. Protection would keep every instance with a task from being chosen at scale-in; with tasks
    # spread over instances that is all of them, so that the group could never shrink, and neither would capacity
    # rebalancing end an instance at risk. What protection is for, that no task dies with its instance, managed draining
    # does here.
    managed_termination_protection = "DISABLED"

    managed_scaling {
      status = "ENABLED"

      # Not less than 100. A lower target means "keep some instances empty", and where tasks are spread, an empty instance
      # gets tasks at the next chance, from ECS or from Evenkeel. ECS would then start another empty one, and so on up to
      # the group's maximum. Room for the one task more that a move starts comes from the instances' size instead.
      target_capacity = 100

      # With several instance types or zones ECS adds exactly this many at a time, whatever the demand.
      minimum_scaling_step_size = 1
      instance_warmup_period    = local.warmup_seconds
    }
  }
}

resource "aws_ecs_cluster_capacity_providers" "this" {
  cluster_name       = aws_ecs_cluster.this.name
  capacity_providers = [aws_ecs_capacity_provider.this.name]

  # Tasks that name neither a launch type nor a provider still count for managed scaling.
  default_capacity_provider_strategy {
    capacity_provider = aws_ecs_capacity_provider.this.name
    weight            = 1
  }
}
