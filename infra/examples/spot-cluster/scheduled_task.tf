# A scheduled task: EventBridge Scheduler runs it on the same instances, beside the service.
#
# No service replaces such a task when its instance goes. On an interruption Evenkeel tells it to stop, so that it gets its
# SIGTERM and the stop timeout; otherwise the drain waits for its end. Retries here are for starts that fail, not for tasks
# that are cut off: write it so that the next run does what the last one did not finish.

resource "aws_ecs_task_definition" "report" {
  family             = "${var.name}-report"
  network_mode       = "bridge"
  execution_role_arn = aws_iam_role.execution.arn

  container_definitions = jsonencode([{
    name                   = "report"
    image                  = var.scheduled_image
    cpu                    = 128
    memory                 = 128
    essential              = true
    readonlyRootFilesystem = true
    stopTimeout            = var.stop_timeout

    # sh as process 1 ignores SIGTERM unless it is told what to do about it.
    command = ["sh", "-c", "trap 'echo interrupted; exit 143' TERM; echo report begins; sleep 30 & wait $!; echo report ends"]

    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.this.name
        awslogs-region        = data.aws_region.this.id
        awslogs-stream-prefix = "report"
      }
    }
  }])
}

resource "aws_scheduler_schedule" "report" {
  #checkov:skip=CKV_AWS_297:A schedule holds no secret; a key of one's own is charged by the month.
  name                = "${var.name}-report"
  description         = "Runs a task of ${aws_ecs_task_definition.report.family}"
  schedule_expression = var.schedule_expression

  flexible_time_window {
    mode                      = "FLEXIBLE"
    maximum_window_in_minutes = 5
  }

  target {
    arn      = aws_ecs_cluster.this.arn
    role_arn = aws_iam_role.scheduler.arn

    # RunTask is tried again while it is throttled or ECS is out of reach. A task without room is no failed start: through
    # the capacity provider it waits until the group has grown.
    retry_policy {
      maximum_retry_attempts       = 10
      maximum_event_age_in_seconds = 1800
    }

    ecs_parameters {
      task_definition_arn = aws_ecs_task_definition.report.arn
      task_count          = 1
      propagate_tags      = "TASK_DEFINITION"

      capacity_provider_strategy {
        capacity_provider = aws_ecs_capacity_provider.this.name
        weight            = 1
      }

      placement_strategy {
        type  = "spread"
        field = "attribute:ecs.availability-zone"
      }
    }
  }

  depends_on = [aws_ecs_cluster_capacity_providers.this, aws_iam_role_policy.scheduler]
}

data "aws_iam_policy_document" "scheduler_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["scheduler.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.this.account_id]
    }
  }
}

resource "aws_iam_role" "scheduler" {
  name               = "${var.name}-scheduler"
  description        = "Runs the scheduled task of ${var.name}"
  assume_role_policy = data.aws_iam_policy_document.scheduler_trust.json
}

data "aws_iam_policy_document" "scheduler" {
  statement {
    sid       = "RunTheTask"
    actions   = ["ecs:RunTask"]
    resources = ["${aws_ecs_task_definition.report.arn_without_revision}:*"]

    condition {
      test     = "ArnEquals"
      variable = "ecs:cluster"
      values   = [aws_ecs_cluster.this.arn]
    }
  }

  statement {
    sid       = "TagTheTask"
    actions   = ["ecs:TagResource"]
    resources = ["${local.ecs_arns}:task/${aws_ecs_cluster.this.name}/*"]

    condition {
      test     = "StringEquals"
      variable = "ecs:CreateAction"
      values   = ["RunTask"]
    }
  }

  statement {
    sid       = "HandOverTheExecutionRole"
    actions   = ["iam:PassRole"]
    resources = [aws_iam_role.execution.arn]

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["ecs-tasks.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy" "scheduler" {
  name   = "run-task"
  role   = aws_iam_role.scheduler.id
  policy = data.aws_iam_policy_document.scheduler.json
}
