# The sample service: a web server behind the load balancer, spread over zones and instances, that can move in two minutes.
#
# Bridge networking with host ports that Docker chooses. With awsvpc each task takes a network interface of its instance, of
# which two vCPUs have three, so that two tasks would fill an instance; and a task with an interface of its own gets no public
# address on EC2, so that in these subnets it could call nothing outside.

locals {
  container_name = "web"
}

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_158:Logs are encrypted at rest anyway; a key of one's own is charged by the month.
  #checkov:skip=CKV_AWS_338:A year of an example's logs is of no use to anybody; set log_retention_days.
  name              = "/ecs/${var.name}"
  retention_in_days = var.log_retention_days
}

resource "aws_ecs_task_definition" "web" {
  family             = "${var.name}-web"
  network_mode       = "bridge"
  execution_role_arn = aws_iam_role.execution.arn

  container_definitions = jsonencode([{
    name      = local.container_name
    image     = var.container_image
    cpu       = 256
    memory    = 512
    essential = true

    portMappings = [{ containerPort = var.container_port, hostPort = 0, protocol = "tcp" }]

    # From SIGTERM to SIGKILL. What is served then has this long, after the load balancer has stopped sending.
    stopTimeout = var.stop_timeout

    healthCheck = {
      command     = ["CMD-SHELL", "wget -q -O /dev/null http://127.0.0.1:${var.container_port}${var.health_check_path} || exit 1"]
      interval    = 5
      timeout     = 3
      retries     = 3
      startPeriod = 5
    }

    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.this.name
        awslogs-region        = data.aws_region.this.id
        awslogs-stream-prefix = local.container_name
      }
    }
  }])
}

resource "aws_ecs_service" "web" {
  name                              = "web"
  cluster                           = aws_ecs_cluster.this.id
  task_definition                   = aws_ecs_task_definition.web.arn
  desired_count                     = var.minimum_tasks
  propagate_tags                    = "SERVICE"
  health_check_grace_period_seconds = 60

  # When an instance drains, ECS starts the substitutes of all its tasks at once, and stops an old task only when a new one
  # serves. At 100 and 100 it could do neither, and the instance would never get empty.
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200

  # Evenkeel evens out zones and instances in one plan. Where this is enabled it leaves the zones to ECS.
  availability_zone_rebalancing = "DISABLED"

  # A provider and not a launch type, so that tasks without room wait and make the group grow.
  capacity_provider_strategy {
    capacity_provider = aws_ecs_capacity_provider.this.name
    weight            = 1
  }

  # Zones first: the loss of one must cost a third of the tasks, not more. Then instances: one interruption, few tasks.
  ordered_placement_strategy {
    type  = "spread"
    field = "attribute:ecs.availability-zone"
  }

  ordered_placement_strategy {
    type  = "spread"
    field = "instanceId"
  }

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.this.arn
    container_name   = local.container_name
    container_port   = var.container_port
  }

  # Target tracking and Evenkeel's moves write the desired count; an apply must not set it back.
  lifecycle {
    ignore_changes = [desired_count]
  }

  depends_on = [aws_lb_listener.http, aws_ecs_cluster_capacity_providers.this, aws_iam_role_policy.execution]
}

# Evenkeel does not read this maximum. A move starts one task more for a minute: the maximum is best left one above what is
# ever needed.
resource "aws_appautoscaling_target" "web" {
  service_namespace  = "ecs"
  resource_id        = "service/${aws_ecs_cluster.this.name}/${aws_ecs_service.web.name}"
  scalable_dimension = "ecs:service:DesiredCount"
  min_capacity       = var.minimum_tasks
  max_capacity       = var.maximum_tasks
}

resource "aws_appautoscaling_policy" "web" {
  name               = "${var.name}-cpu"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.web.service_namespace
  resource_id        = aws_appautoscaling_target.web.resource_id
  scalable_dimension = aws_appautoscaling_target.web.scalable_dimension

  target_tracking_scaling_policy_configuration {
    target_value       = 60
    scale_out_cooldown = 60
    scale_in_cooldown  = 300

    predefined_metric_specification {
      predefined_metric_type = "ECSServiceAverageCPUUtilization"
    }
  }
}

data "aws_iam_policy_document" "execution_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.this.account_id]
    }
  }
}

# For the agent, not for the tasks: these call no AWS API and have no role.
resource "aws_iam_role" "execution" {
  name               = "${var.name}-execution"
  description        = "Starts the tasks of ${var.name}: images and logs"
  assume_role_policy = data.aws_iam_policy_document.execution_trust.json
}

data "aws_iam_policy_document" "execution" {
  statement {
    sid       = "WriteLogs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.this.arn}:*"]
  }

  # The sample's images are public. This is for those that take their place, from ECR in this account and Region.
  statement {
    sid       = "PullImages"
    actions   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    resources = ["arn:${data.aws_partition.this.partition}:ecr:${data.aws_region.this.id}:${data.aws_caller_identity.this.account_id}:repository/*"]
  }

  statement {
    sid       = "SignInToTheRegistry"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }
}

resource "aws_iam_role_policy" "execution" {
  name   = "start-tasks"
  role   = aws_iam_role.execution.id
  policy = data.aws_iam_policy_document.execution.json
}
